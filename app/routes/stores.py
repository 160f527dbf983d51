from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app import errors
from app.routes.answers import created, refusals
from app.routes.dependencies import (
    Admin,
    Cursor,
    Limit,
    OneAnswer,
    OneTransaction,
    Opened,
    Reader,
    Runner,
    StoreInPath,
)
from app.routes.guard import GuardedRoute
from app.schemas.paging import Keyset
from app.schemas.store import CheckOut, PlatformName, StoreIn, StoreOut, StorePage, StorePatch
from app.services import stores
from app.services.checks import Side, check_store
from app.services.idempotency import Made
from app.services.transaction import Work, transaction

router = APIRouter(prefix="/v1/stores", tags=["stores"], route_class=GuardedRoute)
_INVALID = (errors.UnknownPlatform, errors.InvalidStoreSettings)


@router.post(
    "",
    status_code=201,
    response_model=StoreOut,
    summary="Register a store",
    responses=refusals(errors.StoreExists, *_INVALID),
)
async def create(_: Admin, asked: StoreIn, once: OneAnswer) -> Response:
    """The values are checked by the platform's connector; the shop itself is not asked."""

    async def make(work: Work) -> Made:
        store = await stores.create_store(work, asked)
        shown = stores.shown(store, work.resources.vault)
        return shown, {"Location": f"/v1/stores/{store.name}"}

    return created(await once.run(201, make))


@router.get("", summary="List stores", responses=refusals(errors.BadCursor))
async def index(
    *,
    _: Reader,
    work: OneTransaction,
    platform: Annotated[PlatformName | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> StorePage:
    """By name."""
    page = Keyset.parse(cursor, limit, str)
    found = await stores.list_stores(work.session, page, platform)
    kept, following = page.cut(found, lambda store: [store.name])
    vault = work.resources.vault
    return StorePage(items=[stores.shown(each, vault) for each in kept], next=following)


@router.get("/{store}", summary="Get a store", responses=refusals(errors.StoreNotFound))
async def show(_: Reader, store: StoreInPath, work: OneTransaction) -> StoreOut:
    """Says which credentials are set, never what they are."""
    return stores.shown(await stores.get_store(work.session, store), work.resources.vault)


@router.patch(
    "/{store}",
    summary="Change a store",
    responses=refusals(errors.StoreNotFound, errors.StoreExists, *_INVALID),
)
async def change(_: Admin, store: StoreInPath, asked: StorePatch, work: OneTransaction) -> StoreOut:
    """Settings and credentials are merged with those there are, and checked as a whole."""
    changed = await stores.change_store(work, store, asked)
    return stores.shown(changed, work.resources.vault)


@router.delete(
    "/{store}",
    status_code=204,
    summary="Delete a store",
    responses=refusals(errors.StoreNotFound, errors.StoreInUse),
)
async def delete(_: Admin, store: StoreInPath, work: OneTransaction) -> None:
    """Its credentials are gone for good."""
    await stores.delete_store(work.session, store)


@router.post(
    "/{store}/check",
    summary="Check a store",
    responses=refusals(errors.StoreNotFound, errors.UnknownPlatform),
)
async def check(
    *,
    _: Runner,
    store: StoreInPath,
    given: Opened,
    side: Annotated[
        Side | None, Query(alias="as", description="Only as this; by default as all it can be.")
    ] = None,
) -> CheckOut:
    """Ask the shop itself. Answers 200 with `ok: false` and the reason where it has a problem."""
    async with transaction(given) as work:
        found = await stores.get_store(work.session, store)
    return await check_store(found, given, side)
