"""Everything that is encrypted at rest, put under another key."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import IdempotencyRecord, Store
from app.security import Vault

_PORTION = 1000

# Rows are walked by their place in the table: there may be as many as records in all migrations.
_LOCK = "LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"
_READ = "SELECT ctid::text AS place, {column} AS sealed FROM {table}"
_WRITE = (
    "UPDATE {table} SET {column} = new.sealed"
    " FROM unnest(CAST(:places AS text[]), CAST(:sealed AS bytea[])) AS new (place, sealed)"
    " WHERE {table}.ctid = CAST(new.place AS tid)"
)
_LARGE = (("conflicts", "sealed"), ("contents", "content"), ("webhooks", "secrets"))


async def rotate_all(session: AsyncSession, vault: Vault) -> int:
    """Encrypt all credentials, kept answers, conflicts, applied contents and secrets of webhooks
    under the vault's first key.

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
    for table, column in _LARGE:
        await _rotate_table(await session.connection(), vault, table, column)
    return len(stores)


async def _rotate_table(connection: AsyncConnection, vault: Vault, table: str, column: str) -> None:
    """A portion at a time. The cursor shows the table as it was when it was opened: a row that
    was written anew, in another place, does not come again.
    """
    names = {"table": table, "column": column}
    await connection.execute(text(_LOCK.format(**names)))
    rows = await connection.stream(
        text(_READ.format(**names)), execution_options={"yield_per": _PORTION}
    )
    async for some in rows.partitions(_PORTION):
        await connection.execute(
            text(_WRITE.format(**names)),
            {
                "places": [row.place for row in some],
                "sealed": [vault.rotate(row.sealed) for row in some],
            },
        )
