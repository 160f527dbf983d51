"""Looking records up as people do, on platforms that no practice store of ours plays in full: what
is asked of a store, and what is made of an answer that shows more than was asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connectors.base import StoreAccess
from connectors.desk import HasDesk, NotTold
from connectors.medusa import CONNECTOR as MEDUSA
from connectors.medusa.api import open_api as open_medusa
from connectors.medusa.target import MedusaTarget
from connectors.records import money
from connectors.shopper import HasShopper
from connectors.traces import Effect, HasTraces
from connectors.vendure import CONNECTOR as VENDURE
from connectors.vendure.api import open_api as open_vendure
from connectors.vendure.target import VendureTarget
from tests.connectors.shopify_shop import ShopifyShop, shopify_shop

EMAIL = "Anna@Shop.test"
GBP = {"amount": "2.00", "currencyCode": "GBP"}
DATE = {"Date": "Thu, 26 Nov 2026 10:00:00 GMT"}


# --- Shopify, played ------------------------------------------------------------------------------


async def sold(shop: ShopifyShop, *emails: str) -> list[dict[str, Any]]:
    """Orders of a product, one for each email, a minute apart."""
    await shop.control("POST", "seed", {"products": 1})
    [product] = (each["_n"] for each in shop.store.all("Product"))
    for email in emails:
        await shop.edit(op="sell", kind="Product", id=product, email=email)
        shop.now[0] += 60
    return sorted(shop.store.all("Order"), key=lambda each: each["_n"])


@pytest.mark.contracts
async def test_orders_of_a_shopify_store_are_found_by_email_and_by_name() -> None:
    async with shopify_shop() as shop:
        orders = await sold(shop, "anna@shop.test", "ben@shop.test", "anna@shop.test")
        async with shop.target() as target:
            by_email = await target.desk.orders_of(EMAIL)
            number = orders[1]["name"].removeprefix("#")
            by_number = await target.desk.orders_numbered(number)
            [account] = await target.desk.accounts(EMAIL)
            count = await target.desk.history(account.id)
            newest = await target.desk.newest(2)
    assert [each.id for each in by_email] == [str(orders[2]["_n"]), str(orders[0]["_n"])]
    assert [each.id for each in by_number] == [str(orders[1]["_n"])]
    assert count == 2
    assert [each.id for each in newest] == [str(orders[2]["_n"]), str(orders[1]["_n"])]
    assert newest[1].number == number
    assert (newest[0].key, newest[0].created_at is not None) == ("", True)


@pytest.mark.contracts
async def test_a_mail_in_a_shopify_orders_timeline_is_a_trace() -> None:
    async with shopify_shop() as shop:
        quiet = {"title": "Mug", "quantity": 1, "priceSet": {"shopMoney": GBP}}
        [brought] = (await shop.load(order=[{"lineItems": [quiet]}]))["order"]
        [_, bought] = await sold(shop, "ben@shop.test")
        async with shop.target() as target:
            ids = [str(brought), str(bought["_n"])]
            found = await target.traces.of_orders(ids)
            assert await target.traces.gap(Effect.STOCK)
            with pytest.raises(NotTold):
                await target.traces.webhooks()
    assert [(each.effect, each.order) for each in found] == [(Effect.MAIL, ids[1])]


# --- Medusa ---------------------------------------------------------------------------------------


def medusa(answers: dict[str, dict[str, Any]], asked: list[httpx.URL]) -> MedusaTarget:
    """A target whose lists are these, by the end of their path."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return httpx.Response(200, json=answers[request.url.path.rpartition("/")[2]], headers=DATE)

    access = StoreAccess(
        MEDUSA.settings(url="http://127.0.0.1:9"), MEDUSA.credentials(api_key="sk_test")
    )
    return MedusaTarget(access, open_medusa(access, transport=httpx.MockTransport(answer)))


def an_order(record_id: str, **fields: Any) -> dict[str, Any]:
    zero = {"version": 1, "currency_code": "gbp", "status": "pending", "items": []}
    return {"id": record_id, "updated_at": "2026-11-26T09:00:00Z", **zero, **fields}


