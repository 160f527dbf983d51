"""Live traffic: what the real shop did after the snapshot, done again in a chosen time."""

import asyncio
import contextlib
import heapq
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

from sandbox import seed
from sandbox.shop import load
from sandbox.store import ORIGIN, Store
from sandbox.traffic import Step, Traffic
from sandbox.wire import ApiError, Doc


@dataclass(frozen=True, slots=True)
class Options:
    """How to replay: in how many seconds, which share of the orders, how many days of history.

    With `true_pace` nights are quiet and noons are busy, as they were; else all is spread evenly.
    """

    seconds: float = 60.0
    scale: float = 1.0
    seed: int = 7
    days: int = 15
    true_pace: bool = False


class Replay:
    """Runs the traffic in the background and says how far it is."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._task: asyncio.Task[None] | None = None
        self._queue: list[tuple[float, int, Step]] = []
        self._order = count()
        self._frozen = asyncio.Event()
        self._done = 0
        self._total = 0
        self._counts: Counter[str] = Counter()
        self._status = "idle"

    def state(self) -> Doc:
        """Progress: `status` is idle, running, finished, frozen or stopped."""
        return {
            "status": self._status,
            "running": self._status == "running",
            "done": self._done,
            "total": self._total,
            **{name: self._counts[name] for name in _COUNTED},
        }

    def start(self, options: Options) -> None:
        """Begin; 409 while it runs or when the store does not hold the shop."""
        shop = self._store.storage.fact("shop")
        if shop is None:
            raise ApiError(409, "not_seeded", "Only a store that holds the shop can replay it.")
        if self._status == "running":
            raise ApiError(409, "replay_running", "The replay runs already.")
        traffic = Traffic(self._store, load(), seed=int(shop["seed"]), count=self._count)
        since = str(shop.get("as_of") or seed.AS_OF)
        steps = traffic.plan(since, options.days, options.scale, options.seed)
        self._queue = []
        self._done, self._total = 0, 0
        self._frozen.clear()
        self._counts.clear()
        pace = options.seconds / max(len(steps), 1)
        begin = datetime.fromisoformat(since).replace(tzinfo=UTC).timestamp()
        faster = options.seconds / (options.days * 86_400)
        for n, step in enumerate(steps):
            self._push((step.at - begin) * faster if options.true_pace else n * pace, step)
        self._status = "running"
        self._task = asyncio.create_task(self._run(options.seconds))

    def _count(self, name: str) -> None:
        self._counts[name] += 1

    def _push(self, due: float, step: Step) -> None:
        heapq.heappush(self._queue, (due, next(self._order), step))
        self._total += 1

    async def _run(self, seconds: float) -> None:
        ORIGIN.set("replay")
        loop = asyncio.get_running_loop()
        start = loop.time()
        while self._queue:
            due, _, step = self._queue[0]
            wait = start + due - loop.time()
            if wait > 0 and not self._frozen.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._frozen.wait(), wait)
                continue
            heapq.heappop(self._queue)
            if self._frozen.is_set() and not step.must:
                continue
            for later in self._do(step):
                wanted = due + later.after * seconds if later.relative else due + later.after
                self._push(wanted if later.must else min(wanted, seconds), later)
            self._done += 1
            await asyncio.sleep(0)
        self._status = "frozen" if self._frozen.is_set() else "finished"

    def _do(self, step: Step) -> list[Step]:
        try:
            later = step.act()
        except ApiError as error:
            self._counts["errors"] += 1
            self._counts[f"error {error.code}"] += 1
            later = None
        self._store.storage.commit()
        return later or []

    async def stop(self) -> None:
        """Stop at once, leaving what is half done as it is."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._status = "stopped"

    async def freeze(self) -> None:
        """Finish the orders that are half written, drop the rest, and wait for it."""
        if self._task is None or self._task.done():
            self._status = "frozen"
            return
        self._frozen.set()
        await self._task


_COUNTED = (
    "orders_created",
    "orders_changed",
    "half_written",
    "refunds",
    "cancelled",
    "customers_created",
    "customers_changed",
    "products_created",
    "prices_changed",
    "stock_changed",
    "categories_renamed",
    "errors",
)
