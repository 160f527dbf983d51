"""Categories, products, customers and stock: what the target makes of them, and its traps."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace

from connectors.base import Applied, Operation, Refused, Sweep, Uncertain
from connectors.concurrency import together
from connectors.errors import SignInAgain, TryLater
from connectors.records import (
    Attribute,
    Category,
    Content,
    Image,
    InventoryLevel,
    Option,
    Product,
    Stream,
    Variant,
)
from connectors.testing.contents import HOME, LONG_AGO, category, customer, gbp, product, variant
from connectors.testing.operations import applied, operations
from connectors.testing.sweeps import read
from connectors.woocommerce.pairing import pair_variations
from connectors.woocommerce.parts import KEY_META
from connectors.woocommerce.wire import WireMeta, WireOption, WireVariation
from sandbox.store import Key
from tests.connectors.practice import Instead, Practice, practice


async def write(shop: Practice, stream: Stream, *contents: Content) -> dict[str, Applied]:
    async with shop.target() as target:
        return applied(await target.write(stream, operations(stream, contents)))


async def shown(shop: Practice, stream: Stream, target_id: str) -> Any:
    async with shop.source() as source:
        return (await source.get(stream, [target_id]))[target_id].content


def changing(content: Content, made: Applied, *fields: str, stream: Stream) -> Operation:
    return Operation(
        source_id="1",
        key=f"m1:{stream}:1",
        content=content,
        target_id=made.target_id,
        children=made.children,
        changed=frozenset(fields) or None,
    )


# --- categories ----------------------------------------------------------------------------------


async def test_a_category_keeps_its_place_in_the_tree(new_shop: Practice):
    top = (await write(new_shop, Stream.CATEGORIES, category(1)))["1"]
    below = Category(name="Below", slug="below", parent=top.target_id, position=3)
    made = (await write(new_shop, Stream.CATEGORIES, below))["1"]
    assert await shown(new_shop, Stream.CATEGORIES, made.target_id) == below


async def test_a_category_is_found_by_slug_then_by_name_below_its_parent(new_shop: Practice):
    theirs = (await new_shop.load(category=[{"name": "Mugs", "slug": "mugs"}, {"name": "Tea"}]))[
        "category"
    ]
    wanted = [Category(name="Other", slug="mugs"), Category(name="Tea", slug="other")]
    async with new_shop.target() as target:
        found = await target.find(Stream.CATEGORIES, operations(Stream.CATEGORIES, wanted))
    assert [(match.target_id, match.by) for match in found.values()] == [
        (str(theirs[0]), "slug"),
        (str(theirs[1]), "name"),
    ]


async def test_a_category_that_stands_there_already_is_taken_over(new_shop: Practice):
    [theirs] = (await new_shop.load(category=[{"name": "Mugs", "slug": "mugs"}]))["category"]
    made = await write(new_shop, Stream.CATEGORIES, Category(name="Mugs", description="New"))
    assert made["1"].target_id == str(theirs)
    assert (await shown(new_shop, Stream.CATEGORIES, str(theirs))).description == "New"


# --- products ------------------------------------------------------------------------------------


def shirt(*sizes: str) -> Product:
    return product(
        1,
        name="Shirt",
        sku="SHIRT",
        slug="shirt",
        kind="variable",
        regular_price=None,
        attributes=(Attribute("Size", ("S", "M", "L"), visible=True, varies=True),),
        variants=tuple(variant(1, size) for size in sizes),
    )


async def test_a_product_arrives_as_it_was(new_shop: Practice):
    [top] = (await new_shop.load(category=[{"name": "Mugs"}]))["category"]
    sent = product(
        1,
        categories=(str(top),),
        status="draft",
        featured=True,
        weight="0.3",
        dimensions=("1", "2", "3"),
        sale_price=gbp("1.95"),
        extra={"virtual": True, "meta": {"care": "by hand"}},
    )
    made = (await write(new_shop, Stream.PRODUCTS, sent))["1"]
    assert await shown(new_shop, Stream.PRODUCTS, made.target_id) == sent
    assert made.losses == ()


async def test_a_variation_keeps_the_dates_of_its_sale(new_shop: Practice):
    """They are its own: what stands at a variable product counts for nothing."""
    small, large = shirt("S", "L").variants
    dated = replace(
        small, sale_price=gbp("1"), sale_from=LONG_AGO, sale_to=LONG_AGO + timedelta(days=1)
    )
    sent = replace(shirt("S", "L"), variants=(dated, large), sale_from=LONG_AGO)
    made = (await write(new_shop, Stream.PRODUCTS, sent))["1"]
    found = await shown(new_shop, Stream.PRODUCTS, made.target_id)
    dates = [(each.sale_from, each.sale_to) for each in found.variants]
    assert dates == [(LONG_AGO, LONG_AGO + timedelta(days=1)), (None, None)]
    assert (found.sale_from, found.sale_to) == (None, None)


async def test_the_dates_of_a_sale_are_taken_away_where_the_source_has_none(new_shop: Practice):
    dates = {"sale_from": LONG_AGO, "sale_to": LONG_AGO + timedelta(days=1)}
    small = replace(shirt("S").variants[0], sale_price=gbp("1"))
    dated = replace(shirt("S"), variants=(replace(small, **dates),))
    made = await write(new_shop, Stream.PRODUCTS, dated, product(2, sale_price=gbp("1"), **dates))
    plain = replace(dated, variants=(small,))
    variants = {"variants": {small.id: frozenset(dates)}}
    sent = [
        replace(changing(plain, made["1"], "variants", stream=Stream.PRODUCTS), **variants),
        replace(
            changing(product(2, sale_price=gbp("1")), made["2"], *dates, stream=Stream.PRODUCTS),
            source_id="2",
            key="m1:products:2",
        ),
    ]
    async with new_shop.target() as target:
        applied(await target.write(Stream.PRODUCTS, sent))
    [variation] = (await shown(new_shop, Stream.PRODUCTS, made["1"].target_id)).variants
    alone = await shown(new_shop, Stream.PRODUCTS, made["2"].target_id)
    for found in (variation, alone):
        assert (found.sale_price, found.sale_from, found.sale_to) == (gbp("1"), None, None)


async def test_tags_are_read_once_made_where_missing_and_named_by_id(new_shop: Practice):
    new_shop.instead += [
        Instead("GET", "/products/tags", 200, [{"id": 31, "name": "blue"}], {"X-WP-Total": "1"}),
        Instead(
            "POST",
            "/products/tags/batch",
            200,
            {
                "create": [
                    {"id": 0, "error": {"code": "term_exists", "data": {"resource_id": 40}}},
                    {"id": 41, "name": "new"},
                    {"id": 0, "error": {"code": "rest_invalid_param", "data": {"status": 400}}},
                ]
            },
        ),
    ]
    async with new_shop.target() as target:
        sent = operations(
            Stream.PRODUCTS,
            [product(1, tags=("blue", "gift")), product(2, tags=("blue", "new", "too odd"))],
        )
        made = applied(await target.write(Stream.PRODUCTS, sent))
        more = operations(Stream.PRODUCTS, [product(3, tags=("new",))], start=3)
        applied(await target.write(Stream.PRODUCTS, more))
    batches = [each.body["create"] for each in new_shop.requests("POST", "/products/batch")]
    assert [each["tags"] for batch in batches for each in batch] == [
        [{"id": 31}, {"id": 40}],
        [{"id": 31}, {"id": 41}],
        [{"id": 41}],
    ]
    assert {loss.field for loss in made["2"].losses} == {"tags"}
    assert made["1"].losses == ()


async def test_a_store_without_tags_gets_products_without_them(new_shop: Practice):
    made = (await write(new_shop, Stream.PRODUCTS, product(1, tags=("blue",))))["1"]
    assert {loss.field for loss in made.losses} == {"tags"}


async def test_variations_are_made_changed_and_deleted_with_their_product(new_shop: Practice):
    made = (await write(new_shop, Stream.PRODUCTS, shirt("S", "M")))["1"]
    other = replace(variant(1, "M"), regular_price=gbp("12.00"))
    changed = replace(shirt("S"), variants=(other, variant(1, "L")))
    async with new_shop.target() as target:
        sent = changing(changed, made, "variants", stream=Stream.PRODUCTS)
        again = applied(await target.write(Stream.PRODUCTS, [sent]))["1"]
    found = await shown(new_shop, Stream.PRODUCTS, made.target_id)
    assert [(each.sku, each.regular_price) for each in found.variants] == [
        ("SHIRT-1-M", gbp("12.00")),
        ("SHIRT-1-L", gbp("9.95")),
    ]
    assert again.children.keys() == {other.id, variant(1, "L").id}
    assert again.children[other.id] == made.children[other.id]


@pytest.mark.parametrize("sku", ["SHIRT-1-S", ""], ids=["by its SKU", "by its options"])
async def test_a_variation_made_anew_at_the_source_is_the_one_that_is_there(
    new_shop: Practice, sku: str
):
    """Whoever has all variations made once more gives them new ids: the target's is taken over and
    not deleted as the old one's.
    """
    old = replace(variant(1, "S"), sku=sku)
    made = (await write(new_shop, Stream.PRODUCTS, replace(shirt(), variants=(old,))))["1"]
    new = replace(old, id="777", regular_price=gbp("12.00"))
    async with new_shop.target() as target:
        sent = changing(replace(shirt(), variants=(new,)), made, "variants", stream=Stream.PRODUCTS)
        again = applied(await target.write(Stream.PRODUCTS, [sent]))["1"]
    found = await shown(new_shop, Stream.PRODUCTS, made.target_id)
    assert [(each.sku, each.regular_price) for each in found.variants] == [(sku, gbp("12.00"))]
    assert again.children == {"777": found.variants[0].id}


async def test_a_lost_answer_for_variations_makes_no_second_set(new_shop: Practice):
    await new_shop.faults(
        timeout_after={"probability": 1.0, "times": 1, "route": "/variations", "methods": ["POST"]}
    )
    sent = operations(Stream.PRODUCTS, [shirt("S", "M")])
    async with new_shop.target() as target:
        [outcome] = await target.write(Stream.PRODUCTS, sent)
        assert isinstance(outcome, Uncertain)
        match = (await target.find(Stream.PRODUCTS, sent))["1"]
        assert len(match.children) == 2
        again = replace(sent[0], target_id=match.target_id)
        made = applied(await target.write(Stream.PRODUCTS, [again]))["1"]
    assert len((await shown(new_shop, Stream.PRODUCTS, made.target_id)).variants) == 2


async def test_a_product_is_found_by_sku_whatever_its_case_and_by_a_variations_sku(
    new_shop: Practice,
):
    made = await write(new_shop, Stream.PRODUCTS, product(7), shirt("S"))
    others = [
        product(70, sku="mug-7", slug="x"),
        product(71, sku="", slug="y", variants=(replace(variant(1, "S"), id="5"),)),
    ]
    sent = [
        Operation(source_id=f"{index}", key=f"old:products:{index}", content=content)
        for index, content in enumerate(others)
    ]
    async with new_shop.target() as target:
        found = await target.find(Stream.PRODUCTS, sent)
    assert {key: (match.target_id, match.by) for key, match in found.items()} == {
        "0": (made["1"].target_id, "sku"),
        "1": (made["2"].target_id, "sku"),
    }
    assert found["1"].children["5"] == made["2"].children[variant(1, "S").id]


async def test_a_product_in_the_trash_is_found_unless_its_sku_lives_on(new_shop: Practice):
    [binned, alone, alive] = (
        await new_shop.load(
            product=[
                {"name": "Old", "sku": "MUG-1", "status": "trash"},
                {"name": "Old", "sku": "MUG-2", "status": "trash"},
                {"name": "New", "sku": "MUG-1"},
            ]
        )
    )["product"]
    async with new_shop.target() as target:
        sent = operations(Stream.PRODUCTS, [product(1), product(2)])
        found = await target.find(Stream.PRODUCTS, sent)
    assert {match.target_id for match in found.values()} == {str(alive), str(alone)}
    assert str(binned) not in {match.target_id for match in found.values()}


async def test_a_variation_of_another_product_of_ours_is_not_taken_for_a_product(
    new_shop: Practice,
):
    await write(new_shop, Stream.PRODUCTS, shirt("S"))
    alike = product(9, sku=variant(1, "S").sku)
    async with new_shop.target() as target:
        sent = operations(Stream.PRODUCTS, [alike], start=9)
        assert await target.find(Stream.PRODUCTS, sent) == {}


async def test_more_records_than_a_page_holds_hide_none_from_a_look_up(new_shop: Practice):
    """A look-up that stopped at the first page would call records missing that are there."""
    binned = [{"name": "x", "sku": f"MUG-{n}", "status": "trash"} for n in range(90)]
    await new_shop.load(product=[*binned, *binned])
    living = [{"name": "x", "sku": f"MUG-{number}"} for number in range(90)]
    made = (await new_shop.load(product=living))["product"]
    async with new_shop.target() as target:
        sent = operations(Stream.PRODUCTS, [product(number) for number in range(90)])
        found = await target.find(Stream.PRODUCTS, sent)
    assert {match.target_id for match in found.values()} == {str(each) for each in made}


async def test_a_sku_with_a_comma_is_asked_for_alone(new_shop: Practice):
    """In a list it would be taken for two."""
    wanted = [product(1), product(2, sku="a,b"), product(3)]
    async with new_shop.target() as target:
        await target.find(Stream.PRODUCTS, operations(Stream.PRODUCTS, wanted))
    asked = [each.query["sku"] for each in new_shop.requests("GET", "/products")]
    assert asked == ["MUG-1,MUG-3", "a,b"]


async def test_many_keys_are_asked_for_in_addresses_that_servers_accept(new_shop: Practice):
    wanted = [product(number, sku=f"{number:03}{'x' * 90}") for number in range(120)]
    async with new_shop.target() as target:
        await target.find(Stream.PRODUCTS, operations(Stream.PRODUCTS, wanted))
    asked = [each.query["sku"] for each in new_shop.requests("GET", "/products")]
    assert max(map(len, asked)) < 4000
    assert sorted(sku for each in asked for sku in each.split(",")) == [p.sku for p in wanted]


async def test_a_product_without_sku_is_found_by_its_slug(new_shop: Practice):
    nameless = product(1, sku="")
    made = await write(new_shop, Stream.PRODUCTS, nameless)
    async with new_shop.target() as target:
        ours = await target.find(Stream.PRODUCTS, operations(Stream.PRODUCTS, [nameless]))
        twin = operations(Stream.PRODUCTS, [nameless], start=2)
        assert await target.find(Stream.PRODUCTS, twin) == {}
    assert ours["1"].target_id == made["1"].target_id
    assert ours["1"].by == "key"


async def test_a_sku_that_our_own_lost_request_holds_is_that_product(new_shop: Practice):
    made = (await write(new_shop, Stream.PRODUCTS, product(1)))["1"]
    again = (await write(new_shop, Stream.PRODUCTS, product(1, name="Newer")))["1"]
    assert again.target_id == made.target_id
    assert (await shown(new_shop, Stream.PRODUCTS, made.target_id)).name == "Newer"


async def test_a_slug_that_is_taken_is_reported(new_shop: Practice):
    await new_shop.load(product=[{"name": "Theirs", "slug": "mug-1"}])
    made = (await write(new_shop, Stream.PRODUCTS, product(1)))["1"]
    assert {loss.field for loss in made.losses} == {"slug"}


async def test_a_change_of_price_sends_the_price_alone(new_shop: Practice):
    made = (await write(new_shop, Stream.PRODUCTS, product(1)))["1"]
    new_shop.asked.clear()
    async with new_shop.target() as target:
        sent = changing(
            product(1, regular_price=gbp("3.00")), made, "regular_price", stream=Stream.PRODUCTS
        )
        applied(await target.write(Stream.PRODUCTS, [sent]))
    [request] = new_shop.requests("POST")
    assert request.body == {"update": [{"id": int(made.target_id), "regular_price": "3"}]}


async def test_a_change_of_nothing_that_can_be_written_asks_nothing(new_shop: Practice):
    made = (await write(new_shop, Stream.CUSTOMERS, customer(1)))["1"]
    new_shop.asked.clear()
    async with new_shop.target() as target:
        sent = changing(customer(1), made, "created_at", stream=Stream.CUSTOMERS)
        applied(await target.write(Stream.CUSTOMERS, [sent]))
    assert new_shop.asked == []


async def test_images_are_only_sent_where_the_settings_want_them(new_shop: Practice):
    pictured = product(1, images=(Image("https://old.test/mug.jpg", "A mug"),))
    async with new_shop.target(copy_images=False) as target:
        applied(await target.write(Stream.PRODUCTS, operations(Stream.PRODUCTS, [pictured])))
    [request] = new_shop.requests("POST", "/products/batch")
    assert "images" not in request.body["create"][0]


async def test_products_without_images_are_sent_a_hundred_at_a_time(new_shop: Practice):
    await write(new_shop, Stream.PRODUCTS, *[product(number) for number in range(150)])
    sizes = [len(each.body["create"]) for each in new_shop.requests("POST", "/products/batch")]
    assert sizes == [100, 50]


# --- customers -----------------------------------------------------------------------------------


async def test_a_customer_arrives_with_addresses_and_a_password_nobody_knows(new_shop: Practice):
    made = await write(new_shop, Stream.CUSTOMERS, customer(1), customer(2, shipping=HOME))
    found = await shown(new_shop, Stream.CUSTOMERS, made["2"].target_id)
    assert (found.email, found.billing, found.shipping) == ("ann.2@example.test", HOME, HOME)
    [batch] = new_shop.requests("POST", "/customers/batch")
    passwords = {each["password"] for each in batch.body["create"]}
    assert len(passwords) == 2
    assert min(map(len, passwords)) >= 24


async def test_customers_of_two_calls_at_once_are_made_one_batch_after_the_other(
    new_shop: Practice,
):
    sent = operations(Stream.CUSTOMERS, [customer(1)])
    await new_shop.faults(latency={"seconds": 0.01, "jitter": 0.0})
    async with new_shop.target() as target:
        both = await together([target.write(Stream.CUSTOMERS, sent) for _ in range(2)])
    ids = {outcome.target_id for outcomes in both for outcome in applied(outcomes).values()}
    assert len(ids) == 1


async def test_an_email_that_exists_is_the_customer_meant(new_shop: Practice):
    [theirs] = (await new_shop.load(customer=[{"email": "Ann.1@example.test"}]))["customer"]
    made = (await write(new_shop, Stream.CUSTOMERS, customer(1)))["1"]
    assert (made.target_id, made.found) == (str(theirs), "email")
    assert (await shown(new_shop, Stream.CUSTOMERS, str(theirs))).first_name == "Ann"
    assert (await write(new_shop, Stream.CUSTOMERS, customer(2)))["1"].found is None


async def test_a_user_name_that_is_taken_is_left_to_the_store(new_shop: Practice):
    taken = {"code": "registration-error-username-exists", "data": {"status": 400}}
    answer = {"create": [{"id": 0, "error": taken}]}
    new_shop.instead.append(Instead("POST", "/customers/batch", 200, answer))
    made = (await write(new_shop, Stream.CUSTOMERS, customer(1, username="boss")))["1"]
    assert {loss.field for loss in made.losses} == {"username"}
    first, second = new_shop.requests("POST", "/customers/batch")
    assert first.body["create"][0]["username"] == "boss"
    assert "username" not in second.body["create"][0]


async def test_an_update_to_an_email_that_is_taken_is_refused(new_shop: Practice):
    made = await write(new_shop, Stream.CUSTOMERS, customer(1), customer(2))
    async with new_shop.target() as target:
        sent = changing(
            customer(1, email="ann.2@example.test"), made["1"], "email", stream=Stream.CUSTOMERS
        )
        [outcome] = await target.write(Stream.CUSTOMERS, [sent])
    assert isinstance(outcome, Refused)
    assert "example.test" not in outcome.message


# --- stock ---------------------------------------------------------------------------------------


async def test_stock_of_products_and_variations(new_shop: Practice):
    made = await write(new_shop, Stream.PRODUCTS, product(1), shirt("S"))
    size = variant(1, "S").id
    shirt_id, size_id = made["2"].target_id, made["2"].children[size]
    levels = [
        InventoryLevel(product=made["1"].target_id, counted=True, quantity=Decimal(-3)),
        InventoryLevel(
            product=shirt_id, variant=size_id, counted=True, quantity=Decimal(8), backorders="yes"
        ),
    ]
    found = await write(new_shop, Stream.INVENTORY, *levels)
    assert found["2"].target_id == f"{shirt_id}:{size_id}"
    first = await shown(new_shop, Stream.INVENTORY, found["1"].target_id)
    second = await shown(new_shop, Stream.INVENTORY, found["2"].target_id)
    assert (first.quantity, first.availability) == (Decimal(-3), "out_of_stock")
    assert (second.quantity, second.backorders) == (Decimal(8), "yes")


@pytest.mark.parametrize("size", [None, "S"])
async def test_a_store_that_counts_no_stock_is_found_out(new_shop: Practice, size: str | None):
    """Where its settings turn stock management off, it answers well and sells what is sold out."""
    made = (await write(new_shop, Stream.PRODUCTS, shirt("S") if size else product(1)))["1"]
    path, number = "/products/batch", made.target_id
    there = made.children[variant(1, size).id] if size else None
    if there:
        path, number = f"/products/{made.target_id}/variations/batch", there
    row = {"id": int(number), "manage_stock": False, "stock_status": "instock"}
    new_shop.instead.append(Instead("POST", path, 200, {"update": [row]}))
    level = InventoryLevel(product=made.target_id, variant=there, counted=True, quantity=Decimal(0))
    async with new_shop.target() as target:
        [outcome] = await target.write(Stream.INVENTORY, operations(Stream.INVENTORY, [level]))
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.gone) == ("stock_not_counted", False)


async def test_a_product_that_an_extension_sells_by_variations_keeps_them(new_shop: Practice):
    """Subscriptions have a kind of their own that is variable."""
    made = (await write(new_shop, Stream.PRODUCTS, shirt("S", "M")))["1"]
    await new_shop.edit(
        op="patch",
        kind="product",
        id=int(made.target_id),
        fields={"type": "variable-subscription", "price": "9.95"},
    )
    async with new_shop.source() as source:
        found = (await source.get(Stream.PRODUCTS, [made.target_id]))[made.target_id].content
        delivered = await read(source, Stream.INVENTORY, Sweep())
        assert await source.tally(Stream.INVENTORY, 10) == len(delivered) == 2
    assert isinstance(found, Product)
    assert [each.sku for each in found.variants] == ["SHIRT-1-S", "SHIRT-1-M"]
    sent = replace(found, sku="", slug="again", variants=tuple(_renamed(found)))
    again = (await write(new_shop, Stream.PRODUCTS, sent))["1"]
    copy = await shown(new_shop, Stream.PRODUCTS, again.target_id)
    assert (copy.kind, len(copy.variants)) == ("variable", 2)
    assert {loss.field for loss in again.losses} == {"kind"}


def _renamed(content: Product) -> list[Variant]:
    return [replace(each, sku=f"{each.sku}-B") for each in content.variants]


async def shared_levels(shop: Practice, **values: Any) -> list[InventoryLevel]:
    """Of a new product's two variations, which take from what it counts."""
    made = await write(shop, Stream.PRODUCTS, product(1), shirt("S", "M"))
    level = InventoryLevel(product=made["2"].target_id, counted=True, shared=True, **values)
    return [replace(level, variant=each) for each in made["2"].children.values()]


