"""Waivers: who answers for a check that fails, why, and until when."""

from __future__ import annotations

from uuid import UUID

import structlog
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.errors import InvalidExpiry, WaiverNotFound
from app.models import Waiver
from app.models.columns import now
from app.schemas.readiness import WaiverIn, WaiverOut
from app.services.api_keys import Caller
from app.services.migrations import get_migration

log = structlog.get_logger(__name__)


async def add_waiver(
    session: AsyncSession, name: str, caller: Caller, asked: WaiverIn
) -> WaiverOut:
    """Raises `MigrationNotFound`, `InvalidExpiry`."""
    migration = await get_migration(session, name)
    if asked.expires_at <= now():
        raise InvalidExpiry.at("/expires_at", "This moment has passed.")
    waiver = Waiver(
        migration_id=migration.id,
        check_id=asked.check,
        reason=asked.reason,
        author=f"{caller.name} ({caller.prefix})",
        records=list(asked.records or ()),
        expires_at=asked.expires_at,
    )
    session.add(waiver)
    await session.flush()
    log.info("waiver.added", migration=migration.slug, check=waiver.check_id)
    return shown(waiver)


async def list_waivers(session: AsyncSession, name: str) -> list[WaiverOut]:
    """Oldest first. Raises `MigrationNotFound`."""
    migration = await get_migration(session, name)
    query = select(Waiver).where(Waiver.migration_id == migration.id)
    found = await session.exec(query.order_by(col(Waiver.created_at), col(Waiver.id)))
    return [shown(each) for each in found]


async def remove_waiver(session: AsyncSession, name: str, waiver_id: UUID) -> None:
    """Raises `MigrationNotFound`, `WaiverNotFound`."""
    migration = await get_migration(session, name)
    query = select(Waiver).where(Waiver.id == waiver_id, Waiver.migration_id == migration.id)
    waiver = (await session.exec(query)).one_or_none()
    if waiver is None:
        raise WaiverNotFound
    await session.delete(waiver)
    log.info("waiver.removed", migration=migration.slug, check=waiver.check_id)


def shown(waiver: Waiver) -> WaiverOut:
    """What is told of a waiver."""
    return WaiverOut(
        id=waiver.id,
        check=waiver.check_id,
        reason=waiver.reason,
        author=waiver.author,
        records=waiver.records,
        created_at=waiver.created_at,
        expires_at=waiver.expires_at,
    )
