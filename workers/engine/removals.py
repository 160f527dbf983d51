"""The record of removals: proofs, what was done, what was undone. Works on the caller's connection.

A proven removal stands in the table before the target is asked for it: it is the intent. After a
crash it is sent again, which is harmless.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.base import Action, Applied, Refused, Withdrawal
from connectors.records import Stream


@dataclass(frozen=True, slots=True)
class Doomed:
    """A removal that is to be done or undone. `before` is None as long as nobody has looked."""

    id: UUID
    source_id: str
    target_id: str
    key: str
    before: dict[str, Any] | None

    def withdrawal(self) -> Withdrawal:
        """As the target wants it."""
        return Withdrawal(
            source_id=self.source_id,
            target_id=self.target_id,
            key=self.key,
            before=self.before or {},
        )


# The key is made here as `Scope.key` makes it, once, so that it outlives the link.
_PROVE = """
    INSERT INTO removals (id, migration_id, stream, source_id, target_id, target_key, action,
                          status, evidence, undoable, job_id, at)
    SELECT gen_random_uuid(), l.migration_id, l.stream, l.source_id, l.target_id,
           CAST(:prefix AS text) || ':' || l.stream || ':' || l.source_id
               || CASE WHEN l.generation > 0 THEN '~' || l.generation ELSE '' END,
           :action, 'proven',
           CAST(:evidence AS jsonb) || jsonb_build_object('sweeps', l.missed), false, :job,
           clock_timestamp()
    FROM links AS l
    WHERE l.migration_id = :migration AND l.stream = :stream AND l.state = 'applied'
      AND l.target_id IS NOT NULL AND l.source_id = ANY(CAST(:ids AS text[]))
    ORDER BY l.source_id
    ON CONFLICT (migration_id, stream, source_id, target_id)
        WHERE status IN ('proven', 'held', 'reported', 'failed')
    DO UPDATE SET status = 'proven', action = excluded.action, job_id = excluded.job_id,
        at = excluded.at, before = NULL, code = NULL, message = NULL,
        evidence = excluded.evidence || jsonb_build_object('jobs',
            (removals.evidence->'jobs') - CAST(:job_text AS text) || (excluded.evidence->'jobs'))
