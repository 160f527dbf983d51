"""Which records of a page differ from what was last applied. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from connectors.digest import Digest, changed_fields, digest
from connectors.prices import SALE_DATES, dates_to_come, is_on_sale, priced
from connectors.records import Content, Product, Record
from connectors.references import Reference
from workers.engine.ledger import LinkRow
from workers.engine.reuse import is_another
from workers.engine.sides import Base

_decode_parts = msgspec.msgpack.Decoder(dict[str, tuple[bytes, bytes]]).decode
_decode_sent = msgspec.msgpack.Decoder(dict[str, tuple[bytes, ...]]).decode


_CLOCKS = timedelta(seconds=30)
"""By how much the clocks of workers and of the database may differ."""


@dataclass(slots=True)
class Candidate:
    """A record to be written: created without a target id, else updated.

    `changed` are the fields to write, None for all. `suspect`: a create was sent before and
    nobody knows what came of it. `sent_age`: for how many seconds nothing more was sent of a write
    that nobody confirmed, None where there is none. `again`: the record is known to be gone from
    the target and is to be made anew. `generation` is its link's. `returns`: we took it off the
    target, and it is at the source again. `base` is what a merge needs to know of the last time.

    `applied_at` is when the target confirmed the last write, by the database's clock.

    `lost` are references that it was written without, as texts, and `missing` those that it lacks
    now. `known_losses` are the fields that the target could not keep when they were written last.
    `former` holds the fields that name a reference which has arrived, with their values as
    they were written without it. `restored` are the paths of fields that somebody changed on the
    target and that are to be put back.
    """

    record: Record
    digest: Digest
    target_id: str | None = None
    children: Mapping[str, str] = field(default_factory=dict)
    changed: frozenset[str] | None = None
    suspect: bool = False
    sent_age: float | None = None
    busy: bool = False
    again: bool = False
    generation: int = 0
    returns: bool = False
    losses: tuple[str, ...] = ()
    base: Base = field(default_factory=Base)
    lost: frozenset[str] = frozenset()
    missing: tuple[Reference, ...] = ()
    former: Mapping[str, Any] = field(default_factory=dict)
    restored: frozenset[str] = frozenset()
    known_losses: tuple[str, ...] = ()
    applied_at: datetime | None = None

    @property
    def is_new(self) -> bool:
        """Whether the target never had this record, as far as anybody has confirmed."""
        return self.target_id is None and not self.again and not self.returns


@dataclass(slots=True)
class Difference:
    """A page sorted: what to write, and the ids of what is right already, and of what is gone.

    `reused` are ids that belong to other records now: their links have to be given up first.
    `held_back` are in quarantine, and not to be tried now.
    """

    candidates: list[Candidate]
    unchanged: list[str]
    gone: list[str] = field(default_factory=list)
    reused: list[str] = field(default_factory=list)
    held_back: list[str] = field(default_factory=list)


def difference(
    records: Iterable[Record],
    links: Mapping[str, LinkRow],
    *,
    again: frozenset[str] = frozenset(),
    wanted: Collection[str] = (),
    now: datetime | None = None,
) -> Difference:
    """Sort records by their digests. Of a record that comes twice the last one counts.

    `wanted` are records to be looked at although they did not change, as are those whose lost
    references have arrived and those that were changed on the target (`drifted`). So are, at the
    time `now`, products whose sale has begun or ended since they were written, on a target whose
    sales have no dates.
    """
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
        elif (
            link.digest == made.whole
            and record.id not in wanted
            and not _is_to_be_mended(link)
            and not _turns(record.content, link, now)
        ):
            unchanged.append(record.id)
        elif link.fields and is_another(record.content, link.fields, made.fields):
            reused.append(record.id)
        else:
            candidates.append(_changed(record, made, link))
    return Difference(candidates, unchanged, reused=reused)


def _is_to_be_mended(link: LinkRow) -> bool:
    return link.mendable or bool(link.drifted)


def _turns(content: Content, link: LinkRow, now: datetime | None) -> bool:
    """Whether another price counts than when the target was given one, which has told that it
    keeps no dates. Clocks differ a little: what counted shortly before is looked at as well. And a
    write is noted some time after it asked what counts: what it saw to come and is past now turned.
    """
    if now is None or link.applied_at is None or not isinstance(content, Product):
        return False
    seen = SALE_DATES.intersection(link.losses or ())
    if not seen:
        return False
    begins, ends = dates_to_come(content, now)
    if ("sale_from" in seen and not begins) or ("sale_to" in seen and not ends):
        return True
    then = link.applied_at - _CLOCKS
    return any(
        each.sale_price is not None
        and is_on_sale(each, content, now) is not is_on_sale(each, content, then)
        for each in priced(content)
    )


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
        returns=True,
        applied_at=link.applied_at,
        sent_age=link.sent_age,
        base=_base(link),
        lost=frozenset(link.lost or ()),
        known_losses=tuple(link.losses or ()),
    )


def _suspect(record: Record, made: Digest, link: LinkRow) -> Candidate:
    return Candidate(
        record,
        made,
        suspect=True,
        sent_age=link.sent_age or 0.0,
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
        sent_age=link.sent_age,
        generation=link.generation,
        base=_base(link),
        lost=frozenset(link.lost or ()),
        restored=frozenset(link.drifted or ()),
        known_losses=tuple(link.losses or ()),
        applied_at=link.applied_at,
    )


def _base(link: LinkRow) -> Base:
    return Base(
        source=link.fields,
        target=link.target_fields,
        parts=_decode_parts(link.parts) if link.parts else {},
        sent=_decode_sent(link.sent) if link.sent else {},
        age=link.applied_age,
    )
