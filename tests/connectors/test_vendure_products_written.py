"""Writing products to Vendure: nothing of the team's is destroyed, nothing is sold for nothing."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any, cast

from msgspec import Raw
from msgspec.structs import replace

from connectors.base import Applied, Outcome, Refused
from connectors.records import Option, Product, Stream, Variant, money
from connectors.testing.contents import gbp, product, variant
from connectors.testing.operations import operations
from connectors.vendure.api import Api, Document, decoder
from connectors.vendure.facets import FacetBook
from connectors.vendure.loading import Loader
from connectors.vendure.shop import Shop, Shops
from connectors.vendure.walking import Walker
from connectors.vendure.wire import Listed, WireChannel
from connectors.vendure.writing_products import ProductWriter

_FIELD = re.compile(r"\{ (\w+)\(")
_KEPT = frozenset({"recentSyncKey", "productSku"})


class Store:
    """What Vendure does with products, in memory. `sent` are the names of changes."""

    def __init__(self, *products: dict[str, Any], keeps_statuses: bool = True) -> None:
        self.products = {each["id"]: each for each in products}
        self.sent: list[str] = []
        self._ids = (str(each) for each in itertools.count(100))
        custom = {"Product": _KEPT}
        if keeps_statuses:
            custom["ProductVariant"] = frozenset({"statusOncePriced"})
        self._shop = Shop(
            channel=WireChannel("1", "shop", "GBP", "en"),
            language="en",
            precision=2,
            tracks=True,
            threshold=0,
            custom=custom,
            importer=None,
            tax_classes={},
        )

    async def shop(self) -> Shop:
        return self._shop

    async def ask(self, document: Document, kind: Any, variables: dict[str, Any]) -> Any:
        found = _FIELD.findall(document.text)
        name = next(each for each in found if each != document.text)
        if document.text.startswith("query"):
            asked = variables["options"]["filter"]["id"]["in"]
            rows = [Raw(json.dumps(self.products[each]).encode()) for each in asked]
            return {"products": Listed(rows, len(rows))}
        self.sent.append(name)
        answer = getattr(self, f"_{name}")(variables)
        return decoder(kind).decode(json.dumps({name: answer}).encode())

    def _createProduct(self, given: dict[str, Any]) -> Any:  # noqa: N802  as Vendure calls it
        texts = {k: v for k, v in given["input"]["translations"][0].items() if k != "languageCode"}
        made = product_row(next(self._ids), enabled=given["input"]["enabled"], **texts)
        made["customFields"] = given["input"]["customFields"]
        self.products[made["id"]] = made
        return {"id": made["id"]}

    def _updateProduct(self, given: dict[str, Any]) -> Any:  # noqa: N802
        self.products[given["input"]["id"]] |= {
            name: value for name, value in given["input"].items() if name != "translations"
        }
        return {"id": given["input"]["id"]}

    def _createProductVariants(self, given: dict[str, Any]) -> Any:  # noqa: N802
        made = []
        for each in given["input"]:
            row = self.products[each["productId"]]
            assert bool(row["optionGroups"]) == bool(each.get("optionIds")), "Vendure refuses it"
            options = [
                option | {"group": {"id": group["id"], "name": group["name"]}}
                for group in row["optionGroups"]
                for option in group["options"]
                if option["id"] in each.get("optionIds", ())
            ]
            found = variant_row(next(self._ids), each["sku"], each["price"], options)
            found["enabled"] = each["enabled"]
            found["customFields"] = each.get("customFields")
            row["variants"].append(found)
            made.append({"id": found["id"]})
        return made

    def _updateProductVariants(self, given: dict[str, Any]) -> Any:  # noqa: N802
        for each in given["input"]:
            [row] = [
                v for p in self.products.values() for v in p["variants"] if v["id"] == each["id"]
            ]
            row.update({name: value for name, value in each.items() if name != "price"})
            if "price" in each:
                row["prices"] = [{"price": each["price"], "currencyCode": "GBP"}]
        return given["input"]

    def _createProductOptionGroup(self, given: dict[str, Any]) -> Any:  # noqa: N802
        def named(each: dict[str, Any]) -> dict[str, Any]:
            return {"id": next(self._ids), "name": each["translations"][0]["name"]}

        made = named(given["input"])
        made["options"] = [named(each) for each in given["input"]["options"]]
        self._group = made
        return made

    def _addOptionGroupToProduct(self, given: dict[str, Any]) -> Any:  # noqa: N802
        self.products[given["product"]]["optionGroups"].append(self._group)
        return {"id": given["product"]}


def product_row(product_id: str, **fields: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {"optionGroups": [], "variants": [], "facetValues": []}
    return {"id": product_id, "name": "Tee", "slug": "tee", "enabled": True} | empty | fields


def variant_row(variant_id: str, sku: str, price: int, options: Any = ()) -> dict[str, Any]:
    prices = [{"price": price, "currencyCode": "GBP"}]
    return {"id": variant_id, "sku": sku, "prices": prices, "options": list(options)}


def tee_in_sizes() -> dict[str, Any]:
    """A product of the team's, in three sizes."""
    group = {"id": "7", "name": "Size"}
    options = [{"id": str(index), "name": size} for index, size in enumerate("SML", 30)]
    return product_row(
        "5",
        optionGroups=[group | {"options": options}],
        variants=[
            variant_row(f"2{index}", f"TEE-{each['name']}", 1500, [each | {"group": group}])
            for index, each in enumerate(options)
        ],
    )


