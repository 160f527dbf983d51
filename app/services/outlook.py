"""What a migration has been through so far: all that estimates and plans are reckoned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Migration, Store
from app.planning.arrivals import LONGEST, Profile, counted, learn, quiet
from app.planning.measured import Experience, JobRun, StageRun, experience
from app.schemas.stream import StreamOut
from app.schemas.values import reckonable
from app.services.migrations import get_migration
from app.services.streams import list_streams
from connectors import registry
from connectors.base import Connector
from connectors.records import Stream

_JOBS = 12
"""So many of the newest jobs teach, and the newest full run among all."""


@dataclass(frozen=True, kw_only=True)
class History:
    """Arrivals by UTC hour since a moment. `basis` is `created` (when records were made), `stamps`
    (when they changed last: records that were on the target before us) or `none`.
    """

    stream: Stream
    counts: Mapping[datetime, int]
    since: datetime | None
    until: datetime | None
    basis: str

    @property
    def begin(self) -> datetime | None:
        """Since when arrivals count for the profile."""
        if self.since is None or self.until is None:
            return None
        return max(self.since, self.until - LONGEST)

    def profile(self, zone: str) -> Profile:
        """The arrivals by hour of the week in a zone."""
        if self.since is None or self.until is None:
            return quiet(zone)
        return learn(self.counts, since=self.since, until=self.until, zone=zone)


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """A migration and its past. `linked` are records on the target by stream, `held` those in
    quarantine, `lost_fields` how many records lack a field there, by field.
    """

    migration: Migration
    source: Store
    target: Store
    streams: Sequence[StreamOut]
    linked: Mapping[Stream, int]
    held: Mapping[Stream, int]
    conflicts: int
    cursors: Mapping[Stream, datetime]
    lost_fields: Mapping[str, int]
    jobs: Sequence[JobRun]
    history: History

    @property
    def reader(self) -> Connector:
        """The source's platform."""
        return registry.connector(self.source.platform)

    @property
    def writer(self) -> Connector:
        """The target's platform."""
        return registry.connector(self.target.platform)

    @property
    def page_sizes(self) -> dict[Stream, int]:
        """Records in a page of the source; a store may have settings of its own."""
        own = self.source.settings.get("page_size")
        return {
            stream: int(own or capability.page_size)
            for stream, capability in self.reader.reads.items()
        }

    @property
    def settle(self) -> float:
        """Seconds after which all that was written at the source can be seen whole."""
        return max((each.settle for each in self.streams), default=0.0)

    def applied_until(self) -> datetime | None:
        """Up to when every stream in scope was applied, None while one never was."""
        wanted = [self.cursors.get(each.stream) for each in self.streams]
        known = [each for each in wanted if each is not None]
        return min(known) if known and len(known) == len(wanted) else None

    def learned(self) -> Experience:
        """What its jobs teach."""
        runs = [job for job in self.jobs if job.kind != "verify"]
        spans = {job.covered for job in runs if job.covered is not None}
        arrived = {span: counted(self.history.counts, *span) for span in spans}
        return experience(runs, self.page_sizes, arrived)


async def load_outlook(session: AsyncSession, name: str) -> Outlook:
    """Raises `MigrationNotFound`, `StoreCannot`."""
    migration = await get_migration(session, name)
    streams = await list_streams(session, name)
    connection = await session.connection()
    cursors = await _cursors(connection, migration.id)
    scope = [each.stream for each in streams]
    return Outlook(
        migration=migration,
        source=await session.get_one(Store, migration.source_id),
        target=await session.get_one(Store, migration.target_id),
        streams=streams,
        linked=await _by_stream(connection, _LINKED, migration.id),
        held=await _by_stream(connection, _HELD, migration.id),
        conflicts=int((await connection.execute(_CONFLICTS, {"id": migration.id})).scalar_one()),
        cursors=cursors,
        lost_fields={
            row.field: int(row.number)
            for row in await connection.execute(_LOST, {"id": migration.id})
        },
        jobs=await _jobs(connection, migration.id),
        history=await _history(connection, migration.id, scope, cursors),
    )


