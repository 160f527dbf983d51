"""Mapping a demo's sample, and writing it unless the run is dry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import autocommit
from app.mapping.mapped import map_each, unmapped
from app.mapping.mapper import MappingFailed
from connectors.base import Page
from connectors.digest import digest
from connectors.records import Content, Product, Record, Stream
from connectors.references import Reference
from workers.engine import ledger, samples
from workers.engine.attempts import MAPPING_FAILED, NOT_UNDERSTOOD
from workers.engine.demo import findings
from workers.engine.demo.findings import Finding
from workers.engine.demo.kept import at_stake, lost_on_target
from workers.engine.errors import Ending
from workers.engine.ledger import LinkRow
from workers.engine.passes import apply_page
from workers.engine.run import Run
from workers.engine.singles import Failed, readable

_AT_ONCE = 25


async def demo_slice(run: Run, stream: Stream, *, out_of_time: Callable[[], bool]) -> bool:
    """Map and write what is left of a stream's sample. As `read_slice`."""
    job = run.lease.held.job_id
    while True:
        async with autocommit(run.engine) as connection:
            ids = await samples.not_mapped(connection, job, stream, _AT_ONCE)
        if not ids:
            return True
        await _show(run, stream, ids)
        if out_of_time():
            return False


async def _show(run: Run, stream: Stream, ids: Sequence[str]) -> None:
    run.lease.check()
    found, failed = await readable(unmapped(run.source), stream, ids)
    known = await _links(run, stream, ids)
    contents: dict[str, Content] = {}
    told = {
        each.id: _mapped(run, stream, each, known.get(each.id), contents) for each in found.values()
    }
    told |= {source_id: _unreadable(reason) for source_id, reason in failed}
    absent = [each for each in ids if each not in told]
    if stream is not Stream.INVENTORY:
        told |= {each: Finding(outcome="missing") for each in absent}
    if run.dry:
        run.counters["read"] += len(found) + len(failed)
    else:
        await apply_page(run, stream, _page(run, stream, found.values(), failed))
        await _note_outcomes(run, stream, told)
        for source_id, names in (await lost_on_target(run, stream, contents)).items():
            told[source_id].losses = sorted({*told[source_id].losses, *names})
    await _commit(run, stream, told, found.values())
    if stream is Stream.INVENTORY and absent:
        # Of a product with variants the store may count those alone.
        async with run.lease.fenced() as transaction:
            job = run.lease.held.job_id
            await samples.drop(transaction.connection, job, stream, absent)


async def _links(run: Run, stream: Stream, ids: Sequence[str]) -> dict[str, LinkRow]:
    async with autocommit(run.engine) as connection:
        return await ledger.load(
            connection, run.scope.migration, stream, ids, slice_id=run.lease.held.id
        )


def _mapped(
    run: Run, stream: Stream, record: Record, link: LinkRow | None, contents: dict[str, Content]
) -> Finding:
    """What mapping makes of a record; its content is put into `contents`."""
    try:
        made = run.scope.mapper.trace(record)
    except MappingFailed as error:
        return findings.of_unmapped(stream, record, MAPPING_FAILED, str(error))
    finding = findings.of_mapped(stream, record, made)
    contents[record.id] = made.record.content
    finding.outcome = _outcome(link, digest(made.record.content).whole)
    finding.at_stake = at_stake(made.record.content, run.writes[stream].losses)
    return finding


def _outcome(link: LinkRow | None, made: bytes) -> str:
    """What a run does with the record: by the ledger as it was before."""
    if link is None or not link.applied:
        return "created"
    return "unchanged" if link.digest == made else "updated"


def _unreadable(reason: str) -> Finding:
    return Finding(outcome="unreadable", code=NOT_UNDERSTOOD, message=reason)


def _page(run: Run, stream: Stream, records: Iterable[Record], failed: Sequence[Failed]) -> Page:
    made, refused = map_each(run.scope.mapper, stream, records)
    return Page(records=tuple(made), resume=None, failed=tuple(failed), unmapped=tuple(refused))


_CAME = text(
    """
    SELECT source_id, losses, lost_references FROM links
    WHERE migration_id = :migration AND stream = :stream
      AND source_id = ANY(CAST(:ids AS text[]))
    """
)
_REFUSED = text(
    "SELECT source_id, code, message FROM quarantine WHERE migration_id = :migration"
    " AND stream = :stream AND status <> 'resolved' AND source_id = ANY(CAST(:ids AS text[]))"
)


async def _note_outcomes(run: Run, stream: Stream, told: dict[str, Finding]) -> None:
    """What became of the records on the target, as the ledger and the quarantine have it now."""
    values: dict[str, Any] = {
        "migration": run.scope.migration,
        "stream": str(stream),
        "ids": list(told),
    }
    async with autocommit(run.engine) as connection:
        links = (await connection.execute(_CAME, values)).all()
        refused = (await connection.execute(_REFUSED, values)).all()
    for row in links:
        finding = told[row.source_id]
        finding.losses = list(row.losses or ())
        finding.lacks = [_words(each) for each in row.lost_references or ()]
    for row in refused:
        finding = told[row.source_id]
        finding.outcome, finding.code, finding.message = "refused", row.code, row.message


def _words(kept: str) -> str:
    reference = Reference.from_text(kept)
    return f"{reference.stream} {reference.id}"


async def _commit(
    run: Run, stream: Stream, told: dict[str, Finding], records: Iterable[Record]
) -> None:
    held = run.lease.held
    async with run.lease.fenced() as transaction:
        connection = transaction.connection
        plain = {source_id: msgspec.to_builtins(each) for source_id, each in told.items()}
        await samples.note(connection, held.job_id, stream, plain)
        await _add_stock(run, connection, records)
        await ledger.progress(connection, held.id, resume=None, counters=run.tally())
    if transaction.ending:
        raise Ending


async def _add_stock(run: Run, connection: AsyncConnection, records: Iterable[Record]) -> None:
    """The stock of products belongs to them."""
    if Stream.INVENTORY not in run.scope.streams:
        return
    levels = {
        source_id: list[str]()
        for each in records
        if isinstance(each.content, Product)
        for source_id in (each.id, *(f"{each.id}:{part.id}" for part in each.content.variants))
    }
    await samples.add(connection, run.lease.held.job_id, Stream.INVENTORY, levels)
