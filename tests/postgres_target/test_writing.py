import asyncio
import json
from decimal import Decimal

import pytest

from connectors.base import Applied, Refused
from connectors.errors import TryLater
from connectors.permit import permitted_by
from connectors.postgres.target import PostgresTarget
from connectors.records import Stream, money
from tests.postgres_target.contents import (
    CREATED,
    category,
    customer,
    level,
    operation,
    order,
    product,
)


async def _row(shop, table: str) -> dict:
    return dict(await shop.fetchrow(f"SELECT * FROM {table}"))  # noqa: S608


async def test_an_order_fills_typed_columns_and_keeps_the_rest_as_a_document(target, shop):
    outcomes = await target.write(Stream.ORDERS, [operation(order())])

    assert outcomes == [Applied(source_id="7", target_id="demo:7")]
    row = await _row(shop, "orders")
    assert row["id"] == "demo:7"
    assert row["source_id"] == "7"
    assert row["number"] == "1007"
    assert row["customer_id"] == "demo:customer"
    assert row["created_at"] == CREATED
    assert row["paid_at"] is None
    assert [each["id"] for each in json.loads(row["lines"])] == ["11", "12"]
    assert json.loads(row["refunds"])[0]["amount"] == {"amount": "5", "currency": "EUR"}
    data = json.loads(row["data"])
    assert data["billing"]["country"] == "DE"
    assert data["extra"] == {"order_key": "wc_order_1"}
    assert "number" not in data


async def test_amounts_are_exact_numbers(target, shop):
    await target.write(Stream.ORDERS, [operation(order())])

    row = await _row(shop, "orders")
    assert row["total"] == Decimal("1234567.891")
    assert row["tax_total"] == Decimal(19)


async def test_every_stream_has_its_table(target, shop):
    await target.write(Stream.CATEGORIES, [operation(category("mugs"))])
    await target.write(Stream.PRODUCTS, [operation(product())])
    await target.write(Stream.CUSTOMERS, [operation(customer("ada@example.com"))])
    await target.write(Stream.INVENTORY, [operation(level())])

    assert (await _row(shop, "categories"))["parent_id"] == "demo:c0"
    made = await _row(shop, "products")
    assert (made["currency"], made["regular_price"]) == ("EUR", Decimal("12.5"))
    assert json.loads(made["category_ids"]) == ["demo:c1"]
    assert (await _row(shop, "customers"))["email"] == "ada@example.com"
    stock = await _row(shop, "inventory")
    assert (stock["product_id"], stock["variant_id"]) == ("demo:product", "501")
    assert stock["quantity"] == Decimal("7.5")


async def test_a_call_takes_more_rows_than_one_statement(target, shop):
    many = [operation(order(number=str(n)), str(n)) for n in range(1201)]

    outcomes = await target.write(Stream.ORDERS, many)

    assert {each.source_id for each in outcomes} == {each.source_id for each in many}
    assert await shop.fetchval("SELECT count(DISTINCT number) FROM orders") == 1201


async def test_sending_a_create_again_touches_nothing(target, shop):
    await target.write(Stream.ORDERS, [operation(order())])
    before = await shop.fetchval("SELECT xmin::text FROM orders")

    outcomes = await target.write(Stream.ORDERS, [operation(order())])

    assert outcomes == [Applied(source_id="7", target_id="demo:7")]
    assert await shop.fetchval("SELECT xmin::text FROM orders") == before


async def test_of_two_operations_on_one_record_the_later_counts(target, shop):
    twice = [operation(order(status=status)) for status in ("pending", "completed")]

    outcomes = await target.write(Stream.ORDERS, twice)

    assert len(outcomes) == 2
    assert (await _row(shop, "orders"))["status"] == "completed"


