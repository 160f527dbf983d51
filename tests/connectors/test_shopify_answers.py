"""What Shopify's answers mean: nearly all of them come with status 200."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest
from msgspec.structs import replace

from connectors.answers import Again, Answer
from connectors.base import StoreAccess
from connectors.budget import LocalBudget
from connectors.errors import BadAnswer, Rejected, SignInAgain, Unreachable
from connectors.shopify.api import (
    Document,
    TooCostlyError,
    UserError,
    judge,
    open_api,
    opened,
)
from connectors.shopify.changing import RefusedInput
from connectors.shopify.settings import ShopifyCredentials, ShopifySettings

VERSION = "2026-10"
SHOP = Document("query Shop{shop{name}}")


def answer(body: Any, status: int = 200, version: str = VERSION) -> Answer:
    headers = {"x-shopify-api-version": version, "x-request-id": "r-1"}
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return Answer(status, httpx.Headers(headers), content)


def errors(code: str, **extensions: Any) -> dict[str, Any]:
    error = {
        "message": "secret text",
        "path": ["orders", "nodes", 3, "customer"],
        "extensions": {"code": code, **extensions},
    }
    return {"data": None, "errors": [error]}


def cost(requested: float, available: float, rate: float = 100.0) -> dict[str, Any]:
    status = {
        "maximumAvailable": 2000.0,
        "currentlyAvailable": available,
        "restoreRate": rate,
    }
    return {"cost": {"requestedQueryCost": requested, "throttleStatus": status}}


def test_data_is_handed_on_with_what_it_cost():
    body = {"data": {"shop": {"name": "A"}}, "extensions": cost(12, 1988)}
    data, spent = opened(answer(body), VERSION)
    assert msgspec.json.decode(data) == {"shop": {"name": "A"}}
    assert spent == 12


async def test_an_empty_bucket_is_waited_for_as_long_as_it_takes_to_fill():
    """And the request keeps its place: it is the same one that goes then."""
    replies = [errors("THROTTLED") | {"extensions": cost(500, 100)}, {"data": {"shop": {}}}]
    slept: list[float] = []
    budget = LocalBudget(clock=lambda: sum(slept))

    def reply(_: httpx.Request) -> httpx.Response:
        headers = {"x-shopify-api-version": VERSION}
        return httpx.Response(200, headers=headers, json=replies.pop(0))

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    given = replace(access(access_token="shpat"), budgets=lambda _: budget)
    async with open_api(given, transport=httpx.MockTransport(reply), sleep=sleep) as api:
        assert await api.ask(SHOP, dict[str, Any]) == {"shop": {}}
        assert (api.stats.requests, api.stats.throttled) == (2, 1)
    assert sum(slept) == pytest.approx(4.0, rel=0.2)


def test_a_server_that_broke_may_have_done_the_work():
    failure = judge(answer(errors("INTERNAL_SERVER_ERROR")))
    assert failure is not None
    assert isinstance(failure.error, Unreachable)
    assert failure.again is Again.REPEATABLE


@pytest.mark.parametrize("body", [{"data": {"shop": None}}, b"<html>", errors("ACCESS_DENIED")])
def test_other_answers_are_no_failure_in_passing(body: Any):
    assert judge(answer(body)) is None


def test_partial_data_is_no_data():
    body = {"data": {"orders": {"nodes": []}}, "errors": [{"message": "secret text"}]}
    with pytest.raises(BadAnswer) as caught:
        opened(answer(body), VERSION)
    assert caught.value.code == "store_graphql_error"
    assert "secret" not in str(caught.value)


def test_an_answer_in_another_version_is_refused():
    with pytest.raises(BadAnswer) as caught:
        opened(answer({"data": {"shop": {}}}, version="2026-01"), VERSION)
    assert caught.value.code == "store_api_version"
    assert "2026-01" in caught.value.message


def test_a_search_that_was_not_understood_is_refused():
    """Shopify ignores it and shows every record there is."""
    warning = {"field": "updated_at", "message": "secret text", "code": "invalid_field"}
    body = {
        "data": {"orders": {"nodes": []}},
        "extensions": {"search": [{"path": ["orders"], "warnings": [warning]}]},
    }
    with pytest.raises(BadAnswer) as caught:
        opened(answer(body), VERSION)
    assert caught.value.code == "store_ignores_filter"


def test_a_missing_scope_is_named_by_its_place_in_the_document():
    with pytest.raises(SignInAgain) as caught:
        opened(answer(errors("ACCESS_DENIED")), VERSION)
    assert caught.value.code == "store_access_denied"
    assert "orders.nodes.customer" in caught.value.message
    assert "secret" not in caught.value.message


def test_a_query_that_is_too_costly_says_by_how_much():
    with pytest.raises(TooCostlyError) as caught:
        opened(answer(errors("MAX_COST_EXCEEDED", cost=4000, maxCost=1000)), VERSION)
    assert (caught.value.cost, caught.value.most) == (4000, 1000)


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (404, BadAnswer, "store_not_shopify"),
        (402, Rejected, "store_closed"),
        (423, Rejected, "store_closed"),
        (400, Rejected, "store_rejected"),
    ],
)
def test_a_status_is_told(status: int, kind: type[Exception], code: str):
    with pytest.raises(kind) as caught:
        opened(answer({"errors": "Not Found"}, status), VERSION)
    assert caught.value.code == code  # type: ignore[attr-defined]


def test_one_text_instead_of_a_list_of_errors_is_an_error():
    with pytest.raises(Rejected):
        opened(answer({"errors": "something"}), VERSION)


@pytest.mark.parametrize(
    ("message", "place", "code", "gone"),
    [
        ("Product does not exist", ["identifier", "id"], "PRODUCT_DOES_NOT_EXIST", True),
        ("Product does not exist", ["input"], "PRODUCT_DOES_NOT_EXIST", True),
        ("Collection does not exist", ["id"], None, True),
        ("Order not found", ["orderId"], "NOT_FOUND", True),
        ("Not there", ["identifier", "id"], "NOT_FOUND", True),
        ("Option does not exist", ["input", "variants", "0"], "OPTION_DOES_NOT_EXIST", False),
        ("Product variant does not exist", ["input", "variants", "0", "id"], None, False),
        ("Collection not found", ["input", "collections"], "NOT_FOUND", False),
        ("Customer not found", ["customerId"], "NOT_FOUND", False),
        ("Metafield definition not found", None, None, False),
        ("Title can't be blank", ["input", "id"], None, False),
    ],
)
def test_a_record_is_gone_only_where_the_error_is_about_it(
    message: str, place: list[str] | None, code: str | None, gone: bool
):
    """What is told as gone is made anew: a refusal of a part is none of that."""
    assert RefusedInput([UserError(message, place, code)]).gone is gone


@pytest.mark.parametrize("body", [{}, {"data": None}])
def test_an_answer_without_data_is_no_empty_page(body: Any):
    with pytest.raises(BadAnswer):
        opened(answer(body), VERSION)


class Shop(httpx.AsyncBaseTransport):
    """A store that knows one app and gives it tokens; the first token is soon revoked."""

    def __init__(self) -> None:
        self.granted = 0
        self.asked: list[str] = []
        self.valid = ""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        if request.url.path == "/admin/oauth/access_token":
            if b"client_secret=right" not in body:
                return httpx.Response(400, json={"error": "invalid_client"})
            self.granted += 1
            self.valid = f"token-{self.granted}"
            return httpx.Response(200, json={"access_token": self.valid, "expires_in": 86399})
        token = request.headers.get("x-shopify-access-token", "")
        self.asked.append(token)
        if not self.valid or token != self.valid:
            return httpx.Response(401, json={"errors": "Invalid API key or access token"})
        headers = {"x-shopify-api-version": VERSION}
        return httpx.Response(200, headers=headers, json={"data": {"shop": {"name": "A"}}})


def access(**credentials: str) -> StoreAccess:
    return StoreAccess(
        ShopifySettings(url="http://shop.test"), ShopifyCredentials.model_validate(credentials)
    )


async def test_a_token_is_fetched_once_and_again_when_it_is_revoked():
    shop = Shop()
    signed = access(client_id="app", client_secret="right")
    async with open_api(signed, transport=shop) as api:
        await api.ask(SHOP, dict[str, Any])
        await api.ask(SHOP, dict[str, Any])
        shop.valid = "revoked"
        await api.ask(SHOP, dict[str, Any])
    assert shop.granted == 2
    assert shop.asked == ["token-1", "token-1", "token-1", "token-2"]


async def test_a_wrong_secret_asks_to_sign_in_again():
    signed = access(client_id="app", client_secret="wrong")
    async with open_api(signed, transport=Shop()) as api:
        with pytest.raises(SignInAgain):
            await api.ask(SHOP, dict[str, Any])


async def test_a_wrong_token_asks_to_sign_in_again():
    async with open_api(access(access_token="shpat_wrong"), transport=Shop()) as api:
        with pytest.raises(SignInAgain):
            await api.ask(SHOP, dict[str, Any])


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("my-store", "https://my-store.myshopify.com"),
        ("https://my-store.myshopify.com/", "https://my-store.myshopify.com"),
        ("https://my-store.myshopify.com/admin", "https://my-store.myshopify.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_an_address_is_brought_into_one_form(given: str, kept: str):
    assert ShopifySettings(url=given).url == kept


@pytest.mark.parametrize(
    "given",
    [{}, {"client_id": "a"}, {"access_token": "t", "client_id": "a", "client_secret": "s"}],
)
def test_credentials_are_one_way_to_sign_in(given: dict[str, str]):
    with pytest.raises(ValueError, match="give an access token"):
        ShopifyCredentials.model_validate(given)
