"""What the suite has to know about a store: how to fill, change, break and look at it.

A connector's tests supply a fixture `bench` with these methods; one class may serve both sides.
Where a capability is not declared, what only its tests call may be left out. `faults` has a proxy
that does `fail_next` for any store that speaks HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from connectors.base import Source, Target
from connectors.records import Content, Stream


class SourceBench(Protocol):
    """A store to read from, as a test sees it. It is new and empty at the start of a test."""

    def source(self) -> AbstractAsyncContextManager[Source]:
        """The connector's source, with pages of about five records."""
        ...

    async def shut_out(self) -> AbstractAsyncContextManager[Source]:
        """A source whose credentials are wrong."""
        ...

    async def fill(self, stream: Stream, count: int) -> list[str]:
        """Make this many records, some of them with equal stamps; their ids."""
        ...

    async def fill_old(self, stream: Stream, created: datetime) -> tuple[str, str]:
        """Make a closed and an open record of that date; their ids. For `horizon`."""
        ...

    async def change(self, stream: Stream, ids: Sequence[str]) -> None:
        """Change these records so that the store moves their stamps."""
        ...

    async def remove(self, stream: Stream, ids: Sequence[str]) -> None:
        """Delete for good."""
        ...

    async def pass_time(self, seconds: float) -> None:
        """Let at least so much time go by on the store's clock."""
        ...

    async def now(self) -> datetime:
        """The store's clock."""
        ...

    async def fail_next(self, how: str) -> None:
        """The next request meets `throttled`, `throttled_for_a_day`, `server_error`, `cut_off`,
        `web_page` or `half_json`; it is refused, which is no answer to the question, as a
        `bad_request` (400), `forbidden` (403) or `not_found` (404). Or the next one that asks for
        what changed since a moment meets a store that `ignores_filter`: it shows all there is.
        """
        ...


class TargetBench(Protocol):
    """A store to write to, as a test sees it. It is new and empty at the start of a test."""

    def target(self) -> AbstractAsyncContextManager[Target]:
        """The connector's target."""
        ...

    def locked_out(self) -> AbstractAsyncContextManager[Target]:
        """A target whose credentials are wrong."""
        ...

    def reader(self) -> AbstractAsyncContextManager[Source]:
        """A source on the same store, to see what became of it; `read` and `get` are enough."""
        ...

    def contents(self, stream: Stream, count: int) -> list[Content]:
        """Records as they could come from any source; references resolved."""
        ...

    def impossible(self, stream: Stream) -> Content | None:
        """A record that the platform refuses, or None where it takes everything."""
        ...

    async def edit(self, stream: Stream, target_id: str, text: str) -> None:
        """What a person of the launch team does: give a product or category another description,
        a customer another last name, an order another note. For `merges`.
        """
        ...

    async def foreign(self, stream: Stream) -> str:
        """Make a record that somebody else made, without a key of ours; its id. For `removals`."""
        ...

    async def is_shown(self, stream: Stream, target_id: str) -> bool:
        """Whether a record is there and not archived, seen without the connector."""
        ...

    async def fail_next(self, how: str) -> None:
        """The next request meets `throttled` or `throttled_for_a_day`; or the next one that
        writes meets `lost_answer`: applied, but nobody hears of it.
        """
        ...

    async def side_effects(self) -> dict[str, int]:
        """Mails, stock movements and payments that the store made on its own."""
        ...
