"""What passes cost, how long the freeze is, and whether runs catch up."""

from __future__ import annotations

import math
from random import Random
from statistics import median

import pytest
from msgspec.structs import replace

from app.planning.costs import STATED, Costs, PassRun, learn
from app.planning.forecast import Cutover, Freeze, Swept, convergence, freeze
from connectors.records import Stream

SHOP = {Stream.PRODUCTS: 40, Stream.CUSTOMERS: 42, Stream.ORDERS: 187, Stream.INVENTORY: 41}
TRUE = (0.6, 0.45, 0.03)


def took(pages: float, written: float, parts: int = 1, noise: float = 1.0) -> float:
    """What a pass takes in a world whose costs are known."""
    return (TRUE[0] + TRUE[1] * pages / parts + TRUE[2] * written / parts) * noise


def a_run(stream: Stream, pages: float, written: float, dice: Random, parts: int = 1) -> PassRun:
    seconds = took(pages, written, parts, dice.lognormvariate(0, 0.08))
    return PassRun(stream=stream, pages=pages, written=written, parts=parts, seconds=seconds)


def history(dice: Random, recents: int) -> list[PassRun]:
    """A full run, and some recents: windows of orders and products, sweeps of the rest."""
    runs = [a_run(each, pages, pages * 100, dice, 2) for each, pages in SHOP.items()]
    for _ in range(recents):
        runs += [
            a_run(Stream.ORDERS, 1, dice.randrange(0, 30), dice),
            a_run(Stream.PRODUCTS, 1, dice.randrange(0, 8), dice),
            a_run(Stream.CUSTOMERS, SHOP[Stream.CUSTOMERS], dice.randrange(0, 4), dice, 2),
            a_run(Stream.INVENTORY, SHOP[Stream.INVENTORY], dice.randrange(0, 30), dice, 2),
        ]
    return runs


def cutover(arrivals: float = 12.0, **more: float) -> Cutover:
    swept = [
        Swept(
            stream=stream,
            records=pages * 100,
            page_size=100,
            parts=2,
            written=1.5 if stream is Stream.ORDERS else 0.5,
            windowed=stream in (Stream.ORDERS, Stream.PRODUCTS),
        )
        for stream, pages in SHOP.items()
    ]
    return Cutover(
        streams=tuple(swept),
        arrivals=arrivals,
        spread=more.get("spread", 3.0),
        settle=more.get("settle", 10.0),
        prepare=(2.0, 2.4, 3.1),
        between=(0.0, 0.0, 1.0),
        finish=(1.0, 1.2),
    )


def needed(dice: Random, arrivals: int) -> float:
    """The freeze as it comes in that world."""
    noise = dice.lognormvariate(0, 0.08)
    sweeps = sum(
        took(pages, (1.5 if stream is Stream.ORDERS else 0.5) * arrivals, 2, noise)
        for stream, pages in SHOP.items()
    )
    return 2 * 10 + dice.choice((2.0, 2.4, 3.1)) + 1.1 + sweeps + 2 * took(1, 0)


def test_costs_are_found_in_what_was_measured() -> None:
    dice = Random(3)
    found = learn(history(dice, 8))
    for stream, pages in SHOP.items():
        said = found.seconds(stream, pages=pages, written=10, parts=2)
        assert said == pytest.approx(took(pages, 10, 2), rel=0.2)
    assert 0.03 < found.spread < 0.25
    assert found.measured


def test_without_measurements_the_stated_costs_hold() -> None:
    found = learn([])
    assert not found.measured
    assert found.seconds(Stream.ORDERS, pages=2, written=20) == STATED[0] + 2 * STATED[2] + 1.0


def test_costs_never_fall_below_nothing() -> None:
    """Two passes that contradict each other: more work, less time."""
    odd = [
        PassRun(stream=Stream.ORDERS, pages=1, written=0, seconds=9.0),
        PassRun(stream=Stream.ORDERS, pages=50, written=900, seconds=1.0),
    ]
    found = learn(odd)
    assert min(found.common) >= 0
    assert found.seconds(Stream.ORDERS, pages=100, written=5000) >= 0