async def write(
    store: Store, content: Product, made: Applied | None = None, **more: Any
) -> Outcome:
    """Create a product, or change it."""
    api = cast("Api", store)
    loader = Loader(api, cast("Shops", store), Walker(api))
    writer = ProductWriter(api, loader, FacetBook(api, loader))
    [operation] = operations(Stream.PRODUCTS, [content])
    if made is not None:
        more = {"target_id": made.target_id, "children": made.children} | more
    return await writer.write(replace(operation, **more))


async def written(*args: Any, **more: Any) -> Applied:
    outcome = await write(*args, **more)
    assert isinstance(outcome, Applied), outcome
    return outcome


def shown(made: Applied) -> Product:
    assert isinstance(made.content, Product)
    return made.content


# --- the team's own variants ---------------------------------------------------------------------

PRICE = frozenset({"regular_price", "sku"})


async def test_variants_of_the_team_are_not_destroyed_for_a_product_that_has_none() -> None:
    """A simple product was found by its SKU in a product that the team had put together."""
    store = Store(tee_in_sizes())
    outcome = await write(store, product(1, sku="TEE-S"), target_id="5", changed=PRICE)
    assert isinstance(outcome, Refused)
    assert (outcome.code, store.sent) == ("foreign_variants", [])
    assert store.products == {"5": tee_in_sizes()}


async def test_what_needs_no_variants_is_written_beside_the_teams() -> None:
    store = Store(tee_in_sizes())
    hidden = product(1, status="draft")
    await written(store, hidden, target_id="5", changed=frozenset({"status"}))
    assert store.products["5"] == tee_in_sizes() | {"enabled": False}


async def test_sizes_that_the_team_gave_a_product_of_ours_are_not_destroyed() -> None:
    store = Store()
    made = await written(store, product(1))
    row = store.products[made.target_id]
    row |= {name: tee_in_sizes()[name] for name in ("variants", "optionGroups")}
    outcome = await write(store, product(1, regular_price=gbp("9")), made, changed=PRICE)
    assert isinstance(outcome, Refused)
    assert [each["id"] for each in row["variants"]] == ["20", "21", "22"]


async def test_option_groups_that_the_team_prepared_stay() -> None:
    store = Store()
    made = await written(store, product(1))
    store.products[made.target_id]["optionGroups"] = tee_in_sizes()["optionGroups"]
    dearer = await written(store, product(1, regular_price=gbp("9")), made, changed=PRICE)
    assert store.products[made.target_id]["optionGroups"] == tee_in_sizes()["optionGroups"]
    assert shown(dearer).regular_price == gbp("9")


async def test_the_only_variant_of_a_foreign_product_is_not_destroyed_for_sizes() -> None:
    theirs = product_row("5", variants=[variant_row("20", "SHIRT-1-S", 1500)])
    store = Store(theirs)
    shirt = product(1, sku="", kind="variable", variants=(variant(1, "S"), variant(1, "M")))
    outcome = await write(store, shirt, target_id="5", changed=frozenset({"variants"}))
    assert isinstance(outcome, Refused)
    assert (outcome.code, store.sent) == ("foreign_variants", [])


