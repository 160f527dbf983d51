"""PostgreSQL as a target: one table a stream, for headless shops and for staging."""

from __future__ import annotations

from connectors.base import Action, Connector, Removal, WriteCapability
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
        "A mirror: what changes at the source is written, whatever somebody did to the row.",
        "Rows are keyed by our external key; rows, columns and keys of others are left alone.",
    ),
)

CONNECTOR = Connector(
    name="postgres",
    title="PostgreSQL",
    settings=PostgresSettings,
    credentials=PostgresCredentials,
    writes=dict.fromkeys(Stream, _WRITES),
    target=PostgresTarget,
)