async def test_stock_that_variations_share_is_their_products(new_shop: Practice):
    levels = await shared_levels(new_shop, quantity=Decimal(8), backorders="yes")
    found = await write(new_shop, Stream.INVENTORY, *levels)
    parent = await new_shop.admin("GET", f"products/{levels[0].product}")
    assert (parent["manage_stock"], parent["stock_quantity"]) == (True, 8)
    for level, each in zip(levels, found.values(), strict=True):
        there = await shown(new_shop, Stream.INVENTORY, each.target_id)
        assert replace(there, sku="") == level
    one, other = levels
    own = replace(one, shared=False, quantity=Decimal(2))
    await write(new_shop, Stream.INVENTORY, own, replace(other, quantity=Decimal(5)))
    assert (await shown(new_shop, Stream.INVENTORY, one.record_id)).quantity == Decimal(2)
    assert (await shown(new_shop, Stream.INVENTORY, other.record_id)).quantity == Decimal(5)


async def test_a_product_stops_counting_for_its_variations(new_shop: Practice):
    """Else what is not counted any more would be sold out when its old number is reached."""
    levels = await shared_levels(new_shop, quantity=Decimal(8))
    await write(new_shop, Stream.INVENTORY, *levels)
    endless = [replace(each, counted=False, quantity=None, shared=False) for each in levels]
    await write(new_shop, Stream.INVENTORY, *endless)
    for level in endless:
        there = await shown(new_shop, Stream.INVENTORY, level.record_id)
        assert (there.counted, there.shared, there.availability) == (False, False, "in_stock")


