"""What Vendure does that nobody expects, and what the connector makes of it: writing."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from connectors.base import Action, Applied, Refused, Withdrawal
from connectors.errors import SignInAgain
from connectors.grants import Work
from connectors.records import (
    Attribute,
    Category,
    InventoryLevel,
    Product,
    Stream,
)
from connectors.testing.contents import (
    HOME,
    category,
    customer,
    gbp,
    level,
    line,
    order,
    product,
    variant,
)
from connectors.testing.operations import applied, operations
from connectors.vendure import CONNECTOR
from connectors.vendure.target import VendureTarget
from tests.live.vendure import goods, sales
from tests.live.vendure.store import VendureStore
from tests.live.vendure.writing import again, refused, rich, rows, write

# --- the catalogue -------------------------------------------------------------------------------


async def test_a_taken_slug_silently_becomes_another_and_is_told(
    vendure: VendureStore, vendure_target: VendureTarget
) -> None:
    [first, second] = await write(
        vendure_target, Stream.PRODUCTS, product(1), product(2, slug=product(1).slug)
    )
    assert isinstance(second.content, Product)
    assert second.content.slug != product(1).slug
    assert ([each.field for each in first.losses], [each.field for each in second.losses]) == (
        [],
        ["slug"],
    )


async def test_creates_of_one_key_in_one_moment_make_one_record(
    vendure: VendureStore, vendure_target: VendureTarget
) -> None:
    """The database refuses the second, with status 200 and without any code."""
    [one] = operations(Stream.PRODUCTS, [product(1)])
    found = await asyncio.gather(*(vendure_target.write(Stream.PRODUCTS, [one]) for _ in range(4)))
    outcomes = [each for [each] in found]
    assert await rows(vendure, "product") == 1
    assert {each.code for each in outcomes if isinstance(each, Refused)} == {"taken"}
    assert sum(isinstance(each, Applied) for each in outcomes) == 1


async def test_the_key_of_a_deleted_record_is_free_again(
    vendure: VendureStore, vendure_target: VendureTarget
) -> None:
    """Vendure keeps what it deletes, and would keep its key taken."""
    for stream, content in ((Stream.PRODUCTS, product(1)), (Stream.CUSTOMERS, customer(1))):
        [made] = await write(vendure_target, stream, content)
        [operation] = operations(stream, [content])
        gone = Withdrawal(source_id="1", target_id=made.target_id, key=operation.key)
        applied(await vendure_target.remove(stream, [gone], Action.DELETE))
        [new] = await write(vendure_target, stream, content)
        assert new.target_id != made.target_id


async def test_a_sku_is_not_unique_and_the_oldest_record_that_is_nobodys_is_found(
    vendure: VendureStore, vendure_target: VendureTarget
) -> None:
    [ours] = await write(vendure_target, Stream.PRODUCTS, product(1))
    twins = await goods.products(vendure, [8, 9], sku="MUG-1")
    other = replace(operations(Stream.PRODUCTS, [product(1)])[0], key="m1:products:77")
    match = (await vendure_target.find(Stream.PRODUCTS, [other]))["1"]
    assert (match.target_id, match.by) == (min(twins, key=int), "sku")
    assert ours.target_id not in twins


async def test_what_is_the_same_is_not_sent_because_that_would_move_its_date(
    vendure: VendureStore, vendure_target: VendureTarget
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
    made = [
        (stream, each, (await write(vendure_target, stream, each))[0]) for stream, each in pairs
    ]
    bought = replace(line(1), product=made[1][2].target_id, variant=made[1][2].children["283"])
    content = rich(customer=made[2][2].target_id, lines=(bought,), refunds=(), total=gbp("19.50"))
    made.append((Stream.ORDERS, content, (await write(vendure_target, Stream.ORDERS, content))[0]))
    before = await vendure.stamps()
    for stream, content, each in made:
        applied(await vendure_target.write(stream, again(stream, content, each)))
    assert await vendure.stamps() == before
    # Vendure itself moves it.
    document = "mutation ($input: UpdateProductInput!) { updateProduct(input: $input) { id } }"
    await vendure.ask(document, input={"id": made[1][2].target_id, "enabled": True})
    assert (await vendure.stamps())["product"] > before["product"]


async def test_variants_come_and_go_with_their_options(
    vendure: VendureStore, vendure_target: VendureTarget
) -> None:
    shirt = product(2, sku="", kind="variable", regular_price=None, variants=(variant(2, "S"),))
    [made] = await write(vendure_target, Stream.PRODUCTS, shirt)
    more = replace(shirt, variants=(variant(2, "M"), variant(2, "L")))
    [update] = again(Stream.PRODUCTS, more, made, changed=frozenset({"variants"}))
    found = applied(await vendure_target.write(Stream.PRODUCTS, [update]))["1"]
    assert isinstance(found.content, Product)
    assert [each.sku for each in found.content.variants] == ["SHIRT-2-M", "SHIRT-2-L"]
    plain = replace(more, kind="simple", sku="SHIRT", regular_price=gbp("5"), variants=())
    [update] = again(Stream.PRODUCTS, plain, found)
    found = applied(await vendure_target.write(Stream.PRODUCTS, [update]))["1"]
    assert isinstance(found.content, Product)
    assert (found.content.kind, found.content.sku) == ("simple", "SHIRT")


async def test_of_a_batch_with_one_bad_variant_none_is_made_and_all_are_made_later(
    vendure: VendureStore, vendure_target: VendureTarget
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
        assert refused(await vendure_target.write(Stream.PRODUCTS, sent)) == "store_rejected"
        assert (await rows(vendure, "product"), await rows(vendure, "product_variant")) == (1, 0)
    finally:
        await vendure.database.execute("DROP FUNCTION spoil CASCADE")
    match = (await vendure_target.find(Stream.PRODUCTS, sent))["1"]
    later = replace(sent[0], target_id=match.target_id, children=match.children)
    found = applied(await vendure_target.write(Stream.PRODUCTS, [later]))["1"].content
    assert isinstance(found, Product)
    assert [each.sku for each in found.variants] == ["SHIRT-2-S", "SHIRT-2-M"]


async def test_variants_of_the_team_and_their_stock_are_left_alone(
    vendure: VendureStore, vendure_target: VendureTarget
) -> None:
    sizes = product(2, sku="", kind="variable", regular_price=None)
    theirs = replace(sizes, variants=(variant(2, "S"), variant(2, "M")))
    [made] = await write(vendure_target, Stream.PRODUCTS, theirs)
    # As if the team had made it: it has no key, and its variants are no parts of a record.
    await vendure.database.execute('UPDATE product SET "customFieldsRecentsynckey" = NULL')
    alone = product(1, sku="SHIRT-2-S")
    [found] = operations(Stream.PRODUCTS, [alone])
    match = (await vendure_target.find(Stream.PRODUCTS, [found]))["1"]
    assert (match.target_id, match.by) == (made.target_id, "sku")
    update = replace(found, target_id=match.target_id, children=match.children)
    assert refused(await vendure_target.write(Stream.PRODUCTS, [update])) == "foreign_variants"
    shown = (await vendure_target.get(Stream.PRODUCTS, [made.target_id]))[made.target_id].content
    assert shown == made.content


async def test_what_has_no_price_is_not_for_sale_until_it_has_one(
    vendure_target: VendureTarget,
) -> None:
    offers = []
    [made] = await write(vendure_target, Stream.PRODUCTS, product(1, regular_price=None))
    changed = frozenset({"regular_price"})
    for price in (None, gbp("2.55"), None):
        content = product(1, regular_price=price)
        [update] = again(Stream.PRODUCTS, content, made, changed=changed)
        found = applied(await vendure_target.write(Stream.PRODUCTS, [update]))["1"].content
        assert isinstance(found, Product)
        assert (found.status, found.regular_price) == ("published", price)
        [offer] = await vendure_target.shopper.by_name(content.name)
        offers.append(offer.price)
    assert offers == [None, gbp("2.55"), None]


async def test_a_variant_without_a_price_keeps_its_status(
    vendure: VendureStore, vendure_target: VendureTarget
) -> None:
    unpriced = [replace(variant(2, size), regular_price=None) for size in "SM"]
    hidden = (unpriced[0], replace(unpriced[1], status="draft"))
    shirt = product(2, sku="", kind="variable", regular_price=None, variants=hidden)
    [made] = await write(vendure_target, Stream.PRODUCTS, shirt)
    now = replace(shirt, variants=tuple(replace(e, regular_price=gbp("9")) for e in hidden))
    changed = dict.fromkeys((each.id for each in hidden), frozenset({"regular_price"}))
    [update] = again(Stream.PRODUCTS, now, made, changed=frozenset({"variants"}), variants=changed)
    priced = applied(await vendure_target.write(Stream.PRODUCTS, [update]))["1"]
    for each in (made, priced):
        assert isinstance(each.content, Product)
        assert [size.status for size in each.content.variants] == ["published", "draft"]
    rows = await vendure.database.fetch("SELECT enabled FROM product_variant ORDER BY id")
    assert [each["enabled"] for each in rows] == [True, False]


async def test_a_product_is_in_a_collection_at_once_and_after_vendures_own_work(
    vendure: VendureStore, vendure_target: VendureTarget
) -> None:
    [here, there] = await write(vendure_target, Stream.CATEGORIES, category(1), category(2))
    [mug] = await write(vendure_target, Stream.PRODUCTS, product(1, categories=(here.target_id,)))
    assert isinstance(mug.content, Product)
    assert mug.content.categories == (here.target_id,)
    moved = product(1, categories=(there.target_id,))
    [update] = again(Stream.PRODUCTS, moved, mug, changed=frozenset({"categories"}))
    applied(await vendure_target.write(Stream.PRODUCTS, [update]))
    document = "{ collections { items { id productVariantCount } } }"
    for _ in range(600):
        found = (await vendure.ask(document))["collections"]["items"]
        counts = {each["id"]: each["productVariantCount"] for each in found}
        if counts == {here.target_id: 0, there.target_id: 1}:
            break
        await asyncio.sleep(0.1)
    assert counts == {here.target_id: 0, there.target_id: 1}


async def test_a_collection_moves_and_is_not_deleted_with_what_is_within_it(
    vendure: VendureStore, vendure_target: VendureTarget
) -> None:
    [above, below] = await write(vendure_target, Stream.CATEGORIES, category(1), category(2))
    [_, move] = operations(Stream.CATEGORIES, [category(1), category(2)])
    for parent in (above.target_id, None):
        content = replace(category(2), parent=parent)
        moved = replace(
            move, content=content, target_id=below.target_id, changed=frozenset({"parent"})
        )
        found = applied(await vendure_target.write(Stream.CATEGORIES, [moved]))["2"].content
        assert isinstance(found, Category)
        assert found.parent == parent
        gone = Withdrawal(
            source_id="1", target_id=above.target_id, key=move.key.replace(":2", ":1")
        )
        [answer] = await vendure_target.remove(Stream.CATEGORIES, [gone], Action.DELETE)
        assert getattr(answer, "code", "") == ("has_children" if parent else "")
    assert set(await vendure_target.get(Stream.CATEGORIES, [above.target_id, below.target_id])) == {
        below.target_id
    }


# --- customers -----------------------------------------------------------------------------------


async def test_a_taken_email_leads_to_its_customer(
    vendure: VendureStore, vendure_target: VendureTarget
) -> None:
    theirs = await goods.customer(vendure, 1)
    [made] = await write(vendure_target, Stream.CUSTOMERS, customer(1, email="C1@example.test"))
    assert (made.target_id, made.found) == (theirs, "email")
    assert await rows(vendure, "customer") == 1


async def test_customers_made_in_one_moment_are_doubled_and_so_each_email_goes_alone(
    vendure: VendureStore, vendure_target: VendureTarget
) -> None:
    made = await asyncio.gather(*(goods.customer(vendure, 1) for _ in range(4)))
    assert len(set(made)) > 1, "Vendure looks before it writes, and locks nothing"
    assert CONNECTOR.writes[Stream.CUSTOMERS].serial_creates
    oldest = min(made, key=int)
    [found] = operations(Stream.CUSTOMERS, [customer(1, email="c1@example.test")])
    match = (await vendure_target.find(Stream.CUSTOMERS, [found]))["1"]
    assert (match.target_id, match.by) == (oldest, "email")


async def test_a_customer_is_made_in_silence_and_the_staffs_own_are_not(
    vendure: VendureStore, vendure_target: VendureTarget
) -> None:
    """Mail plugins hear of a registration, and mail the customer."""
    await write(vendure_target, Stream.CUSTOMERS, customer(1))
    assert await vendure.control("effects") == {}
    await goods.customer(vendure, 2)
    # Vendure tells of it once its transaction is over, which may be after it answered.
    for _ in range(200):
        if "AccountRegistrationEvent" in (effects := await vendure.control("effects")):
            break
        await asyncio.sleep(0.05)
    assert effects["AccountRegistrationEvent"] == 1


async def test_a_country_that_the_store_does_not_have_is_told(
    vendure_target: VendureTarget,
) -> None:
    strange = customer(1, billing=replace(HOME, country="XX"))
    [outcome] = await vendure_target.write(
        Stream.CUSTOMERS, operations(Stream.CUSTOMERS, [strange])
    )
    assert isinstance(outcome, Refused)
    assert outcome.code == "country_unknown"


async def test_names_in_an_address_are_kept_apart(vendure_target: VendureTarget) -> None:
    """Vendure has one field for a full name."""
    home = replace(HOME, first_name="Ann Mary", last_name="van Dyck", email="bills@example.test")
    [made] = await write(vendure_target, Stream.CUSTOMERS, customer(1, billing=home, shipping=HOME))
    found = (await vendure_target.get(Stream.CUSTOMERS, [made.target_id]))[made.target_id].content
    assert (found.billing, found.shipping) == (home, HOME)  # type: ignore[union-attr]


# --- stock ---------------------------------------------------------------------------------------


async def test_stock_is_what_is_for_sale_besides_what_open_orders_hold(
    vendure: VendureStore, vendure_target: VendureTarget
) -> None:
    [mug] = await goods.products(vendure, [1], stockOnHand=10)
    [buyer] = await goods.make(vendure, Stream.CUSTOMERS, 1)
    await sales.sell(vendure, mug, buyer, quantity=3)
    wanted = replace(level(1), product=mug)
    for _ in range(2):
        await write(vendure_target, Stream.INVENTORY, wanted)
    held = await vendure.database.fetchrow(
        'SELECT "stockOnHand", "stockAllocated" FROM stock_level'
    )
    assert tuple(held) == (11, 3)
    found = (await vendure_target.get(Stream.INVENTORY, [mug]))[mug].content
    assert isinstance(found, InventoryLevel)
    assert found.quantity == wanted.quantity


# --- without the add-on --------------------------------------------------------------------------


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
    async with VendureTarget(access) as vendure_target:
        streams = frozenset({Stream.PRODUCTS, Stream.CUSTOMERS, Stream.INVENTORY})
        lacks = await vendure_target.lacks(Work(streams=streams))
        assert {(each.permission, each.stream) for each in lacks} == {
            ("DeleteCatalog", Stream.PRODUCTS),
            ("CreateCustomer", Stream.CUSTOMERS),
            ("UpdateCustomer", Stream.CUSTOMERS),
            ("DeleteCustomer", Stream.CUSTOMERS),
            ("ReadSettings", Stream.CUSTOMERS),
        }
        [made_product] = await write(vendure_target, Stream.PRODUCTS, product(1))
        assert made_product.target_id
        with pytest.raises(SignInAgain):
            await vendure_target.write(
                Stream.CUSTOMERS, operations(Stream.CUSTOMERS, [customer(1)])
            )


async def test_a_store_without_the_add_on_says_what_is_lost(bare_vendure: VendureStore) -> None:
    await bare_vendure.control("reset")
    async with VendureTarget(bare_vendure.access()) as vendure_target:
        report = await vendure_target.check()
        assert [code for code, _ in report.findings] == ["addon_missing"]
        [mug] = await write(vendure_target, Stream.PRODUCTS, product(1))
        await write(vendure_target, Stream.CUSTOMERS, customer(1))
        sent = operations(Stream.PRODUCTS, [product(1)])
        match = (await vendure_target.find(Stream.PRODUCTS, sent))["1"]
        assert (match.target_id, match.by) == (mug.target_id, "sku")
        outcomes = await vendure_target.write(Stream.ORDERS, operations(Stream.ORDERS, [order(1)]))
        assert refused(outcomes) == "addon_missing"
        gone = Withdrawal(source_id="1", target_id=mug.target_id, key=sent[0].key)
        [answer] = await vendure_target.remove(Stream.PRODUCTS, [gone], Action.DELETE)
        assert isinstance(answer, Refused)
        assert answer.code == "not_ours"
