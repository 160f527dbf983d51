"""What the launch team does in the new shop, and what must be left of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

from drills.shop import Shop
from sandbox import products
from sandbox.wire import Doc

ORIGIN = "team"
_POLICIES = {
    "description": "target",
    "short_description": "target",
    "slug": "target",
    "name": "manual",
    "weight": "manual",
    "regular_price": "source",
}
"""Who wins where both sides changed a field, as the migration's defaults have it."""
FIELDS = sorted(_POLICIES)
"""What the team edits."""


@dataclass(frozen=True)
class Edit:
    """A field of a product as the team left it. `source` is what the old shop held just then."""

    sku: str
    field: str
    value: str
    source: Any


class Team:
    """The launch team. Of a field that it edited twice the last value counts."""

    def __init__(self, shop: Shop, old: Shop, dice: Random) -> None:
        self._shop = shop
        self._old = old
        self._dice = dice
        self._count = 0
        self.edits: dict[tuple[str, str], Edit] = {}
        self.deleted: set[str] = set()

    def edit(self, field: str | None = None) -> bool:
        """Edit a field of a product by hand. False where there is no product."""
        chosen = field or self._dice.choice(FIELDS)
        doc = self._some(lambda each: each["type"] == "simple" and each["status"] != "trash")
        if doc is None:
            return False
        self._count += 1
        value = f"team {self._count}"
        if chosen == "slug":
            value = f"team-{self._count}"
        elif chosen in ("regular_price", "weight"):
            value = f"{9000 + self._count}.99"
        with self._shop.by_hand(ORIGIN) as store:
            products.update(store, doc["id"], {chosen: value}, checked=False)
        held = by_sku(self._old).get(doc["sku"])
        made = Edit(doc["sku"], chosen, value, held[chosen] if held else None)
        self.edits[made.sku, chosen] = made
        return True

    def delete(self) -> bool:
        """Delete a product for good."""
        doc = self._some(lambda each: each["type"] == "simple")
        if doc is None:
            return False
        self.deleted.add(doc["sku"])
        with self._shop.by_hand(ORIGIN) as store:
            products.delete(store, doc["id"], force=True)
        return True

    def _some(self, fits: Callable[[Doc], bool]) -> Doc | None:
        found = [doc for doc in self._shop.docs("product") if fits(doc)]
        return self._dice.choice(found) if found else None


def by_sku(shop: Shop) -> dict[str, Doc]:
    """A shop's products."""
    return {doc["sku"]: doc for doc in shop.docs("product")}


def allowed(edit: Edit, now: Any) -> tuple[Any, ...]:
    """What the field may hold in the end, where the old shop holds `now`.

    Under a policy that lets the source win, its value stands there if it changed after the edit.
    If it did not, it may have changed before the edit without the engine's knowing yet: then
    either value is right.
    """
    if _POLICIES[edit.field] != "source":
        return (edit.value,)
    return (edit.value, now) if now == edit.source else (now,)


def is_one_of(field: str, value: Any, may: tuple[Any, ...]) -> bool:
    """Whether a field holds one of these. Shops write prices with more or fewer zeros."""
    if field != "regular_price":
        return value in may
    return any(Decimal(value or "NaN") == Decimal(each or "NaN") for each in may)
