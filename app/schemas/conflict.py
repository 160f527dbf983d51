"""Conflicts: fields that were changed on both sides, and what is decided about them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import ConfigDict, Field

from app.models import ConflictStatus, Decision
from app.schemas.migration import Streams
from app.schemas.paging import Page
from app.schemas.values import Input, Output, RecordId, Words
from connectors.records import Stream

_JOB = "7f3f7a52-2f5e-4a3e-bb0e-0f7f5c3e9a33"
_ITEM = "e2b8f1c4-51d3-4a07-9a57-0c5b2d7e8f44"


class Take(StrEnum):
    """Whose value stays; `later` leaves the target's for now."""

    SOURCE = "source"
    TARGET = "target"
    LATER = "later"


class ConflictValues(Output):
    """A field's value where both sides were last the same, and on each side since."""

    base: Any = Field(description="As last applied; null where nobody knows.")
    source: Any = Field(description="In the source's own terms.")
    target: Any = Field(description="In the target's own terms.")


class ConflictOut(Output):
    """A field that was changed on both sides since it was last applied, or on the target alone, and
    the source's value was put back.
    """

    id: UUID
    stream: Stream
    source_id: str
    target_id: str
    field: str = Field(description="`description`, or `variants.12.regular_price`.")
    status: ConflictStatus
    decision: Decision | None = Field(description="Whose value stays; null while it is open.")
    settled_by: str | None = Field(
        description="`policy`, `agreement` (both sides are equal by now), or who decided."
    )
    settled_at: datetime | None
    reason: str | None
    base_known: bool = Field(
        description="False: nobody knows what the target held when it was last applied, so the "
        "field may never have been changed there."
    )
    values: ConflictValues | None = Field(
        description="They may be personal data: null for a key without the scope `run`."
    )
    job_id: UUID | None = Field(description="The job that found it.")
    first_at: datetime
    last_at: datetime
    applied_at: datetime | None = Field(
        description="Since when the decision is carried out; null where a job has yet to do it."
    )

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "id": _ITEM,
                    "stream": "products",
                    "source_id": "1812",
                    "target_id": "2044",
                    "field": "name",
                    "status": "open",
                    "decision": None,
                    "settled_by": None,
                    "settled_at": None,
                    "reason": None,
                    "base_known": True,
                    "values": {"base": "Mug", "source": "Blue mug", "target": "Mug, 0.3 l"},
                    "job_id": _JOB,
                    "first_at": "2026-11-25T09:01:30Z",
                    "last_at": "2026-11-25T09:01:30Z",
                    "applied_at": None,
                }
            ]
        },
    )


class ConflictPage(Page[ConflictOut]):
    pass


class ConflictCounts(Output):
    """How many conflicts there are."""

    open: int
    later: int = Field(description="Somebody looked, and wants to decide another time.")
    settled: int
    by_policy: int = Field(description="Of the settled ones, those that a policy has settled.")

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"open": 3, "later": 1, "settled": 240, "by_policy": 236}]}
    )


class SettleIn(Input):
    """Whose value stays. The source's reaches the target with the next job."""

    take: Take
    reason: Words | None = None

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"take": "target", "reason": "The new shop's wording."}]},
    )


class SettleManyIn(SettleIn):
    """Which conflicts to settle alike: by default all that are open."""

    streams: Streams | None = None
    status: list[ConflictStatus] = Field(
        default=[ConflictStatus.OPEN], min_length=1, max_length=len(ConflictStatus)
    )
    field: RecordId | None = Field(None, description="Only of this field.")
    source_id: RecordId | None = Field(None, description="Only of this record.")

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"take": "target", "streams": ["products"], "field": "name"}]
        },
    )


class SettledOut(Output):
    """How many conflicts were settled."""

    settled: int

    model_config = ConfigDict(json_schema_extra={"examples": [{"settled": 12}]})


class ApplyIn(Input):
    """Which settled conflicts to carry out: by default those of all streams."""

    streams: Streams | None = None

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"streams": ["products"]}]}
    )
