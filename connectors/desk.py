"""Looking records up as the people of a shop do: by a customer's email, by an order's number.

A source or a target that can has a `desk`. It goes by what a person knows, and never by ids or
keys of ours, so that what it finds is what people are going to find.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol, runtime_checkable

from msgspec import Struct

from connectors.records import Record

SHOWN = 20
"""Orders that a look-up by email shows: the newest ones."""


class NotTold(Exception):
    """A platform or a store cannot tell something. The message is a sentence for a person."""


class NumberedOrder(Struct, frozen=True, kw_only=True, gc=False):
    """An order as a list shows it. `key` is what it carries in the place of our external key,
    empty where there is nothing.
    """

    id: str
    number: str
    created_at: datetime | None = None
    key: str = ""


class Numbering(Struct, frozen=True, kw_only=True):
    """How a store numbers the orders that it takes itself.

    `by_id`: by their ids, where nothing else numbers them. `advice` says in a few sentences for a
    person how the next number is set there.
    """

    advice: str
    by_id: bool = False


class Desk(Protocol):
    """One store's look-ups. Each is a few requests. Raises `StoreError`, and `NotTold` where the
    platform offers no such look-up.
    """

    @property
    def numbering(self) -> Numbering:
        """How the store numbers orders of its own."""
        ...

    async def orders_of(self, email: str) -> tuple[Record, ...]:
        """The newest orders (up to `SHOWN`) that have an email, guests' orders too, newest first.

        Emails are compared without case.
        """
        ...

    async def orders_numbered(self, number: str) -> tuple[Record, ...]:
        """The orders whose number is this one, as a person types it."""
        ...

    async def accounts(self, email: str) -> tuple[Record, ...]:
        """The customers' accounts that have an email, compared without case."""
        ...

    async def history(self, customer: str) -> int:
        """How many orders an account has, by the store's own id of it."""
        ...

    async def newest(self, most: int) -> tuple[NumberedOrder, ...]:
        """The newest orders, newest first, at most `most`."""
        ...


@runtime_checkable
class HasDesk(Protocol):
    """What a source or a target has besides, where its platform can look things up."""

    @property
    def desk(self) -> Desk:
        """Its look-ups. They are open as long as it is."""
        ...
