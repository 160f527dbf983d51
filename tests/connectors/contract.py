"""What any connector must show: a suite to run against a live or practice store.

A connector's own test module subclasses `SourceContract` and `TargetContract` and supplies the
fixture `bench`, which knows how to fill, change and disturb its store. Everything asserted here
is promised by `connectors.base`, nothing is particular to one platform.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any, Protocol

import pytest
from msgspec.structs import replace

from connectors.base import (
    Applied,
    Extent,
    Json,
    Operation,
    Outcome,
    Page,
    ReadCapability,
    Refused,
    Source,
    Sweep,
    Target,
    Trust,
    Uncertain,
    Window,
    WriteCapability,
)
from connectors.digest import digest
from connectors.errors import SignInAgain, StoreError, TryLater, Unreachable
from connectors.records import Content, Customer, InventoryLevel, Order, Record, Stream

STREAMS = list(Stream)
PASSING = ["throttled", "server_error", "cut_off", "web_page", "half_json"]


class SourceBench(Protocol):
    """A store to read from, as a test sees it."""

    reads: dict[Stream, ReadCapability]

    def source(self) -> AbstractAsyncContextManager[Source]: ...

    async def fill(self, stream: Stream, count: int) -> list[str]:
        """Make this many records, some of them with equal stamps; their ids."""
        ...

    async def change(self, stream: Stream, ids: Sequence[str]) -> None:
        """Change these records so that the store moves their stamps."""
        ...

    async def remove(self, stream: Stream, ids: Sequence[str]) -> None:
        """Delete for good."""
        ...

    async def pass_time(self, seconds: float) -> None: ...

    async def now(self) -> datetime:
        """The store's clock."""
        ...

    async def fail_next(self, how: str) -> None:
        """The next request meets `throttled`, `throttled_for_a_day`, `server_error`, `cut_off`,
        `web_page` or `half_json`.
        """
        ...

    async def shut_out(self) -> AbstractAsyncContextManager[Source]:
        """A source whose credentials are wrong."""
        ...


class TargetBench(Protocol):
    """A store to write to, as a test sees it."""

    writes: dict[Stream, WriteCapability]

    def target(self) -> AbstractAsyncContextManager[Target]: ...

    def reader(self) -> AbstractAsyncContextManager[Source]:
        """A source on the same store, to see what became of it."""
        ...

    def contents(self, stream: Stream, count: int) -> list[Content]:
        """Records as they could come from any source; references resolved."""
        ...

    def impossible(self, stream: Stream) -> Content | None:
        """A record that the platform refuses, or None where it takes everything."""
        ...

    async def fail_next(self, how: str) -> None:
        """As in `SourceBench`; also `lost_answer`: applied, but nobody hears of it."""
        ...

    async def side_effects(self) -> dict[str, int]:
        """Mails, stock movements and payments that the store made on its own."""
        ...


async def read(
    source: Source, stream: Stream, extent: Extent, part: Json | None = None
) -> list[Record]:
    return [
        record
        async for page in source.read(stream, extent, part or {}, None)
        for record in page.records
    ]


def ids_of(records: Sequence[Record]) -> set[str]:
    return {record.id for record in records}


async def whole(source: Source) -> Window:
    now = await source.server_time()
    return Window(now - timedelta(hours=1), now)


