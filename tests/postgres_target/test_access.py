import socket
from urllib.parse import urlsplit

import pytest
from pydantic import ValidationError

from connectors.base import Applied, StoreAccess, Uncertain
from connectors.errors import Rejected, SignInAgain, StoreError, Unreachable
from connectors.postgres import CONNECTOR
from connectors.postgres.settings import PostgresCredentials, PostgresSettings
from connectors.postgres.target import PostgresTarget
from connectors.records import Stream
from tests.postgres_target.contents import operation, order
from tests.postgres_target.proxy import relay


async def _problem(access: StoreAccess) -> StoreError:
    with pytest.raises(StoreError) as caught:
        async with PostgresTarget(access) as target:
            await target.check()
    return caught.value


async def test_check_tells_version_and_clock_and_makes_nothing(target, shop, namespace):
    report = await target.check()

    assert int(report.platform_version.split(".")[0]) >= 13
    assert report.server_time.tzinfo is not None
    assert await shop.fetchval("SELECT to_regnamespace($1)", namespace) is None


async def test_check_passes_where_the_tables_are_made_already(target, shop):
    await target.write(Stream.ORDERS, [operation(order())])

    assert (await target.check()).platform_version


async def test_a_closed_port_is_unreachable(access):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    assert isinstance(await _problem(access(port=port)), Unreachable)


async def test_a_wrong_password_asks_to_sign_in_again(access):
    problem = await _problem(access(password="hunter2-wrong"))

    assert isinstance(problem, SignInAgain)
    assert "hunter2" not in str(problem)


async def test_an_unknown_database_is_rejected(access):
    problem = await _problem(access(database="no_such_database"))

    assert isinstance(problem, Rejected)
    assert problem.code == "database_unknown"


async def test_encryption_that_the_server_lacks_is_unreachable(access):
    assert isinstance(await _problem(access(sslmode="require")), Unreachable)


async def test_a_user_who_may_not_create_tables_is_told(access, shop, namespace):
    role = f"reader_{namespace}"
    await shop.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'secret'")
    try:
        problem = await _problem(access(user=role, password="secret"))
        async with PostgresTarget(access(user=role, password="secret")) as target:
            with pytest.raises(SignInAgain):
                await target.write(Stream.ORDERS, [operation(order())])
    finally:
        await shop.execute(f"DROP ROLE {role}")

    assert isinstance(problem, SignInAgain)
    assert problem.code == "permission_missing"


async def test_a_table_of_somebody_else_is_never_touched(access, target, shop, namespace):
    await shop.execute(f"CREATE SCHEMA {namespace}")
    await shop.execute("CREATE TABLE orders (id text PRIMARY KEY)")

    problem = await _problem(access())
    with pytest.raises(Rejected):
        await target.write(Stream.ORDERS, [operation(order())])

    assert problem.code == "foreign_table"
    columns = "SELECT count(*) FROM information_schema.columns WHERE table_schema = $1"
    assert await shop.fetchval(columns, namespace) == 1


async def test_a_table_of_an_older_release_gains_what_it_lacks(target, shop, namespace):
    await shop.execute(f"CREATE SCHEMA {namespace}")
    await shop.execute(
        "CREATE TABLE orders (id text PRIMARY KEY, source_id text, number text,"
        " data jsonb NOT NULL DEFAULT '{}', synced_at timestamptz NOT NULL DEFAULT now())"
    )
    await shop.execute("COMMENT ON TABLE orders IS 'Kept by recent-sync schema 0 (see wiki)'")
    await shop.execute("INSERT INTO orders (id, number) VALUES ('old', '1')")

    outcomes = await target.write(Stream.ORDERS, [operation(order())])

    assert isinstance(outcomes[0], Applied)
    assert await shop.fetchval("SELECT array_agg(number ORDER BY number) FROM orders") == [
        "1",
        "1007",
    ]


async def test_two_processes_can_make_the_tables_at_once(access, shop):
    async with PostgresTarget(access()) as one, PostgresTarget(access()) as other:
        for stream in Stream:
            await one.find(stream, [])
            await other.find(stream, [])

    assert await shop.fetchval("SELECT count(*) FROM orders") == 0


async def test_a_connection_lost_during_commit_leaves_the_records_uncertain(access, dsn, shop):
    async with PostgresTarget(access()) as target:
        await target.find(Stream.ORDERS, [])
    async with (
        relay(urlsplit(dsn).port, b"COMMIT") as passing,
        PostgresTarget(access(port=passing.port)) as target,
    ):
        outcomes = await target.write(Stream.ORDERS, [operation(order())])

    assert isinstance(outcomes[0], Uncertain)
    assert await shop.fetchval("SELECT count(*) FROM orders") == 1


async def test_a_connection_lost_before_commit_applies_nothing(access, dsn, shop):
    async with PostgresTarget(access()) as target:
        await target.find(Stream.ORDERS, [])
    async with (
        relay(urlsplit(dsn).port, b"INSERT INTO") as passing,
        PostgresTarget(access(port=passing.port)) as target,
    ):
        with pytest.raises(Unreachable):
            await target.write(Stream.ORDERS, [operation(order())])

    assert await shop.fetchval("SELECT count(*) FROM orders") == 0


async def test_the_target_needs_no_silencing(target):
    before = await target.loud()
    await target.mute(before)
    await target.unmute(before)

    assert before == {}


async def test_an_address_in_one_line_replaces_the_settings(dsn, namespace):
    access = StoreAccess(
        PostgresSettings.model_validate({"host": "nowhere.invalid", "schema": namespace}),
        PostgresCredentials(dsn=f"{dsn}?sslmode=disable"),
    )

    async with PostgresTarget(access) as target:
        assert (await target.check()).name == urlsplit(dsn).path[1:]


async def test_the_environment_of_the_service_takes_no_part(access, monkeypatch):
    for name, value in (("PGHOST", "nowhere.invalid"), ("PGPASSWORD", "x"), ("PGSSLMODE", "x")):
        monkeypatch.setenv(name, value)

    async with PostgresTarget(access()) as target:
        assert (await target.check()).platform_version


@pytest.mark.parametrize(
    "dsn",
    [
        "mysql://u:tops3cret@h/d",
        "postgresql://u:tops3cret@h",
        "postgresql://u:tops3cret@h/d?passfile=/etc/passwd",
        "postgresql://u:tops3cret@h/d?sslmode=sometimes",
        "postgresql://u:tops3cret@h:99999999/d",
        "postgresql://u:tops3cret@%2Fvar%2Frun/d",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_repeating_it(dsn):
    with pytest.raises(ValidationError) as caught:
        PostgresCredentials.model_validate({"dsn": dsn})

    problems = caught.value.errors(include_input=False, include_context=False)
    assert "tops3cret" not in str([problem["msg"] for problem in problems])


@pytest.mark.parametrize(
    "settings",
    [
        {"host": "/var/run/postgresql"},
        {"host": "a b"},
        {"schema": "pg_catalog"},
        {"schema": 'x"; DROP'},
        {"sslmode": "verify-full", "ca_certificate": "no certificate"},
        {"surprise": 1},
    ],
)
def test_settings_that_cannot_be_right_are_refused(settings):
    with pytest.raises(ValidationError):
        PostgresSettings.model_validate(settings)


def test_the_connector_only_writes():
    assert CONNECTOR.source is None
    assert set(CONNECTOR.writes) == set(Stream)
    assert all(each.idempotent and not each.serial_creates for each in CONNECTOR.writes.values())
