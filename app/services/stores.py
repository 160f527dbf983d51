"""Stores: registered with values that fit their platform, credentials encrypted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.errors import (
    InvalidStoreSettings,
    StoreExists,
    StoreInUse,
    StoreNotFound,
    UnknownPlatform,
)
from app.models import Store
from app.models.columns import now
from app.problems import pointer
from app.schemas.paging import Keyset
from app.schemas.store import StoreIn, StoreOut, StorePatch
from app.security import Vault, VaultError
from app.services.transaction import Work
from connectors import registry
from connectors.base import StoreAccess


async def create_store(work: Work, asked: StoreIn) -> Store:
    """Raises `UnknownPlatform`, `InvalidStoreSettings`, `StoreExists`."""
    validated(asked.platform, asked.settings, asked.credentials)
    store = Store(
        name=asked.name,
        platform=asked.platform,
        settings=asked.settings,
        credentials=work.resources.vault.seal(asked.credentials),
    )
    work.session.add(store)
    await _flush(work.session)
    return store


async def find_store(session: AsyncSession, name: str, *, lock: bool = False) -> Store | None:
    """A store by name or id. With `lock` it stays until the transaction ends."""
    query = select(Store).where(or_(Store.name == name, *_id_is(name)))
    if lock:
        query = query.with_for_update(read=True, key_share=True)
    # A name may look like another store's id: the name wins.
    found = (await session.exec(query)).all()
    return next((each for each in found if each.name == name), found[0] if found else None)


async def get_store(session: AsyncSession, name: str) -> Store:
    """Raises `StoreNotFound`."""
    store = await find_store(session, name)
    if store is None:
        raise StoreNotFound
    return store


async def list_stores(session: AsyncSession, page: Keyset, platform: str | None) -> list[Store]:
    """Stores by name, one more than the page holds."""
    query = select(Store)
    if platform is not None:
        query = query.where(Store.platform == platform)
    return list(await session.exec(page.apply(query, col(Store.name))))


async def change_store(work: Work, name: str, asked: StorePatch) -> Store:
    """Raises as `create_store`, and `StoreNotFound`."""
    store = await get_store(work.session, name)
    await work.session.refresh(store, with_for_update={"key_share": True})
    settings = _merged(store.settings, asked.settings)
    credentials = _merged(_opened(work.resources.vault, store), asked.credentials)
    validated(store.platform, settings, credentials)
    store.settings = settings
    if asked.credentials is not None:
        store.credentials = work.resources.vault.seal(credentials)
    store.name = asked.name or store.name
    store.version += 1
    store.updated_at = now()
    await _flush(work.session)
    return store


async def delete_store(session: AsyncSession, name: str) -> None:
    """Raises `StoreNotFound`, `StoreInUse`."""
    store = await get_store(session, name)
    await session.delete(store)
    try:
        await session.flush()
    except IntegrityError:
        raise StoreInUse from None


def shown(store: Store, vault: Vault) -> StoreOut:
    """What may be told of a store."""
    try:
        credentials: dict[str, Any] | None = vault.open(store.credentials)
    except VaultError:
        credentials = None
    there = [name for name, value in (credentials or {}).items() if value is not None]
    return StoreOut(
        id=store.id,
        name=store.name,
        platform=store.platform,
        settings=store.settings,
        credentials_set=sorted(there),
        credentials_readable=credentials is not None,
        muted=bool(store.muted_by),
        version=store.version,
        created_at=store.created_at,
        updated_at=store.updated_at,
    )


def validated(platform: str, settings: dict[str, Any], credentials: dict[str, Any]) -> StoreAccess:
    """The values as the connector's own models. Raises `UnknownPlatform`,
    `InvalidStoreSettings`.
    """
    try:
        return registry.access(platform, settings, credentials)
    except registry.UnknownPlatformError:
        raise UnknownPlatform.at("/platform", "`/v1/platforms` lists those there are.") from None
    except registry.AccessError as error:
        places = [
            {"pointer": pointer(path.split(".")), "detail": sentence.removeprefix("Value error, ")}
            for path, sentence in error.problems
        ]
        raise InvalidStoreSettings(errors=places) from None


def _opened(vault: Vault, store: Store) -> dict[str, Any]:
    try:
        return vault.open(store.credentials)
    except VaultError:
        # Their key is lost: a caller that gives all of them anew repairs the store.
        return {}


def _merged(old: dict[str, Any], changes: dict[str, Any] | None) -> dict[str, Any]:
    merged = old | (changes or {})
    return {name: value for name, value in merged.items() if value is not None}


def _id_is(name: str) -> list[Any]:
    try:
        return [col(Store.id) == UUID(name)]
    except ValueError:
        return []


async def _flush(session: AsyncSession) -> None:
    try:
        await session.flush()
    except IntegrityError:
        raise StoreExists.at("/name", "Choose another name.") from None
