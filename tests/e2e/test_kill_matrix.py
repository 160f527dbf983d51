"""Every named place x every kind of job x every way to go: nothing is lost, nothing is doubled.

A sixth of the cells are played: every place with two of the ways and every way at half of the
places, the kinds in turn. `RECENT_SYNC_TEST_KILLS=all` plays them all, and
`tests/engine/test_failpoints.py` has a worker die in process at every place in every kind of job.
Several arenas play at once, each cell in one of them.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from signal import SIGKILL
from typing import Any, NamedTuple

import pytest

from connectors.records import Stream
from tests.e2e.arena import (
    KINDS,
    Arena,
    ArmedWorker,
    everything_is_asked_for,
    open_arena,
    until,
)
from tests.fixtures.servers import Addresses
from workers.engine.failpoints import Action, Place

pytestmark = pytest.mark.e2e

ACTIONS = (Action.KILL, Action.TERM, Action.STOP, Action.RESET)
ARENAS = 3 if everything_is_asked_for() else 2
_ACTIONS_A_PLACE = 2
PATIENCE = 900.0
"""Seconds until a cell has to have been played, all those before it included."""

_AMONG_ORDERS = {
    "full": {
        Place.AFTER_FETCH: 7,
        Place.AFTER_INTENT: 8,
        Place.AFTER_WRITE: 8,
        Place.AFTER_ANSWER: 7,
        Place.AFTER_COMMIT: 7,
        Place.SPLITTING: 4,
    },
    "recent": {
        Place.AFTER_FETCH: 8,
        Place.AFTER_INTENT: 5,
        Place.AFTER_WRITE: 5,
        Place.AFTER_ANSWER: 8,
        Place.AFTER_COMMIT: 8,
        Place.SPLITTING: 4,
    },
}
_AMONG_ORDERS["cutover"] = _AMONG_ORDERS["recent"]
"""At which hit a worker is at work on orders: nothing but our own intents keeps a shop from having
one twice, while SKUs, emails and names protect everything else.
"""


class Cell(NamedTuple):
    """One blow: a worker is struck at `place`, while it works on orders if it can be."""

    place: Place
    kind: str
    action: Action

    @property
    def among_orders(self) -> int | None:
        """At which hit the place is reached for an order, None where that is no question."""
        return _AMONG_ORDERS[self.kind].get(self.place)

    @property
    def words(self) -> str:
        """What arms the worker."""
        return f"{self.place}={self.action}:{self.among_orders or 1}"


def chosen() -> list[Cell]:
    """All cells, or every place with two actions and the kinds in turn."""
    return [
        Cell(place, kind, action)
        for row, place in enumerate(Place)
        for column, action in enumerate(ACTIONS)
        for turn, kind in enumerate(KINDS)
        if everything_is_asked_for()
        or (
            (column - row) % len(ACTIONS) < _ACTIONS_A_PLACE and (row + column) % len(KINDS) == turn
        )
    ]


# --- one cell --------------------------------------------------------------------------------


def play(arena: Arena, cell: Cell) -> None:
    """Run a job, strike one of its two workers, and prove that it made no difference."""
    arena.scene.target.ask("POST", "/records/reset")
    with arena.one_worker_standing_still() as go_on:
        # Alone, so that it is surely the armed one that comes to the place.
        job = arena.start(cell.kind)
        if cell.place is Place.REAPER:
            arena.forget_wakes()
        log = arena.scene.folder / f"{job}.log"
        worker = ArmedWorker(arena.scene, cell.words, log, **_settings(cell))
        try:
            struck = worker.wait_for_the_strike()
            assert cell.among_orders is None or struck["stream"] == Stream.ORDERS
            held = arena.held_by(worker.holder)
            go_on()
            _AFTERWARDS[cell.action](arena, cell, worker, held)
            arena.finish(job)
        finally:
            code = worker.end()
        assert code == (-SIGKILL if cell.action is Action.KILL else 0)
    arena.prove(cell.kind)


def _settings(cell: Cell) -> dict[str, str]:
    """A heart that beats so fast that it beats in every slice, where that is what is struck."""
    fast = {"RECENT_SYNC_HEARTBEAT_SECONDS": "0.03"}
    return fast if cell.place is Place.HEARTBEAT else {}


def _ended(_: Arena, __: Cell, worker: ArmedWorker, ___: dict[Any, int]) -> None:
    worker.wait()


def _stopped(arena: Arena, cell: Cell, worker: ArmedWorker, held: dict[Any, int]) -> None:
    """It sleeps beyond its lease, and wakes up while another one works on its slice."""
    if cell.place is Place.REAPER:
        assert not held
        other = "SELECT 1 FROM slices WHERE holder <> $1 AND NOT done"
        until(lambda: arena.rows(other, worker.holder), "somebody else to be woken")
        worker.go_on()
        return
    assert held, "it was struck with a slice in its hands"
    until(lambda: arena.taken_over(held), "another worker to take the slice")
    worker.go_on()
    late = ("slice.lease_lost", "slice.database_away")
    until(lambda: worker.logged(*late), "the stopped worker to see that it is too late")


def _cut_off(_: Arena, __: Cell, worker: ArmedWorker, ___: dict[Any, int]) -> None:
    assert worker.process.poll() is None, "a broken connection ends no worker"


_AFTERWARDS = {
    Action.KILL: _ended,
    Action.TERM: _ended,
    Action.STOP: _stopped,
    Action.RESET: _cut_off,
}


# --- all cells -------------------------------------------------------------------------------


class Matrix:
    """Plays cells in the background, in several arenas at once."""

    def __init__(self, cells: list[Cell], servers: Addresses) -> None:
        self._servers = servers
        self._rounds: queue.SimpleQueue[list[Cell]] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self.results: dict[Cell, Future[float]] = {cell: Future() for cell in cells}
        for each in rounds(cells):
            self._rounds.put(each)

    def run(self, number: int) -> None:
        """One arena's work."""
        with suppress(queue.Empty):
            first = self._rounds.get_nowait()
            with open_arena(self._servers, number=number) as arena:
                self._play(arena, first)
                while not self._stopping.is_set():
                    self._play(arena, self._rounds.get_nowait())

    def _play(self, arena: Arena, cells: list[Cell]) -> None:
        """One round: the cells go on from each other's outcome as long as it is a good one."""
        good = False
        for cell in cells:
            began = time.monotonic()
            try:
                if cell.kind == "full" or not good:
                    arena.begin_anew()
                if cell.kind != "full":
                    if not good:
                        arena.run("full")
                    arena.trade()
                play(arena, cell)
            except BaseException as error:  # noqa: BLE001  the test that waits for it raises it
                good = False
                self.results[cell].set_exception(error)
            else:
                good = True
                self.results[cell].set_result(time.monotonic() - began)

    def stop(self) -> None:
        self._stopping.set()
        for each in self.results.values():
            each.cancel()


