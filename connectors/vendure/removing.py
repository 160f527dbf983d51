"""Taking records off the target, and bringing archived ones back.

Vendure keeps what it deletes out of sight, where nothing brings it back. An archived product is a
disabled one. A collection takes those within it along, and so is left alone while it has any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.base import Action, Json, Withdrawal
from connectors.concurrency import together
from connectors.keys import is_anothers
from connectors.records import Stream
from connectors.vendure.api import Api, GoneError, decoder
from connectors.vendure.documents import KINDS, listing
from connectors.vendure.documents_writing import UPDATE_PRODUCT, delete
from connectors.vendure.loading import Loader
from connectors.vendure.parts import KEY, custom, is_id
from connectors.vendure.shop import has_keys
from connectors.vendure.walking import Position, Question, Walker
from connectors.vendure.wire import Custom, Wire, WireId
from connectors.withdrawals import Answer, carried_out, not_ours, not_there, turned_down

_PAGE = 100
_CHILDREN = "Vendure would delete the collections within it as well: move them first."


class _Standing(Wire):
    """What has to be known of a record before it is taken away."""

    id: str
    enabled: bool | None = None
    children: list[WireId] | None = None
    custom_fields: Custom = None


class _Deleted(Wire):
    result: str
    message: str | None = None


_Rows = Mapping[str, _Standing]


class Remover:
    """Removals and restorations on one store. Everything here may be sent twice."""

    def __init__(self, api: Api, loader: Loader, walker: Walker) -> None:
        self._api = api
        self._loader = loader
        self._walker = walker

    async def standing(self, stream: Stream, withdrawals: Sequence[Withdrawal]) -> dict[str, Json]:
        """Whether each record that is there is enabled, by source id. Raises `StoreError`."""
        rows = await self._rows(stream, withdrawals)
        return {
            each.source_id: {} if row.enabled is None else {"enabled": row.enabled}
            for each in withdrawals
            if (row := rows.get(each.target_id)) is not None
        }

    async def remove(
        self, stream: Stream, withdrawals: Sequence[Withdrawal], action: Action
    ) -> list[Answer]:
        """One answer for each. Raises `StoreError` where it is not known what became of one."""
        rows = await self._rows(stream, withdrawals)

        async def one(withdrawal: Withdrawal) -> Answer:
            row = rows.get(withdrawal.target_id)
            if row is None:
                return carried_out(withdrawal)
            if _is_strange(withdrawal, row, action):
                return not_ours(withdrawal)
            if row.children:
                return turned_down(withdrawal, "has_children", _CHILDREN)
            if action is Action.DELETE:
                return await self._delete(stream, withdrawal)
            return await self._enable(withdrawal, row, wanted=False)

        return await together([one(each) for each in withdrawals])

    async def restore(self, stream: Stream, withdrawals: Sequence[Withdrawal]) -> list[Answer]:
        """Show products again that were shown before. Raises `StoreError`."""
        rows = await self._rows(stream, withdrawals)

        async def one(withdrawal: Withdrawal) -> Answer:
            row = rows.get(withdrawal.target_id)
            if row is None:
                return not_there(withdrawal)
            return await self._enable(withdrawal, row, wanted=bool(withdrawal.before["enabled"]))

        return await together([one(each) for each in withdrawals])

    async def _enable(self, withdrawal: Withdrawal, row: _Standing, *, wanted: bool) -> Answer:
        if row.enabled is not wanted:
            body = {"id": row.id, "enabled": wanted}
            try:
                await self._api.ask(UPDATE_PRODUCT, dict[str, WireId], {"input": body})
            except GoneError:
                return carried_out(withdrawal)
        return carried_out(withdrawal)

    async def _delete(self, stream: Stream, withdrawal: Withdrawal) -> Answer:
        given = {"id": withdrawal.target_id}
        try:
            answer = await self._api.ask(delete(stream), dict[str, _Deleted], given)
        except GoneError:
            return carried_out(withdrawal)
        [found] = answer.values()
        if found.result != "DELETED":
            return turned_down(withdrawal, "store_rejected", "The store does not delete it.")
        return carried_out(withdrawal)

    async def _rows(self, stream: Stream, withdrawals: Sequence[Withdrawal]) -> _Rows:
        """The records that are there, by target id."""
        ids = sorted({each.target_id for each in withdrawals if is_id(each.target_id)})
        if not ids:
            return {}
        kind = KINDS[stream]
        keys = has_keys(await self._loader.shop(), kind.entity)
        shown = "id"
        shown += {Stream.PRODUCTS: " enabled", Stream.CATEGORIES: " children { id }"}.get(
            stream, ""
        )
        shown += f" customFields {{ {KEY} }}" if keys else ""
        asked = {"filter": {"id": {"in": ids}}}
        question = Question(listing(kind, shown), kind.list, asked)
        steps = self._walker.walk(question, _PAGE, Position())
        decode = decoder(_Standing).decode
        rows: list[_Standing] = [decode(raw) async for step in steps for raw in step.rows]
        return {each.id: each for each in rows}


def _is_strange(withdrawal: Withdrawal, row: _Standing, action: Action) -> bool:
    """Whether a record shows that it is not the one meant."""
    found = custom(row.custom_fields, KEY)
    if action is Action.DELETE:
        return found != withdrawal.key
    return is_anothers(found or None, withdrawal.key)
