"""The API over a bench's own resources: what a person or a script does between two jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from sqlmodel.ext.asyncio.session import AsyncSession

from app.main import create_app
from app.services.api_keys import create_key
from tests.engine.conftest import Bench


@asynccontextmanager
async def api_of(bench: Bench) -> AsyncIterator[httpx.AsyncClient]:
    """A caller who may do everything."""
    async with AsyncSession(bench.resources.engine) as session, session.begin():
        _, key = await create_key(session, name="tester", scopes=("read", "run", "admin"))
    app = create_app(resources=bench.resources)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://api.test/v1/migrations/move",
            headers={"Authorization": f"Bearer {key}"},
        ) as client,
    ):
        yield client
