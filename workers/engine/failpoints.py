"""Named places in the engine where a worker can be made to die, stand still, or be cut off.

They exist to prove that none of this loses or doubles a record. Nothing is armed unless the
variable `RECENT_SYNC_FAILPOINTS` says so when a worker starts; no request can arm anything, and an
unarmed place costs one look at an empty dictionary.

`after_write=kill:2,reaper=reset` kills the worker the second time the target has written, and
fails the first round of the reaper. Each failpoint strikes once in the life of a process.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import structlog

log = structlog.get_logger(__name__)

VARIABLE = "RECENT_SYNC_FAILPOINTS"


class Place(StrEnum):
    """Where. Each lies between two steps that must not come apart unnoticed."""

    AFTER_FETCH = "after_fetch"
    """A page was read; nothing has come of it yet."""
    AFTER_INTENT = "after_intent"
    """Intents are committed; the target has not been asked."""
    AFTER_WRITE = "after_write"
    """The target has written; the engine has not looked at its answer."""
    AFTER_ANSWER = "after_answer"
    """Every answer to a page is known; nothing of it is committed."""
    AFTER_COMMIT = "after_commit"
    """A page is committed; the slice still says nothing to anybody."""
    HEARTBEAT = "heartbeat"
    """A lease is about to be renewed."""
    REAPER = "reaper"
    """What is due has been noted as sent; nobody has been woken."""
    SPLITTING = "splitting"
    """A pass is cut; its slices are not committed."""
    FINISHING = "finishing"
    """The target has its voice back; the end of the job is not committed."""


class Action(StrEnum):
    """What happens there.

    `reset` is what the loss of our own database's connection looks like; `crash` is the death of
    a worker for tests that run the engine in their own process.
    """

    KILL = "kill"
    TERM = "term"
    STOP = "stop"
    RESET = "reset"
    CRASH = "crash"


class FailpointError(ValueError):
    """The words that arm failpoints cannot be understood."""


class Crash(BaseException):
    """The end of a worker, as far as anything in this process can tell."""


@dataclass(slots=True)
class _Failpoint:
    """Strikes at the `hit`-th time its place is reached, counted from 1."""

    action: Action
    hit: int
    reached: int = 0

    def strikes(self) -> bool:
        self.reached += 1
        return self.reached == self.hit


_armed: dict[Place, _Failpoint] = {}


def arm(words: str) -> None:
    """Arm `place=action[:hit]`, several with commas; what was armed before is not any more.

    Raises `FailpointError`.
    """
    _armed.clear()
    _armed.update(_parsed(each.strip()) for each in words.split(",") if each.strip())
    if _armed:
        log.warning("failpoints.armed", places=sorted(_armed))


def arm_from_environment(environment: Mapping[str, str] = os.environ) -> None:
    """Arm what `RECENT_SYNC_FAILPOINTS` says. Raises `FailpointError`."""
    arm(environment.get(VARIABLE, ""))


def _parsed(words: str) -> tuple[Place, _Failpoint]:
    place, _, what = words.partition("=")
    action, _, hit = what.partition(":")
    try:
        return Place(place), _Failpoint(Action(action), _number(hit or "1"))
    except ValueError:
        raise FailpointError(
            f"{VARIABLE} holds {words!r}: expected place=action:hit with a place of "
            f"{', '.join(Place)} and an action of {', '.join(Action)}"
        ) from None


def _number(hit: str) -> int:
    if not (hit.isascii() and hit.isdecimal() and int(hit)):
        raise ValueError(hit)
    return int(hit)


def reach(place: Place) -> None:
    """Pass a place. Does nothing, unless a failpoint is armed there and strikes now.

    Raises `ConnectionResetError` or `Crash` where the failpoint says so.
    """
    if not _armed:
        return
    failpoint = _armed.get(place)
    if failpoint is not None and failpoint.strikes():
        log.warning("failpoint.strikes", place=place, action=failpoint.action)
        _ACTS[failpoint.action]()


def _signal(number: signal.Signals) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), number)


def _reset() -> None:
    raise ConnectionResetError("a failpoint broke the connection")


def _crash() -> None:
    raise Crash


_ACTS: Mapping[Action, Callable[[], None]] = {
    Action.KILL: _signal(signal.SIGKILL),
    Action.TERM: _signal(signal.SIGTERM),
    Action.STOP: _signal(signal.SIGSTOP),
    Action.RESET: _reset,
    Action.CRASH: _crash,
}
