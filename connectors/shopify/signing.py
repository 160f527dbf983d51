"""How requests are signed: by an access token that is given, or by one that is fetched."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from http import HTTPStatus

import httpx
import msgspec
from msgspec import Struct

HEADER = "X-Shopify-Access-Token"
_EARLY = 300.0
"""Seconds before its end at which a token is given up."""

_DAY = 86_399.0
_PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)


class _Granted(Struct):
    access_token: str
    expires_in: float = _DAY


_decode = msgspec.json.Decoder(_Granted).decode


class AccessToken(httpx.Auth):
    """A token that somebody gave us."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sign the request."""
        request.headers[HEADER] = self._token
        yield request


class ClientCredentials(httpx.Auth):
    """A token that the store gives to an app it knows (OAuth's client credentials grant).

    It is fetched before the first request, before it ends, and once more where the store does not
    accept it any longer. Requests that need one meanwhile wait for it.
    """

    def __init__(self, base: str, client_id: str, client_secret: str) -> None:
        self._address = f"{base}/admin/oauth/access_token"
        self._client = {"client_id": client_id, "client_secret": client_secret}
        self._token = ""
        self._until = 0.0
        self._fetching = asyncio.Lock()

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Fetch a token where there is none, sign the request, and try a new token once."""
        used = ""
        for _ in range(2):
            async with self._fetching:
                if self._token in ("", used) or time.monotonic() > self._until:
                    answer = yield self._grant()
                    if answer.status_code in _PASSING or answer.is_server_error:
                        return
                    if not self._take(answer.status_code, await answer.aread()):
                        # What a request without a token is answered is what we answer.
                        yield request
                        return
                used = self._token
            request.headers[HEADER] = used
            response = yield request
            if response.status_code != HTTPStatus.UNAUTHORIZED:
                return

    def _grant(self) -> httpx.Request:
        fields = {**self._client, "grant_type": "client_credentials"}
        return httpx.Request("POST", self._address, data=fields)

    def _take(self, status: int, body: bytes) -> bool:
        try:
            granted = _decode(body)
        except msgspec.DecodeError:
            return False
        if status != HTTPStatus.OK:
            return False
        self._token = granted.access_token
        self._until = time.monotonic() + max(0.0, granted.expires_in - _EARLY)
        return True
