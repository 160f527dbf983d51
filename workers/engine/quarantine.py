"""Quarantine: records that could not be applied, when each is due again, and what it waits for.

Works on the caller's connection, like the ledger. The rules are in `attempts`.
"""

from __future__ import annotations

# ruff: noqa: S608 - the one text put into others is a constant; values travel as parameters
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.base import Refused
from connectors.records import Stream
from connectors.references import Reference
from workers.engine.attempts import TARGET_GONE, Standing, attempt
from workers.engine.ledger import ON_TARGET, reference_texts

NOT_REFUSED = """
    NOT EXISTS (
        SELECT 1 FROM quarantine AS q
        WHERE q.migration_id = l.migration_id AND q.stream = l.stream
          AND q.source_id = l.source_id AND q.status <> 'resolved'
    )
"""
"""In SQL: whether the record of the link `l` is not here, open or waived."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a record could not be applied. `digest` is of its content, where it could be read;
    `waits_for` are the references that are missing.
    """

    answer: Refused
    digest: bytes | None = None
    waits_for: tuple[Reference, ...] = ()

    @property
    def code(self) -> str:
        """The reason, as it is kept."""
        return TARGET_GONE if self.answer.gone else self.answer.code


# --- how records stand ---------------------------------------------------------------------------

_STANDING = (
    "SELECT source_id, code, digest, attempts,"
    " coalesce(next_at <= clock_timestamp(), false) AS due, status = 'waived' AS waived"
    " FROM quarantine WHERE migration_id = :migration AND stream = :stream"
    " AND status <> 'resolved' AND source_id = ANY(CAST(:ids AS text[]))"
)
_STANDING_LOCKED = f"{_STANDING} ORDER BY source_id FOR UPDATE"


async def standing(
    connection: AsyncConnection,
    migration: UUID,
    stream: Stream,
    ids: Sequence[str],
    *,
    lock: bool = False,
) -> dict[str, Standing]:
    """Those of the records that are in quarantine, open or waived, by source id."""
    if not ids:
        return {}
    rows = await connection.execute(
        text(_STANDING_LOCKED if lock else _STANDING),
        {"migration": migration, "stream": str(stream), "ids": list(ids)},
    )
    return {
        row.source_id: Standing(row.code, row.digest, row.attempts, row.due, row.waived)
        for row in rows
    }


# --- coming in and going out ---------------------------------------------------------------------

# A waiver is for the content that was refused; what it said stays when the record opens again.
_KEEP = text(
    """
    INSERT INTO quarantine (id, migration_id, stream, source_id, status, code, message,
                            request_id, attempts, job_id, digest, waits_for, next_at)
    SELECT gen_random_uuid(), :migration, :stream, source_id, 'open', code, message, request_id,
           attempts, :job, digest, ARRAY(SELECT jsonb_array_elements_text(CAST(waits AS jsonb))),
           clock_timestamp() + make_interval(secs => pause)
    FROM unnest(
        CAST(:ids AS text[]), CAST(:codes AS text[]), CAST(:messages AS text[]),
        CAST(:requests AS text[]), CAST(:attempts AS int[]), CAST(:digests AS bytea[]),
        CAST(:waits AS text[]), CAST(:pauses AS float8[])
    ) AS new (source_id, code, message, request_id, attempts, digest, waits, pause)
    ORDER BY source_id
    ON CONFLICT (migration_id, stream, source_id) DO UPDATE
    SET code = excluded.code, message = excluded.message, request_id = excluded.request_id,
        attempts = excluded.attempts, job_id = excluded.job_id, digest = excluded.digest,
        waits_for = excluded.waits_for, last_at = clock_timestamp(),
        first_at = CASE quarantine.status WHEN 'resolved' THEN clock_timestamp()
                   ELSE quarantine.first_at END,
        status = CASE WHEN quarantine.status = 'waived'
                       AND quarantine.digest IS NOT DISTINCT FROM excluded.digest
                 THEN 'waived' ELSE 'open' END,
        next_at = CASE WHEN quarantine.status = 'waived'
                        AND quarantine.digest IS NOT DISTINCT FROM excluded.digest
                  THEN NULL ELSE excluded.next_at END
    """
)


async def keep(
    connection: AsyncConnection,
    migration: UUID,
    stream: Stream,
    job: UUID,
    refusals: Iterable[Refusal],
) -> None:
    """Keep records that could not be applied, and when each is tried again."""
    kept = {each.answer.source_id: each for each in refusals}
    if not kept:
        return
    before = await standing(connection, migration, stream, list(kept), lock=True)
    made = [attempt(each.code, each.digest, before.get(id_)) for id_, each in kept.items()]
    answers = [each.answer for each in kept.values()]
    await connection.execute(
        _KEEP,
        {
            "migration": migration,
            "stream": str(stream),
            "job": job,
            "ids": list(kept),
            "codes": [each.code for each in kept.values()],
            "messages": [each.message[:500] for each in answers],
            "requests": [each.request_id for each in answers],
            "attempts": [each.number for each in made],
            "digests": [each.digest for each in kept.values()],
            "waits": [reference_texts(each.waits_for) for each in kept.values()],
            "pauses": [each.pause for each in made],
        },
    )


