"""Nothing is for sale on Shopify at a price that the source does not ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from connectors.base import Applied, Refused
from connectors.prices import at_once, in_force
from connectors.records import Money, Product, Stream, Variant
from connectors.testing.contents import LONG_AGO, gbp, product, variant
from connectors.testing.operations import operations
from tests.connectors.shopify_shop import ShopifyShop, shopify_shop

pytestmark = pytest.mark.contracts

DAY = timedelta(days=1)


@pytest.fixture
async def shop() -> AsyncIterator[ShopifyShop]:
    async with shopify_shop() as opened:
        yield opened


async def write(shop: ShopifyShop, content: Product, made: Any = None, **values: Any) -> Any:
    """Create a product, or write it over one that was made before."""
    if made is not None:
        values = {"target_id": made.target_id, "children": made.children} | values
    async with shop.target() as target:
        [outcome] = await target.write(
            Stream.PRODUCTS, operations(Stream.PRODUCTS, [content], **values)
        )
    return outcome


def shirt(*variants: Variant, **values: Any) -> Product:
    fields: dict[str, Any] = {"kind": "variable", "sku": "", "regular_price": None}
    return product(1, variants=variants, **(fields | values))


def sold(shop: ShopifyShop, made: Any) -> list[tuple[str, str | None]]:
    """What a shopper is asked for each variant, and what it is compared with; nothing where the
    product cannot be bought.
    """
    held = shop.store.tables["Product"][int(made.target_id)]
    if held["status"] not in ("ACTIVE", "UNLISTED") or not held["_published"]:
        return []
    rows = [shop.store.tables["ProductVariant"][each] for each in held["_variants"]]
    return [(each["price"], each["compareAtPrice"]) for each in rows]


def lost(outcome: Any) -> set[str]:
    assert isinstance(outcome, Applied), outcome
    return {each.field for each in outcome.losses}


# --- without a price -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        product(1, regular_price=None),
        product(1, regular_price=None, visibility="hidden"),
        product(1, regular_price=None, kind="grouped"),
        shirt(variant(1, "S"), replace(variant(1, "M"), regular_price=None)),
        shirt(),
    ],
    ids=["simple", "unlisted", "grouped", "one variant of two", "no variants yet"],
)
async def test_what_has_no_price_is_not_for_sale_and_that_is_told(
    shop: ShopifyShop, content: Product
):
    made = await write(shop, content)
    assert sold(shop, made) == []
    assert made.content.status == "draft"
    assert lost(made) >= {"regular_price", "status"}


async def test_what_is_free_is_sold_for_nothing(shop: ShopifyShop):
    made = await write(shop, product(1, regular_price=gbp("0")))
    assert sold(shop, made) == [("0.00", None)]
    assert lost(made) == set()


async def test_a_draft_without_a_price_is_one_at_the_source_too(shop: ShopifyShop):
    made = await write(shop, product(1, regular_price=None, status="draft"))
    assert (sold(shop, made), lost(made), made.also) == ([], {"regular_price"}, frozenset())


async def test_a_price_that_is_removed_takes_a_product_off_sale(shop: ShopifyShop):
    priced = product(1, regular_price=gbp("10"))
    made = await write(shop, priced)
    assert sold(shop, made) == [("10.00", None)]
    removed = replace(priced, regular_price=None)
    gone = await write(shop, removed, made, changed=frozenset({"regular_price"}))
    assert sold(shop, gone) == []
    assert lost(gone) >= {"regular_price", "status"}
    assert gone.also == {"status", "visibility"}
    back = frozenset({"regular_price", "status"})
    again = await write(shop, replace(priced, regular_price=gbp("12")), made, changed=back)
    assert (sold(shop, again), lost(again)) == ([("12.00", None)], set())


async def test_a_variant_that_loses_its_price_takes_the_product_off_sale(shop: ShopifyShop):
    content = shirt(variant(1, "S"), variant(1, "M"))
    made = await write(shop, content)
    assert len(sold(shop, made)) == 2
    first, second = content.variants
    unpriced = replace(second, regular_price=None)
    gone = await write(
        shop,
        replace(content, variants=(first, unpriced)),
        made,
        changed=frozenset({"variants"}),
        variants={first.id: frozenset(), second.id: frozenset({"regular_price"})},
    )
    assert sold(shop, gone) == []
    assert gone.also == {"status", "visibility"}


# --- sales ---------------------------------------------------------------------------------------


def on_sale(shop: ShopifyShop, begins: timedelta | None, ends: timedelta | None) -> dict[str, Any]:
    """Dates as far from the shop's now as said."""
    now = shop.time()
    return {
        "sale_from": None if begins is None else now + begins,
        "sale_to": None if ends is None else now + ends,
    }


