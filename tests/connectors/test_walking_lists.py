"""A list that changes under a reader's feet loses nobody who stays in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import BadAnswer, TryLater
from connectors.woocommerce.api import Listing
from connectors.woocommerce.reading import Place, Step, Walk, everything

PAGE = 5
START = Place()


@dataclass(frozen=True)
class Row:
    id: int


@dataclass
class Store:
    """A store's list by id, with the habits of one. `between` runs after each request."""

    ids: set[int]
    hidden: set[int] = field(default_factory=set)
    between: Callable[[Store], None] = lambda _: None
    says_total: bool = True
    forgets_last_row: bool = False
    requests: int = 0

    async def fetch(self, offset: int, size: int) -> Listing[Row]:
        self.requests += 1
        ids = sorted(self.ids)
        part = [each for each in ids[offset : offset + size] if each not in self.hidden]
        if self.forgets_last_row and self.requests % 2:
            part = part[:-1]
        total = len(ids) if self.says_total else None
        self.between(self)
        return Listing([Row(each) for each in part], [], total)


async def walked(
    store: Store, place: Place = START, upto: int | None = None
) -> tuple[list[int], list[Step[Row]]]:
    steps = [step async for step in Walk(store.fetch, place=place, upto=upto, size=PAGE)]
    return [row.id for step in steps for row in step.rows], steps


async def test_a_quiet_list_is_read_once_in_order_and_ends_as_done():
    seen, steps = await walked(Store(set(range(1, 24))))
    assert seen == list(range(1, 24))
    assert [step.done for step in steps] == [False] * (len(steps) - 1) + [True]


async def test_an_empty_list_is_one_step_that_is_done():
    seen, steps = await walked(Store(set()))
    assert seen == []
    assert [step.done for step in steps] == [True]


async def test_rows_that_leave_the_read_part_shift_nobody_out_of_sight():
    def remove_two(store: Store) -> None:
        for each in sorted(store.ids)[:2]:
            store.ids.discard(each)

    store = Store(set(range(1, 60)), between=remove_two)
    seen, _ = await walked(store)
    assert seen == sorted(set(seen))
    assert store.ids <= set(seen)


async def test_rows_that_enter_the_read_part_are_skipped_not_doubled():
    added = iter(range(1, 1000))

    def insert_below(store: Store) -> None:
        store.ids |= {next(added), next(added)}

    seen, _ = await walked(Store(set(range(10_000, 10_030)), between=insert_below))
    old = [each for each in seen if each >= 10_000]
    assert old == list(range(10_000, 10_030))


async def test_a_page_without_unreadable_rows_is_not_the_end():
    hidden = {4, 5, 6, *range(12, 30)}
    seen, _ = await walked(Store(set(range(1, 50)), hidden=hidden))
    assert seen == [each for each in range(1, 50) if each not in hidden]


async def test_a_last_page_that_lacks_a_row_is_asked_for_again():
    seen, _ = await walked(Store(set(range(1, 9)), forgets_last_row=True))
    assert seen == list(range(1, 9))


async def test_without_a_count_the_list_is_read_to_an_empty_page():
    seen, _ = await walked(Store(set(range(1, 18)), says_total=False))
    assert seen == list(range(1, 18))


async def test_every_place_resumes_behind_its_step():
    ids = set(range(1, 40, 3))
    _, steps = await walked(Store(ids))
    for step in steps[:-1]:
        rest, _ = await walked(Store(ids), step.place)
        assert rest == [each for each in sorted(ids) if each > step.rows[-1].id]


async def test_a_place_survives_that_its_anchor_is_deleted():
    ids = set(range(1, 40))
    _, steps = await walked(Store(ids))
    place = steps[2].place
    rest, _ = await walked(Store(ids - set(range(1, place.last_id + 1))), place)
    assert rest == list(range(place.last_id + 1, 40))


async def test_a_part_begins_and_ends_at_its_ids_whatever_its_offset_says():
    ids = set(range(1, 100))
    for hint in (0, 10, 31, 80, 500):
        seen, steps = await walked(Store(ids), Place(30, hint), upto=60)
        assert seen == list(range(31, 61))
        assert steps[-1].done


