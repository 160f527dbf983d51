"""Cursors, links and quarantine of a migration."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.records import Stream
from connectors.references import Reference
from tests.service.answers import problem

SOMETHING = "e2b8f1c4-51d3-4a07-9a57-0c5b2d7e8f44"
HOME = "/v1/migrations/spring"


async def test_a_cursor_can_be_set_and_set_again(api, migration):
    address = f"{HOME}/cursors/orders"
    first = await api.put(address, json={"watermark": "2026-01-02T00:00:00+01:00"})
    assert first.json()["watermark"] == "2026-01-01T23:00:00Z"
    assert first.json()["job_id"] is None
    await api.put(address, json={"watermark": "2025-12-31T00:00:00Z"})
    await api.put(f"{HOME}/cursors/products", json={"watermark": "2026-01-01T00:00:00Z"})
    items = (await api.get(f"{HOME}/cursors")).json()["items"]
    assert [(each["stream"], each["watermark"]) for each in items] == [
        ("products", "2026-01-01T00:00:00Z"),
        ("orders", "2025-12-31T00:00:00Z"),
    ]


async def test_a_cursor_set_by_hand_is_ground_for_a_recent_job(api, migration):
    body = {"kind": "recent", "migration": migration, "streams": ["orders"]}
    problem(await api.post("/v1/jobs", json=body), 409, "baseline_required")
    await api.put(f"{HOME}/cursors/orders", json={"watermark": "2026-01-01T00:00:00Z"})
    assert (await api.post("/v1/jobs", json=body)).status_code == 202


async def test_a_cursor_may_not_poison_the_future(api, migration):
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    answer = await api.put(f"{HOME}/cursors/orders", json={"watermark": later})
    problem(answer, 422, "invalid_watermark")


async def test_a_cursor_is_not_moved_under_a_running_job(api, start):
    await start()
    answer = await api.put(f"{HOME}/cursors/orders", json={"watermark": "2026-01-01T00:00:00Z"})
    problem(answer, 409, "job_running")


async def test_a_cursor_belongs_to_a_stream_in_scope(api, runner, migration):
    body = {"watermark": "2026-01-01T00:00:00Z"}
    answer = await api.put(f"{HOME}/cursors/inventory", json=body)
    problem(answer, 422, "stream_not_in_scope")
    problem(await api.put(f"{HOME}/cursors/sprockets", json=body), 422, "invalid_request")
    nowhere = await api.put("/v1/migrations/nowhere/cursors/orders", json=body)
    problem(nowhere, 404, "migration_not_found")
    problem(await runner.put(f"{HOME}/cursors/orders", json=body), 403, "missing_scope")


async def test_link_names_the_records_that_it_was_written_without(api, service, migration):
    await service.write(
        "INSERT INTO links (migration_id, stream, source_id, target_id, state, lost_references)"
        " SELECT id, 'orders', '7', '70', 'applied',"
        ' ARRAY[\'["customers","3",null]\', \'["products","4","5"]\'] FROM migrations'
    )
    (link,) = (await api.get(f"{HOME}/links")).json()["items"]
    assert link["lost_references"] == [
        {"stream": "customers", "source_id": "3", "child": None},
        {"stream": "products", "source_id": "4", "child": "5"},
    ]


async def test_links_are_looked_up_from_both_ends(api, service, migration):
    await service.write(
        "INSERT INTO links (migration_id, stream, source_id, target_id, state, losses)"
        " SELECT id, 'orders', '7', '70', 'applied', '{tax}'::text[] FROM migrations UNION ALL"
        " SELECT id, 'products', '7', '71', 'applied', NULL FROM migrations UNION ALL"
        " SELECT id, 'orders', '8', NULL, 'intent', NULL FROM migrations"
    )

    async def found(**query):
        items = (await api.get(f"{HOME}/links", params=query)).json()["items"]
        return [(each["stream"], each["source_id"], each["target_id"]) for each in items]

    assert await found(stream="orders", source_id="7") == [("orders", "7", "70")]
    assert await found(target_id="71") == [("products", "7", "71")]
    assert await found(source_id="7") == [("orders", "7", "70"), ("products", "7", "71")]
    assert await found(source_id="9") == []
    (link,) = (await api.get(f"{HOME}/links?source_id=8")).json()["items"]
    assert (link["state"], link["lost_references"]) == ("intent", [])
    problem(await api.get("/v1/migrations/nowhere/links"), 404, "migration_not_found")


async def test_quarantine_is_listed_with_filters(api, service, migration):
    await service.quarantine(migration, "orders", "1")
    await service.quarantine(migration, "orders", "2", status="resolved")
    await service.quarantine(migration, "products", "3", code="bad_price")

    async def ids(**query):
        items = (await api.get(f"{HOME}/quarantine", params=query)).json()["items"]
        return sorted(each["source_id"] for each in items)

    assert await ids() == ["1", "2", "3"]
    assert await ids(status="open") == ["1", "3"]
    assert await ids(stream="products") == ["3"]
    assert await ids(stream=["products", "orders"], status=["open", "resolved"]) == ["1", "2", "3"]
    assert await ids(code="bad_price") == ["3"]


async def test_it_is_told_when_a_record_is_tried_again_and_what_it_waits_for(
    api, service, migration
):
    waits_for = [Reference(Stream.CUSTOMERS, "9"), Reference(Stream.PRODUCTS, "7", "70")]
    soon = datetime(2026, 11, 26, 9, tzinfo=UTC)
    item = await service.quarantine(
        migration,
        "orders",
        "1",
        code="reference_missing",
        request_id="edge-9",
        next_at=soon,
        waits_for=[each.to_text() for each in waits_for],
    )
    shown = (await api.get(f"{HOME}/quarantine/{item}")).json()
    assert shown["next_at"] == "2026-11-26T09:00:00Z"
    assert shown["waits_for"] == [
        {"stream": "customers", "source_id": "9", "child": None},
        {"stream": "products", "source_id": "7", "child": "70"},
    ]
    assert (shown["request_id"], shown["attempts"]) == ("edge-9", 1)
    assert shown["first_at"] <= shown["last_at"]
    assert (await api.get(f"{HOME}/quarantine")).json()["items"] == [shown]


async def test_all_open_records_are_tried_again(api, service, migration):
    problem(await api.post(f"{HOME}/quarantine/retry"), 409, "nothing_to_retry")
    await service.quarantine(migration, "orders", "1")
    await service.quarantine(migration, "products", "2", status="waived")
    answer = await api.post(f"{HOME}/quarantine/retry")
    job = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/jobs/{job['id']}"
    assert (job["kind"], job["status"]) == ("recent", "running")
    (row,) = await service.rows("SELECT params FROM jobs")
    assert row["params"]["streams"] == ["orders"]
    assert row["params"]["options"] == {"only": "quarantine"}


async def test_a_streams_open_records_are_tried_again(api, service, migration):
    await service.quarantine(migration, "orders", "1")
    await service.quarantine(migration, "products", "2")
    answer = await api.post(f"{HOME}/quarantine/retry", json={"streams": ["products"]})
    assert answer.json()["params"]["streams"] == ["products"]
    body = {"streams": ["customers"]}
    problem(await api.post(f"{HOME}/quarantine/retry", json=body), 409, "nothing_to_retry")
    body = {"streams": ["inventory"]}
    problem(await api.post(f"{HOME}/quarantine/retry", json=body), 422, "stream_not_in_scope")


async def test_one_record_is_tried_again(api, service, migration):
    item = await service.quarantine(migration, "orders", "1")
    job = (await api.post(f"{HOME}/quarantine/{item}/retry")).json()
    assert job["params"]["options"] == {"only": "quarantine", "ids": [item]}
    assert job["params"]["streams"] == ["orders"]
    problem(await api.post(f"{HOME}/quarantine/{SOMETHING}/retry"), 404, "quarantine_not_found")


async def test_who_waived_a_record_and_why_is_kept(runner, service, migration):
    soon = datetime(2026, 11, 26, 9, tzinfo=UTC)
    item = await service.quarantine(migration, "orders", "1", next_at=soon)
    address = f"{HOME}/quarantine/{item}"
    waived = (await runner.post(f"{address}/waive", json={"reason": "A test order."})).json()
    prefix = service.keys["run"].split("_")[1]
    assert waived["status"] == "waived"
    assert waived["waived_by"] == f"tests ({prefix})"
    assert waived["waived_reason"] == "A test order."
    assert waived["waived_at"] is not None
    assert waived["next_at"] is None
    assert (await runner.get(address)).json() == waived
    again = await runner.post(f"{address}/waive", json={"reason": "Again."})
    problem(again, 409, "quarantine_not_open")
    problem(await runner.post(f"{address}/retry"), 409, "quarantine_not_open")


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": None}, {"reason": 7}])
async def test_waiving_needs_a_reason(api, service, migration, body):
    item = await service.quarantine(migration, "orders", "1")
    answer = await api.post(f"{HOME}/quarantine/{item}/waive", json=body)
    members = problem(answer, 422, "invalid_request")
    assert members["errors"][0]["pointer"] == "/reason"


async def test_a_record_belongs_to_its_migration(api, service, migration):
    item = await service.quarantine(migration, "orders", "1")
    body = {"slug": "other", "source": "new-shop", "target": "old-shop"}
    await api.post("/v1/migrations", json=body)
    answer = await api.get(f"/v1/migrations/other/quarantine/{item}")
    problem(answer, 404, "quarantine_not_found")
