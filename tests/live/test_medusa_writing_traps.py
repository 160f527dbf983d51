"""What Medusa does with what it is sent that nobody expects. One test a trap."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from connectors.base import Applied, Uncertain
from connectors.records import Order, Product, Stream
from connectors.testing.contents import (
    HOME,
    contents,
    customer,
    gbp,
    level,
    order,
    product,
    refund,
    variant,
)
from connectors.testing.operations import applied, operations
from tests.live.medusa.bench import told_aloud
from tests.live.medusa.selling import new_customer, pay, place_order, set_stock, shirt
from tests.live.medusa.staff import goods, make, only, refusal, writing
from tests.live.medusa.store import MedusaStore

_TOO_SHORT = 0.25
"""Seconds in which Medusa answers anything but a batch of many products."""

# --- writing -------------------------------------------------------------------------------------


async def test_variants_and_prices_that_are_not_named_are_deleted_by_medusa(
    medusa: MedusaStore,
) -> None:
    tag = (await medusa.ask("POST", "product-tags", {"value": "new"}))["product_tag"]
    body = {k: v for k, v in shirt(1, "", tag["id"]).items() if k != "categories"}
    [made] = await make(medusa, body)
    first = made["variants"][0]["id"]
    await medusa.ask("POST", f"products/{made['id']}", {"variants": [{"id": first, "title": "x"}]})
    price = [{"id": first, "prices": [{"currency_code": "gbp", "amount": 1}]}]
    await medusa.ask("POST", f"products/{made['id']}/variants/batch", {"update": price})
    found = await medusa.ask("GET", f"products/{made['id']}")
    [left] = found["product"]["variants"]
    assert [each["currency_code"] for each in left["prices"]] == ["gbp"]


async def test_an_update_of_a_price_leaves_other_variants_and_prices_alone(
    medusa: MedusaStore,
) -> None:
    """In the target, prices in euros were added by hand."""
    sent = product(1, sku="", kind="variable", regular_price=None)
    sent = replace(sent, variants=(variant(1, "Small"), variant(1, "Large")))
    async with writing(medusa) as target:
        [create] = operations(Stream.PRODUCTS, [sent])
        made = applied(await target.write(Stream.PRODUCTS, [create]))["1"]
        [first, *_] = made.children.values()
        by_hand = [{"currency_code": "gbp", "amount": 9.95}, {"currency_code": "eur", "amount": 12}]
        path = f"products/{made.target_id}/variants/batch"
        await medusa.ask("POST", path, {"update": [{"id": first, "prices": by_hand}]})
        dearer = replace(sent.variants[0], regular_price=gbp("11"))
        update = replace(
            create,
            content=replace(sent, variants=(dearer, sent.variants[1])),
            target_id=made.target_id,
            children=made.children,
            changed=frozenset({"variants"}),
            variants={dearer.id: frozenset({"regular_price"}), sent.variants[1].id: frozenset()},
        )
        applied(await target.write(Stream.PRODUCTS, [update]))
    found = (await medusa.ask("GET", f"products/{made.target_id}"))["product"]["variants"]
    prices = {
        each["id"]: sorted((p["currency_code"], p["amount"]) for p in each["prices"])
        for each in found
    }
    assert prices.pop(first) == [("eur", 12), ("gbp", 11)]
    assert list(prices.values()) == [[("gbp", 9.95)]]


async def test_a_price_that_is_taken_away_is_gone_and_others_stay(medusa: MedusaStore) -> None:
    """In the target, a price in euros was added by hand."""
    [create] = operations(Stream.PRODUCTS, [product(1)])
    async with writing(medusa) as target:
        made = applied(await target.write(Stream.PRODUCTS, [create]))["1"]
        only_id = (await medusa.ask("GET", f"products/{made.target_id}"))["product"]["variants"][0]
        by_hand = [{"currency_code": "gbp", "amount": 2.55}, {"currency_code": "eur", "amount": 3}]
        path = f"products/{made.target_id}/variants/batch"
        await medusa.ask("POST", path, {"update": [{"id": only_id["id"], "prices": by_hand}]})
        left = []
        for prices in (by_hand, by_hand[:1]):
            await medusa.ask("POST", path, {"update": [{"id": only_id["id"], "prices": prices}]})
            update = replace(
                create,
                content=product(1, regular_price=None),
                target_id=made.target_id,
                children=made.children,
                changed=frozenset({"regular_price"}),
            )
            done = applied(await target.write(Stream.PRODUCTS, [update]))["1"]
            assert isinstance(done.content, Product)
            assert done.content.regular_price is None
            found = (await medusa.ask("GET", f"products/{made.target_id}"))["product"]["variants"]
            left.append([each["currency_code"] for each in found[0]["prices"]])
    assert left == [["eur"], []]


async def test_a_product_of_hundreds_of_variants_is_taken_and_changed(medusa: MedusaStore) -> None:
    """A product that is sent alone, and not as a batch, is refused from 100 KB on."""
    assert await refusal(medusa, "POST", "products", goods(1, description="x" * 110_000)) == 413
    sizes = tuple(replace(variant(1, f"{number:03}"), id=str(number)) for number in range(250))
    sent = product(1, sku="", kind="variable", regular_price=None, variants=sizes)
    [create] = operations(Stream.PRODUCTS, [replace(sent, description="x" * 60_000)])
    async with writing(medusa) as target:
        made = applied(await target.write(Stream.PRODUCTS, [create]))["1"]
        longer = replace(
            create,
            content=replace(sent, description="y" * 110_000),
            target_id=made.target_id,
            children=made.children,
            changed=frozenset({"description"}),
        )
        done = applied(await target.write(Stream.PRODUCTS, [longer]))["1"]
    assert len(made.children) == 250
    assert isinstance(done.content, Product)
    assert (len(done.content.variants), len(done.content.description)) == (250, 110_000)


async def test_an_external_id_protects_nothing_and_a_create_sent_twice_makes_one(
    medusa: MedusaStore,
) -> None:
    twins = [goods(number, external_id="m1:products:1") for number in (7, 8)]
    assert len(await make(medusa, *twins)) == 2
    await medusa.empty()
    sent = operations(Stream.PRODUCTS, [product(1)])
    async with writing(medusa) as target:
        first = applied(await target.write(Stream.PRODUCTS, sent))["1"]
        again = applied(await target.write(Stream.PRODUCTS, sent))["1"]
    assert first.target_id == again.target_id
    assert (await medusa.ask("GET", "products"))["count"] == 1


async def test_a_batch_that_timed_out_still_completes_and_a_second_one_doubles_nothing(
    medusa: MedusaStore,
) -> None:
    """Products without a SKU: nothing but our key protects them."""
    sent = operations(Stream.PRODUCTS, [product(number, sku="") for number in range(50)])
    async with writing(medusa, timeout=_TOO_SHORT) as target:
        outcomes = await target.write(Stream.PRODUCTS, sent)
    assert all(isinstance(each, Uncertain) and each.running for each in outcomes)
    for _ in range(300):
        if (await medusa.ask("GET", "products", fields="id", limit=1))["count"] == len(sent):
            break
        await asyncio.sleep(0.1)
    async with writing(medusa) as target:
        found = await target.find(Stream.PRODUCTS, sent)
        again = applied(await target.write(Stream.PRODUCTS, sent[:2]))
    assert len({each.target_id for each in found.values()}) == len(sent)
    assert all(again[each].target_id == found[each].target_id for each in again)
    assert (await medusa.ask("GET", "products", fields="id", limit=1))["count"] == len(sent)


async def test_one_bad_product_fails_a_whole_batch_and_spoils_no_other(
    medusa: MedusaStore,
) -> None:
    body = {"create": [goods(1), goods(2, handle="mug-1")]}
    assert await refusal(medusa, "POST", "products/batch", body) == 400
    assert (await medusa.ask("GET", "products"))["count"] == 0
    sent = operations(Stream.PRODUCTS, [product(1), product(2, sku="MUG-1"), product(3)])
    async with writing(medusa) as target:
        found = {each.source_id: each for each in await target.write(Stream.PRODUCTS, sent)}
    assert [isinstance(found[each], Applied) for each in "123"] == [True, False, True]


async def test_a_product_that_was_written_by_half_is_found_and_finished(
    medusa: MedusaStore,
) -> None:
    """A server that was killed left products without their variants."""
    sent = replace(
        product(1, sku="", kind="variable", regular_price=None), variants=(variant(1, "S"),)
    )
    [create] = operations(Stream.PRODUCTS, [sent])
    async with writing(medusa) as target:
        made = applied(await target.write(Stream.PRODUCTS, [create]))["1"]
        for table in ("product_variant", "inventory_item"):
            await medusa.database.execute(f"DELETE FROM {table}")  # noqa: S608
        match = (await target.find(Stream.PRODUCTS, [create]))["1"]
        assert (match.target_id, match.children) == (made.target_id, {})
        applied(await target.write(Stream.PRODUCTS, [replace(create, target_id=match.target_id)]))
        content = (await target.get(Stream.PRODUCTS, [made.target_id]))[made.target_id].content
    assert isinstance(content, Product)
    assert [each.sku for each in content.variants] == ["SHIRT-1-S"]


async def test_emails_that_differ_in_case_are_two_customers_and_found_as_one(
    medusa: MedusaStore,
) -> None:
    await new_customer(medusa, "Ann@Example.test")
    await new_customer(medusa, "ann@example.test")
    assert (await medusa.ask("GET", "customers"))["count"] == 2
    await medusa.empty()
    theirs = await new_customer(medusa, "Ann.1@Example.test")
    async with writing(medusa) as target:
        found = await target.find(Stream.CUSTOMERS, operations(Stream.CUSTOMERS, [customer(1)]))
    assert found["1"].target_id == theirs


async def test_addresses_sent_twice_are_two_and_the_connector_leaves_one(
    medusa: MedusaStore,
) -> None:
    made = await new_customer(medusa, "ann.2@example.test")
    for _ in range(2):
        await medusa.ask("POST", f"customers/{made}/addresses", {"city": "Leeds"})
    found = await medusa.ask("GET", f"customers/{made}", fields="id,*addresses")
    assert len(found["customer"]["addresses"]) == 4
    [create] = operations(Stream.CUSTOMERS, [customer(1, shipping=HOME)])
    async with writing(medusa) as target:
        target_id = applied(await target.write(Stream.CUSTOMERS, [create]))["1"].target_id
        again = replace(create, target_id=target_id)
        applied(await target.write(Stream.CUSTOMERS, [again, again]))
    found = await medusa.ask("GET", f"customers/{target_id}", fields="id,*addresses")
    names = sorted(each["address_name"] for each in found["customer"]["addresses"])
    assert names == ["billing", "shipping"]


async def test_a_level_that_exists_cannot_be_created_and_is_set_all_the_same(
    medusa: MedusaStore,
) -> None:
    await make(medusa, goods(1))
    await set_stock(medusa, {"MUG-1": 5})
    [item] = (await medusa.ask("GET", "inventory-items", fields="id,*location_levels"))[
        "inventory_items"
    ]
    body = {
        "inventory_item_id": item["id"],
        "location_id": item["location_levels"][0]["location_id"],
    }
    path = "inventory-items/location-levels/batch"
    assert await refusal(medusa, "POST", path, {"create": [body]}) == 400
    [found] = (await medusa.ask("GET", "products", fields="id"))["products"]
    wanted = replace(level(1), product=found["id"])
    async with writing(medusa) as target:
        applied(await target.write(Stream.INVENTORY, operations(Stream.INVENTORY, [wanted])))
    record = await only(medusa, Stream.INVENTORY)
    assert getattr(record.content, "quantity") == wanted.quantity  # noqa: B009


async def test_stock_that_is_reserved_comes_on_top(medusa: MedusaStore) -> None:
    [made] = await make(medusa, goods(1))
    await set_stock(medusa, {"MUG-1": 5})
    [item] = (await medusa.ask("GET", "inventory-items", fields="id,*location_levels"))[
        "inventory_items"
    ]
    place = item["location_levels"][0]["location_id"]
    body = {"inventory_item_id": item["id"], "location_id": place, "quantity": 2}
    await medusa.ask("POST", "reservations", body)
    wanted = replace(level(1), product=made["id"])
    async with writing(medusa) as target:
        applied(await target.write(Stream.INVENTORY, operations(Stream.INVENTORY, [wanted])))
    record = await only(medusa, Stream.INVENTORY)
    assert getattr(record.content, "quantity") == wanted.quantity  # noqa: B009


async def test_what_is_sold_out_without_being_counted_is_not_for_sale(medusa: MedusaStore) -> None:
    """Medusa sells whatever it does not count."""
    [made] = await make(medusa, goods(1))
    await set_stock(medusa, {"MUG-1": 5})
    blocked = replace(level(1), product=made["id"], counted=False, quantity=None, backorders="yes")
    blocked = replace(blocked, availability="out_of_stock")
    async with writing(medusa) as target:
        applied(await target.write(Stream.INVENTORY, operations(Stream.INVENTORY, [blocked])))
    record = await only(medusa, Stream.INVENTORY)
    assert getattr(record.content, "availability") == "out_of_stock"  # noqa: B009


# --- orders --------------------------------------------------------------------------------------


async def test_converting_a_draft_announces_it_and_the_add_on_announces_nothing(
    medusa: MedusaStore,
) -> None:
    region = {"name": "Britain", "currency_code": "gbp"}
    made = (await medusa.ask("POST", "regions", region))["region"]["id"]
    draft = {"email": "ann@example.test", "region_id": made}
    draft |= {"items": [{"title": "Mug", "quantity": 1, "unit_price": 2.55}]}
    drafted = (await medusa.ask("POST", "draft-orders", draft))["draft_order"]["id"]
    await medusa.ask("POST", f"draft-orders/{drafted}/convert-to-order", {})
    await medusa.ask("DELETE", f"regions/{made}")
    assert "order.placed" in told_aloud(medusa)
    await medusa.empty()
    sent = operations(Stream.ORDERS, contents(Stream.ORDERS, 3))
    async with writing(medusa) as target:
        applied(await target.write(Stream.ORDERS, sent))
    assert told_aloud(medusa) == {}


async def test_an_order_that_is_sent_again_changes_nothing_at_all(medusa: MedusaStore) -> None:
    """Medusa ignores `Idempotency-Key`: the ids of the order and its digest do it."""
    sent = operations(Stream.ORDERS, [order(1)])
    everything = 'SELECT xmin::text, * FROM "order"'
    async with writing(medusa) as target:
        applied(await target.write(Stream.ORDERS, sent))
        before = await medusa.database.fetch(everything)
        applied(await target.write(Stream.ORDERS, sent))
        assert await medusa.database.fetch(everything) == before


async def test_an_order_of_hundreds_of_lines_is_taken(medusa: MedusaStore) -> None:
    """Plain JSON of more than 100 KB is refused by Medusa."""
    assert await refusal(medusa, "POST", "customers", {"first_name": "x" * 110_000}) == 413
    line = order(1).lines[0]
    lines = tuple(replace(line, id=str(number), name=f"Mug {number}") for number in range(200))
    sums = gbp(str(line.total.amount * len(lines)))
    large = order(1, lines=lines, fees=(), shipping_lines=(), shipping_total=gbp("0"), total=sums)
    async with writing(medusa) as target:
        made = applied(await target.write(Stream.ORDERS, operations(Stream.ORDERS, [large])))["1"]
    assert isinstance(made.content, Order)
    assert (len(made.content.lines), made.content.total) == (200, sums)


async def test_new_orders_get_numbers_behind_those_that_came_in(medusa: MedusaStore) -> None:
    async with writing(medusa) as target:
        sent = operations(Stream.ORDERS, [replace(order(1), number="700000")])
        applied(await target.write(Stream.ORDERS, sent))
    await make(medusa, goods(1), goods(2))
    made = await place_order(medusa, 1, email="ann@example.test")
    found = (await medusa.ask("GET", f"orders/{made}", fields="display_id"))["order"]
    assert found["display_id"] == 700_001


async def test_an_order_that_the_target_has_worked_on_is_left_alone(medusa: MedusaStore) -> None:
    [create] = operations(Stream.ORDERS, [order(1, status="pending", paid_at=None)])
    async with writing(medusa) as target:
        made = applied(await target.write(Stream.ORDERS, [create]))["1"]
        await pay(medusa, made.target_id)
        changed = replace(order(1), note="Ring twice")
        update = replace(create, content=changed, target_id=made.target_id, changed=None)
        [outcome] = await target.write(Stream.ORDERS, [update])
    assert getattr(outcome, "code", outcome) == "order_worked_on"


async def test_an_imported_order_follows_its_source_in_medusas_own_words(
    medusa: MedusaStore,
) -> None:
    """It is paid, then partly given back, then that is taken back; a resend changes nothing."""
    placed = order(1, status="pending", paid_at=None, completed_at=None)
    paid = order(1, status="processing", completed_at=None)
    torn = replace(paid, refunds=(refund(9, "2.55"),))
    [create] = operations(Stream.ORDERS, [placed])
    seen = []
    async with writing(medusa) as target:
        made = applied(await target.write(Stream.ORDERS, [create]))["1"]
        for content, fields in (
            (placed, frozenset({"note"})),
            (paid, frozenset({"status", "paid_at", "transactions"})),
            (torn, frozenset({"refunds"})),
            (torn, frozenset({"refunds"})),
            (paid, frozenset({"refunds"})),
        ):
            update = replace(create, content=content, target_id=made.target_id, changed=fields)
            applied(await target.write(Stream.ORDERS, [update]))
            wanted = "display_id,status,total,payment_status,*summary"
            found = await medusa.ask("GET", f"orders/{made.target_id}", fields=wanted)
            row = found["order"]
            assert (row["display_id"], row["total"]) == (53631, 37.3)
            sums = row["summary"]
            seen.append((row["payment_status"], sums["paid_total"], sums["refunded_total"]))
    assert seen == [
        ("awaiting", 0, 0),
        ("captured", 37.3, 0),
        ("partially_refunded", 37.3, 2.55),
        ("partially_refunded", 37.3, 2.55),
        ("captured", 37.3, 0),
    ]
    assert told_aloud(medusa) == {}
