"""What somebody changed on the target is found wherever it is: its lists are read anyway."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from connectors import stock
from connectors.base import Operation
from connectors.records import Content, InventoryLevel, Stream
from tests.engine.conftest import Bench
from tests.engine.launching import bad, checked, euros, launch, twin
from tests.engine.practice_stores import between_practice_stores, put
from tests.engine.shop import FakeStore
from tests.engine.test_checks_workflows import fill, there
from workers.checks.edited import Edited

OLD = "UPDATE links SET applied_at = '2000-01-01'"


async def outside_the_sample(bench: Bench, **options: Any) -> dict[str, Any]:
    """A verification whose sample is empty: everything was brought over long ago."""
    await bench.execute(OLD)
    _, results = await checked(bench, sample=0, **options)
    return results


async def test_a_price_and_a_level_are_found_that_no_sample_holds(bench: Bench) -> None:
    await launch(bench)
    for stream, fields in (
        (Stream.PRODUCTS, {"regular_price": euros("4"), "description": "Polished"}),
        (Stream.INVENTORY, {"quantity": Decimal(1)}),
    ):
        bench.target.edit(stream, await twin(bench, stream, "p1"), **fields)
    results = await outside_the_sample(bench)
    assert {"data.money", "data.content"} <= bad(results)
    named = {
        (each["stream"], each["source_id"], each["field"])
        for check in ("data.money", "data.content")
        for each in results[check]["evidence"]
    }
    assert named == {("products", "p1", "regular_price"), ("inventory", "p1", "quantity")}
    assert "1 edited on the target" in results["data.money"]["sample"]
    await bench.run("recent")
    assert bad((await checked(bench, checks=["data"]))[1]) == set()


async def test_what_the_team_may_edit_is_not_compared_for_it(bench: Bench) -> None:
    await launch(bench)
    target_id = await twin(bench, Stream.PRODUCTS, "p1")
    bench.target.edit(Stream.PRODUCTS, target_id, description="Polished", name="Tea of ours")
    results = await outside_the_sample(bench)
    assert results["data.money"]["examined"] == 0
    assert "edited" not in results["data.money"]["sample"]


async def test_a_record_that_is_gone_comes_to_quarantine_and_a_retry_makes_it_anew(
    bench: Bench,
) -> None:
    await launch(bench)
    [order, *_] = bench.source.rows[Stream.ORDERS]
    del bench.target.rows[Stream.ORDERS][await twin(bench, Stream.ORDERS, order)]
    results = await outside_the_sample(bench, checks=["data.ids"])
    [evidence] = results["data.ids"]["evidence"]
    assert "The next run puts it in quarantine" in evidence["message"]
    row = await bench.run("recent")
    assert row["status"] == "completed_with_errors"
    [item] = await bench.rows("SELECT source_id, code FROM quarantine WHERE status = 'open'")
    assert item == {"source_id": order, "code": "target_gone"}
    await bench.run("recent", options={"only": "quarantine"})
    assert bad(await outside_the_sample(bench, checks=["data.ids"])) == set()
    made = len(bench.target.rows[Stream.ORDERS])
    assert made == len(bench.source.rows[Stream.ORDERS])


@pytest.mark.parametrize("addon", [True, False], ids=["addon", "plain"])
async def test_lists_of_a_shop_show_what_it_answered_to_our_writes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, addon: bool
) -> None:
    """Else every record would be compared, and nothing be gained."""
    found: dict[Stream, list[str]] = {}
    look = Edited.look

    async def noted(self: Edited, records: Any) -> None:
        await look(self, records)
        found[self._stream] = list(self.ids)

    monkeypatch.setattr(Edited, "look", noted)
    async with between_practice_stores(bench, monkeypatch, addon=addon) as stores:
        await fill(stores)
        await stores.run("full")
        stores.wait(60)
        await checked(bench, checks=["data"])
        assert {stream: ids for stream, ids in found.items() if ids} == {}
        mug = await there(stores, "products")
        await put(stores.new, "products", mug, regular_price="1.99")
        await checked(bench, checks=["data"])
        assert [len(ids) for ids in found.values() if ids] == [1]


class CountingStore(FakeStore):
    """Everything that it does not count is for sale."""

    def _written(
        self, operation: Operation, before: Content | None
    ) -> tuple[Content, dict[str, str]]:
        content, children = super()._written(operation, before)
        return stock.as_counted(content) if isinstance(
            content, InventoryLevel
        ) else content, children


async def test_what_is_counted_as_none_is_no_edit_and_what_is_counted_later_is_one(
    bench: Bench,
) -> None:
    level = Stream.INVENTORY
    losing = replace(bench.platform.writes[level], losses=stock.LOSSES)
    writes = {**bench.platform.writes, level: losing}
    bench.use(replace(bench.platform, writes=writes, target=CountingStore))
    await launch(bench)
    bench.source.put(level, "p1", InventoryLevel(product="p1", availability="out_of_stock"))
    await bench.run("recent")
    results = await outside_the_sample(bench, checks=["data"])
    assert "edited" not in results["data.content"]["sample"]
    bench.target.edit(level, await twin(bench, level, "p1"), quantity=Decimal(4))
    results = await outside_the_sample(bench, checks=["data"])
    [evidence] = results["data.content"]["evidence"]
    assert (evidence["source_id"], evidence["field"]) == ("p1", "quantity")
    await bench.run("recent")
    assert bad((await checked(bench, checks=["data"]))[1]) == set()
