"""Who the servers run as.

PostgreSQL refuses to run as root. A process of root therefore starts both servers under an
account without privileges, and keeps their files where that account can reach them.
"""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from app.embedded.errors import EmbeddedError

UNPRIVILEGED = ("postgres", "nobody")


class Identity(TypedDict, total=False):
    """The arguments of ``subprocess`` that change who a child runs as."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """An account other than the caller's."""

    name: str
    uid: int
    gid: int


def server_account(servers: Path) -> Account | None:
    """The account to run the servers as; ``None`` where the caller itself will do.

    Files that exist in ``servers`` decide, so that an account added to the machine later does
    not lock anybody out.
    """
    if os.geteuid() != 0:
        return None
    if servers.exists() and (owner := servers.stat().st_uid) != 0:
        return _of(pwd.getpwuid(owner))
    for name in UNPRIVILEGED:
        try:
            return _of(pwd.getpwnam(name))
        except KeyError:
            continue
    raise EmbeddedError(
        "PostgreSQL does not run as root and this machine has neither an account `postgres` nor "
        "`nobody`: start as an ordinary user, or name a server with RECENT_SYNC_DATABASE_URL."
    )


def identity(account: Account | None) -> Identity:
    """What to hand ``subprocess`` so that a child runs as ``account``."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def can_enter(account: Account | None, folder: Path) -> bool:
    """Whether ``account`` reaches ``folder`` through every folder above it."""
    if account is None:
        return os.access(folder, os.X_OK)
    command = ["/bin/sh", "-c", 'cd -- "$0"', str(folder)]
    answer = subprocess.run(  # noqa: S603
        command, cwd="/", capture_output=True, check=False, **identity(account)
    )
    return answer.returncode == 0


def _of(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
