"""The arq functions. They take ids, never raise, and may run twice."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import structlog

from app.resources import Resources
from workers.duties import DUTIES
from workers.engine.slices import work

log = structlog.get_logger(__name__)


class Desk:
    """The slices this process works on.

    They are tasks of their own: when Redis goes away, arq's loop ends and is started anew, while
    the slices in hand, which need no Redis, go on.
    """

    def __init__(self, resources: Resources, holder: str) -> None:
        self._resources = resources
        self._holder = holder
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._room = asyncio.Semaphore(resources.settings.worker_slices)
        self.stopping = False

    async def take(self, slice_id: UUID) -> None:
        """Work on a slice for a turn, unless this process has it in hand already."""
        task = self._tasks.get(slice_id)
        if task is None and not self.stopping:
            task = asyncio.create_task(self._work(slice_id), name=f"slice {slice_id}")
            self._tasks[slice_id] = task
            task.add_done_callback(lambda _: self._tasks.pop(slice_id, None))
        if task is not None:
            await asyncio.shield(task)

    async def _work(self, slice_id: UUID) -> None:
        async with self._room:
            try:
                await work(
                    self._resources,
                    slice_id,
                    holder=self._holder,
                    stopping=lambda: self.stopping,
                    duties=DUTIES,
                )
            except Exception:  # arq must never see one: it would give up the wake for good
                log.exception("slice.failed", slice_id=str(slice_id))

    async def clear(self, *, grace: float) -> None:
        """Finish the pages in hand; what takes longer than `grace` seconds is cancelled."""
        self.stopping = True
        tasks = list(self._tasks.values())
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=grace)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


async def run_slice(ctx: dict[str, Any], slice_id: str) -> None:
    """Work on a slice for one turn."""
    desk: Desk = ctx["desk"]
    await desk.take(UUID(slice_id))
