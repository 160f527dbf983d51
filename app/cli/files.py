"""Files that commands write."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.cli.failures import UsageProblemError


def require_writable(file: Path) -> None:
    """Find out before the work whether its result can be written; the file stays as it is.

    Raises `UsageProblemError`.
    """
    if file.is_dir():
        reason = "it is a folder"
    elif not file.parent.is_dir():
        reason = f"there is no folder {file.parent}"
    elif not os.access(file if file.exists() else file.parent, os.W_OK):
        reason = "permission denied"
    else:
        return
    raise UsageProblemError(f"{file} cannot be written: {reason}.")


def write_file(file: Path, text: str, *, newline: str | None = None) -> None:
    """Write a text in UTF-8. Raises `UsageProblemError`."""
    with writing(file):
        file.write_text(text, encoding="utf-8", newline=newline)


@contextmanager
def writing(file: Path) -> Iterator[None]:
    """Turn what keeps a file from being written into a `UsageProblemError`."""
    try:
        yield
    except OSError as error:
        raise UsageProblemError(f"{file} cannot be written: {error.strerror}.") from None
