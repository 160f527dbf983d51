"""Migrations: which store moves where, and what is in scope."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import and_, col, delete, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.errors import (
    JobRunning,
    MigrationExists,
    MigrationNotFound,
    SameStore,
    StoreCannot,
    StoresPaired,
    UnknownStore,
)
from app.models import Job, JobStatus, Migration, Store
from app.models.columns import now
from app.schemas.migration import MigrationIn, MigrationOut, MigrationPatch, Policies, StoreRef
from app.schemas.paging import Keyset
from app.services.stores import find_store
from app.services.transaction import Work
from connectors import registry
from connectors.base import Action, Connector, ReadCapability
from connectors.records import Stream

UNFINISHED = (JobStatus.QUEUED, JobStatus.RUNNING)


async def create_migration(work: Work, asked: MigrationIn) -> MigrationOut:
    """Raises `UnknownStore`, `SameStore`, `StoreCannot`, `MigrationExists`, `StoresPaired`."""
    session = work.session
    source = await _store(session, asked.source, "/source")
    target = await _store(session, asked.target, "/target")
    if source.id == target.id:
        raise SameStore.at("/target", "Name another store than the source.")
    _refuse_impossible(asked.policies, target)
    migration = Migration(
        slug=asked.slug,
        key_prefix=await _key_prefix(session, asked.slug, source, target),
        source_id=source.id,
        target_id=target.id,
        streams=_scope(source, target, asked.streams),
        policies=_policies(asked),
        launch_at=asked.launch_at,
    )
    session.add(migration)
    await _flush(session)
    return _shown(migration, {source.id: source, target.id: target})


async def get_migration(session: AsyncSession, name: str, *, lock: bool = False) -> Migration:
    """A migration by slug or id. With `lock` the transaction alone decides about its jobs.

    Raises `MigrationNotFound`.
    """
    query = select(Migration).where(or_(Migration.slug == name, *_id_is(name)))
    if lock:
        query = query.with_for_update(key_share=True)
    found = (await session.exec(query)).all()
    if not found:
        raise MigrationNotFound
    return next((each for each in found if each.slug == name), found[0])


async def list_migrations(
    session: AsyncSession, page: Keyset, store: str | None
) -> list[Migration]:
    """Migrations by slug, one more than the page holds; those that use a store, if one is named."""
    query = select(Migration)
    if store is not None:
        used = await find_store(session, store)
        if used is None:
            return []
        query = query.where(or_(Migration.source_id == used.id, Migration.target_id == used.id))
    return list(await session.exec(page.apply(query, col(Migration.slug))))


async def change_migration(session: AsyncSession, name: str, asked: MigrationPatch) -> Migration:
    """Raises `MigrationNotFound`, `MigrationExists`, `StoreCannot`."""
    migration = await get_migration(session, name, lock=True)
    given = asked.model_fields_set
    if asked.streams is not None:
        stores = await _stores(session, [migration])
        source, target = stores[migration.source_id], stores[migration.target_id]
        migration.streams = _scope(source, target, asked.streams)
    if asked.policies is not None:
        if asked.policies.deletions is not None:
            stores = await _stores(session, [migration])
            _refuse_impossible(asked.policies, stores[migration.target_id])
        changes = asked.policies.model_dump(mode="json", exclude_unset=True)
        if asked.policies.conflicts is not None:
            changes["conflicts"] = asked.policies.conflicts.model_dump(
                mode="json", exclude_none=True
            )
        merged = migration.policies | changes
        migration.policies = {name: value for name, value in merged.items() if value is not None}
    if "launch_at" in given:
        migration.launch_at = asked.launch_at
    migration.slug = asked.slug or migration.slug
    migration.version += 1
    migration.updated_at = now()
    await _flush(session)
    return migration


async def delete_migration(session: AsyncSession, name: str) -> None:
    """With its jobs, cursors, links and quarantine. Raises `MigrationNotFound`, `JobRunning`."""
    migration = await get_migration(session, name, lock=True)
    await refuse_while_running(session, migration)
    await session.exec(delete(Job).where(col(Job.migration_id) == migration.id))
    await session.delete(migration)
    await session.flush()


async def refuse_while_running(session: AsyncSession, migration: Migration) -> None:
    """Raises `JobRunning` while a job waits or runs."""
    job = (
        await session.exec(
            select(Job.id)
            .where(Job.migration_id == migration.id, col(Job.status).in_(UNFINISHED))
            .order_by(col(Job.created_at))
            .limit(1)
        )
    ).first()
    if job is not None:
        raise JobRunning("Cancel the job, or wait for its end.", extra={"job": str(job)})


async def source_reads(
    session: AsyncSession, migration: Migration
) -> Mapping[Stream, ReadCapability]:
    """How the source's connector reads each stream. Raises `StoreCannot`."""
    source = await session.get_one(Store, migration.source_id)
    return _connector(source, "/source").reads


