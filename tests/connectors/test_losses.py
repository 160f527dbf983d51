"""A declared loss excuses what it foresees of a record, and no other difference."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest
from msgspec.structs import replace

from connectors.base import Connector, Hint, Loss, Source
from connectors.comparable import Names
from connectors.fingerprints import fingerprints
from connectors.losses import Losses, strikes
from connectors.medusa import CONNECTOR as MEDUSA
from connectors.records import (
    CONTENT_TYPES,
    Attribute,
    InventoryLevel,
    Option,
    Product,
    Stream,
    Variant,
)
from connectors.shopify import CONNECTOR as SHOPIFY
from connectors.stock import as_counted
from connectors.testing.contents import (
    HOME,
    LONG_AGO,
    contents,
    customer,
    gbp,
    order,
    product,
    refund,
    variant,
)
from connectors.vendure import CONNECTOR as VENDURE
from connectors.woocommerce import CONNECTOR as WOOCOMMERCE
from tests.connectors.test_comparison import Paper, Shelf, compared, shop, with_

PLATFORMS = (MEDUSA, SHOPIFY, VENDURE, WOOCOMMERCE)
COUNTING = (MEDUSA, SHOPIFY, VENDURE)
"""What is for sale there follows from what is counted."""

WITHOUT_PRICES = (MEDUSA, SHOPIFY)
"""Their products with variants have no price of their own."""


def losses(platform: Connector, stream: Stream, *, addon: bool = False) -> Losses:
    return Losses(platform.writes[stream].losses_in(addon=addon))


def sized(**values: Any) -> Product:
    """With two variants."""
    variants = (variant(2, "S"), variant(2, "L"))
    given = {"kind": "variable", "regular_price": None, "variants": variants}
    return product(2, **{**given, **values})


def wrong(platform: Connector, stream: Stream, ours: Any, theirs: Any, *told: str) -> list[str]:
    return losses(platform, stream).unexplained(ours, theirs, Names(), told)


def is_declared(platform: Connector, stream: Stream, ours: Any, **shown: Any) -> bool:
    return wrong(platform, stream, ours, replace(ours, **shown)) == []


# --- the rule ------------------------------------------------------------------------------------


def test_a_target_may_show_the_sources_value_or_the_one_that_is_foreseen() -> None:
    rule = Losses([Loss("status", "Drafts.", shows=lambda each: each.status[:3])])
    ours = product(1, status="private")
    assert rule.unexplained(ours, ours, Names()) == []
    assert rule.unexplained(ours, replace(ours, status="pri"), Names()) == []
    assert rule.unexplained(ours, replace(ours, status="published"), Names()) == ["status"]


@pytest.mark.parametrize("loss", [Loss("status", ""), Loss("status", "", whole=True)])
def test_where_nobody_can_tell_everything_is_explained(loss: Loss) -> None:
    ours = product(1)
    assert Losses([loss]).unexplained(ours, replace(ours, status="x", sku="y"), Names()) == ["sku"]


def test_what_was_told_of_a_record_excuses_what_no_declared_loss_foresees() -> None:
    ours = product(1)
    kept = Losses([Loss("status", "", shows=lambda each: each.status)])
    assert kept.unexplained(ours, replace(ours, status="x"), Names(), ["status"]) == []
    draft = Losses([Loss("status", "", shows=lambda _: "draft")])
    assert draft.unexplained(ours, replace(ours, status="x"), Names(), ["status"]) == ["status"]


def test_a_products_partial_loss_is_none_of_its_variants() -> None:
    rule = Losses([Loss("regular_price", "No price of its own.", shows=lambda _: None)])
    ours = sized(regular_price=gbp("1"))
    assert rule.unexplained(ours, replace(ours, regular_price=None), Names()) == []
    cheap = (replace(ours.variants[0], regular_price=gbp("1")), ours.variants[1])
    assert rule.unexplained(ours, replace(ours, variants=cheap), Names()) == ["variants"]


def test_what_is_wholly_lost_of_products_their_variants_lack_as_well() -> None:
    rule = Losses([Loss("barcode", "There are none.", whole=True)])
    ours = sized(variants=(replace(variant(2, "S"), barcode="1"), variant(2, "L")))
    bare = (replace(ours.variants[0], barcode=""), ours.variants[1])
    assert rule.unexplained(ours, replace(ours, variants=bare), Names()) == []
    other = (replace(ours.variants[0], barcode="2"), ours.variants[1])
    assert rule.unexplained(ours, replace(ours, variants=other), Names()) == ["variants"]


def test_of_a_variant_whose_value_nobody_can_tell_the_others_are_still_told() -> None:
    rule = Losses([Loss("variants.regular_price", "", shows=_price_or_any)])
    ours = sized(variants=(replace(variant(2, "S"), regular_price=None), variant(2, "L")))
    shown = rule.shown(ours)
    unpriced, priced = ours.variants
    assert shown.parts == {unpriced.id: {"regular_price"}}
    assert priced.id not in shown.parts
    told = rule.shown(ours, ["variants.regular_price"])
    assert priced.id not in told.parts, "what was told names no variant"


def _price_or_any(each: Variant) -> Any:
    return Hint.ANYTHING if each.regular_price is None else each.regular_price


# --- what the platforms declare ------------------------------------------------------------------


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda each: each.name)
@pytest.mark.parametrize("addon", [False, True])
def test_every_loss_names_a_field_once_and_answers_for_every_record(
    platform: Connector, addon: bool
) -> None:
    for stream, each in platform.writes.items():
        declared = each.losses_in(addon=addon)
        fields = [loss.field for loss in declared]
        assert len(fields) == len(set(fields))
        for loss in declared:
            top, _, part = loss.field.partition(".")
            assert top in CONTENT_TYPES[stream].__struct_fields__
            assert not part or part in Variant.__struct_fields__
            # Nothing is left of what is wholly lost: there is no more to say about it.
            assert not (loss.whole and loss.shows)
        for content in contents(stream, 2):
            assert Losses(declared).unexplained(content, content, Names()) == []


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda each: each.name)
def test_a_wrong_price_is_declared_by_nobody(platform: Connector) -> None:
    assert not is_declared(platform, Stream.PRODUCTS, product(1), regular_price=gbp("2.54"))
    ours = sized()
    cheap = (replace(ours.variants[0], regular_price=gbp("9.94")), ours.variants[1])
    assert not is_declared(platform, Stream.PRODUCTS, ours, variants=cheap)


@pytest.mark.parametrize("platform", WITHOUT_PRICES, ids=lambda each: each.name)
def test_a_product_with_variants_shows_no_price_of_its_own(platform: Connector) -> None:
    ours = sized(regular_price=gbp("9.95"), barcode="123")
    assert is_declared(platform, Stream.PRODUCTS, ours, regular_price=None, barcode="")
    assert not is_declared(platform, Stream.PRODUCTS, ours, regular_price=gbp("1"))
    assert not is_declared(platform, Stream.PRODUCTS, product(1, barcode="123"), barcode="")


@pytest.mark.parametrize("platform", [MEDUSA, SHOPIFY, VENDURE], ids=lambda each: each.name)
@pytest.mark.parametrize(
    ("status", "shown", "declared"),
    [
        ("private", "draft", True),
        ("private", "published", False),
        ("published", "draft", False),
        ("published", "private", False),
        ("draft", "published", False),
    ],
)
def test_a_private_product_becomes_a_draft_and_nothing_else(
    platform: Connector, status: str, shown: str, declared: bool
) -> None:
    ours = product(1, status=status)
    assert is_declared(platform, Stream.PRODUCTS, ours, status=shown) is declared


@pytest.mark.parametrize("platform", [MEDUSA, SHOPIFY], ids=lambda each: each.name)
def test_variants_are_all_for_sale(platform: Connector) -> None:
    hidden = replace(variant(2, "S"), status="private", description="Small")
    ours = sized(variants=(hidden, variant(2, "L")))
    shown = replace(hidden, status="published", description="")
    assert is_declared(platform, Stream.PRODUCTS, ours, variants=(shown, variant(2, "L")))
    draft = replace(shown, status="draft")
    assert not is_declared(platform, Stream.PRODUCTS, ours, variants=(draft, variant(2, "L")))


def test_vendure_disables_variants_and_shows_them_without_measures() -> None:
    hidden = replace(variant(2, "S"), status="private", weight="2", barcode="1")
    ours = sized(variants=(hidden, variant(2, "L")))
    shown = replace(hidden, status="draft", weight="", barcode="")
    assert is_declared(VENDURE, Stream.PRODUCTS, ours, variants=(shown, variant(2, "L")))
    sold = replace(shown, status="published")
    assert not is_declared(VENDURE, Stream.PRODUCTS, ours, variants=(sold, variant(2, "L")))


def test_a_sale_on_shopify_is_a_lower_price() -> None:
    dear = product(1, sale_price=gbp("3"))
    assert is_declared(SHOPIFY, Stream.PRODUCTS, dear, sale_price=None)
    assert not is_declared(SHOPIFY, Stream.PRODUCTS, dear, regular_price=gbp("3"), sale_price=None)
    cheap = product(1, sale_price=gbp("2"))
    assert not is_declared(SHOPIFY, Stream.PRODUCTS, cheap, regular_price=gbp("2"), sale_price=None)
    assert not is_declared(SHOPIFY, Stream.PRODUCTS, cheap, sale_price=None)
    unpriced = product(1, regular_price=None)
    assert is_declared(SHOPIFY, Stream.PRODUCTS, unpriced, regular_price=gbp("0"), status="draft")
    assert not is_declared(SHOPIFY, Stream.PRODUCTS, unpriced, status="archived")


def test_a_sale_on_shopify_has_no_price_before_it_begins() -> None:
    later = {"sale_from": datetime.now(UTC) + timedelta(days=1)}
    cheap = product(1, sale_price=gbp("2"), **later)
    assert is_declared(SHOPIFY, Stream.PRODUCTS, cheap, sale_price=None)
    assert not is_declared(SHOPIFY, Stream.PRODUCTS, cheap, regular_price=gbp("2"), sale_price=None)
    small = replace(variant(2, "S"), sale_price=gbp("1"))
    shown = (replace(small, sale_price=None),)
    assert is_declared(SHOPIFY, Stream.PRODUCTS, sized(variants=(small,), **later), variants=shown)
    assert not is_declared(SHOPIFY, Stream.PRODUCTS, sized(variants=(small,)), variants=shown)


def test_a_sale_on_shopify_that_is_over_or_yet_to_come_is_not_on() -> None:
    """The source holds its price; to ask it is a fault all the same."""
    now = datetime.now(UTC)
    for dates in ({"sale_to": now - timedelta(days=1)}, {"sale_from": now + timedelta(days=1)}):
        cheap = product(1, sale_price=gbp("2"), **dates)
        assert wrong(SHOPIFY, Stream.PRODUCTS, cheap, cheap) == ["sale_price"]
        small = replace(variant(2, "S"), sale_price=gbp("1"), **dates)
        ours = sized(variants=(small,))
        assert wrong(SHOPIFY, Stream.PRODUCTS, ours, ours) == ["variants"]


def test_that_a_price_or_a_product_was_lost_before_excuses_no_price_and_no_quantity() -> None:
    """A sale that was not on when its product was written can be on by now."""
    cheap = product(1, sale_price=gbp("2"))
    told = ("sale_price", "sale_from", "regular_price")
    shown = replace(cheap, sale_price=None)
    assert wrong(SHOPIFY, Stream.PRODUCTS, cheap, shown, *told) == ["sale_price"]
    sold = order(1)
    more = (replace(sold.lines[0], quantity=7), *sold.lines[1:])
    for platform in PLATFORMS:
        bare = replace(sold, lines=more)
        assert wrong(platform, Stream.ORDERS, sold, bare, "lines") == ["lines"]


async def test_a_sale_that_is_over_is_wrong_between_two_stores() -> None:
    over = datetime.now(UTC) - timedelta(days=1)
    sale = {"sale_price": gbp("2"), "sale_to": over}
    source = with_(shop(), Stream.PRODUCTS, 0, **sale)
    target = with_(shop(offset=500), Stream.PRODUCTS, 0, **sale)
    assert (await confronted(source, target)).fields == {"sale_price": 1}


@pytest.mark.parametrize("platform", [SHOPIFY, VENDURE], ids=lambda each: each.name)
def test_variants_of_the_same_options_get_a_number(platform: Connector) -> None:
    small = (Option("Size", "S"),)
    ours = sized(variants=(variant(2, "S"), replace(variant(2, "L"), options=small)))
    numbered = replace(ours.variants[1], options=(Option("Size", "S (2)"),))
    assert is_declared(platform, Stream.PRODUCTS, ours, variants=(ours.variants[0], numbered))
    other = replace(ours.variants[1], options=(Option("Size", "S (3)"),))
    assert not is_declared(platform, Stream.PRODUCTS, ours, variants=(ours.variants[0], other))


def test_shopify_keeps_an_address_once_and_without_an_email() -> None:
    bills = replace(HOME, email="bills@example.test")
    same = customer(1, billing=bills, shipping=HOME)
    assert is_declared(SHOPIFY, Stream.CUSTOMERS, same, billing=HOME, shipping=None)
    moved = replace(HOME, city="Leeds")
    assert not is_declared(SHOPIFY, Stream.CUSTOMERS, same, billing=moved)
    apart = customer(1, billing=bills, shipping=moved)
    assert not is_declared(SHOPIFY, Stream.CUSTOMERS, apart, shipping=None)
    goods = customer(1, billing=None, shipping=HOME)
    assert is_declared(SHOPIFY, Stream.CUSTOMERS, goods, billing=HOME, shipping=None)


def test_vendure_splits_a_full_name_at_its_last_space() -> None:
    ours = customer(1, billing=replace(HOME, first_name="Ann", last_name="van Dyck"))
    split = replace(HOME, first_name="Ann van", last_name="Dyck")
    assert is_declared(VENDURE, Stream.CUSTOMERS, ours, billing=split)
    assert not is_declared(VENDURE, Stream.CUSTOMERS, ours, billing=replace(split, city="Leeds"))


def test_orders_on_shopify_show_no_codes_and_no_refunds_that_were_never_made() -> None:
    ours = order(1, status="processing", prices_include_tax=True, completed_at=LONG_AGO)
    shown = {"prices_include_tax": False, "completed_at": None}
    assert is_declared(SHOPIFY, Stream.ORDERS, ours, **shown)
    for other in (
        {"discount_total": gbp("1")},
        {"refunds": (refund(1, "5"),)},
        {"completed_at": LONG_AGO + timedelta(days=1)},
        {"email": "other@example.test"},
    ):
        assert wrong(SHOPIFY, Stream.ORDERS, ours, replace(ours, **shown | other)) == [*other]
    assert is_declared(SHOPIFY, Stream.ORDERS, order(1, email=""), email="ann@example.test")


@pytest.mark.parametrize(
    ("given", "availability", "backorders"),
    [
        ({"counted": True, "quantity": Decimal(0)}, "out_of_stock", "no"),
        ({"counted": True, "quantity": None, "backorders": "notify"}, "on_backorder", "yes"),
        ({"counted": False, "availability": "on_backorder"}, "in_stock", "no"),
    ],
)
@pytest.mark.parametrize("platform", COUNTING, ids=lambda each: each.name)
def test_what_is_for_sale_follows_from_the_quantity(
    platform: Connector, given: dict[str, Any], availability: str, backorders: str
) -> None:
    ours = InventoryLevel(product="1", **given)
    shown = replace(ours, availability=availability, backorders=backorders)
    assert wrong(platform, Stream.INVENTORY, ours, shown) == []
    off = replace(shown, availability="discontinued")
    assert wrong(platform, Stream.INVENTORY, ours, off) == ["availability"]


@pytest.mark.parametrize("platform", COUNTING, ids=lambda each: each.name)
def test_what_is_sold_out_without_being_counted_is_counted_as_none(platform: Connector) -> None:
    ours = InventoryLevel(product="1", availability="out_of_stock", backorders="notify")
    none = replace(ours, counted=True, quantity=Decimal(0), backorders="no")
    assert wrong(platform, Stream.INVENTORY, ours, none) == []
    for other in ({"quantity": Decimal(1)}, {"backorders": "yes"}, {"availability": "in_stock"}):
        assert wrong(platform, Stream.INVENTORY, ours, replace(none, **other)) == [*other]


@pytest.mark.parametrize("platform", COUNTING, ids=lambda each: each.name)
def test_what_variants_share_is_counted_for_each_and_all_of_it(platform: Connector) -> None:
    ours = InventoryLevel(product="1", variant="11", counted=True, quantity=Decimal(5), shared=True)
    each = replace(ours, shared=False)
    assert wrong(platform, Stream.INVENTORY, ours, each) == []
    endless = replace(each, counted=False, quantity=None)
    assert wrong(platform, Stream.INVENTORY, ours, endless)[:2] == ["counted", "quantity"]
    assert wrong(platform, Stream.INVENTORY, ours, replace(each, quantity=Decimal(4))) == [
        "quantity"
    ]
    assert wrong(WOOCOMMERCE, Stream.INVENTORY, ours, each) == ["shared"]


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda each: each.name)
@pytest.mark.parametrize("given", [{}, {"counted": True, "quantity": Decimal(1)}])
def test_what_the_source_does_not_sell_no_target_may_sell(
    platform: Connector, given: dict[str, Any]
) -> None:
    ours = InventoryLevel(product="1", availability="out_of_stock", **given)
    shown = replace(ours, availability="in_stock")
    assert wrong(platform, Stream.INVENTORY, ours, shown) == ["availability"]


@pytest.mark.parametrize("target", [MEDUSA, SHOPIFY, VENDURE], ids=["medusa", "shopify", "vendure"])
def test_what_is_sold_out_without_being_counted_may_be_counted_and_not_be_for_sale(
    target: Connector,
) -> None:
    ours = InventoryLevel(product="1", availability="out_of_stock")
    kept = as_counted(ours)
    assert wrong(target, Stream.INVENTORY, ours, kept) == []
    sold = replace(kept, quantity=Decimal(5), availability="in_stock")
    assert wrong(target, Stream.INVENTORY, ours, sold) == ["quantity", "availability"]
    on_sale = replace(ours, availability="in_stock")
    assert wrong(target, Stream.INVENTORY, ours, on_sale) == ["availability"]


def test_woocommerce_keeps_the_names_and_values_of_attributes() -> None:
    clay = Attribute("Material", ("Clay",))
    ours = product(1, attributes=(clay,))
    assert not is_declared(WOOCOMMERCE, Stream.PRODUCTS, ours, attributes=())
    parted = product(1, attributes=(Attribute("Material", ("Clay | Tin",)),))
    shown = (Attribute("Material", ("Clay", "Tin")),)
    assert is_declared(WOOCOMMERCE, Stream.PRODUCTS, parted, attributes=shown)


def test_a_loss_is_at_stake_in_the_records_that_it_strikes() -> None:
    declared = {each.field: each for each in MEDUSA.writes[Stream.PRODUCTS].losses}
    plain, hidden = sized(), sized(variants=(replace(variant(2, "S"), status="private"),))
    assert not strikes(declared["regular_price"], product(1))
    assert strikes(declared["regular_price"], sized(regular_price=gbp("1")))
    assert not strikes(declared["variants.status"], plain)
    assert strikes(declared["variants.status"], hidden)
    assert strikes(declared["images"], plain)
    assert strikes(declared["created_at"], plain)


# --- two stores ----------------------------------------------------------------------------------


async def confronted(source: Shelf, target: Shelf, platform: Connector = SHOPIFY) -> Any:
    declared = {stream: list(each.losses) for stream, each in platform.writes.items()}
    found = await compared(source, target, losses=declared)
    return found.streams[Stream.PRODUCTS]


@pytest.mark.parametrize("platform", WITHOUT_PRICES, ids=lambda each: each.name)
async def test_a_wrong_price_of_a_simple_product_is_wrong(platform: Connector) -> None:
    target = with_(shop(offset=500), Stream.PRODUCTS, 0, regular_price=gbp("2.54"))
    target = with_(target, Stream.PRODUCTS, 1, regular_price=None)
    found = await confronted(shop(), target, platform)
    assert (found.fields, found.declared) == ({"regular_price": 1}, {"regular_price": 1})
    assert [(each.source_id, each.fields) for each in found.wrong_pairs] == [
        ("1", ("regular_price",))
    ]


@pytest.mark.parametrize("platform", WITHOUT_PRICES, ids=lambda each: each.name)
async def test_a_wrong_price_of_one_variant_is_wrong(platform: Connector) -> None:
    target = with_(shop(offset=500), Stream.PRODUCTS, 1, regular_price=None)
    _, shirt = target[Stream.PRODUCTS][1]
    assert isinstance(shirt, Product)
    cheap = replace(shirt.variants[0], regular_price=gbp("9.94"))
    found = await confronted(shop(), with_(target, Stream.PRODUCTS, 1, variants=(cheap,)), platform)
    assert (found.fields, found.wrong) == ({"variants": 1}, 1)


@pytest.mark.parametrize("shown", ["published", "draft"])
async def test_a_private_product_is_declared_as_a_draft_and_wrong_for_sale(shown: str) -> None:
    source = with_(shop(), Stream.PRODUCTS, 0, status="private")
    target = with_(shop(offset=500), Stream.PRODUCTS, 0, status=shown)
    found = await confronted(source, target)
    counts = {"status": 1}
    assert (found.fields, found.declared) == (
        (counts, {}) if shown == "published" else ({}, counts)
    )


async def shown_bytes(shelf: Shelf) -> dict[str, int]:
    """By id, how much is kept of a product beside its prints."""
    declared = {stream: each.losses for stream, each in SHOPIFY.writes.items()}
    store = cast("Source", Paper(shelf))
    sides = await fingerprints(store, [Stream.PRODUCTS], losses=declared)
    return {each.id: len(each.shown) for [each] in sides[Stream.PRODUCTS].entries.values()}


async def test_records_that_no_loss_strikes_cost_no_memory() -> None:
    plain = with_(shop(), Stream.PRODUCTS, 1, variants=(), kind="simple")
    assert await shown_bytes(plain) == {"1": 0, "2": 0}
    struck = with_(plain, Stream.PRODUCTS, 0, status="private")
    assert await shown_bytes(struck) == {"1": 9, "2": 0}
