"""Mapping rules over the API, and the report of a demo."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import jsonschema
import pytest
from selectolax.lexbor import LexborHTMLParser

from app.services.lifecycle import to_json
from tests.service.answers import problem

HOME = "/v1/migrations/spring/mapping"
RULES: dict[str, Any] = {"products": [{"field": "status", "values": {"private": "draft"}}]}


async def test_a_migration_begins_without_rules(reader, migration):
    found = (await reader.get(HOME)).json()
    assert found == {"version": 0, "rules": {}, "author": None, "created_at": None}


async def test_every_put_makes_a_version_with_its_author_and_time(api, reader, migration):
    before = (await reader.get("/v1/migrations/spring")).json()["version"]
    for number in (1, 2):
        made = (await api.put(HOME, json=RULES)).json()
        assert (made["version"], made["rules"], made["author"]) == (number, RULES, "tests")
        assert made["created_at"]
    assert (await api.put(HOME, json={})).json()["rules"] == {}
    first = (await reader.get(f"{HOME}/versions", params={"limit": 2})).json()
    assert [each["version"] for each in first["items"]] == [3, 2]
    rest = (await reader.get(f"{HOME}/versions", params={"cursor": first["next"]})).json()
    assert [(each["version"], each["rules"]) for each in rest["items"]] == [(1, RULES)]
    assert rest["next"] is None
    # What was said of the migration before does not hold any more.
    assert (await reader.get("/v1/migrations/spring")).json()["version"] == before + 3


@pytest.mark.parametrize(
    ("rules", "pointer"),
    [
        ({"products": [RULES["products"][0], {"field": "colour", "set": 1}]}, "/products/1/field"),
        ({"products": [{"field": "name", "expression": "1 +"}]}, "/products/0/expression"),
        ({"orders": [{"field": "note", "set": "x", "when": "x y"}]}, "/orders/0/when"),
        ({"orders": [{"field": "note", "set": "x", "drop": True}]}, "/orders/0"),
        ({"carts": []}, "/carts"),
    ],
)
async def test_wrong_rules_are_refused_by_their_place(api, reader, migration, rules, pointer):
    refused = problem(await api.put(HOME, json=rules), 422, "invalid_request")
    assert [each["pointer"] for each in refused["errors"]] == [pointer]
    assert (await reader.get(HOME)).json()["version"] == 0


async def test_only_whoever_may_run_jobs_changes_rules(reader, migration):
    problem(await reader.put(HOME, json=RULES), 403, "missing_scope")


async def test_rules_of_no_migration_are_not_found(api):
    for answer in (await api.get(HOME), await api.put(HOME, json=RULES)):
        problem(answer, 404, "migration_not_found")


async def test_new_rules_make_what_the_old_ones_failed_on_due(api, service, migration):
    await service.write(
        "INSERT INTO quarantine (id, migration_id, stream, source_id, status, code, message,"
        " attempts, waits_for) SELECT gen_random_uuid(), id, 'products', code, 'open', code, '',"
        " 1, '{}' FROM migrations, unnest(ARRAY['mapping_failed', 'invalid']) AS code"
    )
    await api.put(HOME, json=RULES)
    due = await service.rows("SELECT code FROM quarantine WHERE next_at <= clock_timestamp()")
    assert due == [{"code": "mapping_failed"}]


async def test_the_schema_accepts_good_rules_and_refuses_wrong_ones(reader):
    schema = (await reader.get("/v1/mapping/schema")).json()
    check = jsonschema.Draft202012Validator(schema)
    assert check.is_valid(RULES)
    assert check.is_valid({"orders": [{"field": "extra.meta.x", "drop": True}]})
    for wrong in (
        {"products": [{"field": "colour", "set": 1}]},
        {"products": [{"field": "name"}]},
        {"products": [{"field": "name", "set": "x", "drop": True}]},
    ):
        assert not check.is_valid(wrong)


# --- demo and report -----------------------------------------------------------------------------


async def a_finding(service, job: str, stream: str, source_id: str, **finding: Any) -> None:
    await service.write(
        "INSERT INTO demo_records (job_id, stream, source_id, reasons, closed, finding)"
        " VALUES (:job, :stream, :id, '{newest}', true, CAST(:finding AS jsonb))",
        job=UUID(job),
        stream=stream,
        id=source_id,
        finding=to_json({"outcome": "created", **finding}),
    )


async def test_a_demo_takes_what_only_a_demo_takes(start):
    job = await start("demo", dry_run=True, options={"size": 5, "seed": "7"})
    assert job["params"]["dry_run"] is True
    assert job["params"]["options"] == {"size": 5, "seed": "7"}


async def test_a_report_is_there_while_the_job_runs(start, reader):
    job = await start("demo")
    found = (await reader.get(f"/v1/jobs/{job['id']}/report")).json()
    assert (found["status"], found["dry_run"], found["size"]) == ("running", False, 25)
    assert found["streams"] == []
    assert found["mapping_version"] is None


async def test_other_jobs_have_no_report(start, reader):
    job = await start("full")
    problem(await reader.get(f"/v1/jobs/{job['id']}/report"), 404, "report_not_found")
    unknown = "7f3f7a52-2f5e-4a3e-bb0e-0f7f5c3e9a33"
    problem(await reader.get(f"/v1/jobs/{unknown}/report"), 404, "job_not_found")


async def test_the_page_escapes_whatever_stores_hold(start, reader, service):
    evil = "<script>alert('x')</script><img src=http://evil.example/x onerror=alert(1)>"
    job = await start("demo")
    await a_finding(
        service,
        job["id"],
        "products",
        "<b>7</b>",
        changed={"name": ["{{ 7 * 7 }}", evil]},
        custom={f"extra.{evil}": evil},
        left=[f"extra.{evil}"],
        lacks=[evil],
    )
    await a_finding(service, job["id"], "products", "8", outcome="refused", code="x", message=evil)
    address = f"/v1/jobs/{job['id']}/report"
    for answer in (
        await reader.get(address, params={"format": "html"}),
        await reader.get(address, headers={"Accept": "text/html,*/*;q=0.8"}),
    ):
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        tree = LexborHTMLParser(answer.text)
        assert tree.css("script, img, link, iframe, b, [src], [href], [onerror]") == []
        assert "{{ 7 * 7 }}" in tree.body.text()
        assert tree.body.text().count(evil) >= 5
        assert "url(" not in answer.text
    assert (await reader.get(address)).headers["content-type"] == "application/json"
    assert (await reader.get(address, params={"format": "pdf"})).status_code == 422
