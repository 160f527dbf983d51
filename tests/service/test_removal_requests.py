"""Records that are gone from the source, as the API tells of them."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.service.answers import problem
from tests.service.paper import a_store

HOME = "/v1/migrations/spring/removals"
SOMETHING = "e2b8f1c4-51d3-4a07-9a57-0c5b2d7e8f44"


@pytest.fixture
def gone(service, migration):
    """Adds a removal, as the engine does."""

    async def add(source_id: str, **more) -> str:
        item = uuid4()
        values = {"stream": "products", "action": "archive", "status": "done", "undoable": True}
        await service.write(
            "INSERT INTO removals (id, migration_id, stream, source_id, target_id, target_key,"
            " action, status, undoable, before, evidence)"
            " SELECT :id, id, :stream, :source_id, :target_id, 'rs-key', :action,"
            """ :status, :undoable, '{"status": "publish"}',"""
            """ '{"sweeps": 1, "direct": true, "jobs": []}' FROM migrations WHERE slug = :slug""",
            id=item,
            slug=migration,
            source_id=source_id,
            target_id=f"9{source_id}",
            **(values | more),
        )
        return str(item)

    return add


async def test_removals_are_listed_with_filters_and_paged(api, gone):
    await gone("1")
    await gone("2", stream="orders", action="report", status="reported", undoable=False)
    await gone("3", status="held")

    async def ids(**query):
        items = (await api.get(HOME, params=query)).json()["items"]
        return sorted(each["source_id"] for each in items)

    assert await ids() == ["1", "2", "3"]
    assert await ids(stream="products") == ["1", "3"]
    assert await ids(status=["held", "reported"]) == ["2", "3"]
    assert await ids(action="report") == ["2"]
    first = (await api.get(HOME, params={"limit": 2})).json()
    rest = (await api.get(HOME, params={"limit": 2, "cursor": first["next"]})).json()
    assert [len(first["items"]), len(rest["items"]), rest["next"]] == [2, 1, None]
    problem(await api.get(HOME, params={"cursor": "nonsense"}), 422, "bad_cursor")


async def test_a_removal_tells_its_proof_and_nothing_of_the_record(reader, gone):
    item = await gone("1")
    shown = (await reader.get(f"{HOME}/{item}")).json()
    assert shown["evidence"] == {"sweeps": 1, "direct": True, "reused": False, "jobs": []}
    assert (shown["target_id"], shown["undoable"]) == ("91", True)
    assert "before" not in shown
    problem(await reader.get(f"{HOME}/{SOMETHING}"), 404, "removal_not_found")


async def test_undoing_is_a_job_and_says_who_asked(runner, reader, service, gone):
    item = await gone("1")
    problem(await reader.post(f"{HOME}/{item}/undo"), 403, "missing_scope")
    answer = await runner.post(f"{HOME}/{item}/undo")
    job = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/jobs/{job['id']}"
    assert (job["kind"], job["params"]["streams"]) == ("recent", ["products"])
    assert job["params"]["options"] == {"only": "undo", "ids": [item]}
    shown = (await runner.get(f"{HOME}/{item}")).json()
    assert shown["undone_by"] == f"tests ({service.keys['run'].split('_')[1]})"
    assert shown["undone_at"] is None, "the job has not brought it back yet"
    problem(await runner.post(f"{HOME}/{SOMETHING}/undo"), 404, "removal_not_found")


@pytest.mark.parametrize(
    "state",
    [
        {"status": "reported"},
        {"status": "held"},
        {"status": "failed"},
        {"status": "returned"},
        {"status": "undone"},
        {"status": "done", "undoable": False},
    ],
    ids=str,
)
async def test_what_cannot_be_undone_is_refused(runner, gone, state):
    item = await gone("1", **state)
    problem(await runner.post(f"{HOME}/{item}/undo"), 409, "removal_not_undoable")


async def test_a_removal_belongs_to_its_migration(api, gone):
    item = await gone("1")
    body = {"slug": "other", "source": "new-shop", "target": "old-shop"}
    await api.post("/v1/migrations", json=body)
    problem(await api.get(f"/v1/migrations/other/removals/{item}"), 404, "removal_not_found")


async def test_a_migration_says_what_becomes_of_deleted_records(api, migration):
    wanted = {"brake": 0.2, "actions": {"products": "delete", "orders": "report"}}
    answer = await api.patch(
        f"/v1/migrations/{migration}", json={"policies": {"deletions": wanted}}
    )
    assert answer.json()["policies"] == {"deletions": wanted}


@pytest.mark.parametrize(
    ("deletions", "pointer"),
    [
        ({"brake": 1.5}, "/policies/deletions/brake"),
        ({"brake": "0.1"}, "/policies/deletions/brake"),
        ({"actions": {"products": "burn"}}, "/policies/deletions/actions/products"),
        ({"actions": {"inventory": "delete"}}, "/policies/deletions/actions/inventory"),
        ({"breaks": 0.1}, "/policies/deletions/breaks"),
    ],
    ids=str,
)
async def test_a_policy_that_makes_no_sense_is_refused(api, migration, deletions, pointer):
    answer = await api.patch(
        f"/v1/migrations/{migration}", json={"policies": {"deletions": deletions}}
    )
    members = problem(answer, 422, "invalid_request")
    assert members["errors"][0]["pointer"].startswith(pointer)


async def test_what_the_target_cannot_do_is_not_asked_of_it(api, migration):
    policies = {"deletions": {"actions": {"customers": "archive"}}}
    answer = await api.patch(f"/v1/migrations/{migration}", json={"policies": policies})
    members = problem(answer, 422, "store_cannot")
    assert members["errors"][0]["pointer"] == "/policies/deletions/actions/customers"
    await api.post("/v1/stores", json=a_store("third"))
    body = {"slug": "more", "source": "old-shop", "target": "third", "policies": policies}
    problem(await api.post("/v1/migrations", json=body), 422, "store_cannot")


async def test_any_job_may_release_the_brake_and_none_may_ask_to_undo(api, service, start):
    job = await start(options={"release_brake": True})
    assert job["params"]["options"] == {"release_brake": True}
    body = {"kind": "full", "migration": "spring", "options": {"only": "quarantine"}}
    problem(await api.post("/v1/jobs", json=body), 422, "invalid_request")
    body = {"kind": "recent", "migration": "spring", "options": {"only": "undo"}}
    problem(await api.post("/v1/jobs", json=body), 422, "invalid_request")
