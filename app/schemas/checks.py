"""Launch checks: what there is, and what they found."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema

from app.catalogue import CATALOGUE, Group, Severity, State
from app.schemas.paging import Page
from app.schemas.values import Output
from connectors.records import Stream

_GROUPS = [str(each) for each in Group]


def _among(names: list[str], what: str) -> AfterValidator:
    def check(name: str) -> str:
        if name not in names:
            raise ValueError(f"there is no such {what}")
        return name

    return AfterValidator(check)


def _one_of(names: list[str]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": names})


CheckId = Annotated[str, _among(list(CATALOGUE), "check"), _one_of(list(CATALOGUE))]
"""The id of a check."""

_NAMES = [*_GROUPS, *CATALOGUE]
CheckName = Annotated[str, _among(_NAMES, "check, and no such group"), _one_of(_NAMES)]
"""The id of a check, or a group of them."""

_WEIGHTS = [*(str(each) for each in Severity), *_NAMES]
CheckWeight = Annotated[str, _among(_WEIGHTS, "severity, group or check"), _one_of(_WEIGHTS)]
"""A severity, a group or the id of a check."""


class LaunchCheckOut(Output):
    """A check there is."""

    id: str
    group: Group
    title: str
    proves: str = Field(description="What is known once it has passed.")
    severity: Severity
    counts: bool = Field(description="Whether the migration's policies let it stop a launch.")

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "id": "data.money",
                    "group": "data",
                    "title": "Money agrees to the minor unit",
                    "proves": "Totals, taxes, refunds and prices are the same to the minor unit.",
                    "severity": "blocker",
                    "counts": True,
                }
            ]
        },
    )


class LaunchCheckPage(Page[LaunchCheckOut]):
    """All checks in the order in which they run; there is never a second page."""


class EvidenceOut(Output):
    """One thing that is wrong; of a canary also one that was done. No personal data."""

    message: str
    stream: Stream | None = None
    source_id: str | None = None
    target_id: str | None = None
    field: str | None = None


class WaivedOut(Output):
    """Who answers for a check that fails, and until when."""

    id: UUID
    reason: str
    author: str
    expires_at: datetime


_RESULT: dict[str, Any] = {
    "id": "data.money",
    "title": "Money agrees to the minor unit",
    "severity": "blocker",
    "state": "failed",
    "stands_in_way": True,
    "tolerated": False,
    "waived": None,
    "summary": "Amounts that differ: 1.",
    "examined": 512,
    "total": 18642,
    "sample": "orders: all 312 that changed, and 200 of the other 18,330 by chance",
    "found": 1,
    "evidence": [
        {
            "message": "Source and target: 61.90 EUR / 61.91 EUR.",
            "stream": "orders",
            "source_id": "18123",
            "target_id": "20417",
            "field": "total",
        }
    ],
    "seconds": 4.2,
    "at": "2026-11-25T10:00:09Z",
}


class ResultOut(Output):
    """What a check found, and what that means for the launch by now."""

    id: str
    title: str
    severity: Severity
    state: State = Field(
        description="`skipped`: there is nothing to look at. `unknown`: it could not be carried"
        " out; it counts like `failed`."
    )
    stands_in_way: bool = Field(description="No launch with it.")
    tolerated: bool = Field(description="It found no more than the policies allow.")
    waived: WaivedOut | None
    summary: str
    examined: int
    total: int | None
    sample: str = Field(description="How what was examined was chosen.")
    found: int = Field(description="How many findings there are.")
    evidence: list[EvidenceOut] = Field(
        description="The first of them; of a canary also what was done, whatever it found."
    )
    seconds: float
    at: datetime

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [_RESULT]})


class ResultPage(Page[ResultOut]):
    """All results of a job, in the order in which the checks ran; there is never a second page."""