async def test_medusa_is_searched_by_words_and_what_is_only_alike_is_left_out() -> None:
    rows = [
        an_order("order_2", display_id=12, email="anna@shop.test"),
        an_order("order_1", display_id=1, custom_display_id="R-12", email="joanna@shop.test"),
    ]
    asked: list[httpx.URL] = []
    async with medusa({"orders": {"orders": rows, "count": 2}}, asked) as store:
        by_email = await store.desk.orders_of(EMAIL)
        by_number = await store.desk.orders_numbered("R-12")
        unknown = await store.desk.orders_numbered("2")
    assert [each.id for each in by_email] == ["order_2"]
    assert [each.id for each in by_number] == ["order_1"]
    assert unknown == ()
    assert [dict(url.params)["q"] for url in asked] == [EMAIL, "R-12", "2"]
    assert {dict(url.params)["order"] for url in asked} == {"-created_at"}


async def test_medusas_accounts_are_compared_without_case_and_counted() -> None:
    rows = [
        {"id": f"cus_{number}", "email": email, "has_account": True}
        for number, email in enumerate((EMAIL, EMAIL.lower(), "joanna@shop.test"))
    ]
    asked: list[httpx.URL] = []
    lists = {
        "customers": {"customers": rows, "count": 3},
        "orders": {"orders": [{"id": "order_1"}], "count": 7},
    }
    async with medusa(lists, asked) as store:
        found = await store.desk.accounts(EMAIL.upper())
        count = await store.desk.history("cus_0")
    assert [each.id for each in found] == ["cus_0", "cus_1"]
    assert count == 7
    assert dict(asked[1].params)["customer_id"] == "cus_0"


async def test_medusas_newest_orders_show_their_number_and_our_key() -> None:
    rows = [
        {"id": "order_2", "display_id": 12, "created_at": "2026-11-26T09:00:00Z"},
        {"id": "order_1", "display_id": 3, "custom_display_id": "R-1"}
        | {"metadata": {"recent_sync_key": "rs:orders:1"}},
    ]
    async with medusa({"orders": {"orders": rows, "count": 2}}, []) as store:
        newest = await store.desk.newest(5)
    assert [(each.number, each.key) for each in newest] == [("12", ""), ("R-1", "rs:orders:1")]
    assert newest[0].created_at == datetime(2026, 11, 26, 9, tzinfo=UTC)


# --- Vendure --------------------------------------------------------------------------------------

SHOP = {
    "activeChannel": {
        "id": "1",
        "code": "default",
        "defaultCurrencyCode": "GBP",
        "defaultLanguageCode": "en",
        "pricesIncludeTax": False,
    },
    "globalSettings": {
        "trackInventory": True,
        "outOfStockThreshold": 0,
        "serverConfig": {"moneyStrategyPrecision": 2, "entityCustomFields": []},
    },
    "taxCategories": {"items": []},
}

Data = Callable[[str, dict[str, Any]], Any]


