"""A migration between two practice stores in this process, over WooCommerce's own API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from app.services.lifecycle import to_json
from connectors import registry
from connectors.base import Connector
from connectors.woocommerce import CONNECTOR
from tests.connectors.practice import Practice, practice
from tests.engine.conftest import Bench
from tests.engine.shop import FakeCredentials, FakeSettings


class Stores:
    """A migration between two practice stores, whose clocks move together."""

    def __init__(self, bench: Bench, old: Practice, new: Practice) -> None:
        self.bench, self.old, self.new = bench, old, new
        self.page_size = 100

    def wait(self, seconds: float) -> None:
        for shop in (self.old, self.new):
            shop.now[0] += seconds

    async def run(self, kind: str = "recent", **params: Any) -> dict[str, Any]:
        self.wait(60)
        row = await self.bench.run(kind, **params)
        assert (row["status"], row["error"]) == ("succeeded", None)
        return row

    async def set_policies(self, **policies: Any) -> None:
        async with self.bench.resources.engine.begin() as connection:
            await connection.execute(
                text("UPDATE migrations SET policies = CAST(:policies AS jsonb)"),
                {"policies": to_json({"settle": 0, **policies})},
            )

    async def scope(self, *streams: str) -> None:
        """Which streams the migration brings over."""
        async with self.bench.resources.engine.begin() as connection:
            await connection.execute(
                text("UPDATE migrations SET streams = :streams"), {"streams": list(streams)}
            )

    async def all(self, shop: Practice, path: str) -> list[dict[str, Any]]:
        """Up to a hundred records of a shop, in order of their ids."""
        found = await shop.admin("GET", f"{path}?orderby=id&order=asc&per_page=100&status=any")
        return [dict(each) for each in found]

    async def only(self, shop: Practice, path: str) -> dict[str, Any]:
        [found] = await self.all(shop, path)
        return found

    async def conflicts(self) -> list[dict[str, Any]]:
        return await self.bench.rows("SELECT field, status, decision FROM conflicts ORDER BY field")

    async def quarantine(self) -> list[dict[str, Any]]:
        """What is still open there."""
        return await self.bench.rows(
            "SELECT stream, source_id, code FROM quarantine WHERE status = 'open'"
            " ORDER BY stream, source_id"
        )


@asynccontextmanager
async def between_practice_stores(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, *, addon: bool = False, **target: Any
) -> AsyncIterator[Stores]:
    """The bench's migration, between two new and empty practice stores; `target` is how the new
    one is set up. `addon`: both have the add-on.
    """
    async with practice(addon=addon) as old, practice(addon=addon, **target) as new:
        stores = Stores(bench, old, new)
        shops = {"source": old, "target": new}
        platform = Connector(
            name="fake",
            title="Practice",
            settings=FakeSettings,
            credentials=FakeCredentials,
            reads=CONNECTOR.reads,
            writes={
                stream: replace(each, write_settle=0.5) for stream, each in CONNECTOR.writes.items()
            },
            source=lambda access: shops[access.settings.name].source(page_size=stores.page_size),
            target=lambda access: shops[access.settings.name].target(copy_images=False),
        )
        monkeypatch.setattr(registry, "connectors", lambda: {"fake": platform})
        # Their time stands still: a cutover would wait for ever for the source to settle.
        await stores.set_policies()
        yield stores


async def put(shop: Practice, path: str, record: dict[str, Any], **fields: Any) -> None:
    """An edit by hand."""
    await shop.admin("PUT", f"{path}/{record['id']}", fields)
