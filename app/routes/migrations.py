from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app import errors
from app.routes.answers import created, refusals
from app.routes.dependencies import (
    Cursor,
    Limit,
    MigrationInPath,
    OneAnswer,
    OneTransaction,
    Reader,
    Runner,
    demand,
)
from app.routes.guard import GuardedRoute
from app.schemas.migration import MigrationIn, MigrationOut, MigrationPage, MigrationPatch
from app.schemas.paging import Keyset
from app.schemas.values import StoreName
from app.services import migrations
from app.services.idempotency import Made
from app.services.transaction import Work

router = APIRouter(prefix="/v1/migrations", tags=["migrations"], route_class=GuardedRoute)


@router.post(
    "",
    status_code=201,
    response_model=MigrationOut,
    summary="Set up a migration",
    responses=refusals(
        errors.MigrationExists,
        errors.StoresPaired,
        errors.UnknownStore,
        errors.SameStore,
        errors.StoreCannot,
    ),
)
async def create(_: Runner, asked: MigrationIn, once: OneAnswer) -> Response:
    """Nothing is read or written before the first job."""

    async def make(work: Work) -> Made:
        made = await migrations.create_migration(work, asked)
        return made, {"Location": f"/v1/migrations/{made.slug}"}

    return created(await once.run(201, make))


@router.get("", summary="List migrations", responses=refusals(errors.BadCursor))
async def index(
    *,
    _: Reader,
    work: OneTransaction,
    store: Annotated[
        StoreName | None, Query(description="Only those that read or write this store.")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> MigrationPage:
    """By slug."""
    page = Keyset.parse(cursor, limit, str)
    found = await migrations.list_migrations(work.session, page, store)
    kept, following = page.cut(found, lambda migration: [migration.slug])
    return MigrationPage(items=await migrations.shown(work.session, kept), next=following)


@router.get("/{migration}", summary="Get a migration", responses=refusals(errors.MigrationNotFound))
async def show(_: Reader, migration: MigrationInPath, work: OneTransaction) -> MigrationOut:
    """By slug or id."""
    found = await migrations.get_migration(work.session, migration)
    return (await migrations.shown(work.session, [found]))[0]


@router.patch(
    "/{migration}",
    summary="Change a migration",
    responses=refusals(errors.MigrationNotFound, errors.MigrationExists, errors.StoreCannot),
)
async def change(
    caller: Runner, migration: MigrationInPath, asked: MigrationPatch, work: OneTransaction
) -> MigrationOut:
    """A job that runs goes on with what it began with. What stands in the way of a launch
    (`policies.readiness`) is changed by administrators, as waivers are: a pipeline's key does not
    open its own gate.
    """
    if asked.policies is not None and "readiness" in asked.policies.model_fields_set:
        demand(caller, "admin")
    changed = await migrations.change_migration(work.session, migration, asked)
    return (await migrations.shown(work.session, [changed]))[0]


@router.delete(
    "/{migration}",
    status_code=204,
    summary="Delete a migration",
    responses=refusals(errors.MigrationNotFound, errors.JobRunning),
)
async def delete(_: Runner, migration: MigrationInPath, work: OneTransaction) -> None:
    """With its jobs, cursors, links and quarantine. Neither store is touched."""
    await migrations.delete_migration(work.session, migration)
