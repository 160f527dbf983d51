"""Vendure's Admin API over GraphQL: one address, one session, and what its answers mean.

All input and output of the connector passes through `Api`. Answers come with status 200 whether
they are good or not, those that tell us to sign in included.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Hashable, Mapping
from datetime import datetime
from functools import cache
from http import HTTPStatus
from typing import Any, NamedTuple, Self, TypeVar, cast

import httpx
import msgspec
from msgspec import Raw, Struct

from connectors.answers import Again, Answer, Failure
from connectors.base import StoreAccess
from connectors.errors import BadAnswer, Rejected, SignInAgain, Unreachable
from connectors.http import Sleep, Stats, StoreHttp
from connectors.vendure.settings import VendureCredentials, VendureSettings

T = TypeVar("T")
Variables = Mapping[str, Any]

SILENT = {"recent-sync-silent": "1"}
"""The header that asks the add-on to keep back news of what we write."""

_TOKEN = "vendure-auth-token"  # noqa: S105  the name of a header
_API_KEY = "vendure-api-key"
_CHANNEL = "vendure-token"
_IDLE = 3.0
"""Seconds: Node closes a connection that was idle for five, and a request may cross that."""

_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,60}")
_TAKEN = re.compile(r"duplicate key value|UNIQUE constraint|Duplicate entry", re.IGNORECASE)
_WRONG = re.compile(r"violates|value too long|out of range|invalid input", re.IGNORECASE)
"""Words of the database behind a store that finds fault with what it was given."""

_encode = msgspec.json.Encoder(decimal_format="number").encode


class Document(NamedTuple):
    """A GraphQL document; `repeatable` says that it may be sent twice."""

    text: str
    repeatable: bool = True

    @property
    def changes(self) -> bool:
        """Whether it changes the store."""
        return self.text.startswith("mutation")


class GoneError(Rejected):
    """The record to change is not there."""


class TakenError(Rejected):
    """Another record has a value that has to be unique."""


class WorkedOnError(Rejected):
    """The order is the staff's: they have edited, paid or sent it."""


class NoSuchFieldError(Rejected):
    """The store's schema lacks a field that was asked for."""


class _Extensions(Struct):
    code: str | None = None


class _Error(Struct):
    message: str = ""
    path: list[str | int] | None = None
    extensions: _Extensions | None = None

    @property
    def code(self) -> str:
        found = self.extensions.code if self.extensions else None
        return found if found and _CODE.fullmatch(found) else "unknown"

    @property
    def is_taken(self) -> bool:
        return bool(_TAKEN.search(self.message))

    @property
    def is_failure(self) -> bool:
        """Whether the store failed, and did not find fault with what it was given. What its
        database says comes without a code.
        """
        found = self.code in ("INTERNAL_SERVER_ERROR", "unknown")
        return found and not (self.is_taken or _WRONG.search(self.message))


class _Envelope(Struct):
    data: Raw = Raw()
    errors: list[_Error] | None = None


class _User(Struct):
    typename: str = msgspec.field(name="__typename", default="")


class _SignedIn(Struct):
    login: _User


_decode_envelope = msgspec.json.Decoder(_Envelope, strict=False).decode
_LOGIN = (
    "mutation SignIn($username: String!, $password: String!) "
    "{ login(username: $username, password: $password) { __typename } }"
)


class _Session(httpx.Auth):
    """Signs requests with the token of a session, or with an API key."""

    def __init__(self, channel: str, api_key: str) -> None:
        self._channel = channel
        self._api_key = api_key
        self.token = ""

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sign the request."""
        if self._channel:
            request.headers[_CHANNEL] = self._channel
        if self._api_key:
            request.headers[_API_KEY] = self._api_key
        elif self.token:
            request.headers["Authorization"] = f"Bearer {self.token}"
        yield request


class Api:
    """One store. Use as an async context manager; calls may run concurrently."""

    def __init__(self, http: StoreHttp, session: _Session, login: Variables | None) -> None:
        self._http = http
        self._session = session
        self._login = login
        self._signing_in = asyncio.Lock()

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

    @property
    def now(self) -> datetime | None:
        """The store's clock, None before the first answer."""
        return self._http.server_now

    @property
    def signs_in(self) -> bool:
        """Whether this opens a session, as a person does."""
        return self._login is not None

    async def ask(self, document: Document, kind: type[T], variables: Variables | None = None) -> T:
        """Send a document; its `data`, decoded. Raises `StoreError`.

        A session that has ended is renewed once: what the store forbids, it did not do.
        """
        used = await self._token("")
        try:
            return await self._send(document, kind, variables)
        except SignInAgain:
            if self._login is None or await self._token(used) == used:
                raise
        return await self._send(document, kind, variables)

    async def _send(self, document: Document, kind: type[T], variables: Variables | None) -> T:
        def decode(answer: Answer) -> T:
            found: T = decoder(cast("Hashable", kind)).decode(
                opened(answer, changes=document.changes)
            )
            return found

        return await self._http.request(
            "POST",
            "",
            body=_encode({"query": document.text, "variables": variables or {}}),
            decode=decode,
            repeatable=document.repeatable,
        )

    async def _token(self, used: str) -> str:
        """The session's token; another one than `used` where that is possible."""
        if self._login is None:
            return ""
        async with self._signing_in:
            if self._session.token in ("", used):
                self._session.token = await self._http.request(
                    "POST",
                    "",
                    body=_encode({"query": _LOGIN, "variables": self._login}),
                    decode=_signed_in,
                    repeatable=True,
                    signed=False,
                )
            return self._session.token


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
    if not isinstance(settings, VendureSettings):
        raise TypeError("settings of another platform")
    if not isinstance(credentials, VendureCredentials):
        raise TypeError("credentials of another platform")
    api_key, login = _way_in(credentials)
    session = _Session(settings.channel, api_key)
    http = StoreHttp(
        settings.url,
        auth=session,
        headers=SILENT,
        verify=settings.verify_tls,
        timeout=settings.timeout,
        idle=_IDLE,
        judge=judge,
        budgets=access.budgets,
        transport=transport,
        sleep=sleep,
    )
    return Api(http, session, login)