_LINKED = text(
    "SELECT stream, count(*) AS number FROM links"
    " WHERE migration_id = :id AND state = 'applied' GROUP BY stream"
)
_HELD = text(
    "SELECT stream, count(*) AS number FROM quarantine"
    " WHERE migration_id = :id AND status = 'open' GROUP BY stream"
)
_CONFLICTS = text("SELECT count(*) FROM conflicts WHERE migration_id = :id AND status = 'open'")
_LOST = text(
    "SELECT field, count(*) AS number FROM links CROSS JOIN LATERAL unnest(losses) AS field"
    " WHERE migration_id = :id AND losses IS NOT NULL GROUP BY field"
)


async def _by_stream(connection: AsyncConnection, query: Any, migration: UUID) -> dict[Stream, int]:
    found = await connection.execute(query, {"id": migration})
    return {Stream(row.stream): int(row.number) for row in found}


async def _cursors(connection: AsyncConnection, migration: UUID) -> dict[Stream, datetime]:
    query = text("SELECT stream, watermark FROM cursors WHERE migration_id = :id")
    found = await connection.execute(query, {"id": migration})
    # A cursor may be set to any time of the past.
    return {Stream(row.stream): reckonable(row.watermark) for row in found}


# --- jobs --------------------------------------------------------------------------------------

_ENDED = text(
    """
    SELECT id, kind, params, plan, passes, started_at, finished_at FROM (
        SELECT *, row_number() OVER (PARTITION BY kind ORDER BY finished_at DESC) AS place
        FROM jobs
        WHERE migration_id = :id AND status IN ('succeeded', 'completed_with_errors')
          AND started_at IS NOT NULL AND kind IN ('full', 'recent', 'verify')
          AND coalesce(params->'options'->>'only', '') = ''
    ) AS ended
    WHERE place <= :most ORDER BY finished_at DESC
    """
)
_STAGES = text(
    """
    SELECT job_id, stage, max(handed_at) AS ended,
           count(*) FILTER (WHERE kind = 'read') AS parts,
           sum(coalesce((counters->>'read')::int, 0)) AS read,
           sum(coalesce((counters->>'created')::int, 0)) AS created,
           sum(coalesce((counters->>'updated')::int, 0)) AS updated,
           sum(coalesce((counters->>'restored')::int, 0)) AS restored,
           sum(coalesce((counters->>'requests')::int, 0)) AS requests
    FROM slices WHERE job_id = ANY(:jobs) AND handed_at IS NOT NULL
    GROUP BY job_id, stage ORDER BY job_id, stage
    """
)


async def _jobs(connection: AsyncConnection, migration: UUID) -> list[JobRun]:
    """The newest jobs that ended well, newest first."""
    ended = (await connection.execute(_ENDED, {"id": migration, "most": _JOBS})).all()
    stages: dict[UUID, list[Any]] = {row.id: [] for row in ended}
    for row in await connection.execute(_STAGES, {"jobs": list(stages)}):
        stages[row.job_id].append(row)
    return [_job(row, stages[row.id]) for row in ended]


def _job(row: Any, stages: Sequence[Any]) -> JobRun:
    return JobRun(
        kind=row.kind,
        cutover=bool(row.params.get("cutover")),
        started=row.started_at,
        finished=row.finished_at,
        stages=tuple(
            _stage(each, row.plan[each.stage], row.passes)
            for each in stages
            if each.stage < len(row.plan)
        ),
        covered=_covered(row.passes),
    )


