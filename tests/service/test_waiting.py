"""Polling less: ETags, `Prefer: wait`, and events."""

from __future__ import annotations

import asyncio
import json
import time

import httpx

from tests.service.answers import problem

SOMEBODY = "7f3f7a52-2f5e-4a3e-bb0e-0f7f5c3e9a33"


async def test_a_job_that_did_not_change_is_not_sent_again(start, api, service):
    job = await start()
    address = f"/v1/jobs/{job['id']}"
    first = await api.get(address)
    tag = first.headers["etag"]
    for same in (tag, tag.removeprefix("W/"), f"{tag}, W/other"):
        again = await api.get(address, headers={"If-None-Match": same})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    await service.count(job["id"], "orders", read=1)
    changed = await api.get(address, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


async def test_time_alone_does_not_change_the_etag(start, api, service):
    job = await start()
    await service.count(job["id"], "orders", read=10, total=100)
    first = await api.get(f"/v1/jobs/{job['id']}")
    await asyncio.sleep(0.05)
    second = await api.get(f"/v1/jobs/{job['id']}")
    assert first.headers["etag"] == second.headers["etag"]


async def test_waiting_ends_when_the_job_ends(start, api, service):
    job = await start()

    async def end():
        await asyncio.sleep(0.3)
        await service.end(job["id"])

    began = time.monotonic()
    prefer = {"Prefer": "respond-async, wait=20"}
    answer, _ = await asyncio.gather(api.get(f"/v1/jobs/{job['id']}", headers=prefer), end())
    assert answer.json()["status"] == "succeeded"
    assert answer.headers["preference-applied"] == "wait=20"
    assert "retry-after" not in answer.headers
    assert 0.3 <= time.monotonic() - began < 10


async def test_waiting_with_an_etag_ends_at_the_first_change(start, api, service):
    job = await start()
    tag = (await api.get(f"/v1/jobs/{job['id']}")).headers["etag"]

    async def change():
        await asyncio.sleep(0.3)
        await service.count(job["id"], "orders", read=1)

    headers = {"Prefer": "wait=20", "If-None-Match": tag}
    answer, _ = await asyncio.gather(api.get(f"/v1/jobs/{job['id']}", headers=headers), change())
    assert (answer.status_code, answer.json()["status"]) == (200, "running")


async def test_waiting_in_vain_ends_in_time(start, api):
    job = await start()
    tag = (await api.get(f"/v1/jobs/{job['id']}")).headers["etag"]
    headers = {"Prefer": "wait=1", "If-None-Match": tag}
    began = time.monotonic()
    answer = await api.get(f"/v1/jobs/{job['id']}", headers=headers)
    assert answer.status_code == 304
    assert 1 <= time.monotonic() - began < 8


async def test_nobody_waits_longer_than_a_minute(start, api, service):
    job = await start()
    await service.end(job["id"])
    answer = await api.get(f"/v1/jobs/{job['id']}", headers={"Prefer": "wait=99999999999999"})
    assert answer.headers["preference-applied"] == "wait=60"


async def test_a_preference_that_makes_no_sense_is_ignored(start, api):
    job = await start()
    for prefer in ("wait", "wait=soon", "wait=-1", "return=minimal", ",,;=", "wait=\u0661"):
        headers = {"Prefer": prefer.encode()}
        answer = await api.get(f"/v1/jobs/{job['id']}", headers=headers)
        assert answer.status_code == 200
        assert "preference-applied" not in answer.headers


async def test_waiting_for_a_job_that_is_not_there(api):
    answer = await api.get(f"/v1/jobs/{SOMEBODY}", headers={"Prefer": "wait=5"})
    problem(answer, 404, "job_not_found")


async def test_a_new_job_can_be_waited_for(api, service, migration):
    async def end():
        for _ in range(100):
            await asyncio.sleep(0.05)
            for job in await service.rows("SELECT id FROM jobs WHERE status = 'running'"):
                await service.end(str(job["id"]))
                return

    body = {"kind": "full", "migration": migration}
    headers = {"Prefer": "wait=20", "Idempotency-Key": "k"}
    answer, _ = await asyncio.gather(api.post("/v1/jobs", json=body, headers=headers), end())
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
    assert answer.headers["preference-applied"] == "wait=20"
    assert answer.headers["location"] == f"/v1/jobs/{answer.json()['id']}"
    again = await api.post("/v1/jobs", json=body, headers=headers)
    assert (again.status_code, again.json()["id"]) == (200, answer.json()["id"])
    assert again.headers["idempotency-replayed"] == "true"


async def test_a_new_job_that_takes_longer_is_answered_with_202(api, migration):
    body = {"kind": "full", "migration": migration}
    answer = await api.post("/v1/jobs", json=body, headers={"Prefer": "wait=1"})
    assert (answer.status_code, answer.json()["status"]) == (202, "running")
    assert answer.headers["preference-applied"] == "wait=1"
    assert answer.headers["retry-after"] == "1"


async def test_waiting_holds_no_connection_to_the_database(start, api, service):
    job = await start()
    path = f"/v1/jobs/{job['id']}"
    waiting = [asyncio.create_task(api.get(path, headers={"Prefer": "wait=15"})) for _ in range(60)]
    await asyncio.sleep(0.5)
    assert (await api.get("/v1/stores")).status_code == 200
    await service.end(job["id"])
    for each in waiting:
        assert (await each).json()["status"] == "succeeded"


def events_in(text):
    """(id, name, data) of each event of a stream."""
    found = []
    for block in text.replace("\r\n", "\n").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line[1:])
        if "data" in fields:
            found.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return found


