"""When what a sweep did not see may be taken for gone, and when it is too much. Pure."""

from __future__ import annotations

import math

from msgspec import Struct

FLOOR = 5
"""So many records may always go: a share of a small stream says nothing."""

BRAKE = 0.05
"""The share of a stream's records above which nothing is removed, unless the policy differs."""

_SHARE_MADE_MEANWHILE = 0.01
_MADE_MEANWHILE = 2


class Swept(Struct, frozen=True, kw_only=True):
    """What a sweep left behind: records seen, and how many the store counts now, None where it
    cannot say. `resumed`: a part of it was taken over from a worker that had died.
    """

    sighted: int
    counted: int | None = None
    resumed: bool = False


def unclean(swept: Swept) -> str | None:
    """Why a sweep is no evidence, as a stable word; None where it is.

    The store may count a little more than was seen: records that were made while the last page
    was applied. One in a hundred is more than a shop makes in that time, and two in a small one.
    """
    if swept.resumed:
        return "resumed"
    if swept.sighted == 0 or swept.counted == 0:
        # A shop without a record is more likely one that does not show them.
        return "empty"
    if swept.counted is None:
        return None
    made = max(_MADE_MEANWHILE, math.ceil(swept.counted * _SHARE_MADE_MEANWHILE))
    return "incomplete" if swept.sighted < swept.counted - made else None


def brakes(gone: int, of: int, share: float) -> bool:
    """Whether so many of a stream's records are more than may go without being asked."""
    return gone > FLOOR and gone > of * share
