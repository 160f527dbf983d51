"""The store's clock and the site's time zone."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import formatdate
from zoneinfo import ZoneInfo


class Clock:
    """Tells the store's time in epoch seconds.

    `true_now` is what a correct clock would say (real time, or a test's own source, plus what was
    advanced). `now` adds the skew of a store whose clock is wrong; stamps and the `Date` header use
    it. Waiting times are measured on `true_now`, which a change of skew does not move.
    """

    def __init__(
        self, zone: str = "America/New_York", source: Callable[[], float] = time.time
    ) -> None:
        self._source = source
        self.offset = 0.0
        self.skew = 0.0
        self.header_skew = 0.0
        self.frozen: float | None = None
        self.set_zone(zone)

    def set_zone(self, zone: str) -> None:
        """Change the site's time zone; stamps already written keep their local form."""
        self.zone = ZoneInfo(zone)
        self.zone_name = zone
        self._second = -1  # the second that `_stamps` are of
        self._stamps = ("", "")

    def true_now(self) -> float:
        """What a correct clock would say."""
        base = self._source() if self.frozen is None else self.frozen
        return base + self.offset

    def now(self) -> float:
        """What the store believes the time is."""
        return self.true_now() + self.skew

    def date_header(self) -> str:
        """The `Date` header."""
        return formatdate(self.now() + self.header_skew, usegmt=True)

    def stamps(self, at: float | None = None) -> tuple[str, str]:
        """(local, GMT) in the form of the API, cut to the second."""
        second = int(self.now() if at is None else at)
        if second != self._second:
            moment = datetime.fromtimestamp(second, UTC)
            self._stamps = (_plain(moment.astimezone(self.zone)), _plain(moment))
            self._second = second
        return self._stamps

    def local_of(self, gmt: str) -> str:
        """The site-local form of a GMT stamp without zone."""
        moment = datetime.fromisoformat(gmt).replace(tzinfo=UTC)
        return _plain(moment.astimezone(self.zone))

    def gmt_of(self, local: str) -> str:
        """The GMT form of a site-local stamp; the first of two in the hour that comes twice."""
        moment = datetime.fromisoformat(local).replace(tzinfo=self.zone)
        return _plain(moment.astimezone(UTC))

    def gmt_offset(self) -> float:
        """Hours the site is ahead of GMT now."""
        shift = datetime.fromtimestamp(self.now(), self.zone).utcoffset()
        return shift.total_seconds() / 3600 if shift else 0.0


def _plain(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(timespec="seconds")


def epoch(stamp: str | None) -> int | None:
    """Seconds of a stamp without zone, read as if it were GMT; None stays None."""
    if not stamp:
        return None
    return int(datetime.fromisoformat(stamp).replace(tzinfo=UTC).timestamp())
