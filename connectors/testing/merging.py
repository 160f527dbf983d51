"""Merging: the engine leaves people's edits alone by what `get` and the answers to writes say."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from connectors.base import WriteCapability
from connectors.errors import StoreError
from connectors.records import Stream
from connectors.testing.bench import TargetBench
from connectors.testing.operations import WRITTEN, applied, operations, renamed, retold
from connectors.testing.promises import Contract, for_streams
from connectors.testing.windows import NOWHERE

_MIRROR = "nobody asks what this target holds, it mirrors the source"


def _merges(capability: WriteCapability) -> bool:
    return capability.merges


class MergeContract(Contract):
    """What a target says that it holds."""

    side = "writes"
    pytestmark = pytest.mark.asyncio

    @for_streams(among=WRITTEN)
    async def test_single_records_are_read_back_by_the_targets_ids(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        sent = operations(stream, bench.contents(stream, 3))
        async with bench.target() as target, bench.reader() as reader:
            made = applied(await target.write(stream, sent))
            ids = [each.target_id for each in made.values()]
            found = await target.get(stream, [*ids[:2], NOWHERE])
            seen = await reader.get(stream, ids[:2])
        assert {key: each.content for key, each in found.items()} == {
            key: each.content for key, each in seen.items()
        }
        assert set(found) == set(ids[:2])

    @for_streams(among=WRITTEN)
    async def test_a_record_that_cannot_be_looked_up_is_not_gone(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        async with bench.target() as target:
            made = applied(
                await target.write(stream, operations(stream, bench.contents(stream, 1)))
            )
            await bench.fail_next("throttled_for_a_day")
            with pytest.raises(StoreError):
                await target.get(stream, [made["1"].target_id])

    @for_streams(_merges, _MIRROR, among=WRITTEN)
    async def test_the_answer_to_a_write_shows_what_a_look_shows(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        [content] = bench.contents(stream, 1)
        [create] = operations(stream, [content])
        changed, name = retold(content, "Other words")
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

    @for_streams(_merges, _MIRROR, among=WRITTEN)
    async def test_an_edit_is_seen_and_survives_an_update_of_something_else(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        [content] = bench.contents(stream, 1)
        [create] = operations(stream, [content])
        lost = frozenset(loss.field for loss in self.connector.writes[stream].losses)
        changed, name = renamed(content, "Elsewhere", lost)
        async with bench.target() as target:
            made = applied(await target.write(stream, [create]))["1"]
            before = (await target.get(stream, [made.target_id]))[made.target_id].content
            await bench.edit(stream, made.target_id, "By hand")
            edited = (await target.get(stream, [made.target_id]))[made.target_id].content
            update = replace(
                create,
                content=changed,
                target_id=made.target_id,
                children=made.children,
                changed=frozenset({name}),
            )
            applied(await target.write(stream, [update]))
            after = (await target.get(stream, [made.target_id]))[made.target_id].content
        assert edited == retold(before, "By hand")[0]
        assert after == renamed(edited, "Elsewhere", lost)[0]
