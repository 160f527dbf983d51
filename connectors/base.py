"""What a connector offers: a `Source` to read from, a `Target` to write to, and its description.

Nothing here talks to a store. A connector keeps parsing, signing and mapping in pure functions
and does its input and output in one thin class; retry and classification of failures stand in
one place (`connectors.http`). It receives values, never the service's settings.

Whoever makes or uses a connector imports all of it from here. What a platform can do with a stream
is defined in `connectors.capabilities`, what is read of it in `connectors.extents`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol, Self

from msgspec import Struct, field
from pydantic import BaseModel

from connectors.budget import Budgets
from connectors.capabilities import (
    Action,
    Bounds,
    Hint,
    Loss,
    ReadCapability,
    Removal,
    Trust,
    WriteCapability,
)
from connectors.extents import Extent, Json, Mark, Marks, Page, Sweep, Unmapped, Window
from connectors.records import Content, Record, Stream

__all__ = [
    "Action",
    "Applied",
    "Bounds",
    "Connector",
    "Extent",
    "Finding",
    "Hint",
    "Json",
    "Loss",
    "Mark",
    "Marks",
    "Match",
    "Operation",
    "Outcome",
    "Page",
    "Permission",
    "ReadCapability",
    "Refused",
    "Removal",
    "Severity",
    "Source",
    "StoreAccess",
    "StoreReport",
    "Sweep",
    "Target",
    "TaxBasis",
    "Traffic",
    "Trust",
    "Uncertain",
    "Unmapped",
    "Window",
    "Withdrawal",
    "WriteCapability",
]

# --- reading -----------------------------------------------------------------------------------


class Severity(StrEnum):
    """`error`: windows over this stream would lose records. `warning`: worth knowing."""

    ERROR = "error"
    WARNING = "warning"


class Finding(Struct, frozen=True):
    """What a probe found out about a stream: a stable code, and a sentence for a person."""

    code: str
    message: str
    severity: Severity = Severity.ERROR


class Traffic(Struct, frozen=True):
    """Requests sent to a store since it was opened, and how many of them it refused for now."""

    requests: int = 0
    throttled: int = 0


class Source(Protocol):
    """Reads one store. Use as an async context manager; calls may run concurrently."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    def traffic(self) -> Traffic:
        """What was asked of the store so far."""
        ...

    async def check(self) -> StoreReport:
        """Prove that the store answers, is of this platform and lets us in. Raises `StoreError`."""
        ...

    async def server_time(self) -> datetime:
        """The store's clock (its `Date` header), aware, in UTC."""
        ...

    async def count(self, stream: Stream, extent: Extent) -> int | None:
        """How many records an extent holds, as the store counts; None where it cannot say."""
        ...

    async def split(self, stream: Stream, extent: Extent, parts: int) -> list[Json]:
        """Up to `parts` disjoint parts that together cover the extent, for parallel reading.

        One empty object means: the whole extent as one part.
        """
        ...

    def read(
        self, stream: Stream, extent: Extent, part: Json, resume: Json | None
    ) -> AsyncGenerator[Page, None]:
        """Pages of one part, from its beginning or from a page's `resume`.

        No record that is in the extent throughout the read may be missed, whatever else is
        created, changed or deleted meanwhile; a record may come twice. Raises `StoreError`; an
        error is never an empty page. At most one page is fetched ahead of the one in use.
        """
        ...

    def enumerate(
        self, stream: Stream, extent: Sweep, part: Json, resume: Json | None
    ) -> AsyncGenerator[Marks, None]:
        """As `read`, ids and stamps only. For streams whose capability says `shallow`."""
        ...

    async def probe(self, stream: Stream) -> tuple[Finding, ...]:
        """Ask what windows rely on in a way whose right answer is known: that the filter by date
        is kept, that its bound means the moment it names, that the order by id holds.

        At most two requests. Nothing found is no proof; an error found is a reason to sweep. A
        store that changes between the requests can look wrong once.
        """
        ...

    async def get(self, stream: Stream, ids: Sequence[str]) -> dict[str, Record]:
        """Single records by id. Ids are left out where the store says that it has no such record;
        every other failure raises `StoreError`, because what is left out may be removed.
        """
        ...


# --- writing -----------------------------------------------------------------------------------


class Operation(Struct, frozen=True, kw_only=True):
    """One record to create (`target_id` None) or to update.

    `content` names other records by the target's ids already. `key` is our external key of the
    record (text, at most 100 characters, unique over all migrations). `changed` are the fields
    to write in an update, None for all. `children` maps source ids of parts (variants, order
    lines, shipping lines, fees, refunds) to the target's, as far as known. `variants` narrows
    the writing of variants that are there already to some of their fields, by source id; one that
    is not named is written whole.
    """

    source_id: str
    key: str
    content: Content
    target_id: str | None = None
    changed: frozenset[str] | None = None
    children: Mapping[str, str] = field(default_factory=dict)
    variants: Mapping[str, frozenset[str]] = field(default_factory=dict)


class Match(Struct, frozen=True, kw_only=True):
    """A record found on the target; `by` is `key`, `sku`, `email`, `slug` or `name`."""

    target_id: str
    by: str
    children: Mapping[str, str] = field(default_factory=dict)


class Applied(Struct, frozen=True, kw_only=True):
    """The target has it. `losses` are fields it could not keep exactly in this record. `found`:
    what was to be created was there already, was brought up to date, and by what it was found, as
    in `Match`.

    `content` is the record as the target answered it after the write, in the target's own ids;
    None where the answer does not tell. Of variants it holds at least those that were written.
    `also` are fields that were written although they were not asked for: the status of a product
    that lost its price.
    """

    source_id: str
    target_id: str
    children: Mapping[str, str] = field(default_factory=dict)
    content: Content | None = None
    losses: tuple[Loss, ...] = ()
    found: str | None = None
    also: frozenset[str] = frozenset()


