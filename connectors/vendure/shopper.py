"""Going shopping in a Vendure store: its Shop API, which stands beside the Admin API.

A cart is an order that nobody placed. It is emptied again; what is left of it is in no list.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

import httpx
import msgspec

from connectors.answers import Answer
from connectors.desk import NotTold
from connectors.errors import BadAnswer, Rejected, SignInAgain
from connectors.http import StoreHttp
from connectors.records import Money, money
from connectors.shopper import Offer
from connectors.vendure.api import Api, opened
from connectors.vendure.settings import VendureSettings
from connectors.vendure.shop import Shop, Shops
from connectors.vendure.wire import Listed, Wire, WireId

T = TypeVar("T")

_ADMIN, _SHOP = "/admin-api", "/shop-api"
_TOKEN = "vendure-auth-token"  # noqa: S105  the name of a header
_CHANNEL = "vendure-token"
_SOLD_OUT = "OUT_OF_STOCK"
_MOST = 100
_ELSEWHERE = "The Shop API of this store is not where it usually is: /shop-api beside /admin-api."
_NO_SKUS = "Vendure's Shop API lists goods by name and not by SKU."
_CLOSED = "The Shop API of this store keeps visitors out."

FIND_GOODS = (
    "query FindGoods($options: ProductListOptions) { products(options: $options) { totalItems "
    "items { id variants { id price priceWithTax currencyCode stockLevel } } } }"
)
ADD_ITEM = (
    "mutation AddItem($id: ID!) { addItemToOrder(productVariantId: $id, quantity: 1) "
    "{ __typename ... on Order { lines { productVariant { id } } } } }"
)
EMPTY = "mutation Empty { removeAllOrderLines { __typename } }"


class WireGoods(Wire):
    """A variant as a visitor sees it. Prices in the smallest unit, `stockLevel` in words."""

    id: str
    price: int
    price_with_tax: int
    currency_code: str
    stock_level: str = ""


class WireOffer(Wire):
    id: str
    variants: list[WireGoods] = msgspec.field(default_factory=list)


class WireCartLine(Wire):
    product_variant: WireId


class WireCart(Wire):
    """An order, or why there is none."""

    typename: str = msgspec.field(name="__typename", default="")
    lines: list[WireCartLine] = msgspec.field(default_factory=list)


class _Session(httpx.Auth):
    """Shows the token of the session that the store began with its first answer."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._token = ""

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Say whose cart it is, and remember it."""
        if self._channel:
            request.headers[_CHANNEL] = self._channel
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        response = yield request
        self._token = response.headers.get(_TOKEN, self._token)


class VendureShopper:
    """A visitor of one store."""

    def __init__(self, api: Api, shops: Shops, settings: VendureSettings) -> None:
        self._api = api
        self._shops = shops
        self._settings = settings

    async def by_name(self, name: str) -> tuple[Offer, ...]:
        """By the list of products that are on sale."""
        return await self._found({"name": {"contains": name}})

    async def by_sku(self, sku: str) -> tuple[Offer, ...]:  # noqa: ARG002  as all visitors do
        """Visitors cannot: the list knows no SKUs, and a search is what a plugin makes of it."""
        raise NotTold(_NO_SKUS)

    async def takes(self, buyable: str) -> bool:
        """Whether a new cart takes one of a variant."""
        async with self._visitor() as visitor:
            try:
                answer = await _ask(visitor, ADD_ITEM, dict[str, WireCart], {"id": buyable})
            except Rejected:
                return False
            cart = answer["addItemToOrder"]
            if cart.typename != "Order":
                return False
            await _ask(visitor, EMPTY, dict[str, WireCart], {})
        return [line.product_variant.id for line in cart.lines] == [buyable]

    async def _found(self, wanted: Mapping[str, Any]) -> tuple[Offer, ...]:
        shop = await self._shops.shop()
        options = {"filter": wanted, "take": _MOST}
        async with self._visitor() as visitor:
            answer = await _ask(
                visitor, FIND_GOODS, dict[str, Listed[WireOffer]], {"options": options}
            )
        return tuple(_offer(row, shop) for row in answer["products"].items)

    def _visitor(self) -> StoreHttp:
        address = self._settings.url
        if not address.endswith(_ADMIN):
            raise NotTold(_ELSEWHERE)
        base = address.removesuffix(_ADMIN) + _SHOP
        return self._api.http.visited_by(_Session(self._settings.channel), base=base)


async def _ask(http: StoreHttp, text: str, kind: type[T], variables: Mapping[str, Any]) -> T:
    """Send a document, and decode its `data`. Raises `StoreError`, and `NotTold` where visitors
    are kept out, or no Shop API answers.
    """
    changes = text.startswith("mutation")

    def decode(answer: Answer) -> T:
        return msgspec.json.decode(opened(answer, changes=changes), type=kind)

    body = msgspec.json.encode({"query": text, "variables": variables})
    try:
        return await http.request("POST", "", body=body, decode=decode, repeatable=not changes)
    except SignInAgain:
        raise NotTold(_CLOSED) from None
    except BadAnswer as error:
        if error.code != "store_not_vendure":
            raise
        raise NotTold(_ELSEWHERE) from None


def _offer(row: WireOffer, shop: Shop) -> Offer:
    return Offer(
        product=row.id,
        price=_lowest(row.variants, shop),
        in_stock=any(each.stock_level != _SOLD_OUT for each in row.variants),
        buyable=tuple(each.id for each in row.variants),
    )


def _lowest(variants: Sequence[WireGoods], shop: Shop) -> Money | None:
    """The lowest price as it was entered: with taxes, or without, as the channel has it."""
    taxed = shop.channel.prices_include_tax
    prices = [
        (each.price_with_tax if taxed else each.price, each.currency_code) for each in variants
    ]
    if not prices:
        return None
    amount, currency = min(prices)
    return money(f"{Decimal(amount).scaleb(-shop.precision):f}", currency)
