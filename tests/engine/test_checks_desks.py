"""The same checks on platforms that can do less: they say what they could not look at, and go by
what they have.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace
from sqlalchemy import text

from connectors.base import Loss, StoreAccess
from connectors.desk import SHOWN, NotTold, NumberedOrder, Numbering
from connectors.losses import Losses
from connectors.records import Customer, Order, Record, Stream, money
from tests.engine.conftest import Bench
from tests.engine.grounds import ground_of, limit, outcome_of
from tests.engine.shop import START, FakeStore, Shop, fake_connector
from tests.engine.test_mapping import rules
from workers.checks import effects, numbers, support, workflows
from workers.checks.base import Check, State

SUPPORT, FULFILMENT, SHOPPER, RETURNING = workflows.CHECKS
ZERO = money("0", "EUR")


def an_order(number: int, email: str, **fields: Any) -> Order:
    values: dict[str, Any] = {
        "number": str(number),
        "status": "processing",
        "currency": "EUR",
        "total": money("5", "EUR"),
        "tax_total": ZERO,
        "shipping_total": ZERO,
        "discount_total": ZERO,
        "email": email,
        "created_at": START + timedelta(hours=number),
    }
    return Order(**values | fields)


class Desk:
    """Look-ups in a shop in memory. `deaf`: it cannot search by number."""

    numbering = Numbering(advice="Ask the shop.", by_id=False)

    def __init__(self, shop: Shop, *, deaf: bool = False) -> None:
        self.shop = shop
        self.deaf = deaf

    def _records(self, stream: Stream) -> list[Record]:
        rows = self.shop.rows[stream].values()
        return [Record(row.id, row.stamp, row.content) for row in rows]

    async def orders_of(self, email: str) -> tuple[Record, ...]:
        found = [each for each in self._records(Stream.ORDERS) if each.content.email == email]
        return tuple(sorted(found, key=lambda each: each.content.created_at, reverse=True)[:SHOWN])

    async def orders_numbered(self, number: str) -> tuple[Record, ...]:
        if self.deaf:
            raise NotTold("This shop has no search by number.")
        return tuple(each for each in self._records(Stream.ORDERS) if each.content.number == number)

    async def accounts(self, email: str) -> tuple[Record, ...]:
        return tuple(
            each for each in self._records(Stream.CUSTOMERS) if each.content.email == email
        )

    async def history(self, customer: str) -> int:
        return sum(each.content.customer == customer for each in self._records(Stream.ORDERS))

    async def newest(self, most: int) -> tuple[NumberedOrder, ...]:
        found = [
            NumberedOrder(
                id=each.id, number=each.content.number, created_at=each.content.created_at
            )
            for each in self._records(Stream.ORDERS)
        ]
        return tuple(sorted(found, key=lambda each: each.created_at, reverse=True)[:most])


def give_desk(bench: Bench, *sides: str, deaf: bool = False) -> None:
    """Let these sides of the migration look things up."""

    def opened(access: StoreAccess) -> FakeStore:
        store = FakeStore(access)
        if store.shop.name in sides:
            store.desk = Desk(store.shop, deaf=deaf)  # type: ignore[attr-defined]
        return store

    bench.use(replace(fake_connector(), source=opened, target=opened))


async def filled(bench: Bench) -> None:
    bench.source.put(Stream.CUSTOMERS, "k1", Customer(email="anna@shop.test"))
    for number in range(3):
        order = an_order(number, "anna@shop.test", customer="k1")
        bench.source.put(Stream.ORDERS, f"o{number}", order)
    await bench.run("full")


async def state_of(bench: Bench, check: Check) -> tuple[State, str]:
    outcome = await outcome_of(bench, check)
    return outcome.state, outcome.summary


async def test_without_look_ups_checks_are_skipped_and_say_why(bench: Bench) -> None:
    await filled(bench)
    for check in (SUPPORT, RETURNING, SHOPPER, *effects.CHECKS, *numbers.CHECKS):
        state, summary = await state_of(bench, check)
        assert state is State.SKIPPED, check.id
        assert "platform" in summary
    # What a packer needs is read without any look-up.
    assert (await state_of(bench, FULFILMENT))[0] is State.PASSED


async def test_a_source_without_look_ups_is_known_by_its_sampled_orders(bench: Bench) -> None:
    await filled(bench)
    give_desk(bench, "target")
    assert (await state_of(bench, SUPPORT))[0] is State.PASSED
    newest = max(bench.target.rows[Stream.ORDERS].values(), key=lambda row: row.content.created_at)
    bench.target.edit(Stream.ORDERS, newest.id, status="cancelled")
    outcome = await outcome_of(bench, SUPPORT)
    [evidence] = outcome.evidence
    assert (outcome.state, evidence.source_id, evidence.field) == (State.FAILED, "o2", "status")


async def test_only_the_newest_order_that_was_brought_over_is_looked_for(bench: Bench) -> None:
    """What came in since the last run is the matter of the check of freshness."""
    await filled(bench)
    give_desk(bench, "source", "target")
    bench.source.put(Stream.ORDERS, "o9", an_order(9, "anna@shop.test"))
    assert (await state_of(bench, SUPPORT))[0] is State.PASSED


async def test_mapping_rules_hold_for_what_support_reads(bench: Bench) -> None:
    """The source's own look-up knows nothing of them."""
    await rules(bench, orders=[{"field": "number", "expression": "'A-' + number"}])
    await filled(bench)
    give_desk(bench, "source", "target")
    arrived = {row.content.number for row in bench.target.rows[Stream.ORDERS].values()}
    assert arrived == {"A-0", "A-1", "A-2"}
    assert (await state_of(bench, SUPPORT))[0] is State.PASSED
    assert (await state_of(bench, numbers.CHECKS[0]))[0] is State.PASSED