"""


async def prove(
    connection: AsyncConnection,
    migration: UUID,
    stream: Stream,
    ids: Sequence[str],
    *,
    job: UUID,
    prefix: str,
    action: Action,
    reused: bool = False,
    unfinished: bool = False,
) -> None:
    """Note that records are gone from the source, with what proves it. `unfinished`: the source
    lost them before the target's answer to their create was heard.
    """
    proof = {"reused": True} if reused else {"direct": True}
    if unfinished:
        proof["unfinished"] = True
    await connection.execute(
        text(_PROVE),
        {
            "migration": migration,
            "stream": str(stream),
            "ids": list(ids),
            "job": job,
            "job_text": str(job),
            "prefix": prefix,
            "action": str(action),
            "evidence": msgspec.json.encode({**proof, "jobs": [str(job)]}).decode(),
        },
    )


_GIVE_UP = text(
    """
    UPDATE links SET state = 'removed', target_id = NULL, digest = NULL, fields = NULL,
        children = NULL, losses = NULL, matched_by = NULL, missed = 0, exempt = false,
        generation = generation + 1, removed_at = clock_timestamp()
    WHERE migration_id = :migration AND stream = :stream AND state = 'applied'
      AND source_id = ANY(CAST(:ids AS text[]))
    """
)


async def give_up(
    connection: AsyncConnection, migration: UUID, stream: Stream, ids: Sequence[str]
) -> None:
    """Let links go whose ids belong to other records now; the next key is another one."""
    values = {"migration": migration, "stream": str(stream), "ids": list(ids)}
    await connection.execute(_GIVE_UP, values)
    await forget_stock(connection, migration, stream, ids)


_FORGET_STOCK = text(
    "DELETE FROM links WHERE migration_id = :migration AND stream = 'inventory'"
    " AND split_part(source_id, ':', 1) = ANY(CAST(:ids AS text[]))"
)


async def forget_stock(
    connection: AsyncConnection, migration: UUID, stream: Stream, ids: Sequence[str]
) -> None:
    """Stock goes with its product: its links do."""
    if stream is Stream.PRODUCTS and ids:
        await connection.execute(_FORGET_STOCK, {"migration": migration, "ids": list(ids)})


_FORGET_LEVELS = text(
    "DELETE FROM links WHERE migration_id = :migration AND stream = 'inventory'"
    " AND source_id = ANY(CAST(:ids AS text[]))"
)


async def forget_levels(connection: AsyncConnection, migration: UUID, ids: Sequence[str]) -> None:
    """Let the links of single levels of stock go: each is written to another record next."""
    if ids:
        await connection.execute(_FORGET_LEVELS, {"migration": migration, "ids": list(ids)})


_REOPEN = text(
    "UPDATE removals SET status = 'proven', job_id = :job, action = :action"
    " WHERE migration_id = :migration AND stream = :stream"
    " AND (evidence ? 'reused' OR evidence ? 'unfinished')"
    " AND status IN ('proven', 'held', 'failed')"
)


async def reopen(
    connection: AsyncConnection, migration: UUID, stream: Stream, job: UUID, action: Action
) -> None:
    """Take up what earlier jobs left: of a reused id no sweep will tell again, and of what was
    unfinished no window.
    """
    await connection.execute(
        _REOPEN,
        {"migration": migration, "stream": str(stream), "job": job, "action": str(action)},
    )


_LEFT = text(
    "SELECT EXISTS (SELECT 1 FROM removals WHERE migration_id = :migration AND stream = :stream"
    " AND status IN ('proven', 'held', 'failed')"
    " AND (evidence ? 'reused' OR evidence ? 'unfinished'))"
)


async def any_left(connection: AsyncConnection, migration: UUID, stream: Stream) -> bool:
    """Whether records of which no sweep or window tells wait for what becomes of them."""
    found = await connection.execute(_LEFT, {"migration": migration, "stream": str(stream)})
    return bool(found.scalar_one())


_COUNT = text(
    "SELECT count(*) FROM removals WHERE migration_id = :migration AND stream = :stream"
    " AND status = 'proven' AND job_id = :job"
)


async def count_proven(
    connection: AsyncConnection, migration: UUID, stream: Stream, job: UUID
) -> int:
    """How many records of a stream a job has proven gone, and has not removed yet."""
    values = {"migration": migration, "stream": str(stream), "job": job}
    return int((await connection.execute(_COUNT, values)).scalar_one())


_PROVEN = text(
    "SELECT DISTINCT ON (source_id) id, source_id, target_id, target_key, before FROM removals"
    " WHERE migration_id = :migration AND stream = :stream AND status = 'proven'"
    " AND job_id = :job ORDER BY source_id, id LIMIT :limit"
)


async def proven(
    connection: AsyncConnection, migration: UUID, stream: Stream, job: UUID, limit: int
) -> list[Doomed]:
    """Some of what a job has proven gone, in the order of ids; of each id one removal."""
    values = {"migration": migration, "stream": str(stream), "job": job, "limit": limit}
    return [Doomed(*row) for row in await connection.execute(_PROVEN, values)]


async def discard(connection: AsyncConnection, migration: UUID, stream: Stream, job: UUID) -> None:
    """Take back proofs that a source gave which turned out to know nothing."""
    await connection.execute(
        text(
            "DELETE FROM removals WHERE migration_id = :migration AND stream = :stream"
            " AND status = 'proven' AND job_id = :job AND NOT evidence ? 'reused'"
        ),
        {"migration": migration, "stream": str(stream), "job": job},
    )


async def hold(connection: AsyncConnection, migration: UUID, stream: Stream, job: UUID) -> None:
    """The brake: nothing of what was proven is done."""
    await connection.execute(
        text(
            "UPDATE removals SET status = 'held' WHERE migration_id = :migration"
            " AND stream = :stream AND status = 'proven' AND job_id = :job"
        ),
        {"migration": migration, "stream": str(stream), "job": job},
    )


_REPORT = text(
    """
    WITH told AS (
        UPDATE removals SET status = 'reported' WHERE migration_id = :migration
          AND stream = :stream AND status = 'proven' AND job_id = :job
        RETURNING source_id, target_id
    ), settled AS (
        UPDATE links AS l SET exempt = true FROM told
        WHERE l.migration_id = :migration AND l.stream = :stream
          AND l.source_id = told.source_id AND l.target_id = told.target_id
    )
    SELECT count(*) FROM told
    """
)


async def report(connection: AsyncConnection, migration: UUID, stream: Stream, job: UUID) -> int:
    """Tell of what was proven, and leave it. Answers with how many records that are."""
    values = {"migration": migration, "stream": str(stream), "job": job}
    return int((await connection.execute(_REPORT, values)).scalar_one())


async def remember(connection: AsyncConnection, standing: dict[UUID, dict[str, Any]]) -> None:
    """Keep how records stood before they are taken away. The first look counts."""
    await connection.execute(
        text(
            "UPDATE removals AS r SET before = coalesce(r.before, CAST(new.before AS jsonb))"
            " FROM unnest(CAST(:ids AS uuid[]), CAST(:befores AS text[])) AS new (id, before)"
            " WHERE r.id = new.id"
        ),
        {
            "ids": list(standing),
            "befores": [msgspec.json.encode(each).decode() for each in standing.values()],
        },
    )


_DONE = text(
    """
    WITH done AS (
        UPDATE removals SET status = 'done', at = clock_timestamp(),
            undoable = :undoable AND coalesce(before <> '{}', false)
        WHERE id = ANY(CAST(:ids AS uuid[]))
        RETURNING migration_id, stream, source_id, target_id, before
    )
    UPDATE links AS l SET state = 'removed', removed_at = clock_timestamp(),
        target_id = CASE WHEN :kept AND done.before IS NOT NULL THEN l.target_id END
    FROM done
    WHERE l.migration_id = done.migration_id AND l.stream = done.stream
      AND l.source_id = done.source_id AND l.target_id = done.target_id AND l.state = 'applied'
    RETURNING l.source_id
    """
)


async def finish(
    connection: AsyncConnection, ids: Sequence[UUID], *, kept: bool, undoable: bool
) -> list[str]:
    """Write what the target confirmed. `kept`: the record is there still, archived.

    Answers with the source ids that stand for no record now; a reused one stands for another.
    """
    values = {"ids": list(ids), "kept": kept, "undoable": undoable}
    return list((await connection.execute(_DONE, values)).scalars())


async def fail(connection: AsyncConnection, refused: Iterable[tuple[UUID, Refused]]) -> None:
    """Write what the target refused."""
    for removal, answer in refused:
        await connection.execute(
            text(
                "UPDATE removals SET code = :code, message = :message,"
                " status = CASE status WHEN 'proven' THEN 'failed' ELSE status END"
                " WHERE id = :id"
            ),
            {"id": removal, "code": answer.code, "message": answer.message[:500]},
        )


_TO_UNDO = text(
    "SELECT id, source_id, target_id, target_key, before FROM removals"
    " WHERE id = ANY(CAST(:ids AS uuid[])) AND migration_id = :migration"
    " AND stream = :stream AND status = 'done' AND undoable ORDER BY source_id"
)


async def to_undo(
    connection: AsyncConnection, migration: UUID, stream: Stream, ids: Sequence[str]
) -> list[Doomed]:
    """Those of the removals that can still be undone."""
    values = {"ids": [UUID(each) for each in ids], "migration": migration, "stream": str(stream)}
    return [Doomed(*row) for row in await connection.execute(_TO_UNDO, values)]


_UNDONE = text(
    """
    WITH undone AS (
        UPDATE removals SET status = 'undone', undone_at = clock_timestamp(), code = NULL,
            message = NULL
        WHERE id = ANY(CAST(:ids AS uuid[]))
        RETURNING migration_id, stream, source_id, target_id
    )
    UPDATE links AS l SET state = 'applied', removed_at = NULL, missed = 0, exempt = true
    FROM undone
    WHERE l.migration_id = undone.migration_id AND l.stream = undone.stream
      AND l.source_id = undone.source_id AND l.target_id = undone.target_id
      AND l.state = 'removed'
    """
)


async def undo(connection: AsyncConnection, ids: Sequence[UUID]) -> None:
    """Write what the target has brought back; no sweep suspects it before it was seen again."""
    await connection.execute(_UNDONE, {"ids": list(ids)})


_BACK = text(
    "UPDATE removals SET status = 'returned' WHERE migration_id = :migration"
    " AND stream = :stream AND source_id = ANY(CAST(:ids AS text[]))"
    " AND status IN ('proven', 'held', 'reported', 'failed', 'done') AND NOT evidence ? 'reused'"
)


async def welcome_back(
    connection: AsyncConnection, migration: UUID, stream: Stream, ids: Sequence[str]
) -> None:
    """These records were at the source just now, and are on the target."""
    if ids:
        values = {"migration": migration, "stream": str(stream), "ids": list(ids)}
        await connection.execute(_BACK, values)


def sort(
    doomed: Sequence[Doomed], outcomes: Iterable[Applied | Refused]
) -> tuple[list[Doomed], list[tuple[Doomed, Refused]]]:
    """What the target did, and what it refused."""
    by_source = {each.source_id: each for each in doomed}
    done, refused = [], []
    for outcome in outcomes:
        one = by_source[outcome.source_id]
        if isinstance(outcome, Refused):
            refused.append((one, outcome))
        else:
            done.append(one)
    return done, refused
