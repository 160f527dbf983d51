"""What working on a slice needs, in one place."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from app.mapping.mapper import Mapper
from app.models import AUDIT_RUNS
from app.security import Vault
from connectors.abilities import ReadsWhole
from connectors.base import Action, ReadCapability, Source, Target, WriteCapability
from connectors.records import Record, Stream
from connectors.references import Reference
from workers.engine.leases import Lease
from workers.engine.policy import Policies
from workers.engine.proof import BRAKE
from workers.engine.window import Lags

COUNTED = (
    "read",
    "created",
    "updated",
    "unchanged",
    "conflicts",
    "quarantined",
    "deleted",
    "fetched",
    "deferred",
    "held_back",
    "outside",
    "audited",
    "missed",
    "adopted",
    "restored",
    "requests",
    "throttled",
)

_KNOWN_LIMIT = 200_000


_ACTIONS = {Stream.PRODUCTS: Action.ARCHIVE}
"""What becomes of records that are gone, unless the policy differs: others are reported."""


@dataclass(frozen=True, slots=True)
class DeletionPolicy:
    """What becomes of records that are gone from the source, and how many may go in one run."""

    brake: float = BRAKE
    actions: Mapping[Stream, Action] = field(default_factory=lambda: _ACTIONS)

    def action(self, stream: Stream) -> Action:
        """What is to be done with a stream's records."""
        return self.actions.get(stream, Action.REPORT)

    @classmethod
    def of(cls, policy: Mapping[str, Any]) -> DeletionPolicy:
        """From a migration's `policies.deletions`."""
        given = policy.get("actions") or {}
        actions = {Stream(stream): Action(action) for stream, action in given.items()}
        brake = policy.get("brake")
        return cls(BRAKE if brake is None else float(brake), {**_ACTIONS, **actions})


@dataclass(frozen=True, slots=True)
class Scope:
    """The migration that a slice belongs to, with its policies.

    `audit_runs`: within how many runs every record is verified. `shallow` are streams of which a
    sweep reads ids and stamps only; `horizons` say beyond which age it leaves closed records out.
    `mapper` is the version of the mapping rules that the job goes by. `thresholds` are limits of
    launch checks, by check and name; `launch_at` is when the shop goes live.
    """

    migration: UUID
    key_prefix: str
    streams: tuple[Stream, ...]
    lags: Lags = field(default_factory=Lags)
    free_references: bool = True
    audit_runs: int = AUDIT_RUNS
    shallow: frozenset[Stream] = frozenset()
    horizons: Mapping[Stream, timedelta] = field(default_factory=dict)
    policies: Policies = field(default_factory=Policies)
    deletions: DeletionPolicy = field(default_factory=DeletionPolicy)
    mapper: Mapper = field(default_factory=Mapper)
    thresholds: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    launch_at: datetime | None = None

    def mapped(self, record: Record) -> Record:
        """A record as the mapping rules want it on the target. What `Run.source` reads has been
        mapped already. Raises `MappingFailed`.
        """
        return self.mapper.mapped(record)

    def key(self, stream: Stream, source_id: str, generation: int = 0) -> str:
        """The external key of a record on the target: unique over all migrations.

        A source id that was given to another record is of another generation.
        """
        key = f"{self.key_prefix}:{stream}:{source_id}"
        return f"{key}~{generation}" if generation else key


class KnownTargets:
    """Target ids of records that are surely on the target, so that a page asks only for new ones.

    A target id does not change while a slice is held; the memory is dropped when it grows large.
    """

    def __init__(self, limit: int = _KNOWN_LIMIT) -> None:
        self._ids: dict[Reference, str] = {}
        self._limit = limit

    def get(self, reference: Reference) -> str | None:
        """The target's id, None where it is not known."""
        return self._ids.get(reference)

    def learn(
        self, stream: Stream, source_id: str, target_id: str, children: Mapping[str, str]
    ) -> None:
        """Remember a record and its parts."""
        if len(self._ids) > self._limit:
            self._ids.clear()
        self._ids[Reference(stream, source_id)] = target_id
        if stream is Stream.PRODUCTS:
            for child, target in children.items():
                self._ids[Reference(stream, source_id, child)] = target

    def forget(self, stream: Stream, source_id: str) -> None:
        """Drop a record that turned out to be gone."""
        self._ids.pop(Reference(stream, source_id), None)


async def _is_silent() -> None:
    """Before a job's first slice has ended the target is silent, as a rule."""


@dataclass(slots=True)
class Run:
    """A held slice with the stores it works on.

    `read_target` opens the target as a store to be read whole. `absent` are records that were asked
    for once and need not be asked for again: what the source does not have, or what could not be
    brought over. `hush` is called before a write: it silences a target that was not silenced when
    the job began.
    """

    engine: AsyncEngine
    vault: Vault
    lease: Lease
    scope: Scope
    source: Source
    target: Target
    reads: Mapping[Stream, ReadCapability]
    writes: Mapping[Stream, WriteCapability]
    read_target: Callable[[], AbstractAsyncContextManager[ReadsWhole]]
    counters: Counter[str] = field(default_factory=Counter)
    known: KnownTargets = field(default_factory=KnownTargets)
    absent: set[tuple[Stream, str]] = field(default_factory=set)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    hush: Callable[[], Awaitable[None]] = _is_silent

    @property
    def eager(self) -> bool:
        """Whether what is in quarantine is tried whenever it is met, and not when it is due."""
        return bool(self.lease.held.part.get("eager"))

    @property
    def restores(self) -> bool:
        """Whether what was changed on the target is put back: by one slice of a stream alone, when
        nobody else is at its records, so that no refund is put back twice.
        """
        held = self.lease.held
        return bool(held.part.get("restores")) and not held.stragglers

    @property
    def dry(self) -> bool:
        """Whether nothing may reach the target."""
        return bool(self.lease.held.part.get("dry"))

    @property
    def write_settle(self) -> float:
        """Seconds for which a write whose answer never came may still be running."""
        return max((each.write_settle for each in self.writes.values()), default=0.0)

    async def outwait(self) -> None:
        """Let a holder's last request to the target end who died here.

        It may have been about the target's mails, and would undo what is asked for meanwhile: they
        would be off for good, or on while another job writes.
        """
        if self.lease.held.resumed:
            await self.sleep(self.write_settle)

    def horizon(self, stream: Stream) -> timedelta | None:
        """Beyond which age a sweep leaves closed records out, where source and policy allow it."""
        return self.scope.horizons.get(stream) if self.reads[stream].horizon else None

    def removal_action(self, stream: Stream) -> Action:
        """What becomes of a stream's records that are gone: by policy, if the target can do it."""
        action = self.scope.deletions.action(stream)
        possible = stream in self.writes and self.writes[stream].removal(action) is not None
        return action if possible else Action.REPORT

    def tally(self) -> dict[str, int]:
        """Counters of the slice so far, with the traffic of both stores."""
        source, target = self.source.traffic(), self.target.traffic()
        before = self.lease.held.counters
        total = {name: before.get(name, 0) + self.counters[name] for name in COUNTED}
        total["requests"] += source.requests + target.requests
        total["throttled"] += source.throttled + target.throttled
        return {name: count for name, count in total.items() if count}
