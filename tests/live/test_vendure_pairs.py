"""A shop moves to Vendure while it sells: full, changes, recent, changes, cutover, comparison."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from connectors.woocommerce import CONNECTOR as WOOCOMMERCE
from tests.connectors.practice import practice
from tests.engine.conftest import Bench
from tests.engine.selling import sell as sell_woocommerce
from tests.engine.selling import sell_again as sell_woocommerce_again
from tests.live.pairs import Side, pair
from tests.live.vendure.sides import side
from tests.live.vendure.store import VendureStore

pytestmark = pytest.mark.slow

Note = Callable[[str, object], None]


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
        move = await pair(bench, monkeypatch, record_property, source, side(vendure))
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
