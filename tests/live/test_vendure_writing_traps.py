"""What Vendure does that nobody expects, and what the connector makes of it: writing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from connectors.base import Action, Applied, Operation, Outcome, Refused, Withdrawal
from connectors.errors import SignInAgain
from connectors.grants import Work
from connectors.records import (
    Attribute,
    Category,
    Content,
    InventoryLevel,
    Order,
    Product,
    RefundLine,
    Stream,
    Transaction,
    money,
)
from connectors.testing.contents import (
    HOME,
    LONG_AGO,
    category,
    customer,
    gbp,
    level,
    line,
    order,
    product,
    refund,
    variant,
)
from connectors.testing.operations import applied, operations
from connectors.vendure import CONNECTOR
from connectors.vendure.target import VendureTarget
from tests.live.vendure import goods, sales
from tests.live.vendure.store import VendureStore


@pytest.fixture
async def target(vendure: VendureStore) -> AsyncIterator[VendureTarget]:
    async with VendureTarget(vendure.access()) as opened:
        yield opened


async def write(target: VendureTarget, stream: Stream, *contents: Content) -> list[Applied]:
    """Write records that have to be taken; in order."""
    made = applied(await target.write(stream, operations(stream, contents)))
    return [made[each] for each in sorted(made, key=int)]


def again(stream: Stream, content: Content, made: Applied, **values: Any) -> list[Operation]:
    """The same record once more, as an update."""
    [operation] = operations(stream, [content])
    return [replace(operation, target_id=made.target_id, children=made.children, **values)]


async def rows(store: VendureStore, table: str) -> int:
    found: int = await store.database.fetchval(f'SELECT count(*) FROM "{table}"')  # noqa: S608
    return found


# --- the catalogue -------------------------------------------------------------------------------


async def test_a_taken_slug_silently_becomes_another_and_is_told(
    vendure: VendureStore, target: VendureTarget
) -> None:
    [first, second] = await write(
        target, Stream.PRODUCTS, product(1), product(2, slug=product(1).slug)
    )
    assert isinstance(second.content, Product)
    assert second.content.slug != product(1).slug
    assert ([each.field for each in first.losses], [each.field for each in second.losses]) == (
        [],
        ["slug"],
    )


async def test_creates_of_one_key_in_one_moment_make_one_record(
    vendure: VendureStore, target: VendureTarget
) -> None:
    """The database refuses the second, with status 200 and without any code."""
    [one] = operations(Stream.PRODUCTS, [product(1)])
    found = await asyncio.gather(*(target.write(Stream.PRODUCTS, [one]) for _ in range(4)))
    outcomes = [each for [each] in found]
    assert await rows(vendure, "product") == 1
    assert {each.code for each in outcomes if isinstance(each, Refused)} == {"taken"}
    assert sum(isinstance(each, Applied) for each in outcomes) == 1


async def test_the_key_of_a_deleted_record_is_free_again(
    vendure: VendureStore, target: VendureTarget
) -> None:
    """Vendure keeps what it deletes, and would keep its key taken."""
    for stream, content in ((Stream.PRODUCTS, product(1)), (Stream.CUSTOMERS, customer(1))):
        [made] = await write(target, stream, content)
        [operation] = operations(stream, [content])
        gone = Withdrawal(source_id="1", target_id=made.target_id, key=operation.key)
        applied(await target.remove(stream, [gone], Action.DELETE))
        [new] = await write(target, stream, content)
        assert new.target_id != made.target_id


async def test_a_sku_is_not_unique_and_the_oldest_record_that_is_nobodys_is_found(
    vendure: VendureStore, target: VendureTarget
) -> None:
    [ours] = await write(target, Stream.PRODUCTS, product(1))
    twins = await goods.products(vendure, [8, 9], sku="MUG-1")
    other = replace(operations(Stream.PRODUCTS, [product(1)])[0], key="m1:products:77")
    match = (await target.find(Stream.PRODUCTS, [other]))["1"]
    assert (match.target_id, match.by) == (min(twins, key=int), "sku")
    assert ours.target_id not in twins


async def test_what_is_the_same_is_not_sent_because_that_would_move_its_date(
    vendure: VendureStore, target: VendureTarget
) -> None:
    shirt = product(
        2,
        sku="SHIRTS",
        kind="variable",
        regular_price=None,
        tags=("new",),
        attributes=(Attribute("Size", ("S", "M"), varies=True), Attribute("Wool", ("Lamb",))),
        variants=(variant(2, "S"), variant(2, "M")),
    )
    pairs = (
        (Stream.CATEGORIES, category(1)),
        (Stream.PRODUCTS, shirt),
        (Stream.CUSTOMERS, customer(1, shipping=replace(HOME, city="Paris"))),
    )
    made = [(stream, each, (await write(target, stream, each))[0]) for stream, each in pairs]
    bought = replace(line(1), product=made[1][2].target_id, variant=made[1][2].children["283"])
    content = rich(customer=made[2][2].target_id, lines=(bought,), refunds=(), total=gbp("19.50"))
    made.append((Stream.ORDERS, content, (await write(target, Stream.ORDERS, content))[0]))
    before = await vendure.stamps()
    for stream, content, each in made:
        applied(await target.write(stream, again(stream, content, each)))
    assert await vendure.stamps() == before
    # Vendure itself moves it.
    document = "mutation ($input: UpdateProductInput!) { updateProduct(input: $input) { id } }"
    await vendure.ask(document, input={"id": made[1][2].target_id, "enabled": True})
    assert (await vendure.stamps())["product"] > before["product"]


async def test_variants_come_and_go_with_their_options(
    vendure: VendureStore, target: VendureTarget
) -> None:
    shirt = product(2, sku="", kind="variable", regular_price=None, variants=(variant(2, "S"),))
    [made] = await write(target, Stream.PRODUCTS, shirt)
    more = replace(shirt, variants=(variant(2, "M"), variant(2, "L")))
    [update] = again(Stream.PRODUCTS, more, made, changed=frozenset({"variants"}))
    found = applied(await target.write(Stream.PRODUCTS, [update]))["1"]
    assert isinstance(found.content, Product)
    assert [each.sku for each in found.content.variants] == ["SHIRT-2-M", "SHIRT-2-L"]
    plain = replace(more, kind="simple", sku="SHIRT", regular_price=gbp("5"), variants=())
    [update] = again(Stream.PRODUCTS, plain, found)
    found = applied(await target.write(Stream.PRODUCTS, [update]))["1"]
    assert isinstance(found.content, Product)
    assert (found.content.kind, found.content.sku) == ("simple", "SHIRT")


async def test_of_a_batch_with_one_bad_variant_none_is_made_and_all_are_made_later(
    vendure: VendureStore, target: VendureTarget
) -> None:
    shirt = product(2, sku="", kind="variable", variants=(variant(2, "S"), variant(2, "M")))
    message = "null value in a column violates not-null constraint"
    await vendure.database.execute(
        "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" RAISE EXCEPTION '{message}'; END $$; CREATE TRIGGER spoil BEFORE INSERT ON"
        " product_variant FOR EACH ROW WHEN (NEW.sku = 'SHIRT-2-M') EXECUTE FUNCTION spoil()"
    )
    sent = operations(Stream.PRODUCTS, [shirt])
    try:
        assert await refused(await target.write(Stream.PRODUCTS, sent)) == "store_rejected"
        assert (await rows(vendure, "product"), await rows(vendure, "product_variant")) == (1, 0)
    finally:
        await vendure.database.execute("DROP FUNCTION spoil CASCADE")
    match = (await target.find(Stream.PRODUCTS, sent))["1"]
    later = replace(sent[0], target_id=match.target_id, children=match.children)
    found = applied(await target.write(Stream.PRODUCTS, [later]))["1"].content
    assert isinstance(found, Product)
    assert [each.sku for each in found.variants] == ["SHIRT-2-S", "SHIRT-2-M"]


async def test_variants_of_the_team_and_their_stock_are_left_alone(
    vendure: VendureStore, target: VendureTarget
) -> None:
    sizes = product(2, sku="", kind="variable", regular_price=None)
    theirs = replace(sizes, variants=(variant(2, "S"), variant(2, "M")))
    [made] = await write(target, Stream.PRODUCTS, theirs)
    # As if the team had made it: it has no key, and its variants are no parts of a record.
    await vendure.database.execute('UPDATE product SET "customFieldsRecentsynckey" = NULL')
    alone = product(1, sku="SHIRT-2-S")
    [found] = operations(Stream.PRODUCTS, [alone])
    match = (await target.find(Stream.PRODUCTS, [found]))["1"]
    assert (match.target_id, match.by) == (made.target_id, "sku")
    update = replace(found, target_id=match.target_id, children=match.children)
    assert await refused(await target.write(Stream.PRODUCTS, [update])) == "foreign_variants"
    shown = (await target.get(Stream.PRODUCTS, [made.target_id]))[made.target_id].content
    assert shown == made.content


async def test_what_has_no_price_is_not_for_sale_until_it_has_one(target: VendureTarget) -> None:
    offers = []
    [made] = await write(target, Stream.PRODUCTS, product(1, regular_price=None))
    changed = frozenset({"regular_price"})
    for price in (None, gbp("2.55"), None):
        content = product(1, regular_price=price)
        [update] = again(Stream.PRODUCTS, content, made, changed=changed)
        found = applied(await target.write(Stream.PRODUCTS, [update]))["1"].content
        assert isinstance(found, Product)
        assert (found.status, found.regular_price) == ("published", price)
        [offer] = await target.shopper.by_name(content.name)
        offers.append(offer.price)
    assert offers == [None, gbp("2.55"), None]


async def test_a_variant_without_a_price_keeps_its_status(
    vendure: VendureStore, target: VendureTarget
) -> None:
    unpriced = [replace(variant(2, size), regular_price=None) for size in "SM"]
    hidden = (unpriced[0], replace(unpriced[1], status="draft"))
    shirt = product(2, sku="", kind="variable", regular_price=None, variants=hidden)
    [made] = await write(target, Stream.PRODUCTS, shirt)
    now = replace(shirt, variants=tuple(replace(e, regular_price=gbp("9")) for e in hidden))
    changed = dict.fromkeys((each.id for each in hidden), frozenset({"regular_price"}))
    [update] = again(Stream.PRODUCTS, now, made, changed=frozenset({"variants"}), variants=changed)
    priced = applied(await target.write(Stream.PRODUCTS, [update]))["1"]
    for each in (made, priced):
        assert isinstance(each.content, Product)
        assert [size.status for size in each.content.variants] == ["published", "draft"]
    rows = await vendure.database.fetch("SELECT enabled FROM product_variant ORDER BY id")
    assert [each["enabled"] for each in rows] == [True, False]


async def test_a_product_is_in_a_collection_at_once_and_after_vendures_own_work(
    vendure: VendureStore, target: VendureTarget
) -> None:
    [here, there] = await write(target, Stream.CATEGORIES, category(1), category(2))
    [mug] = await write(target, Stream.PRODUCTS, product(1, categories=(here.target_id,)))
    assert isinstance(mug.content, Product)
    assert mug.content.categories == (here.target_id,)
    moved = product(1, categories=(there.target_id,))
    [update] = again(Stream.PRODUCTS, moved, mug, changed=frozenset({"categories"}))
    applied(await target.write(Stream.PRODUCTS, [update]))
    document = "{ collections { items { id productVariantCount } } }"
    for _ in range(600):
        found = (await vendure.ask(document))["collections"]["items"]
        counts = {each["id"]: each["productVariantCount"] for each in found}
        if counts == {here.target_id: 0, there.target_id: 1}:
            break
        await asyncio.sleep(0.1)
    assert counts == {here.target_id: 0, there.target_id: 1}


async def test_a_collection_moves_and_is_not_deleted_with_what_is_within_it(
    vendure: VendureStore, target: VendureTarget
) -> None:
    [above, below] = await write(target, Stream.CATEGORIES, category(1), category(2))
    [_, move] = operations(Stream.CATEGORIES, [category(1), category(2)])
    for parent in (above.target_id, None):
        content = replace(category(2), parent=parent)
        moved = replace(
            move, content=content, target_id=below.target_id, changed=frozenset({"parent"})
        )
        found = applied(await target.write(Stream.CATEGORIES, [moved]))["2"].content
        assert isinstance(found, Category)
        assert found.parent == parent
        gone = Withdrawal(
            source_id="1", target_id=above.target_id, key=move.key.replace(":2", ":1")
        )
        [answer] = await target.remove(Stream.CATEGORIES, [gone], Action.DELETE)
        assert getattr(answer, "code", "") == ("has_children" if parent else "")
    assert set(await target.get(Stream.CATEGORIES, [above.target_id, below.target_id])) == {
        below.target_id
    }


# --- customers -----------------------------------------------------------------------------------


async def test_a_taken_email_leads_to_its_customer(
    vendure: VendureStore, target: VendureTarget
) -> None:
    theirs = await goods.customer(vendure, 1)
    [made] = await write(target, Stream.CUSTOMERS, customer(1, email="C1@example.test"))
    assert (made.target_id, made.found) == (theirs, "email")
    assert await rows(vendure, "customer") == 1


async def test_customers_made_in_one_moment_are_doubled_and_so_each_email_goes_alone(
    vendure: VendureStore, target: VendureTarget
) -> None:
    made = await asyncio.gather(*(goods.customer(vendure, 1) for _ in range(4)))
    assert len(set(made)) > 1, "Vendure looks before it writes, and locks nothing"
    assert CONNECTOR.writes[Stream.CUSTOMERS].serial_creates
    oldest = min(made, key=int)
    [found] = operations(Stream.CUSTOMERS, [customer(1, email="c1@example.test")])
    match = (await target.find(Stream.CUSTOMERS, [found]))["1"]
    assert (match.target_id, match.by) == (oldest, "email")


async def test_a_customer_is_made_in_silence_and_the_staffs_own_are_not(
    vendure: VendureStore, target: VendureTarget
) -> None:
    """Mail plugins hear of a registration, and mail the customer."""
    await write(target, Stream.CUSTOMERS, customer(1))
    assert await vendure.control("effects") == {}
    await goods.customer(vendure, 2)
    assert (await vendure.control("effects"))["AccountRegistrationEvent"] == 1


async def test_a_country_that_the_store_does_not_have_is_told(target: VendureTarget) -> None:
    strange = customer(1, billing=replace(HOME, country="XX"))
    [outcome] = await target.write(Stream.CUSTOMERS, operations(Stream.CUSTOMERS, [strange]))
    assert isinstance(outcome, Refused)
    assert outcome.code == "country_unknown"


async def test_names_in_an_address_are_kept_apart(target: VendureTarget) -> None:
    """Vendure has one field for a full name."""
    home = replace(HOME, first_name="Ann Mary", last_name="van Dyck", email="bills@example.test")
    [made] = await write(target, Stream.CUSTOMERS, customer(1, billing=home, shipping=HOME))
    found = (await target.get(Stream.CUSTOMERS, [made.target_id]))[made.target_id].content
    assert (found.billing, found.shipping) == (home, HOME)  # type: ignore[union-attr]


# --- orders --------------------------------------------------------------------------------------


def rich(**values: Any) -> Order:
    """An order with a bit of everything."""
    mug = line(1, quantity=3, total=gbp("9"), subtotal=gbp("10"), tax=gbp("1.81"))
    back = refund(5, "4.20", RefundLine(line="1", quantity=1, total=gbp("3"), tax=gbp("0.60")))
    fields = {"lines": (mug,), "fees": (), "refunds": (back,), "total": gbp("15.01")}
    return order(1, **fields | {"tax_total": gbp("1.81"), "discount_total": gbp("1")} | values)


async def test_an_order_keeps_what_it_was_and_comes_once(
    vendure: VendureStore, target: VendureTarget
) -> None:
    """Vendure's own drafts take no number, date or price; adding an item twice adds it twice, and
    a refund that is sent again is paid again.
    """
    content = rich()
    for _ in range(2):
        [made] = await write(target, Stream.ORDERS, content)
    tables = ("order", "order_line", "payment", "refund", "fulfillment", "shipping_line")
    assert [await rows(vendure, each) for each in tables] == [1] * 6
    found = (await target.get(Stream.ORDERS, [made.target_id]))[made.target_id].content
    assert isinstance(found, Order)
    kept = ("number", "status", "currency", "total", "tax_total", "shipping_total", "created_at")
    kept += ("discount_total", "email", "billing", "paid_at", "completed_at")
    assert {each: getattr(found, each) for each in kept} == {
        each: getattr(content, each) for each in kept
    }
    [mug] = found.lines
    assert (mug.name, mug.quantity, mug.subtotal, mug.total, mug.tax) == (
        "Mug 1",
        3,
        gbp("10"),
        gbp("9"),
        gbp("1.81"),
    )
    [back] = found.refunds
    assert (back.amount, back.lines[0].line, back.lines[0].total) == (gbp("4.2"), mug.id, gbp("3"))
    assert await vendure.control("effects") == {}


async def test_an_imported_order_goes_on(vendure: VendureStore, target: VendureTarget) -> None:
    content = rich(status="processing", refunds=(), completed_at=None)
    [made] = await write(target, Stream.ORDERS, content)
    later = replace(rich(), lines=(*content.lines, line(2)), total=gbp("30.31"), note="Ring twice")
    outcomes = await target.write(Stream.ORDERS, again(Stream.ORDERS, later, made))
    found = applied(outcomes)["1"].content
    assert isinstance(found, Order)
    assert (found.status, len(found.lines), found.total, found.note) == (
        "completed",
        2,
        gbp("30.31"),
        "Ring twice",
    )
    assert len(found.refunds) == 1
    assert found.lines[0].id == made.children["1"]


async def test_what_an_imported_order_has_no_more_goes(
    vendure: VendureStore, target: VendureTarget
) -> None:
    """Also a refund with its lines, a payment that another one takes the place of, a shipment."""
    [made] = await write(target, Stream.ORDERS, rich())
    less = rich(status="processing", refunds=(), transactions=(), completed_at=None)
    applied(await target.write(Stream.ORDERS, again(Stream.ORDERS, less, made)))
    tables = ("payment", "refund", "fulfillment", "order_line_reference")
    assert [await rows(vendure, each) for each in tables] == [1, 0, 0, 0]
    found = (await target.get(Stream.ORDERS, [made.target_id]))[made.target_id].content
    assert isinstance(found, Order)
    assert (found.status, found.transactions, found.refunds) == ("processing", (), ())


async def test_staff_can_send_an_imported_order_and_no_stock_is_taken_twice(
    vendure: VendureStore, target: VendureTarget
) -> None:
    [mug] = await write(target, Stream.PRODUCTS, product(1))
    await write(target, Stream.INVENTORY, replace(level(1), product=mug.target_id))
    sold = line(1, product=mug.target_id, quantity=2, each="2.55")
    content = rich(status="processing", lines=(sold,), refunds=(), completed_at=None)
    [made] = await write(target, Stream.ORDERS, replace(content, total=gbp("9.30")))
    await sales.deliver(vendure, made.target_id)
    found = (await target.get(Stream.ORDERS, [made.target_id]))[made.target_id].content
    assert isinstance(found, Order)
    assert (found.status, found.lines[0].product) == ("completed", mug.target_id)
    stock = (await target.get(Stream.INVENTORY, [mug.target_id]))[mug.target_id].content
    assert isinstance(stock, InventoryLevel)
    assert stock.quantity == level(1).quantity


async def test_an_order_that_staff_has_worked_on_is_theirs(
    vendure: VendureStore, target: VendureTarget
) -> None:
    """What is written of it as a whole would take back what they did."""
    content = rich(status="processing", refunds=(), completed_at=None)
    [made] = await write(target, Stream.ORDERS, content)
    await sales.send(vendure, made.target_id, pieces=1)
    fields = "state totalWithTax fulfillments { state } payments { state }"
    before = await sales.shown(vendure, made.target_id, fields)
    assert before["state"] == "PartiallyShipped"
    back = replace(content, refunds=rich().refunds)
    outcomes = await target.write(Stream.ORDERS, again(Stream.ORDERS, back, made))
    assert await refused(outcomes) == "order_worked_on"
    # The same as before is nothing new, and a note is no part of what they did.
    for note in (content.note, "Ring twice"):
        same = replace(content, note=note)
        found = applied(await target.write(Stream.ORDERS, again(Stream.ORDERS, same, made)))["1"]
        assert isinstance(found.content, Order)
        assert found.content.note == note
    assert await sales.shown(vendure, made.target_id, fields) == before
    await sales.refund(vendure, made.target_id, 100)


async def test_what_staff_took_out_of_an_order_is_not_put_back(
    vendure: VendureStore, target: VendureTarget
) -> None:
    content = rich(status="processing", refunds=(), completed_at=None)
    [made] = await write(target, Stream.ORDERS, content)
    await sales.cancel(vendure, made.target_id, pieces=1)
    fields = "state totalWithTax lines { quantity orderPlacedQuantity }"
    before = await sales.shown(vendure, made.target_id, fields)
    assert before["lines"] == [{"quantity": 2, "orderPlacedQuantity": 3}]
    outcomes = await target.write(Stream.ORDERS, again(Stream.ORDERS, rich(), made))
    assert await refused(outcomes) == "order_worked_on"
    [note] = again(Stream.ORDERS, replace(content, note="Ring"), made, changed=frozenset({"note"}))
    applied(await target.write(Stream.ORDERS, [note]))
    assert await sales.shown(vendure, made.target_id, fields) == before


async def test_a_payment_that_staff_took_is_not_awaited_again(
    vendure: VendureStore, target: VendureTarget
) -> None:
    taken = Transaction(gateway="voucher", amount=gbp("5"), at=LONG_AGO)
    awaited = Transaction(gateway="cash", amount=gbp("10.01"))
    content = rich(status="processing", refunds=(), completed_at=None)
    content = replace(content, transactions=(taken, awaited))
    [made] = await write(target, Stream.ORDERS, content)
    paid = (await sales.shown(vendure, made.target_id, "payments { id state }"))["payments"]
    assert {each["state"] for each in paid} == {"Settled", "Created"}
    [waiting] = [each["id"] for each in paid if each["state"] == "Created"]
    await vendure.ask(
        'mutation ($id: ID!) { transitionPaymentToState(id: $id, state: "Settled") '
        "{ __typename ... on ErrorResult { message } } }",
        id=waiting,
    )
    back = replace(content, refunds=rich().refunds)
    outcomes = await target.write(Stream.ORDERS, again(Stream.ORDERS, back, made))
    assert await refused(outcomes) == "order_worked_on"
    paid = (await sales.shown(vendure, made.target_id, "payments { state }"))["payments"]
    assert {each["state"] for each in paid} == {"Settled"}


async def test_an_order_keeps_a_currency_that_the_shop_does_not_sell_in(
    vendure: VendureStore, target: VendureTarget
) -> None:
    mug = replace(line(1, quantity=2), total=money("900", "JPY"), subtotal=money("900", "JPY"))
    mug = replace(mug, tax=money("0", "JPY"), subtotal_tax=money("0", "JPY"))
    none = {each: money("0", "JPY") for each in ("tax_total", "shipping_total", "discount_total")}
    parts: dict[str, Any] = {"lines": (mug,), "shipping_lines": (), "fees": ()}
    yen = order(1, currency="JPY", total=money("900", "JPY"), **none, **parts)
    [made] = await write(target, Stream.ORDERS, yen)
    assert isinstance(made.content, Order)
    assert (made.content.currency, made.content.total) == ("JPY", money("900", "JPY"))
    mixed = replace(yen, number="2", lines=(replace(mug, total=gbp("9")),))
    outcomes = await target.write(Stream.ORDERS, operations(Stream.ORDERS, [mixed], 2))
    assert await refused(outcomes) == "other_currency"


async def test_a_number_that_another_order_has_is_refused(
    vendure: VendureStore, target: VendureTarget
) -> None:
    await goods.order(vendure, 1, code=rich().number)
    [outcome] = await target.write(Stream.ORDERS, operations(Stream.ORDERS, [rich()]))
    assert isinstance(outcome, Refused)
    assert outcome.code == "number_taken"


async def test_whoever_lacks_the_permission_imports_nothing(vendure: VendureStore) -> None:
    answer = await vendure.staff.post(
        "/admin-api",
        json={"query": goods.IMPORT, "variables": {"input": {"key": "m1:orders:1"}}},
        headers={"Authorization": ""},
    )
    assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


# --- stock ---------------------------------------------------------------------------------------


async def test_stock_is_what_is_for_sale_besides_what_open_orders_hold(
    vendure: VendureStore, target: VendureTarget
) -> None:
    [mug] = await goods.products(vendure, [1], stockOnHand=10)
    [buyer] = await goods.make(vendure, Stream.CUSTOMERS, 1)
    await sales.sell(vendure, mug, buyer, quantity=3)
    wanted = replace(level(1), product=mug)
    for _ in range(2):
        await write(target, Stream.INVENTORY, wanted)
    held = await vendure.database.fetchrow(
        'SELECT "stockOnHand", "stockAllocated" FROM stock_level'
    )
    assert tuple(held) == (11, 3)
    found = (await target.get(Stream.INVENTORY, [mug]))[mug].content
    assert isinstance(found, InventoryLevel)
    assert found.quantity == wanted.quantity


# --- without the add-on --------------------------------------------------------------------------


async def refused(outcomes: Sequence[Outcome]) -> str:
    [outcome] = outcomes
    assert isinstance(outcome, Refused)
    return outcome.code


async def test_what_an_administrator_lacks_is_told_and_is_refused(vendure: VendureStore) -> None:
    role = {
        "code": "half",
        "description": "Half",
        "permissions": ["ReadCatalog", "CreateCatalog", "UpdateCatalog", "ReadCustomer"],
    }
    made = await vendure.ask(
        "mutation ($input: CreateRoleInput!) { createRole(input: $input) { id } }", input=role
    )
    clerk = {"emailAddress": "clerk@shop.test", "password": "half-a-key"}
    names = {"firstName": "Cleo", "lastName": "Clerk", "roleIds": [made["createRole"]["id"]]}
    await vendure.ask(
        "mutation ($input: CreateAdministratorInput!) "
        "{ createAdministrator(input: $input) { id } }",
        input=clerk | names,
    )
    ways = {"username": clerk["emailAddress"], "password": clerk["password"]}
    access = replace(vendure.access(), credentials=CONNECTOR.credentials(**ways))
    async with VendureTarget(access) as target:
        streams = frozenset({Stream.PRODUCTS, Stream.CUSTOMERS, Stream.INVENTORY})
        lacks = await target.lacks(Work(streams=streams))
        assert {(each.permission, each.stream) for each in lacks} == {
            ("DeleteCatalog", Stream.PRODUCTS),
            ("CreateCustomer", Stream.CUSTOMERS),
            ("UpdateCustomer", Stream.CUSTOMERS),
            ("DeleteCustomer", Stream.CUSTOMERS),
            ("ReadSettings", Stream.CUSTOMERS),
        }
        [made_product] = await write(target, Stream.PRODUCTS, product(1))
        assert made_product.target_id
        with pytest.raises(SignInAgain):
            await target.write(Stream.CUSTOMERS, operations(Stream.CUSTOMERS, [customer(1)]))


async def test_a_store_without_the_add_on_says_what_is_lost(bare_vendure: VendureStore) -> None:
    await bare_vendure.control("reset")
    async with VendureTarget(bare_vendure.access()) as target:
        report = await target.check()
        assert [code for code, _ in report.findings] == ["addon_missing"]
        [mug] = await write(target, Stream.PRODUCTS, product(1))
        await write(target, Stream.CUSTOMERS, customer(1))
        sent = operations(Stream.PRODUCTS, [product(1)])
        match = (await target.find(Stream.PRODUCTS, sent))["1"]
        assert (match.target_id, match.by) == (mug.target_id, "sku")
        outcomes = await target.write(Stream.ORDERS, operations(Stream.ORDERS, [order(1)]))
        assert await refused(outcomes) == "addon_missing"
        gone = Withdrawal(source_id="1", target_id=mug.target_id, key=sent[0].key)
        [answer] = await target.remove(Stream.PRODUCTS, [gone], Action.DELETE)
        assert isinstance(answer, Refused)
        assert answer.code == "not_ours"
