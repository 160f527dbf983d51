"""Files that a store keeps beside its API: what bulk operations write, and what imports read.

They have addresses that are signed by themselves: our token does not go there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import urlsplit

import httpx

from connectors.errors import BadAnswer, Unreachable
from connectors.permit import require_permit
from connectors.shopify.api import Api, decoder
from connectors.shopify.changing import change
from connectors.shopify.documents_redirects import STAGE
from connectors.shopify.settings import ShopifySettings
from connectors.shopify.wire import Wire

T = TypeVar("T")
_ATTEMPTS = 3


class _Parameter(Wire):
    name: str
    value: str


class _Place(Wire):
    """Where a file may be put. `resource_url` is its address for whoever is to read it."""

    url: str = ""
    resource_url: str = ""
    parameters: list[_Parameter] = []  # noqa: RUF012  msgspec copies it


class Files:
    """Fetches and puts files of one store."""

    def __init__(
        self,
        api: Api,
        settings: ShopifySettings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._api = api
        self._settings = settings
        self._transport = transport

    def client(self) -> httpx.AsyncClient:
        """A way to the files, for one of them."""
        return httpx.AsyncClient(
            timeout=self._settings.timeout,
            verify=self._settings.verify_tls,
            transport=self._transport,
        )

    async def patiently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """What one of a few attempts gives. Raises what the last one raises."""
        for number in range(1, _ATTEMPTS):
            try:
                return await attempt()
            except Unreachable:
                await self._api.http.pause(float(number))
        return await attempt()

    def require_safe(self, url: str) -> None:
        """A file goes over TLS, or to and from the store itself. Raises `BadAnswer`."""
        if urlsplit(url).scheme != "https" and not url.startswith(f"{self._settings.url}/"):
            raise BadAnswer("a file of the store has an unsafe address", code="store_bad_address")

    async def put_redirects(self, table: bytes) -> str:
        """Put a CSV of redirects where an import can read it; its address. Nothing comes of a file
        that nobody reads. Raises `BadAnswer` or `RefusedInput` where the store does not take it,
        and `StoreError`.
        """
        asked = {
            "resource": "URL_REDIRECT_IMPORT",
            "filename": "redirects.csv",
            "mimeType": "text/csv",
            "httpMethod": "POST",
        }
        answer = await change(self._api, STAGE, {"files": [asked]})
        places: list[_Place] = decoder(list[_Place] | None).decode(answer["stagedTargets"]) or []
        if len(places) != 1 or not places[0].url or not places[0].resource_url:
            raise BadAnswer("the store has no place for a file of redirects")
        [place] = places
        self.require_safe(place.url)
        await self.patiently(lambda: self._put(place, table))
        return place.resource_url

    async def _put(self, place: _Place, content: bytes) -> None:
        """One attempt: a form whose fields are the signature, and whose last one is the file."""
        fields = {each.name: each.value for each in place.parameters}
        file = {"file": ("redirects.csv", content, "text/csv")}
        require_permit()
        try:
            async with self.client() as client:
                response = await client.post(place.url, data=fields, files=file)
        except httpx.HTTPError:
            raise Unreachable("the file of redirects was cut off", code="store_cut_off") from None
        if response.is_server_error:
            raise Unreachable("the store does not take the file of redirects")
        if not response.is_success:
            raise BadAnswer(f"the store refuses the file of redirects ({response.status_code})")
