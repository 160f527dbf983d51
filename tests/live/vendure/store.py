"""A Vendure store for tests: its server, its database, and what its staff does."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from connectors.base import StoreAccess
from connectors.vendure import CONNECTOR
from tests.fixtures.databases import create_database, drop_database
from tests.live import npm, processes

ROOT = Path(__file__).resolve().parents[3]
_PROJECT = Path(__file__).with_name("project")
_ADDON = ROOT / "addons" / "vendure"
_NAME, _PASSWORD = "superadmin", "a password of the tests"
_API = "admin-api"
_AS_WRITTEN = {"join_collapse_limit": "1"}
"""Vendure joins a dozen tables in a query. To plan that costs PostgreSQL more than to look into as
few rows as tests have: it takes the tables in the order that the query names.
"""


@dataclass
class VendureStore:
    """A running store. `staff` is a client of its Admin API that is signed in."""

    url: str
    staff: httpx.AsyncClient
    database: asyncpg.Connection[Any]
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def credentials(self) -> dict[str, str]:
        """How the connector signs in."""
        return {"username": _NAME, "password": _PASSWORD}

    async def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        """One request of the staff."""
        body = {"query": document, "variables": variables}
        answer = (await self.staff.post(f"/{_API}", json=body)).json()
        assert not answer.get("errors"), answer["errors"]
        found: dict[str, Any] = answer["data"]
        return found

    async def control(self, what: str) -> dict[str, int]:
        """What the store's own script does for tests."""
        answer = await self.staff.post(f"/control/{what}")
        answer.raise_for_status()
        found: dict[str, int] = answer.json()
        return found

    def access(
        self, *, url: str = "", password: str = _PASSWORD, api_key: str = "", **settings: Any
    ) -> StoreAccess:
        """What the connector has to be given."""
        ways = {"api_key": api_key} if api_key else {"username": _NAME, "password": password}
        return StoreAccess(
            CONNECTOR.settings(url=f"{url or self.url}/{_API}", **settings),
            CONNECTOR.credentials(**ways),
        )

    async def stamps(self) -> dict[str, Any]:
        """When records of each table were changed last, to the microsecond."""
        tables = ("collection", "product", "product_variant", "customer", "address", "order")
        return {
            each: await self.database.fetchval(f'SELECT max("updatedAt") FROM "{each}"')  # noqa: S608
            for each in tables
        }

    async def sign_in(self) -> None:
        """Let the staff in."""
        document = (
            f'mutation {{ login(username: "{_NAME}", password: "{_PASSWORD}") {{ __typename }} }}'
        )
        answer = await self.staff.post(f"/{_API}", json={"query": document})
        self.staff.headers["Authorization"] = f"Bearer {answer.headers['vendure-auth-token']}"


class Vendures:
    """Stores of one kind."""

    def __init__(self, server_url: str, folder: Path) -> None:
        self._server_url = server_url
        self._folder = folder
        self._packages = npm.installed(_PROJECT)

    @asynccontextmanager
    async def open(self, name: str, *, addon: bool = True) -> AsyncIterator[VendureStore]:
        """A new store, empty but for what every store has; with our add-on, unless told not to."""
        url = await create_database(self._server_url, f"vendure_{name}", settings=_AS_WRITTEN)
        home = self._folder / name
        home.mkdir()
        port = processes.free_port()
        address = f"http://127.0.0.1:{port}"
        plain = url.replace("postgresql+asyncpg", "postgres")
        variables = processes.environment(
            home,
            PORT=str(port),
            DATABASE_URL=plain,
            ADDON=str(_ADDON) if addon else "",
            NODE_PATH=str(self._packages / "node_modules"),
            PASSWORD=_PASSWORD,
            VENDURE_DISABLE_TELEMETRY="true",
        )
        serving = processes.serving(
            (str(_PROJECT / "store.js"),),
            folder=home,
            variables=variables,
            health=f"{address}/control/ready",
        )
        with ExitStack() as stack:
            await asyncio.to_thread(stack.enter_context, serving)
            staff = httpx.AsyncClient(base_url=address, trust_env=False, timeout=60)
            database = await asyncpg.connect(plain)
            store = VendureStore(address, staff, database)
            try:
                await store.sign_in()
                yield store
            finally:
                await database.close()
                await staff.aclose()
        await drop_database(url)
