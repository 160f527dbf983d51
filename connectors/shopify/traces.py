"""What a Shopify store notes of the consequences of orders: the timeline of each order."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.desk import NotTold
from connectors.shopify.api import Api
from connectors.shopify.documents_looking import EVENTS
from connectors.shopify.parts import gid, number, utc
from connectors.shopify.wire import Nodes, Wire
from connectors.traces import Effect, Trace

_MAILED = "mail_sent"
_NO_STOCK = (
    "Shopify keeps the history of stock out of its API: levels are compared, movements are not."
)
_NO_WEBHOOKS = "An app sees its own webhooks alone: those of other apps and people are not told."


class _Event(Wire):
    action: str = ""
    created_at: str | None = None


class _Order(Wire):
    id: str
    events: Nodes[_Event]


class _Answer(Wire):
    nodes: list[_Order | None]


class ShopifyTraces:
    """One store's timelines."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def of_orders(self, orders: Sequence[str]) -> tuple[Trace, ...]:
        """Mails that a timeline tells of, in its first hundred events."""
        asked = {"ids": [gid("Order", each) for each in orders]}
        answer = await self._api.ask(EVENTS, _Answer, asked)
        return tuple(
            Trace(
                effect=Effect.MAIL,
                order=number(order.id),
                at=utc(event.created_at),
                what="the timeline says that a mail was sent",
            )
            for order in answer.nodes
            if order is not None
            for event in order.events.nodes
            if event.action == _MAILED
        )

    async def webhooks(self) -> tuple[Trace, ...]:
        """Nobody can tell."""
        raise NotTold(_NO_WEBHOOKS)

    async def gap(self, effect: Effect) -> str:
        """Stock leaves no trace in the API."""
        return _NO_STOCK if effect is Effect.STOCK else ""
