"""Who may do what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.services.api_keys import included
from tests.service.answers import problem
from tests.service.paper import a_store

ITEM = "e2b8f1c4-51d3-4a07-9a57-0c5b2d7e8f44"
PAST = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "Bearer",
        "Bearer ",
        "Basic cnM6cnM=",
        "Bearer nonsense",
        "Bearer rs_0123456789_",
        "Bearer rs_ab\u00e9c_secret",
        "Bearer rs_0123456789_nobodyhasthiskey",
    ],
)
async def test_without_a_valid_key_nothing_is_answered(service, header):
    headers = {} if header is None else {"Authorization": header.encode()}
    answer = await service.client(None).get("/v1/stores", headers=headers)
    members = problem(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"].startswith('Bearer realm="recent-sync"')
    assert "nobodyhasthiskey" not in str(members)


async def test_a_key_with_a_wrong_secret_is_refused(service):
    prefix = service.keys["admin"].split("_")[1]
    answer = await service.client(f"rs_{prefix}_wrong").get("/v1/stores")
    problem(answer, 401, "unauthorized")


async def test_an_expired_key_says_so(service):
    key = await service.key("admin", expires_at=PAST)
    answer = await service.client(key).get("/v1/stores")
    problem(answer, 401, "key_expired")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_a_stranger_learns_nothing_about_his_body(service):
    answer = await service.client(None).post("/v1/stores", content=b"{nonsense")
    problem(answer, 401, "unauthorized")


@pytest.mark.parametrize(
    ("scopes", "all_of_them"),
    [
        (["read"], {"read"}),
        (["run"], {"read", "run"}),
        (["admin"], {"read", "run", "admin"}),
        (["read", "admin"], {"read", "run", "admin"}),
        (["unknown"], set()),
    ],
)
def test_a_scope_includes_those_below(scopes, all_of_them):
    assert included(scopes) == all_of_them


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/v1/stores", "admin"),
        ("PATCH", "/v1/stores/x", "admin"),
        ("DELETE", "/v1/stores/x", "admin"),
        ("POST", "/v1/stores/x/check", "run"),
        ("POST", "/v1/migrations", "run"),
        ("PATCH", "/v1/migrations/x", "run"),
        ("DELETE", "/v1/migrations/x", "run"),
        ("PUT", "/v1/migrations/x/cursors/orders", "admin"),
        ("PUT", "/v1/migrations/x/streams/orders", "admin"),
        ("POST", "/v1/migrations/x/quarantine/retry", "run"),
        ("POST", f"/v1/migrations/x/quarantine/{ITEM}/retry", "run"),
        ("POST", f"/v1/migrations/x/quarantine/{ITEM}/waive", "run"),
        ("POST", "/v1/migrations/x/conflicts/settle", "run"),
        ("POST", "/v1/migrations/x/conflicts/apply", "run"),
        ("POST", f"/v1/migrations/x/conflicts/{ITEM}/settle", "run"),
        ("POST", f"/v1/migrations/x/removals/{ITEM}/undo", "run"),
        ("POST", "/v1/jobs", "run"),
        ("POST", "/v1/jobs/7f3f7a52-2f5e-4a3e-bb0e-0f7f5c3e9a33/cancel", "run"),
        ("POST", "/v1/jobs/7f3f7a52-2f5e-4a3e-bb0e-0f7f5c3e9a33/retry", "run"),
        ("POST", "/v1/api-keys", "admin"),
        ("GET", "/v1/api-keys", "admin"),
    ],
)
async def test_a_missing_scope_is_named(service, method, path, scope):
    lesser = {"admin": "run", "run": "read"}[scope]
    answer = await service.client(service.keys[lesser]).request(method, path, json={})
    members = problem(answer, 403, "missing_scope")
    assert members["scope"] == scope
    assert f'scope="{scope}"' in answer.headers["www-authenticate"]


async def test_a_reader_reads_everything_but_keys(reader, migration):
    lists = ("cursors", "streams", "links", "quarantine", "conflicts", "removals")
    of_one = [f"migrations/spring/{each}" for each in lists]
    for path in ("platforms", "stores", "migrations", *of_one, "jobs"):
        assert (await reader.get(f"/v1/{path}")).status_code == 200


async def test_a_key_is_shown_once_and_works(api, service):
    answer = await api.post("/v1/api-keys", json={"name": "pipeline", "scopes": ["run"]})
    made = answer.json()
    assert answer.status_code == 201
    assert made["key"].startswith(f"rs_{made['prefix']}_")
    mine = service.client(made["key"])
    assert (await mine.get("/v1/stores")).status_code == 200
    listed = (await api.get("/v1/api-keys")).json()["items"]
    assert made["id"] in [each["id"] for each in listed]
    assert made["key"] not in str(listed)
    (row,) = await service.rows("SELECT * FROM api_keys WHERE prefix = :p", p=made["prefix"])
    secret = made["key"].split("_", 2)[2]
    assert secret not in str(row)


async def test_a_revoked_key_opens_nothing(api, service):
    made = (await api.post("/v1/api-keys", json={"name": "x", "scopes": ["read"]})).json()
    address = f"/v1/api-keys/{made['id']}"
    assert (await api.delete(address)).status_code == 204
    assert (await api.delete(address)).status_code == 204
    problem(await service.client(made["key"]).get("/v1/stores"), 401, "unauthorized")
    assert (await api.get(address)).json()["revoked_at"] is not None


async def test_a_key_cannot_be_born_expired(api):
    body = {"name": "x", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}
    members = problem(await api.post("/v1/api-keys", json=body), 422, "invalid_expiry")
    assert members["errors"][0]["pointer"] == "/expires_at"


async def test_a_key_expires_by_itself(api, service):
    soon = datetime.now(UTC) + timedelta(hours=1)
    body = {"name": "x", "scopes": ["read"], "expires_at": soon.isoformat()}
    made = (await api.post("/v1/api-keys", json=body)).json()
    mine = service.client(made["key"])
    assert (await mine.get("/v1/stores")).status_code == 200
    await service.write("UPDATE api_keys SET expires_at = now() WHERE id = :id", id=made["id"])
    problem(await mine.get("/v1/stores"), 401, "key_expired")


async def test_use_is_noted_at_most_once_a_minute(api, service):
    used = "SELECT used_at FROM api_keys WHERE 'admin' = ANY(scopes)"
    await api.get("/v1/stores")
    (first,) = await service.rows(used)
    await api.get("/v1/stores")
    assert await service.rows(used) == [first]
    await service.write("UPDATE api_keys SET used_at = used_at - interval '2 minutes'")
    await api.get("/v1/stores")
    (later,) = await service.rows(used)
    assert later["used_at"] > first["used_at"]


async def test_use_is_noted_though_the_request_fails(api, service):
    problem(await api.get("/v1/stores/nowhere"), 404, "store_not_found")
    (row,) = await service.rows("SELECT used_at FROM api_keys WHERE 'admin' = ANY(scopes)")
    assert row["used_at"] is not None


async def test_admins_register_stores_but_runners_do_not(api, runner):
    problem(await runner.post("/v1/stores", json=a_store()), 403, "missing_scope")
    assert (await api.post("/v1/stores", json=a_store())).status_code == 201
