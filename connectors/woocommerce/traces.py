"""What a WooCommerce store notes of the consequences of orders: the notes at each order.

WooCommerce notes what it takes from stock for an order and what it puts back, and since version
10.9 each mail that it sends for one. Words of notes are in the store's language; the arrow between
two quantities is in all of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from connectors.concurrency import together
from connectors.desk import NotTold
from connectors.errors import BadAnswer, SignInAgain
from connectors.traces import Effect, Trace
from connectors.woocommerce.addon import Addon
from connectors.woocommerce.api import Api, RefusedRequest
from connectors.woocommerce.lists import PAGE
from connectors.woocommerce.parts import utc

_STOCK = re.compile(
    r"\d\s*(?:&rarr;|→)\s*-?\d|\bstock\b.*\b(?:increased|reduced|decreased)\b", re.IGNORECASE
)
_MAIL = re.compile(r"^Email \".*\" sent\.|\b(?:details|email) (?:manually )?sent\b", re.IGNORECASE)
_NOTES_MAILS = (10, 9)
_OF_RECORDS = re.compile(r"(order|product|customer)\.[a-z_]+")


class WireNote(Struct, gc=False):
    id: int
    note: str = ""
    author: str = ""
    customer_note: bool = False
    date_created_gmt: datetime | None = None


class WireWebhook(Struct, gc=False):
    id: int
    topic: str = ""
    status: str = ""


class WooCommerceTraces:
    """One store's notes."""

    def __init__(self, api: Api, addon: Addon) -> None:
        self._api = api
        self._addon = addon
        self._environment: dict[str, Any] | None = None

    async def of_orders(self, orders: Sequence[str]) -> tuple[Trace, ...]:
        """The notes of each order that tell of mail or stock. One that is gone has none."""
        found = await together([self._of_order(each) for each in orders])
        return tuple(trace for traces in found for trace in traces)

    async def webhooks(self) -> tuple[Trace, ...]:
        """Active webhooks for records, unless the add-on keeps them from hearing of ours. What
        each was sent is in the store's log files, which the API does not show.
        """
        if await self._addon.is_usable():
            return ()
        try:
            asked: dict[str, str | int] = {"status": "active", "per_page": PAGE}
            page = await self._api.list("webhooks", asked, WireWebhook)
        except (SignInAgain, RefusedRequest):
            raise NotTold("The key may not read the store's webhooks.") from None
        return tuple(
            Trace(effect=Effect.WEBHOOK, what=f"webhook {row.id} is told of {row.topic}")
            for row in page.rows
            if row.status == "active" and _OF_RECORDS.fullmatch(row.topic)
        )

    async def gap(self, effect: Effect) -> str:
        """Mails are noted by newer versions alone, in the store's own language."""
        if effect is not Effect.MAIL:
            return ""
        environment = await self._system()
        version = _numbers(str(environment.get("version", "")))
        if version < _NOTES_MAILS:
            return "This WooCommerce does not note mails at orders: versions from 10.9 on do."
        language = str(environment.get("language", "en"))
        if not language.startswith("en"):
            return f"The store's notes are written in another language ({language[:10]})."
        return ""

    async def _of_order(self, order: str) -> list[Trace]:
        try:
            page = await self._api.list(f"orders/{order}/notes", {"type": "internal"}, WireNote)
        except RefusedRequest as error:
            if error.code != "not_found":
                raise
            return []
        return [trace for row in page.rows if (trace := _trace(order, row))]

    async def _system(self) -> dict[str, Any]:
        if self._environment is None:
            try:
                status = await self._api.get(
                    "system_status", dict[str, Any], {"_fields": "environment"}
                )
            except (SignInAgain, RefusedRequest, BadAnswer):
                status = {}
            found = status.get("environment")
            self._environment = found if isinstance(found, dict) else {}
        return self._environment


def _trace(order: str, row: WireNote) -> Trace | None:
    """What a note tells. Its text stays behind: it may name people."""
    if _STOCK.search(row.note):
        effect, what = Effect.STOCK, "a note says that stock moved"
    elif _MAIL.search(row.note):
        effect, what = Effect.MAIL, "a note says that a mail was sent"
    else:
        return None
    return Trace(effect=effect, order=order, at=utc(row.date_created_gmt), what=what)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\d+", version)[:2])
