"""What Vendure's answers mean, and how its lists are walked, without a store."""

from __future__ import annotations

import json
from typing import Any, cast

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from connectors.answers import Answer, Failure
from connectors.base import StoreAccess, Sweep, Window
from connectors.errors import BadAnswer, Rejected, SignInAgain, StoreError, Unreachable
from connectors.records import Stream
from connectors.testing.contents import LONG_AGO
from connectors.vendure import CONNECTOR
from connectors.vendure.api import (
    Api,
    Document,
    GoneError,
    NoSuchFieldError,
    TakenError,
    judge,
    open_api,
    opened,
)
from connectors.vendure.searches import options
from connectors.vendure.shop import SHOP
from connectors.vendure.walking import Position, Question, Walker
from connectors.vendure.wire import Listed

_LIST = Question(Document("query List { things }"), "things")


def answer(*, status: int = 200, **body: Any) -> Answer:
    return Answer(status, httpx.Headers(), json.dumps(body).encode())


def error(code: str | None, message: str = "", *path: str | int) -> dict[str, Any]:
    return {"message": message, "path": list(path), "extensions": {"code": code}}


@pytest.mark.parametrize(
    ("errors", "kind"),
    [
        ([error("FORBIDDEN")], SignInAgain),
        ([error("ENTITY_NOT_FOUND")], GoneError),
        ([error("GRAPHQL_VALIDATION_FAILED")], NoSuchFieldError),
        ([error("USER_INPUT_ERROR")], Rejected),
        ([error(None, "duplicate key value violates unique constraint")], TakenError),
        ([error("INTERNAL_SERVER_ERROR", "null value violates not-null")], Rejected),
    ],
)
def test_what_is_wrong_with_an_answer_of_status_200(
    errors: list[dict[str, Any]], kind: type[StoreError]
) -> None:
    found = answer(errors=errors, data=None)
    assert judge(found) is None
    with pytest.raises(kind):
        opened(found, changes=True)


@pytest.mark.parametrize("code", ["INTERNAL_SERVER_ERROR", None])
def test_a_server_that_broke_is_asked_again(code: str | None) -> None:
    found = judge(answer(errors=[error(code, "the database is gone")], data=None))
    assert isinstance(found, Failure)
    assert isinstance(found.error, Unreachable)


def test_a_change_whose_answer_is_shown_in_part_did_happen() -> None:
    """It must not be taken for refused, and sent again."""
    found = answer(errors=[error("FORBIDDEN", "", "createProduct", "variants")], data=None)
    with pytest.raises(BadAnswer):
        opened(found, changes=True)
    with pytest.raises(SignInAgain):
        opened(found, changes=False)


def test_nothing_of_a_stores_own_words_is_told() -> None:
    found = answer(errors=[error("USER_INPUT_ERROR", "ann@example.test is taken")], data=None)
    with pytest.raises(Rejected) as caught:
        opened(found, changes=True)
    assert "ann" not in str(caught.value)


