"""Adoption: which records another tool has brought over, and what is decided about the rest."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from app.models import AdoptionDecision, AdoptionState, JobStatus, Side
from app.schemas.paging import Page
from app.schemas.values import Input, Output, RecordId, Words
from connectors.records import Stream

_JOB = "7f3f7a52-2f5e-4a3e-bb0e-0f7f5c3e9a33"
_ITEM = "0d1b8f8e-6f0b-4f6e-9a55-5d2f0f6f9f10"


class AdoptedStream(Output):
    """What is known of one stream."""

    paired: int = 0
    matched_by: dict[str, int] = Field(
        default={}, description="Pairs by the evidence; `link` was linked before."
    )
    ambiguous: int = Field(0, description="Source records that may be on the target.")
    source_only: int = 0
    target_only: int = Field(0, description="Target records without a counterpart.")
    doubled: int = Field(0, description="Further copies, on the target, of one source record.")
    settled: int = Field(0, description="Records about which a person has decided.")


class AdoptionOut(Output):
    """What the last adoption found."""

    job_id: UUID | None = Field(description="The last job of kind `adopt`; null: there was none.")
    status: JobStatus | None
    since: datetime | None = Field(description="The baseline that it was given.")
    finished_at: datetime | None
    streams: dict[Stream, AdoptedStream]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "job_id": _JOB,
                    "status": "completed_with_errors",
                    "since": "2026-11-20T00:00:00Z",
                    "finished_at": "2026-11-25T09:12:00Z",
                    "streams": {
                        "orders": {
                            "paired": 18421,
                            "matched_by": {"moment_total_email": 18230, "moment_lines_email": 191},
                            "ambiguous": 3,
                            "source_only": 184,
                            "target_only": 0,
                            "doubled": 92,
                            "settled": 0,
                        }
                    },
                }
            ]
        }
    )


class AdoptionPairOut(Output):
    """A record of one side, and its counterpart where one was found."""

    id: UUID
    stream: Stream
    side: Side = Field(description="On which side the record is.")
    record_id: str
    other_id: str | None = Field(
        description="The counterpart; of a doubled record, the source record it is a copy of."
    )
    state: AdoptionState
    matched_by: str | None = Field(
        description="The evidence: `id`, `sku`, `email`, `moment_total_email`, … Of an ambiguous "
        "record, the most telling of what it shares with its candidates."
    )
    confidence: float | None = Field(description="What that evidence is worth, up to 1.")
    candidates: list[str] = Field(description="Records that an ambiguous one may belong to.")
    differs: list[str] = Field(description="Fields in which a pair differed when it was read.")
    declared: list[str] = Field(description="Differing fields that the target cannot keep.")
    label: str = Field(description="What people know it by; an email is masked.")
    decision: AdoptionDecision | None
    settled_by: str | None
    settled_at: datetime | None
    reason: str | None

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "id": _ITEM,
                    "stream": "orders",
                    "side": "source",
                    "record_id": "5121",
                    "other_id": None,
                    "state": "ambiguous",
                    "matched_by": "total_lines_email",
                    "confidence": 0.75,
                    "candidates": ["1201", "1202"],
                    "differs": [],
                    "declared": [],
                    "label": "#5121 of 2026-10-02, 25.00 GBP",
                    "decision": None,
                    "settled_by": None,
                    "settled_at": None,
                    "reason": None,
                }
            ]
        },
    )


class AdoptionPairPage(Page[AdoptionPairOut]):
    pass


class AdoptionSettleIn(Input):
    """What is decided about a record. `pair` needs `other_id`, the record on the other side."""

    decision: AdoptionDecision
    other_id: RecordId | None = None
    reason: Words | None = None

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"decision": "pair", "other_id": "1201"}]},
    )


class AdoptionFileOut(Output):
    """What came of a file: lines that decided something, and lines without a decision."""

    settled: int
    unchanged: int = Field(description="Decided so before.")
    undecided: int

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"settled": 3, "unchanged": 0, "undecided": 92}]}
    )


class StreamDrift(Output):
    """How far the linked records of a stream are from their originals."""

    linked: int = Field(0, description="Records that are linked.")
    unverified: int = Field(0, description="Adopted, and met by no run since.")
    differing: int = Field(0, description="Of these, records that differed when they were read.")
    fields: dict[str, int] = Field(default={}, description="In which fields they did.")
    declared: dict[str, int] = Field(
        default={}, description="Differing fields that the target cannot keep; no drift."
    )
    kept: dict[str, int] = Field(
        default={}, description="Fields in which the target's value stays, by policy or decision."
    )
    unsettled: dict[str, int] = Field(
        default={}, description="Fields about which somebody has to decide."
    )
    quarantined: int = Field(0, description="Linked records whose change was refused.")


class DriftOut(Output):
    """What is known to differ between linked records."""

    as_of: datetime | None = Field(description="When the last adoption ended.")
    streams: dict[Stream, StreamDrift]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "as_of": "2026-11-25T09:12:00Z",
                    "streams": {
                        "orders": {
                            "linked": 18421,
                            "unverified": 18421,
                            "differing": 552,
                            "fields": {"status": 311, "total": 241},
                            "declared": {"number": 18421},
                            "kept": {},
                            "unsettled": {},
                            "quarantined": 0,
                        }
                    },
                }
            ]
        }
    )
