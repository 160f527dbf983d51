"""Records of the source that share an SKU, and whose record on the target that SKU finds."""

from __future__ import annotations

from msgspec.structs import replace

from connectors.records import Stream
from tests.engine.adopted import product
from tests.engine.conftest import Bench

LINKS = "SELECT source_id, target_id FROM links WHERE state = 'applied' ORDER BY source_id"


async def without_keys(bench: Bench) -> None:
    """As another tool would have brought them over, or a platform that keeps no key."""
    for row in bench.target.rows[Stream.PRODUCTS].values():
        row.key = ""


async def links(bench: Bench) -> dict[str, str]:
    return {row["source_id"]: row["target_id"] for row in await bench.rows(LINKS)}


async def test_a_new_record_does_not_take_over_what_is_anothers(bench: Bench) -> None:
    bench.source.put(Stream.PRODUCTS, "1", product(1))
    await bench.run("full")
    await without_keys(bench)
    bench.source.put(Stream.PRODUCTS, "2", product(2, sku="MUG-1"))
    assert (await bench.run("recent"))["status"] == "succeeded"
    found = await links(bench)
    rows = bench.target.rows[Stream.PRODUCTS]
    assert [rows[found[each]].content.name for each in ("1", "2")] == ["Mug 1", "Mug 2"]
    assert len(rows) == 2


async def test_an_sku_that_moved_to_a_new_record_overwrites_nothing(bench: Bench) -> None:
    bench.source.put(Stream.PRODUCTS, "2", product(2))
    await bench.run("full")
    await without_keys(bench)
    old = bench.source.rows[Stream.PRODUCTS]["2"].content
    bench.source.put(Stream.PRODUCTS, "2", replace(old, sku="MUG-OLD"))
    # It is read before the one that gave its SKU away.
    bench.source.put(Stream.PRODUCTS, "1", product(1, sku="MUG-2"))
    assert (await bench.run("recent"))["status"] == "succeeded"
    found = await links(bench)
    rows = bench.target.rows[Stream.PRODUCTS]
    assert {(rows[found[each]].content.name, rows[found[each]].content.sku) for each in found} == {
        ("Mug 1", "MUG-2"),
        ("Mug 2", "MUG-OLD"),
    }


async def test_one_record_that_two_new_ones_find_goes_to_one_of_them(bench: Bench) -> None:
    bench.target.put(Stream.PRODUCTS, "theirs", product(7, sku="MUG-1"))
    for number in (1, 2):
        bench.source.put(Stream.PRODUCTS, str(number), product(number, sku="MUG-1"))
    assert (await bench.run("full"))["status"] == "succeeded"
    found = await links(bench)
    assert found["1"] == "theirs"
    assert found["2"] != "theirs"
    assert len(bench.target.rows[Stream.PRODUCTS]) == 2


async def test_what_was_archived_is_free_for_a_new_record_of_the_same_sku(bench: Bench) -> None:
    for number in range(1, 9):
        bench.source.put(Stream.PRODUCTS, str(number), product(number))
    await bench.run("full")
    archived = (await links(bench))["8"]
    del bench.source.rows[Stream.PRODUCTS]["8"]
    await bench.run("recent", cutover=True)
    await without_keys(bench)
    bench.source.put(Stream.PRODUCTS, "80", product(80, sku="MUG-8"))
    assert (await bench.run("recent"))["status"] == "succeeded"
    assert (await links(bench))["80"] == archived
    there = bench.target.rows[Stream.PRODUCTS][archived].content
    assert there.name == "Mug 80", "it was ours, and nobody is asked about it"
