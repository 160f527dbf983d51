"""What is to be expected: how large a run is, when the shop sells, how the launch goes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import ConfigDict, Field

from app.planning.sizing import Basis
from app.schemas.values import Output
from connectors.records import Stream


class EstimateKind(StrEnum):
    """`full` reads every record; `recent` what is new or changed; `cutover` sweeps everything for
    the last time.
    """

    FULL = "full"
    RECENT = "recent"
    CUTOVER = "cutover"


class SecondsOut(Output):
    """How long it takes; nine of ten cases lie between `low` and `high`."""

    expected: float
    low: float
    high: float


class RequestsOut(Output):
    """Requests to both stores."""

    source: int
    target: int


class StreamEstimateOut(Output):
    """How much of a stream a run reads, and what that costs."""

    stream: Stream
    mode: str = Field(description="`window` or `sweep`.")
    since: datetime | None = Field(description="Where the window begins.")
    records: int = Field(description="Records that the run reads.")
    low: int
    high: int | None = Field(description="Null where nobody knows how many more there are.")
    basis: Basis = Field(
        description="`counted` by the store, `read` to the end, as many as the `ledger` holds, "
        "`sampled`, `expected` from earlier runs, or `at_least`."
    )
    sample: str | None = Field(description="What was read, where not everything was counted.")
    in_scope: int | None = Field(description="All records of the stream at the source.")
    changed: int | None = Field(
        description="Changed since the cursor; null where timestamps do not tell."
    )
    arriving: int = Field(description="How many of `records` are still to come until `at`.")
    created: int = Field(description="Records that the run is expected to make on the target.")
    updated: int
    points: float = Field(description="Entity points of what is in scope.")
    requests: RequestsOut
    seconds: float


class RatesOut(Output):
    """What durations are reckoned from."""

    basis: str = Field(description="`measured` in earlier jobs of the migration, or `stated`.")
    jobs: int
    passes: int
    error: float = Field(
        description="How far a pass may be off: 0.2 is a fifth, in two of three cases."
    )


_RUN = {"source": 187, "target": 190}


class EstimateOut(Output):
    """The size of a run, before it."""

    migration: str
    kind: EstimateKind
    made_at: datetime = Field(description="By the source's clock.")
    at: datetime = Field(description="When the run is to begin.")
    streams: list[StreamEstimateOut]
    records: int
    points: float
    requests: RequestsOut
    seconds: SecondsOut
    rates: RatesOut
    notes: list[str] = Field(description="What the numbers do not tell.")

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "migration": "spring-launch",
                    "kind": "full",
                    "made_at": "2026-11-20T09:05:00Z",
                    "at": "2026-11-20T09:05:00Z",
                    "streams": [
                        {
                            "stream": "orders",
                            "mode": "sweep",
                            "since": None,
                            "records": 18_642,
                            "low": 18_642,
                            "high": 18_642,
                            "basis": "counted",
                            "sample": None,
                            "in_scope": 18_642,
                            "changed": None,
                            "arriving": 0,
                            "created": 18_642,
                            "updated": 0,
                            "points": 18_642.0,
                            "requests": _RUN,
                            "seconds": 280.5,
                        }
                    ],
                    "records": 18_642,
                    "points": 18_642.0,
                    "requests": _RUN,
                    "seconds": {"expected": 285.5, "low": 90.1, "high": 890.0},
                    "rates": {"basis": "stated", "jobs": 0, "passes": 0, "error": 0.7},
                    "notes": [],
                }
            ]
        },
    )
