"""Mapping rules of a migration."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from app import errors
from app.mapping.rules import Rules
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
from app.schemas.mapping import MappingIn, MappingOut, MappingPage
from app.schemas.paging import Keyset
from app.services import mappings

router = APIRouter(prefix="/v1", tags=["mapping"], route_class=GuardedRoute)


@router.get("/mapping/schema", summary="Get the schema of mapping rules")
async def schema(_: Reader) -> dict[str, Any]:
    """A JSON schema, with the fields of every stream, for editors and for whoever writes rules."""
    return Rules.model_json_schema()


@router.get(
    "/migrations/{migration}/mapping",
    summary="Get the mapping rules",
    responses=refusals(errors.MigrationNotFound),
)
async def show(_: Reader, migration: MigrationInPath, work: OneTransaction) -> MappingOut:
    """The version in force; version 0 has no rules."""
    return await mappings.get_mapping(work.session, migration)


@router.put(
    "/migrations/{migration}/mapping",
    summary="Change the mapping rules",
    responses=refusals(errors.MigrationNotFound),
)
async def put(
    caller: Admin, migration: MigrationInPath, asked: MappingIn, work: OneTransaction
) -> MappingOut:
    """All rules anew, as a version of their own. Jobs that start from now on go by them. Records
    that are on the target already are rewritten as sweeps meet them: a `full` run meets them all.
    """
    return await mappings.put_mapping(work.session, migration, asked, caller)


@router.get(
    "/migrations/{migration}/mapping/versions",
    summary="List versions of the mapping rules",
    responses=refusals(errors.MigrationNotFound, errors.BadCursor),
)
async def versions(
    *,
    _: Reader,
    migration: MigrationInPath,
    work: OneTransaction,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> MappingPage:
    """Newest first."""
    page = Keyset.parse(cursor, limit, int, newest_first=True)
    found = await mappings.list_versions(work.session, migration, page)
    kept, following = page.cut(found, lambda each: [each.version])
    return MappingPage(items=[MappingOut.model_validate(each) for each in kept], next=following)
