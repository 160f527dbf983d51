"""Practice stores driven in process, with a clock that the test moves."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from sandbox.app import App, create_app
from sandbox.store import StoreConfig

START = 1_764_072_000.0  # 2025-11-25T12:00:00 GMT, 07:00 in New York, 13:00 in Berlin


class Shopkeeper:
    """A client of one store that also knows the store's inside."""

    def __init__(self, app: App, now: list[float]):
        self.app = app
        self.store = app.store
        self._now = now
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app),
            base_url="http://shop.test",
            auth=("ck_practice", "cs_practice"),
            headers={"X-Forwarded-Proto": "https"},
        )

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self._now[0] += seconds

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self.http.get(f"/wp-json/wc/v3/{path}", params=query)

    async def items(self, path: str, **query: Any) -> list[dict[str, Any]]:
        response = await self.get(path, **query)
        assert response.status_code == 200, response.text
        return response.json()

    async def ids(self, path: str, **query: Any) -> list[int]:
        return [item["id"] for item in await self.items(path, **query)]

    async def post(self, path: str, body: Any = None) -> httpx.Response:
        return await self.http.post(f"/wp-json/wc/v3/{path}", json=body or {})

    async def put(self, path: str, body: Any = None) -> httpx.Response:
        return await self.http.put(f"/wp-json/wc/v3/{path}", json=body or {})

    async def delete(self, path: str, **query: Any) -> httpx.Response:
        return await self.http.delete(f"/wp-json/wc/v3/{path}", params=query)

    async def make(self, path: str, **body: Any) -> dict[str, Any]:
        response = await self.post(path, body)
        assert response.status_code == 201, response.text
        return response.json()

    async def product(self, **body: Any) -> dict[str, Any]:
        return await self.make("products", **{"name": "Mug", "regular_price": "10.00", **body})

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        response = await self.http.request(method, f"/_control/{path}", json=body)
        assert response.status_code == 200, response.text
        return response.json()

    async def faults(self, **wanted: Any) -> None:
        await self.control("PUT", "faults", wanted)

    async def entries(self, kind: str) -> list[dict[str, Any]]:
        return (await self.control("GET", f"records?kind={kind}"))["entries"]

    async def mails(self) -> list[str]:
        return [entry["type"] for entry in await self.entries("mails")]

    async def modified(self, path: str) -> str:
        return (await self.get(path)).json()["date_modified_gmt"]


@pytest.fixture
async def open_shop() -> AsyncIterator[Callable[..., Shopkeeper]]:
    """Makes stores in memory; keyword arguments go to `StoreConfig`."""
    made: list[Shopkeeper] = []

    def make(**config: Any) -> Shopkeeper:
        now = [START]
        app = create_app(StoreConfig(time_source=lambda: now[0], **config))
        made.append(Shopkeeper(app, now))
        return made[-1]

    yield make
    for keeper in made:
        await keeper.http.aclose()
        await keeper.app.close()


@pytest.fixture
def shop(open_shop: Callable[..., Shopkeeper]) -> Shopkeeper:
    """A store in New York without taxes."""
    return open_shop()


@pytest.fixture
def taxed(open_shop: Callable[..., Shopkeeper]) -> Shopkeeper:
    """A store with the rate that was measured with."""
    return open_shop(tax_rate="7.25")
