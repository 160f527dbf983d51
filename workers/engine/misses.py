"""Which records of an audit's page no window showed although it should have. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from connectors.digest import digest
from connectors.records import Record
from workers.engine.ledger import LinkRow
from workers.engine.trust import Demotion

_NAMED = 10
"""Records that evidence names; the rest is counted."""


class Change(StrEnum):
    """How a record escaped: its content changed, or it came to be, and its stamp did not say so."""

    SILENT = "silent_change"
    UNSEEN = "never_shown"


_MESSAGES = {
    Change.SILENT: "Records changed although their stamps say that they did not.",
    Change.UNSEEN: "There are records that no window has shown.",
}


class Miss(NamedTuple):
    """A record as the source has it now, and how it escaped."""

    record: Record
    change: Change


def misses(
    records: Iterable[Record],
    links: Mapping[str, LinkRow],
    *,
    before: datetime,
    complete: bool,
    held_back: Collection[str] = (),
) -> list[Miss]:
    """Records that every window up to `before` has left out.

    A stamp at or behind `before` is left to the next window, which begins there; a record
    without a stamp is in no window. With `complete` the ledger ought to know every record.
    `held_back` are records whose content is known not to have reached the target.
    """
    found = []
    for record in records:
        is_later = record.stamp is not None and record.stamp >= before
        if is_later or record.id in held_back:
            continue
        change = _change(record, links.get(record.id), complete=complete)
        if change is not None:
            found.append(Miss(record, change))
    return found


def _change(record: Record, link: LinkRow | None, *, complete: bool) -> Change | None:
    if link is None:
        return Change.UNSEEN if complete else None
    if not link.applied or link.digest is None or link.fields is None:
        # Somebody is at work on it, or nobody knows what it was like when it was adopted.
        return None
    made = digest(record.content)
    # Another shape: this software looks at other fields than the release that wrote the ledger.
    same_shape = len(made.fields) == len(link.fields)
    return Change.SILENT if same_shape and made.whole != link.digest else None


def demotion(found: list[Miss], *, since: str, until: str) -> Demotion:
    """What misses say of a stream whose last window reached from `since` to `until`."""
    change = found[0].change
    records = [
        {
            "id": each.record.id,
            "change": each.change,
            "stamp": each.record.stamp.isoformat() if each.record.stamp else None,
        }
        for each in found[:_NAMED]
    ]
    window = {"since": since, "until": until}
    evidence = {"window": window, "missed": len(found), "records": records}
    return Demotion(change, _MESSAGES[change], evidence)
