"""What verifications and the verdict are made of: results, waivers, watermarks, configuration.

Workers and the API share it; every function works on the caller's connection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import entry_points, version
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, select

from app.catalogue import CATALOGUE
from app.models import CheckResult, JobKind, Waiver, WebhookEventType
from app.services import outbox
from app.services.lifecycle import to_json
from app.verdict import Basis, Verdict
from connectors.registry import GROUP

_WATERMARKS = text("SELECT stream, watermark FROM cursors WHERE migration_id = :migration")
_CONFIGURATION = text(
    """
    SELECT m.version, m.streams, m.policies,
           s.platform AS source_platform, s.version AS source_version,
           t.platform AS target_platform, t.version AS target_version,
           ARRAY(
               SELECT stream FROM stream_states AS d
               WHERE d.migration_id = m.id AND d.demoted_at IS NOT NULL ORDER BY stream
           ) AS swept,
           (SELECT max(version) FROM mapping_versions WHERE migration_id = m.id) AS mapping,
           (
               SELECT md5(string_agg(
                   jsonb_build_array(key, target, pushed, pushed_target)::text, ',' ORDER BY key
               )) FROM old_paths
               WHERE migration_id = m.id AND (target IS NOT NULL OR pushed IS NOT NULL)
           ) AS redirects
    FROM migrations AS m
    JOIN stores AS s ON s.id = m.source_id
    JOIN stores AS t ON t.id = m.target_id
    WHERE m.id = :migration
    """
)


async def watermarks(connection: AsyncConnection, migration: UUID) -> dict[str, str]:
    """The migration's cursors, by stream."""
    rows = await connection.execute(_WATERMARKS, {"migration": migration})
    return {row.stream: row.watermark.isoformat() for row in rows}


async def configuration(connection: AsyncConnection, migration: UUID) -> dict[str, Any]:
    """What a verdict is bound to: any change in it makes the verdict stale."""
    row = (await connection.execute(_CONFIGURATION, {"migration": migration})).one()
    return {
        "migration_version": row.version,
        "streams": row.streams,
        "policies": row.policies,
        "streams_swept": row.swept,
        "mapping_version": row.mapping,
        "redirects": row.redirects,
        "source": f"{row.source_platform} {_connector_version(row.source_platform)}".strip(),
        "source_version": row.source_version,
        "target": f"{row.target_platform} {_connector_version(row.target_platform)}".strip(),
        "target_version": row.target_version,
        "software": version("recent-sync"),
        "checks": list(CATALOGUE),
    }


_RULES = text(
    "SELECT version, rules::text AS rules FROM mapping_versions WHERE migration_id = :migration"
    " ORDER BY version DESC LIMIT 1"
)


async def mapping_rules(
    connection: AsyncConnection, migration: UUID
) -> tuple[int | None, str | None]:
    """The newest version of a migration's mapping rules, as JSON; none where it has none."""
    row = (await connection.execute(_RULES, {"migration": migration})).first()
    return (row.version, row.rules) if row else (None, None)


def _connector_version(platform: str) -> str:
    """The version of the package that holds a platform's connector; empty where none is known."""
    found = entry_points(group=GROUP, name=platform)
    dist = next((each.dist for each in found), None)
    return dist.version if dist else ""


async def results(connection: AsyncConnection, job: UUID) -> list[CheckResult]:
    """What a job's checks found so far, in the order in which they ran."""
    query = select(CheckResult).where(CheckResult.job_id == job)
    rows = await connection.execute(query.order_by(col(CheckResult.position)))
    return [CheckResult(**dict(row)) for row in rows.mappings()]


async def waivers(connection: AsyncConnection, migration: UUID) -> list[Waiver]:
    """All waivers of a migration, expired ones too."""
    query = select(Waiver).where(Waiver.migration_id == migration)
    rows = await connection.execute(query.order_by(col(Waiver.created_at), col(Waiver.id)))
    return [Waiver(**dict(row)) for row in rows.mappings()]


_BEGIN = text(
    "INSERT INTO verifications (job_id, migration_id, whole, watermarks, configuration, counts,"
    " began_at) VALUES (:job, :migration, :whole, CAST(:watermarks AS jsonb),"
    " CAST(:configuration AS jsonb), CAST(:counts AS jsonb), clock_timestamp())"
    " ON CONFLICT (job_id) DO NOTHING"
)


async def has_begun(connection: AsyncConnection, job: UUID) -> bool:
    """Whether it is noted already what the job is going to verify."""
    found = await connection.execute(
        text("SELECT EXISTS (SELECT 1 FROM verifications WHERE job_id = :job)"), {"job": job}
    )
    return bool(found.scalar_one())


async def begin(
    connection: AsyncConnection,
    migration: UUID,
    job: UUID,
    *,
    whole: bool,
    counts: Mapping[str, int],
) -> None:
    """Note what a job is going to verify; `counts` are the source's own. Noting it twice is
    harmless: the first time counts.
    """
    await connection.execute(
        _BEGIN,
        {
            "job": job,
            "migration": migration,
            "whole": whole,
            "watermarks": to_json(await watermarks(connection, migration)),
            "configuration": to_json(await configuration(connection, migration)),
            "counts": to_json(dict(counts)),
        },
    )