async def test_a_session_is_opened_once_and_renewed_once() -> None:
    seen: list[str] = []

    def serve(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        if "SignIn" in body["query"]:
            seen.append("sign in")
            user = {"data": {"login": {"__typename": "CurrentUser"}}}
            token = f"t{seen.count('sign in')}"
            return httpx.Response(200, json=user, headers={"vendure-auth-token": token})
        seen.append(request.headers["authorization"])
        if request.headers["authorization"] == "Bearer t1":
            return httpx.Response(200, json={"errors": [error("FORBIDDEN")], "data": None})
        return httpx.Response(200, json={"data": {"id": "1"}})

    access = StoreAccess(
        CONNECTOR.settings(url="http://vendure.test/admin-api"),
        CONNECTOR.credentials(username="x", password="y"),
    )
    async with open_api(access, transport=httpx.MockTransport(serve)) as api:
        for _ in range(2):
            assert await api.ask(SHOP, dict[str, str]) == {"id": "1"}
    assert seen == ["sign in", "Bearer t1", "sign in", "Bearer t2", "Bearer t2"]


class Store:
    """A list that changes between two pages: `moves` are ids to delete, or below zero to add."""

    def __init__(self, ids: set[int], moves: list[list[int]]) -> None:
        self.ids = ids
        self._moves = iter(moves)

    async def ask(self, _: Document, __: object, variables: dict[str, Any]) -> Any:
        for each in next(self._moves, []):
            if each < 0:
                self.ids.add(-each)
            else:
                self.ids.discard(each)
        asked = variables["options"]
        rows = sorted(self.ids)[asked["skip"] :][: asked["take"]]
        items = [Raw(json.dumps({"id": str(each)}).encode()) for each in rows]
        return {"things": Listed(items, len(self.ids))}


_IDS = st.integers(1, 60)
_MOVES = st.lists(st.lists(st.one_of(_IDS, _IDS.map(lambda each: -each)), max_size=8), max_size=30)


@given(st.sets(_IDS, max_size=40), _MOVES, st.integers(1, 7))
async def test_a_walk_misses_nothing_that_stays(
    ids: set[int], moves: list[list[int]], size: int
) -> None:
    """Whatever comes and goes between two pages, and wherever."""
    touched = {abs(each) for move in moves for each in move}
    walker = Walker(cast("Api", Store(set(ids), moves)))
    seen = [
        json.loads(bytes(row))["id"]
        async for step in walker.walk(_LIST, size, Position())
        for row in step.rows
    ]
    assert {str(each) for each in ids - touched} <= set(seen)
    assert len(seen) == len(set(seen))


async def test_a_walk_goes_on_while_records_come_in_behind_it() -> None:
    """Ids that are no numbers come anywhere in a list."""
    ids = set(range(50, 54))
    walker = Walker(cast("Api", Store(ids, [[], *([-each] for each in range(1, 12))])))
    steps = [step async for step in walker.walk(_LIST, 1, Position())]
    seen = [json.loads(bytes(row))["id"] for step in steps for row in step.rows]
    assert seen == ["50", "51", "52", "53"]


async def test_a_store_that_shows_one_page_for_ever_is_refused() -> None:
    class Endless(Store):
        async def ask(self, document: Document, kind: object, variables: dict[str, Any]) -> Any:
            variables["options"]["skip"] = 0
            return await super().ask(document, kind, variables)

    walker = Walker(cast("Api", Endless(set(range(1, 60)), [])))
    with pytest.raises(BadAnswer) as caught:
        [step async for step in walker.walk(_LIST, 2, Position())]
    assert caught.value.code == "store_repeats_page"


async def test_a_store_that_does_not_sort_is_refused() -> None:
    class Unsorted(Store):
        async def ask(self, *asked: Any) -> Any:
            found = await super().ask(*asked)
            found["things"].items.reverse()
            return found

    walker = Walker(cast("Api", Unsorted({1, 2, 3}, [])))
    with pytest.raises(BadAnswer):
        [step async for step in walker.walk(_LIST, 5, Position())]


def test_orders_are_asked_for_by_everything_that_may_tell_of_a_change() -> None:
    window = Window(LONG_AGO, LONG_AGO)
    found = options(Stream.ORDERS, window)["filter"]
    after = {"after": "2011-11-03T08:25:59.999Z"}
    assert found["orderPlacedAt"] == {"isNull": False}
    assert found["_or"] == [
        {"updatedAt": after},
        {"orderPlacedAt": after},
        {"state": {"notIn": ["Delivered", "Cancelled"]}},
    ]
    assert options(Stream.ORDERS, Sweep()) == {"filter": {"orderPlacedAt": {"isNull": False}}}
    assert options(Stream.CUSTOMERS, window) == {}


def test_nothing_is_left_unread_because_of_a_date_that_does_not_move() -> None:
    """A shallow sweep reads what has another date: an order or an address changes without one."""
    assert {stream for stream, each in CONNECTOR.reads.items() if each.shallow} == {
        Stream.CATEGORIES
    }
