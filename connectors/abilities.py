"""What a source or a target can do besides, where its platform lets it.

Whoever needs one asks with `isinstance`. Others that are as optional stand with what they tell:
`connectors.cms`, `connectors.desk`, `connectors.grants`, `connectors.shopper`, `connectors.traces`,
`connectors.pages` and `connectors.redirects`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from connectors.base import Extent, Json, Page, StoreReport, Traffic
from connectors.records import Stream


@runtime_checkable
class TellsDeletions(Protocol):
    """What a source has besides, where its platform can say what was deleted."""

    async def deleted(self, stream: Stream, since: datetime) -> frozenset[str]:
        """Ids that the store calls deleted since a moment; empty where this store does not say.

        It is a reason to ask for them one by one, and no proof. Raises `StoreError`.
        """
        ...


@runtime_checkable
class ReadsWhole(Protocol):
    """What it takes to read a store from its first record to its last. Every source does; a target
    on a platform without sources may.
    """

    def traffic(self) -> Traffic:
        """As in `Source`."""
        ...

    async def check(self) -> StoreReport:
        """As in `Source`."""
        ...

    async def count(self, stream: Stream, extent: Extent) -> int | None:
        """As in `Source`."""
        ...

    async def split(self, stream: Stream, extent: Extent, parts: int) -> list[Json]:
        """As in `Source`."""
        ...

    def read(
        self, stream: Stream, extent: Extent, part: Json, resume: Json | None
    ) -> AsyncGenerator[Page, None]:
        """As in `Source`."""
        ...


@runtime_checkable
class ShowsMetadata(Protocol):
    """What a source has besides, where records hold fields that are no part of their content."""

    async def metadata(
        self, stream: Stream, ids: Sequence[str], wanted: Collection[str]
    ) -> dict[str, dict[str, str]]:
        """Text values by record and field, without what is not there. Raises `StoreError`."""
        ...


@runtime_checkable
class Tallies(Protocol):
    """What a source has besides, where it can count records that lie within others by listing the
    others alone: levels of stock by their products.
    """

    async def tally(self, stream: Stream, pages: int) -> int | None:
        """How many records a sweep delivers, by reading at most so many pages; None where they
        are too few, or the store does not say. Raises `StoreError`.
        """
        ...


@runtime_checkable
class ProvesSilence(Protocol):
    """What a target has besides, where something of the store itself keeps it silent."""

    async def prove_silence(self, before: Json) -> None:
        """Prove that what `mute` relied on is there still; `before` is what `loud` answered.

        Raises `BadAnswer` where it is not: nothing may be written then. Raises `StoreError`.
        """
        ...
