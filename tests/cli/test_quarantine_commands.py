"""What `recent-sync quarantine` prints and sends."""

from __future__ import annotations

HOME = "/v1/migrations/spring/quarantine"
ITEM = {
    "id": "e2b8f1c4-51d3-4a07-9a57-0c5b2d7e8f44",
    "stream": "orders",
    "source_id": "1",
    "status": "open",
    "code": "reference_missing",
    "message": "[bold]no[/bold] [/]",
    "request_id": "edge-9",
    "attempts": 3,
    "next_at": "2026-11-26T09:00:00Z",
    "waits_for": [
        {"stream": "customers", "source_id": "9", "child": None},
        {"stream": "products", "source_id": "7", "child": "70"},
    ],
    "first_at": "2026-11-26T07:00:00Z",
    "last_at": "2026-11-26T08:00:00Z",
}


def test_open_records_are_listed_with_what_they_wait_for(service, run):
    service.answers[f"GET {HOME}"] = (200, {"items": [ITEM], "next": None})

    outcome = run("quarantine", "list", "-m", "spring", "--code", "reference_missing")

    assert outcome.code == 0
    assert "code=reference_missing" in service.asked[0].path
    assert "status=open" in service.asked[0].path
    assert "[bold]no" in outcome.out, "text from a store is no markup"
    assert "customers 9" in outcome.out
    assert run("quarantine", "list", "-m", "spring", "--json").document == [ITEM]


def test_a_record_is_shown_with_all_that_is_known(service, run):
    service.answers[f"GET {HOME}/{ITEM['id']}"] = (200, ITEM)

    outcome = run("quarantine", "show", ITEM["id"], "-m", "spring")

    assert outcome.code == 0
    assert "edge-9" in outcome.out
    assert "2026-11-26T07:00:00Z" in outcome.out
    assert "customers 9, products 7 70" in outcome.out
    assert run("quarantine", "show", ITEM["id"], "-m", "spring", "--json").document == ITEM


def test_a_record_is_waived_with_a_reason(service, run):
    service.answers[f"POST {HOME}/{ITEM['id']}/waive"] = (200, ITEM | {"status": "waived"})

    outcome = run("quarantine", "waive", ITEM["id"], "-m", "spring", "--reason", "A test order.")

    assert service.asked[0].body == {"reason": "A test order."}
    assert outcome.out == "Waived orders 1.\n"
