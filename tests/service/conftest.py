from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from cryptography.fernet import Fernet
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlmodel.ext.asyncio.session import AsyncSession

from app.database import async_url, upgrade
from app.main import create_app
from app.queue import QUEUE_NAME
from app.resources import Resources, open_resources
from app.services.api_keys import create_key
from app.services.lifecycle import to_json
from app.settings import Settings
from connectors import registry
from tests.service.paper import a_store, paper, press

TABLES = "stores, migrations, jobs, api_keys, idempotency_records, links, cursors, quarantine"


@pytest.fixture(scope="session")
async def service_settings(servers: Any) -> Settings:
    """A database of its own with all tables, and a corner of the Redis."""
    url = async_url(servers.database_url)
    name = f"service_{uuid4().hex[:8]}"
    admin = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    async with admin.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    await admin.dispose()
    own = url.rsplit("/", 1)[0] + f"/{name}"
    await asyncio.to_thread(upgrade, own)
    return Settings(
        database_url=own,
        redis_url=servers.redis_url.rsplit("/", 1)[0] + "/7",
        encryption_keys=Fernet.generate_key().decode(),
        max_body_bytes=65_536,
    )


@pytest.fixture(scope="session")
async def resources(service_settings: Settings) -> AsyncIterator[Resources]:
    async with open_resources(service_settings) as opened:
        yield opened


@pytest.fixture
def platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    """The platforms that these tests know, whatever is installed."""
    monkeypatch.setattr(registry, "connectors", lambda: {"paper": paper(), "press": press()})
    monkeypatch.setattr("app.services.platforms.connectors", registry.connectors)


@dataclass
class Service:
    """The API, and a look behind it."""

    app: FastAPI
    resources: Resources
    keys: dict[str, str] = field(default_factory=dict)
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    def client(self, key: str | None) -> httpx.AsyncClient:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://api", headers=headers
        )
        self.clients.append(client)
        return client

    async def key(self, *scopes: str, expires_at: datetime | None = None) -> str:
        async with AsyncSession(self.resources.engine) as session, session.begin():
            _, secret = await create_key(session, name="tests", scopes=scopes)
            if expires_at is not None:
                prefix = secret.split("_")[1]
                statement = text("UPDATE api_keys SET expires_at = :at WHERE prefix = :prefix")
                await (await session.connection()).execute(
                    statement, {"at": expires_at, "prefix": prefix}
                )
            return secret

    async def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        async with self.resources.engine.connect() as connection:
            found = await connection.execute(text(sql), values)
            return [dict(row._mapping) for row in found]

    async def write(self, sql: str, **values: Any) -> None:
        async with self.resources.engine.begin() as connection:
            await connection.execute(text(sql), values)

    async def wakes(self) -> int:
        """How many wakes are in the queue."""
        pool = await self.resources.queue._connected()
        return int(await pool.zcard(QUEUE_NAME))

    async def end(self, job: str, status: str = "succeeded") -> None:
        """As the engine ends a job."""
        await self.write(
            "UPDATE jobs SET status = :status, finished_at = clock_timestamp() WHERE id = :id",
            id=UUID(job),
            status=status,
        )
        await self.write("UPDATE slices SET done = true WHERE job_id = :id", id=UUID(job))

    async def count(self, job: str, stream: str, total: int | None = None, **counters: int) -> None:
        """As the engine counts what a slice has done."""
        await self.write(
            "INSERT INTO slices (id, job_id, stage, kind, stream, part, counters, total, done,"
            " wakes, fence, failures) VALUES (gen_random_uuid(), :job, 1, 'read', :stream, '{}',"
            " CAST(:counters AS jsonb), :total, false, 1, 1, 0)",
            job=UUID(job),
            stream=stream,
            counters=to_json(counters),
            total=total,
        )

    async def event(self, job: str, kind: str, **data: Any) -> None:
        await self.write(
            "INSERT INTO job_events (job_id, type, data) VALUES (:job, :type,"
            " CAST(:data AS jsonb))",
            job=UUID(job),
            type=kind,
            data=to_json(data),
        )

    async def set_cursors(self, migration: str, *streams: str) -> None:
        await self.write(
            "INSERT INTO cursors (migration_id, stream, watermark)"
            " SELECT id, unnest(CAST(:streams AS text[])), '2026-01-01T00:00:00Z'"
            " FROM migrations WHERE slug = :slug",
            slug=migration,
            streams=list(streams),
        )

    async def quarantine(self, migration: str, stream: str, source_id: str, **more: Any) -> str:
        values = {"status": "open", "code": "refused"} | more
        item = uuid4()
        await self.write(
            "INSERT INTO quarantine (id, migration_id, stream, source_id, status, code, message,"
            " attempts) SELECT :item, id, :stream, :source_id, :status, :code, 'No.', 1"
            " FROM migrations WHERE slug = :slug",
            item=item,
            slug=migration,
            stream=stream,
            source_id=source_id,
            **values,
        )
        return str(item)


@pytest.fixture
async def service(resources: Resources, platforms: None) -> AsyncIterator[Service]:
    app = create_app(resources=resources)
    async with app.router.lifespan_context(app):
        given = Service(app, resources)
        for scope in ("read", "run", "admin"):
            given.keys[scope] = await given.key(scope)
        yield given
        for client in given.clients:
            await client.aclose()
    await given.write(f"TRUNCATE {TABLES} CASCADE")
    pool = await resources.queue._connected()
    await pool.flushdb()


@pytest.fixture
def api(service: Service) -> httpx.AsyncClient:
    """A caller who may do everything."""
    return service.client(service.keys["admin"])


@pytest.fixture
def runner(service: Service) -> httpx.AsyncClient:
    return service.client(service.keys["run"])


@pytest.fixture
def reader(service: Service) -> httpx.AsyncClient:
    return service.client(service.keys["read"])


@pytest.fixture
async def migration(api: httpx.AsyncClient) -> str:
    """Two stores and a migration between them."""
    for name in ("old-shop", "new-shop"):
        answer = await api.post("/v1/stores", json=a_store(name))
        assert answer.status_code == 201, answer.text
    body = {"slug": "spring", "source": "old-shop", "target": "new-shop"}
    answer = await api.post("/v1/migrations", json=body)
    assert answer.status_code == 201, answer.text
    return "spring"


@pytest.fixture
def start(api: httpx.AsyncClient, migration: str) -> Callable[..., Any]:
    """Start a job of the migration and answer with it."""

    async def post(kind: str = "full", **more: Any) -> dict[str, Any]:
        answer = await api.post("/v1/jobs", json={"kind": kind, "migration": migration, **more})
        assert answer.status_code == 202, answer.text
        job: dict[str, Any] = answer.json()
        return job

    return post


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem that an answer is, after looking at its form."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    members: dict[str, Any] = answer.json()
    assert members["code"] == code, members
    assert members["status"] == status
    assert members["type"] == f"urn:recent-sync:problem:{code}"
    assert members["title"]
    assert members["detail"]
    assert members["request_id"] == answer.headers["x-request-id"]
    return members
