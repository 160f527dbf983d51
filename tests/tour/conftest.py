"""What the tour takes place on: the running service, and two small shops.

`service` is the HTTP API as any client sees it. `old_shop` and `new_shop` are practice stores that
speak the API of WooCommerce; the old one has a few goods, customers and orders.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.cli.demo.practice import PracticeStore
from app.cli.demo.scene import Scene
from tests.fixtures import servers
from tests.fixtures.shops import credentials, open_client

GOODS = [
    {"name": "White hanging heart", "sku": "85123A", "regular_price": "2.55", "stock_quantity": 90},
    {"name": "Metal lantern", "sku": "71053", "regular_price": "3.39", "stock_quantity": 40},
    {"name": "Glass star", "sku": "21730", "regular_price": "4.25", "stock_quantity": 12},
]


class Shop:
    """A shop, as its own people and its buyers use it."""

    def __init__(self, store: PracticeStore) -> None:
        self._store = store
        self.settings = {"url": store.url, "write_settle": 2}
        self.credentials = credentials(store)
        self._client = open_client(store)

    def close(self) -> None:
        self._client.close()

    def everything(self, kind: str, **query: Any) -> list[dict[str, Any]]:
        """All records of a kind, as the shop's API lists them."""
        answer = self._client.get(f"/{kind}", params={"per_page": 100, **query})
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()
        return found

    def product(self, sku: str) -> dict[str, Any]:
        """One product by its SKU."""
        return self.everything("products", sku=sku)[0]

    def sell(self, sku: str, quantity: int, email: str) -> dict[str, Any]:
        """An order, paid."""
        body = {
            "status": "processing",
            "billing": {"first_name": "Ada", "last_name": "King", "email": email},
            "line_items": [{"product_id": self.product(sku)["id"], "quantity": quantity}],
        }
        answer = self._client.post("/orders", json=body)
        answer.raise_for_status()
        order: dict[str, Any] = answer.json()
        return order

    def change(self, sku: str, **fields: Any) -> None:
        """Change a product."""
        answer = self._client.put(f"/products/{self.product(sku)['id']}", json=fields)
        answer.raise_for_status()

    def mails(self) -> int:
        """How many mails the shop has sent to anybody."""
        return self._store.effects().mails

    def writes(self) -> int:
        """How many records were written over the shop's API."""
        return self._store.effects().writes


@pytest.fixture(scope="session")
def scene() -> Iterator[Scene]:
    """The API, two workers, their servers and two practice stores, as processes."""
    with servers.scene() as opened:
        yield opened


@pytest.fixture(scope="session")
def service(scene: Scene) -> Iterator[httpx.Client]:
    """The service's HTTP API."""
    with httpx.Client(
        base_url=f"{scene.api.url}/v1",
        headers={"Authorization": f"Bearer {scene.key_file.read_text().strip()}"},
        trust_env=False,
        timeout=60,
    ) as client:
        yield client


@pytest.fixture(scope="session")
def old_shop(scene: Scene) -> Iterator[Shop]:
    """A shop that has been selling for a while."""
    goods = [{**each, "manage_stock": True, "status": "publish"} for each in GOODS]
    scene.source.ask("POST", "/load", {"product": goods})
    shop = Shop(scene.source)
    shop.sell("85123A", 6, "ada@example.com")
    shop.sell("71053", 1, "grace@example.com")
    yield shop
    shop.close()


@pytest.fixture(scope="session")
def new_shop(scene: Scene) -> Iterator[Shop]:
    """A shop that is still empty."""
    shop = Shop(scene.target)
    yield shop
    shop.close()


@pytest.fixture(scope="session")
def migration(service: httpx.Client, old_shop: Shop, new_shop: Shop) -> str:
    """The slug of a migration whose stores are registered."""
    for name, shop in (("old", old_shop), ("new", new_shop)):
        store = {
            "name": name,
            "platform": "woocommerce",
            "settings": shop.settings,
            "credentials": shop.credentials,
        }
        assert service.post("/stores", json=store).status_code == 201
    plan = {
        "slug": "spring-launch",
        "source": "old",
        "target": "new",
        # Practice stores show their writes at once; a real shop wants the connector's own values.
        "policies": {"overlap": 30, "settle": 1},
    }
    assert service.post("/migrations", json=plan).status_code == 201
    return "spring-launch"


@pytest.fixture(scope="session")
def run(service: httpx.Client, migration: str) -> Any:
    """Starts a job and gives it back when it has ended."""

    def start(kind: str, **body: Any) -> dict[str, Any]:
        answer = service.post("/jobs", json={"kind": kind, "migration": migration, **body})
        assert answer.status_code == 202, answer.text
        job: dict[str, Any] = answer.json()
        deadline = time.monotonic() + 120
        while job["status"] in ("queued", "running"):
            assert time.monotonic() < deadline, job
            wait = {"Prefer": "wait=20"}
            job = service.get(f"/jobs/{job['id']}", headers=wait).json()
        return job

    return start


@pytest.fixture(scope="session")
def copied(run: Any) -> dict[str, Any]:
    """The job that has copied the old shop into the new one."""
    job: dict[str, Any] = run("full")
    return job
