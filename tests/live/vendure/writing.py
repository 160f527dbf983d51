"""What the tests of writing to a Vendure store have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from connectors.base import Applied, Operation, Outcome, Refused
from connectors.records import Content, Order, RefundLine, Stream
from connectors.testing.contents import gbp, line, order, refund
from connectors.testing.operations import applied, operations
from connectors.vendure.target import VendureTarget
from tests.live.vendure.store import VendureStore


async def write(target: VendureTarget, stream: Stream, *contents: Content) -> list[Applied]:
    """Write records that have to be taken; in order."""
    made = applied(await target.write(stream, operations(stream, contents)))
    return [made[each] for each in sorted(made, key=int)]


def again(stream: Stream, content: Content, made: Applied, **values: Any) -> list[Operation]:
    """The same record once more, as an update."""
    [operation] = operations(stream, [content])
    return [replace(operation, target_id=made.target_id, children=made.children, **values)]


async def rows(store: VendureStore, table: str) -> int:
    """How many rows a table has."""
    found: int = await store.database.fetchval(f'SELECT count(*) FROM "{table}"')  # noqa: S608
    return found


def refused(outcomes: Sequence[Outcome]) -> str:
    """The code by which the only record was refused."""
    [outcome] = outcomes
    assert isinstance(outcome, Refused)
    return outcome.code


def rich(**values: Any) -> Order:
    """An order with a bit of everything."""
    mug = line(1, quantity=3, total=gbp("9"), subtotal=gbp("10"), tax=gbp("1.81"))
    back = refund(5, "4.20", RefundLine(line="1", quantity=1, total=gbp("3"), tax=gbp("0.60")))
    fields = {"lines": (mug,), "fees": (), "refunds": (back,), "total": gbp("15.01")}
    return order(1, **fields | {"tax_total": gbp("1.81"), "discount_total": gbp("1")} | values)
