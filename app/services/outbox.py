"""Events for webhooks, written in the transaction of what happened: both are committed, or neither.

Workers deliver them afterwards. An event for which no endpoint asks is not written at all; one that
is disabled has its share held for a replay.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.models import JobStatus, WebhookEventType

_WANTS = """
    (w.id = CAST(:only AS uuid) OR (
        CAST(:only AS uuid) IS NULL AND CAST(:type AS text) = ANY(w.events)
        AND (w.migration_id IS NULL OR w.migration_id = CAST(:migration AS uuid))
    ))
"""
_EMIT = text(
    f"""
    WITH event AS (
        INSERT INTO webhook_events (id, type, migration_id, once, data)
        SELECT :id, CAST(:type AS text), CAST(:migration AS uuid), CAST(:once AS text),
               CAST(:data AS jsonb) || coalesce((
                   SELECT jsonb_build_object('migration', slug) FROM migrations
                   WHERE migrations.id = CAST(:migration AS uuid)
               ), '{{}}')
        WHERE EXISTS (SELECT 1 FROM webhooks AS w WHERE {_WANTS})
        ON CONFLICT (once) DO NOTHING RETURNING id
    )
    INSERT INTO webhook_deliveries (id, event_id, webhook_id, status, attempts, fence, log)
    SELECT gen_random_uuid(), event.id, w.id,
           CASE WHEN w.disabled_at IS NULL THEN 'pending' ELSE 'held' END, 0, 0, '[]'
    FROM event, webhooks AS w WHERE {_WANTS}
    -- One that is being deleted is waited for, and left out.
    FOR KEY SHARE OF w
    """  # noqa: S608  a constant
)


async def emit(
    connection: AsyncConnection,
    kind: WebhookEventType,
    data: dict[str, Any],
    *,
    migration: UUID | None = None,
    once: str | None = None,
    only: UUID | None = None,
) -> None:
    """Tell the endpoints that ask for it, or one of them alone.

    `data` holds ids, names and counts, no personal data; the migration's slug is added. Of what
    has the same `once` the first is told.
    """
    await connection.execute(
        _EMIT,
        {
            "id": uuid4(),
            "type": str(kind),
            "migration": migration,
            "once": once,
            "data": msgspec.json.encode(data).decode(),
            "only": only,
        },
    )


_JOB_EVENTS = {"job.started": WebhookEventType.JOB_STARTED} | {
    f"job.{status}": WebhookEventType.JOB_ENDED for status in JobStatus if status.ended
}
_JOB = text(
    """
    SELECT j.migration_id, j.kind, j.status, coalesce((j.params->>'cutover')::boolean, false)
           AS cutover, j.error->>'code' AS error
    FROM jobs AS j
    WHERE j.id = :job AND EXISTS (
        SELECT 1 FROM webhooks AS w WHERE :type = ANY(w.events)
        AND (w.migration_id IS NULL OR w.migration_id = j.migration_id)
    )
    """
)


async def emit_job(connection: AsyncConnection, job: UUID, event: str) -> None:
    """Tell of an event of a job, where it is one that webhooks know: its start or its end."""
    kind = _JOB_EVENTS.get(event)
    if kind is None:
        return
    row = (await connection.execute(_JOB, {"job": job, "type": str(kind)})).one_or_none()
    if row is None:
        return
    data = {
        "job": str(job),
        "kind": row.kind,
        "status": row.status,
        "cutover": row.cutover,
        "error": row.error,
        "links": {"self": f"/v1/jobs/{job}"},
    }
    await emit(connection, kind, data, migration=row.migration_id)
