"""What a probe of a stream's filter by date shows: the same judgement for every platform. Pure.

The store names the records that changed last, and is then asked for all that changed since the
oldest of these: they must all be there, in order of their ids, and nothing older.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import TypeVar

from connectors.base import Finding, Severity

Id = TypeVar("Id", int, str)

NOT_KEPT = Finding(
    "filter_not_kept",
    "Asked for what changed since a moment, the store shows what changed before it.",
)
LOSES = Finding(
    "filter_loses_records",
    "Asked for what changed since a moment, the store leaves out records that changed later.",
)
UNSORTED = Finding("order_not_kept", "Asked for an order by id, the store answers in another.")
FUTURE = Finding(
    "stamp_in_the_future", "A record says that it will change in the future.", Severity.WARNING
)


def judged(
    expected: set[Id],
    ids: Sequence[Id],
    stamps: Sequence[datetime],
    *,
    whole: set[Id] | None,
    since: datetime,
    now: datetime | None,
) -> tuple[Finding, ...]:
    """Judge: records `expected` all changed at or after `since`. The store shows `ids`, in this
    order, with `stamps`; `whole` are all ids of its list, None where it holds more than a page,
    which proves no loss. `now` is the store's clock.
    """
    seen = {
        NOT_KEPT: any(stamp < since for stamp in stamps),
        LOSES: whole is not None and not expected <= whole,
        UNSORTED: any(left >= right for left, right in pairwise(ids)),
        FUTURE: now is not None and any(stamp > now for stamp in stamps),
    }
    return tuple(finding for finding, found in seen.items() if found)
