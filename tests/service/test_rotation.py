"""Everything that is encrypted goes under a new key, however much of it there is."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel.ext.asyncio.session import AsyncSession

from app.database import create_engine
from app.security import Vault
from app.services import vault as rotation
from tests.fixtures.databases import migrated_database

COUNT = 2_500
SIZE = 20_000
"""Bytes of one sealed content, about."""

_FILL = """
INSERT INTO stores (id, name, platform, settings, credentials, version)
VALUES (gen_random_uuid(), 'shop', 'fake', '{}', :sealed, 1);
INSERT INTO migrations (id, slug, key_prefix, source_id, target_id, streams, policies, version)
SELECT gen_random_uuid(), 'move', 'rs', id, id, '{orders}', '{}', 1 FROM stores;
INSERT INTO contents (migration_id, stream, source_id, content)
SELECT id, 'orders', n::text, CAST(:sealed AS bytea)
FROM migrations, generate_series(1, CAST(:count AS int)) AS n
"""


@pytest.fixture
async def engine(servers: Any) -> AsyncIterator[AsyncEngine]:
    async with migrated_database(servers.database_url, "rotation") as url:
        engine = create_engine(url, pool=1)
        yield engine
        await engine.dispose()


async def _fill(engine: AsyncEngine, sealed: bytes, count: int) -> None:
    async with engine.begin() as connection:
        for statement in _FILL.split(";"):
            names = {"sealed": sealed, "count": count}
            used = {name: each for name, each in names.items() if f":{name}" in statement}
            await connection.execute(text(statement), used)


async def test_rotation_reaches_every_record_and_holds_few_of_them_at_once(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "_PORTION", 100)
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    await _fill(engine, Vault([old]).seal({"text": "x" * (SIZE * 3 // 4)}), COUNT)
    tracemalloc.start()
    try:
        async with AsyncSession(engine) as session, session.begin():
            assert await rotation.rotate_all(session, Vault([new, old])) == 1
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < COUNT * SIZE / 4, "as much as the table holds was in memory at once"
    async with engine.connect() as connection:
        rows = await connection.stream(text("SELECT content FROM contents"))
        count = 0
        async for row in rows:
            Vault([new]).open_bytes(row.content)
            count += 1
    assert count == COUNT


async def test_rotation_that_meets_a_record_of_a_lost_key_changes_nothing(
    engine: AsyncEngine,
) -> None:
    old, new, lost = (Fernet.generate_key().decode() for _ in range(3))
    sealed = Vault([old]).seal({"text": "x"})
    await _fill(engine, sealed, 5)
    async with engine.begin() as connection:
        await connection.execute(
            text("UPDATE contents SET content = :sealed WHERE source_id = '4'"),
            {"sealed": Vault([lost]).seal({"text": "y"})},
        )
    with pytest.raises(Exception, match="no configured key"):
        async with AsyncSession(engine) as session, session.begin():
            await rotation.rotate_all(session, Vault([new, old]))
    async with engine.connect() as connection:
        found = await connection.execute(text("SELECT content FROM contents WHERE source_id = '1'"))
        assert bytes(found.scalar_one()) == sealed
