from __future__ import annotations

import pytest

from tests.service.answers import problem
from tests.service.paper import a_store


@pytest.fixture
async def shops(api):
    await api.post("/v1/stores", json=a_store("a", settings={"url": "https://a.example"}))
    await api.post("/v1/stores", json=a_store("b", settings={"url": "https://b.example"}))
    await api.post("/v1/stores", json=a_store("press", platform="press"))


def a_migration(**changes):
    return {"slug": "spring", "source": "a", "target": "b"} | changes


async def test_by_default_all_streams_that_both_know_are_in_scope(api, shops):
    made = (await api.post("/v1/migrations", json=a_migration())).json()
    assert made["streams"] == ["categories", "products", "customers", "orders"]
    assert made["source"]["name"] == "a"
    assert made["policies"] == {}


async def test_stores_are_named_by_name_or_id(api, shops):
    store = (await api.get("/v1/stores/a")).json()
    made = (await api.post("/v1/migrations", json=a_migration(source=store["id"]))).json()
    assert made["source"]["id"] == store["id"]
    assert (await api.get(f"/v1/migrations/{made['id']}")).json() == made
    assert (await api.get("/v1/migrations/spring")).json() == made


async def test_streams_are_kept_in_the_order_in_which_they_are_applied(api, shops):
    body = a_migration(streams=["orders", "products"])
    assert (await api.post("/v1/migrations", json=body)).json()["streams"] == ["products", "orders"]


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"source": "nowhere"}, "unknown_store", "/source"),
        ({"target": "nowhere"}, "unknown_store", "/target"),
        ({"target": "a"}, "same_store", "/target"),
        ({"source": "press"}, "store_cannot", "/source"),
        ({"streams": ["inventory"]}, "store_cannot", "/streams/0"),
        ({"target": "press", "streams": ["orders"]}, "store_cannot", "/streams/0"),
        ({"streams": ["sprockets"]}, "invalid_request", "/streams/0"),
        ({"streams": []}, "invalid_request", "/streams"),
        ({"streams": ["orders", "orders"]}, "invalid_request", "/streams"),
        ({"slug": "With Space"}, "invalid_request", "/slug"),
        ({"launch_at": "2026-11-27T18:00:00"}, "invalid_request", "/launch_at"),
        ({"launch_at": "soon"}, "invalid_request", "/launch_at"),
        ({"launch_at": 1700000000}, "invalid_request", "/launch_at"),
        ({"launch_at": "0001-01-01T00:00:00+14:00"}, "invalid_request", "/launch_at"),
        ({"policies": {"overlap": -1}}, "invalid_request", "/policies/overlap"),
        ({"policies": {"color": "red"}}, "invalid_request", "/policies/color"),
    ],
)
async def test_a_wrong_migration_is_refused_with_the_place(api, shops, changes, code, pointer):
    answer = await api.post("/v1/migrations", json=a_migration(**changes))
    members = problem(answer, 422, code)
    assert members["errors"][0]["pointer"] == pointer


async def test_a_slug_is_taken_once(api, shops):
    await api.post("/v1/migrations", json=a_migration())
    problem(await api.post("/v1/migrations", json=a_migration()), 409, "migration_exists")


async def test_a_change_merges_policies_and_keeps_the_rest(api, shops):
    await api.post("/v1/migrations", json=a_migration(policies={"overlap": 60, "settle": 5}))
    body = {
        "policies": {"settle": None, "on_missing_reference": "quarantine"},
        "launch_at": "2026-11-27T20:00:00+02:00",
    }
    changed = (await api.patch("/v1/migrations/spring", json=body)).json()
    assert changed["policies"] == {"overlap": 60, "on_missing_reference": "quarantine"}
    assert changed["launch_at"] == "2026-11-27T18:00:00Z"
    body = {"slug": "summer", "streams": ["orders"], "launch_at": None}
    changed = (await api.patch("/v1/migrations/spring", json=body)).json()
    assert (changed["slug"], changed["streams"], changed["launch_at"]) == (
        "summer",
        ["orders"],
        None,
    )
    assert changed["version"] == 3


