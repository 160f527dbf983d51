"""A shop that changes faster than it can be read, with torn reads, for 75 seconds."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from random import Random
from typing import Any

from drills.naive import NaiveReader
from drills.world import Place, World, succeeded
from sandbox import edits, products
from sandbox.wire import Doc
from tests.drills.scenes import in_world

COUNT, BATCH, SECONDS, PAGE = 300, 25, 75, 10
TORN = {"torn_reads": {"seconds": 0.5, "probability": 0.5}}


def fill(world: World) -> None:
    with world.source.by_hand("people") as store:
        goods = [
            {
                "name": f"Thing {n}",
                "sku": f"SKU-{n}",
                "description": "Old",
                "regular_price": "1.00",
                "date_created_gmt": "2026-01-01T00:00:00",
            }
            for n in range(COUNT)
        ]
        edits.load(store, {"product": goods})


async def sell(world: World) -> None:
    """Once a second 25 products get another text and another price."""
    dice = Random(7)
    ids = [doc["id"] for doc in world.source.docs("product")]
    for second in range(SECONDS):
        with world.source.by_hand("people") as store:
            for number in dice.sample(ids, BATCH):
                payload = {"description": f"Text {second}", "regular_price": f"{second + 2}.00"}
                products.update(store, number, payload, checked=False)
        await asyncio.sleep(1.0)


async def read_naively(world: World, selling: asyncio.Task[None]) -> dict[int, Doc]:
    async def passing(*_: Any) -> None:
        await asyncio.sleep(0.1)

    async with world.source.api(passing=passing) as api:
        reader = NaiveReader(api, PAGE, kinds=("product",))
        while not selling.done():
            await reader.run()
        await asyncio.sleep(5)
        await reader.run()
    return reader.copies["product"]


async def synchronise(world: World, selling: asyncio.Task[None]) -> None:
    while not selling.done():
        assert succeeded(await world.run(streams=["products"]))
    # One more that begins when the last change has settled; no cutover.
    await asyncio.sleep(15)
    assert succeeded(await world.run(streams=["products"]))


def differing(here: dict[Any, Doc], there: dict[Any, Doc]) -> int:
    return sum(key not in there or shown(doc) != shown(there[key]) for key, doc in here.items())


def shown(doc: Doc) -> tuple[str, Decimal]:
    return doc["description"], Decimal(doc["regular_price"])


async def soak(world: World) -> tuple[int, int]:
    """How many of the products are wrong on the target, and in the naive reader's copy."""
    fill(world)
    assert succeeded(await world.run("full", streams=["products"]))
    world.weather(TORN, {}, seed=5)
    selling = asyncio.create_task(sell(world))
    copies, _ = await asyncio.gather(read_naively(world, selling), synchronise(world, selling))
    here = {doc["sku"]: doc for doc in world.source.docs("product")}
    there = {doc["sku"]: doc for doc in world.target.docs("product")}
    naive = {doc["sku"]: doc for doc in copies.values()}
    return differing(here, there), differing(here, naive)


def test_live_soak_leaves_nothing_wrong_where_a_naive_reader_loses_many(drill_url: str) -> None:
    wrong, naive = in_world(drill_url, soak, place=Place(page_size=PAGE))
    assert wrong == 0
    assert naive > 30
