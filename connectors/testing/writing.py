"""Writing: every record is there once, whatever becomes of requests and answers."""

from __future__ import annotations

from typing import Never

import pytest
from msgspec.structs import replace

from connectors.base import Applied, Refused, StoreReport, Sweep, Uncertain, WriteCapability
from connectors.digest import digest
from connectors.errors import SignInAgain, StoreError, TryLater, Unreachable
from connectors.permit import permitted_by
from connectors.records import InventoryLevel, Stream
from connectors.testing.bench import TargetBench
from connectors.testing.operations import WRITTEN, applied, operations, retold
from connectors.testing.promises import Contract, for_one_stream, for_streams
from connectors.testing.sweeps import ids_of, read
from connectors.testing.windows import NOWHERE

_MANY = 100


class TooLate(Exception):
    """What a caller's permit raises in a test."""


def forbid() -> Never:
    """A permit that is gone."""
    raise TooLate


def _bears_doubles(capability: WriteCapability) -> bool:
    return capability.idempotent or capability.refuses_doubles


def _needs_a_product(capability: WriteCapability) -> bool:
    return not capability.idempotent


class WriteContract(Contract):
    """Creating and updating."""

    side = "writes"
    pytestmark = pytest.mark.asyncio

    @for_streams(among=WRITTEN)
    async def test_what_is_written_is_there_once(self, bench: TargetBench, stream: Stream) -> None:
        sent = operations(stream, bench.contents(stream, 5))
        async with bench.target() as target, bench.reader() as reader:
            before = ids_of(await read(reader, stream, Sweep()))
            made = applied(await target.write(stream, sent))
            after = ids_of(await read(reader, stream, Sweep()))
        assert set(made) == {each.source_id for each in sent}
        assert after - before == {each.target_id for each in made.values()}

    @for_streams(among=WRITTEN)
    async def test_a_whole_batch_is_written_and_found_in_one_call(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        can = self.connector.writes[stream]
        sent = operations(stream, bench.contents(stream, min(can.batch, _MANY)))
        async with bench.target() as target:
            made = applied(await target.write(stream, sent))
            found = await target.find(stream, sent[: can.find_batch])
        assert len({each.target_id for each in made.values()}) == len(sent)
        assert set(found) == {each.source_id for each in sent[: can.find_batch]}

    @for_streams(among=WRITTEN)
    async def test_what_is_written_is_found_with_its_parts(
        self, bench: TargetBench, stream: Stream
    ) -> None:
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

    @for_streams(among=WRITTEN)
    async def test_another_records_likeness_is_not_taken_for_it(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        here = bench.contents(stream, 4)
        sent = operations(stream, here[:2])
        others = operations(stream, here[2:], start=3)
        async with bench.target() as target:
            await target.write(stream, sent)
            assert await target.find(stream, others) == {}

    @for_streams(among=WRITTEN)
    async def test_an_update_writes_the_named_fields_and_no_others(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        [content] = bench.contents(stream, 1)
        [create] = operations(stream, [content])
        async with bench.target() as target, bench.reader() as reader:
            made = applied(await target.write(stream, [create]))["1"]
            [before] = (await reader.get(stream, [made.target_id])).values()
            changed, name = retold(content, "Other words")
            update = replace(
                create,
                content=changed,
                target_id=made.target_id,
                children=made.children,
                changed=frozenset({name}),
            )
            applied(await target.write(stream, [update]))
            [after] = (await reader.get(stream, [made.target_id])).values()
        assert after.content == retold(before.content, "Other words")[0]

    @for_streams(among=WRITTEN)
    async def test_writing_everything_again_changes_nothing(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        sent = operations(stream, bench.contents(stream, 3))
        async with bench.target() as target, bench.reader() as reader:
            made = applied(await target.write(stream, sent))
            before = {r.id: digest(r.content) for r in await read(reader, stream, Sweep())}
            again = [replace(each, target_id=made[each.source_id].target_id) for each in sent]
            applied(await target.write(stream, again))
            after = {r.id: digest(r.content) for r in await read(reader, stream, Sweep())}
        assert before == after

    @for_streams(_bears_doubles, "a create that is sent twice makes two records", among=WRITTEN)
    async def test_a_create_that_is_sent_twice_makes_one_record(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        sent = operations(stream, bench.contents(stream, 3))
        async with bench.target() as target, bench.reader() as reader:
            before = ids_of(await read(reader, stream, Sweep()))
            first = applied(await target.write(stream, sent))
            again = applied(await target.write(stream, sent))
            after = ids_of(await read(reader, stream, Sweep()))
        assert after - before == {each.target_id for each in first.values()}
        assert {each.found for each in first.values()} == {None}
        assert {key: each.target_id for key, each in again.items()} == {
            key: each.target_id for key, each in first.items()
        }

    @for_streams(among=WRITTEN)
    async def test_an_update_of_what_is_gone_says_so(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        [content] = bench.contents(stream, 1)
        [update] = operations(stream, [content], target_id=NOWHERE)
        async with bench.target() as target:
            [outcome] = await target.write(stream, [update])
        assert isinstance(outcome, Refused)
        assert outcome.code == "gone"

    @for_streams(among=WRITTEN)
    async def test_one_bad_record_spoils_no_other(self, bench: TargetBench, stream: Stream) -> None:
        bad = bench.impossible(stream)
        if bad is None:
            pytest.skip("not promised: the platform takes every record of this stream")
        good = bench.contents(stream, 2)
        async with bench.target() as target:
            outcomes = await target.write(stream, operations(stream, [good[0], bad, good[1]]))
        by_id = {each.source_id: each for each in outcomes}
        assert isinstance(by_id["1"], Applied)
        assert isinstance(by_id["2"], Refused)
        assert isinstance(by_id["3"], Applied)

    # --- failures -------------------------------------------------------------------------------

    @for_streams(among=WRITTEN)
    async def test_after_a_lost_answer_the_records_are_found_and_not_doubled(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        sent = operations(stream, bench.contents(stream, 3))
        async with bench.target() as target, bench.reader() as reader:
            before = ids_of(await read(reader, stream, Sweep()))
            await bench.fail_next("lost_answer")
            outcomes = await target.write(stream, sent)
            unsure = {each.source_id for each in outcomes if isinstance(each, Uncertain)}
            assert all(isinstance(each, Uncertain | Applied) for each in outcomes)
            assert all(each.running for each in outcomes if isinstance(each, Uncertain))
            # Only where a create may be sent twice can anybody be sure all the same.
            assert unsure or self.connector.writes[stream].idempotent
            found = await target.find(stream, sent)
            assert set(found) == {each.source_id for each in sent}
            again = [
                replace(
                    each,
                    target_id=found[each.source_id].target_id,
                    children=found[each.source_id].children,
                )
                for each in sent
                if each.source_id in unsure
            ]
            applied(await target.write(stream, again))
            after = ids_of(await read(reader, stream, Sweep()))
        assert len(after - before) == len(sent)

    @for_streams(among=WRITTEN)
    async def test_throttling_alone_loses_and_doubles_nothing(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        sent = operations(stream, bench.contents(stream, 3))
        async with bench.target() as target, bench.reader() as reader:
            before = ids_of(await read(reader, stream, Sweep()))
            await bench.fail_next("throttled")
            applied(await target.write(stream, sent))
            after = ids_of(await read(reader, stream, Sweep()))
        assert len(after - before) == len(sent)

    @for_streams(among=WRITTEN)
    async def test_a_closed_store_raises_before_anything_is_applied(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        async with bench.target() as target:
            await bench.fail_next("throttled_for_a_day")
            with pytest.raises(TryLater) as caught:
                await target.write(stream, operations(stream, bench.contents(stream, 2)))
        assert not isinstance(caught.value, Unreachable)

    @for_streams(among=WRITTEN)
    async def test_a_failed_look_up_is_not_an_empty_one(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        sent = operations(stream, bench.contents(stream, 1))
        async with bench.target() as target:
            applied(await target.write(stream, sent))
            await bench.fail_next("throttled_for_a_day")
            with pytest.raises(StoreError):
                await target.find(stream, sent)

    @for_streams(among=WRITTEN)
    async def test_wrong_credentials_write_nothing_and_find_nothing_out(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        sent = operations(stream, bench.contents(stream, 2))
        async with bench.reader() as reader:
            before = ids_of(await read(reader, stream, Sweep()))
            async with bench.locked_out() as target:
                with pytest.raises(SignInAgain):
                    await target.check()
                with pytest.raises(SignInAgain):
                    await target.write(stream, sent)
                with pytest.raises(SignInAgain):
                    await target.find(stream, sent)
            assert ids_of(await read(reader, stream, Sweep())) == before

    @for_streams(among=WRITTEN)
    async def test_nothing_is_written_once_the_caller_may_not_any_more(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        sent = operations(stream, bench.contents(stream, 2))
        async with bench.target() as target, bench.reader() as reader:
            before = ids_of(await read(reader, stream, Sweep()))
            with permitted_by(forbid), pytest.raises(TooLate):
                await target.write(stream, sent)
            assert ids_of(await read(reader, stream, Sweep())) == before

    # --- silence --------------------------------------------------------------------------------

    @for_one_stream()
    async def test_a_store_that_lets_us_write_is_reported(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        async with bench.target() as target:
            assert await target.find(stream, []) == {}
            assert isinstance(await target.check(), StoreReport)

    @for_streams(among=WRITTEN)
    async def test_writing_disturbs_nobody(self, bench: TargetBench, stream: Stream) -> None:
        async with bench.target() as target:
            before = await target.loud()
            await target.mute(before)
            await target.mute(before)
            applied(await target.write(stream, operations(stream, bench.contents(stream, 6))))
            await target.unmute(before)
            await target.unmute(before)
            assert await target.loud() == before
        assert not any((await bench.side_effects()).values())

    # --- stock ----------------------------------------------------------------------------------

    @for_streams(among=[Stream.INVENTORY])
    async def test_stock_is_set_not_added(self, bench: TargetBench, stream: Stream) -> None:
        [wanted] = bench.contents(stream, 1)
        assert isinstance(wanted, InventoryLevel)
        async with bench.target() as target, bench.reader() as reader:
            if Stream.PRODUCTS in self.connector.writes:
                products = operations(Stream.PRODUCTS, bench.contents(Stream.PRODUCTS, 1))
                made = applied(await target.write(Stream.PRODUCTS, products))
                wanted = replace(wanted, product=made["1"].target_id)
            for _ in range(2):
                outcomes = await target.write(stream, operations(stream, [wanted]))
            target_id = applied(outcomes)["1"].target_id
            found = await reader.get(stream, [target_id])
        content = found[target_id].content
        assert isinstance(content, InventoryLevel)
        assert content.quantity == wanted.quantity

    @for_streams(_needs_a_product, "levels of stock stand for themselves", among=[Stream.INVENTORY])
    async def test_stock_of_a_product_that_is_gone_is_refused(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        [wanted] = bench.contents(stream, 1)
        assert isinstance(wanted, InventoryLevel)
        nowhere = replace(wanted, product=NOWHERE)
        async with bench.target() as target:
            [outcome] = await target.write(stream, operations(stream, [nowhere]))
        assert isinstance(outcome, Refused)
