"""The worked example, as a stranger has it: a package of its own, installed beside ours."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors import registry
from tests.fixtures.databases import create_database, drop_database
from tests.packaging.environment import bare, build_wheel, install, run

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples/rest-shop"
START_SECONDS = 120

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's folder, copied away from the checkout."""
    folder = tmp_path_factory.mktemp("stranger") / "rest-shop"
    ignored = shutil.ignore_patterns("__pycache__", ".pytest_cache")
    return Path(shutil.copytree(EXAMPLE, folder, ignore=ignored))


@pytest.fixture(scope="module")
def programs(wheel: Path, copied: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    example = build_wheel(copied, tmp_path_factory.mktemp("example"))
    return install(tmp_path_factory.mktemp("environment"), wheel, example)


def test_it_is_short() -> None:
    assert len((EXAMPLE / "rest_shop.py").read_text(encoding="utf-8").splitlines()) < 150


def test_it_keeps_every_promise_where_only_wheels_are_installed(
    programs: Path, copied: Path
) -> None:
    shown = run(programs / "python", "-m", "pytest", "-q", cwd=copied, seconds=300)
    assert re.search(r"^\d+ passed, \d+ skipped", shown, re.MULTILINE), shown
    assert "recent-sync: what the connectors do not promise" in shown
    assert "rest-shop reads no inventory" in shown


def test_a_promise_that_is_broken_fails(programs: Path, copied: Path, tmp_path: Path) -> None:
    """A reader that pages by number over a list sorted by date would pass no suite worth it."""
    broken = Path(shutil.copytree(copied, tmp_path / "broken"))
    module = broken / "rest_shop.py"
    text = module.read_text(encoding="utf-8")
    assert '{"after": found.rows[-1]["id"]}' in text
    # The last row of a page is taken for the first of the next one: one row is lost between two.
    module.write_text(text.replace('found.rows[-1]["id"]}', 'found.rows[-1]["id"] + 1}'))
    ended = subprocess.run(
        [str(programs / "python"), "-m", "pytest", "-q", "-k", "sweep_gives_every_record"],
        cwd=broken,
        env=bare(broken, PYTHONPATH=str(broken)),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 1
    assert re.search(r"^3 failed", ended.stdout, re.MULTILINE), ended.stdout


@pytest.fixture
def service(programs: Path, servers, tmp_path: Path) -> Iterator[dict[str, str]]:
    """`recent-sync up` of that environment; what its client needs to know."""
    database = asyncio.run(create_database(servers.database_url, "example"))
    variables = {
        "RECENT_SYNC_DATABASE_URL": database,
        "RECENT_SYNC_REDIS_URL": servers.redis_url.rsplit("/", 1)[0] + "/6",
        "RECENT_SYNC_DATA_DIR": str(tmp_path / "data"),
    }
    out = tmp_path / "out"
    with out.open("wb") as stream:
        process = subprocess.Popen(
            [str(programs / "recent-sync"), "up", "--port", "0", "--workers", "1"],
            cwd=tmp_path,
            env=bare(tmp_path, **variables),
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while "Ctrl-C" not in out.read_text():
            assert process.poll() is None, out.read_text()
            assert time.monotonic() < deadline, out.read_text()
            time.sleep(0.1)
        url = re.search(r"http://\S+", out.read_text())
        assert url
        key = (tmp_path / "data" / "api-key").read_text().strip()
        yield {"RECENT_SYNC_URL": url[0], "RECENT_SYNC_API_KEY": key}
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        asyncio.run(drop_database(database))


def test_the_service_finds_it_by_its_entry_point(
    programs: Path, service: dict[str, str], tmp_path: Path
) -> None:
    command = (programs / "recent-sync", "platforms", "--json")
    found = {each["name"]: each for each in json.loads(run(*command, cwd=tmp_path, **service))}
    assert set(found) == {"rest-shop", *registry.connectors()}
    assert sorted(found["rest-shop"]["source"]) == ["customers", "orders", "products"]
    assert found["rest-shop"]["target"] is None
    assert list(found["rest-shop"]["settings_schema"]["properties"]) == ["url", "page_size"]


def test_its_page_of_the_guide_can_be_printed(programs: Path, tmp_path: Path) -> None:
    shown = run(programs / "recent-sync", "guide", "--platform", "rest-shop", cwd=tmp_path)
    assert "# Our own shop" in shown
    assert "Blind spot: Deletions leave no trace." in shown
