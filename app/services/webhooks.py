"""Webhooks: endpoints, their secrets, and what was delivered to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from app.addresses import is_public, literal
from app.errors import DeliveryNotFound, InvalidWebhook, WebhookDisabled, WebhookNotFound
from app.models import (
    DeliveryStatus,
    Migration,
    Webhook,
    WebhookDelivery,
    WebhookEvent,
    WebhookEventType,
)
from app.models.columns import now
from app.moments import duration
from app.schemas.paging import Keyset
from app.schemas.webhook import (
    Attempt,
    DeliveryOut,
    NewWebhookOut,
    WebhookIn,
    WebhookOut,
    WebhookPatch,
)
from app.security import Vault, VaultError
from app.services import webhook_secrets
from app.services.migrations import get_migration
from app.services.outbox import emit
from app.services.transaction import Work

_LONGEST_KEEP = timedelta(days=7)
_LOCAL = ("localhost", ".localhost", ".local", ".internal")
_LAGS = {WebhookEventType.LAG_EXCEEDED, WebhookEventType.LAG_RECOVERED}


async def create_webhook(work: Work, asked: WebhookIn) -> NewWebhookOut:
    """An endpoint with its secret. Raises `InvalidWebhook`, `MigrationNotFound`."""
    _refuse_unreachable(asked.url, private=work.resources.settings.webhook_private_addresses)
    migration = None
    if asked.migration is not None:
        migration = await get_migration(work.session, asked.migration)
    secret = webhook_secrets.new_secret()
    webhook = Webhook(
        url=asked.url,
        description=asked.description,
        events=_in_order(asked.events),
        migration_id=migration.id if migration else None,
        lag_seconds=asked.lag_seconds,
        secrets=webhook_secrets.sealed(work.resources.vault, secret),
    )
    work.session.add(webhook)
    await work.session.flush()
    return await _with_secret(work, webhook, secret)


async def get_webhook(session: AsyncSession, webhook_id: UUID, *, lock: bool = False) -> Webhook:
    """Raises `WebhookNotFound`."""
    # Events can be written for it meanwhile.
    locked = {"key_share": True} if lock else None
    webhook = await session.get(Webhook, webhook_id, with_for_update=locked)
    if webhook is None:
        raise WebhookNotFound
    return webhook


async def list_webhooks(session: AsyncSession, page: Keyset) -> list[Webhook]:
    """Endpoints, oldest first, one more than the page holds."""
    query = page.apply(select(Webhook), col(Webhook.created_at), col(Webhook.id))
    return list(await session.exec(query))


async def change_webhook(work: Work, webhook_id: UUID, asked: WebhookPatch) -> WebhookOut:
    """Raises `WebhookNotFound`, `InvalidWebhook`."""
    webhook = await get_webhook(work.session, webhook_id, lock=True)
    if asked.url is not None:
        _refuse_unreachable(asked.url, private=work.resources.settings.webhook_private_addresses)
        webhook.url = asked.url
    if asked.events is not None:
        webhook.events = _in_order(asked.events)
    if "lag_seconds" in asked.model_fields_set:
        webhook.lag_seconds = asked.lag_seconds
    if _LAGS & set(webhook.events) and webhook.lag_seconds is None:
        raise InvalidWebhook.at("/lag_seconds", "Lag events need it.")
    if asked.description is not None:
        webhook.description = asked.description
    if asked.disabled is True and webhook.disabled_at is None:
        webhook.disabled_at, webhook.disabled_reason = now(), "asked"
        await hold(work.session, webhook_id)
    elif asked.disabled is False:
        webhook.disabled_at = webhook.disabled_reason = webhook.failing_since = None
    webhook.updated_at = now()
    await work.session.flush()
    return (await shown(work, [webhook]))[0]


async def hold(session: AsyncSession, webhook_id: UUID) -> None:
    """Keep what is on its way to an endpoint that is disabled."""
    await session.exec(
        update(WebhookDelivery)
        .where(col(WebhookDelivery.webhook_id) == webhook_id)
        .where(col(WebhookDelivery.status) == DeliveryStatus.PENDING)
        .values(status=DeliveryStatus.HELD)
        .execution_options(synchronize_session=False)
    )


async def delete_webhook(session: AsyncSession, webhook_id: UUID) -> None:
    """With its deliveries. Raises `WebhookNotFound`."""
    await session.delete(await get_webhook(session, webhook_id))


async def rotate_secret(work: Work, webhook_id: UUID, keep: str) -> NewWebhookOut:
    """A new secret; the old one signs as well for a while. Raises `WebhookNotFound`,
    `InvalidWebhook`.
    """
    span = duration(keep)
    if span > _LONGEST_KEEP:
        raise InvalidWebhook.at("/keep", "At most seven days.")
    webhook = await get_webhook(work.session, webhook_id, lock=True)
    secret = webhook_secrets.new_secret()
    vault = work.resources.vault
    try:
        webhook.secrets = webhook_secrets.rotated(vault, webhook.secrets, secret, now() + span)
    except VaultError:  # Nobody can sign by the old one any more.
        webhook.secrets = webhook_secrets.sealed(vault, secret)
    webhook.updated_at = now()
    await work.session.flush()
    return await _with_secret(work, webhook, secret)


async def send_test(work: Work, webhook_id: UUID) -> DeliveryOut:
    """Send an event that means nothing. Raises `WebhookNotFound`, `WebhookDisabled`."""
    webhook = await _enabled(work.session, webhook_id)
    connection = await work.connection()
    kind = WebhookEventType.WEBHOOK_TEST
    await emit(
        connection,
        kind,
        {"webhook": str(webhook.id)},
        migration=webhook.migration_id,
        only=webhook.id,
    )
    page = Keyset(1, None, newest_first=True)
    return (await list_deliveries(work.session, webhook_id, page, status=[]))[0]


# --- deliveries --------------------------------------------------------------------------------


async def list_deliveries(
    session: AsyncSession, webhook_id: UUID, page: Keyset, *, status: Sequence[DeliveryStatus]
) -> list[DeliveryOut]:
    """Newest first, one more than the page holds. Raises `WebhookNotFound`."""
    await get_webhook(session, webhook_id)
    query = select(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook_id)
    if status:
        query = query.where(col(WebhookDelivery.status).in_(status))
    query = page.apply(query, col(WebhookDelivery.created_at), col(WebhookDelivery.id))
    found = list(await session.exec(query))
    events = await session.exec(
        select(WebhookEvent).where(col(WebhookEvent.id).in_([each.event_id for each in found]))
    )
    by_id = {each.id: each for each in events}
    return [_delivery(each, by_id[each.event_id]) for each in found]


async def replay_one(work: Work, webhook_id: UUID, delivery_id: UUID) -> DeliveryOut:
    """Send a delivery again, under the same id. Raises `WebhookNotFound`, `WebhookDisabled`,
    `DeliveryNotFound`.
    """
    await _enabled(work.session, webhook_id)
    delivery = await work.session.get(WebhookDelivery, delivery_id)
    if delivery is None or delivery.webhook_id != webhook_id:
        raise DeliveryNotFound
    await _send_again(work.session, WebhookDelivery.id == delivery_id)
    await work.session.refresh(delivery)
    return _delivery(delivery, await work.session.get_one(WebhookEvent, delivery.event_id))


async def replay_since(work: Work, webhook_id: UUID, since: datetime) -> int:
    """Send again whatever happened since a moment; answers how much that is. Raises
    `WebhookNotFound`, `WebhookDisabled`.
    """
    await _enabled(work.session, webhook_id)
    return await _send_again(
        work.session,
        WebhookDelivery.webhook_id == webhook_id,
        col(WebhookDelivery.created_at) >= since,
    )


async def _send_again(session: AsyncSession, *which: Any) -> int:
    # The fence: what a worker that sends it at this moment learns of it counts no more.
    done = await session.exec(
        update(WebhookDelivery)
        .where(*which)
        .values(
            status=DeliveryStatus.PENDING,
            attempts=0,
            next_at=now(),
            lease_until=None,
            delivered_at=None,
            fence=WebhookDelivery.fence + 1,
        )
        .execution_options(synchronize_session=False)
    )
    return int(done.rowcount)


async def _enabled(session: AsyncSession, webhook_id: UUID) -> Webhook:
    webhook = await get_webhook(session, webhook_id, lock=True)
    if webhook.disabled_at is not None:
        raise WebhookDisabled("Enable it first.")
    return webhook


def message_id(event: UUID) -> str:
    """The header `webhook-id`."""
    return f"msg_{event.hex}"


def _delivery(delivery: WebhookDelivery, event: WebhookEvent) -> DeliveryOut:
    waits = delivery.status == DeliveryStatus.PENDING
    return DeliveryOut(
        id=delivery.id,
        event=event.id,
        message=message_id(event.id),
        type=WebhookEventType(event.type),
        data=event.data,
        status=delivery.status,
        attempts=delivery.attempts,
        next_at=delivery.next_at if waits else None,
        log=[Attempt.model_validate(each) for each in delivery.log],
        delivered_at=delivery.delivered_at,
        created_at=delivery.created_at,
    )


# --- what is told ------------------------------------------------------------------------------


async def shown(work: Work, webhooks: Sequence[Webhook]) -> list[WebhookOut]:
    """What is told of endpoints."""
    ids = {each.migration_id for each in webhooks if each.migration_id}
    found = await work.session.exec(select(Migration).where(col(Migration.id).in_(ids)))
    slugs: dict[UUID | None, str] = {each.id: each.slug for each in found}
    vault = work.resources.vault
    return [_shown(each, slugs.get(each.migration_id), vault) for each in webhooks]


def _shown(webhook: Webhook, slug: str | None, vault: Vault) -> WebhookOut:
    try:
        count: int | None = len(webhook_secrets.active(vault, webhook.secrets, now()))
    except VaultError:
        count = None
    kept = webhook.model_dump(exclude={"migration_id", "secrets"})
    return WebhookOut(**kept, migration=slug, secrets=count)


async def _with_secret(work: Work, webhook: Webhook, secret: str) -> NewWebhookOut:
    told = (await shown(work, [webhook]))[0]
    return NewWebhookOut(**told.model_dump(), secret=secret)


def _in_order(events: Sequence[WebhookEventType]) -> list[str]:
    return [str(each) for each in WebhookEventType if each in events]


def _refuse_unreachable(url: str, *, private: bool) -> None:
    """What can be told from the address alone; names are looked up at each delivery."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not host or parts.fragment:
        raise InvalidWebhook.at("/url", "This is no address.")
    if parts.username is not None or parts.password is not None:
        raise InvalidWebhook.at("/url", "An address with a name or a password in it is not kept.")
    if private:
        return
    if parts.scheme != "https":
        raise InvalidWebhook.at("/url", "The address has to begin with https.")
    address = literal(host)
    local = host == _LOCAL[0] or host.endswith(_LOCAL[1:])
    if local or (address is not None and not is_public(address)):
        raise InvalidWebhook.at("/url", "This address is not of the open internet.")
