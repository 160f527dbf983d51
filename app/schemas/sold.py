from __future__ import annotations

from datetime import datetime

from pydantic import ConfigDict, Field

from app.schemas.paging import Page
from app.schemas.values import Output


class SoldLine(Output):
    sku: str
    name: str
    quantity: int
    total: str = Field(description="After discounts, without tax.")


class SoldOrder(Output):
    """An order that the new shop took by itself. Who ordered is for the shop to tell."""

    id: str = Field(description="On the target.")
    number: str
    status: str
    created_at: datetime | None
    currency: str
    total: str
    lines: list[SoldLine]


class SoldList(Page[SoldOrder]):
    """What the new shop sold by itself since a moment."""

    since: datetime
    undecided: int = Field(
        description="Orders that were sent to the target and never confirmed: they may be among "
        "these. The next run finds out."
    )

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {
                            "id": "90412",
                            "number": "90412",
                            "status": "processing",
                            "created_at": "2026-11-27T18:04:11Z",
                            "currency": "GBP",
                            "total": "48.00",
                            "lines": [
                                {
                                    "sku": "MUG-1",
                                    "name": "Blue mug",
                                    "quantity": 4,
                                    "total": "40.00",
                                }
                            ],
                        }
                    ],
                    "next": None,
                    "since": "2026-11-27T17:40:00Z",
                    "undecided": 0,
                }
            ]
        },
    )
