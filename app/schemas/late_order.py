from __future__ import annotations

from datetime import datetime

from pydantic import ConfigDict, Field

from app.schemas.paging import Page
from app.schemas.sold import SoldLine
from app.schemas.values import Output


class LateOrder(Output):
    """An order of the old shop that came after the launch. Who ordered is for the shops to tell.

    What it holds is as the old shop says now; null where that has it no more or was not asked.
    """

    source_id: str
    target_id: str
    imported_at: datetime | None = Field(description="When it was first brought over.")
    applied_at: datetime = Field(description="When it was written last.")
    number: str | None
    status: str | None
    created_at: datetime | None
    currency: str | None
    total: str | None
    lines: list[SoldLine]


class LateOrderList(Page[LateOrder]):
    """Orders that were brought over, or changed, since a moment; the earliest first."""

    since: datetime

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {
                            "source_id": "18650",
                            "target_id": "90431",
                            "imported_at": "2026-11-27T18:15:02Z",
                            "applied_at": "2026-11-27T18:15:02Z",
                            "number": "18650",
                            "status": "processing",
                            "created_at": "2026-11-27T18:11:40Z",
                            "currency": "GBP",
                            "total": "12.00",
                            "lines": [
                                {
                                    "sku": "MUG-1",
                                    "name": "Blue mug",
                                    "quantity": 1,
                                    "total": "10.00",
                                }
                            ],
                        }
                    ],
                    "next": None,
                    "since": "2026-11-27T17:52:30Z",
                }
            ]
        },
    )
