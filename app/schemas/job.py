from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, Strict

from app.models import JobKind, JobStatus
from app.schemas.checks import CheckName
from app.schemas.migration import Streams, SweepDepth
from app.schemas.paging import Page
from app.schemas.values import Flag, Input, Moment, Output, Slug
from connectors.records import Stream

_JOB = "7f3f7a52-2f5e-4a3e-bb0e-0f7f5c3e9a33"

# Text in code, so that a kind which is planned but not there gets an answer of its own.
Kind = Annotated[str, Field(json_schema_extra={"enum": [str(kind) for kind in JobKind]})]


MetadataField = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00]+$")]


class JobOptions(Input):
    """How a job differs from an ordinary one. `only: quarantine` tries records in quarantine again
    and reads nothing else, `ids` names single ones of them; `only: conflicts` carries settled
    conflicts out. `release_brake` removes what is proven gone from the source, however much that
    is. The others are for some kinds only, as each says.
    """

    only: Literal["quarantine", "conflicts"] | None = None
    ids: list[UUID] | None = Field(None, min_length=1, max_length=1000)
    release_brake: Flag | None = None
    stragglers: Flag | None = Field(
        None,
        description="After a cutover: late orders of the source alone, and whatever they need. "
        "What people changed on the target stays, nothing is removed, and stock is left alone.",
    )
    id_fields: list[MetadataField] | None = Field(
        None,
        max_length=50,
        description="Kind `adopt` only: metadata in which the other tool kept the source's ids."
        " An empty list: none.",
    )
    size: Annotated[int, Strict(), Field(ge=1, le=200)] | None = Field(
        None, description="Records of each stream that a `demo` chooses; 25 by default."
    )
    checks: list[CheckName] | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="Kind `verify`: ids or groups of checks, by default all. A verdict rests on all"
        " of them only.",
    )
    canary: Flag | None = Field(
        None,
        description="Kind `verify`: write a customer and an order to the target as runs write"
        " theirs, see whether anybody is told of them, and remove both. Otherwise a `verify` writes"
        " nothing.",
    )
    sample: Annotated[int, Strict(), Field(ge=0, le=100_000)] | None = Field(
        None,
        description="Kind `verify`: records of each stream drawn by chance, beside all that changed"
        " (200).",
    )
    seed: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[ -~]+$")] | None = Field(
        None,
        description="Kinds `demo` and `verify`: the same seed draws the same records. By default a"
        " `demo` draws the same ones, a `verify` others each time.",
    )


class AskedJob(Input):
    """What to run, of whichever migration."""

    kind: Kind
    streams: Streams | None = Field(None, description="By default all of the migration's.")
    since: Moment | None = Field(
        None,
        description="From when to read, where there is no cursor; kind `recent`. Kind `adopt` needs"
        " it: when the other tool began to read the source. For kind `verify`: from when on records"
        " count as changed.",
    )
    cutover: Flag = Field(
        False,
        description="The last run before launch: sweeps every stream; kind `recent` only.",
    )
    dry_run: Flag = Field(
        False, description="Map, and write nothing to the target; kind `demo` only."
    )
    options: JobOptions | None = None


class JobIn(AskedJob):
    """A run of a migration."""

    migration: Slug = Field(description="Slug or id of the migration.")

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"kind": "recent", "migration": "spring-launch"}]},
    )


