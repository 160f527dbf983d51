"""Writing products: one `productSet` each, which replaces the lists that it is given, and then
their sales channels.

So an update that touches variants looks first, and names every variant that is to stay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from connectors.base import Applied, Loss, Operation, Outcome, Refused
from connectors.changes import touches
from connectors.errors import BadAnswer, StoreError
from connectors.prices import SALE_DATES, at_once, in_other_currencies
from connectors.records import Product, Stream, Variant
from connectors.shopify.api import Api, decoder
from connectors.shopify.bodies import (
    OWN_VARIANT,
    inheriting,
    kept_variant,
    option_bodies,
    other_metafields,
    own_variant,
    prices_of,
    product_body,
    variant_body,
)
from connectors.shopify.changing import RefusedInput, change, unfinished
from connectors.shopify.documents_writing import SET_METAFIELDS, SET_PRODUCT
from connectors.shopify.keys import Keys, custom_id, key_metafield, sku_metafield
from connectors.shopify.loading import Loader
from connectors.shopify.pairing import pair_variants
from connectors.shopify.parts import gid, number
from connectors.shopify.publishing import Channels
from connectors.shopify.selling import FOR_SALE, HELD_BACK, hold_back, losses_of_prices
from connectors.shopify.wire import WireProduct, WireVariant
from connectors.variants import options_of, told_apart

_SLUG = Loss("slug", "Another record of the target has this slug.")
_OPTIONS = Loss("variants", "Of variants with the same options one gets a number.")
_KIND = Loss("kind", "Shopify knows products with and without variants only.")
_STATUS = Loss("status", "Shopify knows active, draft and archived products only.")
_HIDDEN = Loss("visibility", "Only what is for sale can be unlisted.")
_CHANNEL = Loss("status", "The target does not put this product on its sales channels.")
_STATUSES = frozenset({"published", "draft", "archived"})
_KINDS = frozenset({"simple", "variable"})
_ALONE = OWN_VARIANT | {"variants", "kind"}
_GONE = "the product is not there any more"
_FOREIGN = "on the target it has variants that are not the source's, and the source's has none"


class ProductWriter:
    """Writes products to one store."""

    def __init__(
        self,
        api: Api,
        loader: Loader,
        keys: Keys,
        channels: Channels,
        clock: Callable[[], datetime],
    ) -> None:
        self._api = api
        self._loader = loader
        self._keys = keys
        self._channels = channels
        self._clock = clock

    async def write(self, operation: Operation) -> Outcome:
        """Create or update one product. Raises `StoreError`."""
        content = operation.content
        if not isinstance(content, Product):
            raise TypeError("an operation of another stream")
        content = told_apart(content)
        shop = await self._loader.shop()
        if told := in_other_currencies(prices_of(content), shop.currency_code):
            return _refused(operation, "other_currency", told)
        await self._keys.define(Stream.PRODUCTS)
        now = self._clock()
        sold, row = at_once(content, now), None
        if operation.target_id is None:
            identifier, body = custom_id(operation.key), self._new(operation, sold, shop)
        else:
            row = await self._row(operation)
            if row is None:
                return Refused(source_id=operation.source_id, code="gone", message=_GONE, gone=True)
            if _is_misfit(operation, content, row):
                return _refused(operation, "foreign_variants", _FOREIGN)
            identifier, body = {"id": row.id}, self._changes(operation, sold, row, shop)
            if content.variants and content.sku and touches(operation.changed, "sku"):
                field = sku_metafield(content.sku) | {"ownerId": row.id}
                await change(self._api, SET_METAFIELDS, {"metafields": [field]})
        losses, held_back = [], False
        if (there := _of_ours(operation, content, row, body)) is not None:
            losses = losses_of_prices(there, now)
            held_back = hold_back(body, there, row.status if row else None, now)
        outcome = await self._send(operation, content, identifier, body)
        if not isinstance(outcome, Applied):
            return outcome
        losses += [HELD_BACK] if held_back else []
        status = body.get("status", row.status if row else "")
        if content.visibility == "hidden" and status not in FOR_SALE:
            losses.append(_HIDDEN)
        also = frozenset({"status", "visibility"} if row and "status" in body else ())
        return replace(outcome, losses=(*outcome.losses, *losses), also=also)

    async def _send(
        self, operation: Operation, content: Product, identifier: Any, body: dict[str, Any]
    ) -> Outcome:
        variables = {"identifier": identifier, "input": body}
        try:
            answer = await change(self._api, SET_PRODUCT, variables)
        except RefusedInput as error:
            if error.code != "duplicate_slug" or "handle" not in body:
                raise
            del body["handle"]
            answer = await change(self._api, SET_PRODUCT, variables)
        row: WireProduct = decoder(WireProduct).decode(answer["product"])
        try:
            losses = await self._offer(operation, body, row)
            records, failed = await self._loader.load(Stream.PRODUCTS, [row])
        except StoreError as error:
            return unfinished(operation, error)
        if failed or not records:
            raise BadAnswer("the store shows a product that cannot be understood")
        shown = records[0].content
        if content.slug and row.handle != content.slug:
            losses.append(_SLUG)
        if content is not operation.content:
            losses.append(_OPTIONS)
        if content.kind not in _KINDS:
            losses.append(_KIND)
        if content.status not in _STATUSES:
            losses.append(_STATUS)
        return Applied(
            source_id=operation.source_id,
            target_id=number(row.id),
            children=pair_variants(operation, row.variants.nodes),
            content=shown,
            losses=tuple(losses),
        )

    async def _offer(
        self, operation: Operation, body: dict[str, Any], row: WireProduct
    ) -> list[Loss]:
        """Put a product that is for sale on the sales channels, and take any other one off them.
        Where its status stays as it is, so do its channels: they are the team's.
        """
        for_sale = row.status in FOR_SALE
        if operation.target_id is None and not for_sale:
            return []
        if operation.target_id and "status" not in body:
            return []
        move = self._channels.show if for_sale else self._channels.hide
        try:
            count = await move(row.id)
        except RefusedInput:
            return [_CHANNEL]
        row.resource_publications_count = count or row.resource_publications_count
        return []

    def _new(self, operation: Operation, content: Product, shop: Any) -> dict[str, Any]:
        body = product_body(content, None)
        body["productOptions"] = option_bodies(options_of(content) if content.variants else [])
        body["metafields"] = [key_metafield(operation.key), *other_metafields(content.extra)]
        if content.variants and content.sku:
            body["metafields"].append(sku_metafield(content.sku))
        body["variants"] = [
            variant_body(inheriting(each, content), None, shop.weight_unit)
            for each in content.variants
        ] or [own_variant(content, None, shop.weight_unit)]
        return body

    def _changes(
        self, operation: Operation, content: Product, row: WireProduct, shop: Any
    ) -> dict[str, Any]:
        changed = operation.changed
        body = product_body(content, changed)
        if touches(changed, "visibility") and not touches(changed, "status"):
            del body["status"]
            body |= _relisted(content, row)
        unit = shop.weight_unit
        if content.variants:
            if touches(changed, "variants", "attributes", "weight", "taxable", *SALE_DATES):
                body |= _variants(operation, content, row.variants.nodes, unit)
        elif touches(changed, *_ALONE):
            if row.has_only_default_variant:
                own = {"id": row.variants.nodes[0].id}
                body["variants"] = [own_variant(content, changed, unit) | own]
            else:
                # The source's variants are gone, and all that were there came from it.
                body["variants"] = [own_variant(content, None, unit)]
            body["productOptions"] = option_bodies([])
        return body

    async def _row(self, operation: Operation) -> WireProduct | None:
        """The product as it is now, whole."""
        ids = [gid("Product", operation.target_id or "")]
        rows, failed = await self._loader.single(Stream.PRODUCTS, ids)
        if failed:
            raise BadAnswer(f"record {failed[0][0]}: {failed[0][1]}", code="record_unmappable")
        return await self._loader.completed(Stream.PRODUCTS, rows[0]) if rows else None


def _relisted(content: Product, row: WireProduct) -> dict[str, Any]:
    """What a change of visibility alone makes of the status: it tells apart what is for sale, and
    puts nothing on sale or off it.
    """
    wanted = "UNLISTED" if content.visibility == "hidden" else "ACTIVE"
    return {"status": wanted} if row.status in FOR_SALE and row.status != wanted else {}


def _refused(operation: Operation, code: str, message: str) -> Refused:
    return Refused(source_id=operation.source_id, code=code, message=message)


def _is_misfit(operation: Operation, content: Product, row: WireProduct) -> bool:
    """Whether a product without variants meets one that has others than ours. To give it a price
    of its own would destroy them with their stock.
    """
    if content.variants or row.has_only_default_variant:
        return False
    ours = set(operation.children.values())
    strange = [each for each in row.variants.nodes if number(each.id) not in ours]
    return bool(strange) and touches(operation.changed, *_ALONE)


def _of_ours(
    operation: Operation, content: Product, row: WireProduct | None, body: dict[str, Any]
) -> Product | None:
    """What the target has of our product after the write; None where it has variants of the team's
    alone, which need no price of the source's.
    """
    if row is None:
        return content
    if not content.variants:
        return content if row.has_only_default_variant or "variants" in body else None
    kept = _wanted(operation, content, pair_variants(operation, row.variants.nodes))
    return replace(content, variants=tuple(kept)) if kept else None


def _wanted(operation: Operation, content: Product, pairs: Mapping[str, str]) -> list[Variant]:
    """The variants that are there or to be made. One that the team deleted is not, for as long as
    nothing of it is to be written.
    """
    return [
        each
        for each in content.variants
        if each.id in pairs or operation.variants.get(each.id) != frozenset()
    ]


def _variants(
    operation: Operation, content: Product, rows: Sequence[WireVariant], unit: str
) -> dict[str, Any]:
    """The whole list: ours with the fields to write, the team's own as they are. Those of ours
    that the source has no longer are left out, and so go.
    """
    pairs = pair_variants(operation, rows)
    ours = set(pairs.values())
    dropped = {
        target for source, target in operation.children.items() if target not in ours and source
    }
    bodies = []
    for variant in _wanted(operation, content, pairs):
        target = pairs.get(variant.id)
        fields = operation.variants.get(variant.id) if target else None
        if fields is not None and touches(operation.changed, "weight", "taxable"):
            fields |= {"weight", "taxable"}
        if fields is not None and touches(operation.changed, *SALE_DATES):
            fields |= SALE_DATES
        body = variant_body(inheriting(variant, content), fields, unit)
        bodies.append(body | ({"id": gid("ProductVariant", target)} if target else {}))
    kept = [
        each for each in rows if number(each.id) not in ours | dropped and not _is_default(each)
    ]
    bodies += [kept_variant(each) for each in kept]
    if not bodies:
        return {}
    return {"variants": bodies, "productOptions": option_bodies(_options(content, kept))}


def _is_default(row: WireVariant) -> bool:
    return [(each.name, each.value) for each in row.selected_options] == [
        ("Title", "Default Title")
    ]


def _options(content: Product, kept: Sequence[WireVariant]) -> list[Any]:
    """The options with all values that any variant has, those of variants that stay included."""
    options = options_of(content)
    found = []
    for option in options:
        more = [
            each.value
            for row in kept
            for each in row.selected_options
            if each.name == option.name and each.value not in option.values
        ]
        found.append(type(option)(name=option.name, values=(*option.values, *dict.fromkeys(more))))
    return found
