"""Removals: what became of records that are gone from the source."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from app.models import RemovalStatus
from app.schemas.paging import Page
from app.schemas.values import Output
from connectors.base import Action
from connectors.records import Stream

_JOB = "7f3f7a52-2f5e-4a3e-bb0e-0f7f5c3e9a33"


class Evidence(Output):
    """What proves that a record is gone."""

    sweeps: int = Field(0, description="Clean sweeps in a row that did not see it.")
    direct: bool = Field(False, description="Asked for it by its id, the source said no.")
    reused: bool = Field(False, description="The source gave its id to another record.")
    jobs: list[UUID] = Field(description="The jobs that proved it.")


class RemovalOut(Output):
    """A record that is gone from the source, and what was done on the target."""

    id: UUID
    stream: Stream
    source_id: str
    target_id: str
    action: Action
    status: RemovalStatus = Field(
        description="`proven`: about to be done. `held`: the brake stopped it."
        " `returned`: the record is at the source again."
    )
    evidence: Evidence
    undoable: bool = Field(description="Whether the target can bring it back.")
    code: str | None = Field(description="Why the target refused it.")
    message: str | None
    job_id: UUID | None
    at: datetime = Field(description="When it was proven, or done.")
    undone_at: datetime | None
    undone_by: str | None = Field(description="Who asked for it to be undone.")

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "id": "b1d6f0a4-6f0e-4f38-9f8e-7a2f8f0e5d21",
                    "stream": "products",
                    "source_id": "412",
                    "target_id": "1387",
                    "action": "archive",
                    "status": "done",
                    "evidence": {"sweeps": 1, "direct": True, "reused": False, "jobs": [_JOB]},
                    "undoable": True,
                    "code": None,
                    "message": None,
                    "job_id": _JOB,
                    "at": "2026-11-25T09:01:30Z",
                    "undone_at": None,
                    "undone_by": None,
                }
            ]
        },
    )


class RemovalPage(Page[RemovalOut]):
    pass
