"""Writing orders with the add-on: one request for many orders, each as a whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from connectors.base import Applied, Loss, Operation, Outcome, Uncertain
from connectors.errors import StoreError
from connectors.minor_units import same
from connectors.records import Content, Money, Order
from connectors.woocommerce.addon import Addon, SavedOrder
from connectors.woocommerce.api import RefusedRequest, decoder
from connectors.woocommerce.batches import Attempt, refused
from connectors.woocommerce.bodies_exact import exact_order
from connectors.woocommerce.bodies_orders import has_product
from connectors.woocommerce.mapping_orders import order
from connectors.woocommerce.pairing import pair_parts, refund_name
from connectors.woocommerce.wire import WireOrder

_BUSY = "recent_sync_busy"
_SHOWN = (
    "number",
    "status",
    "currency",
    "total",
    "tax_total",
    "shipping_total",
    "discount_total",
    "created_at",
    "paid_at",
    "completed_at",
)
_OTHER = "The target shows another value than it was given."
_PRODUCT = Loss("lines", "The target leaves a line without its product.")


class ExactOrderWriter:
    """Writes orders to one store by its add-on."""

    def __init__(self, addon: Addon) -> None:
        self._addon = addon

    async def write(self, operations: Sequence[Operation]) -> list[Outcome]:
        """One outcome for each operation."""
        works = [(each, _content(each)) for each in operations]
        try:
            answers = await self._addon.save([exact_order(*work) for work in works])
        except StoreError as error:
            attempt = Attempt()
            return [attempt.outcome(operation, error) for operation, _ in works]
        return [_outcome(*work, each) for work, each in zip(works, answers, strict=True)]


def _content(operation: Operation) -> Order:
    if not isinstance(operation.content, Order):
        raise TypeError("an operation of another stream")
    return operation.content


def _outcome(operation: Operation, content: Order, answer: SavedOrder | RefusedRequest) -> Outcome:
    if isinstance(answer, RefusedRequest):
        if answer.platform_code == _BUSY:
            return Uncertain(source_id=operation.source_id, reason="store_busy")
        return refused(operation, answer)
    row: WireOrder = decoder(WireOrder).decode(answer.order)
    shown = order(row).content
    children = pair_parts(content, row)
    wanted = {refund_name(each.id) for each in content.refunds}
    made = {refund_name(name): str(number) for name, number in answer.refunds.items()}
    return Applied(
        source_id=operation.source_id,
        target_id=str(row.id),
        children=children | {name: made[name] for name in made if name in wanted},
        content=shown,
        losses=(*_losses(operation, content, shown), *_lost_products(content, row, children)),
    )


def _losses(operation: Operation, content: Order, shown: Content) -> Iterator[Loss]:
    """What was written and shows otherwise: an extension of the store may meddle."""
    changed = None if operation.target_id is None else operation.changed
    for name in _SHOWN:
        if (changed is None or name in changed) and not _agree(
            getattr(content, name), getattr(shown, name)
        ):
            yield Loss(name, _OTHER)


def _lost_products(content: Order, row: WireOrder, children: Mapping[str, str]) -> Iterator[Loss]:
    rows = {str(each.id): each for each in row.line_items}
    lines = [(each, rows.get(children.get(each.id, ""))) for each in content.lines]
    if not all(there is None or has_product(line, there) for line, there in lines):
        yield _PRODUCT


def _agree(wanted: object, found: object) -> bool:
    if isinstance(wanted, Money) and isinstance(found, Money):
        return same(wanted, found)
    return wanted is None or wanted == found
