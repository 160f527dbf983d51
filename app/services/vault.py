"""Everything that is encrypted at rest, put under another key."""

from __future__ import annotations

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import IdempotencyRecord, Store
from app.security import Vault


async def rotate_all(session: AsyncSession, vault: Vault) -> int:
    """Encrypt all credentials and kept answers under the vault's first key.

    Answers how many stores there are. Raises `VaultError` where no configured key opens one.
    """
    stores = (await session.exec(select(Store).with_for_update())).all()
    for store in stores:
        store.credentials = vault.rotate(store.credentials)
    for record in await session.exec(select(IdempotencyRecord).with_for_update()):
        if record.body is not None:
            sealed = vault.rotate(record.body["sealed"].encode())
            record.body = {"sealed": sealed.decode()}
    await session.flush()
    return len(stores)
