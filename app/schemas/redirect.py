"""Old addresses of a migration, and what answers in their place."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field, Strict

from app.redirects.chart import Fault
from app.schemas.paging import Page
from app.schemas.values import Flag, Input, Output
from connectors.records import Stream
from connectors.redirects import RedirectState

Table = Annotated[str, Field(min_length=1, max_length=20_000_000, pattern=r"^[^\x00]*$")]


class PushOut(Output):
    """What the target shop said of a redirect that was pushed."""

    state: RedirectState
    code: str | None = Field(description="Why it was refused.")
    target: str = Field(description="Where it leads, or should have.")
    at: datetime


class RedirectOut(Output):
    """An old path, and the path that answers in its place. Both as browsers send them."""

    path: str
    target: str
    visits: int
    stream: Stream | None = Field(description="Null: people have added it.")
    source_id: str | None
    pushed: PushOut | None

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "path": "/product/blue-mug/",
                    "target": "/products/blue-mug",
                    "visits": 1204,
                    "stream": "products",
                    "source_id": "412",
                    "pushed": {
                        "state": "made",
                        "code": None,
                        "target": "/products/blue-mug",
                        "at": "2026-11-27T09:00:00Z",
                    },
                }
            ]
        },
    )


class RedirectPage(Page[RedirectOut]):
    pass


class FaultOut(Output):
    """An old path that the map cannot lead to its page, or not as it was given."""

    fault: Fault = Field(
        description="`missing`: no page on the new shop. `unknown`: visited, and no record is known"
        " there. `undecided`: a page that is no record: add a redirect to what answers for it."
        " `taken`: the new shop shows another page there. `duplicate`: the path of several."
        " `loop`: leads back to itself, and was left out. `chain`: led on, and was cut short."
        " `self`: leads to itself."
    )
    path: str
    detail: str
    visits: int
    stream: Stream | None
    source_id: str | None

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "fault": "unknown",
                    "path": "/sale-2024/",
                    "detail": "It is visited, and no record is known there.",
                    "visits": 88,
                    "stream": None,
                    "source_id": None,
                }
            ]
        },
    )


class FaultPage(Page[FaultOut]):
    pass


class SummaryOut(Output):
    """The map in numbers."""

    redirects: int = Field(description="Old paths that lead to another one.")
    same: int = Field(description="Pages whose path stays what it is.")
    faults: dict[Fault, int]
    pushed: dict[RedirectState, int] = Field(
        description="Of the redirects as they are now; the others were not pushed yet."
    )
    visits: int = Field(description="All visits that are known.")
    covered: int = Field(
        description="Those to paths that stay, or that the map leads on. Whether a page answers "
        "there is not asked here: the check `urls.answer` does that."
    )
    share: float | None = Field(description="Covered of all, from 0 to 1; null without visits.")
    seen_at: datetime | None = Field(
        description="When the pages were looked up, the longest ago; null before the first time."
    )

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "redirects": 3120,
                    "same": 14,
                    "faults": {"missing": 3, "unknown": 12},
                    "pushed": {"made": 3100, "refused": 2},
                    "visits": 48210,
                    "covered": 47800,
                    "share": 0.9915,
                    "seen_at": "2026-11-27T08:55:00Z",
                }
            ]
        }
    )


class RefreshIn(Input):
    """How far to go."""

    cursor: Annotated[str, Field(max_length=2000)] | None = Field(
        None, description="`next` of the call before this one; without it, from the beginning."
    )
    limit: Annotated[int, Strict(), Field(ge=1, le=500)] = Field(
        200, description="Records that are looked up."
    )

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"limit": 200}]})


class RefreshOut(Output):
    """What was looked up."""

    records: int
    pages: int = Field(description="Those with a public page on the source.")
    cms_pages: int = Field(
        description="Pages of the source that are no records; told by the first call."
    )
    notes: list[str] = Field(description="What the shops do not tell of those, a sentence each.")
    next: str | None = Field(description="Hand this back as `cursor` to go on; null at the end.")

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"records": 200, "pages": 187, "cms_pages": 12, "notes": [], "next": None}]
        }
    )


class TableIn(Input):
    """A CSV as text, with a line that names its columns."""

    csv: Table

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"csv": "path,visits\n/product/blue-mug/,1204\n"}]},
    )


class TableOut(Output):
    """What was read of a table; it has taken the place of the one before."""

    paths: int
    passed: int = Field(description="Lines that name no path of a shop, and were passed over.")

    model_config = ConfigDict(json_schema_extra={"examples": [{"paths": 812, "passed": 2}]})


class PushIn(Input):
    """How far to go."""

    limit: Annotated[int, Strict(), Field(ge=0, le=1000)] = Field(
        250,
        description="Redirects that are sent to the target at most; 0 only asks whether it takes "
        "any.",
    )
    again: Flag = Field(False, description="Also those that it has refused before.")

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"limit": 100}]})


class PushedOut(Output):
    """One path, and what became of its redirect."""

    path: str
    target: str
    state: RedirectState
    code: str | None = Field(description="Why it was refused: `path_live`, `redirect_differs`, …")


class PushesOut(Output):
    """What was pushed by this call, and how many are left for the next ones."""

    items: list[PushedOut]
    left: int

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {
                            "path": "/product/blue-mug/",
                            "target": "/products/blue-mug",
                            "state": "made",
                            "code": None,
                        }
                    ],
                    "left": 3020,
                }
            ]
        }
    )
