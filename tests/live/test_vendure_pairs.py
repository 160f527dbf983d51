"""Shops move to Vendure, and from it, while they sell: full, changes, recent, changes, cutover,
comparison.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from connectors.medusa import CONNECTOR as MEDUSA
from connectors.medusa.source import MedusaSource
from connectors.vendure import CONNECTOR as VENDURE
from connectors.vendure.source import VendureSource
from connectors.woocommerce import CONNECTOR as WOOCOMMERCE
from tests.connectors.practice import practice
from tests.engine.conftest import Bench
from tests.engine.selling import sell as sell_woocommerce
from tests.engine.selling import sell_again as sell_woocommerce_again
from tests.live.medusa.bench import told_aloud
from tests.live.medusa.store import MedusaStore
from tests.live.pairs import Side, pair
from tests.live.vendure.selling import seed, sell, sell_again
from tests.live.vendure.store import VendureStore

Note = Callable[[str, object], None]


def vendure_side(store: VendureStore) -> Side:
    """A running Vendure store as one side of a migration."""
    url = store.access().settings.url  # type: ignore[attr-defined]
    return Side(VENDURE, url, store.credentials, lambda: VendureSource(store.access()))


async def test_a_selling_woocommerce_shop_arrives_whole_in_vendure(
    vendure: VendureStore,
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Note,
) -> None:
    async with practice(tax_rate="20") as old:
        keys = {"consumer_key": "ck_practice", "consumer_secret": "cs_practice"}
        connector = replace(WOOCOMMERCE, source=lambda _: old.source())
        source = Side(connector, old.url, keys, old.source)
        move = await pair(bench, monkeypatch, record_property, source, vendure_side(vendure))
        await old.control("POST", "seed", {"scale": 0.0004, "seed": 5})
        await move.run("full")
        found = await move.agrees()
        assert min(each.equal for each in found.streams.values()) > 5
        await sell_woocommerce(old)
        old.now[0] += 60
        await move.run("recent")
        await move.agrees()
        await sell_woocommerce_again(old)
        old.now[0] += 60
        await move.run("recent", cutover=True)
        await move.agrees()
        old.now[0] += 60
        before = await vendure.stamps()
        last = await move.run("recent", cutover=True)
    assert await move.writes(last["id"]) == {"created": 0, "updated": 0}
    assert await vendure.stamps() == before
    assert await vendure.control("effects") == {}


async def test_a_selling_vendure_shop_arrives_whole_in_medusa(
    vendure: VendureStore,
    medusa: MedusaStore,
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Note,
) -> None:
    access = medusa.access()
    target = Side(MEDUSA, medusa.url, {"api_key": medusa.key}, lambda: MedusaSource(access))
    move = await pair(bench, monkeypatch, record_property, vendure_side(vendure), target)
    made = await seed(vendure)
    await move.run("full")
    found = await move.agrees()
    assert min(each.equal for each in found.streams.values()) >= 3
    await sell(vendure, made)
    await move.run("recent")
    await move.agrees()
    await sell_again(vendure, made)
    await move.run("recent", cutover=True)
    await move.agrees()
    last = await move.run("recent", cutover=True)
    assert await move.writes(last["id"]) == {"created": 0, "updated": 0}
    assert told_aloud(medusa) == {}
