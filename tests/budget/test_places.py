"""Who goes when: places are kept, refused requests keep theirs, and the dead block nobody."""

from __future__ import annotations

from itertools import pairwise
from uuid import uuid4

import pytest

from app.budget import SharedBudget, SharedBudgets
from connectors.budget import Place, Word
from connectors.readings import Bucket, Window
from tests.budget.conftest import Clock

PATIENCE = 5.0


@pytest.fixture
async def budget(budgets: SharedBudgets) -> SharedBudget:
    return budgets(f"https://{uuid4()}.test:443")


async def sent(budget: SharedBudget, reading: Bucket | Window | None, **word) -> Place:
    """A request that was let go and came back with this word."""
    place = Place()
    assert await budget.ask(place, PATIENCE) == 0
    await budget.tell(place, Word(reading.pace() if reading else None, **word))
    return place


async def test_places_are_given_in_the_order_of_asking(budget: SharedBudget):
    await sent(budget, Bucket(40, 0, 2))
    waits = [await budget.ask(Place(), PATIENCE) for _ in range(5)]
    steps = [later - sooner for sooner, later in pairwise(waits)]
    assert steps == pytest.approx([0.5] * 4)


async def test_a_refused_request_goes_before_those_that_came_later(
    budget: SharedBudget, clock: Clock
):
    refused = await sent(budget, Bucket(40, 0, 1), refused=True, hold=2.0)
    clock.now += 2.7  # one point is there, beside the spare ones
    later = Place()
    assert await budget.ask(later, PATIENCE) > 0
    assert await budget.ask(refused, PATIENCE) == 0
    await budget.tell(refused, Word(Bucket(40, 2.6, 1).pace()))
    assert await budget.ask(later, PATIENCE) == 0


async def test_who_never_asks_again_keeps_nobody_waiting_for_long(
    budget: SharedBudget, clock: Clock
):
    await sent(budget, Bucket(40, 0, 2))
    dead = [Place() for _ in range(3)]
    for place in dead:
        assert 0 < await budget.ask(place, PATIENCE) <= PATIENCE
    clock.now += PATIENCE + 3
    await sent(budget, Bucket(40, 2.7, 2))
    await sent(budget, Bucket(40, 2.7, 2))


async def test_a_place_that_is_too_far_away_is_given_up(budget: SharedBudget):
    await sent(budget, Bucket(40, 0, 2))
    first = await budget.ask(Place(), 0.1)
    assert first > 0.1
    assert await budget.ask(Place(), PATIENCE) == pytest.approx(first)


async def test_a_costly_request_waits_for_all_its_points(budget: SharedBudget):
    await sent(budget, Bucket(2000, 80 + 50, 100))
    assert await budget.ask(Place(cost=350), PATIENCE) == pytest.approx(3.0)
    assert await budget.ask(Place(cost=50), PATIENCE) == pytest.approx(3.5)


async def test_a_request_that_costs_more_than_everything_goes_when_all_is_there(
    budget: SharedBudget, clock: Clock
):
    await sent(budget, Bucket(100, 100, 10))
    clock.now += 10
    assert await budget.ask(Place(cost=1000), PATIENCE) == 0


async def test_an_old_answer_does_not_undo_a_newer_one(budget: SharedBudget):
    await sent(budget, Bucket(40, 30, 2))
    places = [Place() for _ in range(20)]
    for place in places:
        assert await budget.ask(place, PATIENCE) == 0
    await budget.tell(places[-1], Word(Bucket(40, 10, 2).pace()))
    await budget.tell(places[0], Word(Bucket(40, 29, 2).pace()))
    waits = [await budget.ask(Place(), PATIENCE) for _ in range(12)]
    assert waits[:8] == [0] * 8
    assert 0 not in waits[8:]


async def test_half_of_a_window_goes_at_once_and_the_rest_evenly(
    budget: SharedBudget, clock: Clock
):
    await sent(budget, Window(150, 150, 30, 30))
    at_once = 0
    while not (wait := await budget.ask(Place(), PATIENCE)):
        at_once += 1
    assert at_once == 72
    assert wait == pytest.approx(30 / 72, rel=0.1)
    for _ in range(200):
        clock.now += 30 / 200
        at_once += not await budget.ask(Place(), 0.0)
    assert 140 <= at_once <= 150 + 75


async def test_a_window_is_full_again_when_it_ends(budget: SharedBudget, clock: Clock):
    await sent(budget, Window(150, 0, 4, 30))
    assert 3.9 < await budget.ask(Place(), PATIENCE) <= 4.1
    clock.now += 4.2
    assert await budget.ask(Place(), PATIENCE) == 0


@pytest.mark.parametrize("reading", [None, Bucket(40, 40, 2), Window(150, 150, 30, 30)])
async def test_a_hold_is_everybodys(
    budgets: SharedBudgets, clock: Clock, reading: Bucket | Window | None
):
    budget = budgets(f"https://{uuid4()}.test:443")
    await sent(budget, reading, refused=True, hold=86_400.0)
    clock.now += 3600
    assert await budget.ask(Place(), PATIENCE) == pytest.approx(82_800)
    clock.now += 82_801
    assert await budget.ask(Place(), PATIENCE) == 0
