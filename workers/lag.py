"""Lag: how long ago the oldest cursor of a migration stands. Webhooks are told when it is too old.

A cursor that stands at a moment says that whatever changed before it has been applied; so the
oldest change that has not is at most this old.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text

from app.models import WebhookEventType
from app.resources import Resources
from app.services.outbox import emit

_LAGS = """
    WITH lags AS (
        SELECT m.id AS migration_id,
               extract(epoch FROM coalesce(CAST(:now AS timestamptz), clock_timestamp())
                                  - min(c.watermark))::bigint AS seconds
        FROM migrations AS m JOIN cursors AS c ON c.migration_id = m.id
        WHERE c.stream = ANY(m.streams) GROUP BY m.id
    )
"""
_ANY = text("SELECT EXISTS (SELECT 1 FROM webhooks WHERE lag_seconds IS NOT NULL)")
_EXCEEDED = text(
    f"""
    {_LAGS}, told AS (
        INSERT INTO webhook_lags (webhook_id, migration_id)
        SELECT w.id, l.migration_id FROM webhooks AS w
        JOIN lags AS l ON w.migration_id IS NULL OR w.migration_id = l.migration_id
        WHERE l.seconds > w.lag_seconds
        ON CONFLICT DO NOTHING RETURNING webhook_id, migration_id
    )
    SELECT told.webhook_id, told.migration_id, l.seconds, w.lag_seconds,
           'lag.exceeded' = ANY(w.events) AS wanted
    FROM told JOIN lags AS l USING (migration_id) JOIN webhooks AS w ON w.id = told.webhook_id
    """  # noqa: S608  constants
)
_RECOVERED = text(
    f"""
    {_LAGS}
    DELETE FROM webhook_lags AS t USING lags AS l, webhooks AS w
    WHERE l.migration_id = t.migration_id AND w.id = t.webhook_id
      AND (w.lag_seconds IS NULL OR l.seconds <= w.lag_seconds)
    RETURNING t.webhook_id, t.migration_id, l.seconds, w.lag_seconds,
              'lag.recovered' = ANY(w.events) AS wanted
    """  # noqa: S608  constants
)
_ROUNDS = (
    (WebhookEventType.LAG_EXCEEDED, _EXCEEDED),
    (WebhookEventType.LAG_RECOVERED, _RECOVERED),
)


async def watch_lag(resources: Resources, at: datetime | None = None) -> None:
    """Tell each endpoint of each lag that exceeds its bound, once, and once of its end."""
    async with resources.engine.begin() as connection:
        if not (await connection.execute(_ANY)).scalar_one():
            return
        for kind, statement in _ROUNDS:
            for row in (await connection.execute(statement, {"now": at})).all():
                if row.wanted:
                    await emit(
                        connection,
                        kind,
                        {"lag_seconds": row.seconds, "allowed_seconds": row.lag_seconds},
                        migration=row.migration_id,
                        only=row.webhook_id,
                    )
