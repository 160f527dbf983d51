"""Writing products: first the product itself, then its variants, in a batch of their own.

Medusa deletes the variants that an update of a product does not name, and the prices that an update
of a variant does not name. So the one never names variants, and the other names all prices.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from connectors.base import Applied, Loss, Match, Operation, Outcome, Refused, Uncertain
from connectors.errors import Rejected, StoreError
from connectors.medusa.api import Api, Asked, RefusedRequest, encoded
from connectors.medusa.bodies import (
    Body,
    VariantBodies,
    new_product_body,
    options,
    product_body,
    variants,
)
from connectors.medusa.changing import Attempt, gone, known_by, no_such
from connectors.medusa.fields import FIELDS
from connectors.medusa.finding import Finder, pair_variants
from connectors.medusa.mapping_products import is_simple, product
from connectors.medusa.parts import own_id
from connectors.medusa.shop import Shop
from connectors.medusa.wire import WireProduct, WireTag, WireVariant
from connectors.prices import in_other_currencies
from connectors.records import Product, Stream, Variant
from connectors.writing import write_each

_SLUG = Loss("slug", "Another record of the target has this slug.")
_OWN = frozenset({"sku", "regular_price", "barcode"})
"""Fields of a simple product that are its only variant's."""

_LARGEST = 1_900_000
"""Bytes of a request: Medusa takes 2 MB of a batch of products, and 100 KB of anything else."""

_SET = "Medusa cannot change what the variants of a product differ in: delete it on the target"


class _Answer(Struct):
    product: WireProduct


class _Batch(Struct):
    created: list[WireProduct] = []


class _TagAnswer(Struct):
    product_tag: WireTag


Made = tuple[Operation, Body]
"""A new product, and its body."""