async def test_null_where_nothing_can_be_removed_changes_nothing(api, shops):
    made = (await api.post("/v1/migrations", json=a_migration())).json()
    body = {"slug": None, "streams": None, "policies": None}
    changed = (await api.patch("/v1/migrations/spring", json=body)).json()
    assert (changed["slug"], changed["streams"]) == (made["slug"], made["streams"])


async def test_migrations_of_a_store_can_be_listed(api, shops):
    await api.post("/v1/migrations", json=a_migration())
    await api.post("/v1/migrations", json=a_migration(slug="to-press", target="press"))

    async def slugs(query):
        answer = await api.get("/v1/migrations", params=query)
        return [each["slug"] for each in answer.json()["items"]]

    assert await slugs({"store": "b"}) == ["spring"]
    assert await slugs({"store": "a"}) == ["spring", "to-press"]
    assert await slugs({"store": "nowhere"}) == []


async def test_a_migration_with_an_unfinished_job_stays(api, shops, service):
    await api.post("/v1/migrations", json=a_migration())
    job = (await api.post("/v1/jobs", json={"kind": "full", "migration": "spring"})).json()
    members = problem(await api.delete("/v1/migrations/spring"), 409, "job_running")
    assert members["job"] == job["id"]
    await service.end(job["id"])
    await service.quarantine("spring", "orders", "1")
    assert (await api.delete("/v1/migrations/spring")).status_code == 204
    problem(await api.get("/v1/migrations/spring"), 404, "migration_not_found")
    problem(await api.get(f"/v1/jobs/{job['id']}"), 404, "job_not_found")
    assert await service.rows("SELECT 1 FROM slices UNION ALL SELECT 1 FROM quarantine") == []


async def test_a_migration_made_anew_finds_what_it_wrote_before(api, shops, service):
    """The keys on the target begin alike for the same two shops, whatever they are called."""

    async def prefix(slug):
        rows = await service.rows("SELECT slug, key_prefix FROM migrations")
        return {row["slug"]: row["key_prefix"] for row in rows}[slug]

    await api.post("/v1/migrations", json=a_migration())
    first = await prefix("spring")
    await api.delete("/v1/migrations/spring")
    url = {"url": "https://A.example/"}
    await api.post("/v1/stores", json=a_store("renamed", settings=url))
    await api.post("/v1/migrations", json=a_migration(slug="again", source="renamed"))
    await api.post("/v1/migrations", json=a_migration(slug="other", target="press"))
    assert await prefix("again") == first
    assert await prefix("other") != first


@pytest.mark.parametrize("source", ["a", "renamed"])
async def test_two_migrations_between_the_same_shops_would_double_orders(api, shops, source):
    await api.post("/v1/stores", json=a_store("renamed", settings={"url": "https://a.example/"}))
    await api.post("/v1/migrations", json=a_migration())
    body = a_migration(slug="twin", source=source)
    members = problem(await api.post("/v1/migrations", json=body), 409, "stores_paired")
    assert members["migration"] == "spring"
    back = {"slug": "back", "source": "b", "target": source}
    assert (await api.post("/v1/migrations", json=back)).status_code == 201, "another direction"


async def test_databases_that_only_look_alike_may_both_be_targets(api, shops, service):
    """Their addresses stand in the credentials."""
    for name in ("one", "two"):
        await api.post("/v1/stores", json=a_store(name, platform="press"))
        await service.write("UPDATE stores SET settings = '{}' WHERE name = :name", name=name)
        body = {"slug": name, "source": "a", "target": name}
        assert (await api.post("/v1/migrations", json=body)).status_code == 201
    rows = await service.rows("SELECT key_prefix FROM migrations")
    assert len({row["key_prefix"] for row in rows}) == 2


async def test_what_stands_in_the_way_of_a_launch_is_for_administrators(api, runner, migration):
    home = f"/v1/migrations/{migration}"
    lenient = {"policies": {"readiness": {"fail_on": ["preflight.stores"]}}}
    found = problem(await runner.patch(home, json=lenient), 403, "missing_scope")
    assert found["scope"] == "admin"
    nothing = {"policies": {"readiness": None}}
    problem(await runner.patch(home, json=nothing), 403, "missing_scope")
    others = {"policies": {"audit": {"runs": 7}}}
    assert (await runner.patch(home, json=others)).status_code == 200
    assert (await api.patch(home, json=lenient)).status_code == 200
