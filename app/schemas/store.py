from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field

from app.schemas.paging import Page
from app.schemas.values import Input, Output, StoreName
from connectors.base import TaxBasis

_ID = "5b0f6f0e-6a44-4a5e-9d39-8e0d3a5f2a10"

PlatformName = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[^\x00]+$")]
Settings = Annotated[
    dict[str, Any],
    Field(description="As the platform's `settings_schema` says; not secret."),
]
Credentials = Annotated[
    dict[str, Any],
    Field(description="As `credentials_schema` says; kept encrypted, never returned."),
]


class StoreIn(Input):
    """A shop to register."""

    name: StoreName
    platform: PlatformName = Field(description="One of the names that `/v1/platforms` lists.")
    settings: Settings = Field(default_factory=dict)
    credentials: Credentials = Field(default_factory=dict)

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "old-shop",
                    "platform": "woocommerce",
                    "settings": {"url": "https://shop.example"},
                    "credentials": {"consumer_key": "ck_...", "consumer_secret": "cs_..."},
                }
            ]
        },
    )


class StorePatch(Input):
    """What to change. Members of `settings` and `credentials` replace those of the same name,
    null removes one; what is not named stays.
    """

    name: StoreName | None = None
    settings: Settings | None = None
    credentials: Credentials | None = None

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"credentials": {"consumer_secret": "cs_..."}}]},
    )


class StoreOut(Output):
    """A registered shop."""

    id: UUID
    name: str
    platform: str
    settings: dict[str, Any]
    credentials_set: list[str] = Field(description="Which credentials are there; never their text.")
    credentials_readable: bool = Field(
        description="False where no configured encryption key opens the credentials."
    )
    muted: bool = Field(description="Whether a job keeps the shop's mails turned off just now.")
    version: int = Field(description="Grows with every change.")
    created_at: datetime
    updated_at: datetime

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "id": _ID,
                    "name": "old-shop",
                    "platform": "woocommerce",
                    "settings": {"url": "https://shop.example"},
                    "credentials_set": ["consumer_key", "consumer_secret"],
                    "credentials_readable": True,
                    "muted": False,
                    "version": 1,
                    "created_at": "2026-11-20T09:00:00Z",
                    "updated_at": "2026-11-20T09:00:00Z",
                }
            ]
        },
    )


class StorePage(Page[StoreOut]):
    pass


class Finding(Output):
    code: str
    message: str


class ReportOut(Output):
    """What a store says about itself."""

    platform_version: str
    name: str
    currency: str
    tax_basis: TaxBasis | None = Field(
        description="Whether the prices that people enter hold the tax; null where it is not told."
    )
    timezone: str
    server_time: datetime | None
    addon: str | None = Field(
        description="The version of our add-on that is used there; null where there is none."
    )
    findings: list[Finding] = Field(description="What is worth knowing before a launch.")


class SideOut(Output):
    """The store as a source, or as a target."""

    ok: bool
    code: str | None = Field(description="Why not; null where all is well.")
    message: str | None
    report: ReportOut | None


class CheckOut(Output):
    """What a check of a store found. `ok` is true where no side that was asked has a problem."""

    ok: bool
    source: SideOut | None = Field(description="Null where it was not asked or cannot be read.")
    target: SideOut | None = Field(description="Null where it was not asked or cannot be written.")

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "ok": False,
                    "source": {
                        "ok": False,
                        "code": "store_unauthorized",
                        "message": "The store does not accept the credentials.",
                        "report": None,
                    },
                    "target": None,
                }
            ]
        },
    )