async def test_where_what_is_shared_cannot_be_set_no_variation_is(new_shop: Practice):
    """It would be for sale without end."""
    levels = await shared_levels(new_shop, quantity=Decimal(8))
    new_shop.asked.clear()
    await new_shop.edit(op="hard_delete", kind="product", id=int(levels[0].product))
    async with new_shop.target() as target:
        sent = operations(Stream.INVENTORY, levels, target_id=levels[0].product)
        outcomes = await target.write(Stream.INVENTORY, sent)
    assert [(each.source_id, each.code) for each in outcomes if isinstance(each, Refused)] == [
        ("1", "gone"),
        ("2", "gone"),
    ]
    assert not new_shop.requests("POST", f"/products/{levels[0].product}/variations/batch")


async def test_stock_that_is_not_counted_is_there_or_not(new_shop: Practice):
    made = await write(new_shop, Stream.PRODUCTS, product(1))
    level = InventoryLevel(product=made["1"].target_id, availability="out_of_stock")
    await write(new_shop, Stream.INVENTORY, level)
    found = await shown(new_shop, Stream.INVENTORY, made["1"].target_id)
    assert (found.counted, found.quantity, found.availability) == (False, None, "out_of_stock")


@pytest.mark.parametrize(
    ("level", "code"),
    [
        (InventoryLevel(product="", counted=True, quantity=Decimal(1)), "unknown_product"),
        (
            InventoryLevel(product="1", counted=True, quantity=Decimal("1.5")),
            "quantity_not_whole",
        ),
        (InventoryLevel(product="4711", counted=True, quantity=Decimal(1)), "gone"),
    ],
)
async def test_stock_that_cannot_be_set_says_why(
    new_shop: Practice, level: InventoryLevel, code: str
):
    async with new_shop.target() as target:
        sent = operations(Stream.INVENTORY, [level], target_id=level.product or None)
        [outcome] = await target.write(Stream.INVENTORY, sent)
    assert isinstance(outcome, Refused)
    assert outcome.code == code


