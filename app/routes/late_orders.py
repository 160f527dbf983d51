"""Orders that the old shop sold or changed after the launch."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from app import errors
from app.routes.answers import refusals, sheet
from app.routes.dependencies import Cursor, Limit, MigrationInPath, Opened, Reader
from app.routes.guard import GuardedRoute
from app.schemas.late_order import LateOrderList
from app.schemas.paging import Keyset
from app.services import late_orders as late
from app.services.sold import CUTOVER
from app.sold_sheet import LATE, csv_text

router = APIRouter(prefix="/v1/migrations", tags=["migrations"], route_class=GuardedRoute)


@router.get(
    "/{migration}/late-orders",
    response_model=LateOrderList,
    summary="List late orders of the old shop",
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}}}},
        **refusals(
            errors.MigrationNotFound,
            errors.CutoverRequired,
            errors.InvalidSince,
            errors.BadCursor,
            errors.StoreCannot,
            errors.StoreFailed,
            errors.StoreTooSlow,
        ),
    },
)
async def late_orders(
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
            description="`cutover`: the end of the latest one; `launch`, or a moment.",
        ),
    ] = CUTOVER,
    changed: Annotated[
        bool,
        Query(description="Those that were there before and were written again since."),
    ] = False,
    details: Annotated[
        bool, Query(description="Ask the old shop what is in them; else the ledger alone.")
    ] = True,
    form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Orders that were first brought over since then, with what was sold: the stock that they took
    is not taken off the new shop. In CSV, one row a line; the header `Link` says where it goes on.
    """
    page = await late.late_orders(
        given,
        migration,
        Keyset.parse(cursor, limit, datetime, str),
        since=since,
        changed=changed,
        details=details,
    )
    shown = page.model_dump(mode="json")
    if form == "json":
        return JSONResponse(shown)
    return sheet(request, csv_text(shown["items"], LATE), page.next)
