"""Writing orders: in steps, because WooCommerce cannot take a finished order in one request.

0. Prove that the target keeps our key of an order, before the first one is created.
1. Look at the target's orders whose parts change: what has no line id would be appended.
2. Create and update, in one batch.
3. Compare totals. Where the target reckons other taxes, make the order exempt and let an untaxed
   fee hold the difference.
4. Refunds, each only after a look at those that are there.
5. The status, where it had to wait for the refunds; the trash.

A step that fails leaves its orders uncertain or refused; every step can be run again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from connectors.base import Applied, Loss, Operation, Outcome, Refused
from connectors.concurrency import together
from connectors.errors import StoreError
from connectors.minor_units import same
from connectors.records import Content, Order, Stream
from connectors.woocommerce.api import Api, RefusedRequest, decoder
from connectors.woocommerce.batches import Attempt, Body, Item, refused, send_batch
from connectors.woocommerce.bodies_orders import (
    PARTS,
    SUMS,
    correction,
    has_product,
    new_order,
    order_changes,
    refund_body,
    status_body,
)
from connectors.woocommerce.loading import Loader
from connectors.woocommerce.mapping_orders import order, wire_status
from connectors.woocommerce.pairing import (
    all_parts,
    pair_parts,
    pair_refunds,
    refund_name,
    source_parts,
)
from connectors.woocommerce.parts import TAX_FEE, amount, utc
from connectors.woocommerce.single import SingleRecords
from connectors.woocommerce.wire import (
    WireId,
    WireOrder,
    WireRefund,
)

_LOOKS = 3
_CORRECTIONS = 2
_TORN_FOR = 1.0
"""Seconds until an order that is being written is surely whole."""

_BY_ITSELF = "The target sets this itself; meta data keeps the original."
_COUPONS = Loss("discounts", "Coupons would discount again: line totals hold the discount.")
_TAXES = Loss("taxes", "The target reckons taxes by its own rates: an untaxed fee holds them.")
_TOTAL = Loss("total", "The target reckons another total.")
_PRODUCT = Loss("lines", "The target leaves a line without its product.")
_STATUS = Loss("status", "The target does not take this status.")
_NO_KEYS = (
    "before WooCommerce 9.9 orders keep no key over the REST API: update WooCommerce, or install"
    " the add-on"
)
_NOT_ALL_REFUNDED = Loss("status", "The status would refund what the source did not.")


@dataclass(slots=True)
class _Work:
    """What is known of one operation while it is being written. `got` is the target's order as
    it was answered last.
    """

    operation: Operation
    content: Order
    target: int | None
    children: dict[str, str]
    got: WireOrder | None = None
    losses: list[Loss] = field(default_factory=list)
    outcome: Outcome | None = None
    late_status: bool = False
    status_sent: bool = False

    def touches(self, *fields: str) -> bool:
        """Whether one of these fields is to be written."""
        changed = self.operation.changed
        return self.operation.target_id is None or changed is None or not changed.isdisjoint(fields)


class OrderWriter:
    """Writes orders to one store. Remembers for which countries its taxes come out otherwise."""

    def __init__(self, api: Api, loader: Loader) -> None:
        self._api = api
        self._loader = loader
        self._singles = SingleRecords(api, loader)
        self._held: set[tuple[str, bool]] = set()
        self._is_keyed = False

    async def write(self, operations: Sequence[Operation]) -> list[Outcome]:
        """One outcome for each operation."""
        attempt = Attempt()
        works = [_work(each) for each in operations]
        await self._prove_keys(attempt, [work for work in works if work.target is None])
        await self._look(attempt, [work for work in works if work.target is not None])
        await self._send(attempt, _open(works))
        await self._correct(attempt, _open(works))
        await self._refund_all(attempt, _open(works))
        await self._finish(attempt, _open(works))
        return [work.outcome or _applied(work) for work in works]

    # --- 0 --------------------------------------------------------------------------------------

    async def _prove_keys(self, attempt: Attempt, works: Sequence[_Work]) -> None:
        """Refuse to create where the store drops our key without a word, and ignores it as a
        filter: an order whose answer is lost could not be found, and would be made twice.
        """
        if self._is_keyed or not works:
            return
        key = works[0].operation.key
        asked: dict[str, str | int] = {"created_via": key, "status": "any", "per_page": 1}
        asked |= {"_fields": "id,status,created_via"}
        try:
            page = await self._api.list("orders", asked, WireOrder)
        except StoreError as error:
            for work in works:
                work.outcome = attempt.outcome(work.operation, error)
            return
        if all((row.created_via or "").casefold() == key.casefold() for row in page.rows):
            return
        for work in works:
            work.outcome = Refused(
                source_id=work.operation.source_id, code="orders_not_keyed", message=_NO_KEYS
            )

    # --- 1 --------------------------------------------------------------------------------------

    async def _look(self, attempt: Attempt, works: Sequence[_Work]) -> None:
        """Pair the parts of orders whose parts or sums change."""
        touched = [work for work in works if work.touches(*PARTS, *SUMS, "billing", "customer")]
        if not touched:
            return
        try:
            for _ in range(_LOOKS):
                await self._read(touched)
                if not any(_looks_torn(work) for work in touched):
                    break
                await self._api.http.pause(_TORN_FOR)
        except StoreError as error:
            for work in works:
                work.outcome = attempt.outcome(work.operation, error)
            return
        for work in touched:
            if work.got is not None:
                _pair(work, work.got)

    async def _read(self, works: Sequence[_Work]) -> None:
        asked: dict[str, str | int] = {
            "include": ",".join(str(work.target) for work in works),
            "status": "any",
            "per_page": 100,
        }
        page = await self._api.list("orders", asked, WireOrder)
        rows = {row.id: row for row in page.rows}
        # An order in the trash is in no list, and an update would append its lines once more.
        hidden = {work.target for work in works if work.target} - rows.keys()
        found = await together(
            [self._singles.alone(Stream.ORDERS, number) for number in sorted(hidden)]
        )
        rows |= {row.id: row for row in found if row}
        for work in works:
            work.got = rows.get(work.target or 0)

    # --- 2 --------------------------------------------------------------------------------------

    async def _send(self, attempt: Attempt, works: Sequence[_Work]) -> None:
        new = [work for work in works if work.target is None]
        old = [(work, body) for work in works if work.target and (body := self._changes(work))]
        create = [new_order(w.operation, w.content, held=self._is_held(w)) for w in new]
        update = [body for _, body in old]
        await self._batch(attempt, [*new, *(work for work, _ in old)], create, update)
        # A store without orders could not tell before.
        self._is_keyed = self._is_keyed or any(
            work.got is not None and work.got.created_via == work.operation.key for work in new
        )

    def _changes(self, work: _Work) -> Body | None:
        body = order_changes(
            work.content,
            work.operation.changed,
            work.children,
            work.got.line_items if work.got is not None else (),
            held=TAX_FEE in work.children,
        )
        return {"id": work.target, **body} if body else None

    def _is_held(self, work: _Work) -> bool:
        return _tax_case(work.content) in self._held

    async def _batch(
        self,
        attempt: Attempt,
        works: Sequence[_Work],
        create: Sequence[Body],
        update: Sequence[Body],
    ) -> None:
        if not works:
            return
        try:
            batch = await send_batch(self._api, "orders", create=create, update=update)
        except StoreError as error:
            for work in works:
                work.outcome = attempt.outcome(work.operation, error)
            return
        attempt.touched = True
        for work, item in zip(works, [*batch.created, *batch.updated], strict=True):
            _take(work, item)

    # --- 3 --------------------------------------------------------------------------------------

    async def _correct(self, attempt: Attempt, works: Sequence[_Work]) -> None:
        """Taxes are rounded apart from what they are of: a second time, without any, is exact."""
        touched = [
            work
            for work in works
            if work.touches(*PARTS, *SUMS, "billing", "shipping", "email", "customer")
        ]
        for _ in range(_CORRECTIONS):
            wrong = [(work, work.got) for work in _open(touched) if work.got and _is_wrong(work)]
            self._held |= {_tax_case(work.content) for work, _ in wrong}
            bodies = [
                correction(work.content, got, work.children.get(TAX_FEE)) for work, got in wrong
            ]
            await self._batch(attempt, [work for work, _ in wrong], [], bodies)

    # --- 4 --------------------------------------------------------------------------------------

    async def _refund_all(self, attempt: Attempt, works: Sequence[_Work]) -> None:
        touched = [work for work in works if work.touches("refunds") and _may_have_refunds(work)]
        # Side by side, one may have been applied while another one fails.
        attempt.touched = attempt.touched or len(touched) > 1
        await together([self._refund(attempt, work) for work in touched])

    async def _refund(self, attempt: Attempt, work: _Work) -> None:
        try:
            await self._sync_refunds(attempt, work)
        except StoreError as error:
            work.outcome = attempt.outcome(work.operation, error)

    async def _sync_refunds(self, attempt: Attempt, work: _Work) -> None:
        """Make what is missing, delete what is ours and gone from the source."""
        path = f"orders/{work.target}/refunds"
        rows: list[WireRefund] = []
        if work.operation.target_id is not None:
            rows = await self._loader.refunds(WireOrder(id=work.target or 0, status=""))
        # Refunds that another tool made carry no mark of ours: the ledger knows them.
        known = {name: each for name, each in work.children.items() if name.startswith("refund:")}
        present = {str(row.id) for row in rows}
        there = {name: each for name, each in known.items() if each in present}
        there |= pair_refunds(rows)
        wanted = {refund_name(refund.id): refund for refund in work.content.refunds}
        for name, target in there.items():
            if name not in wanted:
                await self._api.delete(f"{path}/{target}", force=True)
                attempt.touched = True
        work.children = {
            name: target for name, target in work.children.items() if not name.startswith("refund:")
        }
        work.children |= {name: there[name] for name in wanted if name in there}
        for name, refund in wanted.items():
            if name not in there:
                body = refund_body(refund, work.children, work.got)
                made = await self._api.send("POST", path, body, WireId)
                attempt.touched = True
                work.children[name] = str(made.id)
                work.late_status = True

    # --- 5 --------------------------------------------------------------------------------------

    async def _finish(self, attempt: Attempt, works: Sequence[_Work]) -> None:
        late = [work for work in works if _is_status_due(work)]
        bodies = [status_body(work.target or 0, work.content) for work in late]
        await self._batch(attempt, late, [], bodies)
        for work in late:
            work.status_sent = True
        for work in _open(works):
            if work.content.status == "trashed" and work.touches("status"):
                try:
                    await self._api.delete(f"orders/{work.target}", force=False)
                    attempt.touched = True
                except StoreError as error:
                    work.outcome = attempt.outcome(work.operation, error)


def _work(operation: Operation) -> _Work:
    content = operation.content
    if not isinstance(content, Order):
        raise TypeError("an operation of another stream")
    target = None if operation.target_id is None else int(operation.target_id)
    return _Work(operation, content, target, dict(operation.children))


def _open(works: Sequence[_Work]) -> list[_Work]:
    return [work for work in works if work.outcome is None]


def _take(work: _Work, item: Item) -> None:
    if isinstance(item, RefusedRequest):
        work.outcome = refused(work.operation, item)
        return
    row: WireOrder = decoder(WireOrder).decode(item)
    work.got = row
    work.target = row.id
    _pair(work, row)


def _looks_torn(work: _Work) -> bool:
    """Whether parts are missing that should be there: a store shows an order before its lines."""
    if work.got is None:
        return False
    present = {str(part.id) for part in all_parts(work.got)}
    wanted = {name for names in source_parts(work.content).values() for name in names}
    known = {target for name, target in work.children.items() if name in wanted}
    return bool(known - present) or bool(work.content.lines and not work.got.line_items)


def _pair(work: _Work, row: WireOrder) -> None:
    """Keep of the children what is on the target, add what carries our marks."""
    present = {str(part.id) for part in all_parts(row)}
    known = {
        name: target
        for name, target in work.children.items()
        if name.startswith("refund:") or target in present
    }
    work.children = known | pair_parts(work.content, row, known)


def _tax_case(content: Order) -> tuple[str, bool]:
    """What decides whether the target's rates fit: where an order goes, and whether it is taxed."""
    where = content.shipping or content.billing
    return (where.country if where else "", bool(content.tax_total.amount))


