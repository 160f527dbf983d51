"""A large migration costs little to keep up, and keeps its promise about what nobody announced."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from app.services.lifecycle import to_json
from connectors import registry
from connectors.base import Extent, Json, Page, ReadCapability, Trust
from connectors.concurrency import read_ahead
from connectors.digest import digest
from connectors.records import Content, Stream
from tests.engine.conftest import Bench
from tests.engine.shop import START, FakeStore, Row, fake_connector
from tests.engine.test_runs import customer, order, product

SIZES = {Stream.PRODUCTS: 20_000, Stream.CUSTOMERS: 30_000, Stream.ORDERS: 50_000}
CHANGED = {Stream.PRODUCTS: 200, Stream.CUSTOMERS: 300, Stream.ORDERS: 500}
CONTENTS: dict[Stream, Content] = {
    Stream.PRODUCTS: product(1),
    Stream.CUSTOMERS: customer(1),
    Stream.ORDERS: order(1),
}
MANY = 40


class VastStore(FakeStore):
    """Fetches a page ahead, as connectors do."""

    async def read(
        self, stream: Stream, extent: Extent, part: Json, resume: Json | None
    ) -> AsyncIterator[Page]:
        pages = read_ahead(super().read(stream, extent, part, resume))
        try:
            async for page in pages:
                yield page
        finally:
            await pages.aclose()


def name(number: int) -> str:
    return f"r{number:06}"


@pytest.fixture
def trusted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Shops whose stamps can be trusted, with pages of a hundred."""
    capability = ReadCapability(trust=Trust.OVERLAP, overlap=60, settle=0)
    plain = fake_connector(idempotent=True)
    writes = {each: replace(plain.writes[each], batch=100) for each in SIZES}
    connector = replace(
        plain, reads=dict.fromkeys(SIZES, capability), writes=writes, source=VastStore
    )
    monkeypatch.setattr(registry, "connectors", lambda: {"fake": connector})
    bench.source.page_size = 100
    return bench


async def migrated(bench: Bench, *streams: Stream) -> None:
    """Records as a full run of long ago left them."""
    for stream in streams:
        rows, size = bench.source.rows[stream], SIZES[stream]
        rows.update({name(n): Row(name(n), START, CONTENTS[stream]) for n in range(size)})
        await _link(bench, stream, size)
    await _swept(bench)
    bench.source.tick(days=1)


async def _link(bench: Bench, stream: Stream, size: int) -> None:
    made = digest(CONTENTS[stream])
    async with bench.resources.engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO links (migration_id, stream, source_id, target_id, state, digest,"
                " fields, stamp) SELECT :migration, :stream, 'r' || lpad(n::text, 6, '0'),"
                " 't' || n, 'applied', :digest, :fields, :stamp"
                " FROM generate_series(0, :size - 1) AS n"
            ),
            {
                "migration": bench.migration,
                "stream": str(stream),
                "digest": made.whole,
                "fields": made.fields,
                "stamp": START,
                "size": size,
            },
        )
        await connection.execute(
            text("INSERT INTO cursors (migration_id, stream, watermark) VALUES (:m, :s, :at)"),
            {"m": bench.migration, "s": str(stream), "at": START + timedelta(hours=1)},
        )


async def _swept(bench: Bench) -> None:
    """The full run that brought everything over."""
    passes = {each: {"mode": "sweep", "cursor_after": START.isoformat()} for each in SIZES}
    async with bench.resources.engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO jobs (id, migration_id, kind, status, params, plan, stage, passes)"
                " VALUES (gen_random_uuid(), :migration, 'full', 'succeeded', '{}', '[]', 0,"
                " CAST(:passes AS jsonb))"
            ),
            {"migration": bench.migration, "passes": to_json(passes)},
        )


def change(bench: Bench, stream: Stream, number: int, *, silently: bool = False) -> None:
    fields: dict[Stream, dict[str, Any]] = {
        Stream.PRODUCTS: {"featured": True},
        Stream.CUSTOMERS: {"first_name": "B"},
        Stream.ORDERS: {"note": "changed"},
    }
    bench.target.rows[stream][f"t{number}"] = Row(f"t{number}", START, CONTENTS[stream])
    bench.source.change_silently(stream, name(number), **fields[stream])
    if not silently:
        bench.source.rows[stream][name(number)].stamp = bench.source.now - timedelta(hours=1)


async def test_thousand_changes_of_a_hundred_thousand_records_cost_forty_requests(
    trusted: Bench,
) -> None:
    # A lease that lapses on a busy machine has pages read twice.
    trusted.resources.settings.lease_seconds = 60
    await migrated(trusted, *SIZES)
    for stream, count in CHANGED.items():
        for number in range(0, SIZES[stream], SIZES[stream] // count):
            change(trusted, stream, number)
    row = await trusted.run("recent", streams=list(SIZES))
    assert row["status"] == "succeeded"
    counters = await trusted.counters(row["id"])
    assert (counters["updated"], counters["audited"]) == (1000, 1000)
    assert sum(trusted.source.asked.values()) <= MANY, trusted.source.asked


async def test_silent_change_among_a_hundred_thousand_is_found_in_its_run(trusted: Bench) -> None:
    """A hundredth of the orders is verified at each run: number 1,250 belongs to the third."""
    await migrated(trusted, Stream.ORDERS)
    change(trusted, Stream.ORDERS, 1250, silently=True)
    for run in (1, 2, 3):
        trusted.source.asked.clear()
        row = await trusted.run("recent", streams=["orders"])
        missed = (await trusted.counters(row["id"])).get("missed", 0)
        assert missed == (1 if run == 3 else 0)
        assert sum(trusted.source.asked.values()) <= 20, trusted.source.asked
        trusted.source.tick(hours=1)
    assert trusted.target.writes == [("update", Stream.ORDERS, name(1250))]
    [found] = await trusted.rows("SELECT reason FROM stream_states WHERE demoted_at IS NOT NULL")
    assert found["reason"] == "silent_change"
