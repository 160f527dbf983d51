"""The reader that everybody writes first, to show what it makes of the same shops.

It asks for what changed after the newest date of change it has seen, sorted by that date, page by
page; whatever comes last is right.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from random import Random
from typing import Any

from connectors.errors import StoreError
from connectors.woocommerce.api import Api
from drills.clock import VirtualLoop
from drills.course import MINUTES, QUIET, place_of, weather
from drills.people import Shopkeepers
from drills.shop import Shop
from sandbox.wire import Doc

_KINDS = {"product": "products", "order": "orders"}
_MISCHIEF = 0.1
"""Share of requests during which somebody does something in the shop."""


class NaiveReader:
    """Copies products and orders into dictionaries by id."""

    def __init__(self, api: Api, page_size: int, kinds: Iterable[str] = tuple(_KINDS)) -> None:
        self._api = api
        self._page_size = page_size
        self.copies: dict[str, dict[int, Doc]] = {kind: {} for kind in kinds}
        self._newest: dict[str, str] = {}

    async def run(self) -> None:
        """Read what is new. A failure ends the run: the next one goes on from the newest date."""
        for kind in self.copies:
            try:
                await self._read(kind, _KINDS[kind])
            except StoreError:
                return

    async def _read(self, kind: str, path: str) -> None:
        query: dict[str, str | int] = {
            "per_page": self._page_size,
            "orderby": "modified",
            "order": "asc",
            "status": "any",
            "dates_are_gmt": "true",
        }
        if kind in self._newest:
            query["modified_after"] = self._newest[kind]
        page = 1
        while True:
            listed: Any = await self._api.list(path, {**query, "page": page}, dict)
            found: list[Doc] = listed.rows
            for doc in found:
                self.copies[kind][doc["id"]] = doc
                if doc["date_modified_gmt"]:
                    newest = self._newest.get(kind, "")
                    self._newest[kind] = max(newest, doc["date_modified_gmt"])
            if len(found) < self._page_size:
                return
            page += 1


_COMPARED = {
    "product": ("name", "sku", "status", "description", "regular_price", "stock_quantity"),
    "order": ("status", "total", "customer_note", "line_items", "refunds"),
}


def count_wrong(shop: Shop, copies: dict[str, dict[int, Doc]]) -> int:
    """Copies that differ from the shop, are missing, or are of what is gone."""
    wrong = 0
    for kind, fields in _COMPARED.items():
        here = {
            doc["id"]: doc
            for doc in shop.docs(kind)
            if doc["status"] not in ("trash", "checkout-draft")
        }
        copied = {
            number: doc
            for number, doc in copies[kind].items()
            if doc["status"] not in ("trash", "checkout-draft")
        }
        wrong += len(here.keys() ^ copied.keys())
        wrong += sum(
            any(here[each][name] != copied[each][name] for name in fields)
            for each in here.keys() & copied.keys()
        )
    return wrong


async def play_naively(loop: VirtualLoop, seed: int, *, minutes: float = MINUTES) -> int:
    """The same people in the same weather, and this reader instead of the engine. Answers with
    how much is wrong once everything has come to rest and was read once more.
    """
    dice = Random(seed)
    place = place_of(dice)
    shop = Shop("source", loop, timezone=place.source_zone, page_size=place.page_size)
    people = Shopkeepers(shop, Random(dice.random()))

    async def passing(*_: Any) -> None:
        if dice.random() < _MISCHIEF and reading:
            people.do()

    people.fill()
    reading = True
    async with shop.api(passing=passing) as api:
        reader = NaiveReader(api, place.page_size)
        await reader.run()
        end = loop.time() + minutes * 60
        while loop.time() < end:
            for _ in range(dice.randrange(1, 8)):
                people.do()
            await asyncio.sleep(dice.choice([5.0, 60.0, 300.0, 900.0]))
            shop.store.faults.switch(
                {"seed": dice.randrange(10**6), "all": None, **weather(dice, source=True)}
            )
            await reader.run()
        shop.store.faults.switch({"all": None})
        await asyncio.sleep(QUIET)
        reading = False
        await reader.run()
    wrong = count_wrong(shop, reader.copies)
    await shop.app.close()
    return wrong