def rounds(cells: list[Cell]) -> list[list[Cell]]:
    """Cells of different kinds, a full run first: the others go on from where it ended."""
    by_kind: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        by_kind[cell.kind].append(cell)
    longest = max(map(len, by_kind.values()), default=0)
    return [[by_kind[kind][n] for kind in KINDS if n < len(by_kind[kind])] for n in range(longest)]


@pytest.fixture(scope="module")
def matrix(request: pytest.FixtureRequest, servers: Addresses) -> Iterator[Matrix]:
    """The cells that this run of the tests asks for, being played."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    asked = [item.callspec.params.get("cell") for item in items if hasattr(item, "callspec")]
    matrix = Matrix([cell for cell in asked if isinstance(cell, Cell)], servers)
    with ThreadPoolExecutor(ARENAS, thread_name_prefix="arena") as pool:
        arenas = [pool.submit(matrix.run, number) for number in range(1, ARENAS + 1)]
        try:
            yield matrix
        finally:
            matrix.stop()
    for arena in arenas:
        arena.result()


@pytest.mark.parametrize("cell", chosen(), ids="-".join)
def test_struck_worker_loses_and_doubles_nothing(
    cell: Cell, matrix: Matrix, record_property: Callable[[str, object], None]
) -> None:
    record_property("cell", [str(each) for each in cell])
    record_property("seconds", matrix.results[cell].result(timeout=PATIENCE))
