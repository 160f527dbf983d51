"""Writing categories, customers and stock: one batch each, and what can go wrong with an item."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from msgspec import Raw, Struct
from msgspec.structs import replace

from connectors.base import Applied, Loss, Operation, Outcome, Refused
from connectors.errors import StoreError
from connectors.records import Category, Content, Customer, InventoryLevel
from connectors.woocommerce.addon import Addon
from connectors.woocommerce.api import BATCH_LIMIT, Api, RefusedRequest, decoder
from connectors.woocommerce.batches import Attempt, Body, Item, refused, send_batch
from connectors.woocommerce.bodies_products import category_body, shared_stock_body, stock_body
from connectors.woocommerce.finding import Finder
from connectors.woocommerce.mapping_customers import customer, customer_changes, new_customer
from connectors.woocommerce.mapping_products import OF_THE_PARENT, category
from connectors.woocommerce.parts import KEY_META
from connectors.woocommerce.wire import WireCategory, WireCustomer

_SLUG = Loss("slug", "Another record of the target has this slug.")
_USERNAME = Loss("username", "The user name is taken on the target.")
_UNCOUNTED = (
    "the target does not count this stock: turn stock management on in WooCommerce's settings,"
    " Products, Inventory"
)


class _Counted(Struct, gc=False):
    """What has to be known of stock that was written."""

    manage_stock: Any = False


Entry = tuple[Operation, Body]
"""An operation and its body; with `id` in the body it is an update."""

Take = Callable[[Operation, Raw], Outcome]
Mend = Callable[[Operation, Body, RefusedRequest], Awaitable["Mended | None"]]


class Mended(NamedTuple):
    """What to send once more; `found`: to a record that is there already, found by this key."""

    body: Body
    found: str | None = None


class PlainWriter:
    """Writes the streams whose records are one item of one batch each."""

    def __init__(self, api: Api, finder: Finder, addon: Addon) -> None:
        self._api = api
        self._finder = finder
        self._addon = addon
        self._creating = asyncio.Lock()

    async def categories(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Create and update categories. Parents have to exist already."""
        keyed = await self._addon.is_usable()
        entries = [(each, _category_body(each, keyed=keyed)) for each in operations]
        return await self._write(
            Attempt(), "products/categories", entries, _take_category, self._mend_category
        )

    async def customers(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Create and update customers.

        Two requests at once can make two customers of one email, one request never does. So
        creates share a batch, which the store works through one by one, and batches wait.
        """
        new = [(each, _customer_body(each)) for each in operations if each.target_id is None]
        old = [(each, _customer_body(each)) for each in operations if each.target_id is not None]
        attempt = Attempt()
        outcomes: list[Outcome] = []
        if new:
            async with self._creating:
                outcomes = await self._write(
                    attempt, "customers", new, _take_customer, self._mend_customer
                )
        if old:
            outcomes += await self._write(
                attempt, "customers", old, _take_customer, self._mend_customer
            )
        return outcomes

    async def levels(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Set stock, of products in one batch and of each product's variations in one more."""
        outcomes: list[Outcome] = []
        places: dict[str, list[Entry]] = {}
        shared: dict[str, Entry] = {}
        for operation in operations:
            content = _level(operation)
            try:
                body = {"id": int(content.variant or content.product), **stock_body(content)}
                pool = shared_stock_body(content, operation.changed)
            except ValueError:
                outcomes.append(_no_level(operation, content))
                continue
            path = f"products/{content.product}/variations" if content.variant else "products"
            places.setdefault(path, []).append((operation, body))
            if pool and (content.shared or content.product not in shared):
                shared[content.product] = (operation, {"id": int(content.product), **pool})
        attempt = Attempt()
        failed = await self._shared(attempt, shared)
        for path, entries in places.items():
            sound = []
            for entry in entries:
                failure = failed.get(_level(entry[0]).product)
                if failure is None:
                    sound.append(entry)
                else:
                    outcomes.append(replace(failure, source_id=entry[0].source_id))
            if sound:
                outcomes += await self._write(attempt, path, sound, _take_level, _leave)
        return outcomes

    async def _shared(self, attempt: Attempt, shared: dict[str, Entry]) -> dict[str, Outcome]:
        """Set what products count for their variations, before those take from it. Answers with
        what failed, by product: none of its levels can be right then.
        """
        entries = list(shared.values())
        places = {operation.source_id: product for product, (operation, _) in shared.items()}
        written = await self._write(attempt, "products", entries, _take_level, _leave)
        return {places[e.source_id]: e for e in written if not isinstance(e, Applied)}

    async def _write(
        self, attempt: Attempt, path: str, entries: Sequence[Entry], take: Take, mend: Mend
    ) -> list[Outcome]:
        """All entries, in batches; what a second try can mend gets one."""
        outcomes: list[Outcome] = []
        again: list[Entry] = []
        found_by: dict[str, str] = {}
        untouched = [operation for operation, body in entries if not body.keys() - {"id"}]
        outcomes += [_applied(operation, operation.target_id or "") for operation in untouched]
        sent = [entry for entry in entries if entry[1].keys() - {"id"}]
        for start in range(0, len(sent), BATCH_LIMIT):
            some = sent[start : start + BATCH_LIMIT]
            for (operation, body), found in await self._batch(attempt, path, some):
                mended = None
                if isinstance(found, RefusedRequest):
                    mended = await mend(operation, body, found)
                if mended is not None:
                    again.append((operation, mended.body))
                    if mended.found is not None:
                        found_by[operation.source_id] = mended.found
                else:
                    outcomes.append(_judged(operation, found, take))
        for start in range(0, len(again), BATCH_LIMIT):
            some = again[start : start + BATCH_LIMIT]
            for (operation, _), found in await self._batch(attempt, path, some):
                outcome = _judged(operation, found, take)
                outcomes.append(_known_by(outcome, found_by.get(operation.source_id)))
        return outcomes

    async def _batch(
        self, attempt: Attempt, path: str, entries: Sequence[Entry]
    ) -> list[tuple[Entry, Item | Outcome]]:
        new = [entry for entry in entries if "id" not in entry[1]]
        old = [entry for entry in entries if "id" in entry[1]]
        try:
            batch = await send_batch(
                self._api,
                path,
                create=[body for _, body in new],
                update=[body for _, body in old],
            )
        except StoreError as error:
            return [(entry, attempt.outcome(entry[0], error)) for entry in entries]
        attempt.touched = True
        return list(zip([*new, *old], [*batch.created, *batch.updated], strict=True))

    async def _mend_category(
        self, _operation: Operation, body: Body, refusal: RefusedRequest
    ) -> Mended | None:
        """A category of this name stands there already: it is the one."""
        if refusal.platform_code != "term_exists" or not refusal.resource_id or "id" in body:
            return None
        changes = {name: value for name, value in body.items() if name != "slug"}
        return Mended({"id": refusal.resource_id} | changes, found="name")

    async def _mend_customer(
        self, operation: Operation, body: Body, refusal: RefusedRequest
    ) -> Mended | None:
        """An email that exists belongs to the customer meant; a user name may be left out."""
        if "id" in body or not isinstance(operation.content, Customer):
            return None
        code = refused(operation, refusal).code
        if code == "username_exists":
            return Mended({name: value for name, value in body.items() if name != "username"})
        if code != "email_exists":
            return None
        try:
            match = await self._finder.customer(operation)
        except StoreError:
            return None
        if match is None:
            return None
        changes = customer_changes(operation.content, None)
        return Mended({"id": int(match.target_id), **changes}, found=match.by)


async def _leave(_operation: Operation, _body: Body, _refusal: RefusedRequest) -> Mended | None:
    return None


def _known_by(outcome: Outcome, found: str | None) -> Outcome:
    return replace(outcome, found=found) if found and isinstance(outcome, Applied) else outcome


def _judged(operation: Operation, found: Item | Outcome, take: Take) -> Outcome:
    if isinstance(found, RefusedRequest):
        return refused(operation, found)
    return take(operation, found) if isinstance(found, Raw) else found


def _category_body(operation: Operation, *, keyed: bool) -> Body:
    """`keyed`: the store's add-on keeps our key of a category, in a field of its own."""
    content = operation.content
    if not isinstance(content, Category):
        raise TypeError("an operation of another stream")
    key = {KEY_META: operation.key} if keyed else {}
    if operation.target_id is None:
        body = category_body(content, None)
        return {name: value for name, value in body.items() if value not in ("", None)} | key
    changes = category_body(content, operation.changed)
    return {"id": int(operation.target_id), **changes, **(key if changes else {})}


def _customer_body(operation: Operation) -> Body:
    content = operation.content
    if not isinstance(content, Customer):
        raise TypeError("an operation of another stream")
    if operation.target_id is None:
        return new_customer(content, operation.key, secrets.token_urlsafe(24))
    return {"id": int(operation.target_id), **customer_changes(content, operation.changed)}


def _applied(
    operation: Operation, target: str, *losses: Loss, content: Content | None = None
) -> Applied:
    return Applied(source_id=operation.source_id, target_id=target, losses=losses, content=content)


def _take_category(operation: Operation, item: Raw) -> Outcome:
    row: WireCategory = decoder(WireCategory).decode(item)
    content = operation.content
    wanted = content.slug if isinstance(content, Category) else ""
    losses = [_SLUG] if wanted and row.slug and row.slug != wanted else []
    return _applied(operation, str(row.id), *losses, content=category(row).content)


def _take_customer(operation: Operation, item: Raw) -> Outcome:
    row: WireCustomer = decoder(WireCustomer).decode(item)
    content = operation.content
    wanted = content.username if isinstance(content, Customer) else ""
    losses = [_USERNAME] if wanted and row.username and row.username != wanted else []
    shown = customer(row).content if row.email else None
    return _applied(operation, str(row.id), *losses, content=shown)


def _take_level(operation: Operation, item: Raw) -> Outcome:
    content = _level(operation)
    row: _Counted = decoder(_Counted).decode(item)
    counts = row.manage_stock is True or (content.shared and row.manage_stock == OF_THE_PARENT)
    if content.counted and not counts:
        # It answers as if all were well, and goes on to sell what is sold out.
        return Refused(source_id=operation.source_id, code="stock_not_counted", message=_UNCOUNTED)
    return _applied(operation, content.record_id)


def _level(operation: Operation) -> InventoryLevel:
    if not isinstance(operation.content, InventoryLevel):
        raise TypeError("an operation of another stream")
    return operation.content


def _no_level(operation: Operation, content: InventoryLevel) -> Refused:
    """A level that cannot be sent: its product is not on the target, or its quantity not whole."""
    if not content.product:
        code, message = "unknown_product", "the product of this stock is not on the target"
    else:
        code, message = "quantity_not_whole", "WooCommerce takes whole quantities only"
    return Refused(source_id=operation.source_id, code=code, message=message)
