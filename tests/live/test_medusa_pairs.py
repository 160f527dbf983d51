"""Shops move to Medusa while they sell: full, changes, recent, changes, cutover, comparison."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from msgspec.structs import replace

from connectors.medusa import CONNECTOR as MEDUSA
from connectors.medusa.source import MedusaSource
from connectors.woocommerce import CONNECTOR as WOOCOMMERCE
from tests.connectors.practice import practice
from tests.engine.conftest import Bench
from tests.engine.selling import sell as sell_woocommerce
from tests.engine.selling import sell_again as sell_woocommerce_again
from tests.live.medusa.bench import told_aloud
from tests.live.medusa.selling import seed, sell, sell_again
from tests.live.medusa.store import MedusaStore
from tests.live.pairs import Side, pair

pytestmark = pytest.mark.slow

Note = Callable[[str, object], None]


def side(store: MedusaStore) -> Side:
    """A running Medusa store as one side of a migration."""
    access = store.access()
    return Side(MEDUSA, store.url, {"api_key": store.key}, lambda: MedusaSource(access))


async def test_a_selling_medusa_arrives_whole_in_another(
    medusa: MedusaStore,
    other_medusa: MedusaStore,
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Note,
) -> None:
    move = await pair(bench, monkeypatch, record_property, side(medusa), side(other_medusa))
    await seed(medusa)
    await move.run("full")
    found = await move.agrees()
    assert min(each.equal for each in found.streams.values()) >= 2
    await sell(medusa)
    await move.run("recent")
    await move.agrees()
    await sell_again(medusa)
    await move.run("recent", cutover=True)
    await move.agrees()
    last = await move.run("recent", cutover=True)
    assert await move.writes(last["id"]) == {"created": 0, "updated": 0}
    assert told_aloud(other_medusa) == {}
    assert await other_medusa.database.fetchval("SELECT count(*) FROM reservation_item") == 0


@pytest.fixture
async def shop() -> AsyncIterator[tuple[object, Side]]:
    """A WooCommerce practice store, and what a migration has to know of it."""
    async with practice(tax_rate="20") as opened:
        keys = {"consumer_key": "ck_practice", "consumer_secret": "cs_practice"}
        connector = replace(WOOCOMMERCE, source=lambda _: opened.source())
        yield opened, Side(connector, opened.url, keys, opened.source)


async def test_a_selling_woocommerce_shop_arrives_whole_in_medusa(
    other_medusa: MedusaStore,
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Note,
    shop: tuple[object, Side],
) -> None:
    old, source = shop
    move = await pair(bench, monkeypatch, record_property, source, side(other_medusa))
    await old.control("POST", "seed", {"scale": 0.0004, "seed": 5})
    await move.run("full")
    found = await move.agrees()
    assert min(each.equal for each in found.streams.values()) >= 5
    await sell_woocommerce(old)
    old.now[0] += 60
    await move.run("recent")
    await move.agrees()
    await sell_woocommerce_again(old)
    old.now[0] += 60
    await move.run("recent", cutover=True)
    await move.agrees()
    old.now[0] += 60
    last = await move.run("recent", cutover=True)
    assert await move.writes(last["id"]) == {"created": 0, "updated": 0}
    assert told_aloud(other_medusa) == {}
    assert await other_medusa.database.fetchval("SELECT count(*) FROM reservation_item") == 0
