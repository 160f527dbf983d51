"""`mapping …`, `run demo` and `report`: what they send, print and write."""

from __future__ import annotations

import json

import pytest

from app.schemas.mapping_report import MappingReportOut
from tests.cli.test_commands import JOB

HOME = "/v1/migrations/spring/mapping"
YAML = """\
# Rules may say why they are there.
products:
  - field: status
    values: {private: draft}
  - field: sale_from
    set: 2026-11-27T18:00:00Z
    note: A date in YAML stays text.
"""
RULES = {
    "products": [
        {"field": "status", "values": {"private": "draft"}},
        {
            "field": "sale_from",
            "set": "2026-11-27T18:00:00Z",
            "note": "A date in YAML stays text.",
        },
    ]
}
VERSION = {"version": 2, "rules": RULES, "author": "team", "created_at": "2026-11-20T09:05:00Z"}


@pytest.mark.parametrize(("name", "text"), [("r.yaml", YAML), ("r.json", json.dumps(RULES))])
def test_rules_are_checked_and_set_from_yaml_and_json(service, run, tmp_path, name, text):
    file = tmp_path / name
    file.write_text(text)
    service.answers[f"PUT {HOME}"] = (200, VERSION)
    assert run("mapping", "check", str(file)).code == 0
    assert service.asked == []
    outcome = run("mapping", "set", str(file), "-m", "spring")
    assert (outcome.code, service.asked[-1].body) == (0, RULES)
    assert "Version 2" in outcome.out


def test_what_show_prints_can_be_set_again(service, run, tmp_path):
    service.answers[f"GET {HOME}"] = (200, VERSION)
    service.answers[f"GET {HOME}/versions"] = (200, {"items": [VERSION], "next": None})
    service.answers[f"PUT {HOME}"] = (200, VERSION)
    assert run("mapping", "show", "-m", "spring", "--json").document == VERSION
    for more in ((), ("--version", "2")):
        file = tmp_path / "shown.yaml"
        file.write_text(run("mapping", "show", "-m", "spring", *more).out)
        assert run("mapping", "set", str(file), "-m", "spring").code == 0
        assert service.asked[-1].body == RULES
    assert run("mapping", "show", "-m", "spring", "--version", "9").code == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("products: [{field: colour, set: 1}]", "/products/0/field"),
        ("products: [{field: name, expression: '1 +'}]", "/products/0/expression"),
        ("products: [", "neither YAML nor JSON"),
        ("- 1", "names of streams"),
        ("products: !!python/object:os.system {}", "neither YAML nor JSON"),
        ("products: .nan", "neither YAML nor JSON"),
    ],
)
def test_a_wrong_file_is_told_by_its_place(run, tmp_path, text, words):
    file = tmp_path / "rules.yaml"
    file.write_text(text)
    outcome = run("mapping", "check", str(file))
    assert outcome.code == 2
    assert words in outcome.err
    assert run("mapping", "check", str(tmp_path / "nowhere.yaml")).code == 2


def test_the_schema_is_printed_without_a_service(run):
    assert "ProductRule" in run("mapping", "schema").document["$defs"]


def test_a_demo_is_asked_for(service, run, job):
    service.answers["POST /v1/jobs"] = (202, job("queued", kind="demo"))
    run("run", "demo", "-m", "spring", "--dry-run", "--size", "5")
    assert service.asked[-1].body == {
        "kind": "demo",
        "migration": "spring",
        "dry_run": True,
        "options": {"size": 5},
    }
    run("run", "demo", "-m", "spring")
    assert service.asked[-1].body == {"kind": "demo", "migration": "spring"}


def test_a_report_is_shown_and_written_as_a_page(service, run, tmp_path):
    (example,) = MappingReportOut.model_config["json_schema_extra"]["examples"]
    service.answers[f"GET /v1/jobs/{JOB}/report"] = (200, example)
    shown = run("report", JOB)
    assert shown.code == 0
    for words in ("25 chosen from 800", "status", "extra.meta.season", "rule 0: 4 records"):
        assert words in shown.out
    assert "may not be kept exactly: tax_class (3)" in shown.out
    assert run("report", JOB, "--json").document == example
    written = json.loads(json.dumps(example))
    (loss,) = written["streams"][0]["losses"]
    service.answers[f"GET /v1/jobs/{JOB}/report"] = (200, written)
    for lost, words in ((0, False), (2, True)):
        loss["lost"] = lost
        assert ("\nnot kept exactly: tax_class (2)" in run("report", JOB).out) is words
    file = tmp_path / "report.html"
    outcome = run("report", JOB, "--html", str(file))
    assert (outcome.code, outcome.out) == (0, "")
    assert "private → draft" in file.read_text()
    assert run("report", JOB, "--html", str(tmp_path / "no" / "where.html")).code == 2


def test_a_job_without_a_report_says_so(service, run):
    problem = {"code": "report_not_found", "detail": "Jobs of kind `demo` have a report."}
    service.answers[f"GET /v1/jobs/{JOB}/report"] = (404, problem)
    outcome = run("report", JOB)
    assert outcome.code == 2
    assert "report_not_found" in outcome.err
