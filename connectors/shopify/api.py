"""Shopify's Admin API over GraphQL: one address, one version, and what its answers mean.

All input and output of the connector passes through `Api`, but for files (`shopify.files`).
Answers come with status 200 whether they are good or not: errors beside data, partial data, a
version that nobody asked for and a search that was not understood are all failures here.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Hashable, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any, NamedTuple, Self, TypeVar, cast

import httpx
import msgspec
from msgspec import Raw, Struct, field

from connectors.answers import Again, Answer, Failure
from connectors.base import StoreAccess
from connectors.errors import BadAnswer, Rejected, SignInAgain, Unreachable, request_ref
from connectors.http import Patience, Sleep, Stats, StoreHttp
from connectors.readings import graphql_cost
from connectors.shopify.settings import ShopifyCredentials, ShopifySettings
from connectors.shopify.signing import AccessToken, ClientCredentials

T = TypeVar("T")
Variables = Mapping[str, Any]

VERSION_HEADER = "x-shopify-api-version"
DENIED = "store_access_denied"
"""The code of an error about something that the app may not read."""

_MAX_BYTES = 64 * 1024 * 1024
_REFILL = 45.0
"""Seconds: the costliest query there is takes ten of the smallest bucket's, and a few wait at once.
"""

_NAME = re.compile(r"[A-Za-z0-9_]{1,80}")
_encode = msgspec.json.Encoder(decimal_format="string").encode


class Document(NamedTuple):
    """A GraphQL document. `cost` is about what it costs, in points of the store's bucket;
    `repeatable` says that it may be sent twice.
    """

    text: str
    cost: float = 10.0
    repeatable: bool = True


class TooCostlyError(Rejected):
    """A query costs more than any single one may: ask for less at once. In points."""

    def __init__(self, cost: float, most: float, request_id: str | None) -> None:
        super().__init__(
            "the store finds the query too costly", code="query_too_costly", request_id=request_id
        )
        self.cost = cost
        self.most = most


class UserError(Struct):
    """What a mutation has against its input: which field, why, and Shopify's word for it."""

    message: str = ""
    field: list[str] | None = None
    code: str | None = None


# --- the envelope --------------------------------------------------------------------------------


class _Cost(Struct, rename="camel"):
    """What a query was reckoned to cost beforehand."""

    requested_query_cost: float | None = None


class _Warning(Struct):
    field: str | None = None


class _Search(Struct):
    warnings: list[_Warning] = field(default_factory=list)


class _Extensions(Struct):
    cost: _Cost | None = None
    search: list[_Search] = field(default_factory=list)


class _ErrorExtensions(Struct, rename="camel"):
    code: str | None = None
    cost: float | None = None
    max_cost: float | None = None


class _Error(Struct):
    path: list[str | int] | None = None
    extensions: _ErrorExtensions | None = None

    @property
    def code(self) -> str:
        found = self.extensions.code if self.extensions else None
        return found if found and _NAME.fullmatch(found) else "unknown"


class _Envelope(Struct):
    data: Raw = Raw()
    # A few refusals, of tokens above all, come as one text.
    errors: list[_Error] | str | None = None
    extensions: _Extensions | None = None

    @property
    def codes(self) -> set[str]:
        return {each.code for each in self.errors} if isinstance(self.errors, list) else set()


_decode_envelope = msgspec.json.Decoder(_Envelope, strict=False).decode


