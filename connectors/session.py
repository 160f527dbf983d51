"""What every source and target over HTTP does alike: open, close, count requests, read a clock."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from connectors.base import Traffic
from connectors.errors import BadAnswer
from connectors.http import StoreHttp


class Session:
    """One store's HTTP side as a context manager."""

    def __init__(self, http: StoreHttp) -> None:
        self._http = http

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._http.__aexit__(*exc)

    def traffic(self) -> Traffic:
        """Requests sent since the store was opened, and how many it refused for now."""
        return Traffic(self._http.stats.requests, self._http.stats.throttled)

    def last_date(self) -> datetime:
        """The `Date` header of the last answer: whole seconds, never ahead of the store's clock.

        Raises `BadAnswer` where the store sends none.
        """
        found = self._http.server_date
        if found is None:
            raise BadAnswer("the store does not say what time it is", code="store_no_clock")
        return found
