from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from app import errors
from app.models import DeliveryStatus
from app.routes.answers import created, refusals
from app.routes.dependencies import Admin, Cursor, Limit, OneAnswer, OneTransaction
from app.routes.guard import GuardedRoute
from app.schemas.paging import Keyset
from app.schemas.webhook import (
    DeliveryOut,
    DeliveryPage,
    NewWebhookOut,
    ReplayIn,
    ReplayOut,
    RotateIn,
    WebhookIn,
    WebhookOut,
    WebhookPage,
    WebhookPatch,
)
from app.services import webhooks
from app.services.idempotency import Made
from app.services.transaction import Work

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"], route_class=GuardedRoute)
WebhookInPath = Annotated[UUID, Path(examples=["6d9a4d0e-7c19-4a7b-9df5-2f0d1a6b8c33"])]
DeliveryInPath = Annotated[UUID, Path(examples=["a4c8e2f0-5b7d-4e61-9f3a-8d2c6b0e1f47"])]


@router.post(
    "",
    status_code=201,
    response_model=NewWebhookOut,
    summary="Make a webhook",
    responses=refusals(errors.InvalidWebhook, errors.MigrationNotFound),
)
async def create(_: Admin, asked: WebhookIn, once: OneAnswer) -> Response:
    """The secret that signs what is sent is in this answer alone (Standard Webhooks)."""

    async def make(work: Work) -> Made:
        made = await webhooks.create_webhook(work, asked)
        return made, {"Location": f"/v1/webhooks/{made.id}"}

    return created(await once.run(201, make))


@router.get("", summary="List webhooks", responses=refusals(errors.BadCursor))
async def index(
    _: Admin, work: OneTransaction, limit: Limit = 50, cursor: Cursor = None
) -> WebhookPage:
    """Oldest first."""
    page = Keyset.parse(cursor, limit, datetime, UUID)
    found = await webhooks.list_webhooks(work.session, page)
    kept, following = page.cut(found, lambda each: [each.created_at, each.id])
    return WebhookPage(items=await webhooks.shown(work, kept), next=following)


@router.get("/{webhook}", summary="Get a webhook", responses=refusals(errors.WebhookNotFound))
async def show(_: Admin, webhook: WebhookInPath, work: OneTransaction) -> WebhookOut:
    """Without its secrets."""
    found = await webhooks.get_webhook(work.session, webhook)
    return (await webhooks.shown(work, [found]))[0]


@router.patch(
    "/{webhook}",
    summary="Change, disable or enable a webhook",
    responses=refusals(errors.WebhookNotFound, errors.InvalidWebhook),
)
async def change(
    _: Admin, webhook: WebhookInPath, asked: WebhookPatch, work: OneTransaction
) -> WebhookOut:
    """What happens while it is disabled is held, and sent by a replay."""
    return await webhooks.change_webhook(work, webhook, asked)


@router.delete(
    "/{webhook}",
    status_code=204,
    summary="Delete a webhook",
    responses=refusals(errors.WebhookNotFound),
)
async def delete(_: Admin, webhook: WebhookInPath, work: OneTransaction) -> None:
    """With the log of what was delivered."""
    await webhooks.delete_webhook(work.session, webhook)


@router.post(
    "/{webhook}/rotate",
    status_code=200,
    response_model=NewWebhookOut,
    summary="Give a webhook a new secret",
    responses=refusals(errors.WebhookNotFound, errors.InvalidWebhook),
)
async def rotate(_: Admin, webhook: WebhookInPath, asked: RotateIn, once: OneAnswer) -> Response:
    """The secret before it signs too for a while: each message has two signatures then."""

    async def make(work: Work) -> Made:
        return await webhooks.rotate_secret(work, webhook, asked.keep), {}

    return created(await once.run(200, make))


@router.post(
    "/{webhook}/test",
    status_code=202,
    response_model=DeliveryOut,
    summary="Send a test event",
    responses=refusals(errors.WebhookNotFound, errors.WebhookDisabled),
)
async def test(_: Admin, webhook: WebhookInPath, once: OneAnswer) -> Response:
    """An event of the type `webhook.test`, to this endpoint alone."""

    async def make(work: Work) -> Made:
        return await webhooks.send_test(work, webhook), {}

    return created(await once.run(202, make))


@router.post(
    "/{webhook}/replay",
    status_code=202,
    response_model=ReplayOut,
    summary="Send again what happened since a moment",
    responses=refusals(errors.WebhookNotFound, errors.WebhookDisabled),
)
async def replay(_: Admin, webhook: WebhookInPath, asked: ReplayIn, once: OneAnswer) -> Response:
    """What was delivered, what failed and what was held, under the same ids as before."""

    async def make(work: Work) -> Made:
        count = await webhooks.replay_since(work, webhook, asked.since)
        return ReplayOut(replayed=count), {}

    return created(await once.run(202, make))


@router.get(
    "/{webhook}/deliveries",
    summary="List what was delivered",
    responses=refusals(errors.WebhookNotFound, errors.BadCursor),
)
async def deliveries(
    *,
    _: Admin,
    webhook: WebhookInPath,
    work: OneTransaction,
    status: Annotated[list[DeliveryStatus] | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> DeliveryPage:
    """Newest first, with the latest attempts of each."""
    page = Keyset.parse(cursor, limit, datetime, UUID, newest_first=True)
    found = await webhooks.list_deliveries(work.session, webhook, page, status=status or [])
    kept, following = page.cut(found, lambda each: [each.created_at, each.id])
    return DeliveryPage(items=kept, next=following)


@router.post(
    "/{webhook}/deliveries/{delivery}/replay",
    status_code=202,
    response_model=DeliveryOut,
    summary="Send a delivery again",
    responses=refusals(errors.WebhookNotFound, errors.WebhookDisabled, errors.DeliveryNotFound),
)
async def replay_one(
    _: Admin, webhook: WebhookInPath, delivery: DeliveryInPath, once: OneAnswer
) -> Response:
    """Under the same id as before."""

    async def make(work: Work) -> Made:
        return await webhooks.replay_one(work, webhook, delivery), {}

    return created(await once.run(202, make))