class Api:
    """One store. Use as an async context manager; calls may run concurrently."""

    def __init__(self, http: StoreHttp, version: str) -> None:
        self._http = http
        self._version = version
        self._path = f"/admin/api/{version}/graphql.json"
        self._costs: dict[tuple[str, int], float] = {}

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

    async def ask(self, document: Document, kind: type[T], variables: Variables | None = None) -> T:
        """Send a document; its `data`, decoded. Raises `StoreError`.

        What the store reckoned the last one of this size to cost is reserved in its budget.
        """
        given = variables or {}
        size = given.get("first") or len(given.get("ids", ()))
        kind_of = (document.text, size)

        def decode(answer: Answer) -> T:
            data, cost = opened(answer, self._version)
            if cost is not None:
                self._costs[kind_of] = cost
            found: T = decoder(cast("Hashable", kind)).decode(data)
            return found

        return await self._http.request(
            "POST",
            self._path,
            body=_encode({"query": document.text, "variables": given}),
            decode=decode,
            repeatable=document.repeatable,
            cost=self._costs.get(kind_of, document.cost),
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
    if not isinstance(settings, ShopifySettings):
        raise TypeError("settings of another platform")
    if not isinstance(credentials, ShopifyCredentials):
        raise TypeError("credentials of another platform")
    http = StoreHttp(
        settings.url,
        auth=_auth(settings, credentials),
        verify=settings.verify_tls,
        timeout=settings.timeout,
        judge=judge,
        budgets=access.budgets,
        cost_of=graphql_cost,
        max_bytes=_MAX_BYTES,
        patience=Patience(wait=_REFILL),
        transport=transport,
        sleep=sleep,
    )
    return Api(http, settings.api_version)


def _auth(settings: ShopifySettings, credentials: ShopifyCredentials) -> httpx.Auth:
    if credentials.access_token is not None:
        return AccessToken(credentials.access_token.get_secret_value())
    if credentials.client_id is None or credentials.client_secret is None:
        raise TypeError("credentials without a way to sign in")
    return ClientCredentials(
        settings.url,
        credentials.client_id.get_secret_value(),
        credentials.client_secret.get_secret_value(),
    )


# --- pure: what an answer means ------------------------------------------------------------------


@cache
def decoder(kind: Hashable) -> msgspec.json.Decoder[Any]:
    """A tolerant decoder: numbers of 64 bits come as text."""
    return msgspec.json.Decoder(kind, strict=False)


def judge(answer: Answer) -> Failure | None:
    """A failure in passing that comes with status 200: a server broke."""
    if answer.status != HTTPStatus.OK:
        return None
    try:
        envelope = _decode_envelope(answer.body)
    except msgspec.DecodeError:
        return None
    if not envelope.codes & {"INTERNAL_SERVER_ERROR", "TIMEOUT"}:
        return None
    broken = Unreachable("the store failed to answer (200)", code="store_server_error")
    return Failure(broken, Again.REPEATABLE)


def opened(answer: Answer, version: str) -> tuple[Raw, float | None]:
    """The data of a good answer, and what it was reckoned to cost. Raises `StoreError` for every
    other.
    """
    _require_status(answer)
    envelope = _decode_envelope(answer.body)
    found = answer.headers.get(VERSION_HEADER, "")
    request_id = request_ref(answer.headers)
    if found != version:
        shown = found if re.fullmatch(r"[0-9a-z-]{1,20}", found) else "of unknown name"
        raise BadAnswer(
            f"the store answers in API version {shown or 'of unknown name'}, not in {version}",
            code="store_api_version",
            request_id=request_id,
        )
    if envelope.errors:
        _raise_for(envelope, request_id)
    extensions = envelope.extensions or _Extensions()
    if any(each.warnings for each in extensions.search):
        # The filter fails open: the answer holds every record there is.
        raise BadAnswer(
            "the store does not understand what it was asked to look for",
            code="store_ignores_filter",
            request_id=request_id,
        )
    if bytes(envelope.data) in (b"", b"null"):
        raise BadAnswer("the store answers without data", request_id=request_id)
    return envelope.data, extensions.cost.requested_query_cost if extensions.cost else None


def _require_status(answer: Answer) -> None:
    if answer.status < HTTPStatus.BAD_REQUEST:
        return
    request_id = request_ref(answer.headers)
    if answer.status == HTTPStatus.NOT_FOUND:
        raise BadAnswer(
            "there is no Shopify store at this address",
            code="store_not_shopify",
            request_id=request_id,
        )
    if answer.status in (HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.LOCKED):
        raise Rejected("the store is closed", code="store_closed", request_id=request_id)
    raise Rejected(f"the store refuses the request ({answer.status})", request_id=request_id)


def _raise_for(envelope: _Envelope, request_id: str | None) -> None:
    errors = envelope.errors if isinstance(envelope.errors, list) else []
    for error in errors:
        if error.code == "ACCESS_DENIED":
            raise SignInAgain(
                f"the app may not use {_place(error)}",
                code=DENIED,
                request_id=request_id,
            )
        if error.code == "MAX_COST_EXCEEDED":
            more = error.extensions or _ErrorExtensions()
            raise TooCostlyError(more.cost or 0.0, more.max_cost or 0.0, request_id)
        if error.code == "SHOP_INACTIVE":
            raise Rejected("the store is closed", code="store_closed", request_id=request_id)
    codes = ", ".join(sorted(envelope.codes)) or "unknown"
    # Without data, be it null, nothing was executed at all.
    kind = BadAnswer if bytes(envelope.data) else Rejected
    raise kind(
        f"the store answers with an error: {codes}",
        code="store_graphql_error",
        request_id=request_id,
    )


def _place(error: _Error) -> str:
    """Where in the document an error is: names of fields only."""
    names = [each for each in error.path or () if isinstance(each, str) and _NAME.fullmatch(each)]
    return ".".join(names) or "what it asks for"
