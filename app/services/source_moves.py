"""Whether the source has moved since a verification: asked of the store, within seconds.

Of a stream whose timestamps are believed, a window from an overlap before the watermark on is
compared with the ledger. Other streams hold by time alone: to read them whole takes a job. What a
store has answered counts for a few seconds, however often a verdict is asked for.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from app.errors import StoreCannot, StoreFailed, StoreTooSlow
from app.models import Migration, Store
from app.resources import Resources
from app.services.opening import open_source, platform_of
from app.services.unapplied import unapplied
from app.verdict import Reason
from connectors.base import ReadCapability, Source, Trust, Window
from connectors.records import Stream

SECONDS = 20.0
"""How long the source may take to answer."""

FRESH_SECONDS = 5.0
"""How long an answer counts."""

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: about a verification (`job`) of a migration, from these watermarks on.
    `swept` are streams whose timestamps were caught lying; `mapping` are the version and the JSON
    of the mapping rules.
    """

    job: UUID
    migration: Migration
    source: Store
    watermarks: Mapping[str, datetime]
    swept: frozenset[str]
    max_new: int
    mapping: tuple[int | None, str | None] = (None, None)


class _Answered(NamedTuple):
    until: float
    reason: Reason | None


_answers: dict[UUID, _Answered] = {}


async def moved(resources: Resources, asked: Question) -> Reason | None:
    """Why the verdict does not hold, None where the source has not moved too far."""
    at = time.monotonic()
    for job in [job for job, kept in _answers.items() if kept.until <= at]:
        del _answers[job]
    if asked.job not in _answers:
        reason = await _ask(resources, asked)
        _answers[asked.job] = _Answered(time.monotonic() + FRESH_SECONDS, reason)
    return _answers[asked.job].reason


async def _ask(resources: Resources, asked: Question) -> Reason | None:
    # The ledger knows records as the rules made them.
    from app.mapping.mapped import MappingUnusable, mapper, mapping  # noqa: PLC0415  it is large

    try:
        rules = mapper(*asked.mapping)
        async with open_source(asked.source, resources, patience=SECONDS) as source:
            reads = platform_of(asked.source).reads
            return await _look(resources, asked, reads, mapping(source, rules))
    except MappingUnusable:
        return Reason("source_unreachable", "The mapping rules cannot be used here.")
    except (StoreCannot, StoreFailed, StoreTooSlow) as problem:
        return Reason("source_unreachable", problem.detail)


async def _look(
    resources: Resources, asked: Question, reads: Mapping[Stream, ReadCapability], source: Source
) -> Reason | None:
    until, left = await source.server_time(), asked.max_new + 1
    ids: list[str] = []
    for name in asked.migration.streams:
        stream = Stream(name)
        capability, watermark = reads.get(stream), asked.watermarks.get(name)
        if capability is None or watermark is None or name in asked.swept:
            continue
        if capability.trust is Trust.SWEEP:
            continue
        overlap = asked.migration.policies.get("overlap")
        since = watermark - timedelta(seconds=capability.overlap if overlap is None else overlap)
        found = await unapplied(
            resources.engine,
            source,
            asked.migration.id,
            stream,
            Window(since=since, until=max(until, since)),
            enough=left - len(ids),
        )
        ids += [f"{stream} {each}" for each in found]
        if len(ids) >= left:
            return Reason("source_moved", f"At the source has changed: {_listed(ids)}.")
    return None


def _listed(ids: list[str]) -> str:
    more = f" and at least {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return ", ".join(ids[:_NAMED]) + more
