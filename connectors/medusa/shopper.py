"""Going shopping in a Medusa store: its Store API, as a storefront uses it.

A storefront shows a publishable key, which is no secret: it says which sales channels are open to
visitors. A cart is made with one piece in it, or not at all, and is emptied again. The Store API
deletes no carts: what is left of one is empty, belongs to nobody and is in no list.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, TypeVar, cast

import httpx
import msgspec
from msgspec import Struct

from connectors.answers import Answer
from connectors.desk import NotTold
from connectors.errors import SignInAgain
from connectors.http import StoreHttp
from connectors.medusa.api import (
    NO_ADDRESS,
    Api,
    Asked,
    RefusedRequest,
    decoder,
    listing,
    require_success,
)
from connectors.medusa.shop import Shop
from connectors.medusa.wire import WireId
from connectors.records import Money, money
from connectors.shopper import Offer

T = TypeVar("T")

_ROOT = "/store/"
_KEY = "x-publishable-api-key"
_MOST = 100
_FIELDS = (
    "id,variants.id,variants.sku,variants.manage_inventory,variants.allow_backorder,"
    "variants.inventory_quantity,*variants.calculated_price"
)
_NO_KEY = (
    "The store has no publishable API key with a sales channel, which a storefront needs: make one "
    "under Settings, Publishable API Keys."
)
_NO_REGION = "The store has no region in its own currency, so that nobody can fill a cart."
_CLOSED = "The Store API of this server keeps visitors out."


class WireKey(Struct, gc=False):
    id: str
    token: str = ""
    revoked_at: datetime | None = None
    sales_channels: list[WireId] | None = None


class WireRegion(Struct, gc=False):
    id: str
    currency_code: str = ""


class WireCalculated(Struct, gc=False):
    calculated_amount: Decimal | None = None
    currency_code: str | None = ""


class WireGoods(Struct, gc=False):
    """A variant as a visitor sees it. Nobody counts one whose inventory is not managed."""

    id: str
    sku: str | None = ""
    manage_inventory: bool = True
    allow_backorder: bool = False
    inventory_quantity: Decimal | None = None
    calculated_price: WireCalculated | None = None

    @property
    def in_stock(self) -> bool:
        """Whether it can be bought now."""
        counted = self.manage_inventory and not self.allow_backorder
        return not counted or (self.inventory_quantity or 0) > 0


class WireOffer(Struct, gc=False):
    id: str
    variants: list[WireGoods] | None = None


class WireItem(Struct, gc=False):
    id: str
    variant_id: str | None = None


class WireCart(Struct, gc=False):
    id: str
    items: list[WireItem] | None = None


class _Door(NamedTuple):
    """How visitors get in: a publishable key, a sales channel of it, and a region."""

    key: str
    channel: str
    region: str


class MedusaShopper:
    """A visitor of one store."""

    def __init__(self, api: Api, shop: Shop) -> None:
        self._api = api
        self._shop = shop
        self._asking = asyncio.Lock()
        self._door: _Door | None = None

    async def by_name(self, name: str) -> tuple[Offer, ...]:
        """By the store's own search, which looks for each word of it."""
        # A word becomes a pattern of SQL, in which a backslash takes the next character for itself.
        return await self._found({"q": name.replace("\\", r"\\")})

    async def by_sku(self, sku: str) -> tuple[Offer, ...]:
        """By the SKUs of variants; of more than was asked for, those that have it."""
        return await self._found({"variants[sku]": sku}, lambda each: each.sku == sku)

    async def takes(self, buyable: str) -> bool:
        """Whether a new cart takes one of a variant. Without it no cart is made."""
        door = await self._way_in()
        body = {
            "region_id": door.region,
            "sales_channel_id": door.channel,
            "items": [{"variant_id": buyable, "quantity": 1}],
        }
        async with self._visitor(door.key) as visitor:
            try:
                cart = (await _send(visitor, "POST", "carts", body, dict[str, WireCart]))["cart"]
            except RefusedRequest:
                return False
            items = cart.items or []
            for each in items:
                path = f"carts/{cart.id}/line-items/{each.id}"
                await _send(visitor, "DELETE", path, None, dict[str, msgspec.Raw])
        return [each.variant_id for each in items] == [buyable]

    async def _found(
        self, wanted: Mapping[str, str], is_meant: Callable[[WireGoods], bool] = lambda _: True
    ) -> tuple[Offer, ...]:
        door, currency = await self._way_in(), await self._shop.currency()
        asked: Asked = {
            **wanted,
            "region_id": door.region,
            "sales_channel_id": door.channel,
            "fields": _FIELDS,
            "limit": _MOST,
        }
        async with self._visitor(door.key) as visitor:
            rows = await _rows(visitor, "products", asked, WireOffer)
        meant = [row for row in rows if any(is_meant(each) for each in row.variants or [])]
        return tuple(_offer(row, currency) for row in meant)

    async def _way_in(self) -> _Door:
        """Raises `NotTold` where the store lets no visitors in."""
        async with self._asking:
            if self._door is None:
                self._door = await self._look_for_door()
            return self._door

    async def _look_for_door(self) -> _Door:
        asked: Asked = {"type": "publishable", "limit": _MOST}
        keys = (await self._api.list("api-keys", asked, WireKey)).rows
        usual = (await self._shop.store()).default_sales_channel_id
        # A record that we write is in the usual channel.
        doors = [
            (channel.id != usual, key.id, channel.id, key.token)
            for key in keys
            if key.revoked_at is None
            for channel in key.sales_channels or []
        ]
        if not doors:
            raise NotTold(_NO_KEY)
        _, _, channel, token = min(doors)
        currency = (await self._shop.currency()).lower()
        async with self._visitor(token) as visitor:
            regions = await _rows(visitor, "regions", {"limit": _MOST}, WireRegion)
        fitting = [each.id for each in regions if each.currency_code == currency]
        if not fitting:
            raise NotTold(_NO_REGION)
        return _Door(token, channel, min(fitting))

    def _visitor(self, key: str) -> StoreHttp:
        return self._api.http.visited_by(httpx.Auth(), {_KEY: key})


