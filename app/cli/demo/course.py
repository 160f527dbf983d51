"""The course of the demo: copy, follow the selling shop, freeze, last run, compare."""

from __future__ import annotations

import time

from app.cli.client import Json
from app.cli.demo.comparing import compare_stores
from app.cli.demo.plan import TRADING_DAYS, Plan
from app.cli.demo.practice import PracticeStore
from app.cli.demo.report import Report
from app.cli.demo.scene import Scene
from app.cli.display import note
from app.cli.duration import say_duration
from app.cli.failures import UnreachableError
from app.cli.jobs import start_job
from app.cli.progress import JobProgress, bars
from app.cli.stores import check_sentence
from app.cli.watch import wait_for

SLUG = "demo"
# Seconds. Short ones, because a practice store's writes end and show soon.
SETTLE = 6.0
OVERLAP = 60.0
WRITE_SETTLE = 1.0
REQUEST_TIMEOUT = 10.0
JOB_SECONDS = 900.0


class Course:
    """Plays the demo on a scene and fills a report."""

    def __init__(self, scene: Scene, plan: Plan) -> None:
        self._scene = scene
        self._plan = plan
        self._totals: dict[str, int] = {}
        self.report = Report()

    def play(self) -> Report:
        """All steps in order. The report says what came of them."""
        began = time.monotonic()
        self._open_shop()
        self._register()
        self._run("full", {"kind": "full"}, totals=self._totals)
        self._follow()
        note("The shop is frozen: it takes no orders any more.")
        self._run("recent, cutover", {"kind": "recent", "cutover": True}, final=True)
        self._run_once_more()
        self._compare()
        self.report.seconds = time.monotonic() - began
        return self.report

    # --- steps ----------------------------------------------------------------------------------

    def _open_shop(self) -> None:
        began = time.monotonic()
        seeded = self._scene.source.seed(scale=self._plan.scale, seed=self._plan.seed)
        self._totals = {name: seeded[name] for name in ("products", "customers", "orders")}
        self._totals["inventory"] = seeded["products"] + seeded["variations"]
        counts = ", ".join(f"{count:,} {kind}" for kind, count in seeded.items())
        note(f"Shop A as of 2011-11-25: {counts} ({say_duration(time.monotonic() - began)}).")
        if self._plan.faults:
            on = [store.switch_faults(self._plan.faults) for store in self._stores()]
            note(f"Both shops misbehave: {', '.join(on[0])}.")

    def _register(self) -> None:
        api = self._scene.api
        for store in self._stores():
            body = {
                "name": store.name.lower(),
                "platform": "woocommerce",
                "settings": store_settings(store),
                "credentials": {
                    "consumer_key": store.keys.consumer_key,
                    "consumer_secret": store.keys.consumer_secret,
                },
            }
            name = api.post("/stores", body)["name"]
            found = api.post(f"/stores/{name}/check")
            if not found["ok"]:
                raise UnreachableError(f"The check of shop {name} failed: {check_sentence(found)}")
            if self._plan.addon and not found["target"]["report"]["addon"]:
                raise UnreachableError(f"The check of shop {name} does not find the add-on.")
        policies = {"overlap": OVERLAP, "settle": SETTLE}
        api.post("/migrations", {"slug": SLUG, "source": "a", "target": "b", "policies": policies})
        note("Both shops are registered and checked; B is empty.")

    def _follow(self) -> None:
        """Run one `recent` after another while the shop sells."""
        source, number = self._scene.source, 0
        source.start_replay(
            seconds=self._plan.live_seconds, scale=self._plan.scale, seed=self._plan.seed
        )
        note(
            f"Shop A goes on selling: {TRADING_DAYS} trading days in "
            f"{say_duration(self._plan.live_seconds)}, and `recent` runs follow it."
        )
        with bars() as display:
            task = display.add_task("shop A sells", total=None)
            while (state := source.replay()).running:
                display.update(task, completed=state.done, total=state.total)
                number += 1
                self._run(f"recent {number}", {"kind": "recent"}, brief=True)
            display.update(task, completed=state.done, total=state.total)
        source.freeze()
        self.report.replayed = source.replay().counts
        events = ", ".join(
            f"{count:,} {name.replace('_', ' ')}" for name, count in self.report.replayed.items()
        )
        note(f"Meanwhile in shop A: {events}.")

    def _run_once_more(self) -> None:
        before = self._scene.target.effects().writes
        self._run("recent once more", {"kind": "recent"}, brief=True, final=True)
        self.report.writes_after = self._scene.target.effects().writes - before

    def _compare(self) -> None:
        for store in self._stores():
            store.switch_faults({"all": None})
        effects = self._scene.target.effects()
        self.report.mails = effects.mails
        self.report.double_deductions = effects.stock_movements
        self.report.duplicates = effects.duplicates
        self.report.requests = effects.requests + self._scene.source.effects().requests
        began = time.monotonic()
        with bars(transient=True) as display:
            task = display.add_task("comparing", total=None)
            compare_stores(
                self._scene,
                self.report,
                self._plan,
                lambda stream, read: display.update(
                    task, description=f"comparing {stream}", completed=read
                ),
            )
        note(f"Both shops read in full and compared ({say_duration(time.monotonic() - began)}).")

    # --- means ----------------------------------------------------------------------------------

    def _run(
        self,
        title: str,
        body: Json,
        *,
        totals: dict[str, int] | None = None,
        brief: bool = False,
        final: bool = False,
    ) -> None:
        began = time.monotonic()
        self._scene.supervisor.check()
        job = start_job(self._scene.api, {"migration": SLUG, **body})
        progress = JobProgress(title, totals=totals, quiet=brief)
        job = wait_for(self._scene.api, job, progress, JOB_SECONDS)
        self.report.add_job(job, final=final)
        counts = job["totals"]
        words = ", ".join(f"{counts[name]:,} {name}" for name in ("read", "created", "updated"))
        note(f"{title}: {job['status']}, {words} ({say_duration(time.monotonic() - began)})")

    def _stores(self) -> tuple[PracticeStore, PracticeStore]:
        return self._scene.source, self._scene.target


def store_settings(store: PracticeStore) -> Json:
    """What the service needs to know of a practice store."""
    return {"url": store.url, "write_settle": WRITE_SETTLE, "timeout": REQUEST_TIMEOUT}
