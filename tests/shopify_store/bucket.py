"""The leaky bucket of one app in one store."""

from tests.shopify_store.clock import Clock
from tests.shopify_store.fields import Doc


class Bucket:
    """Points that come back with time, by the true clock."""

    def __init__(self, clock: Clock, size: float, rate: float) -> None:
        self._clock = clock
        self.size = size
        self.rate = rate
        self._held = size
        self._at = clock.true_now()

    def available(self) -> float:
        """Points there are now."""
        now = self._clock.true_now()
        self._held = min(self.size, self._held + max(0.0, now - self._at) * self.rate)
        self._at = now
        return self._held

    def take(self, points: float) -> bool:
        """Take points; False, and nothing taken, where there are too few."""
        if self.available() < points:
            return False
        self._held -= points
        return True

    def give_back(self, points: float) -> None:
        """Return what a document turned out not to cost."""
        self._held = min(self.size, self.available() + points)

    def drain(self, points: float) -> None:
        """Another worker of the same app spends points."""
        self._held = max(0.0, self.available() - points)

    def status(self) -> Doc:
        """The entry `throttleStatus`."""
        return {
            "maximumAvailable": float(self.size),
            "currentlyAvailable": int(self.available()),
            "restoreRate": float(self.rate),
        }
