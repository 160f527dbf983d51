"""A migration between two running stores, whatever their platforms: runs, and what came of them.

In the end both are compared record by record over their own APIs. What the target's connector
declares that it cannot keep is counted as declared, never as equal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from connectors import registry
from connectors.base import Connector, Source
from connectors.comparison import Comparison, compare
from connectors.records import Stream
from tests.engine.conftest import Bench

_QUICK = 0.5
"""Seconds for which a lost write may still be running, in stores on this machine."""


@dataclass(frozen=True)
class Side:
    """One of the two stores: its connector, how it is entered, and a way to read it."""

    connector: Connector
    url: str
    credentials: dict[str, str]
    read: Callable[[], AbstractAsyncContextManager[Source]]


@dataclass
class Pair:
    """A migration from one store to the other. Use `pair` to make one."""

    bench: Bench
    source: Side
    target: Side
    note: Callable[[str, object], None]
    runs: list[str] = field(default_factory=list)

    async def run(self, kind: str = "recent", **params: Any) -> dict[str, Any]:
        """A job from its beginning to its end, which has to be a good one."""
        if kind == "recent":
            await self._second_ends()
        row = await self.bench.run(kind, **params)
        assert (row["status"], row["error"]) == ("succeeded", None), await self.quarantine()
        self.runs.append("cutover" if params.get("cutover") else kind)
        return row

    async def _second_ends(self) -> None:
        """Wait for the source's next second: a window leaves what changed in this one for later."""
        async with self.source.read() as source:
            began = await source.server_time()
            for _ in range(100):
                if await source.server_time() > began:
                    return
                await asyncio.sleep(0.1)

    async def quarantine(self) -> list[dict[str, Any]]:
        """What could not be applied."""
        return await self.bench.rows("SELECT stream, source_id, code, message FROM quarantine")

    async def writes(self, job: Any) -> dict[str, int]:
        """How many records a job created and updated."""
        counters = await self.bench.counters(job)
        return {name: counters.get(name, 0) for name in ("created", "updated")}

    async def compared(self) -> Comparison:
        """Both stores, record by record."""
        writes = self.target.connector.writes
        # The stores under test have our add-ons.
        losses = {stream: each.losses_in(addon=True) for stream, each in writes.items()}
        async with self.source.read() as source, self.target.read() as target:
            return await compare(source, target, list(Stream), losses)

    async def agrees(self, *, foreign: bool = False) -> Comparison:
        """Compare; nothing may be missing, wrong or doubled, nor `foreign` unless that is said. The
        table at the end of the tests shows the numbers.
        """
        found = await self.compared()
        title = f"{self.source.connector.name} → {self.target.connector.name}, {self.runs[-1]}"
        self.note("pair", (title, [_row(each) for each in found.streams.values()]))
        problems = {
            str(stream): (each.missing_ids, each.wrong_pairs, each.doubled_ids, each.foreign_ids)
            for stream, each in found.streams.items()
            if each.missing or each.wrong or each.doubled or (each.foreign and not foreign)
        }
        assert problems == {}, problems
        assert found.agrees
        return found


def _row(each: Any) -> list[Any]:
    declared = ", ".join(f"{name} {count}" for name, count in sorted(each.declared.items()))
    return [
        str(each.stream),
        each.source,
        each.target,
        each.missing + each.unreadable,
        each.wrong,
        each.doubled,
        declared,
    ]


async def pair(
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    note: Callable[[str, object], None],
    source: Side,
    target: Side,
) -> Pair:
    """The bench's migration, between two stores. `note` is pytest's `record_property`."""
    quick = {
        stream: replace(each, write_settle=_QUICK)
        for stream, each in target.connector.writes.items()
    }
    platforms = {
        source.connector.name: source.connector,
        target.connector.name: replace(target.connector, writes=quick),
    }
    monkeypatch.setattr(registry, "connectors", lambda: platforms)
    await bench.place("source", source.connector.name, source.url, **source.credentials)
    await bench.place("target", target.connector.name, target.url, **target.credentials)
    # A cutover would wait for the source to settle, which these stores have.
    async with bench.resources.engine.begin() as connection:
        await connection.execute(text("""UPDATE migrations SET policies = '{"settle": 0}'"""))
    return Pair(bench, source, target, note)
