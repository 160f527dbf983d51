"""OAuth 1.0a, as WooCommerce wants it over plain http: in the query, without a token."""

from __future__ import annotations

from collections.abc import Generator
from typing import Literal, cast

import httpx
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, SIGNATURE_TYPE_QUERY, Client


class OAuth1(httpx.Auth):
    """Signs each request anew, with its own nonce and time.

    The signature stands in the query, because many servers keep the `Authorization` header from
    PHP. Bodies are JSON and, by the standard, not part of what is signed.
    """

    def __init__(self, consumer_key: str, consumer_secret: str) -> None:
        self._client = Client(
            consumer_key,
            client_secret=consumer_secret,
            signature_method=SIGNATURE_HMAC_SHA256,
            signature_type=SIGNATURE_TYPE_QUERY,
        )

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Exchange the request's address for a signed one."""
        method = cast("Literal['GET', 'POST', 'PUT', 'DELETE']", request.method)
        signed, _, _ = self._client.sign(str(request.url), http_method=method)
        request.url = httpx.URL(signed)
        yield request
