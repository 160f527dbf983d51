"""The verdict: whether the new shop may go live."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field, Strict

from app.schemas.checks import CheckId, CheckWeight, ResultOut
from app.schemas.paging import Page
from app.schemas.values import Input, Moment, Output, RecordId, Words
from app.verdict import Verdict

_JOB = "7f3f7a52-2f5e-4a3e-bb0e-0f7f5c3e9a33"
_WAIVER = "c6d1a4de-92f4-4f0c-8f3e-8d5c1e2b7a10"


class Threshold(Input):
    """How much a check puts up with."""

    allowed: Annotated[int, Strict(), Field(ge=0)] | None = Field(
        None, description="So many findings do not stand in the way."
    )
    seconds: Annotated[float, Strict(), Field(ge=0)] | None = Field(
        None,
        description="`data.freshness`: age of a cursor. `preflight.clocks`: difference."
        " `preflight.canary`: how long the target is watched (5, at most 60).",
    )
    pages: Annotated[int, Strict(), Field(ge=1, le=100_000)] | None = Field(
        None, description="`urls.answer`: pages that are visited at the most, for all its group."
    )
    records: Annotated[int, Strict(), Field(ge=1, le=10_000)] | None = Field(
        None,
        description="Workflows, numbers and `effects.mails`: records that are looked up one by one"
        " (100; newest orders of `numbers.collisions`: 1000).",
    )
    free: Annotated[int, Strict(), Field(ge=0)] | None = Field(
        None, description="`numbers.headroom`: numbers that have to be free at launch (0)."
    )


class ReadinessPolicy(Input):
    """What the verdict goes by."""

    valid_minutes: Annotated[float, Strict(), Field(ge=1, le=10_080)] | None = Field(
        None, description="So long a verdict holds (60)."
    )
    max_new: Annotated[int, Strict(), Field(ge=0)] | None = Field(
        None, description="More changed records at the source make it stale (0)."
    )
    fail_on: list[CheckWeight] | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="Which checks can stand in the way: by severity, group or id (`blocker`).",
    )
    thresholds: dict[CheckId, Threshold] | None = None


class WaiverIn(Input):
    """Answer for a check that fails."""

    check: CheckId
    reason: Words
    expires_at: Moment = Field(description="When it ends, at the latest.")
    records: list[RecordId] | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="Only for findings about these records: ids of the source, or of the target "
        "where a finding is about no record of the source; `orders/18123` for those of one stream "
        "alone.",
    )

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "check": "data.money",
                    "reason": "Agreed with accounting: one cent of rounding.",
                    "expires_at": "2026-11-28T06:00:00Z",
                    "records": ["18123"],
                }
            ]
        },
    )


class WaiverOut(Output):
    """A waiver; an expired one is kept, and excuses nothing."""

    id: UUID
    check: str
    reason: str
    author: str = Field(description="The API key that made it.")
    records: list[str] = Field(description="Empty: for all that the check finds.")
    created_at: datetime
    expires_at: datetime

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "id": _WAIVER,
                    "check": "data.money",
                    "reason": "Agreed with accounting: one cent of rounding.",
                    "author": "launch (0123456789)",
                    "records": ["18123"],
                    "created_at": "2026-11-27T09:00:00Z",
                    "expires_at": "2026-11-28T06:00:00Z",
                }
            ]
        },
    )


class WaiverPage(Page[WaiverOut]):
    """All of a migration's, oldest first; there is never a second page."""


class ReasonOut(Output):
    code: str
    message: str


class ReadinessOut(Output):
    """The verdict with its evidence, and what it was true for."""

    migration: str
    verdict: Verdict = Field(description="`stale`: it may not be true any more; verify again.")
    summary: str
    reasons: list[ReasonOut] = Field(
        description="Why it is not `ready`. `never_verified`, `checks_failed`, `expired`, "
        "`written_since`, `decided_since`, `failed_since`, `configuration_changed`, "
        "`watermarks_moved`, `source_moved`, `source_unreachable`."
    )
    job: UUID | None = Field(description="The verification that it rests on.")
    verified_at: datetime | None
    expires_at: datetime | None
    launch_at: datetime | None
    asked_at: datetime
    watermarks: dict[str, datetime] = Field(description="Up to when each stream was applied.")
    configuration: dict[str, Any] = Field(description="What the migration was like.")
    counts: dict[str, int] = Field(
        description="Records that the source held when the verification began, of streams that its "
        "platform counts."
    )
    digest: str | None = Field(
        description="SHA-256 over watermarks, configuration, counts and what the checks found."
    )
    checks: list[ResultOut]
    token: str | None = Field(
        description="This answer signed, as a JWT; `/v1/readiness/keys` has the keys."
    )

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "migration": "spring-launch",
                    "verdict": "ready",
                    "summary": "nothing stands in the way of the launch",
                    "reasons": [],
                    "job": _JOB,
                    "verified_at": "2026-11-27T17:40:00Z",
                    "expires_at": "2026-11-27T18:40:00Z",
                    "launch_at": "2026-11-27T18:00:00Z",
                    "asked_at": "2026-11-27T17:41:12Z",
                    "watermarks": {"orders": "2026-11-27T17:39:20Z"},
                    "configuration": {"migration_version": 4, "streams": ["orders"]},
                    "counts": {"orders": 18642},
                    "digest": "5f0c…",
                    "checks": [],
                    "token": "eyJhbGciOiJFZERTQSIsImtpZCI6…",
                }
            ]
        },
    )


class KeySet(Output):
    """Public keys that verdicts are signed with (RFC 7517)."""

    keys: list[dict[str, str]]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "keys": [
                        {
                            "crv": "Ed25519",
                            "kty": "OKP",
                            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
                            "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
                            "alg": "EdDSA",
                            "use": "sig",
                        }
                    ]
                }
            ]
        }
    )
