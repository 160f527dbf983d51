"""The tables, and what happens when the database is not there."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from alembic import command
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.database import alembic_config, autocommit, create_engine
from app.main import create_app
from app.problems import unexpected
from app.queue import ArqQueue
from app.resources import MissingServerError, Resources
from app.services import health
from app.services.transaction import transaction
from app.settings import Settings
from tests.service.answers import problem
from tests.service.paper import a_store


async def test_the_tables_are_those_of_the_models(service_settings):
    config = alembic_config(service_settings.database_url.get_secret_value())
    await asyncio.to_thread(command.check, config)


async def test_each_statement_alone_is_a_transaction_and_a_block_after_it_is_one_too(
    service_settings,
):
    engine = create_engine(service_settings.database_url.get_secret_value(), pool=1)
    number = text("SELECT txid_current()")
    async with autocommit(engine) as alone:
        process = await alone.scalar(text("SELECT pg_backend_pid()"))
        assert await alone.scalar(number) != await alone.scalar(number)
    async with engine.begin() as connection:
        assert await connection.scalar(text("SELECT pg_backend_pid()")) == process
        assert await connection.scalar(number) == await connection.scalar(number)
    await engine.dispose()


async def test_a_service_in_order_is_ready(service):
    client = service.client(None)
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    answer = await client.get("/readyz")
    assert answer.json() == {
        "status": "ready",
        "checks": {"database": True, "tables_current": True, "redis": True},
    }


async def test_old_tables_are_not_ready(service):
    await service.write("UPDATE alembic_version SET version_num = 'before'")
    try:
        members = problem(await service.client(None).get("/readyz"), 503, "not_ready")
    finally:
        (head,) = health._heads()
        await service.write("UPDATE alembic_version SET version_num = :head", head=head)
    assert members["checks"] == {"database": True, "tables_current": False, "redis": True}


@pytest.fixture
async def stranded(resources):
    """The API with neither a database nor a Redis."""
    engine = create_engine("postgresql://nobody:hush@127.0.0.1:1/none")
    queue = ArqQueue("redis://127.0.0.1:1/0")
    alone = Resources(resources.settings, engine, queue, resources.vault)
    app = create_app(resources=alone)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client,
    ):
        yield client
    await engine.dispose()


async def test_without_a_database_requests_are_asked_to_come_again(stranded):
    headers = {"Authorization": "Bearer rs_0123456789_whatever"}
    answer = await stranded.get("/v1/stores", headers=headers)
    problem(answer, 503, "database_unavailable")
    assert answer.headers["retry-after"] == "5"
    assert "hush" not in answer.text


async def test_without_servers_the_process_lives_but_is_not_ready(stranded):
    assert (await stranded.get("/healthz")).status_code == 200
    members = problem(await stranded.get("/readyz"), 503, "not_ready")
    assert members["checks"] == {"database": False, "tables_current": False, "redis": False}


async def test_a_database_that_goes_away_in_between_is_told_apart_from_our_own_mistakes(resources):
    async def run(statement):
        async with transaction(resources) as work:
            await (await work.connection()).exec_driver_sql(statement)

    with pytest.raises(DBAPIError) as lost:
        await run("SELECT pg_terminate_backend(pg_backend_pid())")
    assert unexpected(lost.value).code == "database_unavailable"
    with pytest.raises(DBAPIError) as mistake:
        await run("SELECT nonsense")
    assert unexpected(mistake.value).code == "internal_error"


async def test_a_commit_that_fails_is_not_answered_with_success(api, service, monkeypatch):
    """The transaction ends before the answer is sent, not after."""
    await api.post("/v1/stores", json=a_store())
    await service.write(
        "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'at commit'; END $$"
    )
    await service.write(
        "CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON stores"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    try:
        answer = await api.patch("/v1/stores/old-shop", json={"settings": {"pages": 2}})
    finally:
        await service.write("DROP TRIGGER late ON stores")
        await service.write("DROP FUNCTION refuse")
    problem(answer, 500, "internal_error")
    assert (await api.get("/v1/stores/old-shop")).json()["version"] == 1


async def test_an_api_without_servers_to_open_says_which_settings_it_misses():
    app: FastAPI = create_app(Settings(database_url=None, redis_url=None))
    with pytest.raises(MissingServerError, match="RECENT_SYNC_DATABASE_URL"):
        async with app.router.lifespan_context(app):
            pass


async def test_a_failing_statement_does_not_tell_what_it_was_given(resources):
    async def run():
        async with transaction(resources) as work:
            connection = await work.connection()
            await connection.execute(text("SELECT nonsense, CAST(:given AS text)"), {"given": "Jo"})

    with pytest.raises(DBAPIError) as failure:
        await run()
    assert "nonsense" in str(failure.value)
    assert "Jo" not in str(failure.value)
