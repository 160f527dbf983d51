"""Cursors and links of a migration."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from app import errors
from app.routes.answers import refusals
from app.routes.dependencies import (
    Admin,
    Cursor,
    Limit,
    MigrationInPath,
    OneTransaction,
    Reader,
)
from app.routes.guard import GuardedRoute
from app.schemas.ledger import CursorIn, CursorOut, CursorPage, LinkOut, LinkPage
from app.schemas.paging import Keyset
from app.schemas.values import RecordId
from app.services import ledger
from connectors.records import Stream

router = APIRouter(prefix="/v1/migrations/{migration}", tags=["ledger"], route_class=GuardedRoute)


@router.get("/cursors", summary="List cursors", responses=refusals(errors.MigrationNotFound))
async def cursors(_: Reader, migration: MigrationInPath, work: OneTransaction) -> CursorPage:
    """Up to when each stream has been applied; a stream that never was is not listed."""
    found = await ledger.list_cursors(work.session, migration)
    return CursorPage(items=[CursorOut.model_validate(each) for each in found], next=None)


@router.put(
    "/cursors/{stream}",
    summary="Set a cursor",
    responses=refusals(
        errors.MigrationNotFound,
        errors.JobRunning,
        errors.StreamNotInScope,
        errors.InvalidWatermark,
    ),
)
async def set_cursor(
    *,
    _: Admin,
    migration: MigrationInPath,
    stream: Annotated[Stream, Path(examples=["orders"])],
    asked: CursorIn,
    work: OneTransaction,
) -> CursorOut:
    """For a migration that another tool began, or to read a stretch of time again."""
    cursor = await ledger.set_cursor(work.session, migration, stream, asked.watermark)
    return CursorOut.model_validate(cursor)


@router.get(
    "/links",
    summary="Look up links",
    responses=refusals(errors.MigrationNotFound, errors.BadCursor),
)
async def links(
    *,
    _: Reader,
    migration: MigrationInPath,
    work: OneTransaction,
    stream: Annotated[Stream | None, Query()] = None,
    source_id: Annotated[RecordId | None, Query(description="The source's id.")] = None,
    target_id: Annotated[RecordId | None, Query(description="The target's id.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> LinkPage:
    """Which record of the target a record of the source has become, and the other way round."""
    page = Keyset.parse(cursor, limit, str, str)
    found = await ledger.find_links(
        work.session,
        migration,
        page,
        stream=stream,
        source_id=source_id,
        target_id=target_id,
    )
    kept, following = page.cut(found, lambda link: [link.stream, link.source_id])
    return LinkPage(items=[LinkOut.model_validate(each) for each in kept], next=following)
