"""Reading both stores for an adoption: each record becomes a row of evidence, its content is left.

Nothing is written to a store. The target is read by its own connector's source. What a record
names is kept by the source's ids, which is why streams are gathered in order, each after the ones
that it refers to are paired.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import autocommit
from app.mapping.mapped import unmapped
from app.models import Side, SliceKind
from app.queue import Wake
from app.services.lifecycle import add_slice, record_event
from connectors.abilities import ReadsWhole
from connectors.base import Page, Sweep
from connectors.records import Stream
from workers.engine import gathered, ledger, progress
from workers.engine.errors import Ending
from workers.engine.evidence import ID_FIELDS
from workers.engine.failpoints import Place as Failpoint
from workers.engine.failpoints import reach
from workers.engine.gathered import Reading
from workers.engine.run import Run

_ROWS = 500


async def cut_gathering(run: Run, parallel: int) -> list[Wake]:
    """Cut the reading of a stream on both sides into slices; this one is done then."""
    held = run.lease.held
    stream = Stream(str(held.stream))
    cut: list[tuple[Side, Any, int | None]] = []
    async with run.read_target() as target:
        for side, store in ((Side.SOURCE, run.source), (Side.TARGET, target)):
            # A category's path needs all of them at once.
            whole = stream is Stream.CATEGORIES
            parts = [{}] if whole else await store.split(stream, Sweep(), parallel)
            total = await store.count(stream, Sweep())
            cut += [(side, each, None if total is None else total // len(parts)) for each in parts]
    async with run.lease.fenced() as transaction:
        connection = transaction.connection
        await progress.lock_job(connection, held.job_id)
        wakes = [
            await add_slice(
                connection,
                held.job_id,
                stage=held.stage,
                kind=SliceKind.GATHER,
                stream=stream,
                part={"side": side, "part": part},
                total=total,
            )
            for side, part, total in cut
        ]
        told = {"stream": stream, "slices": len(cut)}
        await record_event(connection, held.job_id, "pass.started", told)
        wakes += await progress.finish_slice(connection, held.id, held.job_id, dict(run.reads))
        reach(Failpoint.SPLITTING)
    return wakes


async def gather_slice(run: Run, stream: Stream, *, out_of_time: Callable[[], bool]) -> bool:
    """Read a part of one side. As `read_slice`."""
    side = Side(run.lease.held.part["side"])
    if side is Side.SOURCE:
        return await _gather(run, stream, side, unmapped(run.source), out_of_time)
    async with run.read_target() as target:
        before = target.traffic()
        try:
            return await _gather(run, stream, side, target, out_of_time)
        finally:
            # The run's own target was not asked, so that its traffic is none of these requests.
            run.counters["requests"] += target.traffic().requests - before.requests


async def _gather(
    run: Run, stream: Stream, side: Side, store: ReadsWhole, out_of_time: Callable[[], bool]
) -> bool:
    held = run.lease.held
    resume = None if stream is Stream.CATEGORIES else held.resume
    pages = store.read(stream, Sweep(), held.part.get("part") or {}, resume)
    fields = await _id_fields(run) if side is Side.TARGET else ()
    reading = Reading(run, stream, side, store, fields)
    async with aclosing(pages):
        async for page in _whole(pages) if stream is Stream.CATEGORIES else pages:
            reach(Failpoint.AFTER_FETCH)
            run.lease.check()
            await _commit(reading, page, await gathered.rows(reading, page))
            if page.resume is None:
                return True
            if out_of_time():
                return False
    return True


async def _whole(pages: AsyncIterator[Page]) -> AsyncIterator[Page]:
    """All pages as one."""
    read = [page async for page in pages]
    records = {record.id: record for page in read for record in page.records}
    failed = tuple(each for page in read for each in page.failed)
    yield Page(records=tuple(records.values()), resume=None, failed=failed)


async def _id_fields(run: Run) -> tuple[str, ...]:
    """In which metadata to look for the source's ids."""
    async with autocommit(run.engine) as connection:
        job = await progress.read_job(connection, run.lease.held.job_id)
    options = job.params.get("options") or {}
    given = options.get("id_fields")
    return ID_FIELDS if given is None else tuple(given)


# --- committing ----------------------------------------------------------------------------------

_GATHER = text(
    """
    INSERT INTO adoption_records (migration_id, stream, side, record_id, id, job_id, label,
                                  key_kinds, key_values, live, form, fields, parts,
                                  state)
    SELECT :migration, :stream, :side, record_id, gen_random_uuid(), :job, label,
           ARRAY(SELECT jsonb_array_elements_text(CAST(kinds AS jsonb))),
           ARRAY(SELECT decode(each, 'hex')
                 FROM jsonb_array_elements_text(CAST(key_values AS jsonb)) AS each),
           live, form, fields, parts, :state
    FROM unnest(
        CAST(:ids AS text[]), CAST(:labels AS text[]), CAST(:kinds AS text[]),
        CAST(:values AS text[]), CAST(:lives AS boolean[]), CAST(:forms AS bytea[]),
        CAST(:fields AS bytea[]), CAST(:parts AS bytea[])
    ) AS new (record_id, label, kinds, key_values, live, form, fields, parts)
    ORDER BY record_id
    ON CONFLICT (migration_id, stream, side, record_id) DO UPDATE
    SET job_id = excluded.job_id, label = excluded.label, key_kinds = excluded.key_kinds,
        key_values = excluded.key_values, live = excluded.live, form = excluded.form,
        fields = excluded.fields, parts = excluded.parts
    """
)


async def _commit(reading: Reading, page: Page, rows: Sequence[dict[str, Any]]) -> None:
    run, held = reading.run, reading.run.lease.held
    run.counters["read"] += len(page.records) + len(page.failed)
    async with run.lease.fenced() as transaction:
        connection = transaction.connection
        for start in range(0, len(rows), _ROWS):
            await _insert(connection, reading, rows[start : start + _ROWS])
        resume = held.resume if page.resume is None else page.resume
        await ledger.progress(
            connection, held.id, resume=resume, counters=run.tally(), total=page.total
        )
    held.resume = resume
    reach(Failpoint.AFTER_COMMIT)
    if transaction.ending:
        raise Ending


async def _insert(
    connection: AsyncConnection, reading: Reading, rows: Sequence[dict[str, Any]]
) -> None:
    await connection.execute(
        _GATHER,
        {
            "migration": reading.run.scope.migration,
            "job": reading.run.lease.held.job_id,
            "stream": str(reading.stream),
            "side": str(reading.side),
            "state": f"{reading.side}_only",
            "ids": [each["id"] for each in rows],
            "labels": [each["label"] for each in rows],
            "kinds": [_json(each["kinds"]) for each in rows],
            "values": [_json([value.hex() for value in each["values"]]) for each in rows],
            "lives": [each["live"] for each in rows],
            "forms": [each["form"] for each in rows],
            "fields": [each["fields"] for each in rows],
            "parts": [each["parts"] for each in rows],
        },
    )


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
