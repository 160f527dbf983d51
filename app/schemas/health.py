from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict

from app.schemas.values import Output


class Health(Output):
    """The process answers."""

    status: Literal["ok"]

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok"}]})


class Readiness(Output):
    """The service can take requests: its database, its tables and its queue are there."""

    status: Literal["ready"]
    checks: dict[str, bool]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "status": "ready",
                    "checks": {"database": True, "tables_current": True, "redis": True},
                }
            ]
        }
    )
