"""The source as the migration's mapping rules show it.

Whatever reads a source to compare it with what was applied (passes, audits, look-ups of single
records, checks, the verdict) sees the records as they are to be on the target.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from datetime import datetime
from functools import lru_cache
from typing import Self

from msgspec.structs import replace
from pydantic import ValidationError

from app.mapping.mapper import Mapper, MappingFailed
from app.mapping.rules import Rules
from connectors.abilities import TellsDeletions
from connectors.base import (
    Extent,
    Finding,
    Json,
    Marks,
    Page,
    Source,
    StoreReport,
    Sweep,
    Traffic,
    Unmapped,
)
from connectors.errors import BadAnswer
from connectors.records import Record, Stream


class MappingUnusable(RuntimeError):
    """Rules that cannot be carried out here: a function is not installed, or they are of
    another release.
    """


def mapper(version: int | None, rules: str | None) -> Mapper:
    """The rules of a version, from its JSON; without one, rules that change nothing.

    Raises `MappingUnusable`.
    """
    if version is None or rules is None:
        return Mapper()
    try:
        return _made(version, rules)
    except (ValidationError, LookupError, ImportError, AttributeError) as error:
        raise MappingUnusable(
            "the mapping rules cannot be used here: a function is not installed, or they are of"
            f" another release ({type(error).__name__})"
        ) from error


@lru_cache(maxsize=32)
def _made(version: int, rules: str) -> Mapper:
    return Mapper.of(version, Rules.model_validate_json(rules))


def mapping(source: Source, rules: Mapper) -> Source:
    """A source as these rules show it."""
    if not rules.rules:
        return source
    if isinstance(source, TellsDeletions):
        return MappedTellingSource(source, source, rules)
    return MappedSource(source, rules)


def unmapped(source: Source) -> Source:
    """The source as it is itself."""
    return source.inner if isinstance(source, MappedSource) else source


def map_each(
    rules: Mapper, stream: Stream, records: Iterable[Record]
) -> tuple[list[Record], list[Unmapped]]:
    """Records as the rules want them, and those that they fail on."""
    if not rules.changes(stream):
        return list(records), []
    made, failed = [], []
    for record in records:
        try:
            made.append(rules.mapped(record))
        except MappingFailed as error:
            failed.append(Unmapped(record, str(error), rules.failure_digest(record)))
    return made, failed


class MappedSource:
    """A source between its connector and the engine. Ids, stamps and counts are the store's own."""

    def __init__(self, inner: Source, rules: Mapper) -> None:
        self.inner = inner
        self._rules = rules

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Whoever opened the store closes it."""

    def traffic(self) -> Traffic:
        """As the store's."""
        return self.inner.traffic()

    async def check(self) -> StoreReport:
        """As the store's."""
        return await self.inner.check()

    async def server_time(self) -> datetime:
        """As the store's."""
        return await self.inner.server_time()

    async def count(self, stream: Stream, extent: Extent) -> int | None:
        """As the store's."""
        return await self.inner.count(stream, extent)

    async def split(self, stream: Stream, extent: Extent, parts: int) -> list[Json]:
        """As the store's."""
        return await self.inner.split(stream, extent, parts)

    async def read(
        self, stream: Stream, extent: Extent, part: Json, resume: Json | None
    ) -> AsyncGenerator[Page, None]:
        """Pages of mapped records; those that the rules fail on are apart."""
        async with aclosing(self.inner.read(stream, extent, part, resume)) as pages:
            async for page in pages:
                records, failed = map_each(self._rules, stream, page.records)
                yield replace(page, records=tuple(records), unmapped=tuple(failed))

    def enumerate(
        self, stream: Stream, extent: Sweep, part: Json, resume: Json | None
    ) -> AsyncGenerator[Marks, None]:
        """As the store's."""
        return self.inner.enumerate(stream, extent, part, resume)

    async def probe(self, stream: Stream) -> tuple[Finding, ...]:
        """As the store's."""
        return await self.inner.probe(stream)

    async def get(self, stream: Stream, ids: Sequence[str]) -> dict[str, Record]:
        """Mapped records. One that the rules fail on is there, and cannot be understood."""
        found = await self.inner.get(stream, ids)
        records, failed = map_each(self._rules, stream, found.values())
        if failed:
            raise BadAnswer(failed[0].reason, code="record_unmappable")
        return {each.id: each for each in records}


class MappedTellingSource(MappedSource):
    """The same, where the store says what was deleted."""

    def __init__(self, inner: Source, telling: TellsDeletions, rules: Mapper) -> None:
        super().__init__(inner, rules)
        self._telling = telling

    async def deleted(self, stream: Stream, since: datetime) -> frozenset[str]:
        """As the store's."""
        return await self._telling.deleted(stream, since)