# --- prices --------------------------------------------------------------------------------------


async def test_a_product_goes_on_sale_as_soon_as_it_has_a_price() -> None:
    store = Store()
    made = await written(store, product(1, regular_price=None, status="draft"))
    [own] = store.products[made.target_id]["variants"]
    assert (own["enabled"], shown(made).regular_price) == (False, None)
    changed = frozenset({"status", "regular_price"})
    priced = await written(store, product(1), made, changed=changed)
    assert (own["enabled"], shown(priced).status) == (True, "published")
    assert shown(priced).regular_price == product(1).regular_price


async def test_a_published_product_without_a_price_is_published_and_sold_to_nobody() -> None:
    """Its status is what it is at the source, so that nobody takes it for the team's doing."""
    store = Store()
    made = await written(store, product(1, regular_price=None))
    assert (shown(made).status, shown(made).regular_price) == ("published", None)
    [own] = store.products[made.target_id]["variants"]
    assert not own["enabled"]
    await written(store, product(1), made, changed=frozenset({"regular_price"}))
    assert own["enabled"]


async def test_a_price_that_is_taken_away_is_not_asked_any_more() -> None:
    store = Store()
    made = await written(store, product(1))
    [own] = store.products[made.target_id]["variants"]
    without = product(1, regular_price=None)
    found = await written(store, without, made, changed=frozenset({"regular_price"}))
    assert (own["enabled"], own["prices"][0]["price"]) == (False, 0)
    assert (shown(found).status, shown(found).regular_price) == ("published", None)


async def test_what_the_team_has_disabled_stays_disabled_at_another_price() -> None:
    store = Store()
    made = await written(store, product(1))
    [own] = store.products[made.target_id]["variants"]
    own["enabled"] = False
    await written(store, product(1, regular_price=gbp("9")), made, changed=PRICE)
    assert (own["enabled"], own["prices"][0]["price"]) == (False, 900)


def sizes(*prices: str | None, statuses: tuple[str, ...] = ("published", "draft")) -> Product:
    """A shirt in two sizes."""
    variants = [
        Variant(
            id=size,
            sku=f"SHIRT-{size}",
            options=(Option("Size", size),),
            regular_price=gbp(price) if price else None,
            status=status,
        )
        for size, price, status in zip("SM", prices, statuses, strict=True)
    ]
    return product(1, sku="", kind="variable", regular_price=None, variants=tuple(variants))


def statuses(made: Applied) -> list[str]:
    return [each.status for each in shown(made).variants]


async def test_variants_without_a_price_remember_whether_they_are_to_be_sold() -> None:
    store = Store()
    made = await written(store, sizes(None, None))
    rows = store.products[made.target_id]["variants"]
    assert [each["enabled"] for each in rows] == [False, False]
    assert statuses(made) == ["published", "draft"]
    price = frozenset({"regular_price"})
    more = {"changed": frozenset({"variants"}), "variants": {"S": price, "M": price}}
    priced = await written(store, sizes("1", "1"), made, **more)
    assert [each["enabled"] for each in rows] == [True, False]
    assert statuses(priced) == ["published", "draft"]
    again = await written(store, sizes(None, None), made, **more)
    assert [each["enabled"] for each in rows] == [False, False]
    assert statuses(again) == ["published", "draft"]


async def test_where_the_store_keeps_no_statuses_the_loss_is_told() -> None:
    store = Store(keeps_statuses=False)
    made = await written(store, sizes(None, None))
    assert statuses(made) == ["draft", "draft"]
    assert [each.field for each in made.losses] == ["variants.status"]


async def test_prices_in_another_currency_are_refused() -> None:
    store = Store()
    made = await written(store, product(1))
    store.sent.clear()
    dollars = product(1, regular_price=money("10", "USD"))
    for content in (dollars, sizes("1", "1")):
        if content.variants:
            [first, last] = content.variants
            variants = (first, replace(last, regular_price=money("10", "USD")))
            content = replace(content, variants=variants)  # noqa: PLW2901
        outcome = await write(store, content, made, changed=frozenset({"regular_price"}))
        assert isinstance(outcome, Refused)
        assert (outcome.code, store.sent) == ("other_currency", [])
