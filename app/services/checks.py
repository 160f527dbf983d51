"""Looking at a store: whether it answers, is of its platform, and lets us in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum

from app.errors import StoreFailed, UnknownPlatform
from app.models import Store
from app.resources import Resources
from app.schemas.store import CheckOut, Finding, ReportOut, SideOut
from app.services.opening import access_of
from connectors import registry
from connectors.base import Source, StoreAccess, StoreReport, Target
from connectors.errors import StoreError

SECONDS = 30.0


class Side(StrEnum):
    """What a store is used as."""

    SOURCE = "source"
    TARGET = "target"


async def check_store(store: Store, resources: Resources, side: Side | None = None) -> CheckOut:
    """Open the store as what it can be, or as one side, and report. Holds no transaction, and
    spends from the store's budget. Raises `UnknownPlatform`.
    """
    try:
        platform = registry.connector(store.platform)
    except registry.UnknownPlatformError:
        raise UnknownPlatform from None
    source = platform.source if side is not Side.TARGET else None
    target = platform.target if side is not Side.SOURCE else None
    try:
        access = access_of(store, resources)
    except StoreFailed as problem:
        trouble = _trouble(problem.extra["store_code"], problem.detail)
        return _answer(trouble if source else None, trouble if target else None)
    return _answer(*await asyncio.gather(_look(source, access), _look(target, access)))


async def _look(
    open_side: Callable[[StoreAccess], Source] | Callable[[StoreAccess], Target] | None,
    access: StoreAccess,
) -> SideOut | None:
    if open_side is None:
        return None
    try:
        async with asyncio.timeout(SECONDS), open_side(access) as connection:
            report = await connection.check()
    except StoreError as error:
        return _trouble(error.code, error.message)
    except TimeoutError:
        return _trouble("store_unreachable", f"No answer within {SECONDS:.0f} seconds.")
    return SideOut(ok=True, code=None, message=None, report=_report(report))


def _answer(source: SideOut | None, target: SideOut | None) -> CheckOut:
    looked_at = [side for side in (source, target) if side is not None]
    return CheckOut(
        ok=bool(looked_at) and all(side.ok for side in looked_at), source=source, target=target
    )


def _trouble(code: str, message: str) -> SideOut:
    return SideOut(ok=False, code=code, message=message, report=None)


def _report(report: StoreReport) -> ReportOut:
    return ReportOut(
        platform_version=report.platform_version,
        name=report.name,
        currency=report.currency,
        tax_basis=report.tax_basis,
        timezone=report.timezone,
        server_time=report.server_time,
        addon=report.addon or None,
        findings=[Finding(code=code, message=message) for code, message in report.findings],
    )