class SourceContract:
    """Reading."""

    @pytest.mark.parametrize("stream", STREAMS)
    async def test_a_sweep_gives_every_record_and_ends(self, bench: SourceBench, stream: Stream):
        made = await bench.fill(stream, 23)
        async with bench.source() as source:
            pages = [page async for page in source.read(stream, Sweep(), {}, None)]
        seen = [record.id for page in pages for record in page.records]
        assert set(made) <= set(seen)
        assert len(seen) == len(set(seen))
        assert [page.resume is None for page in pages] == [False] * (len(pages) - 1) + [True]
        assert not any(page.failed for page in pages)

    @pytest.mark.parametrize("stream", STREAMS)
    async def test_an_empty_store_is_one_last_page(self, bench: SourceBench, stream: Stream):
        async with bench.source() as source:
            pages = [page async for page in source.read(stream, Sweep(), {}, None)]
        assert pages
        assert pages[-1].resume is None

    @pytest.mark.parametrize("stream", STREAMS)
    async def test_reading_goes_on_behind_any_page(self, bench: SourceBench, stream: Stream):
        await bench.fill(stream, 17)
        async with bench.source() as source:
            pages = [page async for page in source.read(stream, Sweep(), {}, None)]
            for index, page in enumerate(pages[:-1]):
                rest = [
                    record.id
                    async for later in source.read(stream, Sweep(), {}, page.resume)
                    for record in later.records
                ]
                assert rest == [r.id for later in pages[index + 1 :] for r in later.records]

    @pytest.mark.parametrize("stream", STREAMS)
    async def test_parts_are_disjoint_and_together_everything(
        self, bench: SourceBench, stream: Stream
    ):
        await bench.fill(stream, 41)
        async with bench.source() as source:
            everything = await read(source, stream, Sweep())
            parts = await source.split(stream, Sweep(), 3)
            by_part = [await read(source, stream, Sweep(), part) for part in parts]
        assert sum(len(each) for each in by_part) == len(everything)
        assert set().union(*map(ids_of, by_part)) == ids_of(everything)

    @pytest.mark.parametrize("stream", STREAMS)
    async def test_a_second_look_shows_the_same_content(self, bench: SourceBench, stream: Stream):
        await bench.fill(stream, 7)
        async with bench.source() as source:
            first = {r.id: digest(r.content) for r in await read(source, stream, Sweep())}
            await bench.pass_time(3)
            again = {r.id: digest(r.content) for r in await read(source, stream, Sweep())}
        assert first == again

    @pytest.mark.parametrize("stream", STREAMS)
    async def test_times_are_aware(self, bench: SourceBench, stream: Stream):
        await bench.fill(stream, 3)
        async with bench.source() as source:
            records = await read(source, stream, Sweep())
            now = await source.server_time()
        assert all(r.stamp is None or r.stamp.utcoffset() is not None for r in records)
        assert now.utcoffset() == timedelta(0)
        assert abs(now - await bench.now()) <= timedelta(seconds=1)

    @pytest.mark.parametrize("stream", STREAMS)
    async def test_a_window_holds_all_that_changed_since_and_its_edges(
        self, bench: SourceBench, stream: Stream
    ):
        """The second of the lower bound itself belongs to the window."""
        made = await bench.fill(stream, 12)
        await bench.pass_time(100)
        since = await bench.now()
        await bench.change(stream, made[:3])
        await bench.pass_time(5)
        await bench.change(stream, made[3:5])
        async with bench.source() as source:
            window = Window(since, await source.server_time())
            pages = [page async for page in source.read(stream, window, {}, None)]
        seen = {record.id for page in pages for record in page.records}
        assert set(made[:5]) <= seen
        if bench.reads[stream].trust is not Trust.SWEEP:
            assert not set(made[5:]) & seen
            assert sum(page.outside for page in pages) == 0

    @pytest.mark.parametrize("stream", STREAMS)
    async def test_changing_records_while_reading_hides_none(
        self, bench: SourceBench, stream: Stream
    ):
        made = await bench.fill(stream, 30)
        seen: set[str] = set()
        async with bench.source() as source:
            index = 0
            async for page in source.read(stream, await whole(source), {}, None):
                seen |= ids_of(page.records)
                await bench.pass_time(2)
                await bench.change(stream, made[index : index + 3])
                index += 3
        assert set(made) <= seen

    @pytest.mark.parametrize("stream", STREAMS)
    async def test_deleting_what_was_read_hides_none_of_the_rest(
        self, bench: SourceBench, stream: Stream
    ):
        made = await bench.fill(stream, 30)
        seen: list[str] = []
        removed: set[str] = set()
        async with bench.source() as source:
            async for page in source.read(stream, await whole(source), {}, None):
                seen += [record.id for record in page.records]
                ours = [each for each in seen if each in made and each not in removed]
                await bench.remove(stream, ours[:2])
                removed |= set(ours[:2])
        assert set(made) <= set(seen)

    @pytest.mark.parametrize("stream", STREAMS)
    async def test_single_records_are_those_of_a_sweep(self, bench: SourceBench, stream: Stream):
        made = await bench.fill(stream, 9)
        async with bench.source() as source:
            swept = {record.id: record for record in await read(source, stream, Sweep())}
            found = await source.get(stream, [made[0], made[4], "999999999"])
        assert found == {each: swept[each] for each in (made[0], made[4])}

    @pytest.mark.parametrize("stream", STREAMS)
    async def test_a_count_counts_what_is_read(self, bench: SourceBench, stream: Stream):
        await bench.fill(stream, 11)
        async with bench.source() as source:
            counted = await source.count(stream, Sweep())
            records = await read(source, stream, Sweep())
        assert counted is None or counted == len(records)

    @pytest.mark.parametrize("how", PASSING)
    async def test_a_failure_in_passing_is_read_over(self, bench: SourceBench, how: str):
        made = await bench.fill(Stream.ORDERS, 8)
        async with bench.source() as source:
            await bench.fail_next(how)
            assert set(made) <= ids_of(await read(source, Stream.ORDERS, Sweep()))

    async def test_a_wish_to_wait_for_a_day_is_handed_on(self, bench: SourceBench):
        async with bench.source() as source:
            await bench.fail_next("throttled_for_a_day")
            with pytest.raises(TryLater) as caught:
                await read(source, Stream.ORDERS, Sweep())
            assert caught.value.after == 86_400.0

    async def test_wrong_credentials_are_no_empty_store(self, bench: SourceBench):
        async with await bench.shut_out() as source:
            with pytest.raises(SignInAgain):
                await read(source, Stream.ORDERS, Sweep())
            with pytest.raises(StoreError):
                await source.check()

    async def test_traffic_is_counted(self, bench: SourceBench):
        async with bench.source() as source:
            before = source.traffic().requests
            await bench.fail_next("throttled")
            await read(source, Stream.CATEGORIES, Sweep())
            assert source.traffic().requests >= before + 2
            assert source.traffic().throttled == 1

    async def test_a_reader_may_stop_anywhere(self, bench: SourceBench):
        await bench.fill(Stream.CUSTOMERS, 20)
        async with bench.source() as source:
            pages: AsyncIterator[Page] = source.read(Stream.CUSTOMERS, Sweep(), {}, None)
            assert (await anext(pages)).records
            await pages.aclose()  # type: ignore[attr-defined]
            assert await read(source, Stream.CUSTOMERS, Sweep())


