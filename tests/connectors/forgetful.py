"""A way to a practice store on which a filter by date gets lost, once."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from connectors.testing.faults import unfiltered


class Forgetful(httpx.AsyncBaseTransport):
    """Passes requests on. While `armed`, the next one that names a moment arrives without it, and
    with `headers` that let it in: its own signature fits no more.
    """

    def __init__(
        self, inner: httpx.AsyncBaseTransport, headers: Mapping[str, str] | None = None
    ) -> None:
        self._inner = inner
        self._headers = headers or {}
        self.armed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        asked = request.url.raw_path.decode(), request.content
        if self.armed and (left := unfiltered(*asked)) != asked:
            self.armed = False
            target, body = left
            headers = {k: v for k, v in request.headers.items() if k != "content-length"}
            headers |= self._headers
            url = request.url.copy_with(raw_path=target.encode())
            request = httpx.Request(request.method, url, headers=headers, content=body)
        return await self._inner.handle_async_request(request)
