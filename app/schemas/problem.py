from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.schemas.values import Output


class Place(Output):
    """Where in the request something is wrong. What was sent is not repeated."""

    pointer: str | None = Field(None, description="A JSON pointer into the body.")
    location: Literal["path", "query", "header", "cookie"] | None = Field(None, alias="in")
    parameter: str | None = Field(None, description="The name of a parameter or header.")
    detail: str


class ProblemOut(Output):
    """Why a request was not answered as hoped (RFC 9457)."""

    type: str = Field(description="`urn:recent-sync:problem:<code>`.")
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable; meant for programs.")
    instance: str
    request_id: str = Field(description="As in the header `X-Request-Id` and in the logs.")
    errors: list[Place] | None = Field(None, description="What is wrong where.")
