from __future__ import annotations

from fastapi import APIRouter

from app import errors
from app.routes.answers import refusals
from app.routes.dependencies import Opened
from app.schemas.health import Health, Readiness
from app.services.health import readiness

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Whether the process answers")
async def healthz() -> Health:
    """For a supervisor that restarts what hangs."""
    return Health(status="ok")


@router.get("/readyz", summary="Whether requests can be taken", responses=refusals(errors.NotReady))
async def readyz(given: Opened) -> Readiness:
    """For a load balancer: the database, its tables and the queue are there."""
    checks = await readiness(given)
    if not all(checks.values()):
        missing = ", ".join(name for name, there in checks.items() if not there)
        raise errors.NotReady(f"Not there: {missing}.", extra={"checks": checks})
    return Readiness(status="ready", checks=checks)