async def test_events_are_told_from_the_first_to_the_end(start, api, service):
    job = await start()
    await service.event(job["id"], "pass.started", stream="orders", slices=2)
    await service.end(job["id"])
    answer = await api.get(f"/v1/jobs/{job['id']}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = events_in(answer.text)
    assert [name for _, name, _ in found] == ["job.created", "job.started", "pass.started"]
    assert found[2][2]["stream"] == "orders"
    assert found[2][2]["job"] == job["id"]


async def test_events_go_on_behind_the_last_one_seen(start, api, service):
    job = await start()
    await service.end(job["id"])
    address = f"/v1/jobs/{job['id']}/events"
    found = events_in((await api.get(address)).text)
    rest = await api.get(address, headers={"Last-Event-ID": str(found[0][0])})
    assert events_in(rest.text) == found[1:]
    done = await api.get(address, headers={"Last-Event-ID": str(found[-1][0])})
    assert done.status_code == 204
    problem(await api.get(address, headers={"Last-Event-ID": "x"}), 422, "invalid_request")
    problem(await api.get(f"/v1/jobs/{SOMEBODY}/events"), 404, "job_not_found")


async def test_events_arrive_while_the_job_runs(start, service, address):
    job = await start()
    headers = {"Authorization": f"Bearer {service.keys['read']}"}
    async with (
        httpx.AsyncClient(base_url=address, headers=headers, timeout=20) as client,
        client.stream("GET", f"/v1/jobs/{job['id']}/events") as answer,
    ):
        names = []
        async for line in answer.aiter_lines():
            if not line.startswith("event: "):
                continue
            names.append(line.removeprefix("event: "))
            if names[-1] == "job.started":
                await service.event(job["id"], "pass.started", stream="orders")
            if names[-1] == "pass.started":
                await service.event(job["id"], "job.succeeded")
                await service.end(job["id"])
    assert names == ["job.created", "job.started", "pass.started", "job.succeeded"]


async def test_a_follower_who_hangs_up_is_let_go(start, service, address):
    job = await start()
    headers = {"Authorization": f"Bearer {service.keys['read']}"}
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=20) as client:
        for _ in range(30):
            async with client.stream("GET", f"/v1/jobs/{job['id']}/events") as answer:
                await anext(answer.aiter_lines())
        assert (await client.get("/v1/stores")).status_code == 200
