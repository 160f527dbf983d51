from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from app.schemas.paging import Page
from app.schemas.values import Output
from connectors.base import Action, Bounds, Trust
from connectors.records import Stream


class Loss(Output):
    field: str
    reason: str
    whole: bool = Field(description="Whether nothing of the field is kept.")
    addon: bool = Field(description="Whether a store with our add-on keeps it all the same.")


class PermissionOut(Output):
    name: str = Field(description="The platform's own word for it.")
    purpose: str
    writing: bool = Field(description="Whether a store that is only read does without.")
    optional: bool = Field(description="Whether all but its purpose is done without.")


class Reading(Output):
    """How a stream is read. Seconds throughout."""

    trust: Trust = Field(description="How far the stream's timestamp can be believed.")
    overlap: float = Field(description="How far behind the cursor a window begins.")
    settle: float = Field(description="How far behind the store's clock a window ends.")
    granularity: float = Field(description="The finest difference between two timestamps.")
    bounds: Bounds = Field(description="What the platform's filter by date does at its bound.")
    ties: str = Field(description="How records of one timestamp are told apart.")
    page_size: int
    blind_spots: list[str] = Field(description="What changes without moving the timestamp.")
    moves: list[str] = Field(description="What moves the timestamp.")
    shallow: bool = Field(description="Whether ids and timestamps can be listed alone.")
    horizon: bool = Field(description="Whether a sweep can leave old closed records out.")
    horizon_risk: str = Field(description="What else a horizon leaves out.")


class RemovalWay(Output):
    action: Action
    undo: bool = Field(description="Whether it can be undone.")


class Writing(Output):
    """How a stream is written."""

    idempotent: bool = Field(description="The target upserts by our key.")
    merges: bool = Field(
        description="What people changed on the target stays; else it is a mirror of the source."
    )
    batch: int
    derived: list[str] = Field(
        description="What the platform reckons from other fields; nobody edits it."
    )
    keyed: bool = Field(
        description="A record shows our key, so that a removal can tell ours from others."
    )
    removals: list[RemovalWay] = Field(description="How records can be taken away.")
    losses: list[Loss] = Field(description="What the target cannot keep exactly.")
    notes: list[str]


class PlatformOut(Output):
    """What a connector can do, and what it needs to know of a store."""

    name: str
    title: str
    source: dict[Stream, Reading] | None = Field(description="Null where it cannot be read.")
    target: dict[Stream, Writing] | None = Field(description="Null where it cannot be written.")
    permissions: list[PermissionOut] = Field(description="What the credentials have to allow.")
    steps: list[str] = Field(description="How a person makes such credentials, in order.")
    redirects: str | None = Field(
        description="How a target redirects old paths, in words; null where it takes none."
    )
    settings_schema: dict[str, Any] = Field(
        description="JSON schema of a store's `settings`, to draw a form from. Every property "
        "stands for itself, without references and alternatives; it has a `title`, a "
        "`description`, `x-order` for its place, and where there are any `default`, `examples` "
        "and `enum`. What is not `required` may be left out. `x-advanced` is what hardly anybody "
        "changes, `x-multiline` a text of several lines."
    )
    credentials_schema: dict[str, Any] = Field(
        description="The same of its `credentials`. Every one is `writeOnly`, and its `format` is "
        "`password`; one that is `x-visible` may be seen while it is typed in. Where one of "
        "several ways to sign in is enough, `oneOf` gives each a `title`, and the fields it needs."
    )

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "name": "woocommerce",
                    "title": "WooCommerce",
                    "source": {
                        "orders": {
                            "trust": "overlap",
                            "overlap": 300.0,
                            "settle": 10.0,
                            "granularity": 1.0,
                            "bounds": "exclusive",
                            "ties": "Lists are walked by id.",
                            "page_size": 100,
                            "blind_spots": ["refunds"],
                            "moves": ["status"],
                            "shallow": True,
                            "horizon": True,
                            "horizon_risk": "",
                        }
                    },
                    "target": {
                        "orders": {
                            "idempotent": False,
                            "merges": True,
                            "batch": 50,
                            "derived": ["total"],
                            "keyed": True,
                            "removals": [{"action": "archive", "undo": True}],
                            "losses": [
                                {
                                    "field": "number",
                                    "reason": "Meta data keeps the number.",
                                    "whole": False,
                                    "addon": True,
                                }
                            ],
                            "notes": [],
                        }
                    },
                    "permissions": [
                        {
                            "name": "Read/Write",
                            "purpose": "A shop that is written.",
                            "writing": True,
                            "optional": False,
                        }
                    ],
                    "steps": ["Open WooCommerce → Settings → Advanced → REST API."],
                    "redirects": "The add-on keeps them.",
                    "settings_schema": {
                        "type": "object",
                        "properties": {
                            "url": {
                                "type": "string",
                                "title": "Shop address",
                                "description": "The shop's address, as a browser shows it.",
                                "examples": ["https://shop.example"],
                                "x-order": 0,
                            }
                        },
                        "required": ["url"],
                    },
                    "credentials_schema": {
                        "type": "object",
                        "properties": {
                            "consumer_key": {
                                "type": "string",
                                "title": "Consumer Key",
                                "description": "Begins with ck_.",
                                "format": "password",
                                "writeOnly": True,
                                "x-order": 0,
                            }
                        },
                        "required": ["consumer_key"],
                    },
                }
            ]
        },
    )


class PlatformPage(Page[PlatformOut]):
    """All platforms; there is never a second page."""
