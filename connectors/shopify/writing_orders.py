"""Writing orders as they were: in steps, because Shopify takes no finished order in one request.

1. Create it, or change the few fields of it that can be changed.
2. Give it its customer, payment, dispatch, refunds and cancellation, each only where the order does
   not show it yet. So every step can be run again.
3. Look at what came out.

Lines and totals of an order are not changed: where they changed on the source, that is told, and
everything else reaches the order all the same. Shopify can edit an order, but its edits reckon
prices and taxes by the target's own rules, claim stock, leave alone what was sent, and take no
property that says which line of the source is meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors.base import Applied, Loss, Operation, Outcome, Refused
from connectors.changes import touches
from connectors.errors import BadAnswer, StoreError, TryLater
from connectors.minor_units import rounded, same
from connectors.records import (
    FeeLine,
    Money,
    Order,
    OrderLine,
    Refund,
    ShippingLine,
    Stream,
)
from connectors.shopify.api import Api, decoder
from connectors.shopify.bodies_orders import (
    OPTIONS,
    changes_body,
    is_paid,
    order_body,
    refund_body,
    refund_key,
)
from connectors.shopify.changing import change, unfinished
from connectors.shopify.dispatching import Dispatcher
from connectors.shopify.documents_writing import (
    CANCEL_ORDER,
    CREATE_ORDER,
    DEFAULT_VARIANTS,
    JOB,
    PAY_ORDER,
    REFUND_ORDER,
    SET_ORDER_CUSTOMER,
    UPDATE_ORDER,
)
from connectors.shopify.keys import Keys
from connectors.shopify.loading import Loader
from connectors.shopify.losses import paid_at
from connectors.shopify.mapping_lines import part_of
from connectors.shopify.mapping_orders import order
from connectors.shopify.pairing import pair_order, pair_refunds
from connectors.shopify.parts import gid, number
from connectors.shopify.wire import Nodes, Wire, WireId
from connectors.shopify.wire_orders import WireLine, WireOrder

_TOTAL = Loss("total", "The target reckons another total.")
_STATUS = Loss("status", "The target does not take this status.")
_PAID_AT = Loss("paid_at", "The target dates a payment itself that comes later.")
_PRODUCT = Loss("lines", "A line that was written without its product stays without it.")
_FIXED = "Shopify does not let lines and totals of an order change"
_GONE = "the order is not there any more"
_SUMS = frozenset({"lines", "shipping_lines", "fees", "total", "tax_total", "shipping_total"})
_POLLS = 20
_PRODUCTS = 50


class _Job(Wire):
    id: str
    done: bool = False


class _JobAnswer(Wire):
    job: _Job | None = None


class _Product(Wire):
    id: str
    variants: Nodes[WireId]


class _Products(Wire):
    nodes: list[_Product | None]


class OrderWriter:
    """Writes orders to one store."""

    def __init__(self, api: Api, loader: Loader, keys: Keys) -> None:
        self._api = api
        self._loader = loader
        self._keys = keys
        self._dispatcher = Dispatcher(api, loader)
        self._defaults: dict[str, str] = {}

    async def write(self, operation: Operation) -> Outcome:
        """Create or update one order. Raises `StoreError` while nothing of it was applied."""
        content = operation.content
        if not isinstance(content, Order):
            raise TypeError("an operation of another stream")
        await self._keys.define(Stream.ORDERS)
        row = await self._begun(operation, content)
        if row is None:
            return Refused(source_id=operation.source_id, code="gone", message=_GONE, gone=True)
        try:
            return await self._finished(operation, content, row)
        except StoreError as error:
            return unfinished(operation, error)

    async def _begun(self, operation: Operation, content: Order) -> WireOrder | None:
        """The first step: the order as it is then, None where it is not there."""
        if operation.target_id is None:
            defaults = await self._default_variants(content)
            body = order_body(operation, content, defaults)
            variables = {"order": body, "options": OPTIONS}
            answer = await change(self._api, CREATE_ORDER, variables)
            row: WireOrder = decoder(WireOrder).decode(answer["order"])
            return row
        found = await self._row(gid("Order", operation.target_id))
        if found is not None and (body := changes_body(content, operation.changed, found)):
            await change(self._api, UPDATE_ORDER, {"input": {"id": found.id, **body}})
        return found

    async def _default_variants(self, content: Order) -> dict[str, str]:
        """A line names its product by a variant, of products without any by the default one."""
        wanted = {e.product for e in content.lines if e.product and not e.variant}
        missing = [gid("Product", each) for each in sorted(wanted - self._defaults.keys())]
        for start in range(0, len(missing), _PRODUCTS):
            some = {"ids": missing[start : start + _PRODUCTS]}
            answer = await self._api.ask(DEFAULT_VARIANTS, _Products, some)
            for each in answer.nodes:
                if each is not None and each.variants.nodes:
                    self._defaults[number(each.id)] = number(each.variants.nodes[0].id)
        return {each: self._defaults[each] for each in wanted if each in self._defaults}

    async def _finished(self, operation: Operation, content: Order, row: WireOrder) -> Outcome:
        whole = await self._loader.completed(Stream.ORDERS, row)
        if whole is not None:
            await self._follow(operation, content, whole)
            whole = await self._row(row.id)
        if whole is None:
            return Refused(source_id=operation.source_id, code="gone", message=_GONE, gone=True)
        shown = order(whole).content
        if not isinstance(shown, Order):
            raise TypeError("an order of another stream")
        is_update = operation.target_id is not None and touches(operation.changed, *_SUMS)
        if is_update and _differs(content, shown):
            return Refused(source_id=operation.source_id, code="order_fixed", message=_FIXED)
        losses = [] if same(shown.total, content.total) else [_TOTAL]
        losses += [] if shown.status == content.status else [_STATUS]
        foreseen = (content.paid_at, paid_at(content))
        losses += [] if shown.paid_at in foreseen else [_PAID_AT]
        children = pair_order(content, whole)
        losses += [_PRODUCT] if _lacks_product(content, shown, children) else []
        return Applied(
            source_id=operation.source_id,
            target_id=number(whole.id),
            children=children,
            content=shown,
            losses=tuple(losses),
        )

    async def _row(self, target: str) -> WireOrder | None:
        """The order as it is now, whole."""
        rows, failed = await self._loader.single(Stream.ORDERS, [target])
        if failed:
            raise BadAnswer(f"record {failed[0][0]}: {failed[0][1]}", code="record_unmappable")
        return await self._loader.completed(Stream.ORDERS, rows[0]) if rows else None

    # --- 2 --------------------------------------------------------------------------------------

    async def _follow(self, operation: Operation, content: Order, row: WireOrder) -> None:
        """Everything that the order itself does not show yet."""
        changed = operation.changed

        def touched(*fields: str) -> bool:
            return operation.target_id is None or changed is None or bool(changed & set(fields))

        if touched("customer"):
            await self._set_customer(content, row)
        if touched("status", "paid_at", "transactions") and row.cancelled_at is None:
            # A refund names the payment that it is of.
            row = await self._paid(content, row)
        if touched("status", "fulfilments") and row.cancelled_at is None:
            await self._dispatcher.send(content, row)
        if touched("refunds", "status"):
            await self._refund_all(operation, content, row)
        if touched("status") and content.status == "cancelled" and row.cancelled_at is None:
            await self._cancel(row)

    async def _set_customer(self, content: Order, row: WireOrder) -> None:
        if content.customer is None:
            return
        wanted = gid("Customer", content.customer)
        if row.customer is None or row.customer.id != wanted:
            await change(self._api, SET_ORDER_CUSTOMER, {"order": row.id, "customer": wanted})

    async def _paid(self, content: Order, row: WireOrder) -> WireOrder:
        """Pay what is open, of an order whose money came; the order as it is then. Shopify refuses
        a payment of nothing: an order of zero stays as it is.
        """
        is_open = row.display_financial_status in ("PENDING", "PARTIALLY_PAID")
        if not (is_open and is_paid(content) and content.total.amount):
            return row
        await change(self._api, PAY_ORDER, {"input": {"id": row.id}})
        return await self._row(row.id) or row

    async def _refund_all(self, operation: Operation, content: Order, row: WireOrder) -> None:
        there = pair_refunds(content, row)
        free = {each.id: each.quantity for each in row.line_items.nodes}
        for refund in content.refunds:
            lines = _refunded(refund, row, free)
            if f"refund:{refund.id}" in there:
                continue
            body = refund_body(refund, row, lines)
            key = refund_key(operation, refund)
            await change(self._api, REFUND_ORDER, {"input": body, "key": key})

    async def _cancel(self, row: WireOrder) -> None:
        """Cancel, and wait until it is done: Shopify answers before it does it."""
        answer = await change(self._api, CANCEL_ORDER, {"order": row.id, "reason": "OTHER"})
        job: _Job | None = decoder(_Job | None).decode(answer["job"])
        for _ in range(_POLLS):
            if job is None or job.done:
                return
            await self._api.http.pause(0.5)
            job = (await self._api.ask(JOB, _JobAnswer, {"id": job.id})).job
        raise TryLater("the order is still being cancelled", after=10.0)


def _refunded(refund: Refund, row: WireOrder, free: dict[str, int]) -> list[tuple[WireLine, int]]:
    """Lines of the target and how many pieces of each a refund takes back. `free` counts those
    that no refund has taken yet, of two lines that stand for one as well.
    """
    found: list[tuple[WireLine, int]] = []
    for part in refund.lines:
        left = part.quantity
        for line in row.line_items.nodes:
            if part_of(line) != part.line or left <= 0:
                continue
            taken = min(left, free[line.id])
            free[line.id] -= taken
            left -= taken
            if taken:
                found.append((line, taken))
    return found


def _lacks_product(content: Order, shown: Order, children: Mapping[str, str]) -> bool:
    """Whether a line names no product, or another one than it should. It was written before its
    product was on the target: no line of an order can be given one later.
    """
    products = {line.id: line.product for line in shown.lines}
    return any(
        line.product and products.get(children.get(line.id, "")) != line.product
        for line in content.lines
    )


def _differs(content: Order, shown: Order) -> bool:
    """Whether lines or sums are others than those of the order that is there, in whole minor units:
    Shopify keeps no more. It rounds each line, so that its total may not be the source's.
    """
    if _sums(content) != _sums(shown):
        return True
    parts: list[OrderLine | ShippingLine | FeeLine]
    parts = [*content.lines, *content.shipping_lines, *content.fees]
    amounts = (
        rounded(e.amount, content.currency) for each in parts for e in (each.total, each.tax)
    )
    reckoned = Money(sum(amounts, Decimal(0)), content.currency)
    return not (same(content.total, shown.total) or same(reckoned, shown.total))


def _sums(content: Order) -> Any:
    currency = content.currency
    lines = sorted(
        (each.quantity, *(rounded(e.amount, currency) for e in (each.total, each.tax)))
        for each in content.lines
    )
    shipping = (rounded(each.total.amount, currency) for each in content.shipping_lines)
    return lines, sum(shipping, Decimal(0))
