"""`python -m benchmarks [full|components|limits|forecast]`: measures the service, or its parts."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks import components, forecast, full_orders, limits

_CHOICES = ("full", "components", "limits", "forecast")


def main() -> int:
    """Exit code 1 where the copied data is wrong, or a forecast; other goals are only shown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=full_orders.__doc__)
    parser.add_argument("what", nargs="?", choices=_CHOICES, default="full")
    parser.add_argument("--orders", type=int, help="default 100,000, or 10,000 for components")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=90.0, help="for each line of limits")
    parser.add_argument("--folder", type=Path, help="keep the data and the logs there")
    parser.add_argument("--json", action="store_true", help="print one object")
    parser.add_argument("--scale", type=float, default=0.1, help="share of orders in forecast")
    given = parser.parse_args()
    if given.what == "forecast":
        return 0 if forecast.run(given.scale, as_json=given.json) else 1
    if given.what != "full":
        with tempfile.NamedTemporaryFile(suffix=".log") as log:
            if given.what == "components":
                components.run(given.orders or 10_000, Path(log.name))
            else:
                limits.run(given.workers, given.seconds, Path(log.name))
        return 0
    orders = given.orders or 100_000
    right = full_orders.run(orders, given.workers, given.folder, as_json=given.json)
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
