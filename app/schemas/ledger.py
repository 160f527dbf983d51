"""Cursors, links and quarantine: what is known of a migration's records."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ConfigDict, Field, field_validator

from app.models import LinkState, QuarantineStatus
from app.schemas.migration import Streams
from app.schemas.paging import Page
from app.schemas.values import Input, Moment, Output, Words
from connectors.records import Stream
from connectors.references import Reference

_JOB = "7f3f7a52-2f5e-4a3e-bb0e-0f7f5c3e9a33"


def spelled_out(kept: list[Any] | None) -> list[Any]:
    """References as `NamedOut` wants them: the tables hold each of them as one text."""
    return [_named(each) if isinstance(each, str) else each for each in kept or ()]


def _named(kept: str) -> dict[str, str | None]:
    reference = Reference.from_text(kept)
    return {"stream": reference.stream, "source_id": reference.id, "child": reference.child}


class CursorIn(Input):
    """A watermark to begin the next `recent` job from."""

    watermark: Moment = Field(description="Not in the future.")

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"watermark": "2026-11-25T00:00:00Z"}]}
    )


class CursorOut(Output):
    """Everything of the stream that was visible at the watermark has been applied."""

    stream: Stream
    watermark: datetime
    job_id: UUID | None = Field(description="The job that set it; null where a person did.")
    updated_at: datetime

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "stream": "orders",
                    "watermark": "2026-11-25T08:59:50Z",
                    "job_id": _JOB,
                    "updated_at": "2026-11-25T09:02:11Z",
                }
            ]
        },
    )


class CursorPage(Page[CursorOut]):
    """All cursors of a migration; there is never a second page."""


class NamedOut(Output):
    """A record that another one names; `child` is a variant of a product."""

    stream: Stream
    source_id: str
    child: str | None


class LinkOut(Output):
    """Which record of the target a record of the source has become."""

    stream: Stream
    source_id: str
    target_id: str | None
    state: LinkState = Field(
        description="`intent`: a create was about to be sent, and nobody has confirmed it yet."
        " `removed`: the record is gone from the source, and was taken off the target."
    )
    matched_by: str | None
    losses: list[str] | None = Field(description="Fields the target could not keep exactly.")
    lost_references: list[NamedOut] = Field(
        description="Records that it names and was written without, because they are on neither"
        " store. When one of them is on the target, it is written again."
    )
    drifted: list[str] | None = Field(
        description="Fields that somebody changed on the target where the source's values rule, as"
        " the last verification found them. The next run puts them back."
    )
    stamp: datetime | None = Field(description="When the source says it changed last.")
    applied_at: datetime | None
    removed_at: datetime | None

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "stream": "orders",
                    "source_id": "18642",
                    "target_id": "20117",
                    "state": "applied",
                    "matched_by": None,
                    "losses": None,
                    "lost_references": [],
                    "drifted": None,
                    "stamp": "2026-11-25T08:40:00Z",
                    "applied_at": "2026-11-25T09:01:30Z",
                    "removed_at": None,
                }
            ]
        },
    )

    @field_validator("lost_references", mode="before")
    @classmethod
    def _spelled_out(cls, kept: list[Any] | None) -> list[Any]:
        return spelled_out(kept)


class LinkPage(Page[LinkOut]):
    pass


class QuarantineOut(Output):
    """A record that could not be applied, why, and when it is tried again."""

    id: UUID
    stream: Stream
    source_id: str
    status: QuarantineStatus
    code: str
    message: str
    request_id: str | None = Field(description="The store's own name for the request.")
    attempts: int = Field(description="With this content; a changed one begins anew.")
    next_at: datetime | None = Field(
        description="When a run tries it again by itself. Null: only when its content changes, when"
        " what it waits for arrives, on request, and in `full` and cutover runs."
    )
    waits_for: list[NamedOut] = Field(
        description="Records that are missing; when the last of them arrives, it is tried again."
    )
    job_id: UUID | None = Field(description="The job of the last attempt.")
    first_at: datetime = Field(description="The first failure.")
    last_at: datetime = Field(description="The last failure, or when it was resolved.")
    waived_by: str | None
    waived_reason: str | None
    waived_at: datetime | None

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "id": "e2b8f1c4-51d3-4a07-9a57-0c5b2d7e8f44",
                    "stream": "orders",
                    "source_id": "18123",
                    "status": "open",
                    "code": "woocommerce_rest_invalid_coupon",
                    "message": "The target refuses the coupon of this order.",
                    "request_id": None,
                    "attempts": 2,
                    "next_at": "2026-11-25T09:51:02Z",
                    "waits_for": [],
                    "job_id": _JOB,
                    "first_at": "2026-11-25T09:01:30Z",
                    "last_at": "2026-11-25T09:31:02Z",
                    "waived_by": None,
                    "waived_reason": None,
                    "waived_at": None,
                }
            ]
        },
    )

    @field_validator("waits_for", mode="before")
    @classmethod
    def _spelled_out(cls, kept: list[Any]) -> list[Any]:
        return spelled_out(kept)


class QuarantinePage(Page[QuarantineOut]):
    pass


class RetryIn(Input):
    """Which records in quarantine to try again: by default all that are open."""

    streams: Streams | None = None

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"streams": ["orders"]}]}
    )


class WaiveIn(Input):
    """Why a record may be left alone."""

    reason: Words

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"reason": "A test order of the shop's owner."}]},
    )
