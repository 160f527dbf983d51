"""Durable storage: SQLite, documents as JSON beside the columns they are found by.

A record usually has one row. While a change is not visible yet (or is torn) it has several, each
with the time in which readers see it: `seen_from` to `seen_until`, `latest` marking the newest.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from sandbox.records import FAR, Columns
from sandbox.wire import decode, encode

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    rid INTEGER PRIMARY KEY,
    kind TEXT NOT NULL, id INTEGER NOT NULL, parent INTEGER NOT NULL, status TEXT NOT NULL,
    created INTEGER, created_local INTEGER, modified INTEGER, modified_local INTEGER,
    slug TEXT NOT NULL, key TEXT NOT NULL, owner INTEGER NOT NULL, type TEXT NOT NULL,
    title TEXT NOT NULL,
    latest INTEGER NOT NULL DEFAULT 1, torn INTEGER NOT NULL DEFAULT 0,
    seen_from REAL NOT NULL DEFAULT 0, seen_until REAL NOT NULL DEFAULT 9e15
);
CREATE TABLE IF NOT EXISTS bodies (rid INTEGER PRIMARY KEY, body BLOB NOT NULL, private BLOB);
CREATE TABLE IF NOT EXISTS journal (
    seq INTEGER PRIMARY KEY, at REAL NOT NULL, origin TEXT NOT NULL, kind TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS feed (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, record INTEGER NOT NULL,
    event TEXT NOT NULL, at INTEGER NOT NULL, UNIQUE (kind, record, event)
);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_INDEXES = """
CREATE INDEX IF NOT EXISTS by_id ON records (kind, id, latest, status);
CREATE INDEX IF NOT EXISTS by_modified ON records (kind, modified);
CREATE INDEX IF NOT EXISTS by_key ON records (kind, key);
CREATE INDEX IF NOT EXISTS by_slug ON records (kind, slug);
CREATE INDEX IF NOT EXISTS by_parent ON records (parent);
"""
# For `put`: leave the private part as it is.
KEEP = b"keep"
_FIELDS = ", ".join(Columns._fields)
_MARKS = ", ".join("?" * len(Columns._fields))
_SET = ", ".join(f"{name} = ?" for name in Columns._fields)


class Stored(NamedTuple):
    """A record as it lies in the store: its row, its JSON, and what the API does not show."""

    rid: int
    body: bytes
    private: bytes | None


class Torn(NamedTuple):
    """What readers see of a change for a while instead of the whole of it."""

    columns: Columns
    body: bytes
    seconds: float


class Glance(msgspec.Struct, frozen=True, gc=False):
    """Some of what a product or variation says about itself."""

    name: str
    sku: str
    price: Any
    parent_id: int = 0


_glance = msgspec.json.Decoder(Glance).decode


class Storage:
    """One connection; every change between two commits becomes durable together."""

    def __init__(self, folder: Path | None, now: Callable[[], float]) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        path = ":memory:" if folder is None else str(folder / "store.sqlite3")
        self._now = now
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("PRAGMA mmap_size = 1073741824")
        self._db.execute("PRAGMA cache_size = -32000")
        self._db.execute("PRAGMA wal_autocheckpoint = 8000")
        self._db.executescript(_SCHEMA + _INDEXES)
        self._facts: dict[str, Any] = {
            name: decode(value) for name, value in self._db.execute("SELECT name, value FROM facts")
        }
        self._dirty: set[str] = set()
        self._glances: dict[tuple[str, int], Glance] = {}
        self._journal: list[tuple[float, str, str, bytes]] = []
        self._horizon = self._oldest_horizon()

    def close(self) -> None:
        """Make everything durable and let go of the file."""
        self.commit()
        self._db.close()

    def clear(self) -> None:
        """Forget everything."""
        self._dirty.clear()
        self._journal.clear()
        self._begin()
        for table in ("records", "bodies", "journal", "feed", "facts"):
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608
        self._facts.clear()
        self._glances.clear()
        self._horizon = 0.0
        self.commit()

    # -- transactions

    def _begin(self) -> None:
        if not self._db.in_transaction:
            self._db.execute("BEGIN")

    def commit(self) -> None:
        """Make everything since the last commit durable."""
        if self._dirty:
            self._begin()
            self._db.executemany(
                "INSERT OR REPLACE INTO facts VALUES (?, ?)",
                [(name, encode(self._facts[name]).decode()) for name in self._dirty],
            )
            self._dirty.clear()
        if self._journal:
            self._begin()
            self._db.executemany(
                "INSERT INTO journal (at, origin, kind, detail) VALUES (?, ?, ?, ?)", self._journal
            )
            self._journal.clear()
        if self._db.in_transaction:
            self._db.execute("COMMIT")

    @contextmanager
    def bulk(self) -> Iterator[None]:
        """A fast load: no journal file, indexes built at the end; for filling, not for use."""
        self.commit()
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("PRAGMA journal_mode = MEMORY")
        for name in ("by_id", "by_modified", "by_key", "by_slug", "by_parent"):
            self._db.execute(f"DROP INDEX IF EXISTS {name}")
        try:
            yield
            self.commit()
        finally:
            self._db.executescript(_INDEXES)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")

    # -- small facts: counters, settings, faults

    def fact(self, name: str, default: Any = None) -> Any:
        """A small value that is kept by name."""
        return self._facts.get(name, default)

    def set_fact(self, name: str, value: Any) -> None:
        """Keep a small value (anything JSON can say)."""
        self._facts[name] = value
        self._dirty.add(name)

    def next_id(self, sequence: str, count: int = 1) -> int:
        """Reserve `count` ids of a sequence and give the first."""
        first = int(self._facts.get(f"next_{sequence}", 1))
        self.set_fact(f"next_{sequence}", first + count)
        return first

    # -- records

    def get(self, kind: str, record_id: int, *, torn: bool = False) -> Stored | None:
        """The newest state of a record, or with `torn` what a reader sees of it now."""
        row = None
        if torn and self.shadows():
            now = self._now()
            row = self._db.execute(
                "SELECT rid, body, private FROM records JOIN bodies USING (rid)"
                " WHERE kind = ? AND id = ? AND torn = 1 AND seen_from <= ? AND seen_until > ?",
                (kind, record_id, now, now),
            ).fetchone()
        if row is None:
            row = self._db.execute(
                "SELECT rid, body, private FROM records JOIN bodies USING (rid)"
                " WHERE kind = ? AND id = ? AND latest = 1",
                (kind, record_id),
            ).fetchone()
        return None if row is None else Stored(*row)

    def glance(self, kind: str, record_id: int) -> Glance | None:
        """What an order line needs to know of its goods: asked for far more often than changed."""
        known = self._glances.get((kind, record_id))
        if known is None:
            stored = self.get(kind, record_id)
            if stored is not None:
                known = self._glances[kind, record_id] = _glance(stored.body)
        return known

    def put(
        self,
        columns: Columns,
        body: bytes,
        private: bytes | None = None,
        *,
        delay: float = 0.0,
        torn: Torn | None = None,
    ) -> None:
        """Write a record; readers of lists see it `delay` seconds later, torn for a while."""
        self._begin()
        self._glances.pop(columns[:2], None)
        row = self._db.execute(
            "SELECT rid FROM records WHERE kind = ? AND id = ? AND latest = 1", columns[:2]
        ).fetchone()
        if delay <= 0 and torn is None:
            if row is None:
                self._insert(columns, body, None if private is KEEP else private)
            else:
                self._update(row[0], columns, body, private)
            return
        if private is KEEP:
            sql = "SELECT private FROM bodies WHERE rid = ?"
            private = self._db.execute(sql, row).fetchone()[0] if row else None
        visible = self._now() + delay
        if row is not None:
            # All earlier versions: a prompt write may overtake one that is not visible yet.
            self._db.execute(
                "UPDATE records SET latest = 0, seen_until = min(seen_until, ?)"
                " WHERE kind = ? AND id = ?",
                (visible, *columns[:2]),
            )
        if torn is not None:
            until = visible + torn.seconds
            self._insert(torn.columns, torn.body, private, (0, 1, visible, until))
            visible = until
        self._insert(columns, body, private, (1, 0, visible, FAR))
        self._horizon = max(self._horizon, visible)

    def _update(self, rid: int, columns: Columns, body: bytes, private: bytes | None) -> None:
        self._db.execute(f"UPDATE records SET {_SET} WHERE rid = ?", (*columns, rid))  # noqa: S608
        if private is KEEP:
            self._db.execute("UPDATE bodies SET body = ? WHERE rid = ?", (body, rid))
        else:
            sql = "UPDATE bodies SET body = ?, private = ? WHERE rid = ?"
            self._db.execute(sql, (body, private, rid))

    def _insert(
        self,
        columns: Columns,
        body: bytes,
        private: bytes | None,
        seen: tuple[int, int, float, float] = (1, 0, 0.0, FAR),
    ) -> None:
        cursor = self._db.execute(
            f"INSERT INTO records ({_FIELDS}, latest, torn, seen_from, seen_until)"  # noqa: S608
            f" VALUES ({_MARKS}, ?, ?, ?, ?)",
            (*columns, *seen),
        )
        self._db.execute("INSERT INTO bodies VALUES (?, ?, ?)", (cursor.lastrowid, body, private))

    def load(self, rows: Iterable[tuple[Columns, bytes, bytes | None]]) -> int:
        """Insert many new records at once; gives their number."""
        self._begin()
        first = (self._db.execute("SELECT max(rid) FROM records").fetchone()[0] or 0) + 1
        chunk: list[tuple[Columns, bytes, bytes | None]] = []
        count = 0
        for row in rows:
            chunk.append(row)
            if len(chunk) == 1000:  # noqa: PLR2004 - bounds the memory of a load
                self._load_chunk(first + count, chunk)
                count += len(chunk)
                chunk = []
        self._load_chunk(first + count, chunk)
        return count + len(chunk)

    def _load_chunk(self, first: int, chunk: list[tuple[Columns, bytes, bytes | None]]) -> None:
        self._db.executemany(
            f"INSERT INTO records (rid, {_FIELDS}) VALUES (?, {_MARKS})",  # noqa: S608
            [(first + n, *columns) for n, (columns, _, _) in enumerate(chunk)],
        )
        self._db.executemany(
            "INSERT INTO bodies VALUES (?, ?, ?)",
            [(first + n, body, private) for n, (_, body, private) in enumerate(chunk)],
        )

    def rewrite(self, bodies: list[tuple[bytes, int]]) -> None:
        """Replace the JSON of rows, (body, rid) each, and nothing else about them."""
        self._begin()
        self._glances.clear()
        self._db.executemany("UPDATE bodies SET body = ? WHERE rid = ?", bodies)

    def remove(self, kind: str, record_id: int) -> None:
        """Forget a record in all its versions."""
        self._begin()
        self._glances.pop((kind, record_id), None)
        rids = self._db.execute(
            "SELECT rid FROM records WHERE kind = ? AND id = ?", (kind, record_id)
        ).fetchall()
        self._db.executemany("DELETE FROM bodies WHERE rid = ?", rids)
        self._db.executemany("DELETE FROM records WHERE rid = ?", rids)

    # -- what readers see

    def shadows(self) -> bool:
        """Whether some record has more than one version just now."""
        if self._horizon and self._now() >= self._horizon:
            self._drop_shadows()
        return self._horizon > 0

    def _drop_shadows(self) -> None:
        self._begin()
        rids = self._db.execute("SELECT rid FROM records WHERE latest = 0").fetchall()
        self._db.executemany("DELETE FROM bodies WHERE rid = ?", rids)
        self._db.executemany("DELETE FROM records WHERE rid = ?", rids)
        self._db.execute("UPDATE records SET seen_from = 0 WHERE seen_from > 0")
        self._horizon = 0.0

    def _oldest_horizon(self) -> float:
        row = self._db.execute("SELECT max(seen_from) FROM records").fetchone()
        return float(row[0] or 0.0)

    def visible(self) -> tuple[str, list[Any]]:
        """A condition and its parameters: the versions that readers of lists see now."""
        if not self.shadows():
            return "latest = 1", []
        now = self._now()
        return "seen_from <= ? AND seen_until > ?", [now, now]

    def rows(self, sql: str, params: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a SELECT."""
        return self._db.execute(sql, tuple(params)).fetchall()

    def run(self, sql: str, params: Iterable[Any]) -> None:
        """One writing statement."""
        self._begin()
        self._db.execute(sql, tuple(params))

    def bodies(self, rids: list[int]) -> list[bytes]:
        """The JSON of rows, in the order asked."""
        if not rids:
            return []
        marks = ",".join("?" * len(rids))
        found = dict(
            self._db.execute(f"SELECT rid, body FROM bodies WHERE rid IN ({marks})", rids)  # noqa: S608
        )
        return [found[rid] for rid in rids]

    # -- the journal of what the store did

    def note(self, at: float, origin: str, kind: str, detail: Any) -> None:
        """Add an entry to the journal."""
        self._journal.append((at, origin, kind, encode(detail)))

    def journal(self, kind: str | None, origin: str | None, limit: int) -> list[tuple[Any, ...]]:
        """The newest entries, oldest first: (at, origin, kind, detail as JSON)."""
        self.commit()
        rows = self.rows(
            "SELECT at, origin, kind, detail FROM journal"
            " WHERE (? IS NULL OR kind = ?) AND (? IS NULL OR origin = ?)"
            " ORDER BY seq DESC LIMIT ?",
            (kind, kind, origin, origin, limit),
        )
        return rows[::-1]

    def journal_counts(self) -> list[tuple[str, str, int]]:
        """How many entries there are: (kind, origin, count)."""
        self.commit()
        sql = "SELECT kind, origin, count(*) FROM journal GROUP BY kind, origin"
        return [(str(kind), str(origin), int(count)) for kind, origin, count in self.rows(sql)]

    def clear_journal(self) -> None:
        """Forget the entries."""
        self.commit()
        self._db.execute("DELETE FROM journal")