def _is_wrong(work: _Work) -> bool:
    """Whether the target shows another total."""
    got, content = work.got, work.content
    return got is not None and not same(amount(got.total, content.currency), content.total)


def _lacks_product(work: _Work, got: WireOrder) -> bool:
    """Whether the target shows a line without the product that it was given."""
    rows = {str(each.id): each for each in got.line_items}
    return any(
        not has_product(line, row)
        for line in work.content.lines
        if (row := rows.get(work.children.get(line.id, "")))
    )


def _may_have_refunds(work: _Work) -> bool:
    return bool(work.content.refunds) or work.operation.target_id is not None


def _is_status_due(work: _Work) -> bool:
    """Whether the status has to be set now: a full refund sets its own, and `refunded` refunds
    what is left, so that it is only set where nothing is.
    """
    content = work.content
    if content.status == "trashed" or not (work.touches("status") or work.late_status):
        return False
    if content.status != "refunded":
        return work.late_status
    total = content.total.amount
    if work.got is not None:
        total = max(total, amount(work.got.total, content.currency).amount)
    if sum((each.amount.amount for each in content.refunds), Decimal(0)) < total:
        work.losses.append(_NOT_ALL_REFUNDED)
        return False
    return True


def _applied(work: _Work) -> Applied:
    return Applied(
        source_id=work.operation.source_id,
        target_id=str(work.target),
        children=work.children,
        content=_shown(work),
        losses=tuple(dict.fromkeys([*work.losses, *_losses(work)])),
    )


