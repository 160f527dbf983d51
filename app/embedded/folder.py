"""The data folder: where the servers keep their files, passwords and locks.

<data folder>/
  start.lock    held while somebody starts the servers
  users.lock    held, shared, by every process that uses them
  keeper.lock   held by the process that keeps them running
  servers.json  where they listen
  passwords.json
  keeper.log
  servers/      the servers' own files, owned by the account they run as
"""

import hashlib
import json
import os
import re
import secrets
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

from app.embedded.account import Account, can_enter, server_account
from app.embedded.errors import EmbeddedError

ROOTS_FOLDER = Path("/var/lib/recent-sync")


@dataclass(frozen=True)
class Running:
    """A server that runs: its process and its port on 127.0.0.1."""

    pid: int
    port: int


@dataclass(frozen=True)
class State:
    """What ``servers.json`` says; true only while somebody holds ``keeper.lock``."""

    keeper: int = 0
    ready: bool = False
    services: dict[str, Running] = field(default_factory=dict)


class DataFolder:
    """The paths in a data folder, and the small files that are read and written there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.servers = path / "servers"
        self.start_lock = path / "start.lock"
        self.users_lock = path / "users.lock"
        self.keeper_lock = path / "keeper.lock"
        self.keeper_log = path / "keeper.log"

    def hold(self, service: str) -> Path:
        """While this file exists, the keeper leaves ``service`` stopped."""
        return self.path / f"hold-{service}"

    def read_state(self) -> State:
        """The last state written; an empty one if there is none that can be read."""
        try:
            found = json.loads((self.path / "servers.json").read_bytes())
            services = {name: Running(**entry) for name, entry in found["services"].items()}
            return State(found["keeper"], found["ready"], services)
        except (OSError, ValueError, KeyError, TypeError):
            return State()

    def write_state(self, state: State) -> None:
        """Replace the state at one stroke, so that a reader never sees half of it."""
        write_private(self.path / "servers.json", json.dumps(asdict(state)))

    def passwords(self) -> dict[str, str]:
        """The servers' passwords, made at the first call."""
        file = self.path / "passwords.json"
        if not file.exists():
            if (self.servers / "postgres").exists():
                raise EmbeddedError(
                    f"The servers' passwords in {file} are gone, but not the database beside "
                    f"them: put the file back, or delete {self.path} to begin with an empty one."
                )
            made = {name: secrets.token_urlsafe(24) for name in ("postgres", "valkey")}
            write_private(file, json.dumps(made))
        found: dict[str, str] = json.loads(file.read_bytes())
        return found


def write_private(file: Path, text: str, account: Account | None = None) -> None:
    """Write ``file`` so that only its owner can read it, at no moment anybody else."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        if account is not None:
            os.fchown(descriptor, account.uid, account.gid)
        stream.write(text)
    draft.replace(file)


def default_data_dir() -> Path:
    """Where servers keep their files unless told otherwise: one folder per user and checkout.

    ``RECENT_SYNC_DATA_DIR`` decides if it is set. A checkout is known by its ``pyproject.toml``;
    an installed package by the folder in which it is started.
    """
    if chosen := os.environ.get("RECENT_SYNC_DATA_DIR"):
        return Path(chosen).expanduser().absolute()
    checkout = Path(__file__).resolve().parents[2]
    project = checkout if (checkout / "pyproject.toml").exists() else Path.cwd()
    digest = hashlib.sha256(os.fsencode(project)).hexdigest()[:10]
    name = re.sub(r"[^A-Za-z0-9._-]", "_", project.name)
    return _users_folder() / f"{name}-{digest}"


def _users_folder() -> Path:
    if os.geteuid() == 0:
        return ROOTS_FOLDER  # a root's home is closed to the account the servers run as
    data_home = os.environ.get("XDG_DATA_HOME", "")
    if os.path.isabs(data_home):  # noqa: PTH117  an empty or relative value is to be ignored
        return Path(data_home) / "recent-sync"
    try:
        return Path.home() / ".local" / "share" / "recent-sync"
    except RuntimeError as error:
        raise EmbeddedError(
            "This user has no home folder: say where the data may lie with RECENT_SYNC_DATA_DIR."
        ) from error


def make_folder(path: Path) -> DataFolder:
    """The data folder at ``path``, created with whatever is missing above it."""
    try:
        _make_missing(path)
        mine = path.stat().st_uid == os.geteuid()
    except OSError as error:
        raise EmbeddedError(
            f"The data folder {path} cannot be made ({error.strerror}): "
            "choose another with RECENT_SYNC_DATA_DIR."
        ) from error
    if not mine or not os.access(path, os.W_OK):
        raise EmbeddedError(
            f"The data folder {path} belongs to another user: "
            "choose another with RECENT_SYNC_DATA_DIR."
        )
    return DataFolder(path)


def _make_missing(path: Path) -> None:
    if path.is_dir():
        if os.geteuid() == 0 and not any(path.iterdir()):
            path.chmod(_mode())  # an empty folder that somebody made for this
        return
    _make_missing_above(path)
    path.mkdir(exist_ok=True)
    path.chmod(_mode())


def _make_missing_above(path: Path) -> None:
    for above in reversed(path.parents):
        if not above.exists():
            above.mkdir(exist_ok=True)
            above.chmod(_mode())


def make_temporary_folder() -> DataFolder:
    """A private folder for servers that leave nothing behind."""
    path = _temporary_in(Path(tempfile.gettempdir()))
    if can_enter(server_account(path), path):
        return DataFolder(path)
    path.rmdir()  # root's temporary folder lies in root's home
    make_folder(ROOTS_FOLDER)
    return DataFolder(_temporary_in(ROOTS_FOLDER))


def _temporary_in(place: Path) -> Path:
    path = Path(tempfile.mkdtemp(prefix="recent-sync-", dir=place))
    path.chmod(_mode())
    return path


def _mode() -> int:
    # The account that root's servers run as passes through, but sees nothing.
    return 0o711 if os.geteuid() == 0 else 0o700


def make_servers_folder(folder: DataFolder, account: Account | None) -> None:
    """Make the part of the data folder that belongs to the servers' account."""
    servers = folder.servers
    fresh = not servers.exists()
    if fresh:
        servers.mkdir(mode=0o700)
        if account is not None:
            os.chown(servers, account.uid, account.gid)
    if can_enter(account, servers):
        return
    if fresh:
        servers.rmdir()
    name = account.name if account else "you"
    raise EmbeddedError(
        f"PostgreSQL does not run as root, and the account `{name}` that it runs as cannot enter "
        f"{folder.path}: choose another folder with RECENT_SYNC_DATA_DIR, for example one in "
        f"{ROOTS_FOLDER}."
    )
