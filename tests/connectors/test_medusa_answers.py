"""What the connector makes of a Medusa server's answers, right and wrong ones, without a server."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from connectors.base import StoreAccess, Sweep, TaxBasis, Window
from connectors.errors import BadAnswer, SignInAgain
from connectors.medusa import CONNECTOR
from connectors.medusa.api import Api, RefusedRequest, open_api
from connectors.medusa.shop import Shop
from connectors.medusa.source import MedusaSource
from connectors.medusa.target import MedusaTarget
from connectors.medusa.wire import WireCustomer
from connectors.records import Stream
from connectors.testing.contents import customer, order
from connectors.testing.contract import DescriptionContract
from connectors.testing.operations import applied, operations, refused
from connectors.testing.sweeps import read

Answer = Callable[[httpx.Request], httpx.Response]

DATE = {"Date": "Thu, 26 Nov 2026 10:00:00 GMT"}


class TestMedusa(DescriptionContract):
    connector = CONNECTOR


def access(**settings: Any) -> StoreAccess:
    return StoreAccess(
        CONNECTOR.settings(url="http://127.0.0.1:9", **settings),
        CONNECTOR.credentials(api_key="sk_test"),
    )


def api(answer: Answer) -> Api:
    return open_api(access(), transport=httpx.MockTransport(answer))


def source(answer: Answer, **settings: Any) -> MedusaSource:
    given = access(**settings)
    return MedusaSource(given, open_api(given, transport=httpx.MockTransport(answer)))


def found(name: str, rows: list[dict[str, Any]], count: int | None = None) -> httpx.Response:
    body = {name: rows, "count": len(rows) if count is None else count}
    return httpx.Response(200, json=body, headers=DATE)


def refusing(status: int, kind: str, message: str) -> Answer:
    return lambda _: httpx.Response(status, json={"type": kind, "message": message})


@pytest.mark.parametrize(
    ("message", "taken"),
    [
        ("Product with handle: mug-1, already exists.", "handle"),
        ("Product variant with sku: S-S, already exists.", "sku"),
        ("Customer with email: a@b.test, has_account: false, already exists.", "email"),
        ("Product options are not provided for: [X].", ""),
    ],
)
async def test_a_refusal_names_what_is_taken_and_says_no_value(message: str, taken: str) -> None:
    medusa = api(refusing(400, "invalid_data", message))
    async with medusa.http:
        with pytest.raises(RefusedRequest) as caught:
            await medusa.send("POST", "products", {}, dict[str, Any])
    assert caught.value.taken.startswith(taken)
    assert bool(caught.value.taken) == bool(taken)
    for secret in ("mug-1", "S-S", "a@b.test", "[X]"):
        assert secret not in str(caught.value)


async def test_a_web_page_of_404_is_no_record_that_is_gone() -> None:
    """What is no address of the server is answered like this, a wrong server's too."""
    medusa = api(lambda _: httpx.Response(404, text="<!DOCTYPE html><pre>Cannot GET</pre>"))
    async with medusa.http:
        with pytest.raises(RefusedRequest) as caught:
            await medusa.get("products/prod_1", dict[str, Any])
    assert not caught.value.is_gone
    async with medusa.http:
        with pytest.raises(BadAnswer) as wrong:
            await Shop(medusa, CONNECTOR.settings(url="http://127.0.0.1:9")).report()  # type: ignore[arg-type]
    assert wrong.value.code == "store_not_medusa"


async def test_an_answer_that_is_no_list_is_no_empty_one() -> None:
    medusa = api(lambda _: httpx.Response(200, json={"status": "ok", "count": 0}))
    async with medusa.http:
        with pytest.raises(BadAnswer):
            await medusa.list("customers", {}, WireCustomer)


async def test_a_store_that_ignores_ids_is_found_out() -> None:
    """Medusa shows everything where it does not understand a filter."""
    rows = [{"id": f"prod_{number}", "title": "Mug"} for number in range(3)]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("stores"):
            currency = {"currency_code": "gbp", "is_default": True}
            return found("stores", [{"id": "store_1", "supported_currencies": [currency]}])
        return found("products", rows)

    async with source(answer) as store:
        with pytest.raises(BadAnswer) as caught:
            await store.get(Stream.PRODUCTS, ["prod_1"])
    assert caught.value.code == "filter_not_kept"


async def test_a_store_that_ignores_where_a_page_begins_is_found_out() -> None:
    rows = [{"id": f"cus_{number}", "email": f"c{number}@example.test"} for number in range(5)]
    async with source(lambda _: found("customers", rows, 50), page_size=5) as store:
        with pytest.raises(BadAnswer) as caught:
            await read(store, Stream.CUSTOMERS, Sweep())
    assert caught.value.code == "store_repeats_page"


async def test_a_store_that_counts_what_it_does_not_show_is_found_out() -> None:
    async with source(lambda _: found("products", [], 7)) as store:
        with pytest.raises(BadAnswer) as caught:
            await read(store, Stream.PRODUCTS, Sweep())
    assert caught.value.code == "store_lacks_rows"


