"""A Vendure shop moves to Medusa, in whose process this runs: Medusa takes longer to start."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from connectors.medusa import CONNECTOR as MEDUSA
from connectors.medusa.source import MedusaSource
from tests.engine.conftest import Bench
from tests.live.medusa.bench import told_aloud
from tests.live.medusa.store import MedusaStore
from tests.live.pairs import Side, pair
from tests.live.vendure.selling import seed, sell, sell_again
from tests.live.vendure.sides import side
from tests.live.vendure.store import VendureStore

pytestmark = pytest.mark.slow

Note = Callable[[str, object], None]


async def test_a_selling_vendure_shop_arrives_whole_in_medusa(
    vendure: VendureStore,
    medusa: MedusaStore,
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Note,
) -> None:
    access = medusa.access()
    target = Side(MEDUSA, medusa.url, {"api_key": medusa.key}, lambda: MedusaSource(access))
    move = await pair(bench, monkeypatch, record_property, side(vendure), target)
    made = await seed(vendure)
    await move.run("full")
    found = await move.agrees()
    assert min(each.equal for each in found.streams.values()) >= 3
    await sell(vendure, made)
    await move.run("recent")
    await move.agrees()
    await sell_again(vendure, made)
    await move.run("recent", cutover=True)
    await move.agrees()
    last = await move.run("recent", cutover=True)
    assert await move.writes(last["id"]) == {"created": 0, "updated": 0}
    assert told_aloud(medusa) == {}
