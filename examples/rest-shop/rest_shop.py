"""A shop of one's own as a source: products, customers and orders over its REST API.

`GET /api/products?after=17&limit=100&since=…` lists rows by id, behind one and changed since then.
"""

from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from pydantic import BaseModel, Field, SecretStr

from connectors import base
from connectors.errors import BadAnswer, Rejected
from connectors.http import Answer, StoreHttp
from connectors.records import Content, Customer, Order, OrderLine, Product, Record, Stream, money
from connectors.session import Session

Row = dict[str, Any]


class Settings(BaseModel, extra="forbid"):
    url: str = Field(
        pattern=r"^https?://[^\s?#@]+$",
        title="Shop address",
        description="As a browser shows it, without /api.",
        examples=["https://shop.example"],
    )
    page_size: int = Field(100, ge=1, title="Page size", description="Rows in one request.")


class Credentials(BaseModel, extra="forbid"):
    token: SecretStr = Field(min_length=1, title="API token", description="It may read everything.")


def product(row: Row) -> Content:
    return Product(name=row["name"], sku=row["sku"], regular_price=money(row["price"], "GBP"))


def customer(row: Row) -> Content:
    return Customer(email=row["email"], first_name=row["first"], last_name=row["last"])


def order(row: Row) -> Content:
    total, none = money(row["sum"], "GBP"), money("0", "GBP")
    sums = {"total": total, "tax_total": none, "shipping_total": none, "discount_total": none}
    status = {"new": "processing", "sent": "completed"}.get(row["status"], row["status"])
    names = {"number": str(row["id"]), "customer": str(row["customer"]), "note": row["note"]}
    at, lines = datetime.fromisoformat(row["placed_at"]), tuple(map(line, row["lines"]))
    return Order(**names, **sums, status=status, currency="GBP", lines=lines, created_at=at)


def line(row: Row) -> OrderLine:
    total, none = money(row["sum"], "GBP"), money("0", "GBP")
    sums = {"total": total, "subtotal": total, "tax": none, "subtotal_tax": none}
    names = {"id": str(row["id"]), "product": str(row["product"]), "name": row["name"]}
    return OrderLine(**names, **sums, quantity=row["quantity"])


EVER = datetime.min.replace(tzinfo=UTC)
MAPPED = {Stream.PRODUCTS: product, Stream.CUSTOMERS: customer, Stream.ORDERS: order}


class Listing(msgspec.Struct):
    rows: list[Row]
    total: int
    more: bool


def listing(answer: Answer) -> Listing:
    if answer.status != 200:
        raise Rejected(f"the shop refuses the request ({answer.status})")
    return msgspec.json.decode(answer.body, type=Listing)


def page(stream: Stream, found: Listing, since: datetime = EVER) -> base.Page:
    """The shop's page as ours. A row of an unknown form spoils no other."""
    records, failed = [], []
    for row in found.rows:
        try:
            changed_at = datetime.fromisoformat(row["changed_at"])
            records.append(Record(str(row["id"]), changed_at, MAPPED[stream](row)))
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            failed.append((str(row.get("id")), type(error).__name__))
    resume = {"after": found.rows[-1]["id"]} if found.more else None
    counts = {"outside": sum(each.stamp < since for each in records), "total": found.total}
    return base.Page(records=tuple(records), failed=tuple(failed), resume=resume, **counts)


class Shop(Session):
    """All input and output. A token to resume is `{"after": id}`."""

    def __init__(self, access: base.StoreAccess) -> None:
        bearer = {"Authorization": f"Bearer {access.credentials.token.get_secret_value()}"}
        super().__init__(StoreHttp(access.settings.url, headers=bearer, budgets=access.budgets))
        self._size = access.settings.page_size

    async def check(self) -> base.StoreReport:
        return base.StoreReport(platform_version="1", server_time=await self.server_time())

    async def server_time(self) -> datetime:
        await self._list(Stream.ORDERS, limit=1)
        return self.last_date()

    async def count(self, stream: Stream, extent: base.Extent) -> int:
        return (await self._list(stream, extent, limit=1)).total

    async def split(self, stream: Stream, extent: base.Extent, parts: int) -> list[base.Json]:
        return [{}]

    async def read(
        self, stream: Stream, extent: base.Extent, part: base.Json, resume: base.Json | None
    ) -> AsyncGenerator[base.Page, None]:
        """By id: nothing that changes or goes meanwhile can shift the rows behind it."""
        place = resume or {"after": 0}
        while place:
            found = await self._list(stream, extent, limit=self._size, **place)
            shown = page(stream, found, getattr(extent, "since", EVER))
            yield shown
            place = shown.resume

    async def probe(self, stream: Stream) -> tuple[base.Finding, ...]:
        return ()

    async def get(self, stream: Stream, ids: Sequence[str]) -> dict[str, Record]:
        found = page(stream, await self._list(stream, ids=",".join(ids)))
        if found.failed:
            raise BadAnswer("a row has an unknown form", code="record_unmappable")
        return {each.id: each for each in found.records}

    async def _list(self, stream: Stream, extent: Any = None, **query: str | int) -> Listing:
        if isinstance(extent, base.Window):
            query["since"] = extent.since.isoformat()
        return await self._http.request("GET", f"/api/{stream}", query=query, decode=listing)


READS = base.ReadCapability(
    trust=base.Trust.OVERLAP, moves=("Any change.",), blind_spots=("Deletions leave no trace.",)
)
CONNECTOR = base.Connector(
    name="rest-shop",
    title="Our own shop",
    settings=Settings,
    credentials=Credentials,
    permissions=(base.Permission("read", "Products, customers and orders."),),
    steps=("In the back office, open Integrations and make a token that may read.",),
    reads=dict.fromkeys(MAPPED, READS),
    source=Shop,
)
