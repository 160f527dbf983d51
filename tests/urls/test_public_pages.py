"""Where records' public pages are."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from connectors.medusa.settings import MedusaSettings
from connectors.pages import page_paths, page_rules, why_unknown
from connectors.postgres.settings import PostgresSettings
from connectors.records import Category, Product, Record, Stream
from connectors.shopify.settings import ShopifySettings
from connectors.vendure.settings import VendureSettings
from connectors.woocommerce.settings import WooCommerceSettings
from tests.connectors.practice import Practice


class Shelf:
    """A store that only knows records by id."""

    def __init__(self, **contents: Any) -> None:
        self.contents = contents

    async def get(self, stream: Stream, ids: Any) -> dict[str, Record]:
        del stream
        return {
            each: Record(each, None, self.contents[each]) for each in ids if each in self.contents
        }


async def paths(shelf: Shelf, settings: Any, stream: Stream) -> dict[str, str] | None:
    return await page_paths(shelf, page_rules(settings), stream, sorted(shelf.contents))


async def test_shopify_makes_paths_of_handles() -> None:
    settings = ShopifySettings(url="my-store", storefront_url="https://www.shop.example/")
    assert page_rules(settings).base == "https://www.shop.example"
    shelf = Shelf(
        a=Product(name="Mug", slug="mug"),
        b=Product(name="Draft", slug="draft", status="draft"),
        c=Product(name="Größe", slug="größe 1"),
        d=Product(name="Без", slug="%d0%b1%d0%b5%d0%b7"),
    )
    assert await paths(shelf, settings, Stream.PRODUCTS) == {
        "a": "/products/mug",
        "c": "/products/gr%C3%B6%C3%9Fe%201",
        "d": "/products/%D0%B1%D0%B5%D0%B7",
    }
    shelf = Shelf(a=Category(name="Mugs", slug="mugs"))
    assert await paths(shelf, settings, Stream.CATEGORIES) == {"a": "/collections/mugs"}


async def test_a_storefront_of_ones_own_has_the_paths_that_are_configured() -> None:
    settings = MedusaSettings(
        url="https://api.shop.example",
        storefront_url="https://shop.example/uk",
        product_path="/p/{slug}.html",
        category_path="/c/{path}",
    )
    shelf = Shelf(a=Product(name="Mug", slug="mug"))
    assert await paths(shelf, settings, Stream.PRODUCTS) == {"a": "/uk/p/mug.html"}
    shelf = Shelf(
        top=Category(name="Top", slug="top"),
        mid=Category(name="Mid", slug="mid", parent="top"),
        low=Category(name="Low", slug="low", parent="mid"),
        odd=Category(name="Odd", slug="odd", parent="odd"),
        lost=Category(name="Lost", slug="lost", parent="nowhere"),
    )
    rules = page_rules(settings)
    assert await page_paths(shelf, rules, Stream.CATEGORIES, ["low", "odd", "lost"]) == {
        "low": "/uk/c/top/mid/low",
        "odd": "/uk/c/odd",
        "lost": "/uk/c/lost",
    }


@pytest.mark.parametrize(
    "settings",
    [
        MedusaSettings(url="https://api.shop.example", product_path="/p/{slug}"),
        VendureSettings(url="https://api.shop.example/admin-api"),
        PostgresSettings(host="localhost", database="shop"),
    ],
)
async def test_without_a_storefront_there_are_no_pages(settings: Any) -> None:
    shelf = Shelf(a=Product(name="Mug", slug="mug"))
    assert await paths(shelf, settings, Stream.PRODUCTS) is None


def test_a_platform_without_pages_is_not_told_to_set_anything() -> None:
    assert why_unknown(PostgresSettings(host="localhost", database="shop"), "target") == (
        "The target is of a platform that has no public pages."
    )
    vendure = VendureSettings(url="https://api.shop.example/admin-api")
    assert why_unknown(vendure, "target").endswith("set its storefront_url.")
    assert why_unknown(vendure, "target", Stream.PRODUCTS).endswith("set its product_path.")


@pytest.mark.parametrize(
    "pattern",
    ["p/{slug}", "/p/", "/{slug}/{slug}", "/{slug}/{path}", "/{id}", "/ü/{slug}", "/p/{slug}?"],
)
def test_a_pattern_that_makes_no_path_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationError, match="product_path"):
        VendureSettings(url="https://shop.example", product_path=pattern)
    with pytest.raises(ValidationError, match="storefront_url"):
        VendureSettings(url="https://shop.example", storefront_url="shop.example")


async def test_woocommerce_tells_where_products_are(shop: Practice) -> None:
    await shop.edit(
        op="patch", kind="product", id=202, fields={"permalink": "http://inner:8080/shop/tin/tray/"}
    )
    settings = WooCommerceSettings(url=shop.url)
    async with shop.source() as source, shop.target() as target:
        for store in (source, target):
            rules = page_rules(settings)
            asked = ["201", "202", "203", "999", "none"]
            assert await page_paths(store, rules, Stream.PRODUCTS, asked) == {
                "201": "/product/blue-mug/",
                "202": "/shop/tin/tray/",
            }
            assert await page_paths(store, rules, Stream.CATEGORIES, ["302", "999"]) == {
                "302": "/product-category/kitchen/baking/"
            }


async def test_many_products_are_asked_for_in_portions(shop: Practice) -> None:
    await shop.load(
        product=[{"id": number, "name": f"Mug {number}"} for number in range(1000, 1250)]
    )
    async with shop.source() as source:
        rules = page_rules(WooCommerceSettings(url=shop.url))
        ids = [str(each) for each in range(1000, 1250)]
        found = await page_paths(source, rules, Stream.PRODUCTS, ids)
    assert found == {each: f"/product/product-{each}/" for each in ids}
    assert len(shop.requests("GET", "products")) == 3
