"""One request is one transaction, and only its boundary commits. Wakes are sent after that."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from app.queue import Wake
from app.resources import Resources


@dataclass(frozen=True, slots=True)
class Work:
    """A transaction. `wakes` are sent once it is committed."""

    session: AsyncSession
    resources: Resources
    wakes: list[Wake] = field(default_factory=list)

    async def connection(self) -> AsyncConnection:
        """The transaction's connection, behind whatever the session has not written yet."""
        await self.session.flush()
        return await self.session.connection()


@asynccontextmanager
async def transaction(resources: Resources) -> AsyncIterator[Work]:
    """Commit at the end, roll back when an exception passes."""
    async with AsyncSession(resources.engine, expire_on_commit=False) as session, session.begin():
        work = Work(session, resources)
        yield work
    if work.wakes:
        await resources.queue.send(work.wakes)
