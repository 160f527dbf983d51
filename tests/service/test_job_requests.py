from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from redis.exceptions import RedisError

from app.services.lifecycle import start_next
from tests.service.answers import problem

SOMEBODY = "7f3f7a52-2f5e-4a3e-bb0e-0f7f5c3e9a33"


async def test_a_job_is_created_and_starts_at_once(api, service, migration):
    answer = await api.post("/v1/jobs", json={"kind": "full", "migration": migration})
    job = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/jobs/{job['id']}"
    assert answer.headers["retry-after"] == "1"
    assert (job["status"], job["kind"], job["migration"]) == ("running", "full", "spring")
    (part,) = await service.rows("SELECT kind, stage FROM slices")
    assert part == {"kind": "prepare", "stage": 0}
    assert await service.wakes() == 1


async def test_a_second_job_waits_for_the_first(start, service, api):
    first = await start()
    second = await start()
    assert (second["status"], second["waiting_for"]) == ("queued", first["id"])
    assert await service.wakes() == 1
    await service.end(first["id"])
    again = (await api.get(f"/v1/jobs/{second['id']}")).json()
    assert again["waiting_for"] is None


async def test_a_job_tells_what_its_parts_wait_for_and_until_when(start, service, api):
    job = await start()
    await service.write(
        "UPDATE slices SET waiting = 'store_limits', due_at = '2999-01-01T00:00:00Z'"
    )
    view = (await api.get(f"/v1/jobs/{job['id']}")).json()
    assert view["waiting"] == ["store_limits"]
    assert view["waiting_until"] == "2999-01-01T00:00:00Z"
    assert (await api.post(f"/v1/jobs/{job['id']}/cancel")).status_code == 200
    (part,) = await service.rows("SELECT due_at <= clock_timestamp() AS due FROM slices")
    assert part["due"], "a cancelled job waits for nobody"


