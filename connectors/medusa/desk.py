"""Look-ups in a Medusa store as its dashboard does them: by words, in lists that are sorted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from connectors.desk import SHOWN, NumberedOrder, Numbering
from connectors.errors import BadAnswer
from connectors.medusa.api import Api, Asked
from connectors.medusa.fields import FIELDS
from connectors.medusa.loading import Loader
from connectors.medusa.parts import KEY, text_of
from connectors.medusa.wire import WireCustomer, WireId
from connectors.medusa.wire_orders import WireOrder
from connectors.records import Record, Stream

_MOST = 200
_NUMBERING = Numbering(
    advice="Medusa counts in a sequence of its database: SELECT setval(pg_get_serial_sequence("
    "'\"order\"', 'display_id'), N). With generateCustomDisplayId in its configuration it takes "
    "numbers of any form."
)


class WireNumbered(Struct):
    """What is asked of an order to know its number."""

    id: str
    display_id: int | None = None
    custom_display_id: str | None = None
    created_at: datetime | None = None
    metadata: dict[str, Any] | None = None


class MedusaDesk:
    """One store's look-ups. A search by words finds what is alike: it is looked through here."""

    numbering = _NUMBERING

    def __init__(self, api: Api, loader: Loader) -> None:
        self._api = api
        self._loader = loader

    async def orders_of(self, email: str) -> tuple[Record, ...]:
        """By the email that the order keeps."""
        wanted = email.casefold()
        rows = [row for row in await self._searched(email) if _folded(row.email) == wanted]
        return await self._loaded(Stream.ORDERS, rows[:SHOWN])

    async def orders_numbered(self, number: str) -> tuple[Record, ...]:
        """By the number that is shown."""
        rows = [row for row in await self._searched(number) if _number(row) == number]
        return await self._loaded(Stream.ORDERS, rows)

    async def accounts(self, email: str) -> tuple[Record, ...]:
        """By email; a guest of the store has a record as well."""
        asked: Asked = {"q": email, "fields": FIELDS[Stream.CUSTOMERS], "limit": _MOST}
        page = await self._api.list("customers", asked, WireCustomer)
        wanted = email.casefold()
        return await self._loaded(
            Stream.CUSTOMERS, [row for row in page.rows if _folded(row.email) == wanted]
        )

    async def history(self, customer: str) -> int:
        """The store's count."""
        asked: Asked = {"customer_id": customer, "fields": "id", "limit": 1}
        return (await self._api.list("orders", asked, WireId)).total

    async def newest(self, most: int) -> tuple[NumberedOrder, ...]:
        """By the time they were made, in one request: pages by number would lose orders."""
        fields = "id,display_id,custom_display_id,created_at,metadata"
        asked: Asked = {"order": "-created_at", "fields": fields, "limit": most}
        page = await self._api.list("orders", asked, WireNumbered)
        return tuple(
            NumberedOrder(
                id=row.id,
                number=_number(row),
                created_at=row.created_at,
                key=text_of(row.metadata, KEY),
            )
            for row in page.rows
        )

    async def _searched(self, text: str) -> list[WireOrder]:
        asked: Asked = {
            "q": text,
            "order": "-created_at",
            "fields": FIELDS[Stream.ORDERS],
            "limit": _MOST,
        }
        return (await self._api.list("orders", asked, WireOrder)).rows

    async def _loaded(self, stream: Stream, rows: Sequence[Any]) -> tuple[Record, ...]:
        records, failed = await self._loader.load(stream, rows)
        for found, reason in failed:
            raise BadAnswer(f"record {found}: {reason}", code="record_unmappable")
        return tuple(records)


def _number(row: WireOrder | WireNumbered) -> str:
    return row.custom_display_id or str(row.display_id or "")


def _folded(email: str | None) -> str:
    return (email or "").casefold()
