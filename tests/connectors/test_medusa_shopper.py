"""Going shopping in a Medusa store: what its Store API is asked, and what is made of its answers.

`tests/live` goes shopping in a running one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from connectors.base import StoreAccess
from connectors.desk import NotTold
from connectors.errors import StoreError
from connectors.medusa import CONNECTOR
from connectors.medusa.api import open_api
from connectors.medusa.target import MedusaTarget
from connectors.records import money

STORE = {
    "id": "store_1",
    "default_sales_channel_id": "sc_1",
    "supported_currencies": [{"currency_code": "gbp", "is_default": True}],
}
REGIONS = [
    {"id": "reg_1", "currency_code": "eur"},
    {"id": "reg_3", "currency_code": "gbp"},
    {"id": "reg_2", "currency_code": "gbp"},
]
KEYS = [
    {"id": "apk_1", "token": "pk_old", "revoked_at": "2026-01-01T00:00:00Z"}
    | {"sales_channels": [{"id": "sc_1"}]},
    {"id": "apk_2", "token": "pk_other", "sales_channels": [{"id": "sc_2"}]},
    {"id": "apk_3", "token": "pk_shop", "sales_channels": [{"id": "sc_2"}, {"id": "sc_1"}]},
    {"id": "apk_4", "token": "pk_idle", "sales_channels": []},
]
Answers = dict[str, Any]


def rows(name: str, some: list[Any]) -> dict[str, Any]:
    return {name: some, "count": len(some)}


LISTS: Answers = {
    "/admin/stores": rows("stores", [STORE]),
    "/admin/api-keys": rows("api_keys", KEYS),
    "/store/regions": rows("regions", REGIONS),
}


def medusa(answers: Answers, asked: list[httpx.Request]) -> MedusaTarget:
    """A target that answers these by their path: JSON, or a status alone."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        found = (LISTS | answers)[request.url.path]
        if isinstance(found, httpx.Response):
            return found
        return httpx.Response(200, json=found)

    access = StoreAccess(
        CONNECTOR.settings(url="http://127.0.0.1:9"), CONNECTOR.credentials(api_key="sk_secret")
    )
    return MedusaTarget(access, open_api(access, transport=httpx.MockTransport(answer)))


def goods(variant: str, amount: float | None, **fields: Any) -> dict[str, Any]:
    price = {"calculated_amount": amount, "currency_code": "gbp"}
    known = {"id": variant, "sku": variant.upper(), "manage_inventory": True}
    return {**known, "inventory_quantity": 3, "calculated_price": price, **fields}


def sent(asked: list[httpx.Request], method: str) -> list[httpx.Request]:
    return [each for each in asked if each.method == method]


async def test_visitors_come_with_a_publishable_key_of_the_usual_channel_and_no_other() -> None:
    asked: list[httpx.Request] = []
    found = {"id": "prod_1", "variants": [goods("one", 8.5), goods("two", 10)]}
    async with medusa({"/store/products": rows("products", [found])}, asked) as store:
        [offer] = await store.shopper.by_name("Mug & Co")
        await store.shopper.by_name(r"Back\slash")
    assert (offer.product, offer.price, offer.in_stock) == ("prod_1", money("8.5", "GBP"), True)
    assert offer.buyable == ("one", "two")
    visits = [each for each in asked if each.url.path.startswith("/store/")]
    assert [each.url.path for each in visits] == ["/store/regions", *["/store/products"] * 2]
    assert {each.headers["x-publishable-api-key"] for each in visits} == {"pk_shop"}
    assert not any("authorization" in each.headers for each in visits)
    query = dict(visits[1].url.params)
    assert (query["q"], query["region_id"]) == ("Mug & Co", "reg_2")
    assert query["sales_channel_id"] == "sc_1"
    assert dict(visits[2].url.params)["q"] == r"Back\\slash"


@pytest.mark.parametrize(
    ("fields", "in_stock"),
    [
        ({}, True),
        ({"inventory_quantity": 0}, False),
        ({"inventory_quantity": None}, False),
        ({"inventory_quantity": 0, "allow_backorder": True}, True),
        ({"inventory_quantity": None, "manage_inventory": False}, True),
    ],
)
async def test_what_nobody_counts_is_in_stock(fields: dict[str, Any], *, in_stock: bool) -> None:
    found = {"id": "prod_1", "variants": [goods("one", None, **fields)]}
    async with medusa({"/store/products": rows("products", [found])}, []) as store:
        [offer] = await store.shopper.by_name("Mug")
    assert (offer.in_stock, offer.price) == (in_stock, None)


async def test_more_than_the_sku_that_was_asked_for_is_left_out() -> None:
    found = [{"id": f"prod_{each}", "variants": [goods(each, 1)]} for each in ("one", "two")]
    asked: list[httpx.Request] = []
    async with medusa({"/store/products": rows("products", found)}, asked) as store:
        offers = await store.shopper.by_sku("TWO")
    assert [each.product for each in offers] == ["prod_two"]
    assert dict(asked[-1].url.params)["variants[sku]"] == "TWO"


async def test_a_cart_is_made_with_the_goods_and_emptied_again() -> None:
    asked: list[httpx.Request] = []
    cart = {"cart": {"id": "cart_1", "items": [{"id": "cali_1", "variant_id": "one"}]}}
    emptied = "/store/carts/cart_1/line-items/cali_1"
    async with medusa({"/store/carts": cart, emptied: {"deleted": True}}, asked) as store:
        assert await store.shopper.takes("one")
        assert not await store.shopper.takes("two")
    assert json.loads(sent(asked, "POST")[0].content) == {
        "region_id": "reg_2",
        "sales_channel_id": "sc_1",
        "items": [{"variant_id": "one", "quantity": 1}],
    }
    assert [each.url.path for each in sent(asked, "DELETE")] == [emptied] * 2


async def test_goods_that_are_refused_leave_no_cart() -> None:
    asked: list[httpx.Request] = []
    said = {"type": "not_allowed", "code": "insufficient_inventory", "message": "Not enough"}
    answers = {"/store/carts": httpx.Response(400, json=said)}
    async with medusa(answers, asked) as store:
        assert not await store.shopper.takes("one")
    assert not sent(asked, "DELETE")


async def test_a_store_that_breaks_down_is_no_refusal() -> None:
    answers = {"/store/carts": httpx.Response(500, json={"type": "unknown_error"})}
    async with medusa(answers, []) as store:
        with pytest.raises(StoreError):
            await store.shopper.takes("one")


_PAGE = "<!DOCTYPE html><pre>Cannot GET /store/regions</pre>"


@pytest.mark.parametrize(
    ("path", "answer", "words"),
    [
        ("/admin/api-keys", lambda: rows("api_keys", [KEYS[0], KEYS[3]]), "publishable API key"),
        ("/store/regions", lambda: rows("regions", REGIONS[:1]), "region"),
        ("/store/regions", lambda: httpx.Response(404, text=_PAGE), "keeps visitors out"),
        ("/store/regions", lambda: httpx.Response(403, text="Forbidden"), "keeps visitors out"),
    ],
    ids=["no key", "no region", "no Store API", "a gate"],
)
async def test_a_store_without_visitors_says_why(
    path: str, answer: Callable[[], Any], words: str
) -> None:
    async with medusa({path: answer()}, []) as store:
        with pytest.raises(NotTold, match=words) as caught:
            await store.shopper.takes("one")
    assert "pk_" not in str(caught.value)
