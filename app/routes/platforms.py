from __future__ import annotations

from fastapi import APIRouter

from app.routes.dependencies import Reader
from app.routes.guard import GuardedRoute
from app.schemas.platform import PlatformOut, PlatformPage
from app.services.platforms import list_platforms

router = APIRouter(prefix="/v1/platforms", tags=["platforms"], route_class=GuardedRoute)


@router.get("", summary="List platforms")
async def index(_: Reader) -> PlatformPage:
    """What each connector can read and write, and the JSON schemas of what it needs to know."""
    items: list[PlatformOut] = list_platforms()
    return PlatformPage(items=items, next=None)
