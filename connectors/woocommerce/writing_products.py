"""Writing products with their variations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from connectors.base import Applied, Loss, Operation, Outcome
from connectors.concurrency import together
from connectors.errors import Rejected, StoreError
from connectors.records import Content, Product
from connectors.woocommerce.api import BATCH_LIMIT, Api, RefusedRequest, decoder
from connectors.woocommerce.batches import Attempt, Item, refused, send_batch
from connectors.woocommerce.bodies_products import (
    KINDS,
    new_product_body,
    product_body,
    variation_body,
    wire_status,
)
from connectors.woocommerce.loading import Loader
from connectors.woocommerce.mapping_products import product, variant
from connectors.woocommerce.pairing import carried_key, pair_variations
from connectors.woocommerce.parts import gmt, utc
from connectors.woocommerce.tags import Tags
from connectors.woocommerce.wire import WireProduct, WireVariation

_WITH_IMAGES = 10
"""Products in one batch where the target has to fetch their images meanwhile."""

_TAGS = Loss("tags", "The target does not take a tag.")
_IMAGES = Loss("images", "The target could not fetch an image from its address.")
_DATE = Loss("created_at", "The target would have put a date in its future on its schedule.")

_TRIES = 4
"""How often a product is sent at most: once as it is, then after each thing that can be mended."""


@dataclass(slots=True)
class _Work:
    """What is known of one operation while it is being written."""

    operation: Operation
    content: Product
    body: dict[str, Any]
    target: int | None
    children: dict[str, str]
    row: WireProduct | None = None
    variations: list[WireVariation] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    outcome: Outcome | None = None

    def fields_of(self, variant: str) -> frozenset[str] | None:
        """Which fields of a variant to write, None for all."""
        return self.operation.variants.get(variant) if variant in self.children else None


class ProductWriter:
    """Writes products in batches, then the variations of each."""

    def __init__(self, api: Api, loader: Loader, *, images: bool) -> None:
        self._api = api
        self._loader = loader
        self._tags = Tags(api)
        self._images = images

    async def write(self, operations: Sequence[Operation]) -> list[Outcome]:
        """One outcome for each operation."""
        attempt = Attempt()
        tags = await self._tags_of(operations)
        works = [self._work(each, tags) for each in operations]
        currency = await self._loader.currency()
        for some in self._portions(works):
            await self._send(attempt, some)
        written = _open(works)
        # Side by side, one may have been applied while another one fails.
        attempt.touched = attempt.touched or len(written) > 1
        await together([self._write_variations(attempt, work) for work in written])
        return [_outcome(work, currency) for work in works]

    async def _tags_of(self, operations: Sequence[Operation]) -> Mapping[str, int]:
        contents = [each.content for each in operations]
        names = [tag for each in contents if isinstance(each, Product) for tag in each.tags]
        return await self._tags.ids(names)

    def _work(self, operation: Operation, tags: Mapping[str, int]) -> _Work:
        content = operation.content
        if not isinstance(content, Product):
            raise TypeError("an operation of another stream")
        target = None if operation.target_id is None else int(operation.target_id)
        if target is None:
            body = new_product_body(operation, content, tags, images=self._images)
        else:
            body = product_body(content, operation.changed, tags, images=self._images)
        work = _Work(operation, content, body, target, dict(operation.children))
        if any(name not in tags for name in content.tags):
            work.losses.append(_TAGS)
        if content.kind not in KINDS:
            work.losses.append(Loss("kind", "The target does not know this kind of product."))
        return work

    def _portions(self, works: Sequence[_Work]) -> list[list[_Work]]:
        """Batches, smaller ones where images are fetched."""
        pictured = [work for work in works if work.body.get("images")]
        others = [work for work in works if work.body and not work.body.get("images")]
        return [
            *(others[start : start + BATCH_LIMIT] for start in range(0, len(others), BATCH_LIMIT)),
            *(
                pictured[start : start + _WITH_IMAGES]
                for start in range(0, len(pictured), _WITH_IMAGES)
            ),
        ]

    async def _send(self, attempt: Attempt, works: Sequence[_Work]) -> None:
        """One batch; items that stumble over an image, a SKU or a date are sent again."""
        for left in reversed(range(_TRIES)):
            if works:
                works = await self._send_once(attempt, works, last=not left)

    async def _send_once(
        self, attempt: Attempt, works: Sequence[_Work], *, last: bool
    ) -> list[_Work]:
        """Those that were mended, to be sent again."""
        new = [work for work in works if work.target is None]
        old = [work for work in works if work.target is not None]
        try:
            batch = await send_batch(
                self._api,
                "products",
                create=[work.body for work in new],
                update=[{"id": work.target, **work.body} for work in old],
            )
        except StoreError as error:
            for work in works:
                work.outcome = attempt.outcome(work.operation, error)
            return []
        attempt.touched = True
        again = []
        items = [*batch.created, *batch.updated]
        for work, item in zip([*new, *old], items, strict=True):
            taken = self._take(work, item)
            if not last and (_put_off(work) if taken else await self._mend(work, item)):
                again.append(work)
        return again

    def _take(self, work: _Work, item: Item) -> bool:
        if isinstance(item, RefusedRequest):
            work.outcome = refused(work.operation, item)
            return False
        row: WireProduct = decoder(WireProduct).decode(item)
        work.outcome = None
        work.target = row.id
        work.row = row
        if "slug" in work.body and row.slug and row.slug != work.body["slug"]:
            work.losses.append(Loss("slug", "Another record of the target has this slug."))
        return True

    async def _mend(self, work: _Work, item: Item) -> bool:
        """Whether a refused item can be sent again: without images, or to the product that an
        earlier, lost request of ours made.
        """
        if not isinstance(item, RefusedRequest):
            return False
        if item.platform_code == "woocommerce_product_image_upload_error":
            work.body.pop("images", None)
            work.losses.append(_IMAGES)
        elif work.target is None and item.resource_id and await self._is_ours(work, item):
            work.target = item.resource_id
            work.body = {k: v for k, v in work.body.items() if k != "date_created_gmt"}
        else:
            return False
        work.outcome = None
        return True

    async def _is_ours(self, work: _Work, item: RefusedRequest) -> bool:
        """Whether the product in the way carries our key."""
        try:
            row = await self._api.get(f"products/{item.resource_id}", WireProduct)
        except StoreError:
            return False
        return carried_key(row.meta_data) == work.operation.key

    async def _write_variations(self, attempt: Attempt, work: _Work) -> None:
        changed = work.operation.changed
        if work.target is None or not (changed is None or "variants" in changed):
            return
        if work.operation.target_id is None and not work.content.variants:
            return
        try:
            await self._sync_variations(attempt, work, work.target)
        except Rejected as error:
            work.outcome = refused(work.operation, error)
        except StoreError as error:
            work.outcome = attempt.outcome(work.operation, error)

    async def _sync_variations(self, attempt: Attempt, work: _Work, target: int) -> None:
        wanted = {variant.id: variant for variant in work.content.variants}
        if work.operation.target_id is not None and wanted.keys() - work.children.keys():
            # Look before creating: an earlier, lost request may have made some.
            rows = await self._loader.variations(WireProduct(id=target))
            work.children |= _unclaimed(work, pair_variations(work.operation, rows))
        bodies = {
            source: variation_body(
                work.operation, variant, work.fields_of(source), images=self._images
            )
            for source, variant in wanted.items()
        }
        new = [(source, body) for source, body in bodies.items() if source not in work.children]
        old = [
            (source, {"id": int(work.children[source]), **body})
            for source, body in bodies.items()
            if source in work.children and body
        ]
        kept = {work.children[source] for source in wanted if source in work.children}
        # A variation that was made anew at the source goes on as the one that is there.
        work.children = {
            source: there
            for source, there in work.children.items()
            if source in wanted or there not in kept
        }
        gone = [source for source in work.children if source not in wanted]
        path = f"products/{target}/variations"
        for start in range(0, len(new), BATCH_LIMIT):
            some = new[start : start + BATCH_LIMIT]
            batch = await send_batch(self._api, path, create=[body for _, body in some])
            attempt.touched = True
            _take_children(work, [source for source, _ in some], batch.created)
        for start in range(0, len(old), BATCH_LIMIT):
            some = old[start : start + BATCH_LIMIT]
            batch = await send_batch(self._api, path, update=[body for _, body in some])
            _take_children(work, [source for source, _ in some], batch.updated)
        for start in range(0, len(gone), BATCH_LIMIT):
            names = gone[start : start + BATCH_LIMIT]
            await send_batch(self._api, path, delete=[int(work.children[each]) for each in names])
            for each in names:
                del work.children[each]


def _unclaimed(work: _Work, pairs: Mapping[str, str]) -> dict[str, str]:
    """Pairs, but for those of a new variation with what another one of the source's is already."""
    others = {
        pairs.get(each.id, work.children[each.id])
        for each in work.content.variants
        if each.id in work.children
    }
    return {
        source: there
        for source, there in pairs.items()
        if source in work.children or there not in others
    }


