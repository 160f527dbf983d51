"""What the demo is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

LIVE_SECONDS = 35.0
TRADING_DAYS = 13


@dataclass(frozen=True)
class Plan:
    """`scale` is the share of the shop, `speed` 1 plays the live part in `LIVE_SECONDS`,
    `faults` are switched on in both stores, as the control endpoint takes them; `addon` says that
    both have the add-on.
    """

    scale: float = 1.0
    speed: float = 1.0
    faults: dict[str, Any] | None = None
    seed: int = 1
    addon: bool = False

    @property
    def live_seconds(self) -> float:
        """How long the shop goes on selling."""
        return LIVE_SECONDS / self.speed
