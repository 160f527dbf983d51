"""What the target notes is a run's doing only where a run can have done it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from connectors.base import StoreAccess, StoreReport
from connectors.desk import NotTold
from connectors.records import InventoryLevel, Product, Stream, Variant
from connectors.traces import Effect, Trace
from tests.engine.conftest import Bench
from tests.engine.grounds import outcome_of
from tests.engine.launching import a_line, an_order, euros, launch, twin
from tests.engine.shop import FakeStore, fake_connector
from workers.checks import effects
from workers.checks.base import State

MAILS, STOCK, _ = effects.CHECKS


class Notes:
    """The notes of a shop in memory. `silent`: orders that cannot be asked about."""

    def __init__(self) -> None:
        self.kept: list[Trace] = []
        self.silent: set[str] = set()

    def mail(self, order: str, at: datetime | None) -> None:
        self.kept.append(Trace(effect=Effect.MAIL, order=order, at=at, what="a mail was sent"))

    async def of_orders(self, orders: Sequence[str]) -> tuple[Trace, ...]:
        if self.silent & set(orders):
            raise NotTold("This order is not told of.")
        return tuple(each for each in self.kept if each.order in orders)

    async def webhooks(self) -> tuple[Trace, ...]:
        return ()

    async def gap(self, effect: Effect) -> str:
        return ""


@pytest.fixture
async def notes(bench: Bench) -> Notes:
    """The target's; both orders are on it. Its clock is two days ahead of ours."""
    kept = Notes()

    class NotingStore(FakeStore):
        traces = kept

        async def check(self) -> StoreReport:
            return StoreReport(platform_version="1", server_time=self.shop.now)

    def opened(access: StoreAccess) -> FakeStore:
        return NotingStore(access)

    bench.use(replace(fake_connector(), target=opened))
    await launch(bench)
    bench.target.tick(days=2)
    return kept


async def mails(bench: Bench) -> tuple[State, int, str]:
    outcome = await outcome_of(bench, MAILS)
    return outcome.state, outcome.found, outcome.summary


async def test_a_mail_from_before_the_first_run_is_somebody_elses(
    bench: Bench, notes: Notes
) -> None:
    order = await twin(bench, Stream.ORDERS, "o101")
    notes.mail(order, bench.target.now - timedelta(hours=1))
    state, _, summary = await mails(bench)
    assert state is State.PASSED
    assert summary.endswith("Left out, as no run's doing: 1 older notes.")
    notes.mail(order, bench.target.now)
    notes.mail(order, None)
    state, found, summary = await mails(bench)
    assert (state, found) == (State.FAILED, 2)
    assert summary.endswith("1 older notes.")


async def test_a_mail_a_minute_before_the_first_run_is_somebody_elses(
    bench: Bench, notes: Notes
) -> None:
    """Another tool may have written until shortly before an adoption and the run after it."""
    began = await first_write_by_the_target(bench)
    order = await twin(bench, Stream.ORDERS, "o101")
    notes.mail(order, began - timedelta(minutes=1))
    assert (await mails(bench))[0] is State.PASSED
    notes.mail(order, began)
    assert (await mails(bench))[:2] == (State.FAILED, 1)


async def first_write_by_the_target(bench: Bench) -> datetime:
    """When the first run began, as the target's clock tells it."""
    query = text("SELECT min(started_at) AS began, clock_timestamp() AS now FROM jobs")
    async with bench.resources.engine.connect() as connection:
        first = (await connection.execute(query)).one()
    began: datetime = first.began + (bench.target.now - first.now)
    return began


async def test_a_mail_at_an_adopted_order_counts_from_our_first_write_on(
    bench: Bench, notes: Notes
) -> None:
    async with bench.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE links SET applied_at = NULL, digest = NULL"))
    notes.mail(await twin(bench, Stream.ORDERS, "o101"), bench.target.now)
    assert (await mails(bench))[0] is State.PASSED
    bench.source.tick(minutes=1)
    bench.source.edit(Stream.ORDERS, "o101", status="cancelled")
    await bench.run("recent")
    assert (await mails(bench))[:2] == (State.FAILED, 1)


async def test_where_no_run_has_written_anything_nothing_is_our_doing(
    bench: Bench, notes: Notes
) -> None:
    notes.mail(await twin(bench, Stream.ORDERS, "o101"), None)
    async with bench.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE jobs SET kind = 'adopt'"))
    assert (await mails(bench))[0] is State.PASSED


async def test_what_was_found_stays_found_where_the_rest_is_not_told(
    bench: Bench, notes: Notes
) -> None:
    """A check that breaks off is skipped only where it has found nothing."""
    notes.silent = {await twin(bench, Stream.ORDERS, "o102")}
    assert await mails(bench) == (State.SKIPPED, 0, "This order is not told of.")


async def test_stock_that_moved_at_the_source_meanwhile_was_not_taken_twice(
    bench: Bench, notes: Notes
) -> None:
    def level(product: str, quantity: int) -> InventoryLevel:
        return InventoryLevel(product=product, counted=True, quantity=Decimal(quantity))

    bench.source.put(Stream.INVENTORY, "p1", level("p1", 4))  # one came back
    outcome = await outcome_of(bench, STOCK)
    assert (outcome.state, outcome.found) == (State.PASSED, 0)
    bench.source.put(Stream.INVENTORY, "p1", level("p1", 3))
    bench.target.edit(
        Stream.INVENTORY, await twin(bench, Stream.INVENTORY, "p1"), quantity=Decimal(2)
    )
    outcome = await outcome_of(bench, STOCK)
    assert (outcome.state, outcome.found) == (State.FAILED, 1)


async def test_stock_that_variants_share_was_taken_twice_by_the_orders_of_all_of_them(
    bench: Bench, notes: Notes
) -> None:
    shop = bench.source
    sizes = tuple(Variant(id=each, sku=f"HAT-{each}", regular_price=euros("5")) for each in "ab")
    shop.put(Stream.PRODUCTS, "p9", Product(name="Hat", variants=sizes))
    level = InventoryLevel(product="p9", counted=True, quantity=Decimal(9), shared=True)
    for number, size in enumerate("ab", 201):
        shop.put(Stream.INVENTORY, f"p9:{size}", replace(level, variant=size))
        line = a_line(f"l{number}", "p9", variant=size)
        shop.put(Stream.ORDERS, f"o{number}", an_order(f"{number}", lines=(line,)))
    await bench.run("full")
    assert (await outcome_of(bench, STOCK)).state is State.PASSED
    there = await twin(bench, Stream.INVENTORY, "p9:a")
    bench.target.edit(Stream.INVENTORY, there, quantity=Decimal(7))  # one of each size
    outcome = await outcome_of(bench, STOCK)
    assert (outcome.state, outcome.found) == (State.FAILED, 1)