class Refused(Struct, frozen=True, kw_only=True):
    """The target refuses this record. `code` is stable; `gone` says that the record to update is
    not there any more.
    """

    source_id: str
    code: str
    message: str
    gone: bool = False
    request_id: str | None = None


class Uncertain(Struct, frozen=True, kw_only=True):
    """Nobody knows whether it was applied. With `running` it may still be being applied."""

    source_id: str
    reason: str
    running: bool = True


Outcome = Applied | Refused | Uncertain


class Withdrawal(Struct, frozen=True, kw_only=True):
    """A record to take off the target, or to bring back there.

    `key` is our external key of it. `before` is what the target said of it before it was taken
    away, and all that bringing it back needs.
    """

    source_id: str
    target_id: str
    key: str
    before: Json = field(default_factory=dict)


class Target(Protocol):
    """Writes one store. Use as an async context manager; calls may run concurrently."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    def traffic(self) -> Traffic:
        """What was asked of the store so far."""
        ...

    async def check(self) -> StoreReport:
        """As `Source.check`, for the permissions that writing needs."""
        ...

    async def find(self, stream: Stream, operations: Sequence[Operation]) -> dict[str, Match]:
        """Which of these records exist already, by our key and by natural key.

        Answers by source id. Raises `StoreError`: a failed look-up is never «not found».
        """
        ...

    async def get(self, stream: Stream, ids: Sequence[str]) -> dict[str, Record]:
        """Single records by the target's own ids, as `Source.get`. What is gone is left out; what
        is there and cannot be understood raises `BadAnswer` with the code `record_unmappable`.
        """
        ...

    async def write(self, stream: Stream, operations: Sequence[Operation]) -> list[Outcome]:
        """Create and update. One outcome for each operation, in any order.

        Raises `TryLater` or `SignInAgain` only where nothing at all was applied by this call.
        """
        ...

    async def standing(self, stream: Stream, withdrawals: Sequence[Withdrawal]) -> dict[str, Json]:
        """How the records stand now, by source id: what `restore` needs, and no personal data.

        Records that are gone already are left out. Raises `StoreError`.
        """
        ...

    async def remove(
        self, stream: Stream, withdrawals: Sequence[Withdrawal], action: Action
    ) -> list[Applied | Refused]:
        """Take records away by one of the stream's `removals`; what is gone already is applied.

        A record that shows another's key is refused, and `delete` refuses one that does not show
        ours, both with the code `not_ours`. Raises `StoreError` where it is not known what became
        of a record: calling again with the same is harmless.
        """
        ...

    async def restore(
        self, stream: Stream, withdrawals: Sequence[Withdrawal]
    ) -> list[Applied | Refused]:
        """Bring archived records back as they stood before. As `remove`; calling again is harmless.

        A record that is not there any more is refused with `gone`.
        """
        ...

    async def loud(self) -> Json:
        """The settings that `mute` is going to change, as they are now; kept to restore them."""
        ...

    async def mute(self, before: Json) -> None:
        """Turn off what would disturb people: mails above all. May be called twice."""
        ...

    async def unmute(self, before: Json) -> None:
        """Restore what `loud` returned. May be called twice."""
        ...


# --- describing --------------------------------------------------------------------------------


class TaxBasis(StrEnum):
    """What the prices are that a store's people enter: `gross` holds the tax, to `net` it is added
    at the checkout, and an `untaxed` store charges none.
    """

    GROSS = "gross"
    NET = "net"
    UNTAXED = "untaxed"


class StoreReport(Struct, frozen=True, kw_only=True):
    """What `check` learned of a store. `findings` are (code, sentence) worth telling; `addon` is
    the version of our add-on there, empty where it is not used. `currency` is the one of prices
    (ISO 4217), empty where the store does not tell; so is `tax_basis` None.
    """

    platform_version: str
    name: str = ""
    currency: str = ""
    tax_basis: TaxBasis | None = None
    timezone: str = "UTC"
    server_time: datetime | None = None
    findings: tuple[tuple[str, str], ...] = ()
    addon: str = ""


class StoreAccess(Struct, frozen=True):
    """One store's address: validated values of the connector's own models.

    `budgets` knows the budget that all who ask the store spend from; without it this process
    keeps one of its own.
    """

    settings: BaseModel
    credentials: BaseModel
    budgets: Budgets | None = None


class Permission(Struct, frozen=True):
    """A permission in the platform's own word, and what it is for. `writing`: a store that is
    only read does without. `optional`: all else is done without it.
    """

    name: str
    purpose: str
    writing: bool = False
    optional: bool = False


class Connector(Struct, frozen=True, kw_only=True):
    """A platform. Registered as an entry point in the group `recent_sync.connectors`.

    `settings` and `credentials` are models whose JSON schema draws a form; every field of
    `credentials` is secret and stored encrypted. `permissions` are what the credentials have to
    allow, `steps` how a person makes them on the platform, in order, a sentence or two each.
    `source` or `target` is None where the platform can only be written or only be read.
    `redirects` says in words how a target redirects old paths, empty where it does not.
    """

    name: str
    title: str
    settings: type[BaseModel]
    credentials: type[BaseModel]
    permissions: tuple[Permission, ...] = ()
    steps: tuple[str, ...] = ()
    reads: Mapping[Stream, ReadCapability] = field(default_factory=dict)
    writes: Mapping[Stream, WriteCapability] = field(default_factory=dict)
    source: Callable[[StoreAccess], Source] | None = None
    target: Callable[[StoreAccess], Target] | None = None
    redirects: str = ""
