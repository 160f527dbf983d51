"""Conflicts and applied contents: read and written by the page, as the rest of the ledger.

Values are sealed: they may be personal data. A content that no configured key opens any more is
treated as one that was never kept: a conflict then shows no base.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.models import ConflictPolicy, ConflictStatus, Decision, WebhookEventType
from app.security import Vault, VaultError
from app.services.outbox import emit
from connectors.records import CONTENT_TYPES, Content, Record, Stream
from workers.engine.merge import Conflict, Merged
from workers.engine.sides import Known, value_at

_encode = msgspec.msgpack.Encoder(decimal_format="string").encode
_FAST = 1  # zlib's level: a page of orders is compressed while the target waits

_KNOWN = text(
    "SELECT source_id, field, source_digest, target_digest, decision,"
    " applied_at IS NOT NULL AS applied FROM conflicts"
    " WHERE migration_id = :migration AND stream = :stream"
    " AND source_id = ANY(CAST(:ids AS text[]))"
)


async def known(
    connection: AsyncConnection, migration: UUID, stream: Stream, ids: Iterable[str]
) -> dict[str, dict[str, Known]]:
    """Conflicts of these records, by source id and path."""
    rows = await connection.execute(
        _KNOWN, {"migration": migration, "stream": str(stream), "ids": list(ids)}
    )
    found: defaultdict[str, dict[str, Known]] = defaultdict(dict)
    for row in rows:
        decision = None if row.decision is None else Decision(row.decision)
        found[row.source_id][row.field] = Known(
            row.source_digest, row.target_digest, decision, row.applied
        )
    return dict(found)


_WAITING = text(
    "SELECT DISTINCT source_id FROM conflicts WHERE migration_id = :migration"
    " AND stream = :stream AND decision = 'source' AND applied_at IS NULL AND source_id > :after"
    " ORDER BY source_id LIMIT :limit"
)


async def waiting(
    connection: AsyncConnection, migration: UUID, stream: Stream, *, after: str, limit: int
) -> list[str]:
    """Source ids of records for which the source's value was chosen and not written yet."""
    rows = await connection.execute(
        _WAITING,
        {"migration": migration, "stream": str(stream), "after": after, "limit": limit},
    )
    return [row.source_id for row in rows]


@dataclass(frozen=True, slots=True)
class Found:
    """A merged record that the target has confirmed."""

    record: Record
    target_id: str
    merged: Merged
    known: Mapping[str, Known]


# The first to be told of a pair of values asks; whoever comes later with the same pair does not.
_RECORD = text(
    """
    INSERT INTO conflicts (id, migration_id, stream, source_id, target_id, field, status, decision,
                           settled_by, settled_at, base_known, source_digest, target_digest,
                           sealed, job_id, applied_at)
    SELECT gen_random_uuid(), :migration, :stream, source_id, target_id, field, status, decision,
           CASE WHEN decision IS NOT NULL THEN 'policy' END,
           CASE WHEN decision IS NOT NULL THEN clock_timestamp() END,
           base_known, source_digest, target_digest, sealed, :job,
           CASE WHEN decision IS NOT NULL THEN clock_timestamp() END
    FROM unnest(
        CAST(:source_ids AS text[]), CAST(:target_ids AS text[]), CAST(:fields AS text[]),
        CAST(:statuses AS text[]), CAST(:decisions AS text[]), CAST(:base_known AS boolean[]),
        CAST(:source_digests AS bytea[]), CAST(:target_digests AS bytea[]),
        CAST(:sealed AS bytea[])
    ) AS new (source_id, target_id, field, status, decision, base_known, source_digest,
              target_digest, sealed)
    ORDER BY source_id, field
    ON CONFLICT (migration_id, stream, source_id, field) DO UPDATE
    SET target_id = excluded.target_id, status = excluded.status, decision = excluded.decision,
        settled_by = excluded.settled_by, settled_at = excluded.settled_at, reason = NULL,
        base_known = excluded.base_known, source_digest = excluded.source_digest,
        target_digest = excluded.target_digest, sealed = excluded.sealed,
        job_id = excluded.job_id, applied_at = excluded.applied_at, last_at = clock_timestamp()
    """
)


async def record(
    connection: AsyncConnection,
    vault: Vault,
    migration: UUID,
    stream: Stream,
    found: Sequence[Found],
    *,
    job: UUID,
) -> int:
    """Write down what has come up. Answers how many conflicts are new or open again."""
    new = [
        (each, conflict)
        for each in found
        for conflict in each.merged.conflicts
        if not conflict.remembered
    ]
    if new:
        ids = {each.record.id for each, _ in new}
        bases = await contents(connection, vault, migration, stream, ids)
        rows = [_row(vault, each, conflict, bases.get(each.record.id)) for each, conflict in new]
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        values = {"migration": migration, "stream": str(stream), "job": job, **columns}
        await connection.execute(_RECORD, values)
        if ConflictStatus.OPEN in columns["statuses"]:
            await _tell(connection, migration, stream, job)
    await _close(connection, migration, stream, found)
    return len(new)