async def shown(session: AsyncSession, migrations: Sequence[Migration]) -> list[MigrationOut]:
    """What is told of migrations."""
    stores = await _stores(session, migrations)
    return [_shown(each, stores) for each in migrations]


def _shown(migration: Migration, stores: dict[UUID, Store]) -> MigrationOut:
    return MigrationOut(
        id=migration.id,
        slug=migration.slug,
        source=StoreRef.model_validate(stores[migration.source_id]),
        target=StoreRef.model_validate(stores[migration.target_id]),
        streams=[Stream(each) for each in migration.streams],
        policies=migration.policies,
        launch_at=migration.launch_at,
        version=migration.version,
        created_at=migration.created_at,
        updated_at=migration.updated_at,
    )


async def _stores(session: AsyncSession, migrations: Sequence[Migration]) -> dict[UUID, Store]:
    ids = {each.source_id for each in migrations} | {each.target_id for each in migrations}
    found = await session.exec(select(Store).where(col(Store.id).in_(ids)))
    return {store.id: store for store in found}


async def _store(session: AsyncSession, name: str, where: str) -> Store:
    store = await find_store(session, name, lock=True)
    if store is None:
        raise UnknownStore.at(where, "`/v1/stores` lists those there are.")
    return store


def _scope(source: Store, target: Store, asked: Sequence[Stream] | None) -> list[str]:
    """The streams in scope: those asked for, else all that can be read and written."""
    reader, writer = _connector(source, "/source"), _connector(target, "/target")
    if reader.source is None:
        raise StoreCannot.at("/source", f"{reader.title} can only be written.")
    if writer.target is None:
        raise StoreCannot.at("/target", f"{writer.title} can only be read.")
    possible = [each for each in Stream if each in reader.reads and each in writer.writes]
    for index, stream in enumerate(asked or []):
        if stream not in possible:
            side = reader.title if stream not in reader.reads else writer.title
            raise StoreCannot.at(f"/streams/{index}", f"{side} does not know this stream.")
    if not possible:
        raise StoreCannot.at("/target", "The two platforms have no stream in common.")
    return [str(each) for each in (asked or possible)]


def _refuse_impossible(policies: Policies, target: Store) -> None:
    """What the target cannot do may not be asked of it: a run would only report."""
    actions = (policies.deletions and policies.deletions.actions) or {}
    if not actions:
        return
    writer = _connector(target, "/target")
    for stream, action in actions.items():
        capability = writer.writes.get(Stream(stream))
        possible = capability is not None and capability.removal(action) is not None
        if action is not Action.REPORT and not possible:
            place = f"/policies/deletions/actions/{stream}"
            raise StoreCannot.at(place, f"{writer.title} cannot {action} {stream}.")


def _connector(store: Store, where: str) -> Connector:
    try:
        return registry.connector(store.platform)
    except registry.UnknownPlatformError:
        raise StoreCannot.at(where, "The connector of its platform is not installed.") from None


def _policies(asked: MigrationIn) -> dict[str, Any]:
    return asked.policies.model_dump(mode="json", exclude_none=True)


async def _key_prefix(session: AsyncSession, slug: str, source: Store, target: Store) -> str:
    """How our keys on the target begin.

    The same for the same pair of shops, so that a migration which is deleted and made again
    recognises what it wrote before. Two at a time between the same shops are refused: neither would
    know what the other has written, and every order would be there twice.
    """
    pair = [_identity(source), _identity(target)]
    digest = hashlib.sha256(json.dumps(pair).encode()).hexdigest()
    prefix = f"rs{digest[:10]}"
    ends = and_(Migration.source_id == source.id, Migration.target_id == target.id)
    query = select(Migration).where(or_(ends, Migration.key_prefix == prefix))
    other = (await session.exec(query)).first()
    if other is None:
        return prefix
    if other.slug == slug:
        raise MigrationExists.at("/slug", "Choose another slug.")
    same = (other.source_id, other.target_id) == (source.id, target.id)
    if not same and not all("url" in each.settings for each in (source, target)):
        # Databases may look alike here whose credentials hold their addresses.
        return f"rs{secrets.token_hex(5)}"
    raise StoresPaired(
        f"It is `{other.slug}`. Change its streams or policies, or delete it first: a migration"
        " between the same two stores finds what was written before.",
        extra={"migration": other.slug},
    )


def _identity(store: Store) -> list[str]:
    """What makes a store the same one, whatever it is called here."""
    place = store.settings.get("url") or json.dumps(store.settings, sort_keys=True)
    # One Vendure server may hold several shops.
    channel = store.settings.get("channel")
    return [store.platform, str(place).rstrip("/").casefold(), *([channel] if channel else [])]


def _id_is(name: str) -> list[Any]:
    try:
        return [col(Migration.id) == UUID(name)]
    except ValueError:
        return []


async def _flush(session: AsyncSession) -> None:
    try:
        await session.flush()
    except IntegrityError as error:
        if "key_prefix" in str(error.orig):
            raise StoresPaired("It was made a moment ago.") from None
        raise MigrationExists.at("/slug", "Choose another slug.") from None
