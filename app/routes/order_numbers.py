"""Order numbers of a migration's stores."""

from __future__ import annotations

from fastapi import APIRouter

from app import errors
from app.routes.answers import refusals
from app.routes.dependencies import MigrationInPath, Opened, Reader
from app.routes.guard import GuardedRoute
from app.schemas.order_numbers import OrderNumbersOut
from app.services import order_numbers

router = APIRouter(prefix="/v1/migrations/{migration}", tags=["planning"], route_class=GuardedRoute)


@router.get(
    "/order-numbers",
    summary="Survey order numbers",
    responses=refusals(
        errors.MigrationNotFound, errors.StoreCannot, errors.StoreFailed, errors.StoreTooSlow
    ),
)
async def survey(_: Reader, migration: MigrationInPath, given: Opened) -> OrderNumbersOut:
    """Ask both stores for their newest orders, and say how each counts, which numbers name two
    orders, how far the sequences are apart until launch, and what would keep them apart.
    """
    return await order_numbers.order_numbers(given, migration)