async def _tell(connection: AsyncConnection, migration: UUID, stream: Stream, job: UUID) -> None:
    """Once a job and stream: who is told looks at the list, which goes on growing."""
    await emit(
        connection,
        WebhookEventType.CONFLICT_NEW,
        {"job": str(job), "stream": str(stream)},
        migration=migration,
        once=f"conflict.new:{job}:{stream}",
    )


def _row(vault: Vault, found: Found, conflict: Conflict, base: Content | None) -> dict[str, Any]:
    asks = conflict.policy is ConflictPolicy.MANUAL
    return {
        "source_ids": found.record.id,
        "target_ids": found.target_id,
        "fields": conflict.path,
        "statuses": str(ConflictStatus.OPEN if asks else ConflictStatus.SETTLED),
        "decisions": None if asks else str(conflict.take),
        "base_known": conflict.base_known,
        "source_digests": conflict.source,
        "target_digests": conflict.target,
        "sealed": vault.seal(
            {
                "base": None if base is None else _shown(value_at(base, conflict.path)),
                "source": _shown(value_at(found.record.content, conflict.path)),
                "target": _shown(conflict.theirs),
            }
        ),
    }


def _shown(value: Any) -> Any:
    return msgspec.to_builtins(value)


_CLOSE = text(
    """
    UPDATE conflicts
    SET status = 'settled', decision = coalesce(decision, 'source'),
        settled_by = coalesce(settled_by, 'agreement'),
        settled_at = coalesce(settled_at, clock_timestamp()),
        applied_at = clock_timestamp(), last_at = clock_timestamp()
    FROM unnest(CAST(:ids AS text[]), CAST(:fields AS text[])) AS done (id, path)
    WHERE migration_id = :migration AND stream = :stream AND source_id = done.id
      AND field = done.path AND applied_at IS NULL
    """
)


async def _close(
    connection: AsyncConnection, migration: UUID, stream: Stream, found: Sequence[Found]
) -> None:
    """Close what has become moot: the choice is carried out, or both sides agree by now."""
    done = [
        (each.record.id, path)
        for each in found
        for path, row in each.known.items()
        if path in each.merged.settled and not row.applied
    ]
    if done:
        values = {"ids": [source_id for source_id, _ in done], "fields": [p for _, p in done]}
        await connection.execute(_CLOSE, {"migration": migration, "stream": str(stream), **values})


# --- applied contents --------------------------------------------------------------------------

_KEEP = text(
    """
    INSERT INTO contents (migration_id, stream, source_id, content)
    SELECT :migration, :stream, id, content
    FROM unnest(CAST(:ids AS text[]), CAST(:contents AS bytea[])) AS new (id, content)
    ORDER BY id
    ON CONFLICT (migration_id, stream, source_id) DO UPDATE SET content = excluded.content
    """
)
_CONTENTS = text(
    "SELECT source_id, content FROM contents WHERE migration_id = :migration"
    " AND stream = :stream AND source_id = ANY(CAST(:ids AS text[]))"
)


async def keep_contents(
    connection: AsyncConnection,
    vault: Vault,
    migration: UUID,
    stream: Stream,
    records: Sequence[Record],
) -> None:
    """Keep what the source held, to be shown as the base of a later conflict."""
    if not records:
        return
    sealed = [vault.seal_bytes(zlib.compress(_encode(each.content), _FAST)) for each in records]
    values = {"ids": [each.id for each in records], "contents": sealed}
    await connection.execute(_KEEP, {"migration": migration, "stream": str(stream), **values})


async def contents(
    connection: AsyncConnection,
    vault: Vault,
    migration: UUID,
    stream: Stream,
    ids: Iterable[str],
) -> dict[str, Content]:
    """What the source held of these records when they were sent last, as far as it is kept."""
    rows = await connection.execute(
        _CONTENTS, {"migration": migration, "stream": str(stream), "ids": list(ids)}
    )
    found: dict[str, Content] = {}
    for row in rows:
        try:
            plain = zlib.decompress(vault.open_bytes(row.content))
            found[row.source_id] = msgspec.msgpack.decode(plain, type=CONTENT_TYPES[stream])
        except (VaultError, zlib.error, msgspec.DecodeError):
            continue
    return found
