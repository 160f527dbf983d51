"""What a migration has learned of its streams' timestamps, and what it does about it.

A stream that was caught lying is demoted: from then on it is swept. Functions that take a
connection work within the caller's transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.services.lifecycle import record_event
from connectors.base import Finding, Json, Severity, Source
from connectors.records import Stream


class Standing(msgspec.Struct, frozen=True):
    """How far the audit of a stream has come: where it goes on, None at the beginning of a round,
    and how many records it has verified in this round.
    """

    resume: Json | None = None
    audited: int = 0
    round: int = 0


class Demotion(msgspec.Struct, frozen=True):
    """Why a stream is swept from now on: a stable code, a sentence, and ids, stamps and bounds."""

    reason: str
    message: str
    evidence: dict[str, Any]


async def probe(source: Source, stream: Stream) -> tuple[Finding, ...]:
    """Ask the source twice before it counts as wrong: a store that changes can look so once."""
    found = await source.probe(stream)
    if not any(each.severity is Severity.ERROR for each in found):
        return found
    again = {each.code for each in await source.probe(stream)}
    return tuple(each for each in found if each.code in again)


def probed(findings: tuple[Finding, ...]) -> Demotion | None:
    """What findings mean for the stream."""
    for finding in findings:
        if finding.severity is Severity.ERROR:
            codes = [each.code for each in findings]
            return Demotion(finding.code, finding.message, {"findings": codes})
    return None


_DEMOTE = text(
    """
    INSERT INTO stream_states (migration_id, stream, reason, message, evidence, demoted_at,
                               audited, audit_total, audit_round)
    VALUES (:migration, :stream, :reason, :message, CAST(:evidence AS jsonb), clock_timestamp(),
            0, 0, 0)
    ON CONFLICT (migration_id, stream) DO UPDATE
    SET reason = excluded.reason, message = excluded.message, evidence = excluded.evidence,
        demoted_at = excluded.demoted_at, updated_at = clock_timestamp()
    WHERE stream_states.demoted_at IS NULL
    """
)


async def demote(
    connection: AsyncConnection, migration: UUID, stream: Stream, job: UUID, why: Demotion
) -> None:
    """Sweep this stream from now on. What it was demoted for first is kept.

    The caller has locked the job.
    """
    made = await connection.execute(
        _DEMOTE,
        {
            "migration": migration,
            "stream": str(stream),
            "reason": why.reason,
            "message": why.message,
            "evidence": msgspec.json.encode({"job": str(job), **why.evidence}).decode(),
        },
    )
    if made.rowcount:
        ids = [each["id"] for each in why.evidence.get("records", ())]
        told = {"stream": stream, "reason": why.reason, "message": why.message, "records": ids}
        await record_event(connection, job, "stream.demoted", told)


async def standing(connection: AsyncConnection, migration: UUID, stream: Stream) -> Standing:
    """Where the audit of a stream stands."""
    row = (
        await connection.execute(
            text(
                "SELECT audit_resume, audited, audit_round FROM stream_states"
                " WHERE migration_id = :migration AND stream = :stream"
            ),
            {"migration": migration, "stream": str(stream)},
        )
    ).first()
    return Standing(*row) if row else Standing()


_ADVANCE = text(
    """
    INSERT INTO stream_states (migration_id, stream, audit_resume, audited, audit_total,
                               audit_round, proven_at)
    VALUES (:migration, :stream, CAST(:resume AS jsonb), :audited, :total, :round,
            CASE WHEN CAST(:clean AS boolean) THEN clock_timestamp() END)
    ON CONFLICT (migration_id, stream) DO UPDATE
    SET audit_resume = excluded.audit_resume, audited = excluded.audited,
        audit_total = excluded.audit_total, audit_round = excluded.audit_round,
        proven_at = CASE WHEN stream_states.demoted_at IS NULL
                    THEN coalesce(excluded.proven_at, stream_states.proven_at)
                    ELSE stream_states.proven_at END,
        updated_at = clock_timestamp()
    """
)


async def advance(
    connection: AsyncConnection,
    migration: UUID,
    stream: Stream,
    reached: Standing,
    *,
    total: int,
    clean: bool,
) -> None:
    """Note how far an audit has come. Noting it twice is harmless."""
    await connection.execute(
        _ADVANCE,
        {
            "migration": migration,
            "stream": str(stream),
            "resume": None
            if reached.resume is None
            else msgspec.json.encode(reached.resume).decode(),
            "audited": reached.audited,
            "total": total,
            "round": reached.round,
            "clean": clean,
        },
    )


# Only a sweep that reached its end has seen every record that a window could have missed.
_COMPLETE = text(
    """
    SELECT EXISTS (
        SELECT 1 FROM jobs
        WHERE migration_id = :migration
          AND passes->CAST(:stream AS text)->>'mode' = 'sweep'
          AND passes->CAST(:stream AS text)->>'cursor_after' IS NOT NULL
          AND (passes->CAST(:stream AS text)->>'horizon' IS NULL
               OR (passes->CAST(:stream AS text)->>'horizon')::timestamptz
                  <= CAST(:horizon AS timestamptz))
    )
    """
)


async def is_complete(
    connection: AsyncConnection, migration: UUID, stream: Stream, horizon: datetime | None
) -> bool:
    """Whether the ledger holds every record of a stream, down to a horizon.

    A migration that only ever read what changed since some day does not know what is older.
    """
    found = await connection.execute(
        _COMPLETE, {"migration": migration, "stream": str(stream), "horizon": horizon}
    )
    return bool(found.scalar_one())


_HELD = text(
    "SELECT source_id FROM quarantine WHERE migration_id = :migration AND stream = :stream"
    " AND status <> 'resolved' AND source_id = ANY(CAST(:ids AS text[]))"
)


async def held_back(
    connection: AsyncConnection, migration: UUID, stream: Stream, ids: list[str]
) -> frozenset[str]:
    """Records that are known to be wrong on the target, for another reason than their stamps."""
    found = await connection.execute(
        _HELD, {"migration": migration, "stream": str(stream), "ids": ids}
    )
    return frozenset(found.scalars())


async def known_records(connection: AsyncConnection, migration: UUID, stream: Stream) -> int:
    """How many records of a stream the ledger holds."""
    found = await connection.execute(
        text("SELECT count(*) FROM links WHERE migration_id = :migration AND stream = :stream"),
        {"migration": migration, "stream": str(stream)},
    )
    return int(found.scalar_one())
