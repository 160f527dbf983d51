"""Asking for the servers, and letting them go."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from app.embedded.errors import EmbeddedError
from app.embedded.folder import (
    DataFolder,
    Running,
    default_data_dir,
    make_folder,
    make_temporary_folder,
)
from app.embedded.lock import FileLock, is_held, wait_until
from app.embedded.postgres import DATABASE, USER
from app.embedded.programs import installed_programs

PATIENCE_SECONDS = 180.0


class Servers:
    """A PostgreSQL and a Valkey that run at least as long as this object is in use.

    Several processes may use one data folder at the same time: the first starts the servers, the
    others join, and the servers end with the last. All of them are bound to the life of their
    process by the kernel, so that a crash or ``kill -9`` ends them as well.
    """

    def __init__(self, data_dir: Path | None = None, *, ephemeral: bool = False) -> None:
        """Servers whose files lie in ``data_dir``.

        ``ephemeral`` servers are for tests: they do not wait for the disk, their files lie in a
        private temporary folder and are deleted at the end.
        """
        if ephemeral and data_dir is not None:
            raise ValueError("servers that leave nothing behind choose their own folder")
        self._ephemeral = ephemeral
        self._wanted = data_dir
        self._folder: DataFolder | None = None
        self._lease: FileLock | None = None
        self._keeper: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the servers or join those that run; return once both take connections.

        Raises ``EmbeddedError`` if they cannot be had.
        """
        installed_programs()
        folder = self._folder = self._make_folder()
        lease = self._lease = FileLock(folder.users_lock)
        try:
            # Refused only while a keeper is on its way out.
            wait_until(lease.try_shared, seconds=PATIENCE_SECONDS, what="the servers to end")
            self._start_or_join(folder)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Let the servers go; if nobody else uses them, return once they have ended."""
        if self._folder is None or self._lease is None:
            return
        self._lease.release()
        self._lease = None
        folder = self._folder
        if folder.path.exists():
            wait_until(lambda: _is_over(folder), seconds=PATIENCE_SECONDS, what="the servers' end")
        if self._keeper is not None:
            if _is_kept(folder):
                # It outlives us, because others use its servers: no child that was forgotten,
                # which the interpreter would warn of at its end.
                self._keeper.returncode = 0
            else:
                self._keeper.wait()
            self._keeper = None

    @property
    def data_dir(self) -> Path:
        """The folder that holds the servers' files."""
        return self._used_folder().path

    @property
    def database_url(self) -> str:
        """The address of PostgreSQL in SQLAlchemy's form, its password included."""
        password = self._used_folder().passwords()["postgres"]
        port = self._running("postgres").port
        return f"postgresql+asyncpg://{USER}:{password}@127.0.0.1:{port}/{DATABASE}"

    @property
    def redis_url(self) -> str:
        """The address of Valkey, its password included."""
        password = self._used_folder().passwords()["valkey"]
        return f"redis://:{password}@127.0.0.1:{self._running('valkey').port}/0"

    def restart_postgres(self, *, immediate: bool = True) -> None:
        """End PostgreSQL, abruptly if ``immediate``, and return when it is back on its port."""
        with self.without_postgres(immediate=immediate):
            pass

    def restart_valkey(self, *, immediate: bool = True) -> None:
        """End Valkey, losing what it had not saved if ``immediate``, and wait for its return."""
        with self.without_valkey(immediate=immediate):
            pass

    @contextmanager
    def without_postgres(self, *, immediate: bool = True) -> Iterator[None]:
        """A block during which PostgreSQL is down for everybody who uses these servers."""
        with self._without("postgres", signal.SIGQUIT if immediate else signal.SIGINT):
            yield

    @contextmanager
    def without_valkey(self, *, immediate: bool = True) -> Iterator[None]:
        """A block during which Valkey is down for everybody who uses these servers."""
        with self._without("valkey", signal.SIGKILL if immediate else signal.SIGTERM):
            yield

    @contextmanager
    def _without(self, service: str, number: int) -> Iterator[None]:
        folder, before = self._used_folder(), self._running(service)
        hold = folder.hold(service)
        hold.touch(mode=0o600)
        try:
            os.kill(before.pid, number)
            wait_until(lambda: not _listens(before.port), seconds=60, what=f"{service} to end")
            yield
        finally:
            hold.unlink()
            wait_until(
                lambda: self._running(service).pid != before.pid,
                seconds=PATIENCE_SECONDS,
                what=f"{service} to come back",
            )

    def _make_folder(self) -> DataFolder:
        if self._ephemeral:
            return make_temporary_folder()
        return make_folder((self._wanted or default_data_dir()).absolute())

    def _start_or_join(self, folder: DataFolder) -> None:
        starting = FileLock(folder.start_lock)
        try:
            wait_until(starting.try_exclusive, seconds=PATIENCE_SECONDS, what="another start")
            wait_until(
                lambda: self._is_up(folder), seconds=PATIENCE_SECONDS, what="servers to join"
            )
        finally:
            starting.release()

    def _is_up(self, folder: DataFolder) -> bool:
        if not _is_kept(folder):
            self._start_keeper(folder)
            return True
        # A keeper that is not ready was told to stop, or lost who had started it.
        return folder.read_state().ready

    def _start_keeper(self, folder: DataFolder) -> None:
        command = [sys.executable, "-m", "app.embedded.keeper", str(folder.path)]
        with folder.keeper_log.open("ab") as log:
            keeper = subprocess.Popen(  # noqa: S603
                [*command, "--ephemeral"] if self._ephemeral else command,
                cwd=Path(__file__).resolve().parents[2],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        self._keeper = keeper
        assert keeper.stdout is not None  # noqa: S101
        with keeper.stdout as answers:
            line = answers.readline()
        answer: dict[str, str] = json.loads(
            line or json.dumps({"error": f"No server started; see {log.name}."})
        )
        if "error" in answer:
            raise EmbeddedError(answer["error"])

    def _used_folder(self) -> DataFolder:
        if self._folder is None or self._lease is None:
            raise EmbeddedError("These servers are not started.")
        return self._folder

    def _running(self, service: str) -> Running:
        running = self._used_folder().read_state().services.get(service)
        if running is None:
            raise EmbeddedError(f"The servers of {self.data_dir} are gone.")
        return running


@contextmanager
def start(data_dir: Path | None = None, *, ephemeral: bool = False) -> Iterator[Servers]:
    """Servers for the length of a ``with`` block; see ``Servers``."""
    with Servers(data_dir, ephemeral=ephemeral) as servers:
        yield servers


def _is_kept(folder: DataFolder) -> bool:
    return is_held(folder.keeper_lock, exclusively=True)


def _is_over(folder: DataFolder) -> bool:
    """Whether a user that has let go need not wait: the servers ended, or others use them."""
    if not _is_kept(folder):
        return True
    used_or_ending = is_held(folder.users_lock, exclusively=False)
    ending = is_held(folder.users_lock, exclusively=True)
    return used_or_ending and not ending


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
