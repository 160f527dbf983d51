"""The report of a demo: what mapping made of a sample."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ConfigDict, Field

from app.models import JobStatus
from app.schemas.values import Output
from connectors.records import Stream

_JOB = "7f3f7a52-2f5e-4a3e-bb0e-0f7f5c3e9a33"


class ExampleOut(Output):
    """A value before and after; what may tell of a person is masked."""

    source_id: str
    before: str
    after: str


class FieldOut(Output):
    """What became of a field, in records."""

    field: str
    kept: int = Field(description="The same on both sides.")
    changed: int = Field(description="Another value, by a rule.")
    dropped: int = Field(description="There was something, and nothing is left.")
    defaulted: int = Field(description="There was nothing, and a rule put something there.")
    empty: int = Field(description="Nothing on both sides.")
    lossy: int = Field(description="Records in which the target could not keep it exactly.")
    examples: list[ExampleOut]


class LossOut(Output):
    """Something that the target declares it cannot keep exactly."""

    field: str
    reason: str
    whole: bool = Field(description="Nothing of it is kept.")
    addon: bool = Field(description="It is kept where the store has our add-on.")
    records: int = Field(description="Records of the sample that hold something there.")
    lost: int | None = Field(
        description="Of the records that were written, those in which the target shows something "
        "else than was sent; null in a dry run."
    )


class CustomFieldOut(Output):
    """A field that the source's platform has alone."""

    path: str
    records: int = Field(description="Records of the sample that have it.")
    unmapped: int = Field(description="Of these, records in which no rule moves or changes it.")
    example: str


class RuleOut(Output):
    """A mapping rule, and how many records of the sample it changed."""

    number: int
    rule: dict[str, Any]
    records: int


class RefusalOut(Output):
    """A record of the sample that could not be mapped or written."""

    source_id: str
    code: str
    message: str


class StreamReportOut(Output):
    """What became of a stream's sample."""

    stream: Stream
    total: int | None = Field(description="Records in the stream, by the store's own count.")
    looked_at: int = Field(description="Records among which was chosen.")
    pages: int = Field(description="Pages that were read for that.")
    chosen: int
    brought: int = Field(description="Records that came because others name them.")
    too_large: int = Field(
        description="Records that were passed over: they name too many others for this size."
    )
    reasons: dict[str, int] = Field(description="Why records were chosen.")
    outcomes: dict[str, int] = Field(
        description="`created`, `updated`, `unchanged`, `refused`, `missing`, `unreadable`; in a "
        "dry run, what would have become of them."
    )
    fields: list[FieldOut]
    losses: list[LossOut]
    custom_fields: list[CustomFieldOut]
    rules: list[RuleOut]
    refusals: list[RefusalOut]
    lacking: list[str] = Field(description="Records that are named and are on neither store.")


class MappingReportOut(Output):
    """The mapping report of a demo. Holds no personal data in the clear."""

    job: UUID
    migration: str
    source: str = Field(description="The source's platform.")
    target: str = Field(description="The target's platform.")
    status: JobStatus = Field(description="Of the job: until it has ended, the report grows.")
    dry_run: bool
    size: int
    seed: str
    mapping_version: int | None
    finished_at: datetime | None
    streams: list[StreamReportOut]

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "job": _JOB,
                    "migration": "spring-launch",
                    "source": "WooCommerce",
                    "target": "Shopify",
                    "status": "succeeded",
                    "dry_run": True,
                    "size": 25,
                    "seed": "",
                    "mapping_version": 3,
                    "finished_at": "2026-11-25T10:00:20Z",
                    "streams": [
                        {
                            "stream": "products",
                            "total": 4120,
                            "looked_at": 800,
                            "pages": 8,
                            "chosen": 25,
                            "brought": 31,
                            "too_large": 0,
                            "reasons": {"newest": 1, "most_variants": 1, "random": 12},
                            "outcomes": {"created": 56},
                            "fields": [
                                {
                                    "field": "status",
                                    "kept": 52,
                                    "changed": 4,
                                    "dropped": 0,
                                    "defaulted": 0,
                                    "empty": 0,
                                    "lossy": 0,
                                    "examples": [
                                        {
                                            "source_id": "412",
                                            "before": "private",
                                            "after": "draft",
                                        }
                                    ],
                                }
                            ],
                            "losses": [
                                {
                                    "field": "tax_class",
                                    "reason": "Tax classes are the new shop's own.",
                                    "whole": True,
                                    "addon": False,
                                    "records": 3,
                                    "lost": None,
                                }
                            ],
                            "custom_fields": [
                                {
                                    "path": "extra.meta.season",
                                    "records": 40,
                                    "unmapped": 40,
                                    "example": "spring",
                                }
                            ],
                            "rules": [
                                {
                                    "number": 0,
                                    "rule": {"field": "status", "values": {"private": "draft"}},
                                    "records": 4,
                                }
                            ],
                            "refusals": [],
                            "lacking": [],
                        }
                    ],
                }
            ]
        },
    )