def _put_off(work: _Work) -> bool:
    """Whether the target put a published product on its schedule: the source's clock is ahead of
    the target's, and so is the product's date. The target's own clock dates it then.
    """
    row, published = work.row, wire_status("published")
    dated = not work.body.keys().isdisjoint({"status", "date_created_gmt"})
    if row is None or row.status != "future" or not dated or work.content.status != "published":
        return False
    work.body = {"status": published, "date_created_gmt": gmt(utc(row.date_modified_gmt))}
    work.losses.append(_DATE)
    return True


def _take_children(work: _Work, sources: Sequence[str], items: Sequence[Item]) -> None:
    for source, item in zip(sources, items, strict=True):
        if isinstance(item, RefusedRequest):
            # A variation that is gone from the target is made anew the next time.
            work.children.pop(source, None)
            work.outcome = refused(work.operation, item)
        else:
            row: WireVariation = decoder(WireVariation).decode(item)
            work.variations.append(row)
            work.children[source] = str(row.id)


def _open(works: Sequence[_Work]) -> list[_Work]:
    return [work for work in works if work.outcome is None]


def _shown(work: _Work, currency: str) -> Content:
    """The product as the store answered it; what was not sent stands there as it was given."""
    content: Content = work.content
    if work.row is not None:
        content = product(work.row, [], currency).content
    return replace(content, variants=tuple(variant(row, currency) for row in work.variations))


def _outcome(work: _Work, currency: str) -> Outcome:
    return work.outcome or Applied(
        source_id=work.operation.source_id,
        target_id=str(work.target),
        children=work.children,
        content=_shown(work, currency),
        losses=tuple(dict.fromkeys(work.losses)),
    )
