"""WooCommerce's REST API, version 3: addresses, lists and refusals. All input and output of the
connector passes through `Api`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Hashable, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any, Generic, Self, TypeVar, cast

import httpx
import msgspec
from msgspec import Struct

from connectors.base import StoreAccess
from connectors.errors import BadAnswer, Rejected, request_ref
from connectors.http import Answer, Query, Sleep, Stats, StoreHttp
from connectors.woocommerce.oauth import OAuth1
from connectors.woocommerce.settings import WooCommerceCredentials, WooCommerceSettings
from connectors.woocommerce.wire import WireError, WireId

T = TypeVar("T")

ROOT = "/wp-json/wc/v3/"
BATCH_LIMIT = 100
MARK = {"X-Recent-Sync": "import"}
_GONE = ("_invalid_id", "_term_invalid")
_CODE = re.compile(r"[A-Za-z0-9_-]{1,80}")
_encode = msgspec.json.Encoder(decimal_format="string").encode


class RefusedRequest(Rejected):
    """The REST API refuses a request. `platform_code` is WooCommerce's own word for it;
    `resource_id` the record that stands in the way, where it names one.
    """

    def __init__(
        self,
        status: int,
        platform_code: str,
        resource_id: int | None = None,
        *,
        request_id: str | None = None,
    ) -> None:
        super().__init__(
            f"the store refuses the request: {platform_code} ({status})",
            code="not_found" if status == HTTPStatus.NOT_FOUND else "store_rejected",
            request_id=request_id,
        )
        self.status = status
        self.platform_code = platform_code
        self.resource_id = resource_id


class Listing(Struct, Generic[T]):
    """One page of a list. `total` is the store's count of the whole list, where it says one;
    `failed` holds (id, reason) of rows that could not be understood.
    """

    rows: list[T]
    failed: list[tuple[int, str]]
    total: int | None


class Api:
    """One store. Use as an async context manager; calls may run concurrently."""

    def __init__(self, http: StoreHttp, root: str = ROOT) -> None:
        self._http = http
        self._root = root

    def below(self, root: str) -> Api:
        """The same store's addresses below another root. It is opened and closed with this one."""
        return Api(self._http, root)

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._http.__aexit__(*exc)

    @property
    def http(self) -> StoreHttp:
        """The transport, for its clock and counters."""
        return self._http

    @property
    def stats(self) -> Stats:
        """Requests made, throttled and repeated so far."""
        return self._http.stats

    async def list(
        self, path: str, query: Query, row: type[T], *, signed: bool = True
    ) -> Listing[T]:
        """One page of a list, with our key or as anybody. Raises `StoreError`."""

        def decode(answer: Answer) -> Listing[T]:
            require_success(answer)
            return listing(answer, row)

        return await self._http.request(
            "GET", self._root + path, query=query, decode=decode, signed=signed
        )

    async def get(self, path: str, kind: type[T], query: Query | None = None) -> T:
        """One record. Raises `RefusedRequest` with status 404 where there is none."""
        return await self._http.request(
            "GET", self._root + path, query=query, decode=_success_decoder(kind)
        )

    async def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any],
        kind: type[T],
        *,
        repeatable: bool = False,
    ) -> T:
        """Write. Repeated where it may have been applied only if it is `repeatable`."""
        return await self._http.request(
            method,
            self._root + path,
            body=_encode(body),
            decode=_success_decoder(kind),
            repeatable=repeatable,
        )

    async def post_batch(
        self, path: str, body: Mapping[str, Any], kind: type[T]
    ) -> tuple[T, str | None]:
        """Write many. Answers also with the store's own name for the request: items are refused
        in an answer of status 200.
        """

        def decode(answer: Answer) -> tuple[T, str | None]:
            return _success_decoder(kind)(answer), request_ref(answer.headers)

        return await self._http.request(
            "POST", self._root + path, body=_encode(body), decode=decode
        )

    async def delete(self, path: str, *, force: bool) -> None:
        """Move to the trash, or with `force` delete for good. What is there already is done."""

        def decode(answer: Answer) -> None:
            if answer.status == HTTPStatus.GONE:
                return
            try:
                require_success(answer)
            except RefusedRequest as error:
                if not (force and says_gone(error)):
                    raise

        await self._http.request(
            "DELETE",
            self._root + path,
            query={"force": "true" if force else "false"},
            decode=decode,
            repeatable=True,
        )

    async def index(self) -> dict[str, Any]:
        """What WordPress says of itself to anybody, without credentials."""
        return await self._http.request("GET", "/wp-json/", decode=_index, signed=False)


