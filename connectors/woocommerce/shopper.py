"""Going shopping in a WooCommerce store: its public Store API, without any of our keys."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import Any

import httpx
from msgspec import Struct

from connectors.desk import NotTold
from connectors.errors import BadAnswer, SignInAgain
from connectors.records import Money, money
from connectors.shopper import Offer
from connectors.woocommerce.api import Api, Listing, RefusedRequest
from connectors.woocommerce.lists import PAGE
from connectors.woocommerce.wire import WireId, WireSetting

ROOT = "/wp-json/wc/store/v1/"
_TOKEN = "Cart-Token"  # noqa: S105  the name of a header
_CLOSED = "This shop has no public Store API, or keeps visitors out of it."


class WirePrices(Struct, frozen=True, gc=False):
    price: str = ""
    currency_code: str = ""
    currency_minor_unit: int = 2


class WireOffer(Struct, gc=False):
    """Goods as the Store API shows them; `parent` is the product of a variation."""

    id: int
    type: str = "simple"
    parent: int = 0
    prices: WirePrices = WirePrices()
    is_purchasable: bool = True
    is_in_stock: bool = True
    variations: list[WireId] = []


class WireItem(Struct, gc=False):
    id: int


class WireCart(Struct, gc=False):
    items: list[WireItem] = []


class _Session(httpx.Auth):
    """Shows the cart's token, which the store gave with its first answer."""

    def __init__(self) -> None:
        self._token = ""

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Say whose cart it is, and remember it."""
        if self._token:
            request.headers[_TOKEN] = self._token
        response = yield request
        self._token = response.headers.get(_TOKEN, self._token)


class WooCommerceShopper:
    """A visitor of one store."""

    def __init__(self, api: Api, headers: dict[str, str]) -> None:
        self._api = api
        self._headers = headers
        self._prices_are_kept: bool | None = None

    async def by_name(self, name: str) -> tuple[Offer, ...]:
        """By the shop's own search."""
        return await self._found({"search": name})

    async def by_sku(self, sku: str) -> tuple[Offer, ...]:
        """By SKU; a variation answers as its product."""
        return await self._found({"sku": sku})

    async def takes(self, buyable: str) -> bool:
        """Whether a new cart takes one of it."""
        visitor = self._visitor()
        try:
            async with visitor:
                await visitor.get("cart", WireCart)
                body = {"id": int(buyable), "quantity": 1}
                cart = await visitor.send("POST", "cart/add-item", body, WireCart)
                await visitor.send("DELETE", "cart/items", {}, Any, repeatable=True)
        except SignInAgain:
            raise NotTold(_CLOSED) from None
        except RefusedRequest as error:
            if error.platform_code == "rest_no_route":
                raise NotTold(_CLOSED) from None
            return False
        # A variation stands in the cart under its own id.
        return [str(each.id) for each in cart.items] == [buyable]

    async def _found(self, asked: dict[str, str]) -> tuple[Offer, ...]:
        kept = await self._shows_kept_prices()
        try:
            async with self._visitor() as visitor:
                page: Listing[WireOffer] = await visitor.list(
                    "products", {**asked, "per_page": PAGE}, WireOffer
                )
        except SignInAgain:
            raise NotTold(_CLOSED) from None
        except RefusedRequest as error:
            if error.status == HTTPStatus.NOT_FOUND:
                raise NotTold(_CLOSED) from None
            raise
        return tuple(_offer(row, priced=kept) for row in page.rows)

    def _visitor(self) -> Api:
        return Api(self._api.http.visited_by(_Session(), self._headers), ROOT)

    async def _shows_kept_prices(self) -> bool:
        """Whether the shop shows prices as they were entered: with taxes, or without. Where the
        key may not ask, prices are not compared.
        """
        if self._prices_are_kept is None:
            try:
                found = await self._settings("general") | await self._settings("tax")
            except (SignInAgain, RefusedRequest, BadAnswer):
                found = {"woocommerce_calc_taxes": "unknown"}
            entered = {"yes": "incl", "no": "excl"}.get(
                found.get("woocommerce_prices_include_tax", ""), ""
            )
            self._prices_are_kept = (
                found.get("woocommerce_calc_taxes") == "no"
                or found.get("woocommerce_tax_display_shop") == entered
            )
        return self._prices_are_kept

    async def _settings(self, group: str) -> dict[str, str]:
        rows = await self._api.get(f"settings/{group}", list[WireSetting])
        return {row.id: str(row.value) for row in rows}


def _offer(row: WireOffer, *, priced: bool) -> Offer:
    return Offer(
        product=str(row.parent or row.id),
        price=_price(row.prices) if priced else None,
        in_stock=row.is_in_stock,
        buyable=_buyable(row),
    )


def _buyable(row: WireOffer) -> tuple[str, ...]:
    if row.type == "variable":
        return tuple(str(each.id) for each in row.variations)
    return (str(row.id),) if row.is_purchasable else ()


def _price(prices: WirePrices) -> Money | None:
    """From the currency's smallest unit; None where there is no price."""
    if not prices.price or not prices.currency_code:
        return None
    try:
        amount = Decimal(prices.price).scaleb(-prices.currency_minor_unit)
    except InvalidOperation:
        raise BadAnswer("the shop shows a price that is no number") from None
    return money(f"{amount:f}", prices.currency_code)
