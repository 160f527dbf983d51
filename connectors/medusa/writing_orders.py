"""Writing orders as they were, through the add-on in the store.

The add-on takes whole orders, so an update is put together of the order that is there and of the
fields that changed. Without the add-on no order is written: Medusa's own way would announce it.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from connectors.base import Applied, Loss, Operation, Outcome, Refused, Uncertain
from connectors.concurrency import together
from connectors.errors import StoreError
from connectors.medusa.api import Api
from connectors.medusa.bodies_orders import order_id, order_import, parts_of, with_source_names
from connectors.medusa.changing import Attempt, gone, no_such
from connectors.medusa.mapping_orders import order
from connectors.medusa.parts import KEY, UnmappableError, text_of
from connectors.medusa.reading import rows_of
from connectors.medusa.shop import ADDON, ADDON_VERSION, Shop
from connectors.medusa.wire import WireStock
from connectors.medusa.wire_orders import WireOrder
from connectors.minor_units import same
from connectors.records import Order, Stream

_LARGEST = 90_000
"""Bytes of a request: Medusa takes no more than 100 KB of plain JSON."""

_TOTAL = Loss("total", "The target reckons another total.")
_STATUS = Loss("status", "The target does not show this status.")
_NO_ADDON = "orders are written through the add-on: the store lacks it, or this version of it"
_WORKED_ON = "people of the target have edited, paid or sent this order: it is theirs"
_FOREIGN = "the order was not imported by the add-on: it cannot be changed"
_REFUSED = "the store refuses the order"


class _Result(Struct):
    id: str
    outcome: str
    reason: str = ""


class _Answer(Struct):
    orders: list[_Result]


class OrderWriter:
    """Writes orders to one store."""

    def __init__(self, api: Api, shop: Shop) -> None:
        self._api = api
        self._shop = shop
        self._defaults: dict[str, str] = {}

    async def write(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Create and update, in one request. Raises `StoreError` where nothing was applied."""
        if await self._shop.addon() != ADDON_VERSION:
            return [no_such(each, "addon_missing", _NO_ADDON) for each in operations]
        there = await self._rows([each.target_id for each in operations if each.target_id])
        outcomes: list[Outcome] = []
        sent: list[tuple[Operation, dict[str, Any]]] = []
        for operation in operations:
            row = there.get(operation.target_id or "")
            refusal = _unfit(operation, row)
            if refusal:
                outcomes.append(refusal)
            else:
                sent.append((operation, await self._import(operation, row)))
        return outcomes + (await self._send(sent, Attempt()) if sent else [])

    async def _rows(self, ids: Sequence[str]) -> dict[str, WireOrder]:
        page = await rows_of(self._api, Stream.ORDERS, sorted(set(ids)))
        return {row.id: row for row in page.rows}

    async def _import(self, operation: Operation, row: WireOrder | None) -> dict[str, Any]:
        content = _merged(operation, row)
        channel = (await self._shop.store()).default_sales_channel_id or ""
        location = await self._shop.location()
        defaults = await self._default_variants(content)
        key = operation.key
        return order_import(key, content, channel=channel, location=location, defaults=defaults)

    async def _default_variants(self, content: Order) -> dict[str, str]:
        """The only variants of simple products that lines name, by the product's id."""
        wanted = {each.product for each in content.lines if each.product and not each.variant}
        missing = sorted(wanted - self._defaults.keys())
        if missing:
            page = await rows_of(self._api, Stream.INVENTORY, missing, fields="id,variants.id")
            rows: list[WireStock] = page.rows
            self._defaults |= {
                row.id: row.variants[0].id
                for row in rows
                if len(row.variants or ()) == 1
                if row.variants
            }
        return {each: self._defaults[each] for each in wanted if each in self._defaults}

    async def _send(
        self, sent: Sequence[tuple[Operation, dict[str, Any]]], attempt: Attempt
    ) -> list[Outcome]:
        """In as few requests as the store takes."""
        body = {"packed": packed([each for _, each in sent])}
        if len(body["packed"]) > _LARGEST and len(sent) > 1:
            half = len(sent) // 2
            first = await self._send(sent[:half], attempt)
            return first + await self._send(sent[half:], attempt)
        try:
            # What was applied already is unchanged when it comes again.
            answer = await self._api.send("POST", ADDON, body, _Answer, repeatable=True)
        except StoreError as error:
            return [attempt.outcome(operation, error) for operation, _ in sent]
        attempt.touched = True
        results = {each.id: each for each in answer.orders}
        done = [op for op, each in sent if _is_done(results.get(each["order"]["id"]))]
        try:
            rows = await self._rows([order_id(operation.key) for operation in done])
        except StoreError as error:
            rows = {}
            unseen = [attempt.outcome(operation, error) for operation in done]
        else:
            unseen = []
        shown = await together(
            [self._judged(op, each, results, rows) for op, each in sent if op not in done or rows]
        )
        return [*unseen, *shown]

    async def _judged(
        self,
        operation: Operation,
        sent: dict[str, Any],
        results: dict[str, _Result],
        rows: dict[str, WireOrder],
    ) -> Outcome:
        found = sent["order"]["id"]
        result = results.get(found)
        if result is None:
            return Uncertain(source_id=operation.source_id, reason="no_answer", running=False)
        if result.outcome == "worked_on":
            return no_such(operation, "order_worked_on", _WORKED_ON)
        if not _is_done(result):
            return no_such(operation, "store_rejected", f"{_REFUSED}: {result.reason}")
        row = rows.get(found)
        if row is None:
            return Uncertain(source_id=operation.source_id, reason="not_shown", running=False)
        return _applied(operation, row)


def packed(orders: Sequence[dict[str, Any]]) -> str:
    """Orders as the add-on unpacks them."""
    return base64.b64encode(gzip.compress(msgspec.json.encode(orders))).decode()


def _is_done(result: _Result | None) -> bool:
    return result is not None and result.outcome in ("created", "replaced", "unchanged")


def _unfit(operation: Operation, row: WireOrder | None) -> Refused | None:
    """Why an order cannot be changed."""
    if operation.target_id is None:
        return None
    if row is None:
        return gone(operation)
    if text_of(row.metadata, KEY) != operation.key:
        return no_such(operation, "order_not_imported", _FOREIGN)
    return None


def _merged(operation: Operation, row: WireOrder | None) -> Order:
    """The order as it is to be: what is there, with the fields that changed. What people noted in
    its metadata stays.
    """
    content = operation.content
    if not isinstance(content, Order):
        raise TypeError("an operation of another stream")
    if row is None:
        return content
    there = with_source_names(row)
    if operation.changed is not None:
        content = replace(there, **{name: getattr(content, name) for name in operation.changed})
    noted = there.extra.get("metadata", {}) | content.extra.get("metadata", {})
    return replace(content, extra=content.extra | {"metadata": noted})


def _applied(operation: Operation, row: WireOrder) -> Outcome:
    content = operation.content
    try:
        shown = order(row).content
    except UnmappableError as error:
        return no_such(operation, "record_unmappable", str(error))
    if not isinstance(shown, Order) or not isinstance(content, Order):
        raise TypeError("an operation of another stream")
    losses = [] if same(shown.total, content.total) else [_TOTAL]
    losses += [] if shown.status == content.status else [_STATUS]
    return Applied(
        source_id=operation.source_id,
        target_id=row.id,
        children=parts_of(row),
        content=shown,
        losses=tuple(losses) if operation.changed is None else (),
    )
