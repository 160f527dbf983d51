"""The add-on's feed: what changed and what was deleted, with ids; one line a record and event."""

from typing import Any

from sandbox.clock import Clock
from sandbox.storage import Storage
from sandbox.wire import Doc

KINDS = ("category", "product", "customer", "order")
MAX_PAGE = 1000
_ABOVE = {"variation": "product", "refund": "order"}


class Feed:
    """Hears of every write. Off, it remembers nothing."""

    def __init__(self, storage: Storage, clock: Clock, *, on: bool) -> None:
        self._storage = storage
        self._clock = clock
        self._on = on

    def changed(self, kind: str, doc: Doc) -> None:
        """A record was written: what happens to a part happens to what it is a part of."""
        above = _ABOVE.get(kind)
        self._note(above or kind, int(doc["parent_id"] if above else doc["id"]), "changed")

    def deleted(self, kind: str, record_id: int, parent: int) -> None:
        """A record was removed for good; what loses a part has changed."""
        above = _ABOVE.get(kind)
        if above:
            self._note(above, parent, "changed")
        else:
            self._note(kind, record_id, "deleted")

    def _note(self, kind: str, record_id: int, event: str) -> None:
        if self._on and kind in KINDS and record_id:
            self._storage.run(
                "INSERT OR REPLACE INTO feed (kind, record, event, at) VALUES (?, ?, ?, ?)",
                (kind, record_id, event, int(self._clock.now())),
            )

    def page(self, kind: str, *, since: int, after: int, limit: int) -> Doc:
        """Lines of a kind from a time on, behind a number."""
        rows: list[Any] = self._storage.rows(
            "SELECT seq, record, event, at FROM feed WHERE kind = ? AND at >= ? AND seq > ?"
            " ORDER BY seq LIMIT ?",
            (kind, since, after, limit + 1),
        )
        shown = [
            {"seq": seq, "id": record, "event": event, "at": self._clock.stamps(at)[1]}
            for seq, record, event, at in rows[:limit]
        ]
        return {
            "changes": shown,
            "more": len(rows) > limit,
            "complete_from": self.complete_from(),
        }

    def complete_from(self) -> str:
        """From when on the feed holds everything."""
        return self._clock.stamps(int(self._storage.fact("founded", 0)))[1]
