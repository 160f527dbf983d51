"""Medusa's Admin API: addresses, lists and refusals. All input and output of the connector passes
through `Api`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Hashable, Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any, Generic, TypeVar, cast

import httpx
import msgspec
from msgspec import Struct

from connectors.base import StoreAccess
from connectors.errors import BadAnswer, Rejected, request_ref
from connectors.http import Answer, Query, Sleep, StoreHttp
from connectors.medusa.settings import MedusaCredentials, MedusaSettings
from connectors.medusa.wire import WireError, WireId

T = TypeVar("T")

Asked = dict[str, str | int | Sequence[str]]
"""The query of a list."""

ROOT = "/admin/"
NO_ADDRESS = "no_such_address"
"""Our word for a refusal by a server that has no such address at all."""

_NAMES = {"product-variants": "variants"}
"""Under which name a list stands in its answer, where that is not the one of its address."""

_CODE = re.compile(r"[a-z_]{1,80}")
_TAKEN = re.compile(r" with ([\w, ]{1,80}): .* already exists", re.DOTALL)
encoded = msgspec.json.Encoder(decimal_format="number").encode
"""A body as it is sent; amounts are numbers."""


class RefusedRequest(Rejected):
    """The Admin API refuses a request. `kind` is Medusa's own word for the sort of refusal;
    `taken` names the field whose value another record has, where that is the reason.
    """

    def __init__(
        self, status: int, kind: str, taken: str = "", *, request_id: str | None = None
    ) -> None:
        why = f"another record has its {taken}" if taken else kind
        super().__init__(
            f"the store refuses the request: {why} ({status})",
            code="not_found" if status == HTTPStatus.NOT_FOUND else "store_rejected",
            request_id=request_id,
        )
        self.status = status
        self.kind = kind
        self.taken = taken

    @property
    def is_gone(self) -> bool:
        """Whether it says that there is no such record, and not merely no such address."""
        return self.status == HTTPStatus.NOT_FOUND and self.kind == "not_found"


class Listing(Struct, Generic[T]):
    """One page of a list. `ids` are those of all its rows, in the store's order, `failed` holds
    (id, reason) of rows that could not be understood; `total` is the store's count of the list.
    """

    rows: list[T]
    ids: list[str]
    failed: list[tuple[str, str]]
    total: int


class Api:
    """One store. Calls may run concurrently while its transport is open."""

    def __init__(self, http: StoreHttp) -> None:
        self._http = http

    @property
    def http(self) -> StoreHttp:
        """The transport, for its clock and counters."""
        return self._http

    async def list(self, path: str, query: Query, row: type[T]) -> Listing[T]:
        """One page of a list. Raises `StoreError`."""
        name = _NAMES.get(path) or path.replace("-", "_")

        def decode(answer: Answer) -> Listing[T]:
            require_success(answer)
            return listing(answer, name, row)

        return await self._http.request("GET", ROOT + path, query=query, decode=decode)

    async def get(self, path: str, kind: type[T], query: Query | None = None) -> T:
        """One answer, whole. Raises `RefusedRequest` that `is_gone` where there is no record."""
        return await self._http.request(
            "GET", ROOT + path, query=query, decode=_success_decoder(kind)
        )

    async def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        kind: type[T],
        *,
        query: Query | None = None,
        repeatable: bool = False,
    ) -> T:
        """Write. Repeated where it may have been applied only if it is `repeatable`."""
        return await self._http.request(
            method,
            ROOT + path,
            query=query,
            body=None if body is None else encoded(body),
            decode=_success_decoder(kind),
            repeatable=repeatable,
        )


def open_api(
    access: StoreAccess,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    sleep: Sleep = asyncio.sleep,
) -> Api:
    """The API of a store, from validated settings and credentials.

    `transport` and `sleep` are for tests: another way to the store, and waits that take no time.
    """
    settings, credentials = access.settings, access.credentials
    if not isinstance(settings, MedusaSettings):
        raise TypeError("settings of another platform")
    if not isinstance(credentials, MedusaCredentials):
        raise TypeError("credentials of another platform")
    return Api(
        StoreHttp(
            settings.url,
            # Medusa takes a secret key as a user's name; as a bearer's token it refuses it.
            auth=httpx.BasicAuth(credentials.api_key.get_secret_value(), ""),
            verify=settings.verify_tls,
            timeout=settings.timeout,
            is_refusal=is_refusal,
            budgets=access.budgets,
            transport=transport,
            sleep=sleep,
        )
    )


# --- pure: what an answer means ------------------------------------------------------------------


@cache
def decoder(kind: Hashable) -> msgspec.json.Decoder[Any]:
    """A decoder of a type. Amounts are read as decimals, never as floats."""
    return msgspec.json.Decoder(kind)


def _success_decoder(kind: type[T]) -> Any:
    def decode(answer: Answer) -> T:
        require_success(answer)
        value: T = decoder(cast("Hashable", kind)).decode(answer.body)
        return value

    return decode


def require_success(answer: Answer) -> None:
    """Raise `RefusedRequest` for a status from 400. Only words of our own choice are kept."""
    if answer.status < HTTPStatus.BAD_REQUEST:
        return
    request_id = request_ref(answer.headers)
    try:
        error = decoder(WireError).decode(answer.body)
    except msgspec.DecodeError:
        if answer.status == HTTPStatus.NOT_FOUND:
            # What is no address of this server is answered with a web page.
            raise RefusedRequest(answer.status, NO_ADDRESS, request_id=request_id) from None
        text = f"the store answers {answer.status} without saying why"
        raise Rejected(text, request_id=request_id) from None
    taken = _TAKEN.search(error.message)
    raise RefusedRequest(
        answer.status,
        error.type if _CODE.fullmatch(error.type) else "unknown",
        taken.group(1) if taken else "",
        request_id=request_id,
    )


def is_refusal(body: bytes) -> bool:
    """Whether a 500 is Medusa's own word: it refuses a parent that is not there with that status. A
    server that broke down says `unknown_error`, or nothing readable.
    """
    try:
        error = decoder(WireError).decode(body)
    except msgspec.DecodeError:
        return False
    return bool(error.type == "invalid_argument")


class _Page(Struct):
    count: int


def listing(answer: Answer, name: str, row: type[T]) -> Listing[T]:
    """The rows that stand under `name`. One that has an unknown form spoils no other, but one
    without an id spoils the page.
    """
    found = decoder(dict[str, msgspec.Raw]).decode(answer.body)
    if name not in found:
        raise BadAnswer("the answer is no list of a Medusa store", code="store_not_medusa")
    total = decoder(_Page).decode(answer.body).count
    ids = [each.id for each in decoder(list[WireId]).decode(found[name])]
    try:
        rows = decoder(list[row]).decode(found[name])  # type: ignore[valid-type]
    except msgspec.ValidationError:
        rows, failed = _one_by_one(found[name], row)
        return Listing(rows, ids, failed, total)
    return Listing(rows, ids, [], total)


def _one_by_one(found: msgspec.Raw, row: type[T]) -> tuple[list[T], list[tuple[str, str]]]:
    decode_row = decoder(cast("Hashable", row)).decode
    rows, failed = [], []
    for raw in decoder(list[msgspec.Raw]).decode(found):
        try:
            rows.append(decode_row(raw))
        except msgspec.ValidationError as error:
            failed.append((decoder(WireId).decode(raw).id, str(error)))
    return rows, failed
