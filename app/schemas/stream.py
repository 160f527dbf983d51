"""Streams of a migration: how far their timestamps are believed, and what speaks for it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import ConfigDict, Field

from app.schemas.migration import SweepDepth
from app.schemas.paging import Page
from app.schemas.values import Input, Output, Words
from connectors.base import Bounds, Trust
from connectors.records import Stream


class Belief(StrEnum):
    """`declared`: as far as the platform's connector says. `sweep`: not at all."""

    DECLARED = "declared"
    SWEEP = "sweep"


class StreamIn(Input):
    """Believe a stream's timestamps again, or no longer."""

    trust: Belief
    reason: Words = Field(description="What was mended, or what is wrong; it is kept.")

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"trust": "declared", "reason": "The stock plugin now saves through the shop."}
            ]
        },
    )


class DemotionOut(Output):
    """Why a stream is swept although its platform could read it by window."""

    at: datetime
    reason: str = Field(
        description="A stable code: `silent_change`, `never_shown`, `set_by_hand`, or what a "
        "probe found, such as `filter_not_kept`."
    )
    message: str
    evidence: dict[str, Any] = Field(description="Ids, stamps and bounds of windows; no content.")


class AuditOut(Output):
    """How far the records have been verified, round after round."""

    runs: int = Field(description="Within so many `recent` runs every record is verified.")
    rounds: int = Field(description="Rounds that are complete.")
    verified: int = Field(description="Records verified in the present round.")
    total: int = Field(description="Records in the stream, as known at the last audit.")
    share: float = Field(description="`verified` of `total`, from 0 to 1.")


class HorizonOut(Output):
    """What sweeps leave out, and what may go unnoticed because of it."""

    days: int
    risk: str


class StreamOut(Output):
    """How a stream of the source is read, and why. Seconds throughout."""

    stream: Stream
    declared: Trust = Field(description="How far the connector believes the timestamp.")
    trust: Trust = Field(description="How far it is believed in this migration.")
    demoted: DemotionOut | None
    proven_at: datetime | None = Field(
        description="When an audit last verified its share and found nothing wrong."
    )
    audit: AuditOut | None = Field(description="Null for a stream that is always swept.")
    overlap: float = Field(description="How far behind the cursor a window begins.")
    settle: float = Field(description="How far behind the store's clock a window ends.")
    granularity: float = Field(description="The finest difference between two timestamps.")
    bounds: Bounds = Field(description="What the platform's filter does at its bound.")
    ties: str = Field(description="How records of one timestamp are told apart.")
    blind_spots: list[str] = Field(description="What changes without moving the timestamp.")
    moves: list[str] = Field(description="What moves the timestamp.")
    sweep: SweepDepth = Field(description="Whether sweeps of a trusted stream read contents.")
    horizon: HorizonOut | None

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "stream": "orders",
                    "declared": "overlap",
                    "trust": "sweep",
                    "demoted": {
                        "at": "2026-11-25T09:03:40Z",
                        "reason": "silent_change",
                        "message": "Records changed although their stamps say that they did not.",
                        "evidence": {
                            "job": "7f3f7a52-2f5e-4a3e-bb0e-0f7f5c3e9a33",
                            "window": {
                                "since": "2026-11-25T08:54:50+00:00",
                                "until": "2026-11-25T09:02:10+00:00",
                            },
                            "missed": 1,
                            "records": [
                                {
                                    "id": "18123",
                                    "change": "silent_change",
                                    "stamp": "2026-11-20T14:11:02+00:00",
                                }
                            ],
                        },
                    },
                    "proven_at": "2026-11-25T08:31:02Z",
                    "audit": {
                        "runs": 100,
                        "rounds": 2,
                        "verified": 3600,
                        "total": 18642,
                        "share": 0.193,
                    },
                    "overlap": 300.0,
                    "settle": 10.0,
                    "granularity": 1.0,
                    "bounds": "exclusive",
                    "ties": "Lists are walked by id.",
                    "blind_spots": ["Deleting an order for good leaves no trace."],
                    "moves": ["status", "lines"],
                    "sweep": "deep",
                    "horizon": {
                        "days": 365,
                        "risk": "Sweeps leave out closed records that are older than 365 days: "
                        "what changes in them without moving a timestamp goes unnoticed.",
                    },
                }
            ]
        },
    )


class StreamPage(Page[StreamOut]):
    """All streams in scope; there is never a second page."""
