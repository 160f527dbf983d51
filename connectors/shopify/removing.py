"""Taking records off the target, and bringing archived ones back.

An archived product keeps its address, its SKU and its place in old orders. Nothing else can be
archived; a customer with orders and an order that was paid through Shopify cannot even be deleted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Raw, field

from connectors.base import Action, Json, Withdrawal
from connectors.concurrency import together
from connectors.keys import is_anothers
from connectors.records import Stream
from connectors.shopify.api import Api, Document, decoder
from connectors.shopify.changing import RefusedInput, change
from connectors.shopify.documents import KINDS
from connectors.shopify.documents_writing import UPDATE_STATUS, delete, standing
from connectors.shopify.parts import gid, number, own_key
from connectors.shopify.wire import Nodes, Wire, WireMetafield
from connectors.withdrawals import Answer, carried_out, not_ours, not_there, turned_down

_PAGE = 50
_HIDDEN = frozenset({"ARCHIVED", "DRAFT"})


class _Standing(Wire):
    """What has to be known of a record of any stream before it is taken away."""

    id: str
    status: str | None = None
    source_identifier: str | None = None
    metafields: Nodes[WireMetafield] = field(default_factory=Nodes)


class _Standings(Wire):
    nodes: list[Raw]


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

        async def one(withdrawal: Withdrawal) -> Answer:
            row = rows.get(withdrawal.target_id)
            if row is None:
                return carried_out(withdrawal)
            if _is_strange(withdrawal, row, action):
                return not_ours(withdrawal)
            if action is Action.DELETE:
                return await self._delete(stream, withdrawal, row)
            if row.status in _HIDDEN:
                return carried_out(withdrawal)
            return await self._set_status(withdrawal, row.id, "ARCHIVED")

        return await together([one(each) for each in withdrawals])

    async def restore(self, stream: Stream, withdrawals: Sequence[Withdrawal]) -> list[Answer]:
        """Former statuses of products. Raises `StoreError`."""
        rows = await self._rows(stream, withdrawals)

        async def one(withdrawal: Withdrawal) -> Answer:
            row = rows.get(withdrawal.target_id)
            if row is None:
                return not_there(withdrawal)
            return await self._set_status(withdrawal, row.id, str(withdrawal.before["status"]))

        return await together([one(each) for each in withdrawals])

    async def _set_status(self, withdrawal: Withdrawal, target: str, status: str) -> Answer:
        product = {"id": target, "status": status}
        return await self._judged(withdrawal, UPDATE_STATUS, {"product": product})

    async def _delete(self, stream: Stream, withdrawal: Withdrawal, row: _Standing) -> Answer:
        return await self._judged(withdrawal, delete(stream), {"id": row.id})

    async def _judged(self, withdrawal: Withdrawal, document: Document, variables: Json) -> Answer:
        try:
            await change(self._api, document, variables)
        except RefusedInput as error:
            if not error.gone:
                return turned_down(withdrawal, error.code, error.message)
        return carried_out(withdrawal)

    async def _rows(self, stream: Stream, withdrawals: Sequence[Withdrawal]) -> _Rows:
        """The records that are there, by target id."""
        ids = sorted({each.target_id for each in withdrawals if each.target_id.isdecimal()})
        gids = [gid(KINDS[stream].type, each) for each in ids]
        found: dict[str, _Standing] = {}
        for start in range(0, len(gids), _PAGE):
            some = {"ids": gids[start : start + _PAGE]}
            answer = await self._api.ask(standing(stream), _Standings, some)
            for raw in answer.nodes:
                if bytes(raw) != b"null":
                    row: _Standing = decoder(_Standing).decode(raw)
                    found[number(row.id)] = row
        return found


def _is_strange(withdrawal: Withdrawal, row: _Standing, action: Action) -> bool:
    """Whether a record shows that it is not the one meant."""
    found = own_key(row.metafields.nodes) or row.source_identifier or ""
    if action is Action.DELETE:
        return found != withdrawal.key
    return is_anothers(found, withdrawal.key)
