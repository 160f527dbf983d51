"""Writing products: in steps, each from what the store shows, so that every one can be run again.

1. Make the product, or change what differs of its own fields.
2. Make its options and variants, change what differs of them, delete those that the source has not
   any more.
3. Look at what came out.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from msgspec.structs import replace

from connectors.base import Applied, Loss, Operation, Outcome, Refused
from connectors.changes import Changed, touches
from connectors.errors import BadAnswer, StoreError
from connectors.prices import in_other_currencies
from connectors.records import Product, Stream, Variant
from connectors.variants import told_apart
from connectors.vendure.api import Api, decoder
from connectors.vendure.bodies import (
    Body,
    enabled,
    keyed,
    new_texts,
    own_variant,
    texts,
    variant_body,
)
from connectors.vendure.changing import finish, gone
from connectors.vendure.documents_writing import (
    CREATE_PRODUCT,
    CREATE_VARIANTS,
    DELETE_VARIANTS,
    UPDATE_PRODUCT,
    UPDATE_VARIANTS,
)
from connectors.vendure.facets import FacetBook, Words, slug
from connectors.vendure.loading import Loader
from connectors.vendure.optioning import Options
from connectors.vendure.pairing import pair_variants
from connectors.vendure.parts import (
    KEY,
    ONCE_PRICED,
    OUR_FACET,
    TAGS_FACET,
    Coins,
    custom,
)
from connectors.vendure.shop import Shop, has_keys
from connectors.vendure.wire import (
    WireFacetValue,
    WireId,
    WireProduct,
    WireVariant,
)

_SLUG = Loss("slug", "Another record of the target has this slug.")
_OPTIONS = Loss("variants", "Of variants with the same options one gets a number.")
_STATUS = Loss("status", "Products are enabled or not.")
_DISABLED = Loss(
    "variants.status", "Without a price a variant is disabled, and stays so when it has one."
)
_SHAPE = ("sku", "regular_price", "tax_class", "variants", "kind")
_OWN = (*_SHAPE, "attributes", "status")
"""Fields of a product that Vendure keeps in its variants; the status and what it is found by it
has itself as well.
"""

_FOREIGN = (
    "on the target its variants are not the source's: there is one without options, or such with "
    "options, where the source has it the other way round"
)


class ProductWriter:
    """Writes products to one store."""

    def __init__(self, api: Api, loader: Loader, facets: FacetBook) -> None:
        self._api = api
        self._loader = loader
        self._facets = facets
        self._options = Options(api, loader)

    async def prepare(self, operations: Sequence[Operation]) -> None:
        """Make the words that some products need before the first of them is written."""
        words = [
            each
            for operation in operations
            if isinstance(operation.content, Product)
            for each in _words(
                operation.content, operation.changed if operation.target_id else None
            )
        ]
        # What cannot be made is told of the product that needs it.
        with suppress(StoreError):
            await self._facets.prepare(words)

    async def write(self, operation: Operation) -> Outcome:
        """Create or update one product. Raises `StoreError`."""
        content = operation.content
        if not isinstance(content, Product):
            raise TypeError("an operation of another stream")
        content = told_apart(content)
        shop = await self._loader.shop()
        prices = [each.regular_price for each in content.variants or (content,)]
        if told := in_other_currencies(prices, shop.channel.default_currency_code):
            return _refused(operation, "other_currency", told)
        row: WireProduct | None = None
        if operation.target_id is not None:
            row = await self._row(operation.target_id)
            if row is None:
                return gone(operation, "product")
            if touches(operation.changed, *_SHAPE) and _is_foreign(operation, content, row, shop):
                return _refused(operation, "foreign_variants", _FOREIGN)
        wanted = await self._facet_values(content, row, operation.changed)
        if row is None:
            made = await self._create(operation, content, shop, wanted)
            row = WireProduct(id=made, name=content.name)
        else:
            await self._change(operation, content, row, shop, wanted)
        return await finish(operation, self._rest(operation, content, row, shop))

    async def _rest(
        self, operation: Operation, content: Product, row: WireProduct, shop: Shop
    ) -> Outcome:
        """Options and variants; then a look at the product."""
        changed = operation.changed if operation.target_id else None
        if touches(changed, *_OWN) and not _is_foreign(operation, content, row, shop):
            await self._write_variants(operation, content, row, shop, changed)
        raws = await self._loader.by_ids(Stream.PRODUCTS, [row.id])
        if not raws:
            return gone(operation, "product")
        records, failed = await self._loader.load(Stream.PRODUCTS, raws)
        if failed:
            raise BadAnswer("the store shows a product that cannot be understood")
        shown: WireProduct = decoder(WireProduct).decode(raws[0])
        return Applied(
            source_id=operation.source_id,
            target_id=row.id,
            children=pair_variants(replace(operation, content=content), shown.variants),
            content=records[0].content,
            losses=tuple(_losses(operation, content, records[0].content, shop)),
        )

    async def _create(
        self, operation: Operation, content: Product, shop: Shop, facets: list[str]
    ) -> str:
        found = new_texts(content, None, None)
        found["slug"] = content.slug or slug(content.name)
        body = {
            "enabled": enabled(content.status),
            "facetValueIds": facets,
            **texts(shop.language, found),
            **keyed(shop, "Product", operation.key, productSku=_own_sku(content)),
        }
        answer = await self._api.ask(CREATE_PRODUCT, dict[str, WireId], {"input": body})
        return answer["createProduct"].id

    async def _change(
        self,
        operation: Operation,
        content: Product,
        row: WireProduct,
        shop: Shop,
        facets: list[str],
    ) -> None:
        """Send what differs, and nothing where nothing does: that would move the date of change."""
        changed = operation.changed
        there = Product(name=row.name, slug=row.slug, description=row.description)
        body: Body = texts(shop.language, new_texts(content, there, changed) or {"name": None})
        if touches(changed, "status") and enabled(content.status) != row.enabled:
            body["enabled"] = enabled(content.status)
        if set(facets) != {each.id for each in row.facet_values}:
            body["facetValueIds"] = facets
        sku = _own_sku(content)
        has_sku = shop.has("Product", "productSku")
        if has_sku and touches(changed, "sku") and sku != custom(row.custom_fields, "productSku"):
            body["customFields"] = {"productSku": sku}
        if body:
            answer = {"input": {"id": row.id, **body}}
            await self._api.ask(UPDATE_PRODUCT, dict[str, WireId], answer)

    async def _write_variants(
        self,
        operation: Operation,
        content: Product,
        row: WireProduct,
        shop: Shop,
        changed: Changed,
    ) -> None:
        coins = Coins(shop.precision, shop.channel.default_currency_code)
        pairs = _pairs(operation, content, row.variants)
        await self._drop(operation, content, row.variants, pairs)
        options = await self._options.write(content, row)
        there = {each.id: each for each in row.variants}
        new: list[Body] = []
        changes: list[Body] = []
        for variant in content.variants or (own_variant(content),):
            target = pairs.get(variant.id)
            found = there.get(target or "")
            fields = operation.variants.get(variant.id, changed) if found else None
            fields = _of_variant(fields, content)
            body = variant_body(variant, found, fields, shop, coins)
            ids = [options[each.name, each.value] for each in variant.options]
            if ids and (found is None or set(ids) != {each.id for each in found.options}):
                body["optionIds"] = ids
            if tax := _tax_category(variant, found, fields, shop):
                body["taxCategoryId"] = tax
            if found is None:
                new.append(self._new_variant(body, row.id, content, variant, shop))
            elif body:
                changes.append({"id": found.id, **body})
        if new:
            await self._api.ask(CREATE_VARIANTS, dict[str, list[WireId]], {"input": new})
        if changes:
            await self._api.ask(UPDATE_VARIANTS, dict[str, list[WireId]], {"input": changes})

    def _new_variant(
        self, body: Body, product: str, content: Product, variant: Variant, shop: Shop
    ) -> Body:
        name = " ".join([content.name, *(each.value for each in variant.options)])
        return {"productId": product, **texts(shop.language, {"name": name}), **body}

    async def _drop(
        self,
        operation: Operation,
        content: Product,
        rows: Sequence[WireVariant],
        pairs: dict[str, str],
    ) -> None:
        """Delete variants of ours that the source has not any more, and ours without options where
        there are others now. The team's own stay.
        """
        kept = set(pairs.values())
        ours = set(operation.children.values())
        if content.variants:
            ours |= {each.id for each in rows if not each.options}
        dropped = [each.id for each in rows if each.id not in kept and each.id in ours]
        if dropped:
            await self._api.ask(DELETE_VARIANTS, dict[str, Any], {"ids": dropped})

    async def _facet_values(
        self, content: Product, row: WireProduct | None, changed: Changed
    ) -> list[str]:
        """Values of facets that the product is to have: those of the fields to write, and of the
        rest what it has.
        """
        there = row.facet_values if row else []
        changed = changed if row else None
        kept: list[WireFacetValue] = list(there)
        found: list[str] = []
        if touches(changed, "categories"):
            kept = [each for each in kept if each.facet.code != OUR_FACET]
            values = [await self._facets.value_of(each) for each in content.categories]
            found += [each for each in values if each]
        if touches(changed, "tags"):
            kept = [each for each in kept if each.facet.code != TAGS_FACET]
        if touches(changed, "attributes"):
            names = {each.name for each in content.attributes if not each.varies}
            kept = [each for each in kept if each.facet.name not in names]
        for words in _words(content, changed):
            found += await self._facets.values(words)
        return list(dict.fromkeys([*(each.id for each in kept), *found]))

    async def _row(self, target: str) -> WireProduct | None:
        rows = await self._loader.by_ids(Stream.PRODUCTS, [target])
        if not rows:
            return None
        found: WireProduct = decoder(WireProduct).decode(rows[0])
        return found


def _words(content: Product, changed: Changed) -> list[Words]:
    """Tags, and what a product is described by, of the fields to write."""
    found = []
    if touches(changed, "tags"):
        found.append(Words("Tags", content.tags, code=TAGS_FACET))
    if touches(changed, "attributes"):
        found += [
            Words(each.name, each.values, private=not each.visible)
            for each in content.attributes
            if not each.varies
        ]
    return found


def _refused(operation: Operation, code: str, message: str) -> Refused:
    return Refused(source_id=operation.source_id, code=code, message=message)


def _is_foreign(operation: Operation, content: Product, row: WireProduct, shop: Shop) -> bool:
    """Whether what is there had to be destroyed to make room for the source's variants, and is not
    ours: variants with options where the source has none, or the one without where it has some.

    Ours are those that were paired with the source's. One without options never was: it is ours
    where the product carries our key; of a store that keeps no keys only what the source changed
    tells.
    """
    with_options = [each for each in row.variants if each.options]
    keyed_by_us = custom(row.custom_fields, KEY) == operation.key
    changed = operation.changed or frozenset()
    is_ours = keyed_by_us or (not has_keys(shop, "Product") and "kind" in changed)
    lone = len(with_options) < len(row.variants)
    if content.variants:
        return lone and not is_ours
    if lone:
        return False
    paired = set(operation.children.values())
    if with_options:
        return any(each.id not in paired for each in with_options)
    return bool(row.option_groups) and not (paired or is_ours)


def _own_sku(content: Product) -> str:
    """The SKU of a product whose variants have their own."""
    return content.sku if content.variants else ""


def _pairs(operation: Operation, content: Product, rows: Sequence[WireVariant]) -> dict[str, str]:
    """Variants of the target by the source's ids; the only one without options by no id."""
    if content.variants:
        return pair_variants(replace(operation, content=content), rows)
    own = [each.id for each in rows if not each.options]
    return {"": own[0]} if own else {}


