"""Taking records off the target, and bringing archived ones back.

An archived product is a draft: it keeps its handle, its SKUs and its stock. What is deleted is kept
by Medusa as deleted, but no API brings it back. Orders cannot be taken away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from msgspec import Struct

from connectors.base import Action, Json, Withdrawal
from connectors.concurrency import together
from connectors.keys import is_anothers
from connectors.medusa.api import Api, Asked, RefusedRequest
from connectors.medusa.fields import PATHS
from connectors.medusa.parts import KEY, text_of
from connectors.medusa.wire import Metadata
from connectors.records import Stream
from connectors.withdrawals import Answer, carried_out, not_ours, not_there, turned_down

_PUBLISHED = "published"
_FIELDS = {
    Stream.PRODUCTS: "id,status,external_id",
    Stream.CATEGORIES: "id,external_id",
    Stream.CUSTOMERS: "id,metadata",
}


class _Standing(Struct):
    """What has to be known of a record of any stream before it is taken away."""

    id: str
    status: str = ""
    external_id: str | None = None
    metadata: Metadata = None

    @property
    def key(self) -> str | None:
        """Our key, where it shows one."""
        return self.external_id or text_of(self.metadata, KEY) or None


_Rows = Mapping[str, _Standing]


class Remover:
    """Removals and restorations on one store. Everything here may be sent twice."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._deleting = asyncio.Lock()

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
            strange = row.key != withdrawal.key
            if strange and (action is Action.DELETE or is_anothers(row.key, withdrawal.key)):
                return not_ours(withdrawal)
            if action is Action.ARCHIVE:
                hidden = row.status != _PUBLISHED
                return carried_out(withdrawal) if hidden else await self._set(withdrawal, "draft")
            return await self._delete(stream, withdrawal)

        return await together([one(each) for each in withdrawals])

    async def restore(self, stream: Stream, withdrawals: Sequence[Withdrawal]) -> list[Answer]:
        """Former statuses. Raises `StoreError` where it is not known what became of one."""
        rows = await self._rows(stream, withdrawals)

        async def one(withdrawal: Withdrawal) -> Answer:
            if withdrawal.target_id not in rows:
                return not_there(withdrawal)
            return await self._set(withdrawal, withdrawal.before["status"])

        return await together([one(each) for each in withdrawals])

    async def _set(self, withdrawal: Withdrawal, status: str) -> Answer:
        path = f"products/{withdrawal.target_id}"
        return await self._answer(withdrawal, "POST", path, {"status": status})

    async def _delete(self, stream: Stream, withdrawal: Withdrawal) -> Answer:
        """One after the other: Medusa numbers all categories of one parent with each."""
        path = f"{PATHS[stream]}/{withdrawal.target_id}"
        async with self._deleting:
            return await self._answer(withdrawal, "DELETE", path, None)

    async def _answer(
        self, withdrawal: Withdrawal, method: str, path: str, body: dict[str, str] | None
    ) -> Answer:
        try:
            await self._api.send(method, path, body, dict[str, Any], repeatable=True)
        except RefusedRequest as error:
            if error.status != HTTPStatus.NOT_FOUND:
                return turned_down(withdrawal, error.code, error.message)
        return carried_out(withdrawal)

    async def _rows(self, stream: Stream, withdrawals: Sequence[Withdrawal]) -> _Rows:
        """The records that are there, by target id."""
        ids = sorted({each.target_id for each in withdrawals})
        asked: Asked = {"id[]": ids, "fields": _FIELDS[stream], "limit": len(ids)}
        page = await self._api.list(PATHS[stream], asked, _Standing)
        return {row.id: row for row in page.rows}
