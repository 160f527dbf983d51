import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SUITE = "connectors/testing"
OURS = ("app", "connectors", "drills", "sandbox", "workers")


def imported(folder: Path, *, without: str = "") -> dict[str, Path]:
    """The top-level names that a package's modules import, each with one that does."""
    found: dict[str, Path] = {}
    for file in folder.rglob("*.py"):
        if without and file.is_relative_to(ROOT / without):
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            else:
                continue
            found |= dict.fromkeys((name.split(".")[0] for name in names), file)
    return found


def borrowed(
    folders: tuple[str, ...], declared: list[str], known: tuple[str, ...], *, without: str = ""
) -> set[str]:
    """What is imported but came only because a dependency depends on it."""
    names = {canonicalize_name(Requirement(one).name) for one in declared}
    origins = packages_distributions()
    return {
        f"{name} ({file.relative_to(ROOT)})"
        for folder in folders
        for name, file in imported(ROOT / folder, without=without).items()
        if name not in known and name not in sys.stdlib_module_names
        if not {canonicalize_name(origin) for origin in origins.get(name, [])} & names
    }


def test_everything_that_the_service_imports_is_declared() -> None:
    folders = (*OURS, "alembic")
    assert borrowed(folders, PROJECT["project"]["dependencies"], OURS, without=SUITE) == set()


def test_everything_that_the_contract_suite_imports_is_declared() -> None:
    extra = PROJECT["project"]["optional-dependencies"]["testing"]
    assert borrowed((SUITE,), [*PROJECT["project"]["dependencies"], *extra], OURS) == set()


def test_everything_that_the_tests_import_is_declared() -> None:
    groups = PROJECT["dependency-groups"]
    tools = [one for group in groups.values() for one in group if isinstance(one, str)]
    declared = [*PROJECT["project"]["dependencies"], *tools]
    known = (*OURS, "benchmarks", "tests", "openapi_contract")
    assert borrowed(("tests", "benchmarks"), declared, known) == set()