class ProductWriter:
    """Writes products to one store."""

    def __init__(self, api: Api, shop: Shop, finder: Finder) -> None:
        self._api = api
        self._shop = shop
        self._finder = finder
        self._tags: dict[str, str] = {}
        self._tagging = asyncio.Lock()

    async def write_all(
        self, operations: Sequence[Operation], room: asyncio.Semaphore
    ) -> list[Outcome]:
        """New products in one request; where the store refuses that, and of those that are there,
        each in its own. Raises `StoreError` where nothing was applied.
        """
        attempt = Attempt()
        currency = await self._shop.currency()
        outcomes: list[Outcome] = [
            refusal for each in operations if (refusal := _foreign(each, _product(each), currency))
        ]
        refused = {each.source_id for each in outcomes}
        new = [e for e in operations if e.target_id is None and e.source_id not in refused]
        if len(new) > 1:
            bodies = [(each, await self._body(each, _product(each))) for each in new]
            for some in portions(bodies):
                outcomes += await self._create_some(some, room, attempt)
        done = {each.source_id for each in outcomes}
        rest = [each for each in operations if each.source_id not in done]
        if rest:
            outcomes += await write_each(rest, self.write, room, attempt)
        return outcomes

    async def write(self, operation: Operation) -> Outcome:
        """Create or update one product. Raises `StoreError`."""
        content = _product(operation)
        if refusal := _foreign(operation, content, await self._shop.currency()):
            return refusal
        if operation.target_id is None:
            return await self._create(operation, content)
        return await self._update(operation, content, operation.target_id)

    # --- creating -------------------------------------------------------------------------------

    async def _create_some(
        self, sent: Sequence[Made], room: asyncio.Semaphore, attempt: Attempt
    ) -> list[Outcome]:
        """In one request; no outcome at all where the store refuses that."""
        try:
            async with room:
                answer = await self._send_batch({"create": [body for _, body in sent]})
        except Rejected:
            # One of them is to blame, and spoils no other.
            return []
        except StoreError as error:
            return [attempt.outcome(operation, error) for operation, _ in sent]
        attempt.touched = True
        rows = {row.external_id: row for row in answer.created}
        return [
            await self._applied(each, _product(each), rows[each.key])
            if each.key in rows
            else _unanswered(each)
            for each, _ in sent
        ]

    async def _send_batch(self, parts: Mapping[str, Sequence[Body]]) -> _Batch:
        """Also one product goes as a batch: of that Medusa takes more than 100 KB."""
        query = {"fields": FIELDS[Stream.PRODUCTS]}
        return await self._api.send("POST", "products/batch", parts, _Batch, query=query)

    async def _body(self, operation: Operation, content: Product) -> Body:
        channel = (await self._shop.store()).default_sales_channel_id or ""
        tags = await self._tag_ids(content)
        profile = await self._shop.profile()
        currency = await self._shop.currency()
        return new_product_body(
            operation, content, tags, channel=channel, profile=profile, currency=currency
        )

    async def _create(self, operation: Operation, content: Product) -> Outcome:
        """One request makes all of it. What was there already is brought up to date."""
        body = await self._body(operation, content)
        try:
            answer = await self._send_batch({"create": [body]})
        except RefusedRequest as error:
            if not error.taken:
                raise
            match = await self._finder.one(Stream.PRODUCTS, operation)
            if match is not None:
                return await self._adopt(operation, match)
            if "handle" not in error.taken:
                raise
            body["handle"] = _other_handle(operation, content)
            answer = await self._send_batch({"create": [body]})
        if not answer.created:
            return _unanswered(operation)
        return await self._applied(operation, content, answer.created[0])

    async def _adopt(self, operation: Operation, match: Match) -> Outcome:
        there = replace(operation, target_id=match.target_id, children=match.children, changed=None)
        return known_by(await self.write(there), match)

    async def _tag_ids(self, content: Product) -> Mapping[str, str]:
        """Ids of a product's tags by name; those that are not there yet are made."""
        async with self._tagging:
            await self._look_up_tags(content.tags)
            for name in dict.fromkeys(content.tags):
                if name not in self._tags:
                    await self._make_tag(name)
            return {name: self._tags[name] for name in content.tags}

    async def _look_up_tags(self, names: Sequence[str]) -> None:
        wanted = sorted(set(names) - self._tags.keys())
        if wanted:
            asked: Asked = {"value[]": wanted, "fields": "id,value", "limit": len(wanted)}
            page = await self._api.list("product-tags", asked, WireTag)
            self._tags |= {row.value: row.id for row in page.rows}

    async def _make_tag(self, name: str) -> None:
        try:
            answer = await self._api.send("POST", "product-tags", {"value": name}, _TagAnswer)
        except RefusedRequest as error:
            # Another worker has made it in the same moment.
            await self._look_up_tags([name])
            if not error.taken or name not in self._tags:
                raise
        else:
            self._tags[name] = answer.product_tag.id

    # --- updating -------------------------------------------------------------------------------

    async def _update(self, operation: Operation, content: Product, target: str) -> Outcome:
        changed = operation.changed
        row = await self._row(target)
        if row is None:
            return gone(operation)
        needs_variants = changed is None or bool(changed & (_OWN | {"variants", "extra"}))
        if needs_variants and (refusal := _misfit(operation, content, row)):
            return refusal
        tags = await self._tag_ids(content) if changed is None or "tags" in changed else {}
        body = product_body(content, changed, tags)
        if body:
            try:
                await self._send_batch({"update": [body | {"id": target}]})
            except RefusedRequest as error:
                if "handle" not in error.taken:
                    raise
                body.pop("handle")
                await self._send_batch({"update": [body | {"id": target}]})
        if needs_variants:
            await self._write_variants(operation, content, row)
        found = await self._row(target)
        return gone(operation) if found is None else await self._applied(operation, content, found)

    async def _row(self, target: str) -> WireProduct | None:
        try:
            answer = await self._api.get(
                f"products/{target}", _Answer, {"fields": FIELDS[Stream.PRODUCTS]}
            )
        except RefusedRequest as error:
            if not error.is_gone:
                raise
            return None
        return answer.product

    async def _write_variants(
        self, operation: Operation, content: Product, row: WireProduct
    ) -> None:
        """Look before creating: an earlier, lost request may have made some."""
        there = {each.id: each for each in row.variants or ()}
        bodies = VariantBodies(operation, content, await self._shop.currency())
        pairs = _pairs(operation, content, row)
        create = [bodies.body(each) for each in variants(content) if each.id not in pairs]
        update = [
            {"id": pairs[each.id], **body}
            for each in variants(content)
            if each.id in pairs
            if (body := _changes(operation, content, bodies, each, there[pairs[each.id]]))
        ]
        wanted = {each.id for each in variants(content)}
        dropped = [
            target
            for source, target in operation.children.items()
            if source not in wanted and target in there
        ]
        await self._add_values(content, row)
        if create or update or dropped:
            parts = {"create": create, "update": update, "delete": dropped}
            batch = {name: each for name, each in parts.items() if each}
            path = f"products/{row.id}/variants/batch"
            await self._api.send("POST", path, batch, dict[str, Any], query={"fields": "id"})

    async def _add_values(self, content: Product, row: WireProduct) -> None:
        """Values of options that a new variant brings."""
        wanted, update = options(content), []
        for option in row.options or ():
            known = {each.value for each in option.values}
            fresh = [value for value in wanted.get(option.title, ()) if value not in known]
            if fresh:
                values = [{"value": value} for value in fresh]
                update.append({"product_option_id": option.id, "add": values})
        if update:
            path = f"products/{row.id}/options/batch"
            await self._api.send("POST", path, {"update": update}, dict[str, Any])

    async def _applied(self, operation: Operation, content: Product, row: WireProduct) -> Applied:
        shown = product(row, await self._shop.currency()).content
        losses = [_SLUG] if content.slug and row.handle != content.slug else []
        return Applied(
            source_id=operation.source_id,
            target_id=row.id,
            children=pair_variants(operation, row),
            content=shown,
            losses=tuple(losses),
        )


