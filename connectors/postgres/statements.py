"""The SQL of a table. Every statement takes a batch as one array a column.

Arrays rather than COPY into a temporary table: measured, they cost the same at 500 rows and less
below, they need no temporary tables, and they pass through a transaction pooler.
"""

from __future__ import annotations

# ruff: noqa: S608 - names are our own or validated as identifiers; values travel as parameters
import re
from functools import cached_property

from connectors.postgres.tables import TABLES, Column, Natural
from connectors.records import Stream

_MARK = "recent-sync schema"
_LEADING = (("id", "text"), ("source_id", "text"), ("data", "jsonb"))
_ALWAYS = (
    "id text PRIMARY KEY, source_id text, data jsonb NOT NULL DEFAULT '{}',"
    " synced_at timestamptz NOT NULL DEFAULT now()"
)
_PRESENT = {"removed_at": "NULL::timestamptz"}  # whatever is written is there again
_LOCK = 7_235_620_911  # any number that nobody else takes for their advisory lock


class Statements:
    """The statements for one stream's table in one schema."""

    def __init__(self, namespace: str, stream: Stream) -> None:
        self.table = TABLES[stream]
        self.namespace = namespace
        self.name = f'"{namespace}"."{self.table.name}"'

    # --- the table itself ---

    @cached_property
    def lock(self) -> str:
        """Only one session at a time makes tables; the lock ends with the transaction."""
        return f"SELECT pg_advisory_xact_lock({_LOCK})"

    @cached_property
    def comment(self) -> str:
        """Takes the table's name; the comment on it, NULL without one; no row without a table."""
        return "SELECT obj_description(oid, 'pg_class') FROM pg_class WHERE oid = to_regclass($1)"

    def version(self, comment: str | None) -> int | None:
        """The version that a table's comment tells; None: the table is not ours."""
        found = re.search(rf"{_MARK} (\d+)", comment or "")
        return int(found[1]) if found else None

    @cached_property
    def migration(self) -> list[str]:
        """Makes the table, or adds what an older release of it lacks. May run twice."""
        columns = [(each.name, each.type) for each in self.table.columns]
        return [
            f"CREATE TABLE IF NOT EXISTS {self.name} ({_ALWAYS})",
            *(
                f"ALTER TABLE {self.name} ADD COLUMN IF NOT EXISTS {name} {kind}"
                for name, kind in columns
            ),
            f"ALTER TABLE {self.name} ADD COLUMN IF NOT EXISTS removed_at timestamptz",
            *(
                f"CREATE INDEX IF NOT EXISTS {self._index(expression)}"
                f" ON {self.name} ({expression})"
                for expression in self.table.indexes
            ),
            f"COMMENT ON TABLE {self.name} IS '{_MARK} {self.table.version}'",
        ]

    def _index(self, expression: str) -> str:
        return "_".join(["recent_sync", self.table.name, *re.findall(r"\w+", expression)])

    # --- writing ---

    @cached_property
    def create(self) -> str:
        """Insert; a row of that id gets the values, unless it has them."""
        names = ["id", *self._own]
        given = {name: f"excluded.{name}" for name in self._own}
        return (
            f"INSERT INTO {self.name} AS t ({', '.join(names)})"
            f" SELECT {', '.join(names)} FROM {self._batch()}"
            f" ON CONFLICT (id) DO UPDATE SET {self._assign(given)} WHERE {self._differ(given)}"
        )

    @cached_property
    def update(self) -> str:
        """Set all columns of the rows of the batch."""
        return self._update({name: f"s.{name}" for name in self._own}, self._batch())

    @cached_property
    def update_changed(self) -> str:
        """As `update`, with one more array: the names of the fields to write, as `{a,b}`."""
        given = {"source_id": "s.source_id", "data": "s.data"}
        given |= {column.name: self._if_changed(column) for column in self.table.columns}
        return self._update(given, self._batch(changed=True))

    @cached_property
    def hold(self) -> str:
        """Which of these ids exist. Locks them, in an order that is the same for everybody."""
        return f"SELECT id FROM {self.name} WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE"

    @cached_property
    def _own(self) -> list[str]:
        return ["source_id", "data", *(column.name for column in self.table.columns)]

    def _update(self, given: dict[str, str], batch: str) -> str:
        return (
            f"UPDATE {self.name} AS t SET {self._assign(given)} FROM {batch}"
            f" WHERE t.id = s.id AND {self._differ(given)}"
        )

    def _assign(self, given: dict[str, str]) -> str:
        merged = given | {"data": f"t.data || {given['data']}", "synced_at": "now()", **_PRESENT}
        return ", ".join(f"{name} = {value}" for name, value in merged.items())

    def _differ(self, given: dict[str, str]) -> str:
        merged = given | {"data": f"t.data || {given['data']}", **_PRESENT}
        old = ", ".join(f"t.{name}" for name in merged)
        return f"({old}) IS DISTINCT FROM ({', '.join(merged.values())})"

    def _if_changed(self, column: Column) -> str:
        fields = ",".join(column.fields)
        return (
            f"CASE WHEN s.changed::text[] && '{{{fields}}}'"
            f" THEN s.{column.name} ELSE t.{column.name} END"
        )

    def _batch(self, *, changed: bool = False) -> str:
        """The arrays as a table `s`. Numbers travel as text: that is exact, and cheaper."""
        columns = [*_LEADING, *((each.name, each.type) for each in self.table.columns)]
        if changed:
            columns.append(("changed", "text"))
        arrays = ", ".join(
            f"${place}::{_sent(kind)}[]" for place, (_, kind) in enumerate(columns, 1)
        )
        names = [name for name, _ in columns]
        casts = ", ".join(
            f"{name}::{kind}" if _sent(kind) != kind else name for name, kind in columns
        )
        return f"(SELECT {casts} FROM unnest({arrays}) AS u ({', '.join(names)})) AS s"

    # --- removing ---

    @cached_property
    def standing(self) -> str:
        """Which of these ids exist, and which of them are not archived."""
        return f"SELECT id, removed_at IS NULL AS live FROM {self.name} WHERE id = ANY($1::text[])"

    @cached_property
    def archive(self) -> str:
        """Mark rows as removed; the first mark stays."""
        return (
            f"UPDATE {self.name} SET removed_at = coalesce(removed_at, now())"
            f" WHERE id = ANY($1::text[])"
        )

    @cached_property
    def delete(self) -> str:
        """Delete rows."""
        return f"DELETE FROM {self.name} WHERE id = ANY($1::text[])"

    @cached_property
    def restore(self) -> str:
        """Take the mark of removed rows away; answers with the ids that are there."""
        return f"UPDATE {self.name} SET removed_at = NULL WHERE id = ANY($1::text[]) RETURNING id"

    # --- finding ---

    @cached_property
    def present(self) -> str:
        """Which of these ids exist."""
        return f"SELECT id FROM {self.name} WHERE id = ANY($1::text[])"

    @cached_property
    def whole(self) -> str:
        """The rows of these ids."""
        return f"SELECT * FROM {self.name} WHERE id = ANY($1::text[])"

    @cached_property
    def behind(self) -> str:
        """Rows behind an id, in order, so many at most; archived ones are left out."""
        return (
            f"SELECT * FROM {self.name} WHERE id > $1 AND removed_at IS NULL ORDER BY id LIMIT $2"
        )

    def alike(self, natural: Natural) -> str:
        """Values that one row alone has, archived ones apart, with its id."""
        return (
            f"SELECT {natural.expression} AS value, min(id) AS id FROM {self.name}"
            f" WHERE {natural.expression} = ANY($1::text[]) AND removed_at IS NULL"
            " GROUP BY 1 HAVING count(*) = 1"
        )


def _sent(kind: str) -> str:
    return "text" if kind == "numeric" else kind


def statements(namespace: str) -> dict[Stream, Statements]:
    """The statements of all streams in one schema."""
    return {stream: Statements(namespace, stream) for stream in TABLES}