def _of_variant(fields: Changed, content: Product) -> Changed:
    """Which fields of a variant are to be written, by which of the product are. The only one of a
    product is for sale where that is: to hide it, hiding the product is enough.
    """
    if not content.variants:
        own = frozenset({"sku", "regular_price", "tax_class", "status"})
        hidden = frozenset() if enabled(content.status) else frozenset({"status"})
        return (own if fields is None else fields) - hidden
    if fields is not None and fields & {"variants", "attributes", "kind"}:
        return None
    return fields


def _tax_category(
    variant: Variant, found: WireVariant | None, fields: Changed, shop: Shop
) -> str | None:
    """The id of the tax category that the variant gets; None where it has it already, and where
    the store has none of this name.
    """
    wanted = str(variant.extra.get("tax_class", "")).casefold()
    now = found.tax_category if found else None
    name = shop.tax_classes.get(now.id, "") if now else ""
    if not touches(fields, "tax_class", "extra") or wanted == name.casefold():
        return None
    named = {name.casefold(): each for each, name in shop.tax_classes.items()}
    return named.get(wanted)


def _losses(operation: Operation, content: Product, shown: Any, shop: Shop) -> list[Loss]:
    found = []
    if content.slug and shown.slug != content.slug:
        found.append(_SLUG)
    if content is not operation.content:
        found.append(_OPTIONS)
    if content.status not in ("published", "draft"):
        found.append(_STATUS)
    if any(each.regular_price is None for each in content.variants) and not shop.has(
        "ProductVariant", ONCE_PRICED
    ):
        found.append(_DISABLED)
    return found
