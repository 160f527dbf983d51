"""Practice stores that speak Shopify's API, in process, with a clock that the test moves."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from tests.contracts_location import require
from tests.shopify_store import App, open_store

START = 1_764_072_000.0  # 2025-11-25T12:00:00Z, 07:00 in New York
DEFAULT_OPTIONS = [{"name": "Title", "values": [{"name": "Default Title"}]}]
DEFAULT_CHOICE = [{"optionName": "Title", "name": "Default Title"}]
_keys = itertools.count(1)


class Merchant:
    """A client of one store that also knows the store's inside."""

    def __init__(self, app: App, now: list[float]) -> None:
        self.app = app
        self.store = app.store
        self.now = now
        self.version = "2026-10"
        self.token = "shpat_practice"
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://shop.test"
        )

    def wait(self, seconds: float) -> None:
        self.now[0] += seconds

    async def post(self, query: str, **variables: Any) -> httpx.Response:
        return await self.http.post(
            f"/admin/api/{self.version}/graphql.json",
            json={"query": query, "variables": variables},
            headers={"X-Shopify-Access-Token": self.token},
        )

    async def answer(self, query: str, **variables: Any) -> dict[str, Any]:
        """The whole answer, whatever it is."""
        response = await self.post(query, **variables)
        assert response.status_code == 200, response.text
        return response.json()

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of a good answer."""
        answer = await self.answer(query, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def refused(self, query: str, **variables: Any) -> list[str | None]:
        """The codes of the errors of an answer."""
        answer = await self.answer(query, **variables)
        return [(each.get("extensions") or {}).get("code") for each in answer["errors"]]

    async def ids(self, field: str, search: str | None = None, **arguments: Any) -> list[int]:
        """Numbers of the ids of a list, in its order."""
        query = "query($q:String){%s(first:250,query:$q%s){nodes{id}}}"
        more = "".join(f",{name}:{value}" for name, value in arguments.items())
        data = await self.ask(query % (field, more), q=search)
        return [int(each["id"].rsplit("/", 1)[1]) for each in data[field]["nodes"]]

    async def write(self, name: str, kinds: str, result: str, **variables: Any) -> dict[str, Any]:
        """Run a mutation whose arguments are all variables; its payload.

        `kinds` are their types in order, `result` what is selected beside the user errors.
        """
        answer = await self.answer(mutation(name, kinds, result, variables), **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"][name]

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        response = await self.http.request(method, f"/_control/{path}", json=body)
        assert response.status_code == 200, response.text
        return response.json()

    async def load(self, kind: str, *documents: dict[str, Any]) -> list[int]:
        return (await self.control("POST", "load", {kind: documents}))[kind]

    async def edit(self, op: str, kind: str, number: int, **more: Any) -> None:
        await self.control("POST", "edits", {"op": op, "kind": kind, "id": number, **more})

    async def faults(self, **wanted: Any) -> None:
        await self.control("PUT", "faults", wanted)

    async def effects(self) -> dict[str, int]:
        return (await self.control("GET", "effects"))["counts"]

    async def product(self, **values: Any) -> int:
        """A product with one variant, three of it in stock."""
        stock = {"locationId": self.store.location["id"], "name": "available", "quantity": 3}
        variant = {
            "sku": "MUG",
            "price": "10",
            "optionValues": DEFAULT_CHOICE,
            "inventoryQuantities": [stock],
        }
        lists = {"productOptions": DEFAULT_OPTIONS, "variants": [variant]}
        [number] = await self.load("product", {"title": "Mug", **lists, **values})
        return number


def mutation(name: str, kinds: str, result: str, variables: dict[str, Any]) -> str:
    """A mutation as a document; mutations that want it get an idempotency key of their own."""
    declared = ",".join(
        f"${each}:{kind}" for each, kind in zip(variables, kinds.split(), strict=True)
    )
    given = ",".join(f"{each}:${each}" for each in variables)
    wanting = ("inventory", "refundCreate")
    once = f'@idempotent(key:"key-{next(_keys)}")' if name.startswith(wanting) else ""
    errors = "userErrors{field message}"
    return f"mutation({declared}){{{name}({given}){once}{{{result} {errors}}}}}"


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


def pounds(amount: str) -> dict[str, Any]:
    return {"shopMoney": {"amount": amount, "currencyCode": "GBP"}}


@pytest.fixture
async def open_shop() -> AsyncIterator[Callable[..., Merchant]]:
    """Makes stores in memory; keyword arguments go to `StoreConfig`."""
    require("shopify")
    made: list[Merchant] = []

    def make(**config: Any) -> Merchant:
        now = [START]
        made.append(Merchant(open_store(time_source=lambda: now[0], **config), now))
        return made[-1]

    yield make
    for merchant in made:
        await merchant.http.aclose()
        await merchant.app.close()


@pytest.fixture
def shop(open_shop: Callable[..., Merchant]) -> Merchant:
    """A store that pays for its plan."""
    return open_shop()
