"""Reading both stores for an adoption: each record becomes a row of evidence, its content is left.

Nothing is written to a store. The target is read by its own connector's source. What a record
names is kept by the source's ids, which is why streams are gathered in order, each after the ones
that it refers to are paired.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import autocommit
from app.models import Side, SliceKind
from app.queue import Wake
from app.services.lifecycle import add_slice, record_event
from connectors import counterparts
from connectors.abilities import ReadsWhole, ShowsMetadata
from connectors.base import Page, Sweep
from connectors.comparable import Names, comparable
from connectors.counterparts import Part
from connectors.digest import value_digest
from connectors.records import Category, InventoryLevel, Order, Product, Record, Stream
from connectors.references import Reference, references, with_target_ids
from workers.engine import evidence, ledger, progress
from workers.engine.errors import Ending
from workers.engine.evidence import ID_FIELDS, Place
from workers.engine.failpoints import Place as Failpoint
from workers.engine.failpoints import reach
from workers.engine.merge import as_found
from workers.engine.run import Run
from workers.engine.sides import Rules

_ROWS = 500
_KEY_FIELDS = ("_recent_sync_key", "recent_sync_key")
_encode = msgspec.msgpack.Encoder().encode


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
        return await _gather(run, stream, side, run.source, out_of_time)
    async with run.read_target() as target:
        before = target.traffic()
        try:
            return await _gather(run, stream, side, target, out_of_time)
        finally:
            # The run's own target was not asked, so that its traffic is none of these requests.
            run.counters["requests"] += target.traffic().requests - before.requests


@dataclass(frozen=True, slots=True)
class _Reading:
    """One side of a stream being read; `fields` are the metadata that may hold the source's ids."""

    run: Run
    stream: Stream
    side: Side
    store: ReadsWhole
    fields: tuple[str, ...] = ()


async def _gather(
    run: Run, stream: Stream, side: Side, store: ReadsWhole, out_of_time: Callable[[], bool]
) -> bool:
    held = run.lease.held
    resume = None if stream is Stream.CATEGORIES else held.resume
    pages = store.read(stream, Sweep(), held.part.get("part") or {}, resume)
    fields = await _id_fields(run) if side is Side.TARGET else ()
    reading = _Reading(run, stream, side, store, fields)
    async with aclosing(pages):
        async for page in _whole(pages) if stream is Stream.CATEGORIES else pages:
            reach(Failpoint.AFTER_FETCH)
            run.lease.check()
            await _commit(reading, page, await _rows(reading, page.records))
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


# --- from records to rows ------------------------------------------------------------------------


async def _rows(reading: _Reading, records: Sequence[Record]) -> list[dict[str, Any]]:
    if reading.side is Side.SOURCE:
        places = {each.id: Place(names=evidence.own_names(each.id)) for each in records}
        known = {each: each.id for record in records for each in references(record.content)}
        variants = {each: each.child for each in known if each.child is not None}
    else:
        places = await _places_on_target(reading, records)
        known, variants = await _source_ids(reading.run, records)
    paths, name_paths = Names(), Names()
    paths.add_categories(records)
    name_paths.add_categories(_by_name(records))
    rows = {}
    for record in records:
        place = places[record.id]._replace(
            level=_level(record, known, variants),
            path=paths.categories.get(record.id, ""),
            name_path=name_paths.categories.get(record.id, ""),
            customer=_customer(record, known),
        )
        rows[record.id] = _row(reading, record, place) | {
            "form": _encode(_form(record, paths, known))
        }
    return list(rows.values())


def _by_name(records: Iterable[Record]) -> list[Record]:
    """Categories without their slugs, so that their paths are made of names."""
    found = [each for each in records if isinstance(each.content, Category)]
    return [Record(each.id, None, msgspec.structs.replace(each.content, slug="")) for each in found]


async def _places_on_target(reading: _Reading, records: Sequence[Record]) -> dict[str, Place]:
    hidden: Mapping[str, Mapping[str, str]] = {}
    if isinstance(reading.store, ShowsMetadata) and records:
        ids, names = [each.id for each in records], [*reading.fields, *_KEY_FIELDS]
        hidden = await reading.store.metadata(reading.stream, ids, names)
    return {each.id: _place_on_target(reading, each, hidden.get(each.id, {})) for each in records}


