"""The process that keeps the servers running as long as somebody uses them.

It has a session of its own, so that Ctrl-C in a terminal does not reach it before it reaches the
users. Every user holds a shared lock; when the keeper gets that lock for itself, the last user has
ended, and the servers end too. A server that ends by itself is started again on the same port.

Started by ``app.embedded.servers``; answers on its standard output, in one line of JSON, either
``{}`` once both servers take connections or ``{"error": "a sentence"}``.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from app.embedded.account import server_account
from app.embedded.errors import EmbeddedError
from app.embedded.folder import DataFolder, Running, State, make_servers_folder
from app.embedded.lock import FileLock, wait_until
from app.embedded.postgres import Postgres
from app.embedded.process import end, spawn
from app.embedded.programs import installed_programs, reachable_programs
from app.embedded.valkey import Valkey

TICK_SECONDS = 0.1
START_SECONDS = 120.0
ATTEMPTS = 3


Service = Postgres | Valkey


class Kept:
    """One server under the keeper's care."""

    def __init__(self, service: Service, port: int | None) -> None:
        self.service = service
        self.port = port if port is not None and _is_free(port) else _free_port()
        self.log = service.folder / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def first_start(self, abandoned: Callable[[], bool]) -> None:
        """Start it, moving to another port if this one turns out to be taken."""
        _make_own_folder(self.service)
        self.service.clear_stale()
        self.service.prepare()
        for attempt in range(ATTEMPTS):
            if self.start(abandoned) or abandoned():
                return
            if attempt + 1 < ATTEMPTS:
                self.port = _free_port()
        raise EmbeddedError(f"{self.service.name} does not start: its last words are in {self.log}")

    def start(self, abandoned: Callable[[], bool]) -> bool:
        """Start it on its port and wait until it takes connections; whether it does."""
        with self.log.open("ab") as log:
            self.process = spawn(
                self.service.command(self.port),
                account=self.service.account,
                folder=self.service.folder,
                log=log,
                death=self.service.death_signal,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.is_running() and not abandoned():
            if self.service.is_ready(self.process.pid, self.port):
                return True
            time.sleep(0.02)
        self.stop()
        return False

    def is_running(self) -> bool:
        """Whether its process lives, ready or not."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """End it, if it runs."""
        if self.process is not None and self.is_running():
            end(self.process, self.service.stop_steps)

    def running(self) -> Running:
        """Where it runs, for those who use it."""
        return Running(pid=self.process.pid if self.process else 0, port=self.port)


class Keeper:
    """Both servers, and the locks that say for how long."""

    def __init__(self, folder: DataFolder, *, ephemeral: bool) -> None:
        self.folder = folder
        self.ephemeral = ephemeral
        self.kept: list[Kept] = []
        self._users = FileLock(folder.users_lock)
        self._asked_to_stop = False

    def abandoned(self) -> bool:
        """Whether nobody uses the servers any more, or somebody told us to stop."""
        return self._asked_to_stop or not self._users.is_current() or self._users.try_exclusive()

    def stop_at(self, number: int, _frame: FrameType | None) -> None:
        """Handle a signal."""
        del number
        self._asked_to_stop = True

    def start(self) -> None:
        """Start both servers; raises ``EmbeddedError``."""
        before = self.folder.read_state()
        self.folder.write_state(State(services=before.services))
        for service in self._services():
            self.folder.hold(service.name).unlink(missing_ok=True)
            known = before.services.get(service.name)
            kept = Kept(service, known.port if known else None)
            self.kept.append(kept)
            kept.first_start(self.abandoned)
        self._tell(ready=True)

    def run(self) -> None:
        """Keep both servers running until nobody uses them any more."""
        while not self.abandoned():
            for kept in self.kept:
                held = self.folder.hold(kept.service.name).exists()
                if not kept.is_running() and not held and kept.start(self.abandoned):
                    self._tell(ready=True)
            time.sleep(TICK_SECONDS)

    def stop(self) -> None:
        """End both servers, and delete what is not to last."""
        if self.kept:
            self._tell(ready=False)
        for kept in self.kept:
            kept.stop()
        if self.ephemeral:
            shutil.rmtree(self.folder.path, ignore_errors=True)

    def _services(self) -> list[Service]:
        account = server_account(self.folder.servers)
        programs = reachable_programs(installed_programs(), account)
        make_servers_folder(self.folder, account)
        passwords = self.folder.passwords()
        servers, ephemeral = self.folder.servers, self.ephemeral
        return [
            Postgres(programs, account, servers / "postgres", passwords["postgres"], ephemeral),
            Valkey(programs, account, servers / "valkey", passwords["valkey"], ephemeral),
        ]

    def _tell(self, *, ready: bool) -> None:
        services = {kept.service.name: kept.running() for kept in self.kept}
        self.folder.write_state(State(os.getpid(), ready, services))


def _make_own_folder(service: Service) -> None:
    if service.folder.exists():
        log = service.folder / "log"
        if log.exists():
            log.replace(service.folder / "log.previous")
        return
    service.folder.mkdir(mode=0o700)
    if service.account is not None:
        os.chown(service.folder, service.account.uid, service.account.gid)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    # Below the range from which outgoing connections get theirs, so that a server finds its port
    # again after a restart.
    ports = random.sample(range(20_000, 32_000), 200)
    for port in ports:
        if _is_free(port):
            return port
    raise EmbeddedError("No free port was found on 127.0.0.1.")


def _answer(message: dict[str, str]) -> None:
    # Whoever started us may have died meanwhile, and others be waiting for the servers.
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()
    # From here on nobody listens, and nobody should wait for the end of our output.
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def main() -> None:
    """Keep the servers of one data folder."""
    parser = argparse.ArgumentParser(prog="recent-sync-keeper")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--ephemeral", action="store_true")
    options = parser.parse_args()
    folder = DataFolder(options.folder)
    lock = FileLock(folder.keeper_lock)
    wait_until(lock.try_exclusive, seconds=10, what=f"another keeper of {folder.path} to end")
    keeper = Keeper(folder, ephemeral=options.ephemeral)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, keeper.stop_at)
    try:
        keeper.start()
        _answer({})
        keeper.run()
    except EmbeddedError as error:
        _answer({"error": str(error)})
    finally:
        keeper.stop()


if __name__ == "__main__":
    main()
