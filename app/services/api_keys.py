"""API keys: made, recognised, revoked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from app.errors import ApiKeyNotFound, InvalidExpiry, KeyExpired, Unauthorized
from app.models import ApiKey
from app.models.columns import now
from app.schemas.paging import Keyset
from app.security import SCOPES, key_digest, new_api_key, same_digest, split_api_key

_USE_IS_NOTED = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `scopes` holds what the key was given and what that includes."""

    id: UUID
    name: str
    prefix: str
    scopes: frozenset[str]


async def create_key(
    session: AsyncSession, *, name: str, scopes: Sequence[str], expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """A new key and its text, which is kept nowhere. Raises `InvalidExpiry`."""
    if expires_at is not None and expires_at <= now():
        raise InvalidExpiry.at("/expires_at", "This moment has passed.")
    fresh = new_api_key()
    key = ApiKey(
        name=name,
        prefix=fresh.prefix,
        digest=fresh.digest,
        scopes=[scope for scope in SCOPES if scope in scopes],
        expires_at=expires_at,
    )
    session.add(key)
    await session.flush()
    return key, fresh.text


async def list_keys(session: AsyncSession, page: Keyset) -> list[ApiKey]:
    """Keys, oldest first, one more than the page holds."""
    query = page.apply(select(ApiKey), col(ApiKey.created_at), col(ApiKey.id))
    return list(await session.exec(query))


async def get_key(session: AsyncSession, key_id: UUID) -> ApiKey:
    """Raises `ApiKeyNotFound`."""
    key = await session.get(ApiKey, key_id)
    if key is None:
        raise ApiKeyNotFound
    return key


async def revoke_key(session: AsyncSession, key_id: UUID) -> None:
    """From now on the key opens nothing. Doing so twice is harmless. Raises `ApiKeyNotFound`."""
    key = await get_key(session, key_id)
    key.revoked_at = key.revoked_at or now()


async def recognise(engine: AsyncEngine, text: str) -> Caller:
    """Who holds this key. Raises `Unauthorized`, `KeyExpired`.

    A transaction of its own: that a key was used stays noted when the request fails.
    """
    match split_api_key(text):
        case (prefix, body) if prefix.isascii() and prefix.isalnum():
            digest = key_digest(body)
        case _:
            raise _refused(Unauthorized)
    async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
        key = (await session.exec(select(ApiKey).where(ApiKey.prefix == prefix))).one_or_none()
        if key is None or not same_digest(key.digest, digest) or key.revoked_at is not None:
            raise _refused(Unauthorized)
        if key.expires_at is not None and key.expires_at <= now():
            raise _refused(KeyExpired)
        await _note_use(session, key)
    return Caller(key.id, key.name, key.prefix, included(key.scopes))


def included(scopes: Sequence[str]) -> frozenset[str]:
    """The scopes and those they include: `admin` ⊃ `run` ⊃ `read`."""
    highest = max((SCOPES.index(scope) for scope in scopes if scope in SCOPES), default=-1)
    return frozenset(SCOPES[: highest + 1])


async def _note_use(session: AsyncSession, key: ApiKey) -> None:
    stale = now() - _USE_IS_NOTED
    if key.used_at is not None and key.used_at > stale:
        return
    await session.exec(
        update(ApiKey)
        .where(col(ApiKey.id) == key.id)
        .where(or_(col(ApiKey.used_at).is_(None), col(ApiKey.used_at) <= stale))
        .values(used_at=now())
        .execution_options(synchronize_session=False)
    )


def _refused(kind: type[Unauthorized]) -> Unauthorized:
    challenge = 'Bearer realm="recent-sync", error="invalid_token"'
    return kind(headers={"WWW-Authenticate": challenge})