def _place_on_target(reading: _Reading, record: Record, hidden: Mapping[str, str]) -> Place:
    names = [*evidence.kept_names(record.content, reading.fields)]
    told = (hidden[each] for each in reading.fields if each in hidden)
    names += [name for each in told for name in evidence.own_names(each)]
    begin = f"{reading.run.scope.key_prefix}:{reading.stream}:"
    # Some platforms have our key for an id.
    carried = (record.id, *(hidden.get(each, "") for each in _KEY_FIELDS))
    key = next((each.removeprefix(begin) for each in carried if each.startswith(begin)), "")
    return Place(names=tuple(dict.fromkeys(names)), own_key=key)


def _level(
    record: Record, known: Mapping[Reference, str], variants: Mapping[Reference, str]
) -> str:
    content = record.content
    if not isinstance(content, InventoryLevel):
        return ""
    reference = Reference(Stream.PRODUCTS, content.product, content.variant)
    product = known.get(reference, "")
    if content.variant is None or not product:
        return product
    variant = variants.get(reference)
    return f"{product}:{variant}" if variant else ""


def _customer(record: Record, known: Mapping[Reference, str]) -> str:
    customer = getattr(record.content, "customer", None)
    return known.get(Reference(Stream.CUSTOMERS, customer), "") if customer else ""


def _row(reading: _Reading, record: Record, place: Place) -> dict[str, Any]:
    stream, is_source = reading.stream, reading.side is Side.SOURCE
    # Our own key on the target names the source's id.
    own = place._replace(own_key=record.id) if is_source else place
    found = evidence.keys(record, own, reading.run.scope.key_prefix)
    capability = reading.run.writes[stream]
    parts, fields = counterparts.parts_of(record.content), None
    if capability.merges and not is_source:
        base = as_found(record.content, Rules(stream=stream, derived=capability.derived))
        fields = base.target
        parts = [_with_base(each, base.parts) for each in parts]
    return {
        "id": record.id,
        "label": evidence.label(record, place)[:200].replace("\0", ""),
        "kinds": [each.kind for each in found],
        "values": [each.value for each in found],
        "live": evidence.is_live(record.content),
        "fields": fields,
        "parts": counterparts.encode(parts) if parts else None,
    }


def _with_base(part: Part, bases: Mapping[str, tuple[bytes, bytes]]) -> Part:
    if part.kind != "variant":
        return part
    return Part(part.kind, part.id, part.keys, bases[part.id][1])


def _form(record: Record, paths: Names, known: Mapping[Reference, str]) -> dict[str, bytes]:
    """A digest of each field as both stores should show it. Records are named by the source's ids,
    categories among themselves by their paths.
    """
    content, names = record.content, paths
    if not isinstance(content, Category):
        content = with_target_ids(content, known.get)
        names = Names()
        match content:
            case Product():
                names.categories = {each: each for each in content.categories}
            case Order(customer=str(customer)):
                names.customers = {customer: customer}
    return {name: value_digest(each) for name, each in comparable(content, names).items()}


# --- what the target names, by the source's ids --------------------------------------------------

_SOURCE_IDS = text(
    "SELECT source_id, target_id, children FROM links"
    " WHERE migration_id = :migration AND stream = :stream AND state <> 'intent'"
    " AND target_id = ANY(CAST(:ids AS text[]))"
)


async def _source_ids(
    run: Run, records: Iterable[Record]
) -> tuple[dict[Reference, str], dict[Reference, str]]:
    """The source's ids of the records that these ones of the target name, and of the variants."""
    wanted = {each for record in records for each in references(record.content)}
    products: dict[Reference, str] = {}
    variants: dict[Reference, str] = {}
    async with autocommit(run.engine) as connection:
        for stream in {each.stream for each in wanted}:
            ids = sorted({each.id for each in wanted if each.stream is stream})
            values = {"migration": run.scope.migration, "stream": str(stream), "ids": ids}
            links = {row.target_id: row for row in await connection.execute(_SOURCE_IDS, values)}
            for each in wanted:
                link = links.get(each.id) if each.stream is stream else None
                if link is not None:
                    products[each] = link.source_id
                    there = {target: ours for ours, target in (link.children or {}).items()}
                    if each.child in there:
                        variants[each] = there[each.child]
    return products, variants


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


async def _commit(reading: _Reading, page: Page, rows: Sequence[dict[str, Any]]) -> None:
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
    connection: AsyncConnection, reading: _Reading, rows: Sequence[dict[str, Any]]
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
