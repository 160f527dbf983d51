"""When a schedule ticks. Pure: a rhythm and two moments in, ticks out.

Expressions are read as Debian's cron does, by cronsim. Where minute and hour name fixed times, a
time that a clock change leaves out comes right after the gap, and one that it repeats comes once,
the first time. Where minute or hour is a star, ticks follow real time: none falls into the gap, and
the repeated hour has its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice, takewhile
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from app.models import Schedule
from app.moments import duration, needs_launch, resolve

MOST_MISSED = 1000
"""Beyond this many, missed ticks are not counted any further."""

_FIELDS = 5
_FAR = datetime.max.replace(tzinfo=UTC)
_LOOK_BACK = (timedelta(hours=1), timedelta(days=1), timedelta(days=32), timedelta(days=367))


class Tick(NamedTuple):
    """A moment at which a job is to begin. The final one is a cutover, and the last."""

    at: datetime
    final: bool = False


class Due(NamedTuple):
    """The tick to deal with now, and how many came before it that nobody has dealt with."""

    tick: Tick
    missed: int


@dataclass(frozen=True, slots=True)
class Rhythm:
    """`starts` is the first moment at which a tick may be; `until` and `final` end the ordinary
    ticks, which all lie before them.
    """

    starts: datetime
    cron: str | None = None
    zone: tzinfo = UTC
    every: timedelta | None = None
    until: datetime | None = None
    final: datetime | None = None

    @property
    def end(self) -> datetime:
        """Before this moment lie all ordinary ticks."""
        return min(self.until or _FAR, self.final or _FAR)

    def ticks(self, after: datetime) -> Iterator[Tick]:
        """All ticks later than a moment, in order."""
        for at in self._ordinary(after):
            if at >= self.end:
                break
            yield Tick(at)
        if self.final is not None and self.final > after:
            yield Tick(self.final, final=True)

    def due(self, after: datetime, now: datetime) -> Due | None:
        """The latest tick in `(after, now]`: what was missed is caught up once."""
        if self.final is not None and after < self.final <= now:
            last = Tick(self.final, final=True)
        else:
            at = self._last(after, now)
            if at is None:
                return None
            last = Tick(at)
        earlier = takewhile(lambda tick: tick.at < last.at, self.ticks(after))
        return Due(last, sum(1 for _ in islice(earlier, MOST_MISSED)))

    def _ordinary(self, after: datetime) -> Iterator[datetime]:
        if self.every is not None:
            passed = max(0, (after - self.starts) // self.every + 1)
            number = passed if after >= self.starts else 0
            while True:
                yield self.starts + number * self.every
                number += 1
        if self.cron is None:
            return
        # cronsim looks behind a whole second, and knows no `fold`: both may be too early.
        begin = max(after, self.starts - timedelta(seconds=1))
        for each in CronSim(self.cron, begin.astimezone(self.zone)):
            at = each.astimezone(UTC)
            if at > after and at >= self.starts:
                yield at

    def _last(self, after: datetime, now: datetime) -> datetime | None:
        """The latest ordinary tick in `(after, now]`, without walking through years of them."""
        latest = min(now, self.end - timedelta(microseconds=1))
        for back in (*_LOOK_BACK, None):
            begin = after if back is None else max(after, latest - back)
            found = None
            for at in self._ordinary(begin):
                if at > latest:
                    break
                found = at
            if found is not None or begin == after:
                return found
        return None


def check_cron(expression: str, zone: tzinfo) -> None:
    """Raises `ValueError` for what is no expression, or never comes."""
    if len(expression.split()) != _FIELDS:
        raise ValueError("An expression has five fields: minute, hour, day, month, day of week.")
    try:
        next(CronSim(expression, datetime.now(zone)))
    except CronSimError as error:
        raise ValueError(f"{error}.") from None
    except StopIteration:
        raise ValueError("This never comes.") from None


def waits_for_launch(schedule: Schedule, launch: datetime | None) -> bool:
    """Whether nothing can be said of the ticks before the migration has a launch time."""
    named = (schedule.starts_at, schedule.until, schedule.final_at)
    return launch is None and any(needs_launch(each) for each in named)


def rhythm_of(schedule: Schedule, launch: datetime | None) -> Rhythm | None:
    """When a schedule ticks; None while it waits for a launch time. Raises `ValueError`."""
    if waits_for_launch(schedule, launch):
        return None

    def moment(text: str | None) -> datetime | None:
        return None if text is None else resolve(text, launch)

    return Rhythm(
        starts=moment(schedule.starts_at) or schedule.created_at,
        cron=schedule.cron,
        zone=ZoneInfo(schedule.timezone),
        every=None if schedule.every is None else duration(schedule.every),
        until=moment(schedule.until),
        final=moment(schedule.final_at),
    )
