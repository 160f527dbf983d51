"""Events are delivered to webhooks: at least once, under the same id, for hours where need be.

Every worker delivers. A delivery is held by a lease while it is being sent; a worker that dies
leaves it to another one when the lease lapses, and what an earlier holder learns counts no more.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import Row, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.models import WebhookEventType
from app.models.columns import now
from app.resources import Resources
from app.security import VaultError
from app.services.outbox import emit
from app.services.webhook_secrets import active, signature_headers
from app.services.webhooks import message_id
from workers.lag import watch_lag
from workers.posting import SECONDS, Outcome, Poster, poster

log = structlog.get_logger(__name__)

PAUSES = (5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800, 43_200)
"""Seconds between attempts: eleven of them within 28 hours."""

_JITTER = 0.1
_LEASE = SECONDS * 2
_AT_ONCE = 32
_AT_ONCE_EACH = 4
"""So that an endpoint that is slow holds up no other."""

_LOGGED = 20
_PATIENCE_DAYS = 5
"""After so many days without a success an endpoint is disabled."""

_CLAIM = text(
    """
    WITH due AS MATERIALIZED (
        SELECT found.id FROM webhooks AS w CROSS JOIN LATERAL (
            SELECT d.id FROM webhook_deliveries AS d
            WHERE d.webhook_id = w.id AND d.status = 'pending' AND d.next_at <= :now
              AND (d.lease_until IS NULL OR d.lease_until <= :now)
            ORDER BY d.next_at LIMIT :each FOR UPDATE SKIP LOCKED
        ) AS found
        WHERE w.disabled_at IS NULL LIMIT :most
    )
    UPDATE webhook_deliveries AS d
    SET fence = d.fence + 1, attempts = d.attempts + 1,
        lease_until = CAST(:now AS timestamptz) + make_interval(secs => :lease)
    FROM due, webhook_events AS e, webhooks AS w
    WHERE d.id = due.id AND e.id = d.event_id AND w.id = d.webhook_id
    RETURNING d.id, d.fence, d.attempts, d.webhook_id, e.id AS event_id, e.type, e.data, e.at,
              w.url, w.secrets
    """
)
_SETTLE = text(
    """
    UPDATE webhook_deliveries SET
        status = CAST(:status AS text), lease_until = NULL,
        next_at = CAST(:now AS timestamptz) + make_interval(secs => :pause),
        delivered_at = CASE WHEN CAST(:status AS text) = 'delivered'
                            THEN CAST(:now AS timestamptz) END,
        log = (
            SELECT jsonb_agg(entry ORDER BY place) FROM (
                SELECT entry, place
                FROM jsonb_array_elements(log || CAST(:entry AS jsonb))
                     WITH ORDINALITY AS all_of_them (entry, place)
                ORDER BY place DESC LIMIT :logged
            ) AS latest
        )
    WHERE id = :id AND fence = :fence AND status = 'pending'
    """
)


async def deliver(resources: Resources, post: Poster, at: datetime | None = None) -> int:
    """Send what is due, by the database's clock unless a moment is given; answers how much."""
    held = await _claim(resources, at)
    await asyncio.gather(*(_send(resources, post, each, at) for each in held))
    return len(held)


async def _claim(resources: Resources, at: datetime | None) -> list[Row[Any]]:
    async with resources.engine.begin() as connection:
        found = await connection.execute(
            _CLAIM,
            {
                "now": at or await _database_now(connection),
                "each": _AT_ONCE_EACH,
                "most": _AT_ONCE,
                "lease": _LEASE,
            },
        )
        return list(found)


async def _database_now(connection: AsyncConnection) -> datetime:
    moment: datetime = (await connection.execute(text("SELECT clock_timestamp()"))).scalar_one()
    return moment


async def _send(resources: Resources, post: Poster, held: Row[Any], at: datetime | None) -> None:
    began, sent_at = time.monotonic(), now()
    try:
        secrets = active(resources.vault, held.secrets, sent_at)
    except VaultError:
        outcome = Outcome(code="secret_unreadable")
    else:
        body = payload(held.type, held.at, held.data)
        signed = signature_headers(secrets, message_id(held.event_id), sent_at, body.decode())
        headers = {"Content-Type": "application/json", "User-Agent": "recent-sync", **signed}
        outcome = await post.post(held.url, headers, body)
    entry = {
        "at": (at or sent_at).isoformat(),
        "status": outcome.status,
        "code": outcome.code,
        "milliseconds": round((time.monotonic() - began) * 1000),
    }
    log.info(
        "webhook.sent",
        webhook_id=str(held.webhook_id),
        delivery_id=str(held.id),
        status=outcome.status,
        code=outcome.code,
    )
    async with resources.engine.begin() as connection:
        moment = at or await _database_now(connection)
        await _settle(connection, held, outcome, entry, moment)


