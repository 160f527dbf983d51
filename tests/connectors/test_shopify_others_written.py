"""Products, customers, collections and stock on Shopify, whose lists are replaced when written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from connectors.base import Action, Applied, Operation, Refused, Sweep, Withdrawal
from connectors.comparable import Names
from connectors.errors import SignInAgain
from connectors.losses import Losses
from connectors.records import Address, Category, InventoryLevel, Option, Product, Stream, Variant
from connectors.shopify.api import Document
from connectors.shopify.capabilities import WRITES
from connectors.shopify.shop import READ_SCOPES
from connectors.testing.contents import (
    HOME,
    category,
    contents,
    customer,
    gbp,
    order,
    product,
    refund,
    variant,
)
from connectors.testing.operations import applied, operations
from tests.connectors.shopify_schema import OUT_OF_DATE, VERSIONS, complaints, deprecated
from tests.connectors.shopify_shop import ShopifyShop, shopify_shop

pytestmark = pytest.mark.contracts


@pytest.fixture
async def shop() -> AsyncIterator[ShopifyShop]:
    async with shopify_shop() as opened:
        yield opened


async def write(shop: ShopifyShop, stream: Stream, *contents: Any, **values: Any) -> list[Any]:
    async with shop.target() as target:
        return await target.write(stream, operations(stream, list(contents), **values))


async def look(shop: ShopifyShop, stream: Stream, record_id: str) -> Any:
    async with shop.source() as source:
        return (await source.get(stream, [record_id]))[record_id].content


def shirt(*sizes: str, **values: Any) -> Product:
    variants = tuple(variant(1, each) for each in sizes)
    fields: dict[str, Any] = {"kind": "variable", "sku": "", "regular_price": None}
    return product(1, variants=variants, **(fields | values))


# --- products ----------------------------------------------------------------------------------


async def test_variants_of_the_source_come_and_go(shop: ShopifyShop):
    [made] = await write(shop, Stream.PRODUCTS, shirt("S", "M"))
    assert set(made.children) == {"183", "177"}
    [again] = await write(
        shop,
        Stream.PRODUCTS,
        shirt("M", "L"),
        target_id=made.target_id,
        children=made.children,
        changed=frozenset({"variants"}),
    )
    assert isinstance(again, Applied)
    assert [each.sku for each in again.content.variants] == ["SHIRT-1-M", "SHIRT-1-L"]
    assert again.children["177"] == made.children["177"], "a variant that stays keeps its id"


async def test_a_variant_that_the_team_added_stays(shop: ShopifyShop):
    [made] = await write(shop, Stream.PRODUCTS, shirt("S", "M"))
    own = made.content
    team = Variant(id="t", sku="TEAM", options=(Option("Size", "XXL"),), regular_price=gbp("20"))
    ids = dict(made.children)
    both = [replace(each, id=str(index)) for index, each in enumerate(own.variants)]
    await write(
        shop,
        Stream.PRODUCTS,
        replace(own, variants=(*both, team), attributes=()),
        target_id=made.target_id,
        changed=frozenset({"variants"}),
    )
    dearer = replace(variant(1, "S"), regular_price=gbp("12"))
    [again] = await write(
        shop,
        Stream.PRODUCTS,
        replace(shirt("M"), variants=(dearer, variant(1, "M"))),
        target_id=made.target_id,
        children=ids,
        changed=frozenset({"variants"}),
    )
    shown = {each.sku: each.regular_price for each in again.content.variants}
    assert shown == {"SHIRT-1-S": gbp("12"), "SHIRT-1-M": gbp("9.95"), "TEAM": gbp("20")}


async def test_only_the_fields_that_changed_of_a_variant_are_written(shop: ShopifyShop):
    [made] = await write(shop, Stream.PRODUCTS, shirt("S"))
    changed = replace(variant(1, "S"), regular_price=gbp("12"), barcode="4006381333931")
    [again] = await write(
        shop,
        Stream.PRODUCTS,
        replace(shirt("S"), variants=(changed,)),
        target_id=made.target_id,
        children=made.children,
        changed=frozenset({"variants"}),
        variants={"183": frozenset({"barcode"})},
    )
    [only] = again.content.variants
    assert (only.barcode, only.regular_price) == ("4006381333931", gbp("9.95"))


async def test_a_sale_is_a_price_to_compare_with(shop: ShopifyShop):
    content = product(1, regular_price=gbp("10"), sale_price=gbp("8"))
    [made] = await write(shop, Stream.PRODUCTS, content)
    assert (made.content.regular_price, made.content.sale_price) == (gbp("10"), gbp("8"))
    [over] = await write(
        shop,
        Stream.PRODUCTS,
        replace(content, sale_price=None),
        target_id=made.target_id,
        changed=frozenset({"sale_price"}),
    )
    assert (over.content.regular_price, over.content.sale_price) == (gbp("10"), None)


async def test_variants_inherit_a_weight_and_a_product_keeps_its_sku(shop: ShopifyShop):
    content = shirt("S", "M", weight="1.50", sku="SHIRT")
    [made] = await write(shop, Stream.PRODUCTS, content)
    assert (made.content.weight, made.content.sku) == ("1.5", "SHIRT")
    assert [each.weight for each in made.content.variants] == ["", ""]


async def test_variants_with_the_same_options_are_told_apart_and_told_of(shop: ShopifyShop):
    twins = tuple(replace(variant(1, "S"), id=each, sku=f"S-{each}") for each in "12")
    [made] = await write(shop, Stream.PRODUCTS, replace(shirt("S"), variants=twins))
    assert isinstance(made, Applied)
    assert [each.options[0].value for each in made.content.variants] == ["S", "S (2)"]
    assert [each.field for each in made.losses] == ["variants"]


async def test_a_taken_handle_is_told(shop: ShopifyShop):
    await write(shop, Stream.PRODUCTS, product(1))
    async with shop.target() as target:
        other = Operation(source_id="2", key="m1:products:2", content=product(2, slug="mug-1"))
        [made] = await target.write(Stream.PRODUCTS, [other])
    assert isinstance(made, Applied)
    assert [each.field for each in made.losses] == ["slug"]


async def test_prices_in_another_currency_are_refused(shop: ShopifyShop):
    foreign = product(1, regular_price=replace(gbp("2"), currency="EUR"))
    [outcome] = await write(shop, Stream.PRODUCTS, foreign)
    assert isinstance(outcome, Refused)
    assert outcome.code == "other_currency"


# --- finding -----------------------------------------------------------------------------------


async def test_a_product_of_an_earlier_migration_is_found_by_its_sku(shop: ShopifyShop):
    options = [{"name": "Title", "values": [{"name": "Default Title"}]}]
    own = {"optionValues": [{"optionName": "Title", "name": "Default Title"}], "sku": "MUG-1"}
    [number] = (
        await shop.load(product=[{"title": "Mug", "productOptions": options, "variants": [own]}])
    )["product"]
    async with shop.target() as target:
        found = await target.find(Stream.PRODUCTS, operations(Stream.PRODUCTS, [product(1)]))
    assert (found["1"].target_id, found["1"].by) == (str(number), "sku")


async def test_a_customer_who_is_there_already_is_the_one(shop: ShopifyShop):
    [number] = (await shop.load(customer=[{"email": "ann.1@example.test"}]))["customer"]
    [made] = await write(shop, Stream.CUSTOMERS, customer(1))
    assert isinstance(made, Applied)
    assert (made.target_id, made.found) == (str(number), "email")
    assert made.content.billing.line1 == HOME.line1


async def test_what_a_customer_has_who_registered_meanwhile_stays(shop: ShopifyShop):
    """Between the look-up and the write: their lists are added to, not replaced."""
    own = {"address1": "9 Own Road", "city": "York", "countryCode": "GB"}
    await shop.load(
        customer=[{"email": "ann.1@example.test", "tags": ["newsletter"], "addresses": [own]}]
    )
    [made] = await write(shop, Stream.CUSTOMERS, customer(1, extra={"tags": ["trade"]}))
    content = made.content
    assert (made.found, content.billing.line1) == ("email", HOME.line1)
    assert content.extra["tags"] == ["newsletter", "trade"]
    others = [content.shipping.line1, *(e["line1"] for e in content.extra.get("addresses", ()))]
    assert "9 Own Road" in others


async def test_the_same_address_of_a_customer_who_registered_meanwhile_comes_once(
    shop: ShopifyShop,
):
    """What a shop does not know of an address may be null or empty."""
    given = {"address1": "1 High Street", "city": "Leeds", "countryCode": "GB"}
    await shop.load(customer=[{"email": "ann.1@example.test", "addresses": [given]}])
    same = Address(line1="1 High Street", city="Leeds", country="GB")
    [made] = await write(shop, Stream.CUSTOMERS, customer(1, billing=same, shipping=None))
    [held] = shop.store.tables["Customer"].values()
    assert made.found == "email"
    assert [each["address1"] for each in held["_addresses"]] == ["1 High Street"]


async def test_addresses_that_the_team_added_stay(shop: ShopifyShop):
    [made] = await write(shop, Stream.CUSTOMERS, customer(1, shipping=replace(HOME, city="Bath")))
    more = {"address1": "9 Team Road", "city": "York", "countryCode": "GB"}
    document = Document(
        "mutation($c:ID!,$a:MailingAddressInput!){customerAddressCreate(customerId:$c,address:$a)"
        "{address{id} userErrors{field message}}}"
    )
    async with shop.api() as api:
        given = {"c": f"gid://shopify/Customer/{made.target_id}", "a": more}
        await api.ask(document, dict[str, Any], given)
    moved = customer(
        1, billing=replace(HOME, line1="2 Low Street"), shipping=replace(HOME, city="Bath")
    )
    [again] = await write(
        shop,
        Stream.CUSTOMERS,
        moved,
        target_id=made.target_id,
        changed=frozenset({"billing"}),
    )
    content = again.content
    assert (content.billing.line1, content.shipping.city) == ("2 Low Street", "Bath")
    assert [each["line1"] for each in content.extra["addresses"]] == ["9 Team Road"]


async def test_a_category_keeps_all_but_its_parent(shop: ShopifyShop):
    [made] = await write(shop, Stream.CATEGORIES, replace(category(1), parent="7"))
    assert isinstance(made, Applied)
    assert [each.field for each in made.losses] == ["parent"]
    assert isinstance(made.content, Category)
    assert (made.content.name, made.content.slug) == ("Category 1", "category-1")


# --- stock -------------------------------------------------------------------------------------


async def leveled(shop: ShopifyShop, quantity: int) -> tuple[str, InventoryLevel]:
    [made] = await write(shop, Stream.PRODUCTS, product(1))
    level = InventoryLevel(product=made.target_id, counted=True, quantity=Decimal(quantity))
    [outcome] = await write(shop, Stream.INVENTORY, level)
    assert isinstance(outcome, Applied), outcome
    return made.target_id, level


async def test_a_sale_between_look_and_write_is_noticed(
    shop: ShopifyShop, monkeypatch: pytest.MonkeyPatch
):
    """The quantity that was seen goes with the new one; where it is stale, a look comes first."""
    target_id, level = await leveled(shop, 7)
    async with shop.target() as target:
        stock = target._single.stock
        sales = iter([1])

        async def seen(place: str) -> Any:
            row = await stock(place)
            for quantity in sales:
                await shop.edit(op="sell", kind="product", id=int(target_id), quantity=quantity)
            return row

        monkeypatch.setattr(target._single, "stock", seen)
        sent = operations(Stream.INVENTORY, [replace(level, quantity=Decimal(5))])
        applied(await target.write(Stream.INVENTORY, sent))
    assert (await look(shop, Stream.INVENTORY, target_id)).quantity == 5


async def test_other_locations_keep_what_they_hold(shop: ShopifyShop):
    target_id, level = await leveled(shop, 7)
    await shop.edit(op="location", name="Shed")
    shed = str(max(each["_n"] for each in shop.store.tables["Location"].values()))
    async with shop.target(locations=shed) as target:
        sent = operations(Stream.INVENTORY, [replace(level, quantity=Decimal(10))])
        applied(await target.write(Stream.INVENTORY, sent))
    assert (await look(shop, Stream.INVENTORY, target_id)).quantity == 10
    async with shop.source(locations=shed) as source:
        found = await source.get(Stream.INVENTORY, [target_id])
    assert found[target_id].content.quantity == 3  # type: ignore[union-attr]


async def test_what_is_not_counted_and_what_may_be_oversold_is_told_to_the_store(
    shop: ShopifyShop,
):
    target_id, level = await leveled(shop, 7)
    for wanted in (
        replace(level, backorders="yes", quantity=Decimal(0), availability="on_backorder"),
        InventoryLevel(product=target_id, counted=False),
    ):
        applied(await write(shop, Stream.INVENTORY, wanted))
        shown = await look(shop, Stream.INVENTORY, target_id)
        assert (shown.counted, shown.quantity, shown.backorders) == (
            wanted.counted,
            wanted.quantity,
            wanted.backorders,
        )


async def test_what_is_sold_out_without_being_counted_is_not_for_sale(shop: ShopifyShop):
    """Shopify sells whatever it does not count."""
    target_id, level = await leveled(shop, 7)
    blocked = replace(level, counted=False, quantity=None, backorders="yes")
    blocked = replace(blocked, availability="out_of_stock")
    applied(await write(shop, Stream.INVENTORY, blocked))
    assert (await look(shop, Stream.INVENTORY, target_id)).availability == "out_of_stock"


async def test_whether_customers_are_told_that_stock_is_short_is_no_difference(shop: ShopifyShop):
    target_id, level = await leveled(shop, 7)
    told = replace(level, backorders="notify")
    applied(await write(shop, Stream.INVENTORY, told))
    losses = Losses(WRITES[Stream.INVENTORY].losses)
    assert losses.unexplained(told, await look(shop, Stream.INVENTORY, target_id), Names()) == []


# --- taking away --------------------------------------------------------------------------------


async def test_an_archived_product_comes_back_as_it_was(shop: ShopifyShop):
    [made] = await write(shop, Stream.PRODUCTS, product(1, visibility="hidden"))
    away = Withdrawal(source_id="1", target_id=made.target_id, key="m1:products:1")
    async with shop.target() as target:
        before = (await target.standing(Stream.PRODUCTS, [away]))["1"]
        away = replace(away, before=before)
        for _ in range(2):
            [gone] = await target.remove(Stream.PRODUCTS, [away], Action.ARCHIVE)
            assert isinstance(gone, Applied)
            assert (await look(shop, Stream.PRODUCTS, made.target_id)).status == "archived"
        for _ in range(2):
            [back] = await target.restore(Stream.PRODUCTS, [away])
            assert isinstance(back, Applied)
    shown = await look(shop, Stream.PRODUCTS, made.target_id)
    assert (shown.status, shown.visibility) == ("published", "hidden")


@pytest.mark.parametrize(
    "stream", [Stream.CATEGORIES, Stream.PRODUCTS, Stream.CUSTOMERS, Stream.ORDERS]
)
async def test_only_what_carries_our_key_is_deleted(shop: ShopifyShop, stream: Stream):
    [made] = await write(shop, stream, *contents(stream, 1))
    ours = Withdrawal(source_id="1", target_id=made.target_id, key=f"m1:{stream}:1")
    async with shop.target() as target:
        [kept] = await target.remove(stream, [replace(ours, key="m1:x:9")], Action.DELETE)
        assert isinstance(kept, Refused)
        assert kept.code == "not_ours"
        assert await target.standing(stream, [ours])
        for _ in range(2):
            [gone] = await target.remove(stream, [ours], Action.DELETE)
            assert isinstance(gone, Applied)
        assert await target.standing(stream, [ours]) == {}


# --- every request -----------------------------------------------------------------------------


async def test_every_request_with_its_variables_is_valid_in_every_version(shop: ShopifyShop):
    async with shop.target() as target, shop.source() as source:
        await target.check()
        for stream, written in {
            Stream.CATEGORIES: [category(1)],
            Stream.PRODUCTS: [product(1, weight="1.5"), shirt("S", "M", slug="shirt")],
            Stream.CUSTOMERS: [customer(1, shipping=replace(HOME, city="Bath"))],
            Stream.ORDERS: [order(1, refunds=(refund(5, "2.55"),)), order(2, status="cancelled")],
        }.items():
            sent = operations(stream, written)
            await target.find(stream, sent)
            made = applied(await target.write(stream, sent))
            again = [
                replace(
                    e, target_id=made[e.source_id].target_id, children=made[e.source_id].children
                )
                for e in sent
            ]
            applied(await target.write(stream, again))
            await source.split(stream, Sweep(), 2)
            await source.count(stream, Sweep())
            if stream is Stream.PRODUCTS:
                level = InventoryLevel(
                    product=made["1"].target_id, counted=True, quantity=Decimal(3), backorders="yes"
                )
                applied(await target.write(Stream.INVENTORY, operations(stream, [level])))
    seen = {(each["query"], str(each["variables"])): each for each in shop.requests}
    assert len({text for text, _ in seen}) > 25
    for each in seen.values():
        for version in VERSIONS:
            assert complaints(each["query"], version, each["variables"]) == []
            assert deprecated(each["query"], version, each["variables"]) <= OUT_OF_DATE


async def test_a_target_that_may_only_read_says_so_before_it_writes():
    async with shopify_shop(scopes=tuple(READ_SCOPES)) as shop, shop.target() as target:
        with pytest.raises(SignInAgain, match="write_products"):
            await target.check()