WRITTEN = [Stream.CATEGORIES, Stream.PRODUCTS, Stream.CUSTOMERS, Stream.ORDERS]


def operations(
    stream: Stream, contents: Sequence[Content], start: int = 1, **values: Any
) -> list[Operation]:
    return [
        Operation(source_id=f"{index}", key=f"m1:{stream}:{index}", content=content, **values)
        for index, content in enumerate(contents, start)
    ]


def applied(outcomes: Sequence[Outcome]) -> dict[str, Applied]:
    for each in outcomes:
        assert isinstance(each, Applied), each
    return {each.source_id: each for each in outcomes if isinstance(each, Applied)}


def renamed(content: Content, word: str) -> tuple[Content, str]:
    """The content with one field changed, and the field's name."""
    match content:
        case Customer():
            return replace(content, last_name=word), "last_name"
        case Order():
            return replace(content, note=word), "note"
        case _:
            return replace(content, description=word), "description"


class TargetContract:
    """Writing."""

    @pytest.mark.parametrize("stream", WRITTEN)
    async def test_what_is_written_is_there_once(self, bench: TargetBench, stream: Stream):
        sent = operations(stream, bench.contents(stream, 5))
        async with bench.target() as target, bench.reader() as reader:
            before = ids_of(await read(reader, stream, Sweep()))
            made = applied(await target.write(stream, sent))
            after = ids_of(await read(reader, stream, Sweep()))
        assert set(made) == {each.source_id for each in sent}
        assert after - before == {each.target_id for each in made.values()}

    @pytest.mark.parametrize("stream", WRITTEN)
    async def test_single_records_are_read_back_by_the_targets_ids(
        self, bench: TargetBench, stream: Stream
    ):
        sent = operations(stream, bench.contents(stream, 3))
        async with bench.target() as target, bench.reader() as reader:
            made = applied(await target.write(stream, sent))
            ids = [each.target_id for each in made.values()]
            found = await target.get(stream, [*ids[:2], "999999999"])
            seen = await reader.get(stream, ids[:2])
        assert {key: each.content for key, each in found.items()} == {
            key: each.content for key, each in seen.items()
        }
        assert set(found) == set(ids[:2])

    @pytest.mark.parametrize("stream", WRITTEN)
    async def test_the_answer_to_a_write_shows_what_a_look_shows(
        self, bench: TargetBench, stream: Stream
    ):
        if not bench.writes[stream].merges:
            pytest.skip("nobody asks what this target holds")
        [content] = bench.contents(stream, 1)
        [create] = operations(stream, [content])
        changed, name = renamed(content, "Other words")
        async with bench.target() as target:
            made = applied(await target.write(stream, [create]))["1"]
            after_create = (await target.get(stream, [made.target_id]))[made.target_id]
            update = replace(
                create, content=changed, target_id=made.target_id, changed=frozenset({name})
            )
            again = applied(await target.write(stream, [update]))["1"]
            after_update = (await target.get(stream, [made.target_id]))[made.target_id]
        assert made.content == after_create.content
        assert again.content == after_update.content

    @pytest.mark.parametrize("stream", WRITTEN)
    async def test_what_is_written_is_found_with_its_parts(
        self, bench: TargetBench, stream: Stream
    ):
        sent = operations(stream, bench.contents(stream, 5))
        async with bench.target() as target:
            assert await target.find(stream, sent) == {}
            made = applied(await target.write(stream, sent))
            found = await target.find(stream, sent)
        assert {key: match.target_id for key, match in found.items()} == {
            key: each.target_id for key, each in made.items()
        }
        for key, match in found.items():
            assert dict(match.children) == dict(made[key].children)

    @pytest.mark.parametrize("stream", WRITTEN)
    async def test_another_records_likeness_is_not_taken_for_it(
        self, bench: TargetBench, stream: Stream
    ):
        here = bench.contents(stream, 4)
        sent = operations(stream, here[:2])
        others = operations(stream, here[2:], start=3)
        async with bench.target() as target:
            await target.write(stream, sent)
            assert await target.find(stream, others) == {}

    @pytest.mark.parametrize("stream", WRITTEN)
    async def test_an_update_writes_the_named_fields_and_no_others(
        self, bench: TargetBench, stream: Stream
    ):
        [content] = bench.contents(stream, 1)
        [create] = operations(stream, [content])
        async with bench.target() as target, bench.reader() as reader:
            made = applied(await target.write(stream, [create]))["1"]
            [before] = (await reader.get(stream, [made.target_id])).values()
            changed, name = renamed(content, "Other words")
            update = replace(
                create,
                content=changed,
                target_id=made.target_id,
                children=made.children,
                changed=frozenset({name}),
            )
            applied(await target.write(stream, [update]))
            [after] = (await reader.get(stream, [made.target_id])).values()
        assert after.content == renamed(before.content, "Other words")[0]

    @pytest.mark.parametrize("stream", WRITTEN)
    async def test_writing_everything_again_changes_nothing(
        self, bench: TargetBench, stream: Stream
    ):
        sent = operations(stream, bench.contents(stream, 3))
        async with bench.target() as target, bench.reader() as reader:
            made = applied(await target.write(stream, sent))
            before = {r.id: digest(r.content) for r in await read(reader, stream, Sweep())}
            again = [replace(each, target_id=made[each.source_id].target_id) for each in sent]
            applied(await target.write(stream, again))
            after = {r.id: digest(r.content) for r in await read(reader, stream, Sweep())}
        assert before == after

    @pytest.mark.parametrize("stream", WRITTEN)
    async def test_an_update_of_what_is_gone_says_so(self, bench: TargetBench, stream: Stream):
        [content] = bench.contents(stream, 1)
        [update] = operations(stream, [content], target_id="999999999")
        async with bench.target() as target:
            [outcome] = await target.write(stream, [update])
        assert isinstance(outcome, Refused)
        assert outcome.gone
        assert outcome.code == "gone"

    @pytest.mark.parametrize("stream", WRITTEN)
    async def test_one_bad_record_spoils_no_other(self, bench: TargetBench, stream: Stream):
        bad = bench.impossible(stream)
        if bad is None:
            pytest.skip("the platform takes everything of this stream")
        good = bench.contents(stream, 2)
        async with bench.target() as target:
            outcomes = await target.write(stream, operations(stream, [good[0], bad, good[1]]))
        by_id = {each.source_id: each for each in outcomes}
        assert isinstance(by_id["1"], Applied)
        assert isinstance(by_id["2"], Refused)
        assert isinstance(by_id["3"], Applied)

    @pytest.mark.parametrize("stream", WRITTEN)
    async def test_a_lost_answer_is_uncertain_and_the_records_are_found(
        self, bench: TargetBench, stream: Stream
    ):
        sent = operations(stream, bench.contents(stream, 3))
        async with bench.target() as target, bench.reader() as reader:
            before = ids_of(await read(reader, stream, Sweep()))
            await bench.fail_next("lost_answer")
            outcomes = await target.write(stream, sent)
            assert all(isinstance(each, Uncertain) and each.running for each in outcomes)
            found = await target.find(stream, sent)
            assert set(found) == {each.source_id for each in sent}
            again = [
                replace(
                    each,
                    target_id=found[each.source_id].target_id,
                    children=found[each.source_id].children,
                )
                for each in sent
            ]
            applied(await target.write(stream, again))
            after = ids_of(await read(reader, stream, Sweep()))
        assert len(after - before) == len(sent)

    @pytest.mark.parametrize("stream", WRITTEN)
    async def test_throttling_alone_loses_and_doubles_nothing(
        self, bench: TargetBench, stream: Stream
    ):
        sent = operations(stream, bench.contents(stream, 3))
        async with bench.target() as target, bench.reader() as reader:
            before = ids_of(await read(reader, stream, Sweep()))
            await bench.fail_next("throttled")
            applied(await target.write(stream, sent))
            after = ids_of(await read(reader, stream, Sweep()))
        assert len(after - before) == len(sent)

    @pytest.mark.parametrize("stream", WRITTEN)
    async def test_a_closed_store_raises_before_anything_is_applied(
        self, bench: TargetBench, stream: Stream
    ):
        async with bench.target() as target:
            await bench.fail_next("throttled_for_a_day")
            with pytest.raises(TryLater) as caught:
                await target.write(stream, operations(stream, bench.contents(stream, 2)))
        assert not isinstance(caught.value, Unreachable)

    async def test_a_failed_look_up_is_not_an_empty_one(self, bench: TargetBench):
        async with bench.target() as target:
            await bench.fail_next("throttled_for_a_day")
            with pytest.raises(StoreError):
                await target.find(
                    Stream.ORDERS, operations(Stream.ORDERS, bench.contents(Stream.ORDERS, 1))
                )

    async def test_writing_disturbs_nobody(self, bench: TargetBench):
        async with bench.target() as target:
            before = await target.loud()
            await target.mute(before)
            for stream in WRITTEN:
                await target.write(stream, operations(stream, bench.contents(stream, 6)))
            await target.unmute(before)
            assert await target.loud() == before
        assert not any((await bench.side_effects()).values())

    async def test_stock_is_set_not_added(self, bench: TargetBench):
        products = operations(Stream.PRODUCTS, bench.contents(Stream.PRODUCTS, 1))
        [wanted] = bench.contents(Stream.INVENTORY, 1)
        assert isinstance(wanted, InventoryLevel)
        async with bench.target() as target, bench.reader() as reader:
            made = applied(await target.write(Stream.PRODUCTS, products))
            level = replace(wanted, product=made["1"].target_id)
            for _ in range(2):
                set_ = await target.write(Stream.INVENTORY, operations(Stream.INVENTORY, [level]))
            target_id = applied(set_)["1"].target_id
            found = await reader.get(Stream.INVENTORY, [target_id])
        content = found[target_id].content
        assert isinstance(content, InventoryLevel)
        assert content.quantity == wanted.quantity
