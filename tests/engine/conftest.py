from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import JobStatus
from app.queue import Wake
from app.resources import Resources
from app.security import Vault
from app.services.lifecycle import start_next, to_json
from app.settings import Settings
from connectors import registry
from connectors.base import Connector
from tests.engine.shop import SHOPS, Shop, fake_connector
from tests.fixtures.databases import migrated_database
from workers.duties import DUTIES
from workers.engine.slices import work


@dataclass
class WakeList:
    """A queue that only remembers what it was sent."""

    wakes: list[Wake] = field(default_factory=list)

    async def send(self, wakes: Iterable[Wake]) -> None:
        self.wakes += list(wakes)


@dataclass
class Bench:
    """Two shops, one migration, and a way to run jobs in this process."""

    resources: Resources
    source: Shop
    target: Shop
    migration: UUID
    platform: Connector
    monkeypatch: pytest.MonkeyPatch

    def use(self, platform: Connector) -> None:
        """Let the shops be of this platform."""
        self.platform = platform
        self.monkeypatch.setattr(registry, "connectors", lambda: {"fake": platform})

    async def place(self, name: str, platform: str, url: str, **credentials: str) -> None:
        """Let the store `source` or `target` be one at an address."""
        async with self.resources.engine.begin() as connection:
            await connection.execute(
                text(
                    "UPDATE stores SET platform = :platform, credentials = :sealed,"
                    " settings = CAST(:settings AS jsonb) WHERE name = :name"
                ),
                {
                    "name": name,
                    "platform": platform,
                    "settings": to_json({"url": url}),
                    "sealed": self.resources.vault.seal(credentials),
                },
            )

    async def start(self, kind: str = "full", **params: Any) -> UUID:
        job = uuid4()
        async with self.resources.engine.begin() as connection:
            await connection.execute(
                text(
                    "INSERT INTO jobs"
                    " (id, migration_id, kind, status, params, plan, stage, passes) VALUES"
                    " (:id, :migration, :kind, 'queued', CAST(:params AS jsonb), '[]', 0, '{}')"
                ),
                {"id": job, "migration": self.migration, "kind": kind, "params": to_json(params)},
            )
            await start_next(connection, self.migration)
        return job

    async def turn(self, *, holder: str = "tester") -> int:
        """Work once on every slice that is due. Answers how many there were."""
        async with self.resources.engine.begin() as connection:
            due = (
                (
                    await connection.execute(
                        text(
                            "SELECT id FROM slices WHERE NOT done AND due_at <= clock_timestamp()"
                            " AND (lease_until IS NULL OR lease_until < clock_timestamp())"
                            " ORDER BY id"
                        )
                    )
                )
                .scalars()
                .all()
            )
        for slice_id in due:
            await work(
                self.resources, slice_id, holder=holder, stopping=lambda: False, duties=DUTIES
            )
        return len(due)

    async def run(self, kind: str = "full", **params: Any) -> dict[str, Any]:
        job = await self.start(kind, **params)
        return await self.finish(job)

    async def finish(self, job: UUID) -> dict[str, Any]:
        for _ in range(400):
            if not await self.turn():
                await self.pass_time()
            row = await self.job(job)
            if JobStatus(row["status"]).ended:
                return row
        raise AssertionError(f"the job did not end: {row}")

    async def pass_time(self) -> None:
        """Let every pause be over; settling writes take their time for real."""
        await asyncio.sleep(0.05)
        async with self.resources.engine.begin() as connection:
            await connection.execute(
                text("UPDATE slices SET due_at = clock_timestamp() WHERE NOT done")
            )

    async def lapse(self) -> None:
        """Let the leases of a worker that died lapse."""
        async with self.resources.engine.begin() as connection:
            await connection.execute(
                text(
                    "UPDATE slices SET lease_until = clock_timestamp() - interval '1 s'"
                    " WHERE lease_until IS NOT NULL"
                )
            )

    async def job(self, job: UUID) -> dict[str, Any]:
        rows = await self.rows("SELECT * FROM jobs WHERE id = :id", id=job)
        return rows[0]

    async def counters(self, job: UUID) -> dict[str, int]:
        total: dict[str, int] = {}
        for row in await self.rows("SELECT counters FROM slices WHERE job_id = :id", id=job):
            for name, count in row["counters"].items():
                total[name] = total.get(name, 0) + count
        return total

    async def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        async with self.resources.engine.connect() as connection:
            found = await connection.execute(text(sql), values)
            return [dict(row._mapping) for row in found]

    async def execute(self, sql: str) -> None:
        async with self.resources.engine.begin() as connection:
            await connection.execute(text(sql))


@pytest.fixture(scope="session")
async def engine_database(servers: Any) -> AsyncIterator[str]:
    """A database of its own, with all tables."""
    async with migrated_database(servers.database_url, "engine") as url:
        yield url


@pytest.fixture
async def bench(
    engine_database: str, engine_pool: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Bench]:
    settings = Settings(
        database_url=engine_database,
        redis_url="redis://127.0.0.1:1/0",
        encryption_keys=Fernet.generate_key().decode(),
        lease_seconds=2,
        heartbeat_seconds=0.5,
        parallel_slices=2,
    )
    resources = Resources(settings, engine_pool, WakeList(), Vault.from_settings(settings))
    source, target = Shop("source"), Shop("target")
    SHOPS.update(source=source, target=target)
    migration = await _register(resources)
    platform = fake_connector()
    bench = Bench(resources, source, target, migration, platform, monkeypatch)
    bench.use(platform)
    yield bench
    async with engine_pool.begin() as connection:
        # TRUNCATE would make new files for every table, and take twenty times as long.
        for table in ("jobs", "migrations", "stores"):
            await connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608


async def _register(resources: Resources) -> UUID:
    sealed = resources.vault.seal({"token": "secret-token"})
    ids = {name: uuid4() for name in ("source", "target")}
    migration = uuid4()
    async with resources.engine.begin() as connection:
        for name, store in ids.items():
            await connection.execute(
                text(
                    "INSERT INTO stores (id, name, platform, settings, credentials, version)"
                    " VALUES (:id, :name, 'fake', CAST(:settings AS jsonb), :sealed, 1)"
                ),
                {"id": store, "name": name, "settings": to_json({"name": name}), "sealed": sealed},
            )
        await connection.execute(
            text(
                "INSERT INTO migrations (id, slug, key_prefix, source_id, target_id, streams,"
                " policies, version) VALUES (:id, 'move', 'rs-test', :source, :target,"
                " '{categories,products,customers,orders,inventory}', '{}', 1)"
            ),
            {"id": migration, "source": ids["source"], "target": ids["target"]},
        )
    return migration