def _product(operation: Operation) -> Product:
    if not isinstance(operation.content, Product):
        raise TypeError("an operation of another stream")
    return operation.content


def portions(made: Sequence[Made]) -> Iterator[list[Made]]:
    """Products that go together into one request. One that is too large for any goes alone."""
    some: list[Made] = []
    length = 0
    for each in made:
        size = len(encoded(each[1])) + 1
        if some and length + size > _LARGEST:
            yield some
            some, length = [], 0
        some.append(each)
        length += size
    if some:
        yield some


def _foreign(operation: Operation, content: Product, currency: str) -> Refused | None:
    """Why prices cannot be written: a price beside the store's own would leave that one in force,
    and be none that anybody compares.
    """
    told = in_other_currencies((each.regular_price for each in variants(content)), currency)
    return no_such(operation, "other_currency", told) if told else None


def _unanswered(operation: Operation) -> Uncertain:
    return Uncertain(source_id=operation.source_id, reason="no_answer", running=False)


def _changes(
    operation: Operation,
    content: Product,
    bodies: VariantBodies,
    each: Variant,
    there: WireVariant,
) -> Body:
    """What to write of a variant that is there."""
    changed = operation.variants.get(each.id)
    if not content.variants and operation.changed is not None:
        changed = operation.changed & (_OWN | {"extra"})
    return bodies.body(each, changed, there.prices or ())


def _other_handle(operation: Operation, content: Product) -> str:
    """A handle that nobody else has: the slug, and some letters of our key."""
    return f"{content.slug}-{own_id('', operation.key)[1:7].lower()}".strip("-")


def _misfit(operation: Operation, content: Product, row: WireProduct) -> Refused | None:
    """Why the variants of a product cannot be what they are to be."""
    titles = {each.title for each in row.options or ()}
    if row.variants and titles != set(options(content)):
        return no_such(operation, "options_changed", _SET)
    return None


def _pairs(operation: Operation, content: Product, row: WireProduct) -> dict[str, str]:
    """Variants that are there, by the source's ids; of a simple product the only one."""
    there: Sequence[WireVariant] = row.variants or ()
    if not content.variants:
        return {"": there[0].id} if is_simple(row.options, there) and there else {}
    known = {each.id for each in there}
    named = {s: t for s, t in operation.children.items() if t in known}
    return pair_variants(operation, row) | named
