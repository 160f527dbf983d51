"""The same request, sent twice."""

from __future__ import annotations

import asyncio

import pytest
from cryptography.fernet import Fernet

from app.security import Vault
from app.services import idempotency
from app.services.transaction import transaction
from app.services.vault import rotate_all
from tests.service.answers import problem
from tests.service.paper import a_store

KEY = {"Idempotency-Key": "8e03978e-40d5-43e8-bc93-6894a57f9324"}


async def test_the_same_request_makes_one_job(api, service, migration):
    body = {"kind": "full", "migration": migration}
    first = await api.post("/v1/jobs", json=body, headers=KEY)
    second = await api.post("/v1/jobs", json=body, headers=KEY)
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert second.status_code == first.status_code == 202
    assert second.json() == first.json()
    assert second.headers["location"] == first.headers["location"]
    assert len(await service.rows("SELECT 1 FROM jobs")) == 1
    assert await service.wakes() == 1


async def test_spaces_and_order_do_not_make_another_request(api, service, migration):
    one = b'{"kind": "full", "migration": "spring"}'
    other = b'{"migration":"spring",  "kind":"full"}'
    headers = KEY | {"Content-Type": "application/json"}
    await api.post("/v1/jobs", content=one, headers=headers)
    again = await api.post("/v1/jobs", content=other, headers=headers)
    assert again.headers["idempotency-replayed"] == "true"


async def test_a_quoted_key_is_the_same_key(api, service, migration):
    body = {"kind": "full", "migration": migration}
    await api.post("/v1/jobs", json=body, headers=KEY)
    quoted = {"Idempotency-Key": f'"{KEY["Idempotency-Key"]}"'}
    again = await api.post("/v1/jobs", json=body, headers=quoted)
    assert again.headers["idempotency-replayed"] == "true"


async def test_the_key_of_another_request_is_refused(api, service, migration):
    await api.post("/v1/jobs", json={"kind": "full", "migration": migration}, headers=KEY)
    body = {"kind": "full", "migration": migration, "streams": ["orders"]}
    answer = await api.post("/v1/jobs", json=body, headers=KEY)
    problem(answer, 422, "idempotency_key_reused")
    elsewhere = await api.post("/v1/stores", json=a_store("third"), headers=KEY)
    problem(elsewhere, 422, "idempotency_key_reused")
    assert len(await service.rows("SELECT 1 FROM jobs")) == 1


async def test_two_callers_may_use_the_same_key(api, runner, service, migration):
    body = {"kind": "full", "migration": migration}
    await api.post("/v1/jobs", json=body, headers=KEY)
    other = await runner.post("/v1/jobs", json=body, headers=KEY)
    assert "idempotency-replayed" not in other.headers
    assert len(await service.rows("SELECT 1 FROM jobs")) == 2


async def test_a_refused_request_may_be_tried_again(api, service, migration):
    body = {"kind": "recent", "migration": migration}
    problem(await api.post("/v1/jobs", json=body, headers=KEY), 409, "baseline_required")
    await service.set_cursors(migration, "categories", "products", "customers", "orders")
    answer = await api.post("/v1/jobs", json=body, headers=KEY)
    assert answer.status_code == 202


async def test_of_many_at_once_one_makes_the_job(api, service, migration):
    body = {"kind": "full", "migration": migration}
    posts = (api.post("/v1/jobs", json=body, headers=KEY) for _ in range(12))
    answers = await asyncio.gather(*posts)
    assert {answer.status_code for answer in answers} <= {202, 409}
    made = {answer.json()["id"] for answer in answers if answer.status_code == 202}
    assert len(made) == 1
    for answer in answers:
        if answer.status_code == 409:
            problem(answer, 409, "request_in_flight")
            assert answer.headers["retry-after"] == "1"
    assert len(await service.rows("SELECT 1 FROM jobs")) == 1