def _way_in(credentials: VendureCredentials) -> tuple[str, Variables | None]:
    """An API key, or what the store is told to sign in."""
    if credentials.api_key is not None:
        return credentials.api_key.get_secret_value(), None
    if credentials.username is None or credentials.password is None:
        raise TypeError("credentials without a way to sign in")
    return "", {
        "username": credentials.username.get_secret_value(),
        "password": credentials.password.get_secret_value(),
    }


# --- pure: what an answer means ------------------------------------------------------------------


@cache
def decoder(kind: Hashable) -> msgspec.json.Decoder[Any]:
    """A tolerant decoder: ids come as text or as numbers."""
    return msgspec.json.Decoder(kind, strict=False)


def judge(answer: Answer) -> Failure | None:
    """A failure in passing that comes with a good status: the server broke."""
    try:
        envelope = _decode_envelope(answer.body)
    except msgspec.DecodeError:
        return None
    if not any(each.is_failure for each in envelope.errors or []):
        return None
    broken = Unreachable("the store failed to answer", code="store_server_error")
    return Failure(broken, Again.REPEATABLE)


def opened(answer: Answer, *, changes: bool) -> Raw:
    """The data of a good answer. Raises `StoreError` for every other. `changes`: a change was asked
    for, and what is said of parts of its answer says that it happened.
    """
    if answer.status == HTTPStatus.NOT_FOUND:
        raise BadAnswer("there is no Vendure store at this address", code="store_not_vendure")
    envelope = _decode_envelope(answer.body)
    if envelope.errors:
        if changes and any(len(each.path or ()) > 1 for each in envelope.errors):
            raise BadAnswer("the store shows only in part what it changed")
        _raise_for(envelope.errors)
    if bytes(envelope.data) in (b"", b"null"):
        raise BadAnswer("the store answers without data")
    return envelope.data


def _raise_for(errors: list[_Error]) -> None:
    """Names of codes and fields go into messages; the store's own words may hold personal data."""
    codes = {each.code for each in errors}
    if "FORBIDDEN" in codes:
        raise SignInAgain(f"the store forbids {_places(errors)}", code="store_access_denied")
    if any(each.is_taken for each in errors):
        raise TakenError("another record has the same key or number", code="taken")
    if "ENTITY_NOT_FOUND" in codes:
        raise GoneError("the record is not there any more", code="gone")
    if "ORDER_WORKED_ON" in codes:
        raise WorkedOnError(
            "people of the target have edited, paid or sent this order: it is theirs",
            code="order_worked_on",
        )
    if "GRAPHQL_VALIDATION_FAILED" in codes:
        raise NoSuchFieldError(
            "the store's schema lacks what was asked for", code="store_lacks_field"
        )
    raise Rejected(
        f"the store refuses {_places(errors)}: {', '.join(sorted(codes))}", code="store_rejected"
    )


def _places(errors: list[_Error]) -> str:
    names = {str(each.path[0]) for each in errors if each.path and isinstance(each.path[0], str)}
    return ", ".join(sorted(names)) or "the request"


def _signed_in(answer: Answer) -> str:
    """The token of a new session. Raises `SignInAgain` where the store does not know us."""
    found: _SignedIn = decoder(_SignedIn).decode(opened(answer, changes=True))
    token = answer.headers.get(_TOKEN, "")
    if found.login.typename != "CurrentUser":
        raise SignInAgain("the store does not accept the user name and password")
    if not token:
        raise SignInAgain(
            "the store gives no token: its tokenMethod has to include bearer", code="store_no_token"
        )
    return str(token)
