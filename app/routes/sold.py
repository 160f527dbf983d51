from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app import errors
from app.routes.answers import refusals
from app.routes.dependencies import Limit, MigrationInPath, Opened, Reader
from app.routes.guard import GuardedRoute
from app.routes.sheets import DESCRIBED, AsSheet, Since, answered
from app.schemas.sold import SoldList
from app.services import sold
from app.sold_sheet import SOLD

router = APIRouter(prefix="/v1/migrations", tags=["migrations"], route_class=GuardedRoute)


@router.get(
    "/{migration}/sold-meanwhile",
    response_model=SoldList,
    summary="List what the new shop sold by itself",
    responses=DESCRIBED
    | refusals(
        errors.MigrationNotFound,
        errors.CutoverRequired,
        errors.JobRunning,
        errors.InvalidSince,
        errors.BadCursor,
        errors.StoreCannot,
        errors.StoreFailed,
        errors.StoreTooSlow,
    ),
)
async def sold_meanwhile(
    *,
    _: Reader,
    migration: MigrationInPath,
    given: Opened,
    request: Request,
    since: Since = sold.CUTOVER,
    form: AsSheet = "json",
    limit: Limit = 50,
    cursor: Annotated[
        str | None, Query(max_length=8000, description="`next` of the part before this one.")
    ] = None,
) -> Response:
    """Orders on the target that none of the source became: what has to be carried over if the
    launch is taken back; of a cutover, since it began. Read from the shop itself, a part at a time.
    In CSV, one row a line; the header `Link` says where it goes on.
    """
    page = await sold.sold_meanwhile(given, migration, since=since, limit=limit, cursor=cursor)
    return answered(page, form, request, SOLD)