async def test_an_update_writes_the_changed_fields_alone(target, shop):
    await target.write(Stream.ORDERS, [operation(order())])
    await shop.execute(
        "UPDATE orders SET email = 'team@example.com', data = data || '{\"note\": \"ours\"}'"
    )
    change = order(status="completed", note="theirs", extra={"order_key": "new"})

    await target.write(
        Stream.ORDERS,
        [operation(change, target_id="demo:7", changed=frozenset({"status", "extra"}))],
    )

    row = await _row(shop, "orders")
    assert row["status"] == "completed"
    assert row["email"] == "team@example.com"
    data = json.loads(row["data"])
    assert data["note"] == "ours"
    assert data["extra"] == {"order_key": "new"}


async def test_whole_and_partial_updates_and_creates_share_a_call(target, shop):
    await target.write(Stream.ORDERS, [operation(order(), each) for each in ("1", "2")])
    new = order(number="9", status="completed")

    outcomes = await target.write(
        Stream.ORDERS,
        [
            operation(new, "1", target_id="demo:1"),
            operation(new, "2", target_id="demo:2", changed=frozenset({"status"})),
            operation(new, "3"),
        ],
    )

    assert all(isinstance(each, Applied) for each in outcomes)
    rows = await shop.fetch("SELECT number, status FROM orders ORDER BY id")
    assert [tuple(row) for row in rows] == [
        ("9", "completed"),
        ("1007", "completed"),
        ("9", "completed"),
    ]


async def test_what_others_added_stays(target, shop):
    await target.write(Stream.ORDERS, [operation(order())])
    await shop.execute("ALTER TABLE orders ADD COLUMN picked_by text")
    await shop.execute("UPDATE orders SET picked_by = 'Kim', data = data || '{\"erp\": 4}'")

    await target.write(Stream.ORDERS, [operation(order(status="completed"), target_id="demo:7")])

    row = await _row(shop, "orders")
    assert (row["status"], row["picked_by"]) == ("completed", "Kim")
    assert json.loads(row["data"])["erp"] == 4


async def test_an_update_of_a_row_that_is_gone_makes_none(target, shop):
    await target.write(Stream.ORDERS, [operation(order(), "1")])

    outcomes = await target.write(
        Stream.ORDERS,
        [
            operation(order(status="failed"), "1", target_id="demo:1"),
            operation(order(), "2", target_id="demo:2"),
        ],
    )

    gone = {each.source_id: each for each in outcomes}["2"]
    assert isinstance(gone, Refused)
    assert gone.gone
    assert await shop.fetchval("SELECT array_agg(status) FROM orders") == ["failed"]


async def test_a_nul_character_is_left_out_and_told(target, shop):
    dirty = order(note="a\0b", email="x\0@example.com", extra={"k\0": ["\0v"]})

    outcomes = await target.write(Stream.ORDERS, [operation(dirty)])

    assert {loss.field for loss in outcomes[0].losses} == {"note", "email", "extra"}
    row = await _row(shop, "orders")
    assert row["email"] == "x@example.com"
    assert row["total"] == Decimal("1234567.891")
    data = json.loads(row["data"])
    assert (data["note"], data["extra"]) == ("ab", {"k": ["v"]})


async def test_a_nul_character_in_a_partial_update_leaves_other_fields_be(target, shop):
    await target.write(Stream.ORDERS, [operation(order())])
    dirty = order(note="a\0b", status="completed")

    await target.write(
        Stream.ORDERS, [operation(dirty, target_id="demo:7", changed=frozenset({"note"}))]
    )

    row = await _row(shop, "orders")
    assert row["status"] == "processing"
    assert json.loads(row["data"])["note"] == "ab"


async def test_the_text_of_an_escape_is_not_taken_for_a_nul(target, shop):
    outcomes = await target.write(Stream.ORDERS, [operation(order(note="\\u0000"))])

    assert outcomes[0].losses == ()
    assert json.loads((await _row(shop, "orders"))["data"])["note"] == "\\u0000"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"note": "\ud83d"}, "text_not_unicode"),
        ({"email": "\ud83d"}, "value_not_storable"),
        ({"total": money("1", "USD")}, "mixed_currencies"),
        ({"number": "".join(map(chr, range(0x4E00, 0x9000)))}, "value_too_large"),
    ],
)
async def test_a_record_that_cannot_be_stored_leaves_the_others_be(target, shop, fault, code):
    good = [operation(order(), str(n)) for n in range(9)]
    bad = operation(order(**fault), "bad")

    outcomes = await target.write(Stream.ORDERS, [*good[:4], bad, *good[4:]])

    refused = [each for each in outcomes if isinstance(each, Refused)]
    assert [(each.source_id, each.code) for each in refused] == [("bad", code)]
    assert await shop.fetchval("SELECT count(*) FROM orders") == 9