def test_a_stream_that_was_never_read_takes_what_the_others_taught() -> None:
    found = learn(history(Random(3), 8))
    said = found.seconds(Stream.CATEGORIES, pages=20, written=0)
    assert said == pytest.approx(took(20, 0), rel=0.3)


def test_freezes_that_are_needed_lie_within_the_forecast() -> None:
    """Of 200 worlds with their own history, about 95 in 100 are covered, and none is far off."""
    covered, errors = 0, []
    for seed in range(200):
        dice = Random(seed)
        found = freeze(cutover(), learn(history(dice, 4)), seed=seed, draws=200)
        real = needed(dice, dice.randrange(2, 28))
        covered += real <= found.seconds.p95
        errors.append(abs(found.seconds.median - real) / real)
    assert covered >= 186
    assert median(errors) < 0.1


def test_same_seed_draws_the_same_forecast() -> None:
    costs = learn(history(Random(1), 3))
    assert freeze(cutover(), costs, seed=4) == freeze(cutover(), costs, seed=4)


def test_p95_lies_above_the_median_and_both_above_the_waits() -> None:
    found = freeze(cutover(settle=30.0), learn(history(Random(1), 3)))
    assert 60 < found.seconds.median < found.seconds.p95
    assert found.parts["settle"] == 60
    assert set(found.parts) > {str(stream) for stream in SHOP}


def test_more_to_bring_over_makes_a_longer_freeze() -> None:
    costs = learn(history(Random(1), 3))
    short, long = (freeze(cutover(arrivals=n), costs).seconds for n in (0.0, 400.0))
    assert long.median > short.median + 5


def test_stated_costs_give_a_wider_range_than_measured_ones() -> None:
    def width(found: Freeze) -> float:
        return found.seconds.p95 / found.seconds.median

    assert width(freeze(cutover(), Costs())) > 1.5 * width(
        freeze(cutover(), learn(history(Random(1), 8)))
    )


def test_runs_catch_up_where_less_comes_than_a_run_brings_over() -> None:
    costs = learn(history(Random(1), 6))
    found = convergence(cutover().streams, costs, fixed=4.0, mean=20.0, peak=90.0, behind=86_400.0)
    assert found.converges
    assert 0 < found.load < found.peak < 1
    assert found.shortest is not None
    assert found.passes is not None
    assert 1 < found.passes <= 4


def test_runs_do_not_catch_up_where_more_comes_than_a_run_brings_over() -> None:
    costs = learn(history(Random(1), 6))
    flood = math.ceil(3600 / costs.per_write(Stream.ORDERS))
    found = convergence(cutover().streams, costs, fixed=4.0, mean=flood, peak=flood, behind=60.0)
    assert (found.converges, found.shortest, found.passes) == (False, None, None)
    assert found.load > 1


def test_a_single_pass_is_enough_for_a_shop_that_does_not_sell() -> None:
    idle = [replace(each, written=0.0) for each in cutover().streams]
    found = convergence(idle, Costs(), fixed=4.0, mean=0.0, peak=0.0, behind=1e6)
    assert (found.converges, found.load, found.passes) == (True, 0.0, 1)


def test_questions_before_a_window_do_not_make_pages_dear() -> None:
    """Windows in which nothing lies take long where the source is probed before them; what a sweep
    of many pages takes is learned from sweeps.
    """
    runs = [
        PassRun(stream=stream, pages=0, written=0, window=True, seconds=6.0)
        for stream in (Stream.ORDERS, Stream.PRODUCTS)
    ] * 3
    runs += [
        PassRun(stream=Stream.INVENTORY, pages=40, written=0, seconds=0.6 + 40 * 0.3)
        for _ in range(3)
    ]
    found = learn(runs)
    assert found.seconds(Stream.ORDERS, pages=100, written=0) == pytest.approx(30, rel=0.35)
    look = found.seconds(Stream.ORDERS, pages=0, written=0, window=True)
    assert look == pytest.approx(6, rel=0.25)
