from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import ConfigDict, Field, Strict, model_validator

from app.models import WebhookEventType
from app.moments import DURATION_PATTERN
from app.schemas.paging import Page
from app.schemas.values import Flag, Input, Moment, Output, Slug

_ID = "6d9a4d0e-7c19-4a7b-9df5-2f0d1a6b8c33"
_EVENT = "0f3a5b7c-1d2e-4f60-8a9b-c0d1e2f3a4b5"

Url = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2000,
        pattern=r"^https?://[^\s\x00-\x1f]+$",
        description="Where events are POSTed to; https, unless the service's settings allow "
        "otherwise.",
    ),
]
Events = Annotated[
    list[WebhookEventType],
    Field(min_length=1, max_length=len(WebhookEventType), json_schema_extra={"uniqueItems": True}),
]
LagSeconds = Annotated[int, Strict(), Field(ge=60, le=31_536_000)]
Description = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]


class WebhookIn(Input):
    """An address that is told of events."""

    url: Url
    events: Events
    migration: Slug | None = Field(None, description="Only of this migration; by default of all.")
    lag_seconds: LagSeconds | None = Field(
        None, description="Needed for `lag` events: how old the oldest cursor may be."
    )
    description: Description = ""

    @model_validator(mode="after")
    def _lag_is_bounded(self) -> Self:
        lags = {WebhookEventType.LAG_EXCEEDED, WebhookEventType.LAG_RECOVERED}
        if lags & set(self.events) and self.lag_seconds is None:
            raise ValueError("lag events need lag_seconds")
        return self

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "url": "https://hooks.example.com/recent-sync",
                    "events": ["job.ended", "lag.exceeded"],
                    "migration": "spring-launch",
                    "lag_seconds": 1800,
                }
            ]
        },
    )


class WebhookPatch(Input):
    """What to change."""

    url: Url | None = None
    events: Events | None = None
    lag_seconds: LagSeconds | None = None
    description: Description | None = None
    disabled: Flag | None = Field(
        None, description="`false` enables it again; what was held is sent by a replay."
    )

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"disabled": False}]})


class RotateIn(Input):
    """How long the secret that there is signs beside the new one."""

    keep: Annotated[str, Field(pattern=DURATION_PATTERN)] = Field("24h", description="At most 7d.")

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"keep": "24h"}]})


class ReplayIn(Input):
    """From when."""

    since: Moment

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"since": "2026-11-27T12:00:00Z"}]}
    )


class ReplayOut(Output):
    """How many deliveries are sent again."""

    replayed: int

    model_config = ConfigDict(
        from_attributes=True, json_schema_extra={"examples": [{"replayed": 12}]}
    )


_WEBHOOK: dict[str, Any] = {
    "id": _ID,
    "url": "https://hooks.example.com/recent-sync",
    "description": "",
    "events": ["job.ended", "lag.exceeded"],
    "migration": "spring-launch",
    "lag_seconds": 1800,
    "secrets": 1,
    "failing_since": None,
    "disabled_at": None,
    "disabled_reason": None,
    "created_at": "2026-11-20T09:00:00Z",
    "updated_at": "2026-11-20T09:00:00Z",
}


class WebhookOut(Output):
    """An endpoint, without its secrets."""

    id: UUID
    url: str
    description: str
    events: list[WebhookEventType]
    migration: str | None = Field(description="The migration's slug.")
    lag_seconds: int | None
    secrets: int | None = Field(
        description="How many sign at the moment; null where no configured key opens them."
    )
    failing_since: datetime | None = Field(description="The first failure since a success.")
    disabled_at: datetime | None
    disabled_reason: str | None = Field(
        description="`gone` (it answered 410), `failing` (for five days) or `asked`."
    )
    created_at: datetime
    updated_at: datetime

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [_WEBHOOK]})


class NewWebhookOut(WebhookOut):
    """With a new secret, which is shown this once."""

    secret: str

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={"examples": [_WEBHOOK | {"secret": "whsec_<secret>"}]},
    )


class WebhookPage(Page[WebhookOut]):
    pass


class Attempt(Output):
    """`code` says what went wrong before there was an answer."""

    at: datetime
    status: int | None
    code: str | None
    milliseconds: int


class DeliveryOut(Output):
    """An event on its way to an endpoint."""

    id: UUID
    event: UUID
    message: str = Field(description="The header `webhook-id`; the same in every attempt.")
    type: WebhookEventType
    data: dict[str, Any]
    status: str = Field(
        description="`pending`, `delivered`, `failed`, or `held` while the endpoint is disabled."
    )
    attempts: int
    next_at: datetime | None = Field(description="When it is tried next.")
    log: list[Attempt] = Field(description="The latest attempts, oldest first.")
    delivered_at: datetime | None
    created_at: datetime

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "id": "a4c8e2f0-5b7d-4e61-9f3a-8d2c6b0e1f47",
                    "event": _EVENT,
                    "message": f"msg_{_EVENT.replace('-', '')}",
                    "type": "job.ended",
                    "data": {"migration": "spring-launch", "status": "succeeded"},
                    "status": "delivered",
                    "attempts": 1,
                    "next_at": None,
                    "log": [
                        {
                            "at": "2026-11-25T10:00:12Z",
                            "status": 204,
                            "code": None,
                            "milliseconds": 83,
                        }
                    ],
                    "delivered_at": "2026-11-25T10:00:12Z",
                    "created_at": "2026-11-25T10:00:10Z",
                }
            ]
        },
    )


class DeliveryPage(Page[DeliveryOut]):
    pass
