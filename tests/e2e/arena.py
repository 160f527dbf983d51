"""Where processes are made to die: the whole service around two small shops, and what must hold
afterwards whatever was done to it.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from subprocess import Popen, TimeoutExpired
from typing import Any

import asyncpg
import redis

from app.cli.demo.practice import PracticeStore
from app.cli.demo.scene import Scene, open_scene
from app.cli.failures import CommandError
from app.cli.processes import end_all, spawn
from connectors.base import StoreAccess
from connectors.comparison import Comparison, compare
from connectors.records import Stream
from connectors.registry import access, connector
from tests.e2e.small_shop import SmallShop
from tests.fixtures.databases import create_database, drop_database
from tests.fixtures.servers import Addresses
from tests.fixtures.shops import credentials

ENDED = {"succeeded", "completed_with_errors", "failed", "cancelled"}
KINDS: dict[str, dict[str, Any]] = {
    "full": {"kind": "full"},
    "recent": {"kind": "recent"},
    "cutover": {"kind": "recent", "cutover": True},
}
LEASE = 2.5
HASTY = {
    "RECENT_SYNC_LEASE_SECONDS": str(LEASE),
    "RECENT_SYNC_HEARTBEAT_SECONDS": "0.5",
    "RECENT_SYNC_REAPER_SECONDS": "0.3",
    "RECENT_SYNC_TRANSACTION_SECONDS": "3",
    "RECENT_SYNC_PARALLEL_SLICES": "4",
}
"""A service that notices a death within seconds."""

_SETTLE = 0.5
_OVERLAP = 60
_PATIENCE = 120.0
"""Seconds until a job has to have ended, on a machine with other work."""

_opening = threading.Lock()
"""Alembic, which brings the tables up to date, works on one database at a time."""


def everything_is_asked_for() -> bool:
    """Whether the whole matrix is to be played, not a choice of it."""
    return os.environ.get("RECENT_SYNC_TEST_KILLS") == "all"


def until(done: Callable[[], Any], what: str, *, seconds: float = 60.0) -> Any:
    """Wait for something to be true, and answer with it."""
    deadline = time.monotonic() + seconds
    while not (found := done()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain for {what}"
        time.sleep(0.25)
    return found


class ArmedWorker:
    """A worker with one failpoint, for which something happens to it once."""

    def __init__(self, scene: Scene, words: str, log: Path, **settings: str) -> None:
        self._log = log
        environment = {**scene.worker.environment, **settings, "RECENT_SYNC_FAILPOINTS": words}
        program = replace(scene.worker, name="armed worker", environment=environment, log=log)
        self.process: Popen[bytes] = spawn(program)

    @property
    def holder(self) -> str:
        """How the slices it holds name it."""
        return f"{socket.gethostname()}:{self.process.pid}"

    def logged(self, *events: str) -> dict[str, Any] | None:
        """The first of these events that its log tells of."""
        lines = self._log.read_text(encoding="utf-8").splitlines() if self._log.exists() else []
        return next((each for each in map(_told, lines) if each.get("event") in events), None)

    def wait_for_the_strike(self) -> dict[str, Any]:
        """What its log says of it, once something has happened to it at the place."""
        until(
            lambda: self.logged("failpoint.strikes") or self._is_over(), "the failpoint to strike"
        )
        struck = self.logged("failpoint.strikes")
        assert struck, "the worker ended without its failpoint"
        return struck

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def wait(self) -> int:
        """Its return code, once it has ended by itself."""
        try:
            return self.process.wait(timeout=30)
        except TimeoutExpired:
            raise AssertionError("the worker did not end") from None

    def end(self) -> int:
        """Its return code; it is asked to end where it has not yet."""
        self.process.send_signal(signal.SIGCONT)
        end_all([self.process])
        return self.process.returncode

    def _is_over(self) -> bool:
        return self.process.poll() is not None


def _told(line: str) -> dict[str, Any]:
    """A line of a log, empty where it is not one."""
    try:
        found: dict[str, Any] = json.loads(line)
    except ValueError:
        return {}
    return found


@dataclass
class Arena:
    """The service, two shops and the migration between them.

    `cursors` are all watermarks seen so far, by stream, in the order of time.
    """

    scene: Scene
    shop: SmallShop
    size: int = 1
    migration: str = ""
    cursors: dict[str, list[datetime]] = field(default_factory=dict)
    _migrations: int = 0

    # --- shops and jobs --------------------------------------------------------------------------

    def begin_anew(self) -> None:
        """A shop as on its first day, an empty target, and a migration that nobody has run."""
        self._forget_migration()
        self._migrations += 1
        self.migration = f"move-{self._migrations}"
        self.cursors = {}
        for store in (self.scene.source, self.scene.target):
            store.ask("POST", "/found")
            self._register(store)
        self.shop.open(times=self.size)
        names = {"source": f"{self.migration}-a", "target": f"{self.migration}-b"}
        policies = {"overlap": _OVERLAP, "settle": _SETTLE}
        body = {"slug": self.migration, **names, "policies": policies}
        self.scene.api.post("/migrations", body)

    def _forget_migration(self) -> None:
        """There is one migration between two stores. A test that failed may have left it running,
        and the API would not delete it.
        """
        jobs = "DELETE FROM jobs USING migrations AS m WHERE m.id = migration_id AND m.slug = $1"
        for statement in (jobs, "DELETE FROM migrations WHERE slug = $1"):
            self.rows(statement, self.migration)

    def _register(self, store: PracticeStore) -> None:
        self.scene.api.post(
            "/stores",
            {
                "name": f"{self.migration}-{store.name.lower()}",
                "platform": "woocommerce",
                "settings": {"url": store.url, "write_settle": 1, "page_size": 8},
                "credentials": credentials(store),
            },
        )

    def trade(self) -> None:
        """A day in the shop, and enough time that what it wrote has settled."""
        self.shop.trade()
        for store in (self.scene.source, self.scene.target):
            store.ask("POST", "/clock", {"advance": 3})

    def start(self, kind: str) -> str:
        return str(self.scene.api.post("/jobs", {**KINDS[kind], "migration": self.migration})["id"])

    def job(self, job: str) -> dict[str, Any]:
        found: dict[str, Any] = self.scene.api.get(f"/jobs/{job}")
        self._note_cursors()
        return found

    def finish(self, job: str) -> dict[str, Any]:
        """The job, once it has succeeded."""
        view = until(partial(self._ended, job), "the job to end", seconds=_PATIENCE)
        assert view["status"] == "succeeded", view
        return dict(view)

    def run(self, kind: str) -> dict[str, Any]:
        return self.finish(self.start(kind))

    def _ended(self, job: str) -> dict[str, Any] | None:
        try:
            view = self.job(job)
        except CommandError:
            # The API, or its database, is being restarted: whoever waits for a job asks again.
            return None
        return view if view["status"] in ENDED else None

    def _note_cursors(self) -> None:
        for each in self.scene.api.get(f"/migrations/{self.migration}/cursors")["items"]:
            seen = self.cursors.setdefault(each["stream"], [])
            seen.append(datetime.fromisoformat(each["watermark"]))

    # --- processes -------------------------------------------------------------------------------

    @property
    def database_url(self) -> str:
        return self.scene.worker.environment["RECENT_SYNC_DATABASE_URL"]

    @property
    def redis_url(self) -> str:
        return self.scene.worker.environment["RECENT_SYNC_REDIS_URL"]

    def forget_wakes(self) -> None:
        """Redis loses everything it was told."""
        with redis.Redis.from_url(self.redis_url) as server:
            server.flushdb()

    @contextmanager
    def one_worker_standing_still(self) -> Iterator[Callable[[], None]]:
        """The idle worker of the scene stands still until the call that this gives, or the end."""
        pid = self.scene.supervisor.pids()[self.scene.worker.name]
        os.kill(pid, signal.SIGSTOP)
        try:
            yield partial(os.kill, pid, signal.SIGCONT)
        finally:
            os.kill(pid, signal.SIGCONT)

    # --- what the database says ------------------------------------------------------------------

    def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """Rows of a query; `$1` of it is the first value."""

        async def ask() -> list[dict[str, Any]]:
            connection = await asyncpg.connect(self.database_url.replace("+asyncpg", ""))
            try:
                return [dict(row) for row in await connection.fetch(sql, *values)]
            finally:
                await connection.close()

        return asyncio.run(ask())

    def held_by(self, holder: str) -> dict[Any, int]:
        """Fences of the slices that a worker holds, by slice."""
        sql = "SELECT id, fence FROM slices WHERE NOT done AND holder = $1"
        return {row["id"]: row["fence"] for row in self.rows(sql, holder)}

    def taken_over(self, held: dict[Any, int]) -> bool:
        """Whether somebody else has taken one of these slices since."""
        sql = "SELECT id, fence FROM slices WHERE id = ANY($1::uuid[])"
        return any(row["fence"] > held[row["id"]] for row in self.rows(sql, list(held)))

    # --- what must hold --------------------------------------------------------------------------

    def prove(self, kind: str) -> None:
        """Assert that nothing is lost, doubled or left behind, and that the run can be repeated."""
        found = asyncio.run(compared(self.scene))
        self._prove_equal(found)
        mails = asyncio.run(mail_switches(self.scene.target))
        assert set(mails.values()) == {"yes"}, "the target has its voice back"
        self._prove_ledger(found)
        self._prove_silence()
        self.scene.target.ask("POST", "/records/reset")
        replayed = self.run(kind)
        written = {name: replayed["totals"][name] for name in ("created", "updated", "deleted")}
        assert not any(written.values()), f"a replay has nothing to write: {written}"
        assert self.scene.target.effects().writes == 0, "the target was not written to"
        self._prove_cursors()

    def _prove_equal(self, found: Comparison) -> None:
        differences = {
            stream: each
            for stream, each in found.streams.items()
            if each.missing or each.wrong or each.doubled or each.foreign or each.unreadable
        }
        assert not differences, differences
        assert all(each.equal for each in found.streams.values()), "there is something to compare"

    def _prove_ledger(self, found: Comparison) -> None:
        """Every source record has one link that is applied, and no target record has two."""
        links = self.rows(
            "SELECT l.stream, l.source_id, l.target_id, l.state FROM links AS l"
            " JOIN migrations AS m ON m.id = l.migration_id WHERE m.slug = $1",
            self.migration,
        )
        assert {each["state"] for each in links} == {"applied"}, "no intent is left open"
        for stream, theirs in found.streams.items():
            ours = [each for each in links if each["stream"] == stream]
            sources = {each["source_id"] for each in ours}
            assert len(sources) == len(ours) == theirs.source, f"one link a record of {stream}"
            assert len({each["target_id"] for each in ours}) == len(ours), (
                f"two links on one of {stream}"
            )
        left = "SELECT 1 FROM stores WHERE muted_by <> '{}' OR unmuted IS NOT NULL"
        assert not self.rows(left), "no job keeps a store silent"
        aside = self.rows("SELECT stream, code FROM quarantine WHERE status = 'open'")
        assert not aside, aside

    def _prove_silence(self) -> None:
        effects = self.scene.target.effects()
        assert (effects.mails, effects.stock_movements, effects.duplicates) == (0, 0, 0), effects

    def _prove_cursors(self) -> None:
        now = datetime.fromisoformat(self.scene.source.ask("GET", "/clock")["gmt"] + "+00:00")
        for stream, seen in self.cursors.items():
            assert seen == sorted(seen), f"the cursor of {stream} moved back"
            assert seen[-1] <= now, f"the cursor of {stream} is ahead of the source's clock"


async def compared(scene: Scene) -> Comparison:
    """Both stores compared over their APIs; our ledger has no say in it."""
    platform = connector("woocommerce")
    assert platform.source is not None
    losses = {stream: each.losses for stream, each in platform.writes.items()}
    async with (
        platform.source(_access(scene.source)) as source,
        platform.source(_access(scene.target)) as copy,
    ):
        return await compare(source, copy, list(Stream), losses)


async def mail_switches(store: PracticeStore) -> dict[str, str]:
    """`yes` or `no` by type of mail."""
    platform = connector("woocommerce")
    assert platform.target is not None
    async with platform.target(_access(store)) as target:
        found: dict[str, str] = (await target.loud())["mails"]
        return found


def _access(store: PracticeStore) -> StoreAccess:
    return access("woocommerce", {"url": store.url}, credentials(store))


@contextmanager
def open_arena(
    servers: Addresses, *, number: int = 0, workers: int = 1, size: int = 1
) -> Iterator[Arena]:
    """An arena on these servers, with a database and a Redis of its own.

    `number` tells apart the arenas of one pair of servers; `size` makes the shop larger.
    """
    with ExitStack() as stack:
        database = asyncio.run(create_database(servers.database_url, "arena"))
        stack.callback(lambda: asyncio.run(drop_database(database)))
        with _opening:
            scene = stack.enter_context(
                open_scene(
                    database_url=database,
                    redis_url=re.sub(r"/(\d+)$", f"/{number}", servers.redis_url),
                    workers=workers,
                    environment=HASTY,
                    patience=None,
                )
            )
        shop = stack.enter_context(SmallShop(scene.source))
        yield Arena(scene, shop, size)
