"""Going shopping in a store as anybody can: looking for goods, and putting them into a cart.

Nothing is bought. A cart is emptied again, takes nothing from stock and makes no order.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from msgspec import Struct

from connectors.records import Money

FOUND = 100
"""Goods that a search shows at the most."""


class Offer(Struct, frozen=True, kw_only=True):
    """Goods as a shopper sees them. `price` is the lowest one in force, None where the shop shows
    prices in another way than it keeps them (with taxes, say). `buyable` are what can go into a
    cart: the product itself, or its variants.
    """

    product: str
    price: Money | None
    in_stock: bool
    buyable: tuple[str, ...] = ()


class Shopper(Protocol):
    """A visitor of one store. Raises `StoreError`, and `connectors.desk.NotTold` where the store
    has no public way to do it.
    """

    async def by_name(self, name: str) -> tuple[Offer, ...]:
        """What a search for a product's name finds, the first `FOUND`."""
        ...

    async def by_sku(self, sku: str) -> tuple[Offer, ...]:
        """What a search for a SKU finds; of a variant its product. Not every shop can."""
        ...

    async def takes(self, buyable: str) -> bool:
        """Whether the cart takes one of it. The cart is given up before this returns."""
        ...


@runtime_checkable
class HasShopper(Protocol):
    """What a target has besides, where its shop can be visited."""

    @property
    def shopper(self) -> Shopper:
        """A visitor. It can shop as long as the target is open."""
        ...