# --- what a failure means ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "running"),
    [
        ({"timeout_after": {"probability": 1.0, "times": 1}}, True),
        ({"error_after": {"probability": 1.0, "times": 1, "status": 504}}, True),
        ({"error_after": {"probability": 1.0, "times": 1, "status": 500}}, False),
        ({"html_page": {"probability": 1.0, "times": 1}}, True),
        ({"truncated_json": {"probability": 1.0, "times": 1}}, True),
    ],
)
async def test_an_answer_that_says_nothing_leaves_a_write_uncertain(
    new_shop: Practice, fault: dict[str, Any], running: bool
):
    await new_shop.faults(**fault)
    async with new_shop.target() as target:
        outcomes = await target.write(
            Stream.CUSTOMERS, operations(Stream.CUSTOMERS, [customer(1), customer(2)])
        )
    assert [type(each) for each in outcomes] == [Uncertain, Uncertain]
    assert {each.running for each in outcomes} == {running}
    assert len(new_shop.requests("POST")) == 1


async def test_a_key_that_may_only_read_is_found_out_before_writing():
    async with practice(keys=(Key("ck_practice", "cs_practice", "read"),)) as shop:
        async with shop.source() as source:
            assert (await source.check()).platform_version
        async with shop.target() as target:
            with pytest.raises(SignInAgain):
                await target.check()
            with pytest.raises(SignInAgain):
                await target.write(Stream.CUSTOMERS, operations(Stream.CUSTOMERS, [customer(1)]))


