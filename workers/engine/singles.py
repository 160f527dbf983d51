"""Single records of a store, asked for by their ids."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.base import Source, Target
from connectors.errors import BadAnswer
from connectors.records import Record, Stream
from workers.engine.run import Run

_UNMAPPABLE = "record_unmappable"

Failed = tuple[str, str]
"""Id and reason of a record that cannot be understood."""


async def fetch(
    run: Run, stream: Stream, ids: Sequence[str]
) -> tuple[dict[str, Record], list[Failed]]:
    """As `readable`, of the source."""
    return await readable(run.source, stream, ids)


async def readable(
    store: Source | Target, stream: Stream, ids: Sequence[str]
) -> tuple[dict[str, Record], list[Failed]]:
    """Those that the store has, by id; one that cannot be understood does not hold others up.

    Raises `StoreError`.
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
