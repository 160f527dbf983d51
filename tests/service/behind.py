"""The API, and a look behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from app.queue import QUEUE_NAME
from app.resources import Resources
from app.services.api_keys import create_key
from app.services.lifecycle import to_json

CONFLICTING = {"base": "Mug", "source": "Blue mug", "target": "Ann's mug"}
"""What both sides hold in the conflicts that are put behind the API."""


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

    async def clear(self) -> None:
        """Leave nothing to the next test."""
        # Everything else goes with these.
        for table in ("jobs", "webhooks", "migrations", "stores", "api_keys"):
            await self.write(f"DELETE FROM {table}")  # noqa: S608
        pool = await self.resources.queue._connected()
        await pool.delete(QUEUE_NAME)

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

    async def conflict(self, migration: str, field: str = "name", **more: Any) -> str:
        """A conflict over a product's field, as the engine records it."""
        values = {"stream": "products", "status": "open", "decision": None, "source_id": "1"} | more
        item = uuid4()
        await self.write(
            "INSERT INTO conflicts (id, migration_id, stream, source_id, target_id, field, status,"
            " decision, base_known, source_digest, target_digest, sealed, applied_at)"
            " SELECT :item, id, :stream, :source_id, '7', :field, :status,"
            " CAST(:decision AS text), true, 's', 't', :sealed,"
            " CASE WHEN CAST(:decision AS text) IS NOT NULL THEN now() END"
            " FROM migrations WHERE slug = :slug",
            item=item,
            slug=migration,
            field=field,
            sealed=self.resources.vault.seal(CONFLICTING),
            **values,
        )
        return str(item)

    async def quarantine(self, migration: str, stream: str, source_id: str, **more: Any) -> str:
        """A record in quarantine, as the engine keeps it."""
        values: dict[str, Any] = {
            "status": "open",
            "code": "refused",
            "request_id": None,
            "next_at": None,
            "waits_for": [],
        } | more
        item = uuid4()
        await self.write(
            "INSERT INTO quarantine (id, migration_id, stream, source_id, status, code, message,"
            " attempts, request_id, next_at, waits_for) SELECT :item, id, :stream, :source_id,"
            " :status, :code, 'No.', 1, CAST(:request_id AS text),"
            " CAST(:next_at AS timestamptz), CAST(:waits_for AS text[])"
            " FROM migrations WHERE slug = :slug",
            item=item,
            slug=migration,
            stream=stream,
            source_id=source_id,
            **values,
        )
        return str(item)
