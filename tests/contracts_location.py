"""Where the platforms' published API descriptions lie, for tests that validate requests."""

import os
from pathlib import Path

import pytest

BESIDE = Path(__file__).resolve().parents[1] / ".." / "shared" / "contracts"


def contracts_dir() -> Path | None:
    """The folder of API descriptions, or ``None`` where there is none.

    RECENT_SYNC_CONTRACTS names it; otherwise it is looked for beside the checkout.
    """
    chosen = os.environ.get("RECENT_SYNC_CONTRACTS")
    folder = Path(chosen) if chosen else BESIDE
    return folder.resolve() if folder.is_dir() else None


def require(name: str) -> Path:
    """The API description ``name``; without it the test is skipped.

    With RECENT_SYNC_REQUIRE_CONTRACTS=1 it fails instead, so that a run which is meant to prove
    something cannot pass by not looking.
    """
    folder = contracts_dir()
    if folder is not None and (folder / name).exists():
        return folder / name
    reason = f"no API description `{name}`: name its folder with RECENT_SYNC_CONTRACTS"
    if os.environ.get("RECENT_SYNC_REQUIRE_CONTRACTS") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