async def test_a_store_that_ignores_the_order_is_refused():
    async def unsorted(_offset: int, _size: int) -> Listing[Row]:
        return Listing([Row(3), Row(1), Row(2)], [], 3)

    with pytest.raises(BadAnswer) as caught:
        await everything(unsorted)
    assert caught.value.code == "store_ignores_order"


@pytest.mark.parametrize("total", [7, 9, 12, 500, None])
async def test_a_store_that_repeats_one_page_is_refused_instead_of_read_for_ever(
    total: int | None,
):
    async def same(_offset: int, _size: int) -> Listing[Row]:
        return Listing([Row(each) for each in range(1, PAGE + 1)], [], total)

    with pytest.raises(BadAnswer) as caught:
        await walked_from(same)
    assert caught.value.code == "store_repeats_page"


async def walked_from(fetch) -> list[int]:
    return [row.id async for step in Walk(fetch, place=Place(), size=PAGE) for row in step.rows]


async def test_a_list_that_never_holds_still_is_put_off_not_read_wrong():
    ids = iter(range(100, 10_000_000, 100))

    async def running_away(_offset: int, size: int) -> Listing[Row]:
        first = next(ids)
        return Listing([Row(first + each) for each in range(size)], [], 10**30)

    with pytest.raises(TryLater):
        async for _ in Walk(running_away, place=Place(50, 10**20), size=PAGE):
            pass


async def test_a_list_that_shrinks_while_the_walk_steps_back_is_no_repeated_page():
    async def shrinking(offset: int, _size: int) -> Listing[Row]:
        return Listing([Row(5)], [], offset + 1)

    walk = Walk(shrinking, place=Place(1, 21), size=PAGE)
    assert [row.id async for step in walk for row in step.rows] == [5]


async def test_rows_of_an_unknown_form_take_their_place_in_the_walk():
    async def fetch(offset: int, size: int) -> Listing[Row]:
        ids = list(range(1, 13))[offset : offset + size]
        rows = [Row(each) for each in ids if each % 3]
        return Listing(rows, [(each, "strange") for each in ids if not each % 3], 12)

    steps = [step async for step in Walk(fetch, place=Place(), size=PAGE)]
    assert [row.id for step in steps for row in step.rows] == [1, 2, 4, 5, 7, 8, 10, 11]
    assert [each for step in steps for each, _ in step.failed] == [3, 6, 9, 12]


@settings(max_examples=300, deadline=None)
@given(
    start=st.sets(st.integers(1, 120), max_size=60),
    hidden=st.sets(st.integers(1, 120), max_size=15),
    changes=st.lists(
        st.tuples(st.booleans(), st.sets(st.integers(1, 160), max_size=6)), max_size=25
    ),
    says_total=st.booleans(),
)
async def test_whoever_stays_is_read(start, hidden, changes, says_total):
    """Whatever comes and goes between requests: who was there throughout is seen."""
    # Without a count, a page that lacks rows looks like any other: see the tests below.
    hidden = hidden if says_total else set()
    stayed = set(start)
    todo = iter(changes)

    def change(store: Store) -> None:
        adds, ids = next(todo, (True, set()))
        if adds:
            store.ids |= ids
        else:
            store.ids -= ids
            stayed.difference_update(ids)

    store = Store(set(start), hidden=hidden, between=change, says_total=says_total)
    seen, _ = await walked(store)
    assert stayed - hidden <= set(seen)
    assert seen == sorted(set(seen))


async def test_without_a_count_single_unreadable_rows_are_stepped_over():
    hidden = {5, 13, 22, 23}
    seen, _ = await walked(Store(set(range(1, 40)), hidden=hidden, says_total=False))
    assert seen == [each for each in range(1, 40) if each not in hidden]


async def test_without_a_count_a_list_that_cannot_be_proved_whole_is_put_off():
    """Nothing shows whether the rows before the page are unreadable or have moved away."""

    async def gap(offset: int, size: int) -> Listing[Row]:
        ids = [1, 2, 3, 4, *[0] * 4, *range(9, 30)][offset : offset + size]
        return Listing([Row(each) for each in ids if each], [], None)

    with pytest.raises(TryLater):
        async for _ in Walk(gap, place=START, size=PAGE):
            pass
