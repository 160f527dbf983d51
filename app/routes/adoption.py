"""Adoption of what another tool has brought over, and the drift of linked records."""

from __future__ import annotations

from email.message import Message
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from app import errors
from app.models import AdoptionState
from app.routes.answers import refusals
from app.routes.dependencies import (
    Cursor,
    Limit,
    MigrationInPath,
    OneTransaction,
    Reader,
    Runner,
)
from app.routes.guard import GuardedRoute
from app.schemas.adoption import (
    AdoptionFileOut,
    AdoptionOut,
    AdoptionPairOut,
    AdoptionPairPage,
    AdoptionSettleIn,
    DriftOut,
)
from app.schemas.paging import Keyset
from app.services import adoption, adoption_file
from app.services import drift as drifts
from app.services.adoption import Settling
from connectors.records import Stream

router = APIRouter(prefix="/v1/migrations/{migration}", tags=["adoption"], route_class=GuardedRoute)
ItemInPath = Annotated[UUID, Path(examples=["0d1b8f8e-6f0b-4f6e-9a55-5d2f0f6f9f10"])]
States = Annotated[
    list[AdoptionState] | None, Query(alias="state", description="Only in these states.")
]
Streams = Annotated[
    list[Stream] | None, Query(alias="stream", description="Only of these streams.")
]
_CSV = "text/csv"
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {_CSV: {"schema": {"type": "string"}}},
        "description": "As the file that comes out, with `decision` filled in.",
    }
}


@router.get(
    "/adoption",
    summary="Get what an adoption found",
    responses=refusals(errors.MigrationNotFound),
)
async def show(_: Reader, migration: MigrationInPath, work: OneTransaction) -> AdoptionOut:
    """How many records of each stream are paired, by what, and what is left."""
    return await adoption.summary(work.session, migration)


@router.get(
    "/adoption/pairs",
    summary="List adopted pairs and what is left",
    responses=refusals(errors.MigrationNotFound, errors.BadCursor),
)
async def pairs(
    *,
    _: Reader,
    migration: MigrationInPath,
    work: OneTransaction,
    state: States = None,
    stream: Streams = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> AdoptionPairPage:
    """By state, stream and id. A pair stands here once, by its source record."""
    page = Keyset.parse(cursor, limit, str, str, str, str)
    found = await adoption.list_pairs(
        work.session, migration, page, states=state or (), streams=stream or ()
    )
    kept, following = page.cut(
        found, lambda item: [item.state, item.stream, item.record_id, item.side]
    )
    items = [AdoptionPairOut.model_validate(each) for each in kept]
    return AdoptionPairPage(items=items, next=following)


@router.put(
    "/adoption/pairs/{item:uuid}",
    summary="Settle a record",
    responses=refusals(
        errors.MigrationNotFound,
        errors.AdoptionNotFound,
        errors.AdoptionApplied,
        errors.AdoptionTaken,
        errors.JobRunning,
        errors.StoreCannot,
    ),
)
async def settle(
    *,
    caller: Runner,
    migration: MigrationInPath,
    item: ItemInPath,
    asked: AdoptionSettleIn,
    work: OneTransaction,
) -> AdoptionPairOut:
    """`pair` it with a record of the other side, `leave` it without a counterpart, or `ignore` it.
    Neither store is touched; the next job acts by it.
    """
    settling = await Settling.begin(work, migration, caller)
    record = await settling.by_id(item)
    await settling.settle(record, asked)
    return AdoptionPairOut.model_validate(record)


@router.get(
    "/adoption.csv",
    summary="Get a file to settle",
    response_class=Response,
    responses={
        200: {"content": {_CSV: {"schema": {"type": "string"}}}, "description": "The file."},
        **refusals(errors.MigrationNotFound),
    },
)
async def export(
    *,
    _: Reader,
    migration: MigrationInPath,
    work: OneTransaction,
    state: States = None,
    stream: Streams = None,
) -> Response:
    """Every record, or those of some states, one a line."""
    portions = adoption_file.written(work.session, migration, state or (), stream or ())
    text = "".join([each async for each in portions])
    named = {"Content-Disposition": 'attachment; filename="adoption.csv"'}
    return Response(text, media_type=_CSV, headers=named)


@router.post(
    "/adoption.csv",
    summary="Settle by a file",
    openapi_extra=_FILE,
    responses=refusals(
        errors.MigrationNotFound,
        errors.JobRunning,
        errors.InvalidAdoptionFile,
        errors.UnsupportedMediaType,
        errors.BodyTooLarge,
    ),
)
async def take(
    caller: Runner, migration: MigrationInPath, request: Request, work: OneTransaction
) -> AdoptionFileOut:
    """Lines with a `decision` are settled, all or none. Sending a file again changes nothing."""
    message = Message()
    message["content-type"] = request.headers.get("content-type", "")
    if message.get_content_type() != _CSV:
        raise errors.UnsupportedMediaType("Send the file as text/csv.")
    settling = await Settling.begin(work, migration, caller)
    return await adoption_file.take(settling, await request.body())


@router.get("/drift", summary="Get the drift", responses=refusals(errors.MigrationNotFound))
async def drift(_: Reader, migration: MigrationInPath, work: OneTransaction) -> DriftOut:
    """How many linked records differ from their originals, by what jobs have found out so far.

    A run that meets an adopted record compares it, and mends it under the policies.
    """
    return await drifts.drift(work.session, migration)
