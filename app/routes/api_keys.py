from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response

from app import errors
from app.routes.answers import created, refusals
from app.routes.dependencies import Admin, Cursor, Limit, OneAnswer, OneTransaction
from app.routes.guard import GuardedRoute
from app.schemas.api_key import ApiKeyIn, ApiKeyOut, ApiKeyPage, NewApiKeyOut
from app.schemas.paging import Keyset
from app.services import api_keys
from app.services.idempotency import Made
from app.services.transaction import Work

router = APIRouter(prefix="/v1/api-keys", tags=["API keys"], route_class=GuardedRoute)
KeyInPath = Annotated[UUID, Path(examples=["c1a7d0de-0b7e-4d0e-9e15-7a8f6b5c4d55"])]


@router.post(
    "",
    status_code=201,
    response_model=NewApiKeyOut,
    summary="Make an API key",
    responses=refusals(errors.InvalidExpiry),
)
async def create(_: Admin, asked: ApiKeyIn, once: OneAnswer) -> Response:
    """Its text is in this answer alone; only a hash of it is kept."""

    async def make(work: Work) -> Made:
        key, text = await api_keys.create_key(
            work.session, name=asked.name, scopes=asked.scopes, expires_at=asked.expires_at
        )
        shown = ApiKeyOut.model_validate(key).model_dump()
        return NewApiKeyOut(**shown, key=text), {"Location": f"/v1/api-keys/{key.id}"}

    return created(await once.run(201, make))


@router.get("", summary="List API keys", responses=refusals(errors.BadCursor))
async def index(
    _: Admin, work: OneTransaction, limit: Limit = 50, cursor: Cursor = None
) -> ApiKeyPage:
    """Oldest first, revoked ones too."""
    page = Keyset.parse(cursor, limit, datetime, UUID)
    found = await api_keys.list_keys(work.session, page)
    kept, following = page.cut(found, lambda key: [key.created_at, key.id])
    return ApiKeyPage(items=[ApiKeyOut.model_validate(each) for each in kept], next=following)


@router.get("/{key}", summary="Get an API key", responses=refusals(errors.ApiKeyNotFound))
async def show(_: Admin, key: KeyInPath, work: OneTransaction) -> ApiKeyOut:
    """Without its text."""
    return ApiKeyOut.model_validate(await api_keys.get_key(work.session, key))


@router.delete(
    "/{key}",
    status_code=204,
    summary="Revoke an API key",
    responses=refusals(errors.ApiKeyNotFound),
)
async def revoke(_: Admin, key: KeyInPath, work: OneTransaction) -> None:
    """From now on it opens nothing. It stays in the list, so that its use can be traced."""
    await api_keys.revoke_key(work.session, key)