async def finish(connection: AsyncConnection, job: UUID) -> None:
    """All checks of the job are through."""
    await connection.execute(
        text("UPDATE verifications SET finished_at = clock_timestamp() WHERE job_id = :job"),
        {"job": job},
    )


_VERDICT_BEFORE = text(
    """
    SELECT coalesce(j.error->>'code' = 'not_ready', false) AS blocked
    FROM verifications AS v JOIN jobs AS j ON j.id = v.job_id
    WHERE v.migration_id = :migration AND v.whole AND v.finished_at IS NOT NULL
      AND v.job_id <> :job ORDER BY v.finished_at DESC LIMIT 1
    """
)
_IS_WHOLE = text("SELECT whole FROM verifications WHERE job_id = :job")


async def announce(
    connection: AsyncConnection, migration: UUID, job: UUID, verdict: Verdict
) -> None:
    """Tell webhooks of the verdict of a verification that has ended, where it is another one than
    the verification before it came to, or the first.
    """
    values = {"migration": migration, "job": job}
    if not (await connection.execute(_IS_WHOLE, {"job": job})).scalar():
        return
    row = (await connection.execute(_VERDICT_BEFORE, values)).first()
    before = None if row is None else (Verdict.NOT_READY if row.blocked else Verdict.READY)
    if before != verdict:
        told = {
            "verdict": verdict,
            "before": before,
            "job": str(job),
            "links": {"checks": f"/v1/jobs/{job}/checks"},
        }
        kind = WebhookEventType.VERDICT_CHANGED
        await outbox.emit(connection, kind, told, migration=migration, once=f"verdict:{job}")


_NEWEST = text(
    """
    SELECT v.job_id, v.began_at, v.finished_at, v.watermarks, v.configuration, v.counts
    FROM verifications AS v JOIN jobs AS j ON j.id = v.job_id
    WHERE v.migration_id = :migration AND v.whole AND v.finished_at IS NOT NULL
      AND j.status IN ('running', 'succeeded', 'completed_with_errors')
    ORDER BY v.finished_at DESC LIMIT 1
    """
)


async def newest(connection: AsyncConnection, migration: UUID) -> Basis | None:
    """The last verification that a verdict may rest on."""
    row = (await connection.execute(_NEWEST, {"migration": migration})).first()
    return Basis(*row) if row else None


_WROTE = text(
    "SELECT kind FROM jobs WHERE migration_id = :migration AND kind = ANY(CAST(:kinds AS text[]))"
    " AND started_at > :since ORDER BY started_at DESC LIMIT 1"
)


async def wrote_since(connection: AsyncConnection, migration: UUID, since: datetime) -> str | None:
    """The kind of a job that began to write after a moment, to the target or to the ledger alone;
    None where none did.
    """
    kinds = [str(each) for each in JobKind if each is not JobKind.VERIFY]
    found = await connection.execute(
        _WROTE, {"migration": migration, "kinds": kinds, "since": since}
    )
    kind: str | None = found.scalar()
    return kind


_DECIDED = text(
    """
    SELECT EXISTS (
        SELECT 1 FROM conflicts WHERE migration_id = :migration AND settled_at > :since
          AND (status <> 'settled' OR (decision = 'source' AND applied_at IS NULL))
    ) OR EXISTS (
        SELECT 1 FROM adoption_records WHERE migration_id = :migration AND settled_at > :since
    )
    """
)


async def decided_since(connection: AsyncConnection, migration: UUID, since: datetime) -> bool:
    """Whether somebody has decided after a moment what is not on the target, or that other records
    belong together.
    """
    found = await connection.execute(_DECIDED, {"migration": migration, "since": since})
    return bool(found.scalar_one())


_LATER = text(
    """
    SELECT DISTINCT ON (r.check_id) r.* FROM check_results AS r
    JOIN verifications AS v ON v.job_id = r.job_id
    WHERE v.migration_id = :migration AND v.job_id <> :job AND r.at > :since
    ORDER BY r.check_id, r.at DESC
    """
)


async def later_results(
    connection: AsyncConnection, migration: UUID, basis: Basis
) -> list[CheckResult]:
    """The newest result of each check that other verifications have carried out since: of chosen
    checks, or not yet through all of them.
    """
    values = {"migration": migration, "job": basis.job, "since": basis.finished_at}
    rows = await connection.execute(_LATER, values)
    return [CheckResult(**dict(row)) for row in rows.mappings()]


_KEEP = text(
    """
    INSERT INTO check_results (job_id, check_id, position, state, severity, summary, examined,
                               total, sample, found, evidence, seconds, at)
    VALUES (:job_id, :check_id, :position, :state, :severity, :summary, :examined, :total,
            :sample, :found, CAST(:evidence AS jsonb), :seconds, clock_timestamp())
    ON CONFLICT (job_id, check_id) DO NOTHING
    """
)


async def keep(
    connection: AsyncConnection, job: UUID, result: Mapping[str, Any], evidence: Sequence[Any]
) -> None:
    """Write down how a check ended."""
    await connection.execute(_KEEP, {**result, "job_id": job, "evidence": to_json(evidence)})
