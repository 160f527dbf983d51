"""Reading a whole stream by a bulk operation: the store writes a file, and we read that.

A part of a pass has a mark of its own, and the operation it starts carries that mark as its name.
So an operation whose id was lost in a crash is found again and adopted, and no other operation
is ever taken for ours or cancelled.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import ExitStack
from io import BytesIO
from typing import IO, Any

import httpx

from connectors.errors import BadAnswer, SignInAgain, TryLater, Unreachable
from connectors.records import Stream
from connectors.shopify.api import DENIED, Api, UserError
from connectors.shopify.bulk_lines import Lines
from connectors.shopify.documents import BULK_CANCEL, BULK_LATEST, BULK_START, BULK_STATE, bulk
from connectors.shopify.files import Files
from connectors.shopify.parts import utc
from connectors.shopify.settings import ShopifySettings
from connectors.shopify.wire import Nodes, Wire, WireId, WireOperation

_BUSY = frozenset({"OPERATION_IN_PROGRESS", "LIMIT_REACHED"})
_GOING = frozenset({"CREATED", "RUNNING", "CANCELING"})
_SHORTEST_PAUSE = 0.5
_LONGEST_PAUSE = 5.0


class NoBulkError(BadAnswer):
    """The operation gave nothing that is whole: the records have to be read page by page."""

    default_code = "bulk_failed"


class _Started(Wire):
    bulk_operation: WireId | None = None
    user_errors: list[UserError] = []  # noqa: RUF012  msgspec copies it


class _Start(Wire):
    bulk_operation_run_query: _Started


class _State(Wire):
    bulk_operation: WireOperation | None = None


class _Latest(Wire):
    one: Nodes[WireOperation]
    other: Nodes[WireOperation]


class BulkReader:
    """Starts, watches and reads bulk operations of one store."""

    def __init__(self, api: Api, settings: ShopifySettings, files: Files) -> None:
        self._api = api
        self._settings = settings
        self._files = files

    async def begin(self, stream: Stream, mark: str) -> str:
        """The id of the operation of this mark: of one that runs or ran already, else of a new
        one. Raises `TryLater` where the store runs as many as it lets.
        """
        name = f"query {mark}{{"
        latest = await self._api.ask(BULK_LATEST, _Latest)
        for each in (*latest.one.nodes, *latest.other.nodes):
            if each.query.lstrip().startswith(name):
                return each.id
        answer = await self._api.ask(BULK_START, _Start, {"query": bulk(stream, mark)})
        started = answer.bulk_operation_run_query
        codes = {each.code for each in started.user_errors}
        if codes & _BUSY:
            raise TryLater("the store runs other bulk operations", after=60.0, code="store_busy")
        if started.bulk_operation is None:
            raise NoBulkError("the store does not start the bulk operation")
        return started.bulk_operation.id

    async def state(self, operation: str) -> WireOperation:
        """How an operation stands. Raises `NoBulkError` where nothing comes of it."""
        found = (await self._api.ask(BULK_STATE, _State, {"id": operation})).bulk_operation
        if found is None:
            raise NoBulkError("the bulk operation is not there any more")
        if not is_going(found):
            _require_success(found)
        return found

    async def later(self, before: WireOperation) -> WireOperation:
        """The same after a while. One that takes too long is cancelled."""
        age = self._age(before)
        if age > self._settings.bulk_patience and before.status != "CANCELING":
            await self._api.ask(BULK_CANCEL, dict[str, Any], {"id": before.id})
        await self._api.http.pause(min(_LONGEST_PAUSE, max(_SHORTEST_PAUSE, age / 10)))
        return await self.state(before.id)

    def _age(self, state: WireOperation) -> float:
        """Seconds since it was started, by the store's clock: a crash of ours is no new start."""
        began, now = utc(state.created_at), self._api.http.server_now
        return (now - began).total_seconds() if began and now else 0.0

    async def lines(self, stream: Stream, state: WireOperation) -> Lines:
        """The file of a finished operation. Raises `NoBulkError` where it is not whole."""
        lines = Lines(stream, await self._download(state.url) if state.url else BytesIO())
        try:
            await asyncio.to_thread(lines.index)
            _require_whole(lines, state)
        except BaseException:
            lines.close()
            raise
        return lines

    async def _download(self, url: str) -> IO[bytes]:
        self._files.require_safe(url)
        return await self._files.patiently(lambda: self._fetch(url))

    async def _fetch(self, url: str) -> IO[bytes]:
        """One attempt. Nothing is left of a file that was not fetched to its end, be it that we
        were told to stop.
        """
        with ExitStack() as held:
            file = held.enter_context(tempfile.TemporaryFile())
            await self._save(url, file)
            held.pop_all()
        return file

    async def _save(self, url: str, file: IO[bytes]) -> None:
        try:
            async with self._files.client() as client, client.stream("GET", url) as response:
                if response.is_server_error:
                    raise Unreachable("the store does not give the bulk file")
                if not response.is_success:
                    raise NoBulkError("the bulk file is not there any more")
                async for chunk in response.aiter_bytes():
                    await asyncio.to_thread(file.write, chunk)
        except (httpx.HTTPError, httpx.InvalidURL):
            raise Unreachable("the bulk file was cut off", code="store_cut_off") from None


def is_going(state: WireOperation) -> bool:
    """Whether the operation is not at its end."""
    return state.status in _GOING


def _require_whole(lines: Lines, state: WireOperation) -> None:
    if (lines.count, len(lines.ids)) != (state.object_count, state.root_object_count):
        raise NoBulkError("the bulk file holds fewer records than the store counted")


def _require_success(state: WireOperation) -> None:
    if state.status == "COMPLETED":
        return
    if state.error_code == "ACCESS_DENIED":
        raise SignInAgain("the app may not read all of it", code=DENIED)
    raise NoBulkError(f"the bulk operation ended as {state.status.lower() or 'unknown'}")
