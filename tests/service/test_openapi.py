"""The API's description."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from app import openapi
from app.errors import Problem
from app.main import create_app
from app.settings import Settings

COMMITTED = Path(__file__).parents[2] / "openapi.yaml"


@pytest.fixture(scope="module")
def described():
    return create_app(Settings()).openapi()


def operations(described):
    for path, item in described["paths"].items():
        for method, operation in item.items():
            yield f"{method} {path}", operation


def test_the_committed_file_is_the_apis_description():
    assert COMMITTED.read_text(encoding="utf-8") == openapi.render()


def test_it_is_openapi_3_1(described):
    assert described["openapi"].startswith("3.1")
    assert described["info"]["title"] == "recent-sync"


def test_every_operation_has_a_name_and_words(described):
    names = []
    for where, operation in operations(described):
        assert operation["summary"], where
        assert operation["description"], where
        names.append(operation["operationId"])
    assert len(names) == len(set(names))


def test_every_body_has_an_example_that_fits_its_schema(described):
    checked = 0
    for where, operation in operations(described):
        for body in (operation.get("requestBody", {}), *operation["responses"].values()):
            for content in resolve(described, body).get("content", {}).values():
                if "$ref" not in str(content.get("schema")):
                    continue
                assert content["examples"], where
                for example in content["examples"].values():
                    value = resolve(described, example)["value"]
                    schema = content["schema"] | {"components": described["components"]}
                    jsonschema.validate(value, schema, jsonschema.Draft202012Validator)
                    checked += 1
    assert checked > 100


def resolve(described, node):
    if "$ref" not in node:
        return node
    found = described
    for part in node["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found


def test_every_operation_that_wants_a_key_says_so(described):
    for where, operation in operations(described):
        wants = "/v1/" in where
        assert bool(operation.get("security")) == wants, where
        for status in ("401", "403", "500", "503") if wants else ():
            assert status in operation["responses"], where


def test_every_problem_is_described_somewhere(described):
    text = json.dumps([described["paths"], described["components"]["responses"]])
    # These answer addresses and methods that no operation has, or what is not HTTP.
    elsewhere = {"not_found", "method_not_allowed", "invalid_http"}
    for kind in openapi._all(Problem):
        assert kind.code in elsewhere or f"`{kind.code}`" in text, kind


def test_problem_codes_are_unique():
    codes = [kind.code for kind in openapi._all(Problem)]
    assert len(codes) == len(set(codes))


def test_the_command_writes_and_compares(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert openapi.main(["--check"]) == 1
    assert openapi.main([]) == 0
    assert openapi.main(["--check"]) == 0
    assert openapi.main(["--nonsense"]) == 2
    assert "usage" in capsys.readouterr().err


async def test_the_running_api_gives_it_too(service):
    answer = await service.client(None).get("/openapi.json")
    committed = yaml.load(COMMITTED.read_text(), yaml.CSafeLoader)
    assert answer.json()["paths"].keys() == committed["paths"].keys()


async def test_the_page_is_served_by_ourselves_under_a_strict_policy(service):
    client = service.client(None)
    page = await client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "://" not in page.text
    for name in re.findall(r'(?:src|href)="(docs/[^"]+)"', page.text):
        found = await client.get(f"/{name}")
        assert (found.status_code, found.headers["x-content-type-options"]) == (200, "nosniff")
    assert (await client.get("/docs/pages.py")).status_code == 404
    assert (await client.get("/docs/..%2Fpages.py")).status_code == 404