def payload(kind: str, at: datetime, data: dict[str, Any]) -> bytes:
    """The body, the same bytes in every attempt."""
    return msgspec.json.encode({"type": kind, "timestamp": at.isoformat(), "data": data})


async def _settle(
    connection: AsyncConnection,
    held: Row[Any],
    outcome: Outcome,
    entry: dict[str, Any],
    at: datetime,
) -> None:
    wait = pause(held.attempts, outcome)
    if outcome.delivered:
        status = "delivered"
    else:
        status = "failed" if wait is None or outcome.gone else "pending"
    done = await connection.execute(
        _SETTLE,
        {
            "id": held.id,
            "fence": held.fence,
            "status": status,
            "now": at,
            "pause": wait or 0,
            "entry": msgspec.json.encode([entry]).decode(),
            "logged": _LOGGED,
        },
    )
    if done.rowcount == 0:
        return  # Somebody else has it by now, or it was held or replayed meanwhile.
    if outcome.delivered:
        await _recover(connection, held.webhook_id)
    elif outcome.gone:
        await _disable(connection, held.webhook_id, "gone", at)
    elif await _fails_for_long(connection, held.webhook_id, at):
        await _disable(connection, held.webhook_id, "failing", at)


def pause(
    attempts: int, outcome: Outcome, chance: Callable[[], float] = random.random
) -> float | None:
    """Seconds until the next attempt after so many; None after the last one."""
    if attempts > len(PAUSES):
        return None
    spread = 1 + _JITTER * (2 * chance() - 1)
    return max(PAUSES[attempts - 1] * spread, outcome.retry_after)


async def _recover(connection: AsyncConnection, webhook: UUID) -> None:
    await connection.execute(
        text(
            "UPDATE webhooks SET failing_since = NULL WHERE id = :id AND failing_since IS NOT NULL"
        ),
        {"id": webhook},
    )


async def _fails_for_long(connection: AsyncConnection, webhook: UUID, at: datetime) -> bool:
    since = await connection.execute(
        text(
            "UPDATE webhooks SET failing_since = coalesce(failing_since, CAST(:now AS timestamptz))"
            " WHERE id = :id RETURNING failing_since"
        ),
        {"id": webhook, "now": at},
    )
    return bool((at - since.scalar_one()).days >= _PATIENCE_DAYS)


async def _disable(connection: AsyncConnection, webhook: UUID, reason: str, at: datetime) -> None:
    """Send nothing more to an endpoint, keep what waits for it, and tell the others."""
    row = (
        await connection.execute(
            text(
                "UPDATE webhooks SET disabled_at = :now, disabled_reason = :reason"
                " WHERE id = :id AND disabled_at IS NULL RETURNING migration_id"
            ),
            {"id": webhook, "now": at, "reason": reason},
        )
    ).one_or_none()
    if row is None:
        return
    await connection.execute(
        text(
            "UPDATE webhook_deliveries SET status = 'held'"
            " WHERE webhook_id = :id AND status = 'pending'"
        ),
        {"id": webhook},
    )
    log.warning("webhook.disabled", webhook_id=str(webhook), reason=reason)
    await emit(
        connection,
        WebhookEventType.WEBHOOK_DISABLED,
        {"webhook": str(webhook), "reason": reason},
        migration=row.migration_id,
    )


async def deliver_forever(resources: Resources) -> None:
    """Deliver until cancelled, and watch the lag. A database that is away is tried again."""
    private = resources.settings.webhook_private_addresses
    async with poster(private=private) as post:
        while True:
            try:
                await watch_lag(resources)
                while await deliver(resources, post) == _AT_ONCE:
                    pass
            except (DBAPIError, OSError, TimeoutError) as error:
                log.warning("webhooks.database_away", error=type(error).__name__)
            await asyncio.sleep(resources.settings.reaper_seconds)
