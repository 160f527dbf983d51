"""Records that name each other and arrive together."""

from __future__ import annotations

from connectors.records import Category, Stream
from tests.engine.conftest import Bench


async def test_categories_that_hang_below_each_other_on_one_page_keep_their_parents(
    bench: Bench,
) -> None:
    bench.source.page_size = 10
    for number in range(5):
        above = str(number - 1) if number else None
        content = Category(name=f"Shelf {number}", slug=f"shelf-{number}", parent=above)
        bench.source.put(Stream.CATEGORIES, str(number), content)
    assert (await bench.run("full", streams=["categories"]))["status"] == "succeeded"
    rows = bench.target.rows[Stream.CATEGORIES]
    slugs = {row.id: row.content.slug for row in rows.values()}
    parents = {row.content.slug: slugs.get(row.content.parent) for row in rows.values()}
    assert parents == {
        "shelf-0": None,
        "shelf-1": "shelf-0",
        "shelf-2": "shelf-1",
        "shelf-3": "shelf-2",
        "shelf-4": "shelf-3",
    }


async def test_categories_that_hang_below_each_other_in_a_circle_are_brought_over(
    bench: Bench,
) -> None:
    for number, above in (("1", "2"), ("2", "1")):
        content = Category(name=f"Shelf {number}", slug=f"shelf-{number}", parent=above)
        bench.source.put(Stream.CATEGORIES, number, content)
    assert (await bench.run("full", streams=["categories"]))["status"] == "succeeded"
    assert len(bench.target.rows[Stream.CATEGORIES]) == 2
