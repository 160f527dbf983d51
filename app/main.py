"""The API as an ASGI application; `recent-sync serve` runs it under uvicorn."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.middleware import Middleware
from fastapi.routing import APIRoute

from app import log, problems
from app.edge import Edge
from app.openapi import describe, operation_id
from app.resources import Resources, open_resources
from app.routes import (
    adoption,
    api_keys,
    conflicts,
    docs,
    health,
    jobs,
    late_orders,
    ledger,
    mapping_reports,
    mappings,
    migrations,
    order_numbers,
    planning,
    platforms,
    quarantine,
    readiness,
    redirects,
    removals,
    schedules,
    sold,
    stores,
    streams,
    webhooks,
)
from app.settings import Settings

_ROUTERS = (
    platforms.router,
    stores.router,
    migrations.router,
    mappings.router,
    ledger.router,
    streams.router,
    planning.router,
    order_numbers.router,
    quarantine.router,
    conflicts.router,
    removals.router,
    adoption.router,
    readiness.router,
    redirects.router,
    sold.router,
    late_orders.router,
    jobs.router,
    schedules.router,
    mapping_reports.router,
    webhooks.router,
    api_keys.router,
    health.router,
    docs.router,
)


def create_app(settings: Settings | None = None, resources: Resources | None = None) -> FastAPI:
    """The application. It opens what the settings name, unless it is given resources."""
    chosen = settings or (resources.settings if resources else Settings())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if resources is not None:
            app.state.resources = resources
            yield
            return
        log.configure(chosen.log_level, chosen.log_format)
        async with open_resources(chosen) as opened:
            app.state.resources = opened
            yield

    app = _Api(
        title="recent-sync",
        summary="The final synchronisation of a selling shop before its new platform goes live.",
        version=version("recent-sync"),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
        middleware=[Middleware(Edge, max_body=chosen.max_body_bytes)],
    )
    problems.install(app, _methods_at)
    for router in _ROUTERS:
        app.include_router(router)
    return app


def _methods_at(path: str) -> set[str]:
    """All methods of the address's first route, which is the one that a request would meet."""
    routes = [
        route for router in _ROUTERS for route in router.routes if isinstance(route, APIRoute)
    ]
    first = next((route.path for route in routes if route.path_regex.fullmatch(path)), None)
    return {method for route in routes if route.path == first for method in route.methods or ()}


class _Api(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """The description, completed with what all operations have in common."""
        if self.openapi_schema is None:
            self.openapi_schema = describe(super().openapi())
        return self.openapi_schema