_RESOLVE = text(
    "UPDATE quarantine SET status = 'resolved', next_at = NULL, waits_for = '{}',"
    " last_at = clock_timestamp()"
    " WHERE migration_id = :migration AND stream = :stream AND status <> 'resolved'"
    " AND source_id = ANY(CAST(:ids AS text[]))"
)


async def resolve(
    connection: AsyncConnection, migration: UUID, stream: Stream, ids: Sequence[str]
) -> None:
    """Close the quarantine of records that are right now."""
    if ids:
        await connection.execute(
            _RESOLVE, {"migration": migration, "stream": str(stream), "ids": list(ids)}
        )


# --- waking --------------------------------------------------------------------------------------

# One look into the index for each record: of a whole page at once the planner believes that it
# wakes half of the table, and reads all of it.
_WAITING = text(
    """
    SELECT q.id
    FROM unnest(CAST(:arrived AS text[])) AS one (reference)
    JOIN quarantine AS q ON q.waits_for @> ARRAY[one.reference]
    WHERE q.migration_id = :migration AND q.status = 'open'
    ORDER BY q.id FOR UPDATE OF q
    """
)
_WAKE = text(
    """
    UPDATE quarantine
    SET next_at = CASE WHEN waits_for <@ CAST(:arrived AS text[]) THEN clock_timestamp()
                  ELSE next_at END,
        waits_for = ARRAY(SELECT each FROM unnest(waits_for) AS each
                          WHERE each <> ALL(CAST(:arrived AS text[])))
    WHERE id = ANY(CAST(:ids AS uuid[]))
    """
)


async def wake(connection: AsyncConnection, migration: UUID, arrived: Sequence[str]) -> None:
    """Make due whatever waited for nothing but these references, given as texts."""
    if not arrived:
        return
    found = await connection.execute(_WAITING, {"migration": migration, "arrived": arrived})
    if ids := set(found.scalars()):
        await connection.execute(_WAKE, {"ids": list(ids), "arrived": arrived})


# A refusal that was not committed yet when its reference arrived has slept through `wake`, and
# some links come by other ways: an undone removal, another tool's migration.
_WAKE_LINKED = text(
    f"""
    UPDATE quarantine AS q SET next_at = clock_timestamp(), waits_for = '{{}}'
    WHERE q.migration_id = :migration AND q.stream = :stream AND q.status = 'open'
      AND q.waits_for <> '{{}}' AND NOT EXISTS (
          SELECT 1
          FROM unnest(q.waits_for) AS each, LATERAL (SELECT CAST(each AS jsonb)) AS r (part)
          WHERE NOT {ON_TARGET}
      )
    """
)


async def wake_linked(connection: AsyncConnection, migration: UUID, stream: Stream) -> None:
    """Make due whatever of a stream waits for records that are on the target by now."""
    await connection.execute(_WAKE_LINKED, {"migration": migration, "stream": str(stream)})


_ANY_DUE = text(
    "SELECT EXISTS (SELECT 1 FROM quarantine WHERE migration_id = :migration"
    " AND stream = :stream AND status = 'open' AND next_at <= clock_timestamp())"
)


async def any_due(connection: AsyncConnection, migration: UUID, stream: Stream) -> bool:
    """Whether anything of a stream is to be tried again now."""
    found = await connection.execute(_ANY_DUE, {"migration": migration, "stream": str(stream)})
    return bool(found.scalar_one())


_DUE = text(
    "SELECT source_id, code FROM quarantine WHERE migration_id = :migration"
    " AND stream = :stream AND status = 'open' AND source_id > :after"
    " AND (CAST(:only AS uuid[]) IS NULL OR id = ANY(CAST(:only AS uuid[])))"
    " AND (next_at <= clock_timestamp() OR (:eager AND job_id IS DISTINCT FROM :job))"
    " ORDER BY source_id LIMIT :limit"
)


async def due(
    connection: AsyncConnection,
    migration: UUID,
    stream: Stream,
    *,
    job: UUID,
    eager: bool,
    after: str,
    limit: int,
    only: Sequence[str] | None = None,
) -> dict[str, str]:
    """Source ids and codes of what is to be tried again, in the order of ids.

    `eager`: everything that is open, whenever it would be due, except what this very job has
    refused already. `only` names single entries.
    """
    rows = await connection.execute(
        _DUE,
        {
            "migration": migration,
            "stream": str(stream),
            "job": job,
            "eager": eager,
            "after": after,
            "limit": limit,
            "only": None if only is None else [UUID(each) for each in only],
        },
    )
    return {row.source_id: row.code for row in rows}
