"""A practice store: its process, and what the demo does to it from outside the shop's own API."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from app.cli.failures import UnreachableError
from app.cli.processes import Program, Supervisor

START_SECONDS = 30.0
# Seeding a whole shop is one request.
_TIMEOUT = httpx.Timeout(10.0, read=180.0)


@dataclass(frozen=True)
class Keys:
    """Credentials of a practice store, good for this run alone."""

    consumer_key: str
    consumer_secret: str

    @classmethod
    def fresh(cls) -> Keys:
        """Random ones."""
        return cls(f"ck_{secrets.token_hex(20)}", f"cs_{secrets.token_hex(20)}")


@dataclass(frozen=True)
class Effects:
    """What a store has on record of what was done to it: counts.

    `stock_movements` are those that orders written over the API caused: each is a deduction the
    other store has made already. `writes` came over the API; `duplicates` are records that were
    written although the store had them.
    """

    mails: int
    stock_movements: int
    duplicates: int
    writes: int
    requests: int


@dataclass(frozen=True)
class ReplayState:
    """How far the live traffic is, in steps; `counts` says what happened."""

    running: bool
    done: int
    total: int
    counts: dict[str, int]


class PracticeStore:
    """A running practice store."""

    def __init__(self, name: str, url: str, keys: Keys) -> None:
        self.name = name
        self.url = url
        self.keys = keys
        self._client = httpx.Client(base_url=f"{url}/_control", timeout=_TIMEOUT, trust_env=False)

    @property
    def control_url(self) -> str:
        """Where faults are switched and records are read."""
        return f"{self.url}/_control"

    def close(self) -> None:
        """Give the connection back; the store goes on."""
        self._client.close()

    def seed(self, *, scale: float, seed: int) -> dict[str, int]:
        """Fill the empty store with the shop as of 2011-11-25; the numbers of its records."""
        counts: dict[str, int] = self.ask("POST", "/seed", {"scale": scale, "seed": seed})
        return counts

    def switch_faults(self, faults: Mapping[str, Any]) -> list[str]:
        """Faults on (an object) or off (None), by name; `all` is the set of a rough day.

        Answers with the names of those that are on now.
        """
        return sorted(self.ask("PUT", "/faults", faults)["on"])

    def effects(self) -> Effects:
        """What was done to the store so far."""
        found = self.ask("GET", "/records")
        return Effects(
            mails=sum(found["mails"].values()),
            stock_movements=found["stock_movements"].get("api", 0),
            duplicates=sum(found["duplicates"].values()),
            writes=sum(found["writes"].get("api", {}).values()),
            requests=sum(found["requests"].values()),
        )

    def start_replay(self, *, seconds: float, scale: float, seed: int) -> None:
        """Let the shop sell what it sold after 2011-11-25, within `seconds`."""
        self.ask("POST", "/replay", {"seconds": seconds, "scale": scale, "seed": seed})

    def replay(self) -> ReplayState:
        """How far it is."""
        found = self.ask("GET", "/replay")
        plain = ("running", "done", "total")
        counts = {
            name: count
            for name, count in found.items()
            if name not in plain and isinstance(count, int) and count
        }
        return ReplayState(found["running"], found["done"], found["total"], counts)

    def freeze(self) -> None:
        """The shop stops selling; orders that are half written are finished first."""
        self.ask("POST", "/replay/freeze")

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One request to the control endpoint. Raises `UnreachableError`."""
        try:
            answer = self._client.request(method, path, json=body)
            answer.raise_for_status()
            return answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise UnreachableError(
                f"The practice store {self.name} failed at {method} {path} "
                f"({type(error).__name__})."
            ) from None


class Opening:
    """A practice store that is starting."""

    def __init__(
        self,
        supervisor: Supervisor,
        name: str,
        folder: Path,
        *,
        timezone: str,
        addon: bool = False,
    ) -> None:
        """Start a store with its data in a folder of its own."""
        self._supervisor = supervisor
        self._name = name
        self._keys = Keys.fresh()
        self._ready = folder / "ready.json"
        folder.mkdir()
        self._program = Program(
            name=f"practice store {name}",
            module="sandbox",
            arguments=(
                *("--data", str(folder / "data")),
                *("--port", "0"),
                *("--timezone", timezone),
                *("--name", f"Practice store {name}"),
                *("--ready-file", str(self._ready)),
                *(("--addon",) if addon else ()),
            ),
            environment={
                "SANDBOX_KEY": self._keys.consumer_key,
                "SANDBOX_SECRET": self._keys.consumer_secret,
                "SANDBOX_CONTROL_TOKEN": "",
            },
            log=folder / "log",
            lasting=False,
        )
        supervisor.start(self._program)

    def opened(self) -> PracticeStore:
        """The store, once it listens. Raises `UnreachableError`, `ProcessError`."""
        deadline = time.monotonic() + START_SECONDS
        while not self._ready.exists():
            self._supervisor.check()
            if time.monotonic() > deadline:
                raise UnreachableError(
                    f"The {self._program.name} did not start in {START_SECONDS:.0f} s."
                )
            time.sleep(0.05)
        url = json.loads(self._ready.read_bytes())["url"]
        return PracticeStore(self._name, url, self._keys)
