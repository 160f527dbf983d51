"""A selling shop moves to a running Vendure store: full, changes while it sells, recent, cutover.

In the end every record is compared over both stores' own APIs; what Vendure cannot keep is what its
connector declares, and nothing else.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from connectors import registry
from connectors.comparison import Comparison, compare
from connectors.records import Stream
from connectors.vendure import CONNECTOR as VENDURE
from connectors.vendure.source import VendureSource
from connectors.vendure.target import VendureTarget
from connectors.woocommerce import CONNECTOR as WOOCOMMERCE
from tests.connectors.practice import Practice, practice
from tests.engine.conftest import Bench
from tests.engine.selling import sell, sell_again
from tests.live.vendure.store import VendureStore


@dataclass
class Move:
    """A migration from a practice store to a Vendure store."""

    bench: Bench
    old: Practice
    new: VendureStore

    async def run(self, kind: str = "recent", **params: Any) -> dict[str, Any]:
        self.old.now[0] += 60
        row = await self.bench.run(kind, **params)
        assert (row["status"], row["error"]) == ("succeeded", None), await self.quarantine()
        return row

    async def quarantine(self) -> list[dict[str, Any]]:
        return await self.bench.rows("SELECT stream, source_id, code, message FROM quarantine")

    async def agrees(self) -> Comparison:
        losses = {stream: each.losses for stream, each in VENDURE.writes.items()}
        async with self.old.source() as source, VendureSource(self.new.access()) as target:
            found = await compare(source, target, list(Stream), losses)
        report(found)
        problems = {
            stream: (each.missing_ids, each.wrong_pairs, each.doubled_ids)
            for stream, each in found.streams.items()
            if each.missing or each.wrong or each.doubled or each.foreign
        }
        assert problems == {}
        return found


def report(found: Comparison) -> None:
    """Print what was compared."""
    names = ("source", "target", "missing", "wrong", "doubled")
    lines = ["", f"{'stream':12}" + "".join(f"{each:>9}" for each in names) + "  declared"]
    for stream, each in found.streams.items():
        counts = "".join(f"{getattr(each, name):9}" for name in names)
        lines.append(f"{stream:12}{counts}  {', '.join(sorted(each.declared)) or '-'}")
    sys.stdout.write("\n".join(lines) + "\n")


@pytest.fixture
async def move(
    bench: Bench, vendure: VendureStore, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Move]:
    async with practice(tax_rate="20") as old:
        quick = {stream: replace(each, write_settle=0.5) for stream, each in VENDURE.writes.items()}
        platforms = {
            "woocommerce": replace(WOOCOMMERCE, source=lambda _: old.source()),
            "vendure": replace(
                VENDURE,
                writes=quick,
                source=lambda _: VendureSource(vendure.access()),
                target=lambda _: VendureTarget(vendure.access()),
            ),
        }
        monkeypatch.setattr(registry, "connectors", lambda: platforms)
        keys = {"consumer_key": "ck_practice", "consumer_secret": "cs_practice"}
        await bench.place("source", "woocommerce", old.url, **keys)
        await bench.place("target", "vendure", vendure.url, username="x", password="x")
        # The source's time stands still: a cutover would wait for ever for it to settle.
        async with bench.resources.engine.begin() as connection:
            await connection.execute(text("""UPDATE migrations SET policies = '{"settle": 0}'"""))
        yield Move(bench, old, vendure)


async def test_a_selling_shop_arrives_whole(move: Move) -> None:
    await move.old.control("POST", "seed", {"scale": 0.0004, "seed": 5})
    await move.run("full")
    found = await move.agrees()
    assert min(each.equal for each in found.streams.values()) > 5
    await sell(move.old)
    await move.run("recent")
    await move.agrees()
    await sell_again(move.old)
    await move.run("recent", cutover=True)
    await move.agrees()
    before = await move.new.stamps()
    await move.run("recent")
    assert await move.new.stamps() == before
    assert await move.new.control("effects") == {}
