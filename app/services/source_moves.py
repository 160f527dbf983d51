"""Whether the source has moved since a verification: asked of the store, within seconds.

Of a stream whose timestamps are believed, a window from an overlap before the watermark on is
compared with the ledger. Other streams are not read, which takes a job; but where the store counts
records, another number than at the verification tells that some came or went. Of believed streams a
lower number tells of deletions, which no window shows. What a store has answered counts for a few
seconds, however often a verdict is asked for.
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
from app.services.counting import steady_count
from app.services.opening import open_source, platform_of
from app.services.unapplied import unapplied
from app.verdict import Reason
from connectors.base import ReadCapability, Source, Sweep, Trust, Window
from connectors.records import Stream

SECONDS = 20.0
"""How long the source may take to answer."""

FRESH_SECONDS = 5.0
"""How long an answer counts."""

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: about a verification (`job`) of a migration, from these watermarks on.
    `swept` are streams whose timestamps were caught lying, `counts` how many records the source
    held; `mapping` are the version and the JSON of the mapping rules.
    """

    job: UUID
    migration: Migration
    source: Store
    watermarks: Mapping[str, datetime]
    swept: frozenset[str]
    counts: Mapping[str, int]
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
    until, most = await source.server_time(), asked.max_new
    total, told = 0, list[str]()
    for name in asked.migration.streams:
        stream = Stream(name)
        window = _window(asked, reads, stream, until)
        if window is not None:
            enough = most + 1 - total
            of = (resources.engine, source, asked.migration.id, stream, window)
            ids = await unapplied(*of, enough=enough)
            total += len(ids)
            told += [f"{stream} {each}" for each in ids]
        if total <= most and (before := asked.counts.get(name)) is not None:
            now = await _count(source, stream, before)
            # More than before are in the window.
            if now is None or now < before or (window is None and now > before):
                total += 1 if now is None else abs(now - before)
                told.append(_difference(stream, before, now))
        if total > most:
            return Reason("source_moved", f"At the source has changed: {_listed(told)}.")
    return None


def _window(
    asked: Question, reads: Mapping[Stream, ReadCapability], stream: Stream, until: datetime
) -> Window | None:
    """What to read of a stream; None where its timestamps tell nothing. So it is where the source's
    clock was set back behind the watermark.
    """
    capability, watermark = reads.get(stream), asked.watermarks.get(stream)
    if capability is None or watermark is None or stream in asked.swept:
        return None
    given = asked.migration.policies.get("overlap")
    overlap = timedelta(seconds=capability.overlap if given is None else given)
    if capability.trust is Trust.SWEEP or watermark - until > overlap:
        return None
    return Window(since=min(watermark, until) - overlap, until=until)


async def _count(source: Source, stream: Stream, before: int) -> int | None:
    """The store's count; another one than before has to be steady."""
    now = await source.count(stream, Sweep())
    return now if now == before else await steady_count(source, stream)


def _difference(stream: Stream, before: int, now: int | None) -> str:
    if now is None:
        return f"{stream}, whose number cannot be told now"
    way = "more" if now > before else "fewer"
    return f"{stream}, of which there are {abs(now - before):,} {way} than when it was verified"


def _listed(told: list[str]) -> str:
    more = f" and at least {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    return ", ".join(told[:_NAMED]) + more
