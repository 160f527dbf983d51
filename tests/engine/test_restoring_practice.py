"""The whole loop between two practice stores: the gate turns red, a run mends it, all is well."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from tests.engine.conftest import Bench
from tests.engine.launching import bad, checked
from tests.engine.practice_stores import Stores, between_practice_stores, put
from tests.engine.test_checks_workflows import ANNA, fill, there


async def look(stores: Stores) -> set[str]:
    """The checks that stand in the way."""
    stores.wait(60)
    _, results = await checked(stores.bench, checks=["data", "workflows", "effects"])
    return bad(results)


def sent(stores: Stores) -> list[Any]:
    """Batches with anything in them that were sent to the new shop."""
    found = [each for each in stores.new.requests("P", "batch") if any(each.body.values())]
    return [each for each in found if "settings" not in each.path]


@pytest.mark.parametrize("addon", [True, False], ids=["addon", "plain"])
async def test_what_was_changed_on_the_target_is_found_mended_and_green_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, addon: bool
) -> None:
    async with between_practice_stores(bench, monkeypatch, addon=addon) as stores:
        await fill(stores)
        [bought, *_] = await stores.all(stores.old, "orders")
        await stores.old.admin("POST", f"orders/{bought['id']}/refunds", {"amount": "1.00"})
        await stores.run("full")
        before = await look(stores)
        assert not {each for each in before if each.startswith(("data.", "workflows."))}

        mug, order = await there(stores, "products"), await there(stores, "orders", 1)
        [anna] = await stores.all(stores.new, "customers")
        await put(stores.new, "products", mug, regular_price="1.99", description="Polished")
        taken = {"kind": "product", "id": mug["id"], "quantity": mug["stock_quantity"] - 3}
        await stores.new.edit(edits=[{"op": "silent_stock", **taken}])
        await put(stores.new, "customers", anna, billing=ANNA | {"city": "York"})
        await put(stores.new, "orders", order, shipping=ANNA | {"city": "York"})
        refunds = f"orders/{(await there(stores, 'orders'))['id']}/refunds"
        [refund] = await stores.new.admin("GET", refunds)
        await stores.new.admin("DELETE", f"{refunds}/{refund['id']}?force=true")
        red = await look(stores) - before
        assert {"data.content", "data.money", "effects.stock", "workflows.fulfilment"} <= red

        effects = await stores.new.effects()
        row = await stores.run("recent", cutover=True)
        assert (await bench.counters(row["id"]))["restored"] == 5
        assert await look(stores) == before
        after = await stores.new.effects()
        for name in ("mails", "stock_movements"):
            assert after[name] == effects[name]
        mug = await there(stores, "products")
        assert (mug["regular_price"], mug["description"]) == ("2.55", "Polished")
        assert [each["amount"] for each in await stores.new.admin("GET", refunds)] == ["1.00"]

        stores.new.asked.clear()
        await stores.run("recent")
        await stores.run("recent", cutover=True)
        assert sent(stores) == []


async def test_what_a_check_finds_outside_the_sample_is_mended_too(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with between_practice_stores(bench, monkeypatch) as stores:
        await fill(stores)
        await stores.run("full")
        async with bench.resources.engine.begin() as connection:
            await connection.execute(
                text("UPDATE links SET applied_at = '2000-01-01' WHERE stream = 'inventory'")
            )
        for name, left in (("Mug", 3), ("Tea towel", 20)):
            [shown] = [
                each for each in await stores.all(stores.new, "products") if each["name"] == name
            ]
            quantity = shown["stock_quantity"] - left
            taken = {"kind": "product", "id": shown["id"], "quantity": quantity}
            await stores.new.edit(edits=[{"op": "silent_stock", **taken}])
        checks = ["data", "workflows", "effects"]
        _, results = await checked(bench, checks=checks, sample=0)
        assert bad(results) == {"data.content", "effects.stock", "workflows.shopper"}
        await stores.run("recent")
        _, results = await checked(bench, checks=checks)
        assert bad(results) == set()
