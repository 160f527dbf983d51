"""What is to be expected: how large a run is, when the shop sells, how the launch goes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

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


_RUN: dict[str, Any] = {"source": 187, "target": 190}


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


class NeedOut(Output):
    """Whether a final synchronisation is needed, and why."""

    needed: bool | None = Field(description="Null where nobody can tell yet.")
    code: str = Field(description="`sells`, `changes`, `quiet` or `no_history`.")
    reason: str


class HourOut(Output):
    """An hour of the week by the shop's clock."""

    weekday: int = Field(ge=0, le=6, description="0 is Monday.")
    hour: int = Field(ge=0, le=23)
    rate: float = Field(description="Arrivals in this hour.")


class ActivityOut(Output):
    """When the shop sells."""

    migration: str
    made_at: datetime
    stream: Stream = Field(description="Whose arrivals are counted.")
    basis: str = Field(
        description="`created`: when records were made; `stamps`: when they changed last, for "
        "records that another tool migrated; `none`."
    )
    zone: str = Field(description="The shop's time zone, as its platform says.")
    since: datetime | None
    until: datetime | None
    total: int = Field(description="Arrivals in that time, at most twelve weeks.")
    per_day: float = Field(description="Recent days count more.")
    spread: float = Field(
        description="By how much days differ: the variance of a day's arrivals in units of their "
        "mean, 1 where each arrives by chance."
    )
    rates: list[list[float]] = Field(
        description="Arrivals an hour: seven days from Monday on, 24 hours each."
    )
    busiest: HourOut | None
    quietest: HourOut | None
    final_sync: NeedOut

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "migration": "spring-launch",
                    "made_at": "2026-11-20T09:05:00Z",
                    "stream": "orders",
                    "basis": "created",
                    "zone": "Europe/London",
                    "since": "2026-08-28T09:05:00Z",
                    "until": "2026-11-20T09:00:00Z",
                    "total": 6120,
                    "per_day": 81.5,
                    "spread": 2.9,
                    "rates": [[0.0] * 24] * 7,
                    "busiest": {"weekday": 3, "hour": 12, "rate": 14.2},
                    "quietest": {"weekday": 6, "hour": 3, "rate": 0.0},
                    "final_sync": {
                        "needed": True,
                        "code": "sells",
                        "reason": "About 82 orders arrive in a day.",
                    },
                }
            ]
        },
    )


class ConvergenceOut(Output):
    """Whether repeated runs catch up with the shop."""

    converges: bool
    load: float = Field(
        description="Seconds of work that a second of selling makes: below 1 runs catch up."
    )
    peak: float = Field(description="The same in the busiest hour of the week.")
    shortest: float | None = Field(description="Seconds of a `recent` run that has caught up.")
    passes: int | None = Field(description="How many runs it takes from now on.")


class FreezeOut(Output):
    """How long the source stands still if it is stopped at a moment."""

    starts_at: datetime
    median: float = Field(description="Seconds; half of all cases are shorter.")
    p95: float = Field(description="Seconds; 95 of 100 cases are shorter.")
    likely_end: datetime
    latest_end: datetime = Field(description="With `p95`.")
    arrivals: float = Field(
        description="How many arrive between the run before and the freeze: what the last run "
        "has to bring over."
    )
    turned_away: float = Field(description="How many would have arrived meanwhile.")
    parts: dict[str, float] = Field(description="What takes the time, in seconds on average.")


class WindowOut(Output):
    """A quiet time for the freeze."""

    starts_at: datetime
    ends_at: datetime
    turned_away: float


class StepOut(Output):
    """What to do, and when."""

    key: str
    at: datetime
    what: str
    command: str | None
    until: datetime | None
    every: float | None = Field(description="Seconds between repetitions.")
    seconds: float | None = Field(description="How long it takes.")


class RiskOut(Output):
    """A sign of trouble, with advice."""

    code: str
    weight: str = Field(description="`high`, `medium` or `low`.")
    message: str
    advice: str
    evidence: dict[str, Any]


class PlanOut(Output):
    """The way to the launch."""

    migration: str
    made_at: datetime
    launch_at: datetime = Field(
        description="In a week where none is set, or the one that is set has passed."
    )
    launch_is_set: bool
    zone: str
    fits: bool = Field(description="Whether there is time for all of it.")
    final_sync: NeedOut
    convergence: ConvergenceOut
    freeze: FreezeOut
    windows: list[WindowOut] = Field(description="The quietest times for a freeze, best first.")
    runbook: list[StepOut]
    risks: list[RiskOut] = Field(description="The gravest first.")
    ask_expert: str | None = Field(description="Why somebody experienced should look at this.")
    rates: RatesOut

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "migration": "spring-launch",
                    "made_at": "2026-11-20T09:05:00Z",
                    "launch_at": "2026-11-27T18:00:00Z",
                    "launch_is_set": True,
                    "zone": "Europe/London",
                    "fits": True,
                    "final_sync": {
                        "needed": True,
                        "code": "sells",
                        "reason": "About 82 orders arrive in a day.",
                    },
                    "convergence": {
                        "converges": True,
                        "load": 0.001,
                        "peak": 0.004,
                        "shortest": 31.5,
                        "passes": 1,
                    },
                    "freeze": {
                        "starts_at": "2026-11-27T17:47:20Z",
                        "median": 128.0,
                        "p95": 160.0,
                        "likely_end": "2026-11-27T17:49:28Z",
                        "latest_end": "2026-11-27T17:50:00Z",
                        "arrivals": 1.4,
                        "turned_away": 0.3,
                        "parts": {"settle": 20.0, "orders": 61.0},
                    },
                    "windows": [
                        {
                            "starts_at": "2026-11-27T03:00:00Z",
                            "ends_at": "2026-11-27T03:02:40Z",
                            "turned_away": 0.0,
                        }
                    ],
                    "runbook": [
                        {
                            "key": "freeze",
                            "at": "2026-11-27T17:47:20Z",
                            "what": "Stop the source: no orders, no edits, no stock.",
                            "command": None,
                            "until": None,
                            "every": None,
                            "seconds": None,
                        }
                    ],
                    "risks": [
                        {
                            "code": "quarantine_open",
                            "weight": "high",
                            "message": "3 records could not be applied.",
                            "advice": "Settle them before the freeze: "
                            "`recent-sync quarantine list`.",
                            "evidence": {"records": 3},
                        }
                    ],
                    "ask_expert": None,
                    "rates": {"basis": "measured", "jobs": 9, "passes": 48, "error": 0.12},
                }
            ]
        },
    )
