"""Single records of a store by their ids, for source and target alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.errors import BadAnswer
from connectors.records import Record, Stream
from connectors.vendure.loading import Loader
from connectors.vendure.parts import is_id

_PAGE = 100


class SingleRecords:
    """Looks records up by id. Raises `StoreError`."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    async def get(self, stream: Stream, ids: Sequence[str]) -> dict[str, Record]:
        """Those that are there. One that cannot be understood raises `BadAnswer`."""
        asked = list(dict.fromkeys(ids))
        found: dict[str, Record] = {}
        for start in range(0, len(asked), _PAGE):
            some = asked[start : start + _PAGE]
            rows = await (
                self._levels(some)
                if stream is Stream.INVENTORY
                else self._loader.by_ids(stream, some)
            )
            records, failed = await self._loader.load(stream, rows)
            for record_id, reason in failed:
                raise BadAnswer(f"record {record_id}: {reason}", code="record_unmappable")
            found |= {each.id: each for each in records if each.id in some}
        return found

    async def _levels(self, ids: Sequence[str]) -> list[Any]:
        """Stock by the id of a product, or of a product and its variant."""
        products = [each.partition(":")[0] for each in ids]
        wanted = sorted({each for each in products if is_id(each)})
        if not wanted:
            return []
        return await self._loader.rows(Stream.INVENTORY, "productId", wanted)
