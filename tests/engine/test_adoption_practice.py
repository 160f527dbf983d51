"""Adoption of a naive script's work, between two practice stores over WooCommerce's own API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest

from connectors.records import Stream
from drills.naive_migration import Outcome, Shares, judge, migrate_naively
from tests.engine.conftest import Bench
from tests.engine.practice_stores import Stores, between_practice_stores

COPIED = (Stream.CATEGORIES, Stream.PRODUCTS, Stream.CUSTOMERS, Stream.ORDERS)
SCALE = 0.0015
SHARES = Shares(wrong=0.2, missing=0.04, doubled=0.04)
"""Of a small shop more goes wrong, so that every sort of mistake is made."""


@pytest.fixture
async def stores(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stores]:
    # A machine that is busy with something else must not cost a lease.
    bench.resources.settings.lease_seconds = 60
    async with between_practice_stores(bench, monkeypatch) as opened:
        yield opened


async def fill(stores: Stores, shares: Shares = SHARES) -> Outcome:
    await stores.old.control("POST", "seed", {"scale": SCALE})

    async def load(documents: dict[str, list[dict[str, Any]]]) -> dict[str, list[int]]:
        return await stores.new.load(**documents)

    async with stores.old.api() as old, stores.new.api() as new:
        return await migrate_naively(old, new, load, Random(7), shares)  # noqa: S311


async def counts(stores: Stores) -> dict[str, int]:
    found: dict[str, int] = (await stores.new.control("GET", ""))["records"]
    return found


async def rows(stores: Stores, sql: str) -> list[dict[str, Any]]:
    return await stores.bench.rows(sql)


def by_stream(found: list[dict[str, Any]]) -> dict[Stream, dict[str, str]]:
    return {
        stream: {each["old"]: each["new"] for each in found if each["stream"] == str(stream)}
        for stream in COPIED
    }


async def test_a_naive_script_is_adopted_and_mended_without_a_double(stores: Stores) -> None:
    planted = await fill(stores)
    before = await counts(stores)
    since = "2011-11-25T00:00:00Z"
    stores.new.asked.clear()
    row = await stores.bench.run("adopt", since=since)
    assert row["error"] is None
    assert [each for each in stores.new.asked if each.method != "GET"] == []

    links = await rows(stores, "SELECT stream, source_id AS old, target_id AS new FROM links")
    named = await rows(
        stores,
        "SELECT stream, record_id AS old, other_id AS new FROM adoption_records"
        " WHERE state = 'doubled'",
    )
    found = judge(planted, by_stream(links), by_stream(named))
    assert (found.wrong, found.missed, found.unnamed) == ([], [], [])
    assert len(named) == sum(map(len, planted.doubled.values()))

    await stores.run(cutover=True)
    assert await rows(stores, "SELECT * FROM conflicts") == []
    missing = {stream: len(planted.missing.get(stream, ())) for stream in COPIED}
    after = await counts(stores)
    assert after["order"] == before["order"] + missing[Stream.ORDERS]
    assert after["customer"] == before["customer"] + missing[Stream.CUSTOMERS]
    assert after["product"] == before["product"] + missing[Stream.PRODUCTS]
    assert after["category"] == before["category"]
    effects = await stores.new.effects()
    assert (effects["mails"], effects["stock_movements"].get("api", {})) == ({}, {})

    # Read anew on both sides, nothing differs but what the target cannot keep, and what stays.
    await stores.run("adopt", since=since)
    left = await rows(
        stores,
        "SELECT stream, record_id, differs FROM adoption_records"
        " WHERE side = 'source' AND differs <> '{}'",
    )
    assert left == []
