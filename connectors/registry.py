"""How connectors are found: entry points of the group `recent_sync.connectors`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from pydantic import ValidationError

from connectors.base import Connector, StoreAccess

GROUP = "recent_sync.connectors"


class UnknownPlatformError(LookupError):
    """No installed package registers a connector of this name."""


class AccessError(ValueError):
    """Settings or credentials of a store do not fit its platform.

    `problems` are (path, sentence) and hold no value that was given: it may be a secret.
    """

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{path}: {text}" for path, text in problems))
        self.problems = problems


_offered: ContextVar[Mapping[str, Connector] | None] = ContextVar("connectors", default=None)


@contextmanager
def offering(own: Mapping[str, Connector]) -> Iterator[None]:
    """Within the block, in this task and those it starts, there are these connectors and no
    others: for practice, with stores that no address leads to.
    """
    token = _offered.set(own)
    try:
        yield
    finally:
        _offered.reset(token)


def connectors() -> dict[str, Connector]:
    """All connectors by name, sorted. Two packages of one name: the first found counts."""
    own = _offered.get()
    return _installed() if own is None else dict(own)


@cache
def _installed() -> dict[str, Connector]:
    found: dict[str, Connector] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda each: each.name):
        found.setdefault(entry.name, entry.load())
    return found


def connector(name: str) -> Connector:
    """One connector. Raises `UnknownPlatformError`."""
    try:
        return connectors()[name]
    except KeyError:
        raise UnknownPlatformError(name) from None


def access(name: str, settings: dict[str, Any], credentials: dict[str, Any]) -> StoreAccess:
    """Validate a store's values. Raises `UnknownPlatformError` and `AccessError`."""
    platform = connector(name)
    problems: list[tuple[str, str]] = []
    models = []
    for part, model, values in (
        ("settings", platform.settings, settings),
        ("credentials", platform.credentials, credentials),
    ):
        try:
            models.append(model.model_validate(values))
        except ValidationError as error:
            problems += [
                (".".join([part, *map(str, each["loc"])]), each["msg"])
                for each in error.errors(include_input=False, include_context=False)
            ]
    if problems:
        raise AccessError(problems)
    return StoreAccess(settings=models[0], credentials=models[1])