def _shown(work: _Work) -> Content | None:
    """The order as it was answered last, without refunds; None where something changed since."""
    stale = work.content.status == "trashed" or (work.late_status and not work.status_sent)
    if work.got is None or stale:
        return None
    return order(work.got).content


def _losses(work: _Work) -> Iterator[Loss]:
    """What the target's last answer shows to be otherwise than wanted."""
    got, content = work.got, work.content
    if got is None:
        return
    kept: list[tuple[str, Any, Any]] = [
        ("number", content.number, str(got.number)),
        ("created_at", content.created_at, utc(got.date_created_gmt)),
        ("paid_at", content.paid_at, utc(got.date_paid_gmt)),
        ("completed_at", content.completed_at, utc(got.date_completed_gmt)),
    ]
    for name, wanted, found in kept:
        if wanted and wanted != found:
            yield Loss(name, _BY_ITSELF)
    if content.discounts:
        yield _COUPONS
    if TAX_FEE in work.children:
        yield _TAXES
    if _is_wrong(work):
        yield _TOTAL
    if work.touches("lines") and _lacks_product(work, got):
        yield _PRODUCT
    waits = content.status == "trashed" or _NOT_ALL_REFUNDED in work.losses
    if work.touches("status") and not waits and got.status != wire_status(content.status):
        yield _STATUS
