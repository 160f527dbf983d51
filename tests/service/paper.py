"""A platform that lives on paper: a connector whose stores do what their settings say."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from connectors.base import (
    Action,
    Connector,
    Extent,
    Loss,
    Permission,
    ReadCapability,
    Removal,
    StoreAccess,
    StoreReport,
    Trust,
    WriteCapability,
)
from connectors.errors import BadAnswer, SignInAgain, Unreachable
from connectors.records import Stream

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
"""The time in every paper shop."""


class PaperSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: str = Field(pattern=r"^https://", description="Where the paper lies.")
    mood: Literal["fine", "offline", "locked", "read_only", "html", "slow"] = Field(
        "fine", description="How the store feels."
    )
    pages: int = Field(1, description="How many there are.")


class PaperCredentials(BaseModel):
    model_config = ConfigDict(extra="forbid")

    token: SecretStr
    spare: SecretStr | None = None


class Paper:
    """Both source and target: only what a check needs."""

    def __init__(self, access: StoreAccess, side: str) -> None:
        assert isinstance(access.settings, PaperSettings)
        self.mood = access.settings.mood
        self.pages = access.settings.pages
        self.side = side

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        pass

    async def check(self) -> StoreReport:
        match self.mood:
            case "offline":
                raise Unreachable("The store cannot be reached.")
            case "locked":
                raise SignInAgain("The store does not accept the credentials.")
            case "html":
                raise BadAnswer("The store answers HTML.", code="store_not_json")
            case "read_only" if self.side == "target":
                raise SignInAgain("The key may only read.", code="store_forbidden")
            case "slow":
                await asyncio.sleep(3600)
        return StoreReport(
            platform_version="1.2", name="Paper shop", currency="EUR", findings=(("old", "Old."),)
        )

    async def server_time(self) -> datetime:
        await self.check()
        return NOW

    async def count(self, stream: Stream, extent: Extent) -> int:
        return self.pages


def paper() -> Connector:
    """Reads and writes all streams but inventory, which it can only write."""
    return Connector(
        name="paper",
        title="Paper",
        settings=PaperSettings,
        credentials=PaperCredentials,
        permissions=(Permission("sheets", "Every sheet of paper."),),
        steps=("Ask the shopkeeper for a token.",),
        reads={
            stream: ReadCapability(
                trust=Trust.OVERLAP,
                horizon=stream is Stream.ORDERS,
                horizon_risk="So does an order in a status of its own.",
            )
            for stream in Stream
            if stream is not Stream.INVENTORY
        },
        writes={
            s: WriteCapability(
                losses=(Loss("extra", "no room"),),
                removals=(Removal(Action.DELETE),) if s == "products" else (),
            )
            for s in Stream
        },
        source=lambda access: Paper(access, "source"),  # type: ignore[arg-type,return-value]
        target=lambda access: Paper(access, "target"),  # type: ignore[arg-type,return-value]
    )


def press() -> Connector:
    """Can only be written."""
    return Connector(
        name="press",
        title="Press",
        settings=PaperSettings,
        credentials=PaperCredentials,
        writes={Stream.PRODUCTS: WriteCapability()},
        target=lambda access: Paper(access, "target"),  # type: ignore[arg-type,return-value]
    )


def a_store(name: str = "old-shop", **changes: Any) -> dict[str, Any]:
    """A valid request for a store."""
    return {
        "name": name,
        "platform": "paper",
        "settings": {"url": "https://shop.example"},
        "credentials": {"token": "cs_0123456789abcdef"},
    } | changes