def _stage(
    counted_row: Any, planned: Mapping[str, Any], passes: Mapping[str, Mapping[str, Any]]
) -> StageRun:
    stream, settled = planned.get("stream"), planned.get("settled")
    # A pass that was planned as a window may have become a sweep; a last look is as planned.
    mode = "window" if planned.get("since") else passes.get(stream or "", {}).get("mode")
    return StageRun(
        kind=planned["kind"],
        ended=counted_row.ended,
        stream=Stream(stream) if stream else None,
        closing=planned.get("closing", 0),
        window=mode == "window",
        pause=planned.get("pause", 0.0),
        settled=datetime.fromisoformat(settled) if settled else None,
        parts=max(1, int(counted_row.parts)),
        read=int(counted_row.read),
        created=int(counted_row.created),
        updated=int(counted_row.updated),
        restored=int(counted_row.restored),
        requests=int(counted_row.requests),
    )


def _covered(passes: Mapping[str, Mapping[str, Any]]) -> tuple[datetime, datetime] | None:
    """From where to where the cursor of orders moved; without orders, that of any stream."""
    view = passes.get(Stream.ORDERS) or next(iter(passes.values()), {})
    before, after = view.get("cursor_before"), view.get("cursor_after")
    if not before or not after:
        return None
    return datetime.fromisoformat(before), datetime.fromisoformat(after)


# --- arrivals ----------------------------------------------------------------------------------

_ARRIVALS = text(
    "SELECT hour, count AS number FROM arrivals"
    " WHERE migration_id = :id AND stream = :stream AND hour >= :since ORDER BY hour"
)
_KNOWN = text(
    "SELECT coalesce(sum(count), 0) AS number, min(hour) AS first, max(hour) AS last"
    " FROM arrivals WHERE migration_id = :id AND stream = :stream"
)
_STAMPS = text(
    "SELECT date_trunc('hour', stamp, 'UTC') AS hour, count(*) AS number FROM links"
    " WHERE migration_id = :id AND stream = :stream AND state = 'applied' AND stamp >= :since"
    " GROUP BY 1 ORDER BY 1"
)
_LINKED_OF = text(
    "SELECT count(*) AS number, min(stamp) AS first, max(stamp) AS last FROM links"
    " WHERE migration_id = :id AND stream = :stream AND state = 'applied'"
)
_ADOPTED_FROM = text(
    "SELECT min(CAST(params->>'since' AS timestamptz)) AS since FROM jobs"
    " WHERE migration_id = :id AND kind = 'adopt' AND status IN"
    " ('succeeded', 'completed_with_errors')"
)
_HOUR = timedelta(hours=1)


async def _stamped_since(
    connection: AsyncConnection, migration: UUID, first: datetime | None
) -> datetime | None:
    """Since when stamps tell of changes: adopted records have none before a run has read them, and
    runs read from the adoption's baseline on.
    """
    adopted = (await connection.execute(_ADOPTED_FROM, {"id": migration})).scalar()
    return min((each for each in (first, adopted) if each is not None), default=None)


async def _history(
    connection: AsyncConnection,
    migration: UUID,
    scope: Sequence[Stream],
    cursors: Mapping[Stream, datetime],
) -> History:
    """When records were made; where most of them came without us, when they changed last."""
    stream = Stream.ORDERS if Stream.ORDERS in scope or not scope else scope[-1]
    key = {"id": migration, "stream": str(stream)}
    known = (await connection.execute(_KNOWN, key)).one()
    linked = (await connection.execute(_LINKED_OF, key)).one()
    own = int(known.number) * 2 >= int(linked.number)
    basis, query = ("created", _ARRIVALS) if own else ("stamps", _STAMPS)
    newest = known.last + _HOUR if own and known.last else linked.last
    until = cursors.get(stream) or newest
    if until is None:
        return History(stream=stream, counts={}, since=None, until=None, basis="none")
    found = await connection.execute(query, {**key, "since": until - LONGEST})
    counts = {row.hour.astimezone(UTC): int(row.number) for row in found}
    since = known.first if own else await _stamped_since(connection, migration, linked.first)
    return History(
        stream=stream,
        counts=counts,
        since=since,
        until=until,
        basis="none" if since is None else basis,
    )
