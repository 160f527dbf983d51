"""What of a record the target does not keep: what its platform declares, held against the fact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text

from app.database import autocommit
from app.mapping.values import plain as as_plain
from connectors.base import Loss
from connectors.comparable import Names, comparable, variant_form
from connectors.losses import VARIANTS, strikes
from connectors.records import Content, Product, Stream
from workers.engine.demo.findings import is_empty
from workers.engine.run import Run
from workers.engine.sides import plain
from workers.engine.singles import readable

_REFERENCES = frozenset({"parent", "customer"})
_EXTRA = "extra"


def at_stake(content: Content, losses: Sequence[Loss]) -> list[str]:
    """The declared fields in which a record holds something that the target does not keep."""
    held = as_plain(content)
    fields = [each.field for each in losses if strikes(each, content)]
    return [name for name in dict.fromkeys(fields) if not _is_nothing(held.get(_top(name)))]


def lost(
    ours: Content, theirs: Content, losses: Sequence[Loss], derived: frozenset[str] = frozenset()
) -> list[str]:
    """Those of them that the target does not show as they were sent. Ids that name other records
    are each store's own: of these it counts whether there are any.
    """
    here, there = comparable(ours, Names()), comparable(theirs, Names())
    found = []
    for path in at_stake(ours, losses):
        name = _top(path)
        if path != name and name == VARIANTS:
            is_kept = _is_kept_by_variants(ours, theirs, path)
        elif name in _REFERENCES:
            is_kept = bool(getattr(theirs, name))
        elif name == _EXTRA:
            is_kept = _holds(getattr(theirs, name), getattr(ours, name))
        elif name in here:
            is_kept = here[name] == there[name]
        else:
            values = (getattr(each, name) for each in (ours, theirs))
            one, other = (plain(name, each, derived) for each in values)
            is_kept = one == other
        if not is_kept:
            found.append(path)
    return found


def _is_kept_by_variants(ours: Content, theirs: Content, path: str) -> bool:
    """Whether as many variants show each value of a field."""
    name = path.removeprefix(f"{VARIANTS}.")
    here, there = (
        Counter(variant_form(variant).get(name) for variant in each.variants)
        for each in (ours, theirs)
        if isinstance(each, Product)
    )
    return here == there


_PLACES = text(
    "SELECT source_id, target_id FROM links WHERE migration_id = :migration AND stream = :stream"
    " AND state = 'applied' AND target_id IS NOT NULL AND source_id = ANY(CAST(:ids AS text[]))"
)
_CONFLICTS = text(
    "SELECT source_id, split_part(field, '.', 1) AS field FROM conflicts"
    " WHERE migration_id = :migration AND stream = :stream"
    " AND source_id = ANY(CAST(:ids AS text[]))"
)


async def lost_on_target(
    run: Run, stream: Stream, contents: Mapping[str, Content]
) -> dict[str, list[str]]:
    """By source id, what the target shows to be lost of these records as they were mapped. What
    the team has changed there is no loss. Raises `StoreError`.
    """
    capability = run.writes[stream]
    if not capability.losses or not contents:
        return {}
    values = {"migration": run.scope.migration, "stream": str(stream), "ids": list(contents)}
    async with autocommit(run.engine) as connection:
        places = {row.source_id: row.target_id for row in await connection.execute(_PLACES, values)}
        edited = {
            (row.source_id, row.field) for row in await connection.execute(_CONFLICTS, values)
        }
    shown, _ = await readable(run.target, stream, list(places.values()))
    return {
        source_id: [
            name
            for name in lost(
                contents[source_id],
                shown[target_id].content,
                capability.losses,
                capability.derived,
            )
            if (source_id, name) not in edited
        ]
        for source_id, target_id in places.items()
        if target_id in shown
    }


def _top(path: str) -> str:
    """The record's own field that a path begins with."""
    return path.partition(".")[0]


def _is_nothing(value: Any) -> bool:
    """Nothing, or an amount of nothing."""
    if isinstance(value, dict) and value.keys() == {"amount", "currency"}:
        return bool(value["amount"] in ("0", "-0"))
    return is_empty(value)


def _holds(theirs: Any, ours: Any) -> bool:
    """Whether everything that one has the other has as well, whatever else it has."""
    if not isinstance(ours, dict):
        return bool(theirs == ours)
    return isinstance(theirs, dict) and all(
        name in theirs and _holds(theirs[name], value) for name, value in ours.items()
    )
