"""The store's clock: what a test's time source says, and what the test added."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache

_FORM = "%Y-%m-%dT%H:%M:%SZ"


class Clock:
    """Tells the time in seconds since 1970 and in the API's form."""

    def __init__(self, source: Callable[[], float]) -> None:
        self._source = source
        self.offset = 0.0
        self.skew = 0.0

    def true_now(self) -> float:
        """What a correct clock would say; the bucket refills by it."""
        return self._source() + self.offset

    def now(self) -> float:
        """What the store believes."""
        return self.true_now() + self.skew

    def stamp(self, later: float = 0.0) -> str:
        """Now in the form of the API, cut to the second."""
        return stamp(self.now() + later)

    def date_header(self) -> str:
        """The `Date` header."""
        return formatdate(self.now(), usegmt=True)


def stamp(seconds: float) -> str:
    """A moment in the form of the API."""
    return _stamp(int(seconds))


@lru_cache(maxsize=256)
def _stamp(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime(_FORM)


def normal(text: str) -> str | None:
    """A moment that somebody wrote, in the form of the API; None where it is no moment.

    Without a zone it is taken as UTC, without a time as midnight.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).strftime(_FORM)
