"""What is to be expected of a migration: its size, its arrivals, its launch."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from app import errors
from app.routes.answers import refusals
from app.routes.dependencies import MigrationInPath, Opened, Reader
from app.routes.guard import GuardedRoute
from app.schemas.planning import ActivityOut, EstimateKind, EstimateOut, PlanOut
from app.schemas.values import NearMoment
from app.services import estimates, plans

router = APIRouter(prefix="/v1/migrations/{migration}", tags=["planning"], route_class=GuardedRoute)


@router.get(
    "/estimate",
    summary="Estimate a run",
    responses=refusals(
        errors.MigrationNotFound, errors.StoreCannot, errors.StoreFailed, errors.StoreTooSlow
    ),
)
async def estimate(
    *,
    _: Reader,
    migration: MigrationInPath,
    given: Opened,
    kind: Annotated[
        EstimateKind | None,
        Query(description="By default `recent`, or `full` before the first run."),
    ] = None,
    at: Annotated[
        NearMoment | None,
        Query(description="When the run is to begin: what arrives until then is expected."),
    ] = None,
) -> EstimateOut:
    """Ask the source how much there is, and say what a run reads, costs and takes. It is asked a
    few questions, and shows some pages of what it cannot count.
    """
    return await estimates.estimate(given, migration, kind, at)


@router.get(
    "/activity",
    summary="Show when the shop sells",
    responses=refusals(errors.MigrationNotFound, errors.StoreCannot),
)
async def activity(_: Reader, migration: MigrationInPath, given: Opened) -> ActivityOut:
    """Arrivals by hour of the week, learned from what was copied, and whether the shop sells enough
    to need a final run. The source is asked for its time zone alone.
    """
    return await plans.activity(given, migration)


@router.get(
    "/plan",
    summary="Plan the launch",
    responses=refusals(errors.MigrationNotFound, errors.StoreCannot, errors.InvalidPlan),
)
async def plan(
    *,
    _: Reader,
    migration: MigrationInPath,
    given: Opened,
    launch_at: Annotated[
        NearMoment | None, Query(description="Instead of the migration's own.")
    ] = None,
    freeze_at: Annotated[
        NearMoment | None,
        Query(description="When the source is to be stopped; by default as late as is safe."),
    ] = None,
) -> PlanOut:
    """How long the source has to stand still, whether repeated runs catch up with it, the quietest
    times, what to do when, and what endangers the launch.
    """
    return await plans.plan(given, migration, launch=launch_at, freeze_at=freeze_at)
