from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from app import errors
from app.routes.answers import refusals, sheet
from app.routes.dependencies import Limit, MigrationInPath, Opened, Reader
from app.routes.guard import GuardedRoute
from app.schemas.sold import SoldList
from app.services import sold
from app.sold_sheet import csv_text

router = APIRouter(prefix="/v1/migrations", tags=["migrations"], route_class=GuardedRoute)


@router.get(
    "/{migration}/sold-meanwhile",
    response_model=SoldList,
    summary="List what the new shop sold by itself",
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}}}},
        **refusals(
            errors.MigrationNotFound,
            errors.CutoverRequired,
            errors.JobRunning,
            errors.InvalidSince,
            errors.BadCursor,
            errors.StoreCannot,
            errors.StoreFailed,
            errors.StoreTooSlow,
        ),
    },
)
async def sold_meanwhile(
    *,
    _: Reader,
    migration: MigrationInPath,
    given: Opened,
    request: Request,
    since: Annotated[
        str,
        Query(
            min_length=1,
            max_length=40,
            pattern=r"^[^\x00]*$",
            description="`cutover`: the beginning of the latest one; `launch`, or a moment.",
        ),
    ] = sold.CUTOVER,
    form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
    limit: Limit = 50,
    cursor: Annotated[
        str | None, Query(max_length=8000, description="`next` of the part before this one.")
    ] = None,
) -> Response:
    """Orders on the target that none of the source became: what has to be carried over if the
    launch is taken back. Read from the shop itself, a part at a time. In CSV, one row a line; the
    header `Link` says where it goes on.
    """
    page = await sold.sold_meanwhile(given, migration, since=since, limit=limit, cursor=cursor)
    shown = page.model_dump(mode="json")
    if form == "json":
        return JSONResponse(shown)
    return sheet(request, csv_text(shown["items"]), page.next)
