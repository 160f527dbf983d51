"""Nobody is disturbed: the target's mails are off while a job writes, and on again afterwards.

What has to be restored is committed before anything is turned off, and belongs to the store, not
to the job: of several jobs on one store the first turns off, the last one restores, and a worker
that dies in between loses nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.database import autocommit
from connectors.abilities import ProvesSilence
from connectors.base import Json, Target
from workers.engine.errors import SliceStopped
from workers.engine.leases import Lease


async def mute(lease: Lease, store: UUID, target: Target) -> None:
    """Turn the target's mails off for the job whose slice is held. May be called again.

    Fenced: a worker that comes too late would silence a store after its job has ended, and
    nobody would be left to give it its voice back.
    """
    before = await _kept(lease.engine, store)
    if before is None:
        before = await target.loud()
    async with lease.fenced() as transaction:
        # Whoever comes second keeps what the first one saw: by now it is turned off.
        row = await transaction.connection.execute(
            text(
                "UPDATE stores SET unmuted = coalesce(unmuted, CAST(:before AS jsonb)),"
                " muted_by = array_append(array_remove(muted_by, :job), :job)"
                " WHERE id = :id RETURNING unmuted"
            ),
            {
                "id": store,
                "before": msgspec.json.encode(before).decode(),
                "job": lease.held.job_id,
            },
        )
        before = row.scalar_one()
    await target.mute(before)


@asynccontextmanager
async def silenced(lease: Lease, store: UUID, target: Target) -> AsyncIterator[None]:
    """Within the block the target is silent for the job whose slice is held, and not for longer.

    Where the slice is lost meanwhile, whoever has it by now needs the silence; where the process
    ends, the job's last stage restores the target's mails.
    """
    await mute(lease, store, target)
    try:
        yield
    except SliceStopped:
        raise
    except Exception:
        await unmute(lease.engine, store, lease.held.job_id, target)
        raise
    await unmute(lease.engine, store, lease.held.job_id, target)


async def prove(before: Json | None, target: Target) -> None:
    """See that what keeps the target silent is still there. Raises `StoreError` where it is not.

    `before` is what `mute` has kept for the store, None where nobody has asked it to be silent.
    """
    if isinstance(target, ProvesSilence) and before is not None:
        await target.prove_silence(before)


async def unmute(engine: AsyncEngine, store: UUID, job: UUID, target: Target) -> None:
    """Restore the target's mails, unless another job still needs silence. May be called again."""
    async with engine.begin() as connection:
        row = (
            await connection.execute(
                text("SELECT unmuted, muted_by FROM stores WHERE id = :id FOR UPDATE"),
                {"id": store},
            )
        ).one()
        others = await _working(connection, [each for each in row.muted_by if each != job])
        if row.unmuted is not None and not others:
            # Within the transaction: nobody can begin to rely on the silence meanwhile.
            await target.unmute(row.unmuted)
        await connection.execute(
            text(
                "UPDATE stores SET muted_by = CASE WHEN :last THEN '{}'"
                " ELSE array_remove(muted_by, :job) END,"
                " unmuted = CASE WHEN :last THEN NULL ELSE unmuted END WHERE id = :id"
            ),
            {"id": store, "job": job, "last": not others},
        )


async def _working(connection: AsyncConnection, jobs: list[UUID]) -> list[UUID]:
    """Those of the jobs that have not ended: one that could not restore needs no silence now."""
    if not jobs:
        return []
    found = await connection.execute(
        text("SELECT id FROM jobs WHERE id = ANY(CAST(:ids AS uuid[])) AND finished_at IS NULL"),
        {"ids": jobs},
    )
    return list(found.scalars())


async def is_muted_for(connection: AsyncConnection, job: UUID) -> bool:
    """Whether a store was turned off for a job and not on again."""
    found = await connection.execute(
        text("SELECT EXISTS (SELECT FROM stores WHERE :job = ANY(muted_by))"), {"job": job}
    )
    return bool(found.scalar_one())


async def _kept(engine: AsyncEngine, store: UUID) -> dict[str, Any] | None:
    async with autocommit(engine) as connection:
        found: dict[str, Any] | None = (
            await connection.execute(
                text("SELECT unmuted FROM stores WHERE id = :id"), {"id": store}
            )
        ).scalar()
    return found
