"""Look-ups in a WooCommerce store as its staff does them: the search of its list of orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Struct

from connectors.concurrency import together
from connectors.desk import SHOWN, NumberedOrder, Numbering
from connectors.records import Record, Stream
from connectors.woocommerce.api import Api
from connectors.woocommerce.lists import PAGE
from connectors.woocommerce.loading import Loader
from connectors.woocommerce.mapping_orders import IGNORED
from connectors.woocommerce.parts import utc
from connectors.woocommerce.wire import WireAddress, WireCustomer, WireId, WireOrder

_NEWEST: dict[str, str | int] = {"orderby": "date", "order": "desc", "status": "any"}
_EPOCH = datetime.fromtimestamp(0, UTC)


_NUMBERING = Numbering(
    by_id=True,
    advice="WooCommerce gives an order the next id of the whole site. Raise it in the database "
    "(ALTER TABLE wp_posts AUTO_INCREMENT = N, with your own prefix of tables), or let a plugin "
    "for sequential order numbers count from N on or with a prefix.",
)


class WireNumbered(Struct, gc=False):
    """What is asked of an order to know its number."""

    id: int
    status: str = ""
    number: str | int = ""
    created_via: str | None = ""
    date_created_gmt: datetime | None = None


class WooCommerceDesk:
    """One store's look-ups."""

    numbering = _NUMBERING

    def __init__(self, api: Api, loader: Loader) -> None:
        self._api = api
        self._loader = loader

    async def orders_of(self, email: str) -> tuple[Record, ...]:
        """By the email of the billing address, which every order has, a guest's too."""
        wanted = email.casefold()
        rows = [row for row in await self._searched(email) if _email(row) == wanted]
        rows.sort(key=lambda row: (utc(row.date_created_gmt) or _EPOCH, row.id), reverse=True)
        return await self._orders(rows[:SHOWN])

    async def orders_numbered(self, number: str) -> tuple[Record, ...]:
        """By the number that the store shows."""
        rows = [row for row in await self._searched(number) if str(row.number) == number]
        return await self._orders(rows)

    async def accounts(self, email: str) -> tuple[Record, ...]:
        """By email, whatever the role."""
        asked: dict[str, str | int] = {"email": email, "role": "all", "per_page": PAGE}
        page = await self._api.list("customers", asked, WireCustomer)
        wanted = email.casefold()
        rows = [row for row in page.rows if (row.email or "").casefold() == wanted]
        return tuple((await self._loader.load(Stream.CUSTOMERS, rows)).records)

    async def history(self, customer: str) -> int:
        """The store's count, without what is in the trash and without abandoned carts."""
        asked: dict[str, str | int] = {"customer": customer, "per_page": 1, "_fields": "id"}
        pages = await together(
            [
                self._api.list("orders", asked | {"status": status}, WireId)
                for status in ("any", "checkout-draft")
            ]
        )
        found, carts = (page.total or 0 for page in pages)
        return max(0, found - carts)

    async def newest(self, most: int) -> tuple[NumberedOrder, ...]:
        """By the time they were made. A look, and no walk: while orders come in, one at the edge of
        two pages may be missing.
        """
        fields = "id,status,number,created_via,date_created_gmt"
        found: dict[int, NumberedOrder] = {}
        for offset in range(0, most, PAGE):
            size = min(PAGE, most - offset)
            asked = _NEWEST | {"_fields": fields, "per_page": size, "offset": offset}
            page = await self._api.list("orders", asked, WireNumbered)
            found |= {row.id: _numbered(row) for row in page.rows if row.status not in IGNORED}
            if len(page.rows) < size:
                break
        return tuple(found.values())

    async def _searched(self, text: str) -> list[WireOrder]:
        """What the shop's own search of orders finds, newest first: it looks into many fields, and
        for a part of them.
        """
        asked = _NEWEST | {"search": text, "per_page": PAGE}
        page = await self._api.list("orders", asked, WireOrder)
        return [row for row in page.rows if row.status not in IGNORED]

    async def _orders(self, rows: Sequence[WireOrder]) -> tuple[Record, ...]:
        loaded = await self._loader.load(Stream.ORDERS, rows)
        return tuple(loaded.records)


def _email(row: WireOrder) -> str:
    billing = row.billing
    return (billing.email or "").casefold() if isinstance(billing, WireAddress) else ""


def _numbered(row: WireNumbered) -> NumberedOrder:
    via = row.created_via or ""
    return NumberedOrder(
        id=str(row.id),
        number=str(row.number),
        created_at=utc(row.date_created_gmt),
        key=via if ":orders:" in via else "",
    )