@pytest.mark.parametrize(
    ("dates", "asked", "losses"),
    [
        ((None, None), ("5.00", "10.00"), set()),
        ((-DAY, None), ("5.00", "10.00"), set()),
        ((-DAY, DAY), ("5.00", "10.00"), {"sale_to"}),
        ((DAY, None), ("10.00", None), {"sale_price", "sale_from"}),
        ((DAY, 2 * DAY), ("10.00", None), {"sale_price", "sale_from", "sale_to"}),
        ((-2 * DAY, -DAY), ("10.00", None), {"sale_price"}),
    ],
    ids=["always", "begun", "on", "to come", "to come and to end", "over"],
)
@pytest.mark.parametrize("way", ["simple", "variants"])
async def test_the_price_in_force_is_asked(
    shop: ShopifyShop, dates: Any, asked: Any, losses: set[str], way: str
):
    prices = {"regular_price": gbp("10"), "sale_price": gbp("5")}
    content = product(1, **prices)
    if way == "variants":
        content = shirt(replace(variant(1, "S"), **prices))
    content = replace(content, **on_sale(shop, *dates))
    made = await write(shop, content)
    assert sold(shop, made) == [asked]
    assert lost(made) == losses


async def test_each_variant_has_its_own_sale(shop: ShopifyShop):
    prices = {"regular_price": gbp("10"), "sale_price": gbp("5")}
    dates = [on_sale(shop, DAY, None), on_sale(shop, -DAY, DAY), on_sale(shop, None, None)]
    sizes = zip(("S", "M", "L"), dates, strict=True)
    content = shirt(*(replace(variant(1, size), **prices, **each) for size, each in sizes))
    # Where a variant has dates of its own, the product's are not its.
    made = await write(shop, replace(content, **on_sale(shop, None, -DAY)))
    assert sold(shop, made) == [("10.00", None), ("5.00", "10.00"), ("10.00", None)]
    assert lost(made) == {"sale_price", "sale_from", "sale_to"}


async def test_a_price_for_a_sale_that_is_no_lower_is_none(shop: ShopifyShop):
    made = await write(shop, product(1, regular_price=gbp("10"), sale_price=gbp("12")))
    assert sold(shop, made) == [("10.00", None)]
    assert lost(made) == {"sale_price"}


async def test_a_sale_whose_dates_are_moved_begins(shop: ShopifyShop):
    first = replace(variant(1, "S"), regular_price=gbp("10"), sale_price=gbp("5"))
    content = shirt(first, **on_sale(shop, DAY, None))
    made = await write(shop, content)
    begun = replace(content, sale_from=shop.time() - DAY)
    now = await write(
        shop, begun, made, changed=frozenset({"sale_from"}), variants={first.id: frozenset()}
    )
    assert sold(shop, now) == [("5.00", "10.00")]


@pytest.mark.parametrize(
    ("regular", "sale", "at", "expected"),
    [
        ("10", "5", -1, "10"),
        ("10", "5", 0, "5"),
        ("10", "5", 24, "5"),
        ("10", "5", 25, "10"),
        (None, "5", 1, "5"),
        (None, "5", -1, None),
        ("10", "10", 1, "10"),
        ("10", "0", 1, "0"),
    ],
)
def test_which_price_counts_when(regular: Any, sale: Any, at: int, expected: Any):
    def amount(text: str | None) -> Money | None:
        return None if text is None else gbp(text)

    content = product(
        1,
        regular_price=amount(regular),
        sale_price=amount(sale),
        sale_from=LONG_AGO,
        sale_to=LONG_AGO + DAY,
    )
    now: datetime = LONG_AGO + timedelta(hours=at)
    assert in_force(content, content, now) == amount(expected)
    shown = at_once(content, now)
    assert in_force(replace(shown, sale_from=None, sale_to=None), shown, now) == amount(expected)


# --- with variants, and without ------------------------------------------------------------------


async def test_a_product_whose_variants_are_gone_has_a_price_of_its_own(shop: ShopifyShop):
    made = await write(shop, shirt(variant(1, "S"), variant(1, "M")))
    alone = product(1, sku="SHIRT", regular_price=gbp("16"))
    changed = frozenset({"regular_price", "sku", "variants", "attributes", "kind"})
    now = await write(shop, alone, made, changed=changed)
    assert sold(shop, now) == [("16.00", None)]
    assert (now.content.kind, now.content.sku, now.children) == ("simple", "SHIRT", {})
    # And back again.
    again = await write(shop, shirt(variant(1, "S")), now, changed=changed)
    assert [each.sku for each in again.content.variants] == [variant(1, "S").sku]


async def test_variants_that_somebody_else_made_are_not_destroyed(shop: ShopifyShop):
    made = await write(shop, shirt(variant(1, "S"), variant(1, "M")))
    before = sold(shop, made)
    alone = product(1, sku=variant(1, "S").sku, regular_price=gbp("16"))
    for changed in (None, frozenset({"regular_price"}), frozenset({"variants", "kind"})):
        outcome = await write(shop, alone, made, children={}, changed=changed)
        assert isinstance(outcome, Refused)
        assert outcome.code == "foreign_variants"
    assert sold(shop, made) == before
    renamed = replace(alone, name="Another")
    assert isinstance(
        await write(shop, renamed, made, children={}, changed=frozenset({"name"})), Applied
    )
    assert sold(shop, made) == before