class Counters(Output):
    """Records, by what became of them."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    conflicts: int = 0
    quarantined: int = 0
    held_back: int = Field(0, description="Read again while in quarantine, and not tried yet.")
    deleted: int = 0
    audited: int = Field(0, description="Verified without regard to their timestamps.")
    missed: int = Field(0, description="Of these, changed behind their timestamps' back.")
    adopted: int = Field(0, description="Linked with what another tool has brought over.")
    restored: int = Field(
        0, description="Of the updated, changed on the target where the source's values rule."
    )


class Progress(Output):
    """How far a job is. `total` counts what is known of so far, by the store's own count; of a job
    that has ended, what was read.
    """

    stage: int = Field(description="Stages that are done.")
    stages: int | None = Field(description="All stages; null until they are planned.")
    stream: Stream | None = Field(description="The stream being worked on.")
    read: int
    total: int | None
    rate: float | None = Field(description="Records read a second, over the whole run.")
    seconds_left: int | None = Field(description="An estimate; null where there is no ground.")


class PassOut(Output):
    """One read of a stream, and where its cursor stood before and stands after."""

    mode: str | None = Field(description="`window`, `sweep`, `adopt`, or `sample` in a demo.")
    depth: SweepDepth | None = Field(description="How a sweep reads; null for a window.")
    horizon: datetime | None = Field(
        description="A sweep leaves out closed records created before; null where it does not."
    )
    since: datetime | None
    until: datetime | None
    cursor_before: datetime | None
    cursor_after: datetime | None = Field(description="Null until the pass has ended.")


class JobError(Output):
    code: str
    message: str


class JobParams(Output):
    """What was asked for."""

    streams: list[Stream] | None = None
    since: datetime | None = None
    cutover: bool = False
    dry_run: bool = False
    options: dict[str, Any] | None = None


class JobLinks(Output):
    self: str
    events: str
    cancel: str
    retry: str
    migration: str


class JobOut(Output):
    """A job and how it goes."""

    id: UUID
    kind: str
    migration: str = Field(description="The migration's slug.")
    status: JobStatus
    params: JobParams
    progress: Progress
    counters: dict[str, Counters] = Field(description="Per stream.")
    totals: Counters = Field(description="Over all streams.")
    requests: int = Field(description="Requests sent to both stores.")
    throttled: int = Field(description="Requests that a store refused for the moment.")
    passes: dict[str, PassOut] = Field(description="Per stream.")
    waiting: list[str] = Field(description="What running parts wait for, for example a busy store.")
    waiting_until: datetime | None = Field(description="When the first of them is tried again.")
    waiting_for: UUID | None = Field(description="The running job that this one waits for.")
    error: JobError | None
    retry_of: UUID | None
    cancel_requested_at: datetime | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    mapping_version: int | None = Field(
        description="The mapping rules it goes by, 0 for none; null until it has begun."
    )
    links: JobLinks

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "id": _JOB,
                    "kind": "recent",
                    "migration": "spring-launch",
                    "status": "running",
                    "params": {
                        "streams": None,
                        "since": None,
                        "cutover": False,
                        "dry_run": False,
                        "options": None,
                    },
                    "progress": {
                        "stage": 3,
                        "stages": 7,
                        "stream": "orders",
                        "read": 812,
                        "total": 1317,
                        "rate": 141.2,
                        "seconds_left": None,
                    },
                    "counters": {
                        "orders": {
                            "read": 812,
                            "created": 640,
                            "updated": 129,
                            "unchanged": 43,
                            "conflicts": 0,
                            "quarantined": 0,
                            "held_back": 0,
                            "deleted": 0,
                            "audited": 0,
                            "missed": 0,
                            "adopted": 0,
                            "restored": 0,
                        }
                    },
                    "totals": {
                        "read": 812,
                        "created": 640,
                        "updated": 129,
                        "unchanged": 43,
                        "conflicts": 0,
                        "quarantined": 0,
                        "held_back": 0,
                        "deleted": 0,
                        "audited": 0,
                        "missed": 0,
                        "adopted": 0,
                        "restored": 0,
                    },
                    "requests": 34,
                    "throttled": 1,
                    "passes": {
                        "orders": {
                            "mode": "window",
                            "depth": None,
                            "horizon": None,
                            "since": "2026-11-25T08:54:50Z",
                            "until": "2026-11-25T09:59:50Z",
                            "cursor_before": "2026-11-25T08:59:50Z",
                            "cursor_after": None,
                        }
                    },
                    "waiting": [],
                    "waiting_until": None,
                    "waiting_for": None,
                    "error": None,
                    "retry_of": None,
                    "cancel_requested_at": None,
                    "created_at": "2026-11-25T10:00:00Z",
                    "started_at": "2026-11-25T10:00:00Z",
                    "finished_at": None,
                    "mapping_version": 0,
                    "links": {
                        "self": f"/v1/jobs/{_JOB}",
                        "events": f"/v1/jobs/{_JOB}/events",
                        "cancel": f"/v1/jobs/{_JOB}/cancel",
                        "retry": f"/v1/jobs/{_JOB}/retry",
                        "migration": "/v1/migrations/spring-launch",
                    },
                }
            ]
        },
    )


class JobPage(Page[JobOut]):
    pass
