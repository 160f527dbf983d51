"""The memory in Redis follows the same rules as the one of a single process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from random import Random
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from app.budget import SharedBudgets
from connectors.budget import LocalBudget, Pace, Place, Word
from connectors.readings import Bucket, Window
from tests.budget.conftest import Clock


@pytest.fixture
async def redis(servers) -> AsyncIterator[Redis]:
    async with Redis.from_url(servers.redis_url, decode_responses=True) as client:
        yield client


def some_pace(dice: Random) -> Pace | None:
    quota = dice.choice([2, 10, 40, 150, 1000])
    left = dice.uniform(0, quota)
    reading = dice.choice(
        [
            Bucket(quota, left, quota / dice.choice([2, 20])),
            Window(quota, left, dice.uniform(0, 30), 30.0),
            Window(quota, left, dice.uniform(0, 30)),
            Window(quota, left, dice.uniform(0, 1), 1.0),
        ]
    )
    return reading.pace()


@pytest.mark.parametrize("seed", range(30))
async def test_both_memories_decide_alike_step_by_step(
    budgets: SharedBudgets, clock: Clock, seed: int
):
    """One rule is written in two languages: a random history has to come out the same in both."""
    dice = Random(seed)  # noqa: S311 - repeatable on purpose
    shared = budgets(f"https://{uuid4()}.test:443")
    local = LocalBudget(clock, probe=1.0)
    waiting = [(Place(cost), Place(cost)) for cost in dice.choices([1, 1, 1, 5], k=8)]
    sent: list[tuple[Place, Place]] = []
    for step in range(150):
        clock.now += dice.choice([0, 0.001, 0.1, 1, dice.uniform(0, 40)])
        if waiting and dice.random() < 0.6:
            pair = dice.choice(waiting)
            patience = dice.choice([0.5, 5.0, 60.0])
            waits = await shared.ask(pair[0], patience), await local.ask(pair[1], patience)
            assert waits[0] == pytest.approx(waits[1], abs=1e-6), step
            assert pair[0].number == pair[1].number
            if waits[1] == 0:
                waiting.remove(pair)
                sent.append(pair)
        elif sent:
            pair = sent.pop(dice.randrange(len(sent)))
            refused = dice.random() < 0.2
            word = Word(
                some_pace(dice) if dice.random() < 0.8 else None,
                refused,
                dice.choice([0.0, 0.5, 3.0, 100.0]) if refused else 0.0,
            )
            await shared.tell(pair[0], word)
            await local.tell(pair[1], word)
            waiting.append(pair if refused else (Place(pair[0].cost), Place(pair[0].cost)))


async def test_one_request_goes_first_while_a_store_is_unknown(budgets: SharedBudgets):
    budget = budgets(f"https://{uuid4()}.test:443")
    first, second = Place(), Place()
    assert await budget.ask(first, 5.0) == 0
    assert 0 < await budget.ask(second, 5.0) < 0.2
    await budget.tell(first, Word())
    assert await budget.ask(second, 5.0) == 0


async def test_a_first_request_without_an_answer_holds_nobody_for_long(
    budgets: SharedBudgets, clock: Clock
):
    budget = budgets(f"https://{uuid4()}.test:443")
    await budget.ask(Place(), 5.0)
    clock.now += 1.5
    assert await asyncio.gather(*(budget.ask(Place(), 5.0) for _ in range(4))) == [0, 0, 0, 0]


async def test_what_redis_holds_names_no_store_and_is_forgotten(servers, redis: Redis):
    """By Redis' own clock: the key's time to live covers the longest hold."""
    budgets = SharedBudgets(servers.redis_url)
    origin = f"https://{uuid4()}.test:443"
    budget, place = budgets(origin), Place()
    await budget.ask(place, 5.0)
    await budget.tell(place, Word(Bucket(40, 0, 2).pace(), refused=True, hold=86_400))
    keys = [key async for key in redis.scan_iter("recent-sync:budget:*")]
    left = {key: await redis.ttl(key) for key in keys}
    assert sum(seconds > 86_400 for seconds in left.values()) == 2
    assert min(left.values()) > 0
    assert not any(origin[8:16] in key for key in keys)
    await budgets.close()


async def test_without_redis_a_process_keeps_to_what_it_learns_itself():
    budgets = SharedBudgets("redis://127.0.0.1:1/0")
    budget, place = budgets("https://shop.test:443"), Place()
    assert await budget.ask(place, 5.0) == 0
    await budget.tell(place, Word(Bucket(40, 0, 2).pace()))
    assert 0 < await budget.ask(Place(), 5.0) <= 5.0
    await budgets.close()


async def test_what_was_learnt_with_redis_counts_when_redis_is_gone(budgets: SharedBudgets):
    budget, place = budgets(f"https://{uuid4()}.test:443"), Place()
    await budget.ask(place, 5.0)
    await budget.tell(place, Word(refused=True, hold=86_400))
    budgets._memory._away_until = float("inf")
    assert await budget.ask(Place(), 5.0) == pytest.approx(86_400, abs=60)


async def test_a_redis_that_forgot_learns_from_the_next_answer(
    budgets: SharedBudgets, redis: Redis, clock: Clock
):
    budget = budgets(f"https://{uuid4()}.test:443")
    before, waiting = Place(), Place()
    await budget.ask(before, 5.0)
    await budget.tell(before, Word(Bucket(40, 4, 2).pace()))
    under_way = Place()
    assert await budget.ask(under_way, 5.0) == 0
    assert await budget.ask(waiting, 5.0) == 0
    await redis.delete(*budget._keys)
    clock.now += 1
    assert await budget.ask(Place(), 5.0) == 0, "one goes first"
    assert await budget.ask(waiting, 5.0) == pytest.approx(0.05), "the others wait for its word"
    await budget.tell(under_way, Word(Bucket(40, 0, 2).pace()))
    assert await budget.ask(waiting, 5.0) == pytest.approx((1 + 40 * 0.04) / 2)