async def test_what_was_applied_before_the_store_closed_is_not_denied(new_shop: Practice):
    """Raising would say that nothing was applied; the first batch was."""
    await new_shop.faults(
        rate_limit_day={"probability": 1.0, "times": 9, "route": "/variations/batch"}
    )
    async with new_shop.target() as target:
        [outcome] = await target.write(Stream.PRODUCTS, operations(Stream.PRODUCTS, [shirt("S")]))
        assert isinstance(outcome, Uncertain)
        assert not outcome.running
        await new_shop.faults(rate_limit_day={"probability": 1.0, "times": 1})
        with pytest.raises(TryLater):
            await target.write(Stream.PRODUCTS, operations(Stream.PRODUCTS, [product(2)], start=2))


def test_options_tell_variations_apart_where_there_is_no_sku():
    plain = [replace(variant(1, size), sku="") for size in "SM"]
    operation = Operation(
        source_id="1", key="m1:products:1", content=replace(shirt(), variants=tuple(plain))
    )
    found = [
        WireVariation(id=8, attributes=[WireOption("size", "m")]),
        WireVariation(id=9, attributes=[WireOption("size", "s")]),
    ]
    assert pair_variations(operation, found) == {plain[0].id: "9", plain[1].id: "8"}
    assert plain[0].options == (Option("Size", "S"),)


