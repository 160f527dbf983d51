"""What the next run makes of what was adopted."""

from __future__ import annotations

from msgspec.structs import replace

from connectors.records import Order, Product, Refund, Stream, Variant, money
from tests.engine.adopted import adopt, fill
from tests.engine.api_client import api_of
from tests.engine.conftest import Bench


async def test_drift_is_told_and_mended_by_the_next_run(bench: Bench) -> None:
    fill(bench)
    bench.target.edit(Stream.ORDERS, "to1", status="pending")
    bench.target.edit(Stream.PRODUCTS, "tp1", name="Mgu", description="Our own words")
    bench.source.edit(Stream.PRODUCTS, "p1", description="Words of the old shop")
    await adopt(bench)
    async with api_of(bench) as api:
        streams = (await api.get("drift")).json()["streams"]
        assert streams["orders"]["fields"] == {"number": 3, "status": 1}
        assert streams["products"]["fields"] == {"name": 1, "description": 1}
        assert streams["products"]["differing"] == 1
        row = await bench.run("recent", cutover=True)
        assert row["status"] == "succeeded"
        streams = (await api.get("drift")).json()["streams"]
    assert streams["orders"]["fields"] == {}
    assert streams["products"]["kept"] == {"description": 1}
    assert bench.target.creates() == []
    there = bench.target.rows[Stream.PRODUCTS]["tp1"].content
    assert isinstance(there, Product)
    assert (there.name, there.description) == ("Mug 1", "Our own words")
    mended = bench.target.rows[Stream.ORDERS]["to1"].content
    assert isinstance(mended, Order)
    assert mended.status == "completed"
    [conflict] = await bench.rows("SELECT field, decision, base_known FROM conflicts")
    assert conflict == {"field": "description", "decision": "target", "base_known": False}


async def test_what_was_found_goes_on_counting_as_the_teams_own(bench: Bench) -> None:
    fill(bench)
    bench.target.edit(Stream.PRODUCTS, "tp1", description="Our own words")
    await adopt(bench)
    for number in range(2):
        bench.source.tick(hours=1)
        bench.source.edit(Stream.PRODUCTS, "p1", description=f"Words of the old shop {number}")
        await bench.run("recent")
        there = bench.target.rows[Stream.PRODUCTS]["tp1"].content
        assert isinstance(there, Product)
        assert there.description == "Our own words"


async def test_an_edit_after_the_adoption_is_a_conflict(bench: Bench) -> None:
    fill(bench)
    await adopt(bench)
    bench.target.edit(Stream.PRODUCTS, "tp1", name="Team's mug")
    bench.source.edit(Stream.PRODUCTS, "p1", name="Shop's mug")
    await bench.run("recent", cutover=True)
    there = bench.target.rows[Stream.PRODUCTS]["tp1"].content
    assert isinstance(there, Product)
    assert there.name == "Team's mug"
    [conflict] = await bench.rows("SELECT field, status, base_known FROM conflicts")
    assert conflict == {"field": "name", "status": "open", "base_known": True}


async def test_parts_of_an_order_are_known_again(bench: Bench) -> None:
    fill(bench)
    amount = money("1.00", "GBP")
    here, there = (
        bench.source.rows[Stream.ORDERS]["o1"].content,
        bench.target.rows[Stream.ORDERS]["to1"].content,
    )
    refund = Refund(id="r1", amount=amount, reason="Chipped")
    second = replace(here.lines[0], id="l2", name="Cup", sku="CUP")
    extra = replace(second, id="x", name="Gift", sku="GIFT")
    bench.source.put(
        Stream.ORDERS, "o1", replace(here, lines=(here.lines[0], second), refunds=(refund,))
    )
    lines = (extra, replace(second, id="t2", total=amount), replace(there.lines[0], id="t1"))
    bench.target.put(
        Stream.ORDERS,
        "to1",
        replace(there, lines=lines, refunds=(replace(refund, id="t9", reason=""),)),
    )
    await adopt(bench)
    [link] = await bench.rows("SELECT children FROM links WHERE source_id = 'o1'")
    wanted = {"l1": "t1", "l2": "t2", "refund:r1": "t9", "adopted-x": "x"}
    assert link["children"] == wanted


async def test_variants_are_known_again_and_merged_one_by_one(bench: Bench) -> None:
    fill(bench)
    price = money("3.00", "GBP")
    ours = tuple(Variant(id=f"v{n}", sku=f"V-{n}", regular_price=price) for n in (1, 2))
    theirs = (
        Variant(id="t2", sku="v-2", regular_price=price, description="Team's words"),
        Variant(id="t1", sku="V-1", regular_price=money("9.00", "GBP")),
    )
    bench.source.edit(Stream.PRODUCTS, "p1", variants=ours)
    bench.target.edit(Stream.PRODUCTS, "tp1", variants=theirs)
    await adopt(bench)
    [link] = await bench.rows("SELECT children FROM links WHERE source_id = 'p1'")
    assert link["children"] == {"v1": "t1", "v2": "t2"}
    await bench.run("recent", cutover=True)
    there = bench.target.rows[Stream.PRODUCTS]["tp1"].content
    assert isinstance(there, Product)
    found = {each.id: (each.regular_price, each.description) for each in there.variants}
    assert found == {"t1": (price, ""), "t2": (price, "Team's words")}
