"""The image and the composition, checked by reading them: no container engine is needed."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from packaging.specifiers import SpecifierSet

from app.cli.main import program
from app.main import create_app
from app.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = re.sub(r"\\\n\s*", " ", (ROOT / "Dockerfile").read_text())
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = ("migrate", "api", "worker")


def instructions(text: str = DOCKERFILE) -> list[tuple[str, str]]:
    pattern = re.compile(r"^([A-Z]+)\s+(.*)$", re.MULTILINE)
    return [(match[1], match[2].strip()) for match in pattern.finditer(text)]


def final_stage() -> list[tuple[str, str]]:
    return instructions(DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :])


def only(name: str) -> str:
    (value,) = [value for found, value in final_stage() if found == name]
    return value


def parse(arguments: list[str]) -> None:
    """Let the command line itself say whether it knows a command and its options."""
    command: Any = typer.main.get_command(program)
    rest = list(arguments)
    while hasattr(command, "commands"):
        name = rest.pop(0)
        assert name in command.commands, f"no command {name}"
        command = command.commands[name]
    command.make_context(command.name, rest)


def settings_named(text: str) -> set[str]:
    return {name.lower() for name in re.findall(r"\bRECENT_SYNC_([A-Z_]+)\b", text)}


def test_the_image_does_not_run_as_root() -> None:
    assert int(only("USER")) > 0


def test_the_image_is_built_in_stages_and_ships_no_build_tool() -> None:
    assert [name for name, _ in instructions()].count("FROM") > 1
    copied = [value for name, value in final_stage() if name == "COPY"]
    assert copied
    assert all(value.startswith("--from=") for value in copied)
    assert not any("pip" in value for name, value in final_stage() if name == "RUN")


def test_the_image_runs_a_python_that_the_project_supports() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (version,) = re.findall(r"^ARG PYTHON=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert SpecifierSet(project["requires-python"]).contains(f"{version}.0")


def test_everything_fetched_for_the_image_is_hashed() -> None:
    for name, value in instructions():
        if name == "RUN" and "pip install" in value:
            assert "--require-hashes" in value or "--no-index" in value


def test_every_file_that_the_image_needs_is_there_and_reaches_the_builder() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    needed = [value for name, value in instructions() if name == "COPY" and "--from" not in value]
    sources = {source for value in needed for source in value.split()[:-1]}
    assert sources == {line[1:] for line in ignored if line.startswith("!")}
    for source in sources:
        assert (ROOT / source).exists()


def test_the_images_command_is_one_that_the_program_knows() -> None:
    assert json.loads(only("ENTRYPOINT")) == ["recent-sync"]
    parse(json.loads(only("CMD")))


def test_the_image_says_whether_the_api_is_healthy() -> None:
    check = only("HEALTHCHECK")
    (path,) = re.findall(r"http://127\.0\.0\.1:\d+(/\w+)", check)
    assert path in create_app().openapi()["paths"]
    (port,) = re.findall(r"127\.0\.0\.1:(\d+)", check)
    command = json.loads(only("CMD"))
    assert port == only("EXPOSE") == command[command.index("--port") + 1]


@pytest.mark.parametrize("name", OURS)
def test_every_service_of_ours_starts_with_a_known_command(name: str) -> None:
    parse(SERVICES[name]["command"])


@pytest.mark.parametrize("file", [".env.example", "Makefile"])
def test_every_command_named_is_one_that_the_program_knows(file: str) -> None:
    named = re.findall(r"(?:`recent-sync|app\.cli) ([a-z -]*[a-z])", (ROOT / file).read_text())
    assert named
    for command in named:
        parse(command.split())


@pytest.mark.parametrize(
    "file", ["Dockerfile", "compose.yaml", ".env.example", ".ci/run", "Makefile"]
)
def test_every_setting_named_is_one_that_the_program_reads(file: str) -> None:
    servers = {"test_database_url", "test_redis_url"}
    switches_of_tests = {
        "require_contracts",
        "require_browser",
        "contracts",
        "test_kills",
        *servers,
    }
    named = settings_named((ROOT / file).read_text()) - switches_of_tests
    assert named <= set(Settings.model_fields)


def test_our_services_share_one_configuration_and_run_without_privileges() -> None:
    for name in OURS:
        service = SERVICES[name]
        assert service["environment"] == SERVICES["api"]["environment"]
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"] is True
        assert "no-new-privileges:true" in service["security_opt"]


def test_tables_are_migrated_once_before_anything_uses_them() -> None:
    for name in ("api", "worker"):
        depends = SERVICES[name]["depends_on"]
        assert depends["migrate"]["condition"] == "service_completed_successfully"
        assert depends["postgres"]["condition"] == "service_healthy"
        assert depends["redis"]["condition"] == "service_healthy"
    assert SERVICES["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert SERVICES["migrate"]["restart"] == "no"


def test_whatever_must_be_healthy_says_when_it_is() -> None:
    for service in SERVICES.values():
        for name, dependency in service.get("depends_on", {}).items():
            if dependency["condition"] == "service_healthy":
                assert SERVICES[name]["healthcheck"]["test"]


def test_two_workers_run() -> None:
    assert SERVICES["worker"]["deploy"]["replicas"] == 2


def test_a_worker_is_given_the_time_to_hand_back_its_slice() -> None:
    grace = int(SERVICES["worker"]["stop_grace_period"].removesuffix("s"))
    assert grace > Settings.model_fields["slice_seconds"].default


def test_no_secret_has_a_default() -> None:
    text = (ROOT / "compose.yaml").read_text()
    used = re.findall(r"(?<!\$)\$\{([^}]*)\}", text)
    assert used
    assert all(re.fullmatch(r"[A-Z_]+:\?.+", variable) for variable in used)
    asked = {variable.split(":?")[0] for variable in used}
    example = (ROOT / ".env.example").read_text()
    assert asked == set(re.findall(r"^([A-Z_]+)=$", example, re.MULTILINE))


def test_only_the_api_is_published_and_only_on_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"api": ["127.0.0.1:8400:8400"]}


def test_the_database_outlives_its_container() -> None:
    volumes = [volume.split(":")[0] for volume in SERVICES["postgres"]["volumes"]]
    assert set(volumes) <= set(COMPOSE["volumes"])
