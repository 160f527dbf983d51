"""What a pass reads, and where the cursor goes afterwards. Pure: no clock, no database.

A window begins an overlap behind the cursor, because records become visible later than their
timestamp says, and are seen half-written; the digest makes reading them again free. The
watermark goes to the source's own time less a settle lag, never further, never back.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from connectors.base import Extent, ReadCapability, Sweep, Trust, Window

_FUTURE = timedelta(days=1)


class Reading(NamedTuple):
    """What to read, and the watermark once all of it was applied."""

    extent: Extent
    until: datetime


class Lags(NamedTuple):
    """Overlap and settle lag of a migration, in seconds; None means the platform's own."""

    overlap: float | None = None
    settle: float | None = None

    def overlap_of(self, capability: ReadCapability) -> timedelta:
        """How far behind the cursor a window begins."""
        return timedelta(seconds=capability.overlap if self.overlap is None else self.overlap)

    def settle_of(self, capability: ReadCapability) -> timedelta:
        """How far behind the source's clock a window ends."""
        return timedelta(seconds=capability.settle if self.settle is None else self.settle)


def reading(
    capability: ReadCapability,
    *,
    source_now: datetime,
    cursor: datetime | None,
    lags: Lags,
    sweep: bool = False,
    horizon: timedelta | None = None,
) -> Reading:
    """Plan a pass. Without a cursor, or for a stream that cannot be trusted, it is a sweep.

    So it is where the cursor is ahead of the source's clock by more than the overlap: the clock
    was set back, and nobody knows which stamps were given since.

    A sweep leaves out closed records that are older than `horizon`, unless it is the first.
    """
    until = source_now - lags.settle_of(capability)
    overlap = lags.overlap_of(capability)
    set_back = cursor is not None and cursor - until > overlap
    if sweep or cursor is None or set_back or capability.trust is Trust.SWEEP:
        oldest = None if horizon is None or cursor is None else source_now - horizon
        return Reading(Sweep(since_created=oldest), until)
    # The clocks of one shop's servers differ a little: that must hide nothing, either.
    since = min(cursor, until) - overlap
    return Reading(Window(since=since, until=until), until)


def is_settling(stamp: datetime | None, extent: Extent) -> bool:
    """Whether a record of a window changed so lately that it may be seen half-written.

    It is left to the next window, which begins before it. A stamp far in the future says nothing
    about when a record was written: such a record is taken as it is.
    """
    if stamp is None or not isinstance(extent, Window):
        return False
    return extent.until < stamp <= extent.until + _FUTURE


def moved(cursor: datetime | None, until: datetime) -> datetime:
    """The cursor after a pass: it never moves back."""
    return until if cursor is None else max(cursor, until)


def baseline(cursor: datetime | None, since: datetime | None) -> datetime | None:
    """Where a window starts from: the cursor, or an earlier `since`.

    A `since` behind the cursor reads again what was read; one ahead of it would leave a gap and
    is ignored.
    """
    if cursor is None or since is None:
        return cursor or since
    return min(cursor, since)