async def test_what_a_desk_cannot_tell_makes_the_check_skipped(bench: Bench) -> None:
    await filled(bench)
    give_desk(bench, "source", "target", deaf=True)
    assert await state_of(bench, SUPPORT) == (
        State.SKIPPED,
        "This shop has no search by number.",
    )


async def test_a_limit_of_people_is_kept_and_told(bench: Bench) -> None:
    for number in range(5):
        order = an_order(number, f"guest{number}@shop.test")
        bench.source.put(Stream.ORDERS, f"o{number}", order)
    await bench.run("full")
    give_desk(bench, "source", "target")
    async with ground_of(bench) as ground:
        limit(ground, "workflows.support", records=2)
        outcome = await support.support(ground)
    assert (outcome.state, outcome.examined, outcome.total) == (State.PASSED, 2, 5)
    assert outcome.sample == "2 of 5 people of the sample, by their newest order"


async def test_a_full_list_of_a_target_that_keeps_no_dates_proves_nothing(bench: Bench) -> None:
    """The newest order may stand behind its end."""
    for number in range(SHOWN + 5):
        order = an_order(number, "anna@shop.test")
        bench.source.put(Stream.ORDERS, f"o{number:02}", order)
    await bench.run("full")
    give_desk(bench, "source", "target")
    for row in bench.target.rows[Stream.ORDERS].values():
        # As a target that dates orders itself: here in the order against time.
        row.content = replace(row.content, created_at=START - timedelta(int(row.content.number)))
    async with ground_of(bench) as ground:
        failing = await support.support(ground)
    assert [each.field for each in failing.evidence] == ["email"]
    async with ground_of(bench) as ground:

        async def losses(_: Stream) -> Losses:
            return Losses([Loss("created_at", "The target has its own.")])

        ground.losses = losses  # type: ignore[method-assign]
        assert (await support.support(ground)).state is State.PASSED


async def test_numbers_of_shops_that_share_one_sequence_pass_without_knowing_the_next(
    bench: Bench,
) -> None:
    await filled(bench)
    give_desk(bench, "source", "target")
    assert (await state_of(bench, numbers.CHECKS[0]))[0] is State.PASSED
    state, summary = await state_of(bench, numbers.CHECKS[1])
    assert (state, summary) == (
        State.SKIPPED,
        "Nobody can tell which number the target gives next.",
    )


async def history(bench: Bench) -> tuple[State, list[str]]:
    outcome = await outcome_of(bench, RETURNING)
    return outcome.state, [each.message for each in outcome.evidence]


