"""Reading a stream in full: every record once, from any place, in any number of parts."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from connectors.base import Extent, Json, Mark, Marks, Page, ReadCapability, Source, Sweep
from connectors.digest import digest
from connectors.records import Record, Stream
from connectors.testing.bench import SourceBench
from connectors.testing.promises import Contract, for_one_stream, for_streams


async def read(
    source: Source, stream: Stream, extent: Extent, part: Json | None = None
) -> list[Record]:
    """Every record of an extent, or of one part of it."""
    return [
        record
        async for page in source.read(stream, extent, part or {}, None)
        for record in page.records
    ]


async def marks_of(source: Source, stream: Stream) -> list[Mark]:
    """The marks of every record."""
    pages = source.enumerate(stream, Sweep(), {}, None)
    return [mark async for page in pages for mark in page.marks]


def ids_of(records: list[Record] | tuple[Record, ...]) -> set[str]:
    """The ids of some records."""
    return {record.id for record in records}


def travelled(token: Json | None) -> Json | None:
    """A token as the ledger gives it back: it was JSON in a table meanwhile."""
    back: Json | None = json.loads(json.dumps(token))
    assert back == token
    return back


def _is_shallow(capability: ReadCapability) -> bool:
    return capability.shallow


def _has_horizon(capability: ReadCapability) -> bool:
    return capability.horizon


class SweepContract(Contract):
    """Reading everything."""

    side = "reads"
    pytestmark = pytest.mark.asyncio

    @for_streams()
    async def test_a_sweep_gives_every_record_and_ends(
        self, bench: SourceBench, stream: Stream
    ) -> None:
        made = await bench.fill(stream, 23)
        async with bench.source() as source:
            pages = [page async for page in source.read(stream, Sweep(), {}, None)]
        seen = [record.id for page in pages for record in page.records]
        assert set(made) <= set(seen)
        assert len(seen) == len(set(seen))
        assert [page.resume is None for page in pages] == [False] * (len(pages) - 1) + [True]
        assert not any(page.failed for page in pages)

    @for_streams()
    async def test_an_empty_store_is_one_last_page(
        self, bench: SourceBench, stream: Stream
    ) -> None:
        async with bench.source() as source:
            pages = [page async for page in source.read(stream, Sweep(), {}, None)]
        assert pages
        assert pages[-1].resume is None

    @for_streams()
    async def test_reading_goes_on_behind_any_page(
        self, bench: SourceBench, stream: Stream
    ) -> None:
        await bench.fill(stream, 17)
        async with bench.source() as source:
            pages = [page async for page in source.read(stream, Sweep(), {}, None)]
            assert len(pages) > 1, "with one page nothing is shown: let the bench read small ones"
            for index, page in enumerate(pages[:-1]):
                rest = [
                    record.id
                    async for later in source.read(stream, Sweep(), {}, travelled(page.resume))
                    for record in later.records
                ]
                assert rest == [r.id for later in pages[index + 1 :] for r in later.records]

    @for_streams()
    async def test_parts_are_disjoint_and_together_everything(
        self, bench: SourceBench, stream: Stream
    ) -> None:
        await bench.fill(stream, 41)
        async with bench.source() as source:
            everything = await read(source, stream, Sweep())
            parts = await source.split(stream, Sweep(), 3)
            by_part = [await read(source, stream, Sweep(), travelled(part)) for part in parts]
        assert len(parts) >= 1
        assert sum(len(each) for each in by_part) == len(everything)
        assert set().union(*map(ids_of, by_part)) == ids_of(everything)

    @for_streams()
    async def test_a_second_look_shows_the_same_content(
        self, bench: SourceBench, stream: Stream
    ) -> None:
        await bench.fill(stream, 7)
        async with bench.source() as source:
            first = {r.id: digest(r.content) for r in await read(source, stream, Sweep())}
            await bench.pass_time(3)
            again = {r.id: digest(r.content) for r in await read(source, stream, Sweep())}
        assert first == again

    @for_streams()
    async def test_a_change_of_content_changes_the_digest(
        self, bench: SourceBench, stream: Stream
    ) -> None:
        made = await bench.fill(stream, 3)
        async with bench.source() as source:
            before = {r.id: digest(r.content) for r in await read(source, stream, Sweep())}
            await bench.pass_time(3)
            await bench.change(stream, made[:1])
            after = {r.id: digest(r.content) for r in await read(source, stream, Sweep())}
        assert {each for each in made if before[each] != after[each]} == {made[0]}

    @for_streams()
    async def test_times_are_aware(self, bench: SourceBench, stream: Stream) -> None:
        await bench.fill(stream, 3)
        async with bench.source() as source:
            records = await read(source, stream, Sweep())
            now = await source.server_time()
        assert all(r.stamp is None or r.stamp.utcoffset() is not None for r in records)
        assert now.utcoffset() == timedelta(0)
        assert abs(now - await bench.now()) <= timedelta(seconds=1)

    @for_streams()
    async def test_what_was_deleted_is_in_no_sweep(
        self, bench: SourceBench, stream: Stream
    ) -> None:
        made = await bench.fill(stream, 9)
        await bench.remove(stream, made[2:4])
        async with bench.source() as source:
            seen = ids_of(await read(source, stream, Sweep()))
        assert set(made) & seen == set(made) - set(made[2:4])

    @for_streams()
    async def test_a_count_counts_what_is_read(self, bench: SourceBench, stream: Stream) -> None:
        await bench.fill(stream, 11)
        async with bench.source() as source:
            counted = await source.count(stream, Sweep())
            records = await read(source, stream, Sweep())
        assert counted is None or counted == len(records)

    @for_one_stream()
    async def test_a_reader_may_stop_anywhere(self, bench: SourceBench, stream: Stream) -> None:
        await bench.fill(stream, 20)
        async with bench.source() as source:
            pages: AsyncGenerator[Page, None] = source.read(stream, Sweep(), {}, None)
            assert (await anext(pages)).records
            await pages.aclose()
            assert await read(source, stream, Sweep())

    # --- ids and stamps alone -------------------------------------------------------------------

    @for_streams(_is_shallow, "ids and stamps cannot be listed alone")
    async def test_marks_are_the_records_without_their_content(
        self, bench: SourceBench, stream: Stream
    ) -> None:
        made = await bench.fill(stream, 17)
        await bench.pass_time(3)
        await bench.change(stream, made[:2])
        async with bench.source() as source:
            pages = [page async for page in source.enumerate(stream, Sweep(), {}, None)]
            records = await read(source, stream, Sweep())
        marks = [mark for page in pages for mark in page.marks]
        assert dict(marks) == {record.id: record.stamp for record in records}
        assert len(marks) == len(records)
        assert [page.resume is None for page in pages] == [False] * (len(pages) - 1) + [True]

    @for_streams(_is_shallow, "ids and stamps cannot be listed alone")
    async def test_marks_go_on_behind_any_page_and_come_in_the_parts_of_a_sweep(
        self, bench: SourceBench, stream: Stream
    ) -> None:
        await bench.fill(stream, 41)
        async with bench.source() as source:
            pages: list[Marks] = [
                page async for page in source.enumerate(stream, Sweep(), {}, None)
            ]
            for index, page in enumerate(pages[:-1]):
                rest = [
                    mark
                    async for later in source.enumerate(stream, Sweep(), {}, travelled(page.resume))
                    for mark in later.marks
                ]
                assert rest == [mark for later in pages[index + 1 :] for mark in later.marks]
            parts = await source.split(stream, Sweep(), 3)
            by_part = [
                mark
                for part in parts
                async for page in source.enumerate(stream, Sweep(), part, None)
                for mark in page.marks
            ]
        assert sorted(by_part) == sorted(mark for page in pages for mark in page.marks)

    @for_streams(_is_shallow, "ids and stamps cannot be listed alone")
    async def test_what_comes_changes_and_goes_shows_in_the_marks(
        self, bench: SourceBench, stream: Stream
    ) -> None:
        """A shallow sweep reads nothing else: a change that no mark shows is lost to it."""
        made = await bench.fill(stream, 9)
        async with bench.source() as source:
            before = dict(await marks_of(source, stream))
            await bench.pass_time(3)
            await bench.change(stream, made[:2])
            await bench.remove(stream, made[2:4])
            fresh = await bench.fill(stream, 2)
            after = dict(await marks_of(source, stream))
        assert all(before[each] != after[each] for each in made[:2])
        assert set(after) == set(before) - set(made[2:4]) | set(fresh)

    # --- old closed records left out ------------------------------------------------------------

    @for_streams(_has_horizon, "a sweep cannot leave old closed records out")
    async def test_a_horizon_leaves_out_what_is_closed_and_old_and_nothing_else(
        self, bench: SourceBench, stream: Stream
    ) -> None:
        now = await bench.now()
        old = await bench.fill_old(stream, now - timedelta(days=400))
        late = await bench.fill_old(stream, now - timedelta(days=300))
        fresh = await bench.fill(stream, 7)
        extent = Sweep(since_created=now - timedelta(days=365))
        async with bench.source() as source:
            seen = [record.id for record in await read(source, stream, extent)]
            parts = await source.split(stream, extent, 3)
            by_part = [each for part in parts for each in await read(source, stream, extent, part)]
            everything = ids_of(await read(source, stream, Sweep()))
        made = {*old, *late, *fresh}
        assert made <= everything
        assert made & set(seen) == made - {old[0]}
        assert ids_of(by_part) == set(seen)