async def test_orders_older_than_a_window_are_counted() -> None:
    row = {"id": "order_1", "status": "pending", "currency_code": "gbp", "display_id": 1}
    rows = {
        "orders": [row | {"updated_at": "2026-01-01T00:00:00.000Z"}],
        "payments": [],
        "stores": [{"id": "store_1"}],
    }

    def answer(request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        return found(name, rows[name])

    async with source(answer) as store:
        now = await store.server_time()
        pages = [p async for p in store.read(Stream.ORDERS, Window(now, now), {}, None)]
    assert sum(page.outside for page in pages) == 1


async def test_a_row_that_cannot_be_understood_spoils_no_other() -> None:
    rows = [
        {"id": "cus_1", "email": "ann@example.test"},
        {"id": "cus_2", "email": None},
        {"id": "cus_3", "email": 7},
    ]
    async with source(lambda _: found("customers", rows)) as store:
        [page] = [p async for p in store.read(Stream.CUSTOMERS, Sweep(), {}, None)]
    assert [record.id for record in page.records] == ["cus_1"]
    assert sorted(each for each, _ in page.failed) == ["cus_2", "cus_3"]


async def test_the_key_goes_as_a_users_name() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(401, json={"message": "Unauthorized"})

    async with source(answer) as store:
        with pytest.raises(SignInAgain):
            await store.check()
    assert asked[0].headers["Authorization"] == httpx.BasicAuth("sk_test", "")._auth_header
    assert "sk_test" not in json.dumps(str(asked[0].url))


def without_addon(request: httpx.Request) -> httpx.Response:
    """A store that lacks our route."""
    if request.url.path.endswith("recent-sync/orders"):
        return httpx.Response(404, text="<pre>Cannot GET /admin/recent-sync/orders</pre>")
    currency = {"currency_code": "gbp", "is_default": True}
    rows = {
        "stores": [{"id": "store_1", "supported_currencies": [currency]}],
        "stock_locations": [],
        "price_preferences": [],
    }
    name = request.url.path.rpartition("/")[2].replace("-", "_")
    return found(name, rows[name])


async def test_a_store_without_the_add_on_is_told_and_gets_no_order() -> None:
    given = access()
    store = open_api(given, transport=httpx.MockTransport(without_addon))
    async with MedusaTarget(given, store) as target:
        report = await target.check()
        outcomes = await target.write(Stream.ORDERS, operations(Stream.ORDERS, [order(1)]))
    assert [code for code, _ in report.findings] == ["addon_missing", "no_stock_location"]
    assert refused(outcomes)["1"].code == "addon_missing"


@pytest.mark.parametrize(
    ("preferences", "basis"),
    [
        ([], TaxBasis.NET),
        ([("currency_code", "gbp", True)], TaxBasis.GROSS),
        ([("currency_code", "gbp", False)], TaxBasis.NET),
        # A server that ignores what it was asked for; and prices of one region alone.
        ([("currency_code", "eur", True), ("region_id", "gbp", True)], TaxBasis.NET),
    ],
)
async def test_whether_prices_hold_the_tax_is_told_by_their_currency(
    preferences: list[tuple[str, str, bool]], basis: TaxBasis
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("price-preferences"):
            return without_addon(request)
        rows = [
            {"id": str(at), "attribute": name, "value": value, "is_tax_inclusive": gross}
            for at, (name, value, gross) in enumerate(preferences)
        ]
        return found("price_preferences", rows)

    async with source(answer) as store:
        assert (await store.check()).tax_basis is basis


async def test_a_store_that_keeps_its_price_preferences_to_itself_is_read_all_the_same() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("price-preferences"):
            return httpx.Response(403, json={"type": "forbidden", "message": "no"})
        return without_addon(request)

    async with source(answer) as store:
        report = await store.check()
    assert (report.currency, report.tax_basis) == ("GBP", None)


def with_a_customer(request: httpx.Request) -> httpx.Response:
    """A store in which somebody has the email of the first customer."""
    row = {"id": "cus_7", "email": "Ann.1@example.test", "first_name": "Ann", "addresses": []}
    path = request.url.path.removeprefix("/admin/")
    if request.method == "GET" and path == "customers":
        return found("customers", [row])
    if request.method == "POST" and path == "customers":
        if json.loads(request.content)["email"] == "ann.1@example.test":
            message = "Customer with email: ann.1@example.test, has_account: false, already exists."
            return refusing(400, "invalid_data", message)(request)
        row |= {"id": "cus_8", "email": "ann.2@example.test"}
    elif path.startswith("customers/cus_8"):
        row |= {"id": "cus_8", "email": "ann.2@example.test"}
    return httpx.Response(200, json={"customer": row}, headers=DATE)


async def test_a_customer_who_is_there_already_is_found_and_said_so() -> None:
    given = access()
    store = open_api(given, transport=httpx.MockTransport(with_a_customer))
    sent = operations(Stream.CUSTOMERS, [customer(1), customer(2)])
    async with MedusaTarget(given, store) as target:
        made = applied(await target.write(Stream.CUSTOMERS, sent))
    assert (made["1"].target_id, made["1"].found) == ("cus_7", "email")
    assert (made["2"].target_id, made["2"].found) == ("cus_8", None)
