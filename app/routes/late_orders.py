"""Orders that the old shop sold or changed after the launch."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app import errors
from app.routes.answers import refusals
from app.routes.dependencies import Cursor, Limit, MigrationInPath, Opened, Reader
from app.routes.guard import GuardedRoute
from app.routes.sheets import DESCRIBED, AsSheet, Since, answered
from app.schemas.late_order import LateOrderList
from app.schemas.paging import Keyset
from app.services import late_orders as late
from app.services.sold import CUTOVER
from app.sold_sheet import LATE

router = APIRouter(prefix="/v1/migrations", tags=["migrations"], route_class=GuardedRoute)


@router.get(
    "/{migration}/late-orders",
    response_model=LateOrderList,
    summary="List late orders of the old shop",
    responses=DESCRIBED
    | refusals(
        errors.MigrationNotFound,
        errors.CutoverRequired,
        errors.InvalidSince,
        errors.BadCursor,
        errors.StoreCannot,
        errors.StoreFailed,
        errors.StoreTooSlow,
    ),
)
async def late_orders(
    *,
    _: Reader,
    migration: MigrationInPath,
    given: Opened,
    request: Request,
    since: Since = CUTOVER,
    changed: Annotated[
        bool,
        Query(description="Those that were there before and were written again since."),
    ] = False,
    details: Annotated[
        bool, Query(description="Ask the old shop what is in them; else the ledger alone.")
    ] = True,
    form: AsSheet = "json",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Orders that were first brought over since then (of a cutover, since its end), with what was
    sold: the stock that they took is not taken off the new shop. In CSV, one row a line; the header
    `Link` says where it goes on.
    """
    page = await late.late_orders(
        given,
        migration,
        Keyset.parse(cursor, limit, datetime, str),
        since=since,
        changed=changed,
        details=details,
    )
    return answered(page, form, request, LATE)
