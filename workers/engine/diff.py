"""Which records of a page differ from what was last applied. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from connectors.digest import Digest, changed_fields, digest
from connectors.records import Record
from workers.engine.ledger import LinkRow
from workers.engine.reuse import is_another


@dataclass(slots=True)
class Candidate:
    """A record to be written: created without a target id, else updated.

    `changed` are the fields to write, None for all. `suspect`: a create was sent before and
    nobody knows what came of it. `again`: the record is known to be gone from the target and is
    to be made anew. `generation` is its link's.
    """

    record: Record
    digest: Digest
    target_id: str | None = None
    children: Mapping[str, str] = field(default_factory=dict)
    changed: frozenset[str] | None = None
    suspect: bool = False
    suspect_age: float = 0.0
    busy: bool = False
    again: bool = False
    generation: int = 0
    losses: tuple[str, ...] = ()


@dataclass(slots=True)
class Difference:
    """A page sorted: what to write, and the ids of what is right already, and of what is gone.

    `reused` are ids that belong to other records now: their links have to be given up first.
    """

    candidates: list[Candidate]
    unchanged: list[str]
    gone: list[str] = field(default_factory=list)
    reused: list[str] = field(default_factory=list)


def difference(
    records: Iterable[Record], links: Mapping[str, LinkRow], *, again: frozenset[str] = frozenset()
) -> Difference:
    """Sort records by their digests. Of a record that comes twice the last one counts."""
    candidates: list[Candidate] = []
    unchanged: list[str] = []
    reused: list[str] = []
    for record in {each.id: each for each in records}.values():
        made = digest(record.content)
        link = links.get(record.id)
        if link is None or record.id in again or (link.removed and link.target_id is None):
            candidates.append(_new(record, made, link))
        elif link.removed:
            candidates.append(_back(record, made, link))
        elif not link.applied:
            candidates.append(_suspect(record, made, link))
        elif link.digest == made.whole:
            unchanged.append(record.id)
        elif link.fields and is_another(record.content, link.fields, made.fields):
            reused.append(record.id)
        else:
            candidates.append(_changed(record, made, link))
    return Difference(candidates, unchanged, reused=reused)


def _new(record: Record, made: Digest, link: LinkRow | None) -> Candidate:
    generation = 0 if link is None else link.generation
    return Candidate(record, made, again=link is not None, generation=generation)


def _back(record: Record, made: Digest, link: LinkRow) -> Candidate:
    """It was archived because the source had lost it. Everything is written, its status too."""
    return Candidate(
        record,
        made,
        target_id=link.target_id,
        children=link.children or {},
        generation=link.generation,
    )


def _suspect(record: Record, made: Digest, link: LinkRow) -> Candidate:
    return Candidate(
        record,
        made,
        suspect=True,
        suspect_age=link.intent_age or 0.0,
        busy=link.intent_live,
        generation=link.generation,
    )


def _changed(record: Record, made: Digest, link: LinkRow) -> Candidate:
    # A record that was adopted without its source content has no digest: write everything.
    fields = changed_fields(record.content, link.fields, made.fields) if link.fields else None
    return Candidate(
        record,
        made,
        target_id=link.target_id,
        children=link.children or {},
        changed=fields,
        generation=link.generation,
    )
