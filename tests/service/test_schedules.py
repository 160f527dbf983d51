"""Schedules over the API, and their ticks as the workers take them. Time is given, never waited."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from app.models.columns import now
from app.services.transaction import transaction
from tests.service.answers import problem
from workers.ticks import tick

SOMETHING = "e2b8f1c4-51d3-4a07-9a57-0c5b2d7e8f44"


@pytest.fixture
async def add(api, migration, service):
    """Makes a schedule of the migration, whose streams all have a cursor."""
    await service.set_cursors(migration, "categories", "products", "customers", "orders")

    async def make(**members):
        body = {"migration": migration, "name": "often", "every": "15m"} | members
        if "cron" in members:
            del body["every"]
        answer = await api.post("/v1/schedules", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    return make


@pytest.fixture
def runs(api):
    async def get(schedule):
        items = (await api.get(f"/v1/schedules/{schedule['id']}/runs")).json()["items"]
        return [(each["outcome"], each["reason"]) for each in items]

    return get


@pytest.fixture
def end_jobs(service):
    async def end() -> None:
        for row in await service.rows("SELECT id FROM jobs"):
            await service.end(str(row["id"]))

    return end


async def test_an_interval_begins_at_once_and_goes_on(service, add, runs, end_jobs):
    schedule = await add()
    assert schedule["state"] == "active"
    first = datetime.fromisoformat(schedule["next"][0]["at"])
    assert first <= now()

    assert await tick(service.resources) == 1
    assert await tick(service.resources) == 0
    await end_jobs()
    assert await tick(service.resources, first + timedelta(minutes=14)) == 0
    assert await tick(service.resources, first + timedelta(minutes=15)) == 1
    assert await runs(schedule) == [("started", None), ("started", None)]
    jobs = await service.rows("SELECT kind, params FROM jobs")
    assert [each["kind"] for each in jobs] == ["recent", "recent"]


async def test_many_workers_take_a_tick_once(service, add, runs):
    schedule = await add()
    taken = await asyncio.gather(*(tick(service.resources) for _ in range(8)))
    assert sum(taken) == 1
    assert await runs(schedule) == [("started", None)]


async def test_a_worker_that_dies_in_the_middle_of_a_tick_leaves_it_to_another(
    service, add, runs, monkeypatch
):
    schedule = await add()

    def dying(resources):
        return _dying(resources)

    with monkeypatch.context() as patch:
        patch.setattr("workers.ticks.transaction", dying)
        await tick(service.resources, now())
    assert await runs(schedule) == []
    assert await service.rows("SELECT 1 FROM jobs") == []
    assert await tick(service.resources) == 1
    assert await runs(schedule) == [("started", None)]


class _dying:  # noqa: N801  stands in for a function
    """A transaction that ends as when its process is killed: before the commit."""

    def __init__(self, resources):
        self.inner = transaction(resources)

    async def __aenter__(self):
        return await self.inner.__aenter__()

    async def __aexit__(self, *error):
        if error[0] is None:
            await self.inner.__aexit__(RuntimeError, RuntimeError("killed"), None)


async def test_missed_ticks_are_caught_up_once(service, api, add):
    schedule = await add(cron="*/15 * * * *")
    made = datetime.fromisoformat(schedule["created_at"])
    assert await tick(service.resources, made + timedelta(hours=5)) == 1
    assert await tick(service.resources, made + timedelta(hours=5)) == 0
    (run,) = (await api.get(f"/v1/schedules/{schedule['id']}/runs")).json()["items"]
    assert run["missed"] in (19, 20)


async def test_skip_says_which_job_was_in_the_way_and_queue_lets_one_wait(
    service, add, runs, start
):
    await start("full")
    skipping = await add()
    queueing = await add(name="patient", overlap="queue")
    later = now() + timedelta(minutes=16)
    assert await tick(service.resources) == 2
    assert await tick(service.resources, later) == 2
    assert await runs(skipping) == [("skipped", "job_running")] * 2
    assert await runs(queueing) == [("skipped", "already_queued"), ("queued", None)]


async def test_the_final_run_is_a_cutover_that_waits_and_is_the_last(
    service, api, add, runs, start
):
    launch = now() + timedelta(hours=1)
    await api.patch("/v1/migrations/spring", json={"launch_at": launch.isoformat()})
    schedule = await add(until="launch", final_at="launch-20m")
    assert schedule["next"][-1] == {
        "at": (launch - timedelta(minutes=20)).isoformat().replace("+00:00", "Z"),
        "final": True,
    }
    await start("full")
    assert await tick(service.resources, launch - timedelta(minutes=19)) == 1
    assert await tick(service.resources, launch + timedelta(days=1)) == 0
    assert await runs(schedule) == [("queued", None)]
    (job,) = await service.rows("SELECT kind, params FROM jobs WHERE kind = 'recent'")
    assert job["params"]["cutover"] is True
    shown = (await api.get(f"/v1/schedules/{schedule['id']}")).json()
    assert (shown["state"], shown["next"]) == ("ended", [])

    # Who moves the launch needs another final run.
    launch += timedelta(days=1)
    await api.patch("/v1/migrations/spring", json={"launch_at": launch.isoformat()})
    shown = (await api.get(f"/v1/schedules/{schedule['id']}")).json()
    assert shown["state"] == "active"


@pytest.mark.parametrize(
    "job",
    [
        {"kind": "demo", "dry_run": True, "options": {"size": 5}},
        {"kind": "verify", "since": "2026-01-01T00:00:00Z", "options": {"checks": ["data"]}},
        {"kind": "recent", "options": {"only": "quarantine"}},
    ],
    ids=lambda job: job["kind"],
)
async def test_the_final_run_is_a_whole_cutover_whatever_ran_before(service, add, runs, job):
    end = now() + timedelta(hours=1)
    job = job | {"streams": ["customers", "orders"]}
    schedule = await add(job=job, starts_at=end.isoformat(), final_at=end.isoformat())
    assert {member: schedule["job"][member] for member in job} == job
    assert await tick(service.resources, end + timedelta(seconds=1)) == 1
    assert await runs(schedule) == [("started", None)]
    (made,) = await service.rows("SELECT kind, params FROM jobs")
    assert made["kind"] == "recent"
    assert made["params"] == {"streams": ["customers", "orders"], "cutover": True}


async def test_nothing_is_caught_up_across_the_launch(service, api, add, runs):
    launch = now() + timedelta(hours=1)
    await api.patch("/v1/migrations/spring", json={"launch_at": launch.isoformat()})
    schedule = await add(final_at="launch-20m")
    assert await tick(service.resources, launch + timedelta(minutes=5)) == 1
    assert await runs(schedule) == [("skipped", "launch_passed")]
    assert await service.rows("SELECT 1 FROM jobs") == []


async def test_a_schedule_without_its_launch_waits_for_one(service, api, add):
    schedule = await add(until="launch")
    assert (schedule["state"], schedule["next"]) == ("waiting_for_launch", [])
    assert await tick(service.resources, now() + timedelta(hours=1)) == 0
    launch = (now() + timedelta(hours=1)).isoformat()
    await api.patch("/v1/migrations/spring", json={"launch_at": launch})
    assert await tick(service.resources) == 1


async def test_a_refused_job_is_told_and_holds_nothing_up(service, api, migration, runs):
    body = {"migration": migration, "name": "early", "cron": "* * * * *"}
    schedule = (await api.post("/v1/schedules", json=body)).json()
    assert await tick(service.resources, now() + timedelta(minutes=1)) == 1
    assert await runs(schedule) == [("refused", "baseline_required")]
    shown = (await api.get(f"/v1/schedules/{schedule['id']}")).json()
    assert shown["last"]["reason"] == "baseline_required"
    assert shown["state"] == "active"


async def test_pausing_skips_what_passes_meanwhile(service, api, add, runs):
    schedule = await add(cron="*/15 * * * *")
    home = f"/v1/schedules/{schedule['id']}"
    shown = (await api.patch(home, json={"paused": True})).json()
    assert (shown["state"], shown["next"]) == ("paused", [])
    assert await tick(service.resources, now() + timedelta(hours=3)) == 0
    await service.write("UPDATE schedules SET handled_until = now() - interval '3 hours'")
    shown = (await api.patch(home, json={"paused": False})).json()
    assert shown["state"] == "active"
    assert await tick(service.resources) == 0
    assert await runs(schedule) == []


async def test_a_zone_that_is_gone_holds_up_no_other_schedule(service, add, runs):
    broken = await add(name="broken", cron="* * * * *")
    fine = await add(name="fine")
    await service.write("UPDATE schedules SET timezone = 'Atlantis/Deep' WHERE name = 'broken'")
    assert await tick(service.resources, now() + timedelta(minutes=2)) == 1
    assert await runs(fine) == [("started", None)]
    assert await runs(broken) == []


@pytest.mark.parametrize(
    ("members", "status", "code"),
    [
        ({"cron": "* * *"}, 422, "invalid_schedule"),
        ({"cron": "0 0 31 2 *"}, 422, "invalid_schedule"),
        ({"cron": "* * * * *", "every": "5m"}, 422, "invalid_request"),
        ({"every": "30s"}, 422, "invalid_request"),
        ({"every": "5m", "until": "soon"}, 422, "invalid_request"),
        ({"every": "5m", "timezone": "Europe/Atlantis"}, 422, "invalid_request"),
        ({"every": "5m", "job": {"kind": "dance"}}, 422, "kind_not_available"),
        ({"every": "5m", "job": {"kind": "full", "cutover": True}}, 422, "invalid_request"),
        ({"every": "5m", "job": {"kind": "full", "dry_run": True}}, 422, "invalid_request"),
        ({"every": "5m", "job": {"streams": ["inventory"]}}, 422, "stream_not_in_scope"),
        ({"every": "5m", "migration": "nowhere"}, 404, "migration_not_found"),
        ({}, 422, "invalid_request"),
    ],
)
async def test_what_cannot_be_kept_is_refused(api, migration, members, status, code):
    body = {"migration": migration, "name": "odd"} | members
    problem(await api.post("/v1/schedules", json=body), status, code)


async def test_names_are_unique_within_a_migration(api, add):
    schedule = await add()
    other = await add(name="other")
    body = {"migration": "spring", "name": "often", "every": "5m"}
    problem(await api.post("/v1/schedules", json=body), 409, "schedule_exists")
    home = f"/v1/schedules/{other['id']}"
    problem(await api.patch(home, json={"name": "often"}), 409, "schedule_exists")
    changed = (await api.patch(home, json={"cron": "5 4 * * *", "name": "nightly"})).json()
    assert (changed["cron"], changed["every"], changed["name"]) == ("5 4 * * *", None, "nightly")
    assert datetime.fromisoformat(changed["next"][0]["at"]).astimezone(UTC).minute == 5
    assert (await api.delete(f"/v1/schedules/{schedule['id']}")).status_code == 204
    listed = (await api.get("/v1/schedules", params={"migration": "spring"})).json()["items"]
    assert [each["name"] for each in listed] == ["nightly"]
    problem(await api.get(f"/v1/schedules/{SOMETHING}"), 404, "schedule_not_found")


async def test_a_reader_looks_and_changes_nothing(reader, add):
    schedule = await add()
    home = f"/v1/schedules/{schedule['id']}"
    assert (await reader.get(home)).status_code == 200
    problem(await reader.delete(home), 403, "missing_scope")
    problem(await reader.patch(home, json={"paused": True}), 403, "missing_scope")


async def test_stragglers_need_a_cutover_and_read_orders_alone(service, api, add, runs, end_jobs):
    late = {"kind": "recent", "options": {"stragglers": True}}
    launch = now() - timedelta(hours=1)
    schedule = await add(job=late, until="launch+3d", name="late")
    await api.patch("/v1/migrations/spring", json={"launch_at": launch.isoformat()})
    assert await tick(service.resources, now() + timedelta(seconds=1)) == 1
    assert await runs(schedule) == [("refused", "cutover_required")]
    body = {"kind": "recent", "migration": "spring"}
    assert (await api.post("/v1/jobs", json=body | {"cutover": True})).status_code == 202
    await end_jobs()
    assert await tick(service.resources, now() + timedelta(minutes=16)) == 1
    assert (await runs(schedule))[0] == ("started", None)
    (job,) = await service.rows("SELECT params FROM jobs WHERE params ? 'options'")
    assert job["params"]["streams"] == ["orders"]
    for odd in ({"cutover": True}, {"streams": ["customers"]}, {"since": "2026-01-01T00:00:00Z"}):
        answer = await api.post("/v1/jobs", json={**body, "options": late["options"], **odd})
        problem(answer, 422, "invalid_request")
