"""A Medusa store for tests: its project, its server, its database, and what its staff does."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from connectors.base import StoreAccess
from connectors.medusa import CONNECTOR
from tests.fixtures.databases import create_database, drop_database
from tests.live import npm, processes

ROOT = Path(__file__).resolve().parents[3]
_PROJECT = Path(__file__).with_name("project")
_ADDON = ROOT / "addons" / "medusa" / "src"
_CLI = "node_modules/@medusajs/cli/cli.js"
_EMAIL, _PASSWORD = "staff@example.test", "a password of the tests"
_AS_A_BUILD = ("--transforms", "typescript,imports")
_KEPT = (
    "api_key",
    "auth_identity",
    "currency",
    "fulfillment_provider",
    "fulfillment_set",
    "link_module_migrations",
    "location_fulfillment_provider",
    "location_fulfillment_set",
    "migrations",
    "mikro_orm_migrations",
    "notification_provider",
    "payment_provider",
    "provider_identity",
    "publishable_api_key_sales_channel",
    "region",
    "region_country",
    "sales_channel",
    "sales_channel_stock_location",
    "script_migrations",
    "shipping_profile",
    "stock_location",
    "stock_location_address",
    "store",
    "store_currency",
    "store_locale",
    "tax_provider",
    "tax_region",
    "user",
    "user_auth_identity",
)
"""Tables that make the store what it is; all others hold records."""


@dataclass
class MedusaStore:
    """A running store. `staff` is a client of its Admin API that is signed in."""

    url: str
    key: str = field(repr=False)
    folder: Path
    staff: httpx.AsyncClient
    database: asyncpg.Connection[Any]

    async def ask(self, method: str, path: str, body: Any = None, **query: Any) -> dict[str, Any]:
        """One request of the staff. Raises `httpx.HTTPStatusError`."""
        answer = await self.staff.request(method, f"/admin/{path}", json=body, params=query)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def access(self, *, url: str = "", key: str = "", **settings: Any) -> StoreAccess:
        """What the connector has to be given."""
        return StoreAccess(
            CONNECTOR.settings(url=url or self.url, **settings),
            CONNECTOR.credentials(api_key=key or self.key),
        )

    async def empty(self) -> None:
        """Delete all records, as if the store were new, and forget what was told of them."""
        await self.database.execute(self._deletes)
        self._events.write_text("")

    def told(self) -> list[str]:
        """The names of all events since then: what programs of the store, and its people, hear."""
        return self._events.read_text().split()

    @property
    def _events(self) -> Path:
        return self.folder / "events.log"

    async def prepare(self) -> None:
        """Learn which tables hold records."""
        rows = await self.database.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            " AND NOT tablename = ANY($1) AND tablename NOT LIKE 'workflow%'",
            list(_KEPT),
        )
        # Without triggers no table has to wait for another.
        deletes = [f'DELETE FROM "{row["tablename"]}"' for row in rows]  # noqa: S608
        role = "SET session_replication_role"
        self._deletes = ";".join([f"{role} = replica", *deletes, f"{role} = DEFAULT"])


class Medusas:
    """Stores of one kind: the first database is migrated, and all others are copies of it."""

    def __init__(self, server_url: str, folder: Path) -> None:
        self._server_url = server_url
        self._folder = folder
        self._packages = npm.installed(_PROJECT)
        self._template = ""

    async def template(self) -> str:
        """The address of a database with all tables."""
        if not self._template:
            self._template = await create_database(self._server_url, "medusa")
            project = self._project("template")
            variables = self._variables(project, self._template)
            migrate = ("db:migrate", "--execute-all-links", "--execute-all-search")
            await asyncio.to_thread(
                processes.run, (_CLI, *migrate), folder=project, variables=variables
            )
        return self._template

    @asynccontextmanager
    async def open(self, name: str, *, addon: bool = True) -> AsyncIterator[MedusaStore]:
        """A new store, empty but for what every store has; with our add-on, unless told not to."""
        url = await create_database(
            self._server_url, f"medusa_{name}", template=await self.template()
        )
        project = self._project(name)
        if addon:
            await asyncio.to_thread(_install_addon, project)
        port = processes.free_port()
        address = f"http://127.0.0.1:{port}"
        arguments = (_CLI, "start", "-H", "127.0.0.1", "-p", str(port))
        serving = processes.serving(
            arguments,
            folder=project,
            variables=self._variables(project, url),
            health=f"{address}/health",
        )
        with ExitStack() as stack:
            await asyncio.to_thread(stack.enter_context, serving)
            staff = httpx.AsyncClient(base_url=address, trust_env=False, timeout=60)
            database = await asyncpg.connect(url.replace("+asyncpg", ""))
            try:
                yield await _signed_in(MedusaStore(address, "", project, staff, database))
            finally:
                await database.close()
                await staff.aclose()
        await drop_database(url)

    async def close(self) -> None:
        """Drop the database that the others are copies of."""
        if self._template:
            await drop_database(self._template)

    def _project(self, name: str) -> Path:
        folder = self._folder / name
        shutil.copytree(_PROJECT, folder)
        (folder / "node_modules").symlink_to(self._packages / "node_modules")
        return folder

    def _variables(self, project: Path, url: str) -> Mapping[str, str]:
        return processes.environment(
            project,
            DATABASE_URL=url.replace("postgresql+asyncpg", "postgres"),
            SECRET=secrets.token_hex(16),
            MEDUSA_DISABLE_TELEMETRY="1",
        )


def _install_addon(project: Path) -> None:
    """As its README says: copy it into the store, whose build makes JavaScript of it."""
    arguments = ("node_modules/.bin/sucrase", str(_ADDON), "-d", "src", *_AS_A_BUILD, "--quiet")
    processes.run(arguments, folder=project, variables=processes.environment(project))


async def _signed_in(store: MedusaStore) -> MedusaStore:
    """The store with a key of its own, which sells in pounds from one place."""
    staff = {"email": _EMAIL, "password": _PASSWORD}
    (await store.staff.post("/test/staff", json=staff)).raise_for_status()
    token = (await store.staff.post("/auth/user/emailpass", json=staff)).json()["token"]
    store.staff.headers["Authorization"] = f"Bearer {token}"
    made = await store.ask("POST", "api-keys", {"title": "recent-sync", "type": "secret"})
    store.key = made["api_key"]["token"]
    [shop] = (await store.ask("GET", "stores"))["stores"]
    currencies = [{"currency_code": "gbp", "is_default": True}, {"currency_code": "eur"}]
    await store.ask("POST", f"stores/{shop['id']}", {"supported_currencies": currencies})
    place = await store.ask("POST", "stock-locations", {"name": "Warehouse"})
    channels = {"add": [shop["default_sales_channel_id"]]}
    path = f"stock-locations/{place['stock_location']['id']}"
    await store.ask("POST", f"{path}/sales-channels", channels)
    await store.prepare()
    return store
