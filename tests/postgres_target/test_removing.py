"""Rows that are taken away, and brought back."""

from __future__ import annotations

import pytest

from connectors.base import Action, Withdrawal
from connectors.permit import permitted_by
from connectors.records import Stream
from tests.postgres_target.contents import operation, product


def _withdrawal(target_id: str, *, key: str = "", **before: object) -> Withdrawal:
    return Withdrawal(source_id="1", target_id=target_id, key=key or target_id, before=before)


async def _marks(shop) -> list[bool]:
    rows = await shop.fetch("SELECT removed_at IS NOT NULL AS gone FROM products")
    return [row["gone"] for row in rows]


async def test_an_archived_row_is_marked_and_comes_back_by_a_write_or_by_undoing(target, shop):
    made = operation(product())
    await target.write(Stream.PRODUCTS, [made])
    gone = [_withdrawal(made.key)]
    assert await target.standing(Stream.PRODUCTS, gone) == {"1": {"live": True}}
    await target.remove(Stream.PRODUCTS, gone, Action.ARCHIVE)
    assert await _marks(shop) == [True]
    assert await target.standing(Stream.PRODUCTS, gone) == {"1": {"live": False}}
    await target.write(Stream.PRODUCTS, [made])
    assert await _marks(shop) == [False], "the same content, and yet it is there again"
    await target.remove(Stream.PRODUCTS, gone, Action.ARCHIVE)
    await target.restore(Stream.PRODUCTS, [_withdrawal(made.key, live=False)])
    assert await _marks(shop) == [True], "it was archived before we came"
    await target.restore(Stream.PRODUCTS, [_withdrawal(made.key, live=True)])
    assert await _marks(shop) == [False]


async def test_an_archived_row_is_nobodys_match(target, shop):
    made = operation(product())
    await target.write(Stream.PRODUCTS, [made])
    other = operation(product(), source_id="8")
    assert set(await target.find(Stream.PRODUCTS, [other])) == {"8"}
    await target.remove(Stream.PRODUCTS, [_withdrawal(made.key)], Action.ARCHIVE)
    assert await target.find(Stream.PRODUCTS, [other]) == {}


class TooLate(Exception):
    """What a caller's check raises."""


async def test_nothing_is_removed_once_the_caller_may_not_write_any_more(target, shop):
    def check() -> None:
        raise TooLate

    made = operation(product())
    await target.write(Stream.PRODUCTS, [made])
    gone = [_withdrawal(made.key, live=True)]
    for action in (Action.ARCHIVE, Action.DELETE):
        with permitted_by(check), pytest.raises(TooLate):
            await target.remove(Stream.PRODUCTS, gone, action)
        assert await _marks(shop) == [False]
    await target.remove(Stream.PRODUCTS, gone, Action.ARCHIVE)
    with permitted_by(check), pytest.raises(TooLate):
        await target.restore(Stream.PRODUCTS, gone)
    assert await _marks(shop) == [True]


async def test_rows_of_others_are_not_deleted_and_what_is_gone_is_not_brought_back(target, shop):
    made = operation(product())
    await target.write(Stream.PRODUCTS, [made])
    strange = [_withdrawal(made.key, key="another")]
    [refused] = await target.remove(Stream.PRODUCTS, strange, Action.DELETE)
    assert refused.code == "not_ours"
    assert await _marks(shop) == [False]
    for _ in range(2):
        await target.remove(Stream.PRODUCTS, [_withdrawal(made.key)], Action.DELETE)
    assert await _marks(shop) == []
    [answer] = await target.restore(Stream.PRODUCTS, [_withdrawal(made.key, live=True)])
    assert answer.code == "gone"
