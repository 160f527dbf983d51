"""The worker process: arq's loop, supervised, beside the reaper and the webhooks."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
from contextlib import suppress

import structlog
import uvloop
from arq.worker import Worker, func
from redis.exceptions import RedisError

from app.log import configure
from app.notify import notify_ready
from app.queue import QUEUE_NAME, RUN_SLICE, deserialize, redis_settings, serialize
from app.resources import Resources, open_resources
from app.settings import Settings
from workers.engine import failpoints
from workers.jobs import Desk, run_slice
from workers.schedule import reap_forever
from workers.webhooks import deliver_forever

log = structlog.get_logger(__name__)

_GRACE = 15.0
"""Seconds that pages in hand have to finish when the process is asked to end."""

_HEALTH_EVERY = 15
_RESTART_PAUSE = 1.0


def arq_worker(resources: Resources, desk: Desk, holder: str) -> Worker:
    """arq, set up for what it does under failure.

    `keep_result=0`: a kept result would block a job id. `queue_read_limit` lies above all slots
    of a cluster, because ids of running jobs stay at the head of the queue. The time-out counts
    for how long a dead worker's wake is blocked; the next wake of a slice has another id anyway.
    """
    settings = resources.settings
    redis_url = settings.redis_url
    if redis_url is None:
        raise RuntimeError("resources cannot be open without a Redis URL")
    return Worker(
        functions=[
            func(run_slice, name=RUN_SLICE, timeout=settings.slice_seconds * 2 + 60, max_tries=50)
        ],
        queue_name=QUEUE_NAME,
        redis_settings=redis_settings(redis_url.get_secret_value()),
        ctx={"desk": desk},
        handle_signals=False,
        max_jobs=settings.worker_slices,
        poll_delay=0.05,
        queue_read_limit=5_000,
        keep_result=0,
        health_check_interval=_HEALTH_EVERY,
        health_check_key=f"recent-sync:worker:{holder}",
        job_serializer=serialize,
        job_deserializer=deserialize,
        log_results=False,
    )


async def _serve_queue(resources: Resources, desk: Desk, holder: str) -> None:
    """Keep arq's loop running: it ends whenever Redis goes away."""
    while True:
        worker = arq_worker(resources, desk, holder)
        try:
            await worker.async_run()
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("queue.lost", error=type(error).__name__)
        finally:
            with suppress(RedisError, OSError, TimeoutError, asyncio.CancelledError):
                await _close(worker)
        await asyncio.sleep(_RESTART_PAUSE)


async def _close(worker: Worker) -> None:
    # Not worker.close(): that would wait for the slices in hand, which need no Redis.
    if worker.main_task is not None:
        worker.main_task.cancel()
    wakes = list(worker.tasks.values())
    for wake in wakes:
        wake.cancel()
    # Their last words go to Redis: the pool has to outlive them.
    await asyncio.gather(*wakes, return_exceptions=True)
    if worker._pool is not None:  # noqa: SLF001  arq has no other way to close only the pool
        await worker.pool.aclose(close_connection_pool=True)


async def run_worker(resources: Resources, stop: asyncio.Event) -> None:
    """Work until `stop` is set, then finish the pages in hand."""
    holder = f"{socket.gethostname()}:{os.getpid()}"
    desk = Desk(resources, holder)
    tasks = [
        asyncio.create_task(_serve_queue(resources, desk, holder), name="queue"),
        asyncio.create_task(reap_forever(resources), name="reaper"),
        asyncio.create_task(deliver_forever(resources), name="webhooks"),
    ]
    stopped = asyncio.create_task(stop.wait(), name="stop")
    log.info("worker.started", holder=holder)
    notify_ready()
    ended, _ = await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
    await desk.clear(grace=_GRACE)
    for task in [*tasks, stopped]:
        task.cancel()
    results = await asyncio.gather(*tasks, stopped, return_exceptions=True)
    log.info("worker.stopped", holder=holder)
    for task, result in zip([*tasks, stopped], results, strict=True):
        if task in ended and task is not stopped and isinstance(result, BaseException):
            raise result


async def _main() -> None:
    settings = Settings()
    configure(settings.log_level, settings.log_format)
    failpoints.arm_from_environment()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stop.set)
    async with open_resources(settings) as resources:
        await run_worker(resources, stop)


def main() -> None:
    """Run a worker process until it is told to stop."""
    # Records come and go by the page and form no cycles. Searching for garbage seldom, and never
    # among what was imported, saves a worker a sixth of its time.
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)
    uvloop.run(_main())
