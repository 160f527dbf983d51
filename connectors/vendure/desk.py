"""Look-ups in a Vendure store as its dashboard does them: a customer by email, then the orders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Raw

from connectors.desk import SHOWN, NumberedOrder, Numbering
from connectors.errors import BadAnswer
from connectors.records import Record, Stream
from connectors.vendure.api import Api, Document
from connectors.vendure.documents import KINDS, listing
from connectors.vendure.loading import Loader
from connectors.vendure.parts import KEY, custom, utc
from connectors.vendure.searches import PLACED
from connectors.vendure.shop import has_keys
from connectors.vendure.wire import Listed, Wire, WireId

_TAKE = 500
_NUMBERING = Numbering(
    advice="Vendure gives random codes, which run into nobody's numbers. An orderCodeStrategy of "
    "the store's configuration gives others: let it begin with N."
)
ORDERS_OF = Document(
    "query OrdersOf($id: ID!, $options: OrderListOptions) "
    "{ customer(id: $id) { id orders(options: $options) { totalItems items { id } } } }"
)
"""Orders of one customer, by what is asked of them."""


class _Customer(Wire):
    id: str
    orders: Listed[WireId]


class _Answer(Wire):
    customer: _Customer | None


class _Numbered(Wire):
    id: str
    code: str
    order_placed_at: str | None = None
    custom_fields: dict[str, Any] | None = None


class VendureDesk:
    """One store's look-ups."""

    numbering = _NUMBERING

    def __init__(self, api: Api, loader: Loader) -> None:
        self._api = api
        self._loader = loader

    async def orders_of(self, email: str) -> tuple[Record, ...]:
        """Of every customer with that email: orders themselves cannot be searched for it."""
        options = {"filter": PLACED, "sort": {"orderPlacedAt": "DESC"}, "take": SHOWN}
        ids: list[str] = []
        for account in await self.accounts(email):
            found = await self._orders_of(account.id, options)
            ids += [each.id for each in found.items]
        rows = await self._loader.by_ids(Stream.ORDERS, ids)
        records = await self._loaded(Stream.ORDERS, rows)
        place = {each: position for position, each in enumerate(ids)}
        return tuple(sorted(records, key=lambda each: place.get(each.id, 0)))[:SHOWN]

    async def orders_numbered(self, number: str) -> tuple[Record, ...]:
        """By code."""
        return await self._loaded(
            Stream.ORDERS, await self._loader.rows(Stream.ORDERS, "code", [number])
        )

    async def accounts(self, email: str) -> tuple[Record, ...]:
        """By email, which Vendure keeps in small letters; guests have a record as well."""
        rows = await self._loader.rows(Stream.CUSTOMERS, "emailAddress", [email.strip().lower()])
        return await self._loaded(Stream.CUSTOMERS, rows)

    async def history(self, customer: str) -> int:
        """The store's count of orders that were placed."""
        return (await self._orders_of(customer, {"filter": PLACED, "take": 1})).total_items

    async def newest(self, most: int) -> tuple[NumberedOrder, ...]:
        """By the time they were placed. A look, and no walk."""
        kind = KINDS[Stream.ORDERS]
        keyed = has_keys(await self._loader.shop(), kind.entity)
        shown = "id code orderPlacedAt" + (f" customFields {{ {KEY} }}" if keyed else "")
        found: dict[str, NumberedOrder] = {}
        for skip in range(0, most, _TAKE):
            take = min(_TAKE, most - skip)
            options = {
                "filter": PLACED,
                "sort": {"orderPlacedAt": "DESC"},
                "skip": skip,
                "take": take,
            }
            answer = await self._api.ask(
                listing(kind, shown), dict[str, Listed[_Numbered]], {"options": options}
            )
            rows = answer[kind.list].items
            found |= {row.id: _numbered(row) for row in rows}
            if len(rows) < take:
                break
        return tuple(found.values())

    async def _orders_of(self, customer: str, options: dict[str, Any]) -> Listed[WireId]:
        asked = {"id": customer, "options": options}
        answer = await self._api.ask(ORDERS_OF, _Answer, asked)
        if answer.customer is None:
            return Listed(items=[], total_items=0)
        return answer.customer.orders

    async def _loaded(self, stream: Stream, rows: Sequence[Raw]) -> tuple[Record, ...]:
        records, failed = await self._loader.load(stream, rows)
        for found, reason in failed:
            raise BadAnswer(f"record {found}: {reason}", code="record_unmappable")
        return tuple(records)


def _numbered(row: _Numbered) -> NumberedOrder:
    return NumberedOrder(
        id=row.id,
        number=row.code,
        created_at=utc(row.order_placed_at),
        key=custom(row.custom_fields, KEY),
    )
