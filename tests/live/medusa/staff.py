"""What the tests of traps do to a store, and how they look at it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from connectors.base import Sweep
from connectors.medusa.source import MedusaSource
from connectors.medusa.target import MedusaTarget
from connectors.records import Record, Stream
from connectors.testing.sweeps import read
from tests.live.medusa.selling import mug
from tests.live.medusa.store import MedusaStore


def goods(number: int, **fields: Any) -> dict[str, Any]:
    """A product as the staff makes it."""
    return {name: value for name, value in mug(number, "").items() if name != "categories"} | fields


async def make(store: MedusaStore, *products: dict[str, Any]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = (
        await store.ask("POST", "products/batch", {"create": list(products)})
    )["created"]
    return made


async def refusal(
    store: MedusaStore, method: str, path: str, body: Any = None, **query: Any
) -> int:
    """The status with which the store refuses a request."""
    with pytest.raises(httpx.HTTPStatusError) as caught:
        await store.ask(method, path, body, **query)
    return caught.value.response.status_code


def reading(store: MedusaStore, **settings: Any) -> MedusaSource:
    return MedusaSource(store.access(**settings))


def writing(store: MedusaStore, **settings: Any) -> MedusaTarget:
    return MedusaTarget(store.access(**settings))


async def only(store: MedusaStore, stream: Stream) -> Record:
    async with reading(store) as source:
        [record] = await read(source, stream, Sweep())
    return record


async def let_visitors_in(store: MedusaStore) -> None:
    """Give the store what a storefront needs: a region, and a publishable key of its channel."""
    [shop] = (await store.ask("GET", "stores"))["stores"]
    channel = {"add": [shop["default_sales_channel_id"]]}
    key = {"title": "Storefront", "type": "publishable"}
    made = (await store.ask("POST", "api-keys", key))["api_key"]["id"]
    await store.ask("POST", f"api-keys/{made}/sales-channels", channel)
    region = {"name": "Britain", "currency_code": "gbp", "countries": ["gb"]}
    await store.ask("POST", "regions", region)
