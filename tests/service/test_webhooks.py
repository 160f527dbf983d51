"""Webhooks, over the API and over real HTTP to an endpoint. Time is given, never waited."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from cryptography.fernet import Fernet
from standardwebhooks import Webhook, WebhookVerificationError

from app.models import WebhookEventType
from app.models.columns import now
from app.security import Vault
from app.services.lifecycle import record_event
from app.services.outbox import emit
from app.services.transaction import transaction
from app.services.vault import rotate_all
from tests.service.answers import problem
from tests.service.paper import a_store
from workers import webhooks as delivering
from workers.lag import watch_lag
from workers.posting import Outcome
from workers.webhooks import PAUSES, deliver, pause

PUBLIC = "https://hooks.example.com/recent-sync"
SOMETHING = "e2b8f1c4-51d3-4a07-9a57-0c5b2d7e8f44"


@pytest.fixture
async def add(api, service, hook, migration):
    """Makes a webhook of the endpoint on loopback, whatever the settings allow."""

    async def make(**members):
        body = {"url": PUBLIC, "events": ["job.ended"], "migration": migration} | members
        answer = await api.post("/v1/webhooks", json=body)
        assert answer.status_code == 201, answer.text
        made = answer.json()
        if "url" not in members:
            await service.write(
                "UPDATE webhooks SET url = :url WHERE url = :old", url=hook.url, old=PUBLIC
            )
        return made

    return make


@pytest.fixture
def send(service, post):
    """Delivers what is due, now or at a given moment; answers how much."""

    async def deliver_due(at=None):
        return await deliver(service.resources, post, at)

    return deliver_due


async def deliveries(api, webhook, **query):
    path = f"/v1/webhooks/{webhook['id']}/deliveries"
    return (await api.get(path, params=query)).json()["items"]


@pytest.fixture
def end_job(service, api, start):
    """Runs a job to its end, as far as events are concerned."""

    async def end():
        job = await start("full")
        await api.post(f"/v1/jobs/{job['id']}/cancel")
        await service.end(job["id"], "cancelled")
        async with service.resources.engine.begin() as connection:
            await record_event(connection, UUID(job["id"]), "job.cancelled", {})
        return job

    return end


async def test_the_end_of_a_job_is_told_with_a_signature(api, add, hook, send, end_job):
    webhook = await add()
    job = await end_job()
    assert await send() == 1
    told = hook.verified(webhook["secret"])
    assert told["type"] == "job.ended"
    assert told["data"]["job"] == job["id"]
    assert told["data"]["migration"] == "spring"
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 43 + "=").verify(hook.got[0][1], hook.got[0][0])
    (delivery,) = await deliveries(api, webhook)
    assert (delivery["status"], delivery["attempts"]) == ("delivered", 1)
    assert delivery["message"] == hook.ids[0]
    assert delivery["log"][0]["status"] == 204
    assert await send() == 0


async def test_what_was_rolled_back_is_not_told(service, add, hook, send, start):
    await add(events=["job.started"])
    job = await start("full")
    assert await send() == 1
    async with service.resources.engine.connect() as connection:
        await record_event(connection, UUID(job["id"]), "job.started", {})
        await connection.rollback()
    assert await send() == 0
    assert hook.types == ["job.started"]


async def test_nothing_is_written_for_nobody(service, migration, end_job):
    await end_job()
    assert await service.rows("SELECT 1 FROM webhook_events") == []


async def test_only_the_asked_events_of_the_asked_migration_come(service, api, add, hook, end_job):
    await add()
    await add(url="https://other.example.com/", events=["conflict.new"])
    third = a_store("third-shop", settings={"url": "https://third.example"})
    assert (await api.post("/v1/stores", json=third)).status_code == 201
    body = {"slug": "autumn", "source": "old-shop", "target": "third-shop"}
    assert (await api.post("/v1/migrations", json=body)).status_code == 201
    await add(url="https://third.example.com/", migration="autumn")
    await end_job()
    rows = await service.rows(
        "SELECT w.url FROM webhook_deliveries AS d JOIN webhooks AS w ON w.id = d.webhook_id"
    )
    assert [each["url"] for each in rows] == [hook.url]


async def test_what_fails_is_tried_again_under_its_id_for_a_day(api, add, hook, send, end_job):
    webhook = await add()
    await end_job()
    hook.answers = [500] * 30
    at = now() + timedelta(seconds=1)
    for attempt in range(1, len(PAUSES) + 2):
        assert await send(at) == 1, attempt
        (delivery,) = await deliveries(api, webhook)
        assert delivery["attempts"] == attempt
        if attempt <= len(PAUSES):
            wait = datetime.fromisoformat(delivery["next_at"]) - at
            assert 0.9 <= wait.total_seconds() / PAUSES[attempt - 1] <= 1.1
            assert await send(at + wait * 0.99) == 0
            at += wait
    assert delivery["status"] == "failed"
    assert sum(PAUSES) > 86_400
    assert len(set(hook.ids)) == 1
    assert [each["status"] for each in delivery["log"]] == [500] * (len(PAUSES) + 1)
    assert len({body for _, body in hook.got}) == 1


def test_an_endpoint_may_ask_for_a_longer_pause():
    assert pause(1, Outcome(503, retry_after=600), chance=lambda: 0.5) == 600
    assert pause(1, Outcome(503), chance=lambda: 0.5) == PAUSES[0]
    assert pause(len(PAUSES) + 1, Outcome(503)) is None


async def test_two_workers_do_not_both_send(add, hook, send, end_job):
    await add()
    await end_job()
    sent = await asyncio.gather(*(send() for _ in range(6)))
    assert sum(sent) == len(hook.got) == 1


async def test_a_worker_that_dies_after_sending_leads_to_the_same_id_again(
    service, add, hook, send, end_job
):
    await add()
    await end_job()
    at = now() + timedelta(seconds=1)
    (held,) = await delivering._claim(service.resources, at)
    # It posts, and dies before it has noted that: its lease lapses.
    assert await send(at + timedelta(seconds=1)) == 0
    assert await send(at + timedelta(minutes=1)) == 1
    assert len(hook.got) == 1
    # It was not dead, only slow: what it learns counts no more.
    late = Outcome(500)
    async with service.resources.engine.begin() as connection:
        await delivering._settle(connection, held, late, {"at": at.isoformat()}, at)
    (delivery,) = await service.rows("SELECT status, attempts FROM webhook_deliveries")
    assert (delivery["status"], delivery["attempts"]) == ("delivered", 2)


async def test_410_disables_at_once_and_a_replay_sends_what_was_held(api, add, hook, send, end_job):
    webhook = await add()
    home = f"/v1/webhooks/{webhook['id']}"
    began = now()
    await end_job()
    hook.answers = [410]
    await send()
    await end_job()
    assert await send() == 0
    shown = (await api.get(home)).json()
    assert shown["disabled_reason"] == "gone"
    assert [each["status"] for each in await deliveries(api, webhook)] == ["held", "failed"]
    since = {"since": began.isoformat()}
    problem(await api.post(f"{home}/replay", json=since), 409, "webhook_disabled")
    problem(await api.post(f"{home}/test"), 409, "webhook_disabled")
    assert (await api.patch(home, json={"disabled": False})).json()["disabled_at"] is None
    assert (await api.post(f"{home}/replay", json=since)).json() == {"replayed": 2}
    assert await send() == 2
    assert len(hook.got) == 3
    assert len(set(hook.ids)) == 2


async def test_five_days_of_failures_disable_an_endpoint_and_the_others_hear_of_it(
    service, add, hook, send, end_job
):
    broken = await add()
    await add(url=PUBLIC + "/other", events=["webhook.disabled"], migration=None)
    hook.answers = [500, 302, 500]
    await end_job()
    at = now() + timedelta(seconds=1)
    await send(at)
    await send(at + timedelta(days=4))
    reason = "SELECT disabled_reason FROM webhooks WHERE url = :url"
    assert await service.rows(reason, url=hook.url) == [{"disabled_reason": None}]
    await send(at + timedelta(days=5, seconds=1))
    assert await service.rows(reason, url=hook.url) == [{"disabled_reason": "failing"}]
    (event,) = await service.rows("SELECT data FROM webhook_events WHERE type <> 'job.ended'")
    assert event["data"] == {"webhook": broken["id"], "reason": "failing", "migration": "spring"}


async def test_a_success_forgives_the_failures_before_it(api, add, hook, send, end_job):
    webhook = await add()
    hook.answers = [500]
    await end_job()
    at = now() + timedelta(seconds=1)
    await send(at)
    home = f"/v1/webhooks/{webhook['id']}"
    assert (await api.get(home)).json()["failing_since"] is not None
    await send(at + timedelta(minutes=1))
    assert (await api.get(home)).json()["failing_since"] is None


async def test_after_a_rotation_both_secrets_sign_for_a_while(api, add, hook, post, send):
    webhook = await add()
    home = f"/v1/webhooks/{webhook['id']}"
    rotated = (await api.post(f"{home}/rotate", json={"keep": "2h"})).json()
    assert (rotated["secrets"], rotated["secret"] != webhook["secret"]) == (2, True)
    await api.post(f"{home}/test")
    await send()
    assert hook.verified(webhook["secret"]) == hook.verified(rotated["secret"])
    await api.post(f"{home}/rotate", json={"keep": "1s"})
    again = (await api.post(f"{home}/rotate", json={"keep": "1s"})).json()
    await api.post(f"{home}/test")
    await send()
    assert hook.verified(again["secret"])["type"] == "webhook.test"
    for old in (webhook, rotated):
        with pytest.raises(WebhookVerificationError):
            hook.verified(old["secret"])
    problem(await api.post(f"{home}/rotate", json={"keep": "8d"}), 422, "invalid_webhook")


async def test_secrets_are_sealed_shown_once_and_rotated_with_the_vault(service, api, add):
    webhook = await add()
    (row,) = await service.rows("SELECT secrets FROM webhooks")
    assert webhook["secret"].encode() not in row["secrets"]
    shown = await api.get(f"/v1/webhooks/{webhook['id']}")
    assert webhook["secret"] not in shown.text
    fresh = Fernet.generate_key().decode()
    given = service.resources.settings.encryption_keys.get_secret_value()
    async with transaction(service.resources) as work:
        await rotate_all(work.session, Vault([fresh, given]))
    (row,) = await service.rows("SELECT secrets FROM webhooks")
    assert Vault([fresh]).open(row["secrets"])["secrets"][0]["secret"] == webhook["secret"]
    async with transaction(service.resources) as work:
        await rotate_all(work.session, Vault([given, fresh]))


async def test_one_delivery_is_replayed_under_its_id(api, add, hook, send, end_job):
    webhook = await add()
    await end_job()
    await send()
    (delivery,) = await deliveries(api, webhook, status="delivered")
    home = f"/v1/webhooks/{webhook['id']}/deliveries"
    again = (await api.post(f"{home}/{delivery['id']}/replay")).json()
    assert (again["status"], again["attempts"]) == ("pending", 0)
    await send()
    assert len(hook.ids) == 2
    assert len(set(hook.ids)) == 1
    problem(await api.post(f"{home}/{SOMETHING}/replay"), 404, "delivery_not_found")


async def test_lag_is_told_once_and_its_end_too(service, add, hook, send):
    webhook = await add(events=["lag.exceeded", "lag.recovered"], lag_seconds=600)
    await service.set_cursors("spring", "orders", "products")
    await service.write("UPDATE cursors SET watermark = now()")
    await watch_lag(service.resources)
    assert await send() == 0
    await service.write(
        "UPDATE cursors SET watermark = now() - interval '1 h' WHERE stream = 'orders'"
    )
    for _ in range(3):
        await watch_lag(service.resources)
    assert await send() == 1
    told = hook.verified(webhook["secret"])
    assert told["data"]["allowed_seconds"] == 600
    assert 3600 <= told["data"]["lag_seconds"] < 3700
    await service.write("UPDATE cursors SET watermark = now()")
    for _ in range(3):
        await watch_lag(service.resources)
    assert await send() == 1
    assert hook.types == ["lag.exceeded", "lag.recovered"]


async def test_what_is_told_once_is_told_once(service, add, send, migration):
    await add(events=["conflict.new"])
    (row,) = await service.rows("SELECT id FROM migrations")
    for _ in range(3):
        async with service.resources.engine.begin() as connection:
            await emit(connection, WebhookEventType.CONFLICT_NEW, {}, migration=row["id"], once="a")
    assert await send() == 1


async def test_only_administrators_see_webhooks(runner, api, add):
    webhook = await add()
    problem(await runner.get("/v1/webhooks"), 403, "missing_scope")
    problem(await runner.get(f"/v1/webhooks/{webhook['id']}"), 403, "missing_scope")
    assert len((await api.get("/v1/webhooks")).json()["items"]) == 1
    problem(await api.get(f"/v1/webhooks/{SOMETHING}"), 404, "webhook_not_found")
    body = {"url": PUBLIC, "events": ["lag.exceeded"]}
    problem(await api.post("/v1/webhooks", json=body), 422, "invalid_request")
    assert (await api.delete(f"/v1/webhooks/{webhook['id']}")).status_code == 204
