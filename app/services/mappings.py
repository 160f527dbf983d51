"""Mapping rules of migrations: put, and kept version by version."""

from __future__ import annotations

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import MappingVersion
from app.models.columns import now
from app.schemas.mapping import MappingIn, MappingOut
from app.schemas.paging import Keyset
from app.services.api_keys import Caller
from app.services.migrations import get_migration

_NONE = MappingOut(version=0, rules={}, author=None, created_at=None)

# What the old rules failed on may pass these.
_WAKE = text(
    "UPDATE quarantine SET next_at = clock_timestamp() WHERE migration_id = :migration"
    " AND status = 'open' AND code = 'mapping_failed'"
)


async def get_mapping(session: AsyncSession, name: str) -> MappingOut:
    """The rules in force. Raises `MigrationNotFound`."""
    newest = await list_versions(session, name, Keyset(1, newest_first=True))
    return MappingOut.model_validate(newest[0]) if newest else _NONE


async def list_versions(session: AsyncSession, name: str, page: Keyset) -> list[MappingVersion]:
    """Newest first, one more than the page holds. Raises `MigrationNotFound`."""
    migration = await get_migration(session, name)
    query = select(MappingVersion).where(MappingVersion.migration_id == migration.id)
    return list(await session.exec(page.apply(query, col(MappingVersion.version))))


async def put_mapping(
    session: AsyncSession, name: str, rules: MappingIn, caller: Caller
) -> MappingOut:
    """Make a new version. A job that runs goes on by the one it began with.

    Raises `MigrationNotFound`.
    """
    migration = await get_migration(session, name, lock=True)
    before = await get_mapping(session, name)
    made = MappingVersion(
        migration_id=migration.id,
        version=before.version + 1,
        rules=rules.document(),
        author=caller.name,
        created_at=now(),
    )
    session.add(made)
    # Whatever was said of the migration before was said of other contents.
    migration.version += 1
    migration.updated_at = now()
    await session.flush()
    connection = await session.connection()
    await connection.execute(_WAKE, {"migration": migration.id})
    return MappingOut.model_validate(made)
