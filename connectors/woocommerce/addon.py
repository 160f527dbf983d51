"""The add-on: a small plugin on the store for what the REST API refuses (`addons/woocommerce`).

Whether a store has it is asked once, when something first depends on it. A store without it is
read and written over the REST API alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Any, TypeVar

from msgspec import Raw, Struct

from connectors.errors import BadAnswer, SignInAgain
from connectors.records import Stream
from connectors.redirects import Redirect, RedirectState
from connectors.woocommerce.api import Api, RefusedRequest, refusal
from connectors.woocommerce.batches import ADDON_GONE, Body
from connectors.woocommerce.wire import WireError

ROOT = "/wp-json/recent-sync/v1/"
SPOKEN = 1
"""The add-on's `api` that this connector speaks."""

T = TypeVar("T")

_LEFT = ("rest_no_route", "recent_sync_not_silent")
_PAGE = 1000
_KEYS = 500
_KINDS = {Stream.PRODUCTS: "product", Stream.ORDERS: "order"}
_LOOKUPS = {
    Stream.CATEGORIES: "categories",
    Stream.PRODUCTS: "products",
    Stream.CUSTOMERS: "customers",
}


class Status(Struct, gc=False):
    """What the add-on says of itself. `silent`: the request reached it with our mark.
    `redirects`: it takes redirects, which it did not in its first release.
    """

    version: str
    api: int
    silent: bool = False
    feed_complete: datetime | None = None
    redirects: bool = False


class Hindrance(StrEnum):
    """Why an add-on that is there, or may be, is not used."""

    ABSENT = "addon_missing"
    FORBIDDEN = "addon_forbidden"
    OTHER = "addon_too_new"
    UNMARKED = "addon_mark_lost"


class KnownOrder(Struct):
    """An order found by our key, and what of it carries our names."""

    id: int
    status: str
    parts: dict[str, int] = {}
    refunds: dict[str, int] = {}


class SavedOrder(Struct):
    """An order as it was saved: the REST API's own form of it, and our names of its refunds."""

    order: Raw
    refunds: dict[str, int] = {}


class Change(Struct, gc=False):
    """One line of the feed. `at` is the store's time, in UTC and without a zone."""

    seq: int
    id: int
    event: str
    at: datetime

    @property
    def moment(self) -> datetime:
        """`at`, aware."""
        return self.at.replace(tzinfo=UTC)


class Said(Struct):
    """What became of one redirect; `code` as in `connectors.redirects`."""

    state: RedirectState
    code: str = ""


class _Redirects(Struct):
    redirects: list[Said]


class _Item(Struct):
    order: Raw = Raw(b"")
    refunds: dict[str, int] = {}
    error: WireError | None = None


class _Saved(Struct):
    orders: list[_Item]


class _Orders(Struct):
    orders: dict[str, KnownOrder] = {}


class _Changes(Struct):
    changes: list[Change]
    more: bool


class Addon:
    """One store's add-on. All but `status` is for stores that have it. Raises `StoreError`."""

    def __init__(self, api: Api, *, imports: bool) -> None:
        self._api = api.below(ROOT)
        self._imports = imports
        self._asking = asyncio.Lock()
        self._status: Status | Hindrance | None = None

    async def status(self) -> Status | Hindrance:
        """What it says of itself, or why it is not used; asked once."""
        async with self._asking:
            if self._status is None:
                self._status = await self._ask()
        return self._status

    async def is_usable(self) -> bool:
        """Whether the store has an add-on that does what is said here."""
        return isinstance(await self.status(), Status)

    async def _ask(self) -> Status | Hindrance:
        try:
            found = await self._api.get("status", Status)
        except RefusedRequest as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return Hindrance.ABSENT
        except BadAnswer as error:
            # Firewalls answer unknown addresses with pages of their own.
            if error.code != "store_not_woocommerce":
                raise
            return Hindrance.ABSENT
        except SignInAgain:
            return Hindrance.FORBIDDEN
        if found.api != SPOKEN:
            return Hindrance.OTHER
        return Hindrance.UNMARKED if self._imports and not found.silent else found

    async def ids(self, stream: Stream, keys: Sequence[str]) -> dict[str, int]:
        """Ids by our keys; of products and their variations, customers or categories."""
        name = _LOOKUPS[stream]
        found: dict[str, int] = {}
        for start in range(0, len(keys), _KEYS):
            asked = {name: list(keys[start : start + _KEYS])}
            answer = await self._send("lookup", asked, dict[str, dict[str, Any]])
            found |= answer.get(name, {})
        return found

    async def orders(self, keys: Sequence[str]) -> dict[str, KnownOrder]:
        """Orders by our keys, in whatever status they are."""
        asked = {"orders": list(keys)}
        return (await self._send("lookup", asked, _Orders)).orders

    async def save(self, bodies: Sequence[Body]) -> list[SavedOrder | RefusedRequest]:
        """Create or update orders, each as a whole or not at all. An order that is sent twice is
        made once: the add-on finds it by its key.
        """
        answer = await self._send("orders", {"orders": list(bodies)}, _Saved)
        if len(answer.orders) != len(bodies):
            raise BadAnswer("the add-on answers with another number of orders")
        return [_saved(each) for each in answer.orders]

    async def redirect(self, redirects: Sequence[Redirect]) -> list[Said]:
        """Keep redirects, as many as the add-on takes at once. One that is sent twice is kept
        once.
        """
        pairs = [{"path": each.path, "target": each.target} for each in redirects]
        answer = await self._send("redirects", {"redirects": pairs}, _Redirects)
        if len(answer.redirects) != len(pairs):
            raise BadAnswer("the add-on answers with another number of redirects")
        return answer.redirects

    async def changes(
        self, stream: Stream, since: datetime, after: int = 0
    ) -> AsyncGenerator[tuple[list[Change], bool], None]:
        """Pages of what happened since a moment, behind a line of the feed; and whether more comes.

        A line that is written in a long transaction shows later than its number says: whoever
        asks again has to ask from a little before the last time.
        """
        moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        query: dict[str, str | int] = {"kind": _KINDS[stream], "limit": _PAGE, "since": moment}
        more = True
        while more:
            page = await self._api.get("changes", _Changes, query | {"after": after})
            if page.changes:
                after = page.changes[-1].seq
            more = page.more and bool(page.changes)
            yield page.changes, more

    async def _send(self, path: str, body: Body, kind: type[T]) -> T:
        """What is sent may be sent twice. Raises `BadAnswer` where the add-on has left."""
        try:
            return await self._api.send("POST", path, body, kind, repeatable=True)
        except RefusedRequest as error:
            if error.platform_code not in _LEFT:
                raise
            text = "the store's add-on was there and is not any more"
            raise BadAnswer(text, code=ADDON_GONE, request_id=error.request_id) from None


def _saved(item: _Item) -> SavedOrder | RefusedRequest:
    if item.error is not None:
        return refusal(item.error)
    return SavedOrder(item.order, item.refunds)
