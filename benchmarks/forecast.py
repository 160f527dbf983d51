"""Forecasts against what came: five moves of the real shop, in virtual time (`drills.forecast`)."""

from __future__ import annotations

import json
from statistics import median

import msgspec

from drills.forecast import replays

ERROR_GOAL = 0.3


def run(scale: float, *, as_json: bool) -> bool:
    """Replay and print. Answers whether every freeze was covered and the goal of errors is met."""
    print(f"five moves of the real shop, {scale:.0%} of its orders, in virtual time")
    found = replays(scale, told=lambda line: print(line, flush=True))
    error = median(each.error for each in found)
    covered = sum(each.covered for each in found)
    estimate = max(each.estimate_error for each in found)
    if as_json:
        told = {
            "replays": msgspec.to_builtins(found),
            "freeze_covered": covered,
            "freeze_median_error": round(error, 4),
            "estimate_error": estimate,
        }
        print(json.dumps(told))
    met = covered == len(found) and error < ERROR_GOAL
    print(
        f"covered {covered} of {len(found)}, median error {error:.1%}, "
        f"worst estimate off {estimate:.2%}: {'met' if met else 'MISSED'}"
    )
    return met
