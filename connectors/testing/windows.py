"""Reading what has changed, and single records; and what failures look like."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest

from connectors.abilities import TellsDeletions
from connectors.base import ReadCapability, Severity, Source, StoreReport, Sweep, Trust, Window
from connectors.errors import SignInAgain, StoreError, TryLater
from connectors.records import Stream
from connectors.testing.bench import SourceBench
from connectors.testing.promises import NOT_PROMISED, Contract, for_one_stream, for_streams
from connectors.testing.sweeps import ids_of, read, travelled

NOWHERE = "999999999"
"""An id that no store of a test has."""

_PASSING = ["throttled", "server_error", "cut_off", "web_page", "half_json"]
_REFUSALS = ["bad_request", "forbidden", "not_found"]
_DAY = 86_400.0
_PROBES = 2


async def whole(source: Source) -> Window:
    """A window that everything made in a test is in."""
    now = await source.server_time()
    return Window(now - timedelta(hours=1), now)


def _has_window(capability: ReadCapability) -> bool:
    return capability.trust is not Trust.SWEEP


class WindowContract(Contract):
    """Reading what changed."""

    side = "reads"
    pytestmark = pytest.mark.asyncio

    @for_streams()
    async def test_a_window_holds_all_that_changed_since_and_its_edges(
        self, bench: SourceBench, stream: Stream
    ) -> None:
        """The second of the lower bound itself belongs to the window."""
        made = await bench.fill(stream, 12)
        await bench.pass_time(10 * self.connector.reads[stream].granularity)
        since = await bench.now()
        await bench.change(stream, made[:3])
        await bench.pass_time(5)
        await bench.change(stream, made[3:5])
        async with bench.source() as source:
            window = Window(since, await source.server_time())
            pages = [page async for page in source.read(stream, window, {}, None)]
        seen = {record.id for page in pages for record in page.records}
        assert set(made[:5]) <= seen
        if _has_window(self.connector.reads[stream]):
            assert not set(made[5:]) & seen
            assert sum(page.outside for page in pages) == 0

    @for_streams()
    async def test_a_window_goes_on_behind_any_page_and_comes_in_parts(
        self, bench: SourceBench, stream: Stream
    ) -> None:
        made = await bench.fill(stream, 31)
        async with bench.source() as source:
            window = await whole(source)
            pages = [page async for page in source.read(stream, window, {}, None)]
            for page in pages[:-1]:
                rest = source.read(stream, window, {}, travelled(page.resume))
                seen = {r.id async for later in rest for r in later.records}
                behind = pages[pages.index(page) + 1 :]
                assert {r.id for later in behind for r in later.records} <= seen
            parts = await source.split(stream, window, 3)
            by_part = [each for part in parts for each in await read(source, stream, window, part)]
        assert set(made) <= ids_of(by_part)

    @for_streams(_has_window, "there are no windows, every run reads all of it")
    async def test_stamps_say_when_a_record_changed(
        self, bench: SourceBench, stream: Stream
    ) -> None:
        made = await bench.fill(stream, 2)
        await bench.pass_time(10 * self.connector.reads[stream].granularity)
        since = await bench.now()
        await bench.change(stream, made[:1])
        async with bench.source() as source:
            found = await source.get(stream, made)
        stamps = [found[each].stamp for each in made]
        assert stamps[0] is not None
        assert stamps[1] is not None
        assert stamps[1] < since - timedelta(seconds=1) <= stamps[0]

    @for_streams()
    async def test_changing_records_while_reading_hides_none(
        self, bench: SourceBench, stream: Stream
    ) -> None:
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

    @for_streams()
    async def test_deleting_what_was_read_hides_none_of_the_rest(
        self, bench: SourceBench, stream: Stream
    ) -> None:
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

    @for_streams()
    async def test_a_probe_finds_nothing_wrong_with_an_honest_store(
        self, bench: SourceBench, stream: Stream
    ) -> None:
        async with bench.source() as source:
            empty = await source.probe(stream)
            made = await bench.fill(stream, 9)
            await bench.pass_time(30)
            await bench.change(stream, made[4:6])
            await bench.pass_time(30)
            before = source.traffic().requests
            full = await source.probe(stream)
            asked = source.traffic().requests - before
        assert not [each for each in (*empty, *full) if each.severity is Severity.ERROR]
        assert asked <= _PROBES

    # --- single records -------------------------------------------------------------------------

    @for_streams()
    async def test_single_records_are_those_of_a_sweep(
        self, bench: SourceBench, stream: Stream
    ) -> None:
        made = await bench.fill(stream, 9)
        async with bench.source() as source:
            swept = {record.id: record for record in await read(source, stream, Sweep())}
            found = await source.get(stream, [made[0], made[4], NOWHERE])
        assert found == {each: swept[each] for each in (made[0], made[4])}

    @for_streams()
    async def test_a_deleted_record_is_left_out_of_single_records(
        self, bench: SourceBench, stream: Stream
    ) -> None:
        made = await bench.fill(stream, 3)
        await bench.remove(stream, made[:1])
        async with bench.source() as source:
            assert set(await source.get(stream, made)) == set(made[1:])

    @for_streams()
    async def test_a_record_that_cannot_be_looked_up_is_not_gone(
        self, bench: SourceBench, stream: Stream
    ) -> None:
        """Whoever asks would take it for deleted."""
        made = await bench.fill(stream, 1)
        async with bench.source() as source:
            await bench.fail_next("throttled_for_a_day")
            with pytest.raises(TryLater):
                await source.get(stream, made)

    @for_streams()
    async def test_what_is_called_deleted_is_not_there(
        self, bench: SourceBench, stream: Stream
    ) -> None:
        """And a feed that cannot be read is not an empty one."""
        made = await bench.fill(stream, 4)
        since = await bench.now()
        await bench.remove(stream, made[:1])
        async with bench.source() as source:
            if not isinstance(source, TellsDeletions):
                pytest.skip(f"{NOT_PROMISED}the platform does not tell of deletions")
            if not (told := await source.deleted(stream, since)):
                pytest.skip(f"{NOT_PROMISED}{stream}: nobody tells of deletions")
            assert told & set(made) == {made[0]}
            await bench.fail_next("throttled_for_a_day")
            with pytest.raises(TryLater):
                await source.deleted(stream, since)

    # --- failures -------------------------------------------------------------------------------

    @for_one_stream()
    @pytest.mark.parametrize("how", _PASSING)
    async def test_a_failure_in_passing_is_read_over(
        self, bench: SourceBench, stream: Stream, how: str
    ) -> None:
        made = await bench.fill(stream, 8)
        async with bench.source() as source:
            await bench.fail_next(how)
            assert set(made) <= ids_of(await read(source, stream, Sweep()))

    @for_one_stream()
    @pytest.mark.parametrize("how", _REFUSALS)
    @pytest.mark.parametrize("behind", [0, 1], ids=["at_once", "later"])
    async def test_a_refused_request_is_never_an_empty_page(
        self, bench: SourceBench, stream: Stream, how: str, behind: int
    ) -> None:
        """Whoever swept would take the rest for deleted. It raises, or is asked again."""
        made = await bench.fill(stream, 23)
        seen: set[str] = set()
        async with bench.source() as source:
            pages = source.read(stream, Sweep(), {}, None)
            for _ in range(behind):
                seen |= ids_of((await anext(pages)).records)
            await bench.fail_next(how)
            try:
                async for page in pages:
                    seen |= ids_of(page.records)
            except StoreError:
                return
        assert set(made) <= seen

    @for_streams(_has_window, "there are no windows, every run reads all of it")
    async def test_what_a_store_shows_from_before_a_window_is_counted(
        self, bench: SourceBench, stream: Stream
    ) -> None:
        """A platform that ignores the filter is found out by it. Who widens a window by days may
        keep back what it did not ask for.
        """
        made = await bench.fill(stream, 4)
        await bench.pass_time(10 * self.connector.reads[stream].granularity)
        since = await bench.now()
        await bench.change(stream, made[:1])
        async with bench.source() as source:
            window = Window(since, await source.server_time())
            await bench.fail_next("ignores_filter")
            pages = [page async for page in source.read(stream, window, {}, None)]
        seen = {record.id for page in pages for record in page.records}
        assert made[0] in seen
        assert sum(page.outside for page in pages) >= len(seen & set(made[1:]))

    @for_streams()
    async def test_a_wish_to_wait_for_a_day_is_handed_on(
        self, bench: SourceBench, stream: Stream
    ) -> None:
        async with bench.source() as source:
            await bench.fail_next("throttled_for_a_day")
            with pytest.raises(TryLater) as caught:
                await read(source, stream, Sweep())
        assert caught.value.after == _DAY

    @for_streams()
    async def test_wrong_credentials_are_no_empty_store(
        self, bench: SourceBench, stream: Stream
    ) -> None:
        async with await bench.shut_out() as source:
            with pytest.raises(SignInAgain):
                await read(source, stream, Sweep())
            with pytest.raises(StoreError):
                await source.get(stream, ["1"])
            with pytest.raises(StoreError):
                await source.check()

    @for_streams()
    async def test_a_count_that_is_refused_is_no_number(
        self, bench: SourceBench, stream: Stream
    ) -> None:
        """It is compared with what was read, before anything is taken for deleted."""
        async with await bench.shut_out() as source:
            with suppress(StoreError):
                assert await source.count(stream, Sweep()) is None

    @for_one_stream()
    async def test_a_store_that_lets_us_in_is_reported(
        self, bench: SourceBench, stream: Stream
    ) -> None:
        await bench.fill(stream, 1)
        async with bench.source() as source:
            report = await source.check()
        assert isinstance(report, StoreReport)
        assert report.server_time is None or report.server_time.utcoffset() is not None

    @for_one_stream()
    async def test_traffic_is_counted(self, bench: SourceBench, stream: Stream) -> None:
        async with bench.source() as source:
            before = source.traffic().requests
            await bench.fail_next("throttled")
            await read(source, stream, Sweep())
            assert source.traffic().requests >= before + 2
            assert source.traffic().throttled == 1
