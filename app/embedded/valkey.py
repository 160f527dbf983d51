"""How Valkey is set up, started, found ready, and ended."""

import os
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

from app.embedded.account import Account
from app.embedded.folder import write_private
from app.embedded.process import end_stale
from app.embedded.programs import Programs


@dataclass(frozen=True)
class Valkey:
    """A Valkey in ``folder``, listening on 127.0.0.1 only."""

    programs: Programs
    account: Account | None
    folder: Path
    password: str
    ephemeral: bool

    name = "valkey"
    death_signal = signal.SIGTERM
    stop_steps = ((signal.SIGTERM, 10.0),)

    @property
    def configuration(self) -> Path:
        """The configuration file, by whose path a running server is known."""
        return self.folder / "valkey.conf"

    def prepare(self) -> None:
        """Nothing to do: an empty folder is an empty Valkey."""

    def command(self, port: int) -> list[str]:
        """The server's command line; the password stays in a file that only its owner reads."""
        lines = [
            "bind 127.0.0.1",
            f"port {port}",
            f"requirepass {self.password}",
            "pidfile valkey.pid",
            'save ""' if self.ephemeral else "save 60 1",
            "set-proc-title no",  # so that a server left behind can be known by its command line
        ]
        write_private(self.configuration, "\n".join([*lines, ""]), self.account)
        return [str(self.programs.valkey), str(self.configuration)]

    def is_ready(self, _pid: int, port: int) -> bool:
        """Whether the server answers with our password, its data loaded."""
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\nQUIT\r\n".encode())
                answer = b""
                while piece := connection.recv(1024):
                    answer += piece
        except OSError:
            return False
        return b"+PONG" in answer

    def clear_stale(self) -> None:
        """End a server that an earlier keeper left running on this folder."""
        try:
            pid = int((self.folder / "valkey.pid").read_text())
        except (OSError, ValueError):
            return
        if pid != os.getpid():
            end_stale(pid, mark=str(self.configuration), steps=self.stop_steps)
