"""Single records of a store, asked for by their ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from app.mapping.mapped import map_each, unmapped
from connectors.base import Json, Page, Source, Target, Unmapped
from connectors.errors import BadAnswer
from connectors.records import Record, Stream
from workers.engine.run import Run

_UNMAPPABLE = "record_unmappable"

Failed = tuple[str, str]
"""Id and reason of a record that cannot be understood."""


class Fetched(NamedTuple):
    """What came of asking: records by id, those that cannot be understood, and those of which the
    mapping rules make no valid record.
    """

    records: dict[str, Record]
    failed: list[Failed]
    unmapped: list[Unmapped]

    @property
    def ids(self) -> set[str]:
        """All that are there."""
        return {
            *self.records,
            *(each for each, _ in self.failed),
            *(each.record.id for each in self.unmapped),
        }

    def page(self, resume: Json | None = None) -> Page:
        """As a page of a read."""
        return Page(
            records=tuple(self.records.values()),
            resume=resume,
            failed=tuple(self.failed),
            unmapped=tuple(self.unmapped),
        )


async def fetch(run: Run, stream: Stream, ids: Sequence[str]) -> Fetched:
    """Those that the source has; one that cannot be used does not hold others up.

    Raises `StoreError`.
    """
    read, failed = await readable(unmapped(run.source), stream, ids)
    records, refused = map_each(run.scope.mapper, stream, read.values())
    return Fetched({each.id: each for each in records}, failed, refused)


async def readable(
    store: Source | Target, stream: Stream, ids: Sequence[str]
) -> tuple[dict[str, Record], list[Failed]]:
    """Those that a store has, by id, as it shows them; one that cannot be understood does not hold
    others up. Raises `StoreError`.
    """
    if not ids:
        return {}, []
    try:
        return await store.get(stream, ids), []
    except BadAnswer as error:
        if error.code != _UNMAPPABLE:
            raise
        if len(ids) == 1:
            return {}, [(ids[0], error.message)]
    middle = len(ids) // 2
    found, failed = await readable(store, stream, ids[:middle])
    more, worse = await readable(store, stream, ids[middle:])
    return found | more, failed + worse
