"""Choosing a record to do something to, and values that were never there before."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from drills.shop import Shop
from sandbox.store import Store
from sandbox.wire import Doc


class Chooser:
    """Chooses among a shop's records. `gone` holds, by kind, the natural keys of what was deleted
    for good.
    """

    def __init__(self, shop: Shop, dice: Random) -> None:
        self._shop = shop
        self._dice = dice
        self._count = 0
        self.gone: dict[str, set[str]] = {}

    @property
    def _store(self) -> Store:
        return self._shop.store

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _some(self, kind: str, fits: Callable[[Doc], bool] = lambda _: True) -> Doc | None:
        found = [doc for doc in self._shop.docs(kind) if fits(doc)]
        return self._dice.choice(found) if found else None

    def _product(self, kind: str = "") -> Doc | None:
        return self._some(
            "product",
            lambda doc: doc["status"] != "trash" and (not kind or doc["type"] == kind),
        )

    def _order(self, *statuses: str) -> Doc | None:
        return self._some(
            "order",
            lambda doc: doc["status"] in statuses if statuses else doc["status"] != "trash",
        )

    def _price(self) -> str:
        number = self._next()
        return f"{number // 100 + 1}.{number % 100:02}"

    def _forget(self, kind: str, key: str) -> None:
        self.gone.setdefault(kind, set()).add(key.casefold())
