"""Deletions between two practice stores in this process, with the faults that shops have."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from msgspec.structs import replace

from connectors import registry
from connectors.woocommerce import CONNECTOR
from tests.connectors.practice import Practice, practice
from tests.engine.conftest import Bench

COUNT = 30


@dataclass
class Move:
    """A practice shop of thirty products and another one that has them all."""

    bench: Bench
    old: Practice
    new: Practice
    ids: list[int]

    async def run(self, **options: Any) -> dict[str, Any]:
        for shop in (self.old, self.new):
            shop.now[0] += 60
        return await self.bench.run("full", streams=["products"], **options)

    async def statuses(self) -> dict[str, str]:
        """What the new shop shows of each product, by SKU."""
        rows = await self.new.admin("GET", "products?per_page=100&include_status=any,trash")
        return {row["sku"]: row["status"] for row in rows}

    async def drafts(self) -> list[str]:
        found = await self.statuses()
        return sorted(sku for sku, status in found.items() if status == "draft")

    async def removals(self) -> list[dict[str, Any]]:
        return await self.bench.rows("SELECT id, status, source_id FROM removals ORDER BY at")

    async def delete(self, *numbers: int, op: str = "hard_delete") -> None:
        for number in numbers:
            await self.old.edit(op=op, kind="product", id=self.ids[number])


@pytest.fixture
async def move(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Move]:
    async with practice() as old, practice(timezone="Europe/Berlin") as new:
        shops = {old.url: old, new.url: new}
        platform = replace(
            CONNECTOR,
            source=lambda access: shops[str(access.settings.url).rstrip("/")].source(page_size=7),
            target=lambda access: shops[str(access.settings.url).rstrip("/")].target(),
        )
        monkeypatch.setattr(registry, "connectors", lambda: {"woocommerce": platform})
        keys = {"consumer_key": "ck_practice", "consumer_secret": "cs_practice"}
        await bench.place("source", "woocommerce", old.url, **keys)
        await bench.place("target", "woocommerce", new.url, **keys)
        goods = [
            {
                "name": f"Thing {n}",
                "sku": f"SKU-{n:02}",
                "status": "publish",
                "regular_price": "5.00",
                "date_created_gmt": "2026-01-02T03:04:05",
            }
            for n in range(COUNT)
        ]
        made = await old.load(product=goods)
        found = Move(bench, old, new, made["product"])
        assert (await found.run())["status"] == "succeeded"
        yield found


async def test_three_deleted_products_become_drafts_and_are_brought_back(move: Move) -> None:
    await move.delete(3, 14, 29)
    row = await move.run()
    assert (row["status"], row["error"]) == ("succeeded", None)
    assert await move.drafts() == ["SKU-03", "SKU-14", "SKU-29"]
    ids = [str(each["id"]) for each in await move.removals()]
    row = await move.bench.run("recent", streams=["products"], options={"only": "undo", "ids": ids})
    assert row["status"] == "succeeded"
    assert set((await move.statuses()).values()) == {"publish"}
    await move.run()
    assert await move.drafts() == []


async def test_thirty_percent_deleted_trip_the_brake(move: Move) -> None:
    await move.delete(*range(9))
    row = await move.run()
    assert (row["status"], row["error"]["code"]) == ("completed_with_errors", "deletion_brake")
    assert await move.drafts() == []
    assert {each["status"] for each in await move.removals()} == {"held"}
    assert (await move.run(options={"release_brake": True}))["status"] == "succeeded"
    assert len(await move.drafts()) == 9


async def test_trash_at_the_source_is_a_change_and_not_a_deletion(move: Move) -> None:
    async with move.old.api() as api:
        await api.delete(f"products/{move.ids[3]}", force=False)
    assert (await move.run())["status"] == "succeeded"
    assert await move.removals() == []
    assert (await move.statuses())["SKU-03"] == "trash"


async def test_products_that_vanish_while_they_are_read_are_all_archived_in_the_end(
    move: Move,
) -> None:
    await move.old.faults(hard_deletes={"probability": 1.0, "times": 3, "count": 1})
    assert (await move.run())["status"] == "succeeded"
    await move.old.faults()
    assert (await move.run())["status"] == "succeeded"
    assert len(await move.drafts()) == 3


async def test_id_given_to_another_product_replaces_nothing(move: Move) -> None:
    await move.old.faults(id_reuse={})
    await move.delete(3, op="reuse_id")
    made = await move.old.admin(
        "POST", "products", {"name": "Other", "sku": "NEW-1", "regular_price": "7.00"}
    )
    assert made["id"] == move.ids[3]
    assert (await move.run())["status"] == "succeeded"
    found = await move.statuses()
    assert (found["SKU-03"], found["NEW-1"]) == ("draft", "publish")
    [removal] = await move.removals()
    assert (removal["status"], removal["source_id"]) == ("done", str(move.ids[3]))


@pytest.mark.parametrize(
    "faults",
    [
        {"html_page": {"probability": 0.2}},
        {"error_before": {"probability": 0.2, "status": 500}},
        {"truncated_json": {"probability": 0.2}},
        {"unreadable": {"share": 0.4}},
    ],
    ids=lambda faults: next(iter(faults)),
)
async def test_shop_in_trouble_loses_nothing(move: Move, faults: dict[str, Any]) -> None:
    await move.old.faults(**faults)
    await move.run()
    assert await move.drafts() == []
    assert [each for each in await move.removals() if each["status"] != "returned"] == []
