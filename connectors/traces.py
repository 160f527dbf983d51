"""What a store itself notes of the consequences of orders: mails that were sent, stock that moved,
others that were told.

A target that can has `traces`. They are read over the platform's own API.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from msgspec import Struct


class Effect(StrEnum):
    """What an order can cause: a mail to a person, a movement of stock, a call of a webhook."""

    MAIL = "mail"
    STOCK = "stock"
    WEBHOOK = "webhook"


class Trace(Struct, frozen=True, kw_only=True):
    """One consequence. `order` is empty where it belongs to no single one; `what` says in a few
    words what is known of it, without personal data.
    """

    effect: Effect
    order: str = ""
    at: datetime | None = None
    what: str = ""


class Traces(Protocol):
    """Reads one store's notes. Raises `StoreError`, and `connectors.desk.NotTold` where this store
    notes nothing of the kind.
    """

    async def of_orders(self, orders: Sequence[str]) -> tuple[Trace, ...]:
        """Mails and movements of stock that are noted at these orders, one request for each."""
        ...

    async def webhooks(self) -> tuple[Trace, ...]:
        """Webhooks that were told, or will have been, of what we write."""
        ...

    async def gap(self, effect: Effect) -> str:
        """Why the absence of such traces proves nothing in this store: a sentence, or nothing."""
        ...


@runtime_checkable
class HasTraces(Protocol):
    """What a target has besides, where its platform notes such things."""

    @property
    def traces(self) -> Traces:
        """Its notes. They can be read as long as the target is open."""
        ...
