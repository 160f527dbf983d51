"""PostgreSQL as a target: one table a stream, for headless shops and for staging."""

from __future__ import annotations

from connectors.base import Action, Connector, Permission, Removal, WriteCapability
from connectors.postgres.settings import PostgresCredentials, PostgresSettings
from connectors.postgres.target import PostgresTarget
from connectors.records import Stream

_WRITES = WriteCapability(
    idempotent=True,
    batch=1000,
    find_batch=1000,
    removals=(Removal(Action.ARCHIVE, undo=True), Removal(Action.DELETE)),
    write_settle=0.0,  # a repeated write waits for the first one's row locks, and finds its rows
    notes=(
        "One table a stream; what has no column of its own stands in `data` (jsonb).",
        "Rows are keyed by our external key; rows, columns and keys of others are left alone.",
    ),
)

_PERMISSIONS = (
    Permission("CONNECT", "The role may open the database.", writing=True),
    Permission(
        "CREATE on the database",
        "The schema is made on demand; not needed where the schema is there.",
        writing=True,
    ),
    Permission(
        "USAGE, CREATE on the schema", "Tables are made and brought up to date.", writing=True
    ),
    Permission(
        "SELECT, INSERT, UPDATE, DELETE on its tables",
        "The role has them on tables that it makes itself.",
        writing=True,
    ),
)
_STEPS = (
    "Sign in with psql as a role that may create roles in the database.",
    "Make a role: CREATE ROLE recent_sync LOGIN PASSWORD '…';",
    "Make it a schema of its own: CREATE SCHEMA shop AUTHORIZATION recent_sync;",
    "Let it in, with your database's name: GRANT CONNECT ON DATABASE shop TO recent_sync;",
    "In pg_hba.conf, or in the network rules of a hosted database, let recent-sync's machine in.",
    "Let whoever reads the tables use the schema: GRANT USAGE ON SCHEMA shop TO shop_reader;",
    (
        "Let them read tables that are still to come: ALTER DEFAULT PRIVILEGES FOR ROLE "
        "recent_sync IN SCHEMA shop GRANT SELECT ON TABLES TO shop_reader;"
    ),
)

CONNECTOR = Connector(
    name="postgres",
    title="PostgreSQL",
    settings=PostgresSettings,
    credentials=PostgresCredentials,
    permissions=_PERMISSIONS,
    steps=_STEPS,
    writes=dict.fromkeys(Stream, _WRITES),
    target=PostgresTarget,
)