async def _rows(http: StoreHttp, path: str, query: Asked, row: type[T]) -> Sequence[T]:
    """A list as visitors see it. Raises `StoreError`, and `NotTold` where they are kept out."""

    def decode(answer: Answer) -> Sequence[T]:
        require_success(answer)
        return listing(answer, path, row).rows

    with _visiting():
        return await http.request("GET", _ROOT + path, query=query, decode=decode)


async def _send(
    http: StoreHttp, method: str, path: str, body: Mapping[str, object] | None, kind: type[T]
) -> T:
    """A change to a cart. Raises `RefusedRequest` and other `StoreError`, and `NotTold`."""

    def decode(answer: Answer) -> T:
        require_success(answer)
        found: T = decoder(cast("Hashable", kind)).decode(answer.body)
        return found

    sent = None if body is None else msgspec.json.encode(body)
    with _visiting():
        return await http.request(method, _ROOT + path, body=sent, decode=decode)


@contextmanager
def _visiting() -> Iterator[None]:
    """A server may show its Admin API alone: that is no failure of it."""
    try:
        yield
    except SignInAgain:
        raise NotTold(_CLOSED) from None
    except RefusedRequest as error:
        if error.kind == NO_ADDRESS:
            raise NotTold(_CLOSED) from None
        raise


def _offer(row: WireOffer, currency: str) -> Offer:
    variants = row.variants or []
    return Offer(
        product=row.id,
        price=_lowest(variants, currency),
        in_stock=any(each.in_stock for each in variants),
        buyable=tuple(each.id for each in variants),
    )


def _lowest(variants: Sequence[WireGoods], currency: str) -> Money | None:
    """The lowest price as it was entered: taxes are reckoned beside it."""
    prices = [each.calculated_price for each in variants if each.calculated_price is not None]
    amounts = [
        each.calculated_amount
        for each in prices
        if each.calculated_amount is not None and (each.currency_code or "").upper() == currency
    ]
    return money(f"{min(amounts):f}", currency) if amounts else None
