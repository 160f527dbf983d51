"""What a connector offers: a `Source` to read from, a `Target` to write to, and its description.

Nothing here talks to a store. A connector keeps parsing, signing and mapping in pure functions
and does its input and output in one thin class; retry and classification of failures stand in
one place (`connectors.http`). It receives values, never the service's settings.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, Protocol, Self

from msgspec import Struct, field
from pydantic import BaseModel

from connectors.budget import Budgets
from connectors.records import Content, Record, Stream

Json = dict[str, Any]
"""An opaque JSON object that only the connector which made it understands."""


class Trust(StrEnum):
    """How far a stream's timestamp can be believed on a platform."""

    EXACT = "exact"
    OVERLAP = "overlap"
    SWEEP = "sweep"


# --- what can be read and written --------------------------------------------------------------


class Bounds(StrEnum):
    """What the platform's filter does with a record stamped exactly at its bound.

    `none`: there is no filter by date. A connector widens an exclusive bound by itself.
    """

    INCLUSIVE = "inclusive"
    EXCLUSIVE = "exclusive"
    NONE = "none"


class ReadCapability(Struct, frozen=True, kw_only=True):
    """How a stream is read. Seconds throughout.

    `blind_spots` says in words what changes without moving the timestamp, `moves` what moves it;
    `overlap` is how far behind the cursor a window begins, `settle` how far behind the store's
    clock it ends. `ties` says in words how records of one stamp are told apart when a list is
    walked. `shallow`: the platform lists ids and stamps alone (`Source.enumerate`). `horizon`: a
    sweep can leave closed records out by their age (`Sweep.since_created`); `horizon_risk` says
    in words what else is left out then.
    """

    trust: Trust
    overlap: float = 300.0
    settle: float = 10.0
    granularity: float = 1.0
    bounds: Bounds = Bounds.INCLUSIVE
    ties: str = ""
    page_size: int = 100
    blind_spots: tuple[str, ...] = ()
    moves: tuple[str, ...] = ()
    shallow: bool = False
    horizon: bool = False
    horizon_risk: str = ""


class Loss(Struct, frozen=True):
    """Something a target cannot keep exactly: which field, and why, in words. `whole`: nothing of
    it is kept. `addon`: it is kept all the same where the store has our add-on.
    """

    field: str
    reason: str
    whole: bool = False
    addon: bool = False


class Action(StrEnum):
    """What becomes of a record whose original is gone. `report` only tells, on any platform."""

    ARCHIVE = "archive"
    DELETE = "delete"
    REPORT = "report"


class Removal(Struct, frozen=True):
    """A way in which a platform takes a record away, and whether it can bring it back."""

    action: Action
    undo: bool = False


class WriteCapability(Struct, frozen=True, kw_only=True):
    """How a stream is written.

    `idempotent`: the target upserts by our key, so that sending a create twice makes one record
    and neither intents nor look-ups are needed. `batch` and `find_batch`: records in one call.
    `write_settle`: for how many seconds a write whose answer never came may still be running.
    `at_once`: one request makes a whole record, so that whoever finds it on the target knows that
    the request is through. Without it later requests may still be adding to what is found.
    `serial_creates`: creates of this stream go one at a time, because the platform checks
    uniqueness too late. `refuses_doubles`: the platform refuses to create a record whose natural
    key is taken, and the connector finds that record then; a fresh create needs no look-up.
    `merges`: people edit these records on the target, and `get` reads them back, so that an update
    can leave their edits alone. `derived` are fields that the platform reckons from others, which
    are never an edit by anybody: `total`, or `lines.tax` for a part's field.
    `removals` are the ways in which records can be taken away; `keyed`: a record shows our key on
    the target, so that a removal can tell ours from others.
    """

    idempotent: bool = False
    batch: int = 100
    find_batch: int = 100
    write_settle: float = 20.0
    at_once: bool = False
    serial_creates: bool = False
    refuses_doubles: bool = False
    merges: bool = False
    derived: frozenset[str] = frozenset()
    removals: tuple[Removal, ...] = ()
    keyed: bool = True
    losses: tuple[Loss, ...] = ()
    notes: tuple[str, ...] = ()

    def losses_in(self, *, addon: bool) -> tuple[Loss, ...]:
        """What one store cannot keep: `addon` says whether it has our add-on."""
        return tuple(each for each in self.losses if not (addon and each.addon))

    def removal(self, action: Action) -> Removal | None:
        """How an action is done here, None where it cannot be."""
        return next((each for each in self.removals if each.action is action), None)


# --- reading -----------------------------------------------------------------------------------


class Window(Struct, frozen=True, tag="window"):
    """Everything changed at or after `since`. `until` is where the watermark will go: a source
    may deliver later records as well, which is harmless.
    """

    since: datetime
    until: datetime


class Sweep(Struct, frozen=True, tag="sweep", omit_defaults=True):
    """Every record in scope; with `since_created` without closed ones created before it, where
    the stream's capability says `horizon`. Open ones are always there.
    """

    since_created: datetime | None = None


Extent = Window | Sweep


class Unmapped(Struct, frozen=True):
    """A record, as the store showed it, of which mapping rules make no valid one, and why.

    `digest` is of all that the failure depends on: the content and the rules.
    """

    record: Record
    reason: str
    digest: bytes


class Page(Struct, frozen=True, kw_only=True):
    """Some records, and where to go on.

    `resume` is what `read` needs to continue behind this page, None on the last page.
    `outside` counts records that the store's filter should have kept back: a platform that
    ignores the filter shows here. `total` is the store's own count for progress, or None.
    `failed` are records that were delivered but could not be understood: (id, reason). `unread`
    are ids that are there and whose content nobody looked at. No connector fills `unmapped`: rules
    are applied to what it has read.
    """

    records: tuple[Record, ...]
    resume: Json | None
    outside: int = 0
    total: int | None = None
    failed: tuple[tuple[str, str], ...] = ()
    unread: tuple[str, ...] = ()
    unmapped: tuple[Unmapped, ...] = ()

    @property
    def ids(self) -> list[str]:
        """All records that the page shows, read or not."""
        return [
            *(each.id for each in self.records),
            *(each for each, _ in self.failed),
            *(each.record.id for each in self.unmapped),
            *self.unread,
        ]


class Mark(NamedTuple):
    """A record without its content: that it exists, and when the store says it changed last."""

    id: str
    stamp: datetime | None


class Marks(Struct, frozen=True, kw_only=True):
    """Some marks, and where to go on; `resume` and `total` as in `Page`."""

    marks: tuple[Mark, ...]
    resume: Json | None
    total: int | None = None


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
    """

    source_id: str
    target_id: str
    children: Mapping[str, str] = field(default_factory=dict)
    content: Content | None = None
    losses: tuple[Loss, ...] = ()
    found: str | None = None


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


class StoreReport(Struct, frozen=True, kw_only=True):
    """What `check` learned of a store. `findings` are (code, sentence) worth telling; `addon` is
    the version of our add-on there, empty where it is not used.
    """

    platform_version: str
    name: str = ""
    currency: str = ""
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
    only read does without.
    """

    name: str
    purpose: str
    writing: bool = False


class Connector(Struct, frozen=True, kw_only=True):
    """A platform. Registered as an entry point in the group `recent_sync.connectors`.

    `settings` and `credentials` are models whose JSON schema draws a form; every field of
    `credentials` is secret and stored encrypted. `permissions` are what the credentials have to
    allow, `steps` how a person makes them on the platform, in order, a sentence or two each.
    `source` or `target` is None where the platform can only be written or only be read.
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
