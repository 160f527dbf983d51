"""Taking records off the target, and bringing archived ones back.

An archived product is a draft, not in the trash: the trash gives its address and SKU away, is
emptied after a month, and keeps the variations when the product is brought back over the API. An
order has no draft that people would not take for a cart: it goes to the trash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Raw, Struct

from connectors.base import Action, Json, Sweep, Withdrawal
from connectors.concurrency import together
from connectors.errors import BadAnswer
from connectors.keys import is_anothers
from connectors.records import Stream
from connectors.withdrawals import Answer, carried_out, not_ours, not_there, turned_down
from connectors.woocommerce.api import BATCH_LIMIT, Api, Listing, RefusedRequest, says_gone
from connectors.woocommerce.batches import Body, send_batch
from connectors.woocommerce.lists import PAGE, PATHS, names, query
from connectors.woocommerce.pairing import carried_key
from connectors.woocommerce.wire import Metas

_FIELDS = "id,status,created_via,meta_data"
_PUBLIC = frozenset({"publish", "future"})


class _Standing(Struct, gc=False):
    """What has to be known of a record of any stream before it is taken away."""

    id: int
    status: str | None = None
    created_via: str | None = None
    meta_data: Metas = []


_Rows = Mapping[str, _Standing]


class Remover:
    """Removals and restorations on one store. Everything here may be sent twice."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def standing(self, stream: Stream, withdrawals: Sequence[Withdrawal]) -> dict[str, Json]:
        """The status of each record that is there, by source id. Raises `StoreError`."""
        rows = await self._rows(stream, withdrawals)
        return {
            each.source_id: {"status": row.status} if row.status else {}
            for each in withdrawals
            if (row := rows.get(each.target_id)) is not None
        }

    async def remove(
        self, stream: Stream, withdrawals: Sequence[Withdrawal], action: Action
    ) -> list[Answer]:
        """One answer for each. Raises `StoreError` where it is not known what became of one."""
        rows = await self._rows(stream, withdrawals)
        answers = [
            not_ours(each)
            for each in withdrawals
            if _is_strange(stream, each, rows.get(each.target_id), action)
        ]
        strange = {each.source_id for each in answers}
        ours = [each for each in withdrawals if each.source_id not in strange]
        there = [each for each in ours if each.target_id in rows]
        absent = [carried_out(each) for each in ours if each.target_id not in rows]
        if action is Action.ARCHIVE and stream is Stream.PRODUCTS:
            return [*answers, *absent, *await self._unpublish(there, rows)]
        force = action is Action.DELETE
        gone = await together([self._delete(stream, each, force=force) for each in there])
        return [*answers, *absent, *gone]

    async def restore(self, stream: Stream, withdrawals: Sequence[Withdrawal]) -> list[Answer]:
        """Former statuses. Raises `StoreError` where it is not known what became of one."""
        bodies = [
            (each, {"id": int(each.target_id), "status": each.before["status"]})
            for each in withdrawals
        ]
        return [
            not_there(each)
            if isinstance(item, RefusedRequest) and says_gone(item)
            else _judged(each, item)
            for each, item in await self._update(stream, bodies)
        ]

    async def _unpublish(self, withdrawals: Sequence[Withdrawal], rows: _Rows) -> list[Answer]:
        public = [each for each in withdrawals if rows[each.target_id].status in _PUBLIC]
        hidden = [carried_out(each) for each in withdrawals if each not in public]
        bodies = [(each, {"id": int(each.target_id), "status": "draft"}) for each in public]
        found = await self._update(Stream.PRODUCTS, bodies)
        return [*hidden, *(_judged(each, item) for each, item in found)]

    async def _update(
        self, stream: Stream, bodies: Sequence[tuple[Withdrawal, Body]]
    ) -> list[tuple[Withdrawal, Raw | RefusedRequest]]:
        found: list[tuple[Withdrawal, Raw | RefusedRequest]] = []
        for start in range(0, len(bodies), BATCH_LIMIT):
            some = bodies[start : start + BATCH_LIMIT]
            batch = await send_batch(self._api, PATHS[stream], update=[body for _, body in some])
            found += zip([each for each, _ in some], batch.updated, strict=True)
        return found

    async def _delete(self, stream: Stream, withdrawal: Withdrawal, *, force: bool) -> Answer:
        try:
            await self._api.delete(f"{PATHS[stream]}/{withdrawal.target_id}", force=force)
        except RefusedRequest as error:
            return _judged(withdrawal, error)
        return carried_out(withdrawal)

    async def _rows(self, stream: Stream, withdrawals: Sequence[Withdrawal]) -> _Rows:
        """The records that are there, by target id: what no list shows is asked for alone."""
        numbers = sorted({int(each.target_id) for each in withdrawals})
        asked = [
            query(stream, name, Sweep())
            | {"include": ",".join(map(str, some)), "per_page": PAGE, "_fields": _FIELDS}
            for some in (numbers[at : at + PAGE] for at in range(0, len(numbers), PAGE))
            for name in names(stream, Sweep())
        ]
        pages: list[Listing[_Standing]] = await together(
            [self._api.list(PATHS[stream], each, _Standing) for each in asked]
        )
        if any(page.failed for page in pages):
            raise BadAnswer("a record has an unknown form")
        rows = {row.id: row for page in pages for row in page.rows}
        alone = await together(
            [self._alone(stream, number) for number in numbers if number not in rows]
        )
        rows |= {row.id: row for row in alone if row is not None}
        return {str(number): row for number, row in rows.items()}

    async def _alone(self, stream: Stream, number: int) -> _Standing | None:
        try:
            return await self._api.get(f"{PATHS[stream]}/{number}", _Standing)
        except RefusedRequest as error:
            if not says_gone(error):
                raise
            return None


def _is_strange(
    stream: Stream, withdrawal: Withdrawal, row: _Standing | None, action: Action
) -> bool:
    """Whether a record shows that it is not the one meant. Categories show nothing."""
    if row is None or stream is Stream.CATEGORIES:
        return False
    found = row.created_via if stream is Stream.ORDERS else carried_key(row.meta_data)
    if action is Action.DELETE:
        return found != withdrawal.key
    return is_anothers(found, withdrawal.key)


def _judged(withdrawal: Withdrawal, item: Raw | RefusedRequest) -> Answer:
    if isinstance(item, RefusedRequest) and not says_gone(item):
        return turned_down(withdrawal, item.code, item.message)
    return carried_out(withdrawal)