async def test_a_constraint_of_the_shop_refuses_single_records(target, shop):
    await target.write(Stream.CUSTOMERS, [operation(customer("first@example.com"), "0")])
    await shop.execute("ALTER TABLE customers ADD CONSTRAINT only_ours CHECK (email LIKE '%.com')")
    emails = ["a@example.com", "b@example.org", "c@example.com", "d@example.net"]

    outcomes = await target.write(
        Stream.CUSTOMERS, [operation(customer(each), each) for each in emails]
    )

    refused = {each.source_id: each for each in outcomes if isinstance(each, Refused)}
    assert set(refused) == {"b@example.org", "d@example.net"}
    assert refused["b@example.org"].code == "constraint_violated"
    assert "only_ours" in refused["b@example.org"].message
    assert "@" not in refused["b@example.org"].message
    assert await shop.fetchval("SELECT count(*) FROM customers") == 3


async def test_variants_are_named_by_the_ids_the_target_knows(target, shop):
    created = await target.write(Stream.PRODUCTS, [operation(product())])
    known = operation(product(), target_id="demo:7", children={"501": "a", "502": "b"})
    updated = await target.write(Stream.PRODUCTS, [known])

    assert created[0].children == {"501": "501", "502": "502"}
    assert updated[0].children == {"501": "a", "502": "b"}
    variants = json.loads((await _row(shop, "products"))["variants"])
    assert [each["id"] for each in variants] == ["a", "b"]


async def test_writers_of_the_same_records_in_opposite_order_both_succeed(target, shop):
    ids = [str(n) for n in range(60)]

    async def write(order_of_ids: list[str], status: str) -> None:
        for _ in range(5):
            outcomes = await target.write(
                Stream.ORDERS, [operation(order(status=status), each) for each in order_of_ids]
            )
            assert all(isinstance(each, Applied) for each in outcomes)

    await asyncio.gather(write(ids, "pending"), write(ids[::-1], "completed"))

    assert await shop.fetchval("SELECT count(*) FROM orders") == 60


async def test_a_table_dropped_meanwhile_is_made_anew(target, shop):
    await target.write(Stream.ORDERS, [operation(order())])
    await shop.execute("DROP TABLE orders")

    outcomes = await target.write(Stream.ORDERS, [operation(order())])

    assert isinstance(outcomes[0], Applied)
    assert await shop.fetchval("SELECT count(*) FROM orders") == 1


async def test_a_row_that_somebody_holds_is_waited_for_and_then_left_for_later(
    access, shop, target
):
    await target.write(Stream.ORDERS, [operation(order())])
    async with shop.transaction():
        await shop.execute("UPDATE orders SET status = 'on_hold'")
        async with PostgresTarget(access(timeout=0.2)) as hasty:
            with pytest.raises(TryLater):
                await hasty.write(Stream.ORDERS, [operation(order(status="failed"))])
            assert hasty.traffic().throttled > 0

    assert (await _row(shop, "orders"))["status"] == "on_hold"


class TooLate(Exception):
    """What a caller's check raises."""


async def test_nothing_is_committed_once_the_caller_may_not_write_any_more(target, shop):
    def check() -> None:
        raise TooLate

    with permitted_by(check), pytest.raises(TooLate):
        await target.write(Stream.CUSTOMERS, [operation(customer("ada@example.com"))])
    assert await shop.fetchval("SELECT count(*) FROM customers") == 0
    await target.write(Stream.CUSTOMERS, [operation(customer("ada@example.com"))])
    assert await shop.fetchval("SELECT count(*) FROM customers") == 1