async def test_jobs_asked_for_at_the_same_time_run_one_after_the_other(api, migration):
    body = {"kind": "full", "migration": migration}
    answers = await asyncio.gather(*(api.post("/v1/jobs", json=body) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {202}
    states = sorted(answer.json()["status"] for answer in answers)
    assert states == ["queued"] * 7 + ["running"]


@pytest.mark.parametrize(
    ("change", "status", "code", "pointer"),
    [
        ({"dry_run": True}, 422, "invalid_request", "/dry_run"),
        ({"options": {"size": 5}}, 422, "invalid_request", "/options/size"),
        ({"kind": "demo", "cutover": True}, 422, "invalid_request", "/cutover"),
        ({"kind": "sideways"}, 422, "kind_not_available", "/kind"),
        ({"migration": "nowhere"}, 404, "migration_not_found", None),
        ({"migration": SOMEBODY}, 404, "migration_not_found", None),
        ({"streams": ["inventory"]}, 422, "stream_not_in_scope", "/streams"),
        ({"streams": ["sprockets"]}, 422, "invalid_request", "/streams/0"),
        ({"streams": []}, 422, "invalid_request", "/streams"),
        ({"cutover": True}, 422, "invalid_request", "/cutover"),
        ({"since": "2026-01-01T00:00:00Z"}, 422, "invalid_request", "/since"),
        ({"options": {"only": "quarantine"}}, 422, "invalid_request", "/options/only"),
        ({"options": {"checks": ["data"]}}, 422, "invalid_request", "/options/checks"),
        ({"options": {"sample": 3}}, 422, "invalid_request", "/options/sample"),
        ({"options": {"canary": True}}, 422, "invalid_request", "/options/canary"),
        ({"kind": "verify", "cutover": True}, 422, "invalid_request", "/cutover"),
        (
            {"kind": "verify", "options": {"release_brake": True}},
            422,
            "invalid_request",
            "/options/release_brake",
        ),
        (
            {"kind": "verify", "options": {"checks": ["luck"]}},
            422,
            "invalid_request",
            "/options/checks/0",
        ),
        ({"kind": "recent"}, 409, "baseline_required", None),
        ({"kind": "recent", "since": "2999-01-01T00:00:00Z"}, 422, "invalid_since", "/since"),
        ({"kind": "recent", "since": "2026-01-01T00:00:00"}, 422, "invalid_request", "/since"),
        ({"kind": "recent", "since": "2026-01-01"}, 422, "invalid_request", "/since"),
        ({"kind": "recent", "since": 5}, 422, "invalid_request", "/since"),
        ({"kind": "recent", "cutover": "yes"}, 422, "invalid_request", "/cutover"),
        ({"kind": "recent", "options": {"only": "x"}}, 422, "invalid_request", "/options/only"),
    ],
)
async def test_a_wrong_job_is_refused_with_the_place(
    api, service, migration, *, change, status, code, pointer
):
    body = {"kind": "full", "migration": migration} | change
    members = problem(await api.post("/v1/jobs", json=body), status, code)
    if pointer:
        assert members["errors"][0]["pointer"] == pointer
    assert await service.rows("SELECT 1 FROM jobs") == []


async def test_recent_needs_a_cursor_of_every_stream_it_reads(api, service, migration):
    await service.set_cursors(migration, "categories", "products", "customers")
    body = {"kind": "recent", "migration": migration}
    members = problem(await api.post("/v1/jobs", json=body), 409, "baseline_required")
    assert members["streams"] == ["orders"]
    assert all(way in members["detail"] for way in ("`full`", "`adopt`", "`since`", "`--since`"))
    fine = await api.post("/v1/jobs", json=body | {"streams": ["products"]})
    assert fine.status_code == 202
    since = await api.post("/v1/jobs", json=body | {"since": "2026-01-01T12:00:00+02:00"})
    assert since.json()["params"]["since"] == "2026-01-01T10:00:00Z"


async def test_since_may_be_now_by_a_clock_that_runs_ahead_a_little(api, migration):
    since = (datetime.now(UTC) + timedelta(seconds=5)).isoformat()
    body = {"kind": "recent", "migration": migration, "since": since}
    assert (await api.post("/v1/jobs", json=body)).status_code == 202


async def test_what_was_asked_for_is_kept_for_the_workers(start, service):
    await start("recent", since="2026-01-01T00:00:00Z", cutover=True, streams=["orders"])
    (row,) = await service.rows("SELECT params FROM jobs")
    assert row["params"] == {
        "streams": ["orders"],
        "since": "2026-01-01T00:00:00Z",
        "cutover": True,
    }


async def test_counters_are_summed_over_slices_per_stream(start, service, api):
    job = await start()
    await service.count(job["id"], "orders", total=100, read=60, created=50, requests=3)
    await service.count(job["id"], "orders", total=50, read=40, updated=5, throttled=1)
    await service.count(job["id"], "products", read=7, unchanged=7, requests=2)
    await service.count(job["id"], "orders", audited=12, missed=1, held_back=2)
    shown = (await api.get(f"/v1/jobs/{job['id']}")).json()
    assert shown["counters"]["orders"] == {
        "read": 100,
        "created": 50,
        "updated": 5,
        "unchanged": 0,
        "conflicts": 0,
        "quarantined": 0,
        "held_back": 2,
        "deleted": 0,
        "audited": 12,
        "missed": 1,
        "adopted": 0,
        "restored": 0,
    }
    assert shown["totals"]["read"] == 107
    assert (shown["requests"], shown["throttled"]) == (5, 1)
    assert shown["progress"]["read"] == 107
    assert shown["progress"]["total"] == 150
    assert shown["progress"]["rate"] > 0


async def test_time_left_is_told_once_every_stream_has_a_size(start, service, api):
    job = await start()
    await service.write(
        "UPDATE jobs SET started_at = clock_timestamp() - interval '100 seconds', stage = 1, plan ="
        """ '[{"kind":"prepare"},{"kind":"pass","stream":"orders"},"""
        """{"kind":"pass","stream":"products"},{"kind":"finish"}]'"""
    )
    await service.count(job["id"], "orders", total=150, read=100)
    first = (await api.get(f"/v1/jobs/{job['id']}")).json()["progress"]
    assert (first["stream"], first["stage"], first["stages"]) == ("orders", 1, 4)
    assert first["seconds_left"] is None
    await service.count(job["id"], "products", total=50)
    then = (await api.get(f"/v1/jobs/{job['id']}")).json()["progress"]
    assert 90 <= then["seconds_left"] <= 110


async def test_time_left_takes_the_last_job_for_what_has_not_been_sized(start, service, api):
    before = await start()
    await service.count(before["id"], "products", total=50, read=50)
    await service.end(before["id"])
    job = await start()
    await service.write(
        "UPDATE jobs SET started_at = clock_timestamp() - interval '100 seconds', plan ="
        """ '[{"kind":"pass","stream":"orders"},{"kind":"pass","stream":"products"}]'"""
        " WHERE id = :id",
        id=job["id"],
    )
    await service.count(job["id"], "orders", total=150, read=100)
    progress = (await api.get(f"/v1/jobs/{job['id']}")).json()["progress"]
    assert 90 <= progress["seconds_left"] <= 110


async def test_cursors_before_and_after_are_told(start, service, api):
    job = await start()
    await service.write(
        "UPDATE jobs SET passes = CAST(:passes AS jsonb)",
        passes='{"orders": {"mode": "window", "since": "2026-01-01T00:00:00+00:00",'
        ' "until": "2026-01-02T00:00:00+00:00", "cursor_before": "2026-01-01T00:05:00+00:00",'
        ' "cursor_after": null, "extra": 1}}',
    )
    shown = (await api.get(f"/v1/jobs/{job['id']}")).json()
    assert shown["passes"] == {
        "orders": {
            "mode": "window",
            "depth": None,
            "horizon": None,
            "since": "2026-01-01T00:00:00Z",
            "until": "2026-01-02T00:00:00Z",
            "cursor_before": "2026-01-01T00:05:00Z",
            "cursor_after": None,
        }
    }


async def test_what_a_job_waits_for_and_why_it_failed_are_told(start, service, api):
    job = await start()
    await service.count(job["id"], "orders")
    await service.write("UPDATE slices SET waiting = 'store_busy' WHERE stream = 'orders'")
    assert (await api.get(f"/v1/jobs/{job['id']}")).json()["waiting"] == ["store_busy"]
    await service.write("""UPDATE jobs SET error = '{"code": "x", "message": "Y."}'""")
    await service.end(job["id"], "failed")
    shown = (await api.get(f"/v1/jobs/{job['id']}")).json()
    assert (shown["status"], shown["error"]) == ("failed", {"code": "x", "message": "Y."})
    assert (shown["waiting"], shown["finished_at"] is None) == ([], False)


async def test_a_waiting_job_is_cancelled_at_once(start, api, service):
    first = await start()
    second = await start()
    cancelled = await api.post(f"/v1/jobs/{second['id']}/cancel")
    assert cancelled.status_code == 200
    assert cancelled.json()["status"] == "cancelled"
    again = await api.post(f"/v1/jobs/{second['id']}/cancel")
    assert again.json()["status"] == "cancelled"
    assert (await api.get(f"/v1/jobs/{first['id']}")).json()["status"] == "running"


async def test_cancelling_a_waiting_job_does_not_hold_up_those_behind_it(start, api, service):
    """Cancelling and starting the next job take turns at the migration."""
    first, second, third = [await start() for _ in range(3)]
    async with service.resources.engine.begin() as connection:
        await connection.exec_driver_sql("SELECT 1 FROM migrations FOR NO KEY UPDATE")
        cancelling = asyncio.create_task(api.post(f"/v1/jobs/{second['id']}/cancel"))
        await asyncio.sleep(0.3)
        assert not cancelling.done()
        await connection.exec_driver_sql(
            "UPDATE jobs SET status = 'succeeded' WHERE status = 'running'"
        )
        (migration,) = (await connection.exec_driver_sql("SELECT id FROM migrations")).one()
        await start_next(connection, migration)
    # The second was started before anybody could cancel it; now it is asked to stop.
    assert (await cancelling).json()["status"] == "running"
    states = {job["id"]: job["status"] for job in (await api.get("/v1/jobs")).json()["items"]}
    assert states == {first["id"]: "succeeded", second["id"]: "running", third["id"]: "queued"}


async def test_a_running_job_is_asked_to_stop(start, api, service):
    job = await start()
    asked = (await api.post(f"/v1/jobs/{job['id']}/cancel")).json()
    assert asked["status"] == "running"
    assert asked["cancel_requested_at"] is not None


async def test_what_has_ended_cannot_be_cancelled(start, api, service):
    job = await start()
    await service.end(job["id"])
    problem(await api.post(f"/v1/jobs/{job['id']}/cancel"), 409, "job_ended")
    problem(await api.post(f"/v1/jobs/{SOMEBODY}/cancel"), 404, "job_not_found")


async def test_a_job_that_ended_is_run_again_with_the_same_wishes(start, api, service):
    job = await start("recent", since="2026-01-01T00:00:00Z", streams=["orders"])
    problem(await api.post(f"/v1/jobs/{job['id']}/retry"), 409, "job_not_ended")
    await service.end(job["id"], "failed")
    answer = await api.post(f"/v1/jobs/{job['id']}/retry")
    again = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/jobs/{again['id']}"
    assert again["id"] != job["id"]
    assert again["retry_of"] == job["id"]
    assert again["params"] == job["params"]
    assert again["status"] == "running"
    problem(await api.post(f"/v1/jobs/{SOMEBODY}/retry"), 404, "job_not_found")


async def test_jobs_are_listed_newest_first_with_filters(start, api, service):
    first = await start()
    await service.end(first["id"])
    second = await start("recent", since="2026-01-01T00:00:00Z")
    third = await start()

    async def ids(**query):
        answer = await api.get("/v1/jobs", params=query)
        return [each["id"] for each in answer.json()["items"]]

    assert await ids() == [third["id"], second["id"], first["id"]]
    assert await ids(kind="recent") == [second["id"]]
    assert await ids(status=["queued", "succeeded"]) == [third["id"], first["id"]]
    assert await ids(migration="spring", limit=1) == [third["id"]]
    problem(await api.get("/v1/jobs?migration=nowhere"), 404, "migration_not_found")
    problem(await api.get("/v1/jobs?kind=sideways"), 422, "invalid_request")
    problem(await api.get("/v1/jobs?status=lost"), 422, "invalid_request")


async def test_a_job_that_cannot_be_sent_to_the_queue_is_nevertheless_there(
    start, service, monkeypatch
):
    """The reaper of the workers finds it; losing Redis loses nothing."""

    async def away(*_, **__):
        raise RedisError

    pool = await service.resources.queue._connected()
    monkeypatch.setattr(type(pool), "enqueue_job", away)
    job = await start()
    assert job["status"] == "running"
    assert await service.wakes() == 0