def test_a_variation_is_paired_with_one_alone():
    """Staff duplicate a variation and forget to choose other options."""
    twins = tuple(replace(variant(1, "S"), id=each, sku="") for each in ("1", "2", "3"))
    operation = Operation(
        source_id="1", key="m1:products:1", content=replace(shirt(), variants=twins)
    )
    size = [WireOption("Size", "S")]
    mark = WireMeta(KEY_META, Raw(b'"m1:products:1:2"'))
    found = [
        WireVariation(id=8, attributes=size, meta_data=[mark]),
        WireVariation(id=9, attributes=size),
    ]
    assert pair_variations(operation, found) == {"1": "9", "2": "8"}


async def test_a_variation_gets_the_fields_it_needs_and_another_none(new_shop: Practice):
    shirt = product(1, kind="variable", variants=(variant(1, "S"), variant(1, "L")))
    made = (await write(new_shop, Stream.PRODUCTS, shirt))["1"]
    small, large = (each.id for each in shirt.variants)
    changed = replace(
        shirt, variants=tuple(replace(each, regular_price=gbp("8")) for each in shirt.variants)
    )
    sent = changing(changed, made, "variants", stream=Stream.PRODUCTS)
    sent = replace(sent, variants={small: frozenset({"regular_price"}), large: frozenset()})
    new_shop.asked.clear()
    async with new_shop.target() as target:
        answered = applied(await target.write(Stream.PRODUCTS, [sent]))["1"]
    [request] = new_shop.requests("POST")
    there = int(made.children[small])
    assert request.body == {"update": [{"id": there, "regular_price": "8"}]}
    [shown_variant] = answered.content.variants
    assert (shown_variant.id, shown_variant.regular_price) == (str(there), gbp("8"))


async def test_a_customer_shows_our_key(new_shop: Practice):
    """WooCommerce takes no meta data of customers that begin with `_`, and does not say so."""
    sent = operations(Stream.CUSTOMERS, [customer(1)])
    async with new_shop.target() as target:
        made = applied(await target.write(Stream.CUSTOMERS, sent))["1"]
        found = await target.find(Stream.CUSTOMERS, sent)
    raw = new_shop.store.read("customer", int(made.target_id))
    assert [(each["key"], each["value"]) for each in raw["meta_data"]] == [
        ("recent_sync_key", sent[0].key)
    ]
    assert (found["1"].target_id, found["1"].by) == (made.target_id, "key")
