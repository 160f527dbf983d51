"""Looking records up by what people know of them."""

from datetime import UTC, datetime, timedelta

from connectors.base import Action, Withdrawal
from connectors.records import Stream
from connectors.traces import Effect
from tests.postgres_target.contents import customer, operation, order

START = datetime(2026, 11, 26, 9, tzinfo=UTC)


async def test_orders_are_found_by_email_and_number_newest_first(target, shop):
    await target.write(
        Stream.ORDERS,
        [
            operation(
                order(number=f"R-{day}", email="Ada@Shop.test", created_at=START + timedelta(day)),
                str(day),
            )
            for day in (1, 3, 2)
        ],
    )

    by_email = await target.desk.orders_of("ada@shop.test")
    by_number = await target.desk.orders_numbered("R-2")
    newest = await target.desk.newest(2)

    assert [each.content.number for each in by_email] == ["R-3", "R-2", "R-1"]
    assert [each.id for each in by_number] == ["demo:2"]
    assert [each.number for each in newest] == ["R-3", "R-2"]
    assert await target.desk.orders_of("other@shop.test") == ()


async def test_an_archived_order_is_not_found(target, shop):
    await target.write(Stream.ORDERS, [operation(order(number="R-1", email="a@b.c"), "1")])
    gone = Withdrawal(source_id="1", target_id="demo:1", key="demo:1")
    await target.remove(Stream.ORDERS, [gone], Action.ARCHIVE)

    assert await target.desk.orders_of("a@b.c") == ()
    assert await target.desk.orders_numbered("R-1") == ()
    assert await target.desk.newest(5) == ()


async def test_accounts_are_compared_without_case_and_their_orders_counted(target, shop):
    await target.write(Stream.CUSTOMERS, [operation(customer("ada@shop.test"), "1")])
    await shop.execute("INSERT INTO customers (id, email) VALUES ('c', 'ADA@shop.test')")
    await target.write(Stream.ORDERS, [operation(order(customer="demo:1"), "1")])

    found = await target.desk.accounts("Ada@Shop.test")

    assert {each.id for each in found} == {"demo:1", "c"}
    assert (await target.desk.history("demo:1"), await target.desk.history("c")) == (1, 0)


async def test_rows_cause_nothing(target):
    assert await target.traces.of_orders(["demo:1"]) == ()
    assert await target.traces.webhooks() == ()
    assert await target.traces.gap(Effect.MAIL) == ""
