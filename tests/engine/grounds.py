"""A `Ground` over the bench's two shops, for tests of single checks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from tests.engine.conftest import Bench
from workers.checks.base import Check, Outcome
from workers.checks.ground import Ground, Options
from workers.engine.stores import load_stores


@asynccontextmanager
async def ground_of(bench: Bench, **options: Any) -> AsyncIterator[Ground]:
    resources = bench.resources
    stores = await load_stores(resources.engine, resources.vault, bench.migration)
    async with stores.open(resources.budgets) as (source, target):
        yield Ground(
            engine=resources.engine,
            stores=stores,
            source=source,
            target=target,
            options=Options(**{"seed": "seven"} | options),
            clock=lambda: bench.source.now,
        )


def limit(ground: Ground, check: str, **limits: float) -> None:
    """As `policies.readiness.thresholds` would."""
    scope = replace(ground.stores.scope, thresholds={check: limits})
    ground.stores = replace(ground.stores, scope=scope)


async def outcome_of(bench: Bench, check: Check, **options: Any) -> Outcome:
    async with ground_of(bench, **options) as ground:
        return await check.run(ground)