def open_api(
    access: StoreAccess,
    *,
    imports: bool = False,
    transport: httpx.AsyncBaseTransport | None = None,
    sleep: Sleep = asyncio.sleep,
) -> Api:
    """The API of a store, from validated settings and credentials.

    `imports`: every request carries the mark by which the store's add-on knows that nobody is to
    be disturbed. Without the add-on it means nothing.
    `transport` and `sleep` are for tests: another way to the store, and waits that take no time.
    """
    settings, credentials = access.settings, access.credentials
    if not isinstance(settings, WooCommerceSettings):
        raise TypeError("settings of another platform")
    if not isinstance(credentials, WooCommerceCredentials):
        raise TypeError("credentials of another platform")
    key = credentials.consumer_key.get_secret_value()
    secret = credentials.consumer_secret.get_secret_value()
    auth = OAuth1(key, secret) if settings.signs_by_oauth else httpx.BasicAuth(key, secret)
    return Api(
        StoreHttp(
            settings.url,
            auth=auth,
            headers=_headers(settings, imports=imports),
            verify=settings.verify_tls,
            timeout=settings.timeout,
            is_refusal=is_refusal,
            budgets=access.budgets,
            transport=transport,
            sleep=sleep,
        )
    )


def _headers(settings: WooCommerceSettings, *, imports: bool) -> dict[str, str]:
    return proxy_headers(settings) | (MARK if imports else {})


def proxy_headers(settings: WooCommerceSettings) -> dict[str, str]:
    """What a proxy before the store would say of a visitor who came by https."""
    return {"X-Forwarded-Proto": "https"} if settings.behind_https_proxy else {}


# --- pure: what an answer means ------------------------------------------------------------------


@cache
def decoder(kind: Hashable) -> msgspec.json.Decoder[Any]:
    """A tolerant decoder: PHP says "5" for 5."""
    return msgspec.json.Decoder(kind, strict=False)


def _success_decoder(kind: type[T]) -> Any:
    def decode(answer: Answer) -> T:
        require_success(answer)
        value: T = decoder(cast("Hashable", kind)).decode(answer.body)
        return value

    return decode


def _index(answer: Answer) -> dict[str, Any]:
    if answer.status == HTTPStatus.NOT_FOUND:
        raise BadAnswer("there is no WordPress at this address", code="store_not_woocommerce")
    found: dict[str, Any] = _success_decoder(dict[str, Any])(answer)
    return found


def require_success(answer: Answer) -> None:
    """Raise `RefusedRequest` for a status from 400. Only codes of the answer are kept."""
    if answer.status < HTTPStatus.BAD_REQUEST:
        return
    try:
        error = decoder(WireError).decode(answer.body)
    except msgspec.DecodeError:
        text = f"the store answers {answer.status} without saying why"
        if answer.status == HTTPStatus.NOT_FOUND:
            raise BadAnswer(text, code="store_not_woocommerce") from None
        raise Rejected(text, request_id=request_ref(answer.headers)) from None
    raise refusal(error, answer.status, request_id=request_ref(answer.headers))


def is_refusal(body: bytes) -> bool:
    """Whether a 500 is WooCommerce's own word: it refuses some requests, refunds among them, with
    that status. A program that broke down says `internal_server_error`, or nothing readable.
    """
    try:
        error = decoder(WireError).decode(body)
    except msgspec.DecodeError:
        return False
    return str(error.code).startswith("woocommerce_rest_")


def refusal(error: WireError, status: int = 0, *, request_id: str | None = None) -> RefusedRequest:
    """An error of the REST API as an exception, from an answer or from an item of a batch."""
    data = error.data if isinstance(error.data, dict) else {}
    found = data.get("status")
    code = str(error.code)
    holder = data.get("resource_id")
    return RefusedRequest(
        status or (found if isinstance(found, int) else HTTPStatus.BAD_REQUEST),
        code if _CODE.fullmatch(code) else "unknown",
        holder if isinstance(holder, int) else None,
        request_id=request_id,
    )


def says_gone(error: RefusedRequest) -> bool:
    """Whether a refusal says that there is no such record, and not merely no such address."""
    return error.platform_code.endswith(_GONE)


def listing(answer: Answer, row: type[T]) -> Listing[T]:
    """A page's rows. A row that has an unknown form is kept apart and spoils no other."""
    total = answer.headers.get("x-wp-total", "")
    count = int(total) if total.isdecimal() else None
    try:
        return Listing(decoder(list[row]).decode(answer.body), [], count)  # type: ignore[valid-type]
    except msgspec.ValidationError:
        decode_row = decoder(cast("Hashable", row)).decode
        rows, failed = [], []
        for raw in decoder(list[msgspec.Raw]).decode(answer.body):
            try:
                rows.append(decode_row(raw))
            except msgspec.ValidationError as error:
                failed.append((_id(raw), str(error)))
        return Listing(rows, failed, count)


def _id(raw: msgspec.Raw) -> int:
    try:
        found: int = decoder(WireId).decode(raw).id
    except msgspec.ValidationError:
        raise BadAnswer("the store lists something that has no id") from None
    return found
