"""Look-ups in a Shopify store as its admin does them: by the search of its lists."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.desk import SHOWN, NumberedOrder, Numbering
from connectors.errors import BadAnswer
from connectors.records import Customer, Order, Record, Stream
from connectors.shopify.api import Api, Document, Variables
from connectors.shopify.documents_looking import (
    FIND_CUSTOMERS,
    FIND_ORDERS,
    NEWEST_ORDERS,
    ORDER_COUNT,
)
from connectors.shopify.finding import quoted
from connectors.shopify.loading import Loader
from connectors.shopify.parts import gid, number, utc
from connectors.shopify.wire import Nodes, Wire, WireId

_PAGE = 250
_NUMBERING = Numbering(
    advice="Shopify counts on from its own last order; the number cannot be set. Under Settings, "
    "General, Order ID a prefix and a suffix can: imported orders keep the names that they have."
)


class _Value(Wire):
    value: str = ""


class _Numbered(Wire):
    id: str
    name: str
    created_at: str | None = None
    metafield: _Value | None = None


class _Counted(Wire):
    number_of_orders: str | int = 0


class _CustomerAnswer(Wire):
    customer: _Counted | None


class ShopifyDesk:
    """One store's look-ups. A search finds what is alike: it is looked through here."""

    numbering = _NUMBERING

    def __init__(self, api: Api, loader: Loader) -> None:
        self._api = api
        self._loader = loader

    async def orders_of(self, email: str) -> tuple[Record, ...]:
        """By the email that the order keeps. Orders of the last 60 days alone, where the app may
        not read all.
        """
        wanted = email.casefold()
        records = await self._orders(f"email:{quoted(email)}", SHOWN)
        return tuple(
            each
            for each in records
            if isinstance(each.content, Order) and each.content.email.casefold() == wanted
        )

    async def orders_numbered(self, number: str) -> tuple[Record, ...]:
        """By the order's name, with the sign before it or without."""
        records = await self._orders(f"name:{quoted(number)} OR name:{quoted(f'#{number}')}", 10)
        return tuple(
            each
            for each in records
            if isinstance(each.content, Order) and each.content.number == number
        )

    async def accounts(self, email: str) -> tuple[Record, ...]:
        """By email."""
        asked = {"search": f"email:{quoted(email)}"}
        ids = await self._ids(FIND_CUSTOMERS, "customers", asked)
        wanted = email.casefold()
        return tuple(
            each
            for each in await self._records(Stream.CUSTOMERS, ids)
            if isinstance(each.content, Customer) and each.content.email.casefold() == wanted
        )

    async def history(self, customer: str) -> int:
        """The store's count."""
        asked = {"id": gid("Customer", customer)}
        answer = await self._api.ask(ORDER_COUNT, _CustomerAnswer, asked)
        return int(answer.customer.number_of_orders) if answer.customer else 0

    async def newest(self, most: int) -> tuple[NumberedOrder, ...]:
        """By the time they were made."""
        found: list[NumberedOrder] = []
        after: str | None = None
        while len(found) < most:
            asked = {"first": min(_PAGE, most - len(found)), "after": after}
            answer = await self._api.ask(NEWEST_ORDERS, dict[str, Nodes[_Numbered]], asked)
            page = answer["orders"]
            found += [_numbered(row) for row in page.nodes]
            after = page.page_info.end_cursor
            if not page.page_info.has_next_page or not page.nodes or after is None:
                break
        return tuple(found)

    async def _orders(self, search: str, first: int) -> tuple[Record, ...]:
        asked = {"first": first, "search": search}
        ids = await self._ids(FIND_ORDERS, "orders", asked)
        return await self._records(Stream.ORDERS, ids)

    async def _ids(self, document: Document, name: str, asked: Variables) -> list[str]:
        answer = await self._api.ask(document, dict[str, Nodes[WireId]], asked)
        return [each.id for each in answer[name].nodes]

    async def _records(self, stream: Stream, gids: Sequence[str]) -> tuple[Record, ...]:
        """In the order in which the search shows them."""
        rows, failed = await self._loader.single(stream, gids)
        records, broken = await self._loader.load(stream, rows)
        for found, reason in [*failed, *broken]:
            raise BadAnswer(f"record {found}: {reason}", code="record_unmappable")
        place = {number(each): position for position, each in enumerate(gids)}
        return tuple(sorted(records, key=lambda each: place.get(each.id, len(place))))


def _numbered(row: _Numbered) -> NumberedOrder:
    return NumberedOrder(
        id=number(row.id),
        number=row.name.removeprefix("#"),
        created_at=utc(row.created_at),
        key=row.metafield.value if row.metafield else "",
    )
