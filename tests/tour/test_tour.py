"""A tour of the service, over HTTP alone. Read it from top to bottom."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


def test_the_service_tells_which_platforms_it_knows(service):
    platforms = {each["name"]: each for each in service.get("/platforms").json()["items"]}

    assert platforms["woocommerce"]["source"]["orders"]["trust"]
    assert "consumer_key" in platforms["woocommerce"]["credentials_schema"]["properties"]


def test_a_registered_store_never_gives_its_credentials_back(service, migration, old_shop):
    answer = service.get("/stores/old")

    assert answer.json()["credentials_set"] == ["consumer_key", "consumer_secret"]
    assert old_shop.credentials["consumer_secret"] not in answer.text


def test_a_store_can_be_checked_before_anything_depends_on_it(service, migration):
    found = service.post("/stores/old/check").json()

    assert found["ok"]
    assert found["source"]["report"]["timezone"] == "America/New_York"


def test_a_migration_has_all_streams_in_scope_unless_told_otherwise(service, migration):
    found = service.get(f"/migrations/{migration}").json()

    assert found["streams"] == ["categories", "products", "customers", "orders", "inventory"]


def test_recent_needs_to_know_from_when(service, migration, old_shop):
    """Asked before anything was copied, it refuses rather than guess."""
    plan = {"slug": "untouched", "source": "new", "target": "old"}
    service.post("/migrations", json=plan)

    answer = service.post("/jobs", json={"kind": "recent", "migration": "untouched"})

    assert answer.status_code == 409
    assert answer.json()["code"] == "baseline_required"


def test_full_copies_everything(copied, new_shop):
    assert copied["status"] == "succeeded"
    assert copied["counters"]["orders"]["created"] == 2
    assert {each["sku"] for each in new_shop.everything("products")} == {"85123A", "71053", "21730"}
    assert len(new_shop.everything("orders")) == 2


def test_stock_is_what_is_left_in_the_old_shop(copied, new_shop):
    """90 hearts less the six that were sold there: not deducted a second time."""
    assert new_shop.product("85123A")["stock_quantity"] == 84


def test_nobody_gets_a_mail(copied, new_shop):
    assert new_shop.mails() == 0


def test_recent_copies_what_happened_since(copied, run, old_shop, new_shop):
    """With `cutover` also the very last seconds, which it otherwise leaves to the next run."""
    order = old_shop.sell("21730", 2, "grace@example.com")
    old_shop.change("71053", regular_price="2.95")

    job = run("recent", cutover=True)

    assert job["status"] == "succeeded"
    assert job["counters"]["orders"]["created"] == 1
    assert new_shop.product("71053")["regular_price"] == "2.95"
    newest = max(new_shop.everything("orders"), key=lambda each: each["id"])
    assert newest["total"] == order["total"]
    assert newest["billing"]["email"] == "grace@example.com"


def test_a_run_with_nothing_to_do_writes_nothing(copied, run, new_shop):
    run("recent", cutover=True)
    before = new_shop.writes()

    job = run("recent")

    assert job["status"] == "succeeded"
    assert job["totals"]["created"] == job["totals"]["updated"] == 0
    assert new_shop.writes() == before


def test_cursors_say_up_to_when_all_is_applied(service, migration, copied):
    cursors = service.get(f"/migrations/{migration}/cursors").json()["items"]

    assert {each["stream"] for each in cursors} >= {"products", "orders"}


def test_links_say_what_a_record_has_become(service, migration, copied, old_shop, new_shop):
    heart = old_shop.product("85123A")

    link = service.get(
        f"/migrations/{migration}/links",
        params={"stream": "products", "source_id": str(heart["id"])},
    ).json()["items"][0]

    assert link["target_id"] == str(new_shop.product("85123A")["id"])


def test_nothing_is_in_quarantine(service, migration, copied):
    held = service.get(f"/migrations/{migration}/quarantine", params={"status": "open"}).json()

    assert held["items"] == []


def test_a_request_that_is_sent_twice_starts_one_job(service, migration, copied):
    """A pipeline that never saw the first answer may simply ask again."""
    body = {"kind": "recent", "migration": migration}
    key = {"Idempotency-Key": "launch-day-1"}

    first = service.post("/jobs", json=body, headers=key)
    second = service.post("/jobs", json=body, headers=key)

    assert first.json()["id"] == second.json()["id"]
    assert second.headers["Idempotency-Replayed"] == "true"


def test_what_happens_to_a_job_can_be_followed(service, copied):
    with service.stream("GET", f"/jobs/{copied['id']}/events") as events:
        told = [line.removeprefix("event: ") for line in events.iter_lines() if "event: " in line]

    assert told[:2] == ["job.created", "job.started"]


def test_a_refusal_says_what_is_wrong_where(service, migration):
    answer = service.post("/jobs", json={"kind": "recent", "migration": migration, "since": 7})

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["pointer"] == "/since"


def test_without_a_key_nothing_is_told(service):
    answer = service.get("/stores", headers={"Authorization": "Bearer rs_wrong_key"})

    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthorized"


def test_a_pipeline_calls_the_same_by_command(scene, migration, copied):
    """Its exit code stops a launch that is not to be."""
    command = ["-m", "app.cli", "run", "recent", "-m", migration, "--cutover", "--wait"]

    ended = subprocess.run(
        [sys.executable, *command, "--timeout", "2m", "--json"],
        env={
            **os.environ,
            "RECENT_SYNC_URL": scene.api.url,
            "RECENT_SYNC_API_KEY": scene.key_file.read_text().strip(),
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert '"status": "succeeded"' in ended.stdout
