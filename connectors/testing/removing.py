"""Taking records off a target and bringing them back: nothing but what was meant, and for sure."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from connectors.base import Action, Applied, Target, Withdrawal, WriteCapability
from connectors.errors import StoreError, TryLater
from connectors.permit import permitted_by
from connectors.records import Stream
from connectors.testing.bench import TargetBench
from connectors.testing.operations import applied, create, key, operations, refused
from connectors.testing.promises import Contract, for_streams
from connectors.testing.sweeps import travelled
from connectors.testing.windows import NOWHERE
from connectors.testing.writing import TooLate, forbid

_NEVER = "records are never taken away"
_ATTEMPTS = 3
_ABSENT = Withdrawal(source_id="9", target_id=NOWHERE, key="m1:records:9")


def _removes(capability: WriteCapability) -> bool:
    return bool(capability.removals)


def _archives(capability: WriteCapability) -> bool:
    return capability.removal(Action.ARCHIVE) is not None


def _deletes(capability: WriteCapability) -> bool:
    return capability.removal(Action.DELETE) is not None


def _undoes(capability: WriteCapability) -> bool:
    return any(each.undo for each in capability.removals)


def _knows_ours(capability: WriteCapability) -> bool:
    return _removes(capability) and capability.keyed


def _deletes_ours(capability: WriteCapability) -> bool:
    return _deletes(capability) and capability.keyed


async def _remove_in_the_end(
    target: Target, stream: Stream, withdrawals: list[Withdrawal], action: Action
) -> None:
    """Call again where nobody knows what became of it, as the engine does."""
    for _ in range(_ATTEMPTS):
        try:
            outcomes = await target.remove(stream, withdrawals, action)
        except StoreError:
            continue
        applied(outcomes)
        return
    pytest.fail(f"after {_ATTEMPTS} calls it is still not known what became of the records")


async def _knock_in_vain(bench: TargetBench, stream: Stream, action: Action) -> None:
    """Once only: whoever was told to stay away for a day is not let out of the door again."""
    async with bench.target() as target:
        made = await create(target, stream, bench.contents(stream, 1))
        await bench.fail_next("throttled_for_a_day")
        with pytest.raises(TryLater):
            await target.remove(stream, made, action)
    assert await bench.is_shown(stream, made[0].target_id)


class RemovalContract(Contract):
    """`standing`, `remove` and `restore`."""

    side = "writes"
    pytestmark = pytest.mark.asyncio

    def _actions(self, stream: Stream) -> list[Action]:
        return [each.action for each in self.connector.writes[stream].removals]

    @for_streams(_removes, _NEVER)
    async def test_standing_tells_of_those_that_are_there(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        async with bench.target() as target:
            made = await create(target, stream, bench.contents(stream, 2))
            standing = await target.standing(stream, [*made, _ABSENT])
        assert set(standing) == {each.source_id for each in made}
        assert travelled(standing) == standing

    @for_streams(_removes, _NEVER)
    async def test_what_is_removed_is_shown_no_more_and_its_neighbours_are(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        actions = self._actions(stream)
        async with bench.target() as target:
            made = await create(target, stream, bench.contents(stream, len(actions) + 1))
            for each, action in zip(made, actions, strict=False):
                assert await bench.is_shown(stream, each.target_id)
                for _ in range(2):
                    applied(await target.remove(stream, [each], action))
        shown = [await bench.is_shown(stream, each.target_id) for each in made]
        assert shown == [False] * len(actions) + [True]

    @for_streams(_deletes, "nothing is deleted for good")
    async def test_what_is_deleted_is_gone(self, bench: TargetBench, stream: Stream) -> None:
        async with bench.target() as target:
            made = await create(target, stream, bench.contents(stream, 2))
            applied(await target.remove(stream, made[:1], Action.DELETE))
            assert set(await target.standing(stream, made)) == {made[1].source_id}
            assert set(await target.get(stream, [each.target_id for each in made])) == {
                made[1].target_id
            }
            [content] = bench.contents(stream, 1)
            again = operations(stream, [content], target_id=made[0].target_id)
            if not self.connector.writes[stream].idempotent:
                assert refused(await target.write(stream, again))["1"].gone

    @for_streams(_removes, _NEVER)
    async def test_removing_what_is_gone_already_is_applied(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        async with bench.target() as target:
            for action in self._actions(stream):
                absent = replace(_ABSENT, target_id=NOWHERE, key=NOWHERE)
                applied(await target.remove(stream, [absent], action))

    @for_streams(_undoes, "what is removed cannot be brought back")
    async def test_what_is_brought_back_stands_as_before(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        action = next(each.action for each in self.connector.writes[stream].removals if each.undo)
        async with bench.target() as target:
            made = await create(target, stream, bench.contents(stream, 2))
            ids = [each.target_id for each in made]
            before = await target.get(stream, ids)
            standing = await target.standing(stream, made)
            applied(await target.remove(stream, made, action))
            back = [replace(each, before=standing[each.source_id]) for each in made]
            for _ in range(2):
                applied(await target.restore(stream, back[:1]))
            after = await target.get(stream, ids[:1])
            assert await target.standing(stream, made[:1]) == {
                made[0].source_id: standing[made[0].source_id]
            }
        assert after[ids[0]].content == before[ids[0]].content
        assert [await bench.is_shown(stream, each) for each in ids] == [True, False]

    @for_streams(_undoes, "what is removed cannot be brought back")
    async def test_bringing_back_what_is_gone_says_so(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        async with bench.target() as target:
            made = await create(target, stream, bench.contents(stream, 1))
            standing = await target.standing(stream, made)
            if _deletes(self.connector.writes[stream]):
                applied(await target.remove(stream, made, Action.DELETE))
                back = replace(made[0], before=standing[made[0].source_id])
            else:
                back = replace(_ABSENT, before=standing[made[0].source_id])
            [answer] = refused(await target.restore(stream, [back])).values()
        assert (answer.code, answer.gone) == ("gone", True)

    # --- whose record it is ---------------------------------------------------------------------

    @for_streams(_knows_ours, "records do not show whose they are")
    async def test_a_record_that_shows_the_key_of_another_is_left_alone(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        """The ledger says one thing and the record another: an id was used again."""
        async with bench.target() as target:
            [made] = await create(target, stream, bench.contents(stream, 1))
            for action in self._actions(stream):
                wrong = replace(made, source_id="77", key=key(stream, "77"))
                answers = refused(await target.remove(stream, [wrong], action))
                assert answers["77"].code == "not_ours"
        assert await bench.is_shown(stream, made.target_id)

    @for_streams(_deletes_ours, "records do not show whose they are, or are never deleted")
    async def test_a_record_that_does_not_show_our_key_is_not_deleted(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        foreign = await bench.foreign(stream)
        theirs = Withdrawal(source_id="1", target_id=foreign, key=key(stream, "1"))
        async with bench.target() as target:
            answers = refused(await target.remove(stream, [theirs], Action.DELETE))
        assert answers["1"].code == "not_ours"
        assert await bench.is_shown(stream, foreign)

    # --- failures -------------------------------------------------------------------------------

    @for_streams(_removes, _NEVER)
    async def test_a_store_that_is_closed_has_lost_nothing(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        async with bench.target() as target:
            made = await create(target, stream, bench.contents(stream, 1))
            await bench.fail_next("throttled_for_a_day")
            with pytest.raises(TryLater):
                await target.standing(stream, made)

    @for_streams(_archives, "nothing is archived")
    async def test_where_the_store_is_closed_nothing_is_archived(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        await _knock_in_vain(bench, stream, Action.ARCHIVE)

    @for_streams(_deletes, "nothing is deleted for good")
    async def test_where_the_store_is_closed_nothing_is_deleted(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        await _knock_in_vain(bench, stream, Action.DELETE)

    @for_streams(_removes, _NEVER)
    async def test_after_a_lost_answer_a_removal_may_be_sent_again(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        actions = self._actions(stream)
        async with bench.target() as target:
            made = await create(target, stream, bench.contents(stream, len(actions) + 1))
            for each, action in zip(made, actions, strict=False):
                await bench.fail_next("lost_answer")
                await _remove_in_the_end(target, stream, [each], action)
        shown = [await bench.is_shown(stream, each.target_id) for each in made]
        assert shown == [False] * len(actions) + [True]

    @for_streams(_removes, _NEVER)
    async def test_nothing_is_removed_once_the_caller_may_not_any_more(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        async with bench.target() as target:
            made = await create(target, stream, bench.contents(stream, 1))
            for action in self._actions(stream):
                with permitted_by(forbid), pytest.raises(TooLate):
                    await target.remove(stream, made, action)
        assert await bench.is_shown(stream, made[0].target_id)

    @for_streams(_removes, _NEVER)
    async def test_removing_disturbs_nobody(self, bench: TargetBench, stream: Stream) -> None:
        actions = self._actions(stream)
        async with bench.target() as target:
            before = await target.loud()
            await target.mute(before)
            made = await create(target, stream, bench.contents(stream, len(actions)))
            for each, action in zip(made, actions, strict=True):
                [outcome] = await target.remove(stream, [each], action)
                assert isinstance(outcome, Applied)
            await target.unmute(before)
        assert not any((await bench.side_effects()).values())
