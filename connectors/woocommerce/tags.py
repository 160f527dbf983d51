"""Product tags: products name them by the target's ids, so that they must exist first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from connectors.errors import Rejected
from connectors.woocommerce.api import Api, RefusedRequest, decoder
from connectors.woocommerce.batches import send_batch
from connectors.woocommerce.lists import BY_ID
from connectors.woocommerce.reading import everything
from connectors.woocommerce.wire import WireRef

_PATH = "products/tags"
_AT_ONCE = 100


class Tags:
    """The target's tags by name; read once, missing ones are made."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._ids: dict[str, int] = {}
        self._known = False
        self._lock = asyncio.Lock()

    async def ids(self, names: Iterable[str]) -> Mapping[str, int]:
        """Ids of these tags. A tag that the target refuses is missing from the answer.

        Raises `StoreError`.
        """
        wanted = sorted(set(names))
        if not wanted:
            return {}
        async with self._lock:
            try:
                await self._complete(wanted)
            except Rejected:
                # A store without tags, or a key that may not touch them.
                return {}
        return {name: self._ids[name] for name in wanted if name in self._ids}

    async def _complete(self, wanted: list[str]) -> None:
        if not self._known:
            await self._read()
        missing = [name for name in wanted if name not in self._ids]
        for start in range(0, len(missing), _AT_ONCE):
            await self._make(missing[start : start + _AT_ONCE])

    async def _read(self) -> None:
        async def fetch(offset: int, size: int) -> Any:
            asked = BY_ID | {"offset": offset, "per_page": size}
            return await self._api.list(_PATH, asked, WireRef)

        rows: list[WireRef] = await everything(fetch)
        self._ids = {row.name: row.id for row in rows}
        self._known = True

    async def _make(self, names: list[str]) -> None:
        batch = await send_batch(self._api, _PATH, create=[{"name": name} for name in names])
        for name, item in zip(names, batch.created, strict=True):
            if not isinstance(item, RefusedRequest):
                self._ids[name] = decoder(WireRef).decode(item).id
            elif item.resource_id is not None:
                self._ids[name] = item.resource_id
