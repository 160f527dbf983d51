"""What a check stands on: both stores, the ledger, a sample, and records read once for all checks.

Memory is bounded: records that were read are kept up to a number, the oldest go first.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import autocommit
from app.models.columns import now
from connectors.base import (
    ReadCapability,
    Source,
    StoreReport,
    Target,
    WriteCapability,
)
from connectors.budget import Budgets, local_budget
from connectors.losses import Losses
from connectors.records import Content, Record, Stream
from connectors.references import references, with_target_ids
from workers.checks.records import Records
from workers.checks.sampling import Options, Pair, Sample, baseline, draw
from workers.engine import ledger
from workers.engine.run import KnownTargets, Scope
from workers.engine.stores import Stores

__all__ = ["Ground", "Options", "Pair", "Sample"]


class Ground:
    """Both stores of a migration, opened, and what is known of them.

    `source` and `target` are for what the methods here do not offer. Everything may raise
    `StoreError`. `job` is the one that looks, where one does; `clock` is our own, aware and in UTC.
    Within what `silenced` opens, the target may be written and is silent; None where a check must
    write nothing.
    """

    def __init__(
        self,
        *,
        engine: AsyncEngine,
        stores: Stores,
        source: Source,
        target: Target,
        options: Options,
        streams: Sequence[Stream] | None = None,
        job: UUID | None = None,
        budgets: Budgets = local_budget,
        clock: Callable[[], datetime] = now,
        silenced: Callable[[], AbstractAsyncContextManager[None]] | None = None,
    ) -> None:
        self.engine = engine
        self.stores = stores
        self.source = source
        self.target = target
        self.options = options
        self.job = job
        self.clock = clock
        self.silenced = silenced
        self._budgets = budgets
        self._streams = stores.scope.streams if streams is None else tuple(streams)
        self._reports: dict[str, StoreReport] = {}
        self._samples: dict[Stream, Sample] = {}
        self._since: datetime | None = None
        self._source_records = Records(source)
        self._target_records = Records(target)
        self._known = KnownTargets()
        self.memo: dict[str, Any] = {}
        """For what several checks work out alike: the first one keeps it here, by a name."""
        self.drift: dict[Stream, dict[str, frozenset[str]]] = {}
        """What comparing found, by stream and source id, since somebody last took it: the fields
        that the next run is to put back, none where a record is as it should be.
        """
        self.compared: set[tuple[Stream, str]] = set()

    @property
    def scope(self) -> Scope:
        """The migration and its policies."""
        return self.stores.scope

    @property
    def migration(self) -> UUID:
        """The migration's id."""
        return self.stores.scope.migration

    @property
    def reads(self) -> Mapping[Stream, ReadCapability]:
        """How the source is read, with the trust that is in force."""
        return self.stores.reads

    @property
    def writes(self) -> Mapping[Stream, WriteCapability]:
        """What the target can do."""
        return self.stores.writes

    @property
    def streams(self) -> tuple[Stream, ...]:
        """What is looked at: the migration's scope, or what the job narrows it to."""
        both = self.reads.keys() & self.writes.keys()
        return tuple(each for each in Stream if each in self._streams and each in both)

    def threshold(self, check: str, name: str, default: float) -> float:
        """A limit of a check, as the migration's `policies.readiness.thresholds` set it."""
        found = self.scope.thresholds.get(check, {}).get(name)
        return default if found is None else float(found)

    async def source_report(self) -> StoreReport:
        """What the source says of itself; asked once."""
        if "source" not in self._reports:
            self._reports["source"] = await self.source.check()
        return self._reports["source"]

    async def target_report(self) -> StoreReport:
        """What the target says of itself; asked once."""
        if "target" not in self._reports:
            self._reports["target"] = await self.target.check()
        return self._reports["target"]

    async def losses(self, stream: Stream) -> Losses:
        """What the target declares it cannot keep exactly."""
        addon = bool((await self.target_report()).addon)
        return Losses(self.writes[stream].losses_in(addon=addon))

    @asynccontextmanager
    async def target_as_source(self) -> AsyncIterator[Source | None]:
        """The target opened for reading whole streams; None where its platform has no such way."""
        opened = self.stores.target_platform.source
        if opened is None:
            yield None
            return
        async with opened(replace(self.stores.target_access, budgets=self._budgets)) as reader:
            yield reader

    def note_drift(self, stream: Stream, source_id: str, paths: frozenset[str]) -> None:
        """Keep which fields of a record are to be put back."""
        self.drift.setdefault(stream, {})[source_id] = paths
        self.compared.add((stream, source_id))

    async def since(self) -> datetime:
        """What was applied from this moment on counts as changed."""
        if self._since is None:
            self._since = self.options.since or await baseline(self.engine, self.migration)
        return self._since

    async def sample(self, stream: Stream) -> Sample:
        """Linked records that changed since the last full copy, and some others; drawn once."""
        if stream not in self._samples:
            self._samples[stream] = await draw(
                self.engine, self.migration, stream, since=await self.since(), options=self.options
            )
        return self._samples[stream]

    async def source_records(self, stream: Stream, ids: Iterable[str]) -> dict[str, Record]:
        """Records of the source by id. What is gone, or cannot be understood, is left out."""
        return await self._source_records.get(stream, ids)

    async def target_records(self, stream: Stream, ids: Iterable[str]) -> dict[str, Record]:
        """Records of the target by its own ids, as `source_records`."""
        return await self._target_records.get(stream, ids)

    def unreadable(self, stream: Stream, target_id: str) -> str | None:
        """Why a record of the target that was asked for cannot be understood; None where it can,
        or where it is gone.
        """
        return self._target_records.failed.get((stream, target_id))

    async def resolved(self, records: Sequence[Record]) -> dict[str, Content]:
        """Contents of the source with the target's ids in place of references, by source id.

        What is not on the target becomes None, or is left out of a list, as runs do it.
        """
        wanted: dict[Stream, set[str]] = {}
        for record in records:
            for each in references(record.content):
                if self._known.get(each) is None:
                    wanted.setdefault(each.stream, set()).add(each.id)
        async with autocommit(self.engine) as connection:
            for stream, ids in wanted.items():
                found = await ledger.targets(connection, self.migration, stream, ids)
                for source_id, (target_id, children) in found.items():
                    self._known.learn(stream, source_id, target_id, children)
        return {each.id: with_target_ids(each.content, self._known.get) for each in records}