def vendure(data: Data) -> VendureTarget:
    """A target that answers a query's text and variables; it has no add-on."""

    def answer(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        if request.url.path == "/shop-api":
            # A visitor shows no key of ours.
            assert "vendure-api-key" not in request.headers
        query, variables = body["query"], body["variables"]
        if query.startswith("query Shop"):
            found: Any = SHOP
        elif query.startswith("query Importer"):
            error = {"message": "", "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}}
            return httpx.Response(200, json={"errors": [error]}, headers=DATE)
        else:
            found = data(query, variables)
        return httpx.Response(200, json={"data": found}, headers=DATE)

    access = StoreAccess(
        VENDURE.settings(url="http://127.0.0.1:9"), VENDURE.credentials(api_key="key")
    )
    return VendureTarget(access, open_vendure(access, transport=httpx.MockTransport(answer)))


async def test_vendures_orders_are_found_by_way_of_the_customer() -> None:
    asked: list[dict[str, Any]] = []

    def data(query: str, variables: dict[str, Any]) -> Any:
        asked.append(variables)
        if "customers(" in query:
            row = {"id": "7", "emailAddress": EMAIL.lower(), "firstName": "", "lastName": ""}
            dates = dict.fromkeys(("createdAt", "updatedAt"), "2026-11-26T09:00:00.000Z")
            return {"customers": {"totalItems": 1, "items": [row | dates | {"addresses": []}]}}
        if "orders(options: $options) { totalItems items { id } }" in query:
            return {"customer": {"id": "7", "orders": {"totalItems": 3, "items": []}}}
        return {"orders": {"totalItems": 0, "items": []}}

    async with vendure(data) as store:
        assert await store.desk.orders_of(EMAIL) == ()
        assert await store.desk.history("7") == 3
    emails = asked[0]["options"]["filter"]["emailAddress"]
    assert emails == {"in": [EMAIL.lower()]}
    assert asked[1]["id"] == "7"
    assert asked[1]["options"]["sort"] == {"orderPlacedAt": "DESC"}


async def test_vendures_newest_orders_are_those_that_were_placed() -> None:
    asked: list[dict[str, Any]] = []

    def data(_: str, variables: dict[str, Any]) -> Any:
        asked.append(variables["options"])
        row = {"id": "1", "code": "R-1", "orderPlacedAt": "2026-11-26T09:00:00.000Z"}
        return {"orders": {"totalItems": 1, "items": [row]}}

    async with vendure(data) as store:
        [newest] = await store.desk.newest(5)
    assert (newest.number, newest.key) == ("R-1", "")
    assert asked[0]["filter"] == {"orderPlacedAt": {"isNull": False}}


def goods(record_id: str, *variants: tuple[str, int, str]) -> dict[str, Any]:
    """A product of the Shop API: ids, prices without tax, and levels of its variants."""
    return {
        "id": record_id,
        "variants": [
            {"id": number, "price": price, "priceWithTax": price * 2}
            | {"currencyCode": "GBP", "stockLevel": level}
            for number, price, level in variants
        ],
    }


async def test_a_visitor_of_vendure_sees_the_lowest_price_as_it_was_entered() -> None:
    asked: list[dict[str, Any]] = []

    def data(_: str, variables: dict[str, Any]) -> Any:
        asked.append(variables["options"]["filter"])
        row = goods("3", ("31", 900, "OUT_OF_STOCK"), ("32", 850, "LOW_STOCK"))
        return {"products": {"totalItems": 1, "items": [row]}}

    async with vendure(data) as store:
        [offer] = await store.shopper.by_name("Mug")
        with pytest.raises(NotTold):
            await store.shopper.by_sku("MUG")
    assert (offer.product, offer.price, offer.in_stock) == ("3", money("8.5", "GBP"), True)
    assert offer.buyable == ("31", "32")
    assert asked == [{"name": {"contains": "Mug"}}]


@pytest.mark.parametrize(
    ("answer", "takes"),
    [
        ({"__typename": "Order", "lines": [{"productVariant": {"id": "31"}}]}, True),
        ({"__typename": "InsufficientStockError"}, False),
        ({"__typename": "Order", "lines": [{"productVariant": {"id": "99"}}]}, False),
    ],
)
async def test_a_cart_of_vendure_is_emptied_again(answer: dict[str, Any], *, takes: bool) -> None:
    sent: list[str] = []

    def data(query: str, _: dict[str, Any]) -> Any:
        sent.append(" ".join(query.replace("(", " ").split()[:2]))
        if "addItemToOrder" in query:
            return {"addItemToOrder": answer}
        return {"removeAllOrderLines": {"__typename": "Order"}}

    async with vendure(data) as store:
        assert await store.shopper.takes("31") is takes
    filled = answer["__typename"] == "Order"
    assert sent == ["mutation AddItem", "mutation Empty"][: 1 + filled]


async def test_a_vendure_store_with_an_address_of_its_own_is_not_visited() -> None:
    access = StoreAccess(
        VENDURE.settings(url="http://127.0.0.1:9/graphql/staff"), VENDURE.credentials(api_key="key")
    )
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"data": SHOP}))
    async with VendureTarget(access, open_vendure(access, transport=transport)) as store:
        with pytest.raises(NotTold):
            await store.shopper.takes("31")


def test_what_a_platform_cannot_do_is_not_there() -> None:
    assert not isinstance(medusa({}, []), HasTraces)
    assert isinstance(medusa({}, []), HasDesk)
    assert isinstance(medusa({}, []), HasShopper)
    assert not isinstance(vendure(lambda *_: {}), HasTraces)
