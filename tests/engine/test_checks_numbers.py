"""Order numbers of two practice stores: the checks, and the survey over the API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.engine.api_client import api_of
from tests.engine.conftest import Bench
from tests.engine.grounds import ground_of, limit
from tests.engine.practice_stores import Stores, between_practice_stores
from tests.engine.test_mapping import rules
from workers.checks import numbers
from workers.checks.base import Outcome, State

FIRST = 90_001
"""The first id of the target's own: as after raising its counter, far above the source's."""


@pytest.fixture
async def sold(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stores]:
    """Five orders at the source; nothing has run yet."""
    async with between_practice_stores(bench, monkeypatch, addon=True) as opened:
        opened.new.store.storage.set_fact("next_post", FIRST)
        clock = opened.old.store.clock
        for hours in range(5, 0, -1):
            gmt = clock.stamps(clock.now() - hours * 3600)[1]
            await opened.old.load(order=[{"status": "completed", "date_created_gmt": gmt}])
        yield opened


@pytest.fixture
async def stores(sold: Stores) -> Stores:
    await sold.run("full")
    return sold


@pytest.fixture
async def renumbered(bench: Bench, sold: Stores) -> Stores:
    """Rules put a prefix before every number, but for an order that they fail on."""
    failing = (await sold.all(sold.old, "orders"))[2]["number"]
    await rules(
        bench,
        orders=[
            {"field": "number", "expression": "'W-' + number"},
            {
                "when": f"number == 'W-{failing}'",
                "field": "note",
                "expression": "string(1 / 0)",
            },
        ],
    )
    sold.wait(60)
    assert (await bench.run("full"))["status"] == "completed_with_errors"
    return sold


async def outcomes(bench: Bench) -> dict[str, Outcome]:
    async with ground_of(bench) as ground:
        return {check.id: await check.run(ground) for check in numbers.CHECKS}


async def own_order(stores: Stores, number: str) -> str:
    """An order that somebody placed on the target."""
    [made] = (await stores.new.load(order=[{"number": number, "status": "completed"}]))["order"]
    return str(made)


async def test_two_sequences_far_apart_pass(bench: Bench, stores: Stores) -> None:
    found = await outcomes(bench)
    assert [each.state for each in found.values()] == [State.PASSED, State.PASSED]


async def test_an_order_of_the_targets_own_with_a_number_of_the_source_is_found(
    bench: Bench, stores: Stores
) -> None:
    order = (await stores.all(stores.old, "orders"))[1]
    made = await own_order(stores, order["number"])
    found = await outcomes(bench)
    assert found["numbers.collisions"].state is State.FAILED
    [evidence] = found["numbers.collisions"].evidence
    assert (evidence.source_id, evidence.target_id) == (str(order["id"]), made)


async def test_a_number_of_an_older_order_is_looked_up_at_the_source(
    bench: Bench, stores: Stores
) -> None:
    oldest, *_, newest = await stores.all(stores.old, "orders")
    await own_order(stores, oldest["number"])
    async with ground_of(bench) as ground:
        limit(ground, "numbers.collisions", records=2)
        found = await numbers.collisions(ground)
    assert (found.state, found.found) == (State.FAILED, 1)
    assert found.evidence[0].source_id == str(oldest["id"])
    assert newest["number"] not in found.evidence[0].message


async def test_a_target_that_is_about_to_give_the_sources_numbers_is_a_warning(
    bench: Bench, stores: Stores
) -> None:
    newest = (await stores.all(stores.old, "orders"))[-1]
    await own_order(stores, str(int(newest["number"]) - 30))
    found = await outcomes(bench)
    assert found["numbers.headroom"].state is State.FAILED
    assert found["numbers.collisions"].state is State.PASSED


async def test_the_survey_is_there_for_callers_with_figures_and_advice(
    bench: Bench, stores: Stores
) -> None:
    async with api_of(bench) as api:
        answer = await api.get("/order-numbers")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    newest = (await stores.all(stores.old, "orders"))[-1]
    assert found["source"]["last"] == newest["number"]
    assert (found["kept"], found["collisions"]) == (True, [])
    assert found["headroom"]["own"] > FIRST
    assert found["per_day"] == pytest.approx(24, rel=0.3)
    assert {each["kind"] for each in found["proposals"]} == {"offset", "prefix", "reserved"}
    assert "wp_posts" in found["advice"]


# --- under mapping rules that change numbers ------------------------------------------------------


async def test_numbers_that_rules_change_are_compared_as_the_target_has_them(
    bench: Bench, renumbered: Stores
) -> None:
    order = (await renumbered.all(renumbered.old, "orders"))[1]
    await own_order(renumbered, order["number"])
    assert (await outcomes(bench))["numbers.collisions"].state is State.PASSED
    made = await own_order(renumbered, f"W-{order['number']}")
    found = (await outcomes(bench))["numbers.collisions"]
    assert (found.state, found.found) == (State.FAILED, 1)
    assert (found.evidence[0].source_id, found.evidence[0].target_id) == (str(order["id"]), made)


async def test_an_older_order_that_rules_gave_another_number_is_found_on_the_target(
    bench: Bench, renumbered: Stores
) -> None:
    oldest = (await renumbered.all(renumbered.old, "orders"))[0]
    await own_order(renumbered, f"W-{oldest['number']}")
    async with ground_of(bench) as ground:
        limit(ground, "numbers.collisions", records=2)
        found = await numbers.collisions(ground)
    assert (found.state, found.found) == (State.FAILED, 1)
    assert found.evidence[0].source_id == str(oldest["id"])


async def test_the_survey_counts_by_the_numbers_that_rules_make(
    bench: Bench, renumbered: Stores
) -> None:
    async with api_of(bench) as api:
        answer = await api.get("/order-numbers")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    newest = (await renumbered.all(renumbered.old, "orders"))[-1]
    assert (found["source"]["prefix"], found["source"]["last"]) == ("W-", f"W-{newest['number']}")
    assert (found["source"]["counted"], found["kept"], found["collisions"]) == (4, True, [])
    assert found["proposals"][0]["first"].startswith("W-")
