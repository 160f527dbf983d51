"""Single records of one store, read in batches and kept for the checks that come after."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from connectors.base import Source, Target
from connectors.records import Record, Stream
from workers.engine.singles import readable

_KEPT = 5000
"""Records kept of each store. An order takes a few kilobytes."""

_BATCH = 100

Key = tuple[Stream, str]


class Records:
    """A store's records by stream and id. `failed` says why some cannot be understood."""

    def __init__(self, store: Source | Target, *, limit: int = _KEPT) -> None:
        self._store = store
        self._limit = limit
        self._kept: OrderedDict[Key, Record | None] = OrderedDict()
        self.failed: dict[Key, str] = {}

    async def get(self, stream: Stream, ids: Iterable[str]) -> dict[str, Record]:
        """What is there and can be understood, by id. Raises `StoreError`."""
        wanted = list(dict.fromkeys(ids))
        found = {each: self._kept[stream, each] for each in wanted if (stream, each) in self._kept}
        missing = [each for each in wanted if each not in found]
        for start in range(0, len(missing), _BATCH):
            batch = missing[start : start + _BATCH]
            records, failed = await readable(self._store, stream, batch)
            self.failed.update({(stream, each): reason for each, reason in failed})
            for each in batch:
                found[each] = records.get(each)
                self._keep((stream, each), records.get(each))
        return {each: record for each in wanted if (record := found[each]) is not None}

    def _keep(self, key: Key, record: Record | None) -> None:
        self._kept[key] = record
        if len(self._kept) > self._limit:
            self._kept.popitem(last=False)
