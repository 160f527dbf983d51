"""Sending goods of an order: each shipment once, and nobody hears of it.

What is still to be sent stands in the store's fulfilment orders, one or more for each place that
holds the goods. A shipment is known again by its goods and its tracking numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from connectors.records import Fulfilment, Order
from connectors.shopify.api import Api
from connectors.shopify.bodies_orders import was_sent
from connectors.shopify.changing import change
from connectors.shopify.documents_writing import GOODS, OPEN_GOODS, SEND_GOODS
from connectors.shopify.loading import Loader
from connectors.shopify.mapping_lines import part_of
from connectors.shopify.wire import Nodes, Wire, WireId
from connectors.shopify.wire_orders import WireFulfilment, WireOrder

_SENDABLE = frozenset({"OPEN", "IN_PROGRESS"})
_NEVER_LEFT = frozenset({"cancelled", "canceled", "error", "failure"})

_Contents = tuple[tuple[str, ...], tuple[tuple[str, int], ...]]
"""What tells shipments apart: tracking numbers, and how many pieces of which line."""


class _Goods(Wire):
    id: str
    status: str


class _GoodsOfOrder(Wire):
    fulfillment_orders: Nodes[_Goods]


class _GoodsAnswer(Wire):
    order: _GoodsOfOrder | None = None


class _GoodsLine(Wire):
    id: str
    line_item: WireId
    remaining_quantity: int


class Dispatcher:
    """Sends the goods of orders on one store. Everything may be asked for twice."""

    def __init__(self, api: Api, loader: Loader) -> None:
        self._api = api
        self._loader = loader

    async def send(self, content: Order, row: WireOrder) -> None:
        """All shipments that the order does not show yet; the rest of an order that was sent.
        Raises `StoreError`.
        """
        missing = _missing(content, row)
        if row.display_fulfillment_status == "FULFILLED" or not (missing or was_sent(content)):
            return
        answer = await self._api.ask(OPEN_GOODS, _GoodsAnswer, {"id": row.id})
        goods = answer.order.fulfillment_orders.nodes if answer.order else []
        places = [each.id for each in goods if each.status in _SENDABLE]
        for shipment in missing:
            await self._send_some(places, shipment, row)
        if was_sent(content):
            for place in places:
                await self._send_rest(place)

    async def _send_some(self, places: Sequence[str], shipment: Fulfilment, row: WireOrder) -> None:
        """One shipment, from all places together that hold its goods."""
        left = _pieces(shipment, row)
        for place in places:
            lines = []
            for each in await self._open_lines(place):
                pieces = min(left[each.line_item.id], each.remaining_quantity)
                if pieces > 0:
                    left[each.line_item.id] -= pieces
                    lines.append({"id": each.id, "quantity": pieces})
            if lines:
                part = {"fulfillmentOrderId": place, "fulfillmentOrderLineItems": lines}
                await self._ship(part, _numbers(shipment))

    async def _send_rest(self, place: str) -> None:
        if any(each.remaining_quantity > 0 for each in await self._open_lines(place)):
            await self._ship({"fulfillmentOrderId": place}, ())

    async def _ship(self, part: dict[str, Any], numbers: Sequence[str]) -> None:
        body: dict[str, Any] = {"lineItemsByFulfillmentOrder": [part], "notifyCustomer": False}
        if numbers:
            body["trackingInfo"] = {"numbers": list(numbers)}
        await change(self._api, SEND_GOODS, {"fulfillment": body})

    async def _open_lines(self, place: str) -> list[_GoodsLine]:
        return await self._loader.parts_of(GOODS, place, _GoodsLine)


def _missing(content: Order, row: WireOrder) -> list[Fulfilment]:
    """Shipments of the source that the order does not show; each of its own counts for one."""
    there = Counter(_shown(each) for each in row.fulfillments if each.status == "SUCCESS")
    found = []
    for each in content.fulfilments:
        if each.status in _NEVER_LEFT or not each.lines:
            continue
        contents = _numbers(each), tuple(sorted(_pieces(each, row).items()))
        if there[contents] > 0:
            there[contents] -= 1
        else:
            found.append(each)
    return found


def _shown(shipment: WireFulfilment) -> _Contents:
    pieces: Counter[str] = Counter()
    for each in shipment.fulfillment_line_items.nodes:
        pieces[each.line_item.id] += each.quantity or 0
    numbers = tuple(each.number for each in shipment.tracking_info if each.number)
    return numbers, tuple(sorted(pieces.items()))


def _numbers(shipment: Fulfilment) -> tuple[str, ...]:
    return tuple(each.strip() for each in shipment.tracking.split(",") if each.strip())


def _pieces(shipment: Fulfilment, row: WireOrder) -> Counter[str]:
    """Pieces by the target's line. Of two lines that stand for one the first goes first."""
    wanted: Counter[str] = Counter()
    for part, quantity in shipment.lines:
        wanted[part] += quantity
    found: Counter[str] = Counter()
    for line in row.line_items.nodes:
        pieces = min(wanted[part_of(line)], line.quantity)
        if pieces > 0:
            wanted[part_of(line)] -= pieces
            found[line.id] = pieces
    return found
