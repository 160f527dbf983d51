"""Streams of a migration: how far their timestamps are believed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from app import errors
from app.routes.answers import refusals
from app.routes.dependencies import Admin, MigrationInPath, OneTransaction, Reader
from app.routes.guard import GuardedRoute
from app.schemas.stream import StreamIn, StreamOut, StreamPage
from app.services import streams
from connectors.records import Stream

router = APIRouter(
    prefix="/v1/migrations/{migration}/streams", tags=["ledger"], route_class=GuardedRoute
)


@router.get(
    "",
    summary="List streams",
    responses=refusals(errors.MigrationNotFound, errors.StoreCannot),
)
async def index(_: Reader, migration: MigrationInPath, work: OneTransaction) -> StreamPage:
    """How each stream of the source is read, how far its timestamps are believed and why, and
    how far the audit has come.
    """
    return StreamPage(items=await streams.list_streams(work.session, migration), next=None)


@router.put(
    "/{stream}",
    summary="Set a stream's trust",
    responses=refusals(
        errors.MigrationNotFound,
        errors.JobRunning,
        errors.StreamNotInScope,
        errors.StoreCannot,
    ),
)
async def set_trust(
    *,
    caller: Admin,
    migration: MigrationInPath,
    stream: Annotated[Stream, Path(examples=["orders"])],
    asked: StreamIn,
    work: OneTransaction,
) -> StreamOut:
    """Believe timestamps again once the cause is mended, or no longer; the audit begins anew."""
    return await streams.set_trust(work.session, migration, stream, asked, caller)