async def test_an_order_that_the_source_lost_and_policy_left_stays_in_the_account(
    bench: Bench,
) -> None:
    await filled(bench)
    give_desk(bench, "source", "target")
    del bench.source.rows[Stream.ORDERS]["o1"]
    assert await history(bench) == (
        State.FAILED,
        ["The account shows 3 orders; by the source there should be 2."],
    )
    await bench.run("recent", cutover=True, options={"release_brake": True})
    assert await history(bench) == (State.PASSED, [])
    # It excuses no other order, and no other account.
    (mine,) = bench.target.rows[Stream.CUSTOMERS]
    bench.target.put(Stream.ORDERS, "9999", an_order(7, "anna@shop.test", customer=mine))
    assert (await history(bench))[0] is State.FAILED


async def test_an_old_order_in_quarantine_is_not_missed_in_the_account(bench: Bench) -> None:
    """The source shows the newest orders of an email alone."""
    bench.source.put(Stream.CUSTOMERS, "k1", Customer(email="anna@shop.test"))
    for number in range(SHOWN + 3):
        order = an_order(number, "anna@shop.test", customer="k1")
        bench.source.put(Stream.ORDERS, f"o{number:02}", order)
    bench.target.script = ["applied", "refused"]  # the customer, and the oldest order
    await bench.run("full")
    [row] = await bench.rows("SELECT source_id FROM quarantine")
    assert row["source_id"] == "o00"
    give_desk(bench, "source", "target")
    assert await history(bench) == (State.PASSED, [])


async def test_a_customer_without_an_email_is_looked_up_by_nobody(bench: Bench) -> None:
    await filled(bench)
    bench.source.put(Stream.CUSTOMERS, "k2", Customer(email="", first_name="Bea"))
    await bench.run("recent")
    give_desk(bench, "source", "target")
    assert (await history(bench))[0] is State.PASSED


async def test_what_support_cannot_find_is_told_where_the_rest_cannot_be_asked(
    bench: Bench,
) -> None:
    await filled(bench)
    give_desk(bench, "source", "target", deaf=True)
    newest = max(bench.target.rows[Stream.ORDERS].values(), key=lambda row: row.content.created_at)
    bench.target.edit(Stream.ORDERS, newest.id, email="other@shop.test")
    state, summary = await state_of(bench, SUPPORT)
    assert state is State.FAILED
    assert summary.endswith("This shop has no search by number.")


async def test_what_the_target_could_not_keep_of_an_order_misleads_nobody(bench: Bench) -> None:
    await filled(bench)
    give_desk(bench, "source", "target")
    newest = max(bench.target.rows[Stream.ORDERS].values(), key=lambda row: row.content.created_at)
    bench.target.edit(Stream.ORDERS, newest.id, status="on-hold")
    assert (await state_of(bench, SUPPORT))[0] is State.FAILED
    async with bench.resources.engine.begin() as connection:
        await connection.execute(
            text("UPDATE links SET losses = '{status,tax_total}' WHERE source_id = 'o2'")
        )
    assert (await state_of(bench, SUPPORT))[0] is State.PASSED
    # That it was seen to come out wrong makes no sum right.
    bench.target.edit(Stream.ORDERS, newest.id, tax_total=money("1", "EUR"))
    assert (await state_of(bench, SUPPORT))[0] is State.FAILED


async def test_accounts_that_the_source_has_twice_are_there_twice(bench: Bench) -> None:
    """As on Medusa, where a guest and an account may have one email."""
    await filled(bench)
    bench.source.put(Stream.CUSTOMERS, "k2", Customer(email="guest@shop.test"))
    await bench.run("recent")
    give_desk(bench, "source", "target")
    for shop in (bench.source, bench.target):
        for row in list(shop.rows[Stream.CUSTOMERS].values()):
            shop.edit(Stream.CUSTOMERS, row.id, email="anna@shop.test")
    assert (await history(bench))[0] is State.PASSED
    bench.target.put(Stream.CUSTOMERS, "9999", Customer(email="anna@shop.test"))
    state, messages = await history(bench)
    assert (state, set(messages)) == (State.FAILED, {"3 accounts have the customer's email."})