async def test_a_twin_is_told_that_the_first_is_still_being_answered(api, service, migration):
    body = {"kind": "full", "migration": migration}
    async with service.resources.engine.begin() as connection:
        # The first one has not got further than taking the migration, which is held here.
        await connection.exec_driver_sql("SELECT 1 FROM migrations FOR UPDATE")
        first = asyncio.create_task(api.post("/v1/jobs", json=body, headers=KEY))
        await asyncio.sleep(0.3)
        second = await api.post("/v1/jobs", json=body, headers=KEY)
        problem(second, 409, "request_in_flight")
    assert (await first).status_code == 202


async def test_a_crash_before_the_commit_keeps_neither_job_nor_answer(
    api, service, migration, monkeypatch
):
    body = {"kind": "full", "migration": migration}

    def crash(*_):
        raise RuntimeError("the process died here")

    with monkeypatch.context() as patched:
        patched.setattr(idempotency.Once, "_record", crash)
        answer = await api.post("/v1/jobs", json=body, headers=KEY)
    problem(answer, 500, "internal_error")
    assert await service.rows("SELECT 1 FROM jobs") == []
    assert await service.wakes() == 0
    again = await api.post("/v1/jobs", json=body, headers=KEY)
    assert again.status_code == 202
    assert "idempotency-replayed" not in again.headers


async def test_answers_are_kept_for_a_day(api, service, migration):
    body = {"kind": "full", "migration": migration}
    first = await api.post("/v1/jobs", json=body, headers=KEY)
    aged = "UPDATE idempotency_records SET created_at = created_at - interval '25 hours'"
    await service.write(aged)
    second = await api.post("/v1/jobs", json=body, headers=KEY)
    assert second.json()["id"] != first.json()["id"]


@pytest.mark.parametrize("path", ["stores", "migrations", "api-keys"])
async def test_everything_that_is_made_is_made_once(api, service, migration, path):
    body = {
        "stores": a_store("third"),
        "migrations": {"slug": "back", "source": "new-shop", "target": "old-shop"},
        "api-keys": {"name": "x", "scopes": ["read"]},
    }[path]
    first = await api.post(f"/v1/{path}", json=body, headers=KEY)
    second = await api.post(f"/v1/{path}", json=body, headers=KEY)
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"


async def test_a_kept_answer_does_not_show_the_api_key_in_it(api, service):
    body = {"name": "x", "scopes": ["read"]}
    made = (await api.post("/v1/api-keys", json=body, headers=KEY)).json()
    (row,) = await service.rows("SELECT * FROM idempotency_records")
    assert made["key"].split("_", 2)[2] not in str(row)


async def test_a_retry_is_made_once(api, service, start):
    job = await start()
    await service.end(job["id"])
    first = await api.post(f"/v1/jobs/{job['id']}/retry", headers=KEY)
    second = await api.post(f"/v1/jobs/{job['id']}/retry", headers=KEY)
    assert first.json()["id"] == second.json()["id"]


@pytest.mark.parametrize("key", ["", " ", '""', "x" * 256, "caf\u00e9".encode("latin-1")])
async def test_a_key_that_is_none_is_refused(api, service, migration, key):
    body = {"kind": "full", "migration": migration}
    answer = await api.post("/v1/jobs", json=body, headers={"Idempotency-Key": key})
    problem(answer, 422, "invalid_request")


async def test_kept_answers_survive_a_change_of_the_encryption_key(api, service):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    body = {"name": "x", "scopes": ["read"]}
    vault = service.resources.vault
    current = vault._fernet
    try:
        vault._fernet = Vault([old])._fernet
        first = await api.post("/v1/api-keys", json=body, headers=KEY)
        await api.post("/v1/stores", json=a_store())
        vault._fernet = Vault([new, old])._fernet
        async with transaction(service.resources) as work:
            assert await rotate_all(work.session, vault) == 1
        vault._fernet = Vault([new])._fernet
        assert (await api.get("/v1/stores/old-shop")).json()["credentials_readable"] is True
        second = await api.post("/v1/api-keys", json=body, headers=KEY)
        assert second.json() == first.json()
        vault._fernet = Vault([old])._fernet
        problem(await api.post("/v1/api-keys", json=body, headers=KEY), 409, "answer_lost")
    finally:
        vault._fernet = current
