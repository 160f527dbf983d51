"""Commands for the time after a launch."""

import csv

SOLD = {
    "id": "9",
    "number": "9",
    "status": "processing",
    "created_at": "2026-11-27T18:04:11Z",
    "currency": "GBP",
    "total": "48",
    "lines": [{"sku": "MUG-1", "name": "Mug", "quantity": 4, "total": "40"}],
}
HOME = "/v1/migrations/spring/sold-meanwhile"


def test_stragglers_are_a_schedule(service, run):
    made = {"id": "x", "name": "stragglers", "next": []}
    service.answers["POST /v1/schedules"] = (201, made)
    outcome = run("run", "stragglers", "-m", "spring", "--until", "launch+3d", "--json")
    assert outcome.document == made
    assert service.asked[-1].body == {
        "migration": "spring",
        "name": "stragglers",
        "every": "5m",
        "until": "launch+3d",
        "job": {"kind": "recent", "options": {"stragglers": True}},
    }


def test_what_was_sold_is_read_to_its_end(service, run, tmp_path):
    more = {"items": [SOLD], "next": "more", "undecided": 0}
    service.answers[f"GET {HOME}"] = [(200, more), (200, more | {"next": None, "undecided": 2})]
    sheet = tmp_path / "sold.csv"
    outcome = run("migration", "sold-meanwhile", "spring", "--csv", str(sheet), "--json")
    assert outcome.document == [SOLD, SOLD]
    assert "2 orders are not confirmed" in outcome.err
    assert f"Wrote 2 orders to {sheet}." in " ".join(outcome.err.split())
    assert "cursor=more" in service.asked[-1].path
    with sheet.open(newline="") as lines:
        assert [row[6] for row in csv.reader(lines)] == ["sku", "MUG-1", "MUG-1"]


LATE = {"source_id": "8", "target_id": "71", "imported_at": "2026-11-27T18:15:02.123456Z"}
LATE |= {"applied_at": "2026-11-27T18:15:02.123456Z"} | SOLD
LATE_HOME = "/v1/migrations/spring/late-orders"


def test_late_orders_are_read_to_their_end_and_written(service, run, tmp_path):
    more = {"items": [LATE], "next": "more", "since": "2026-11-27T17:52:30Z"}
    service.answers[f"GET {LATE_HOME}"] = [(200, more), (200, more | {"next": None})]
    sheet = tmp_path / "late.csv"
    outcome = run("migration", "late-orders", "spring", "--csv", str(sheet))
    assert (outcome.code, outcome.out) == (0, "")
    assert "2 orders came since 2026-11-27T17:52:30Z" in outcome.err
    with sheet.open(newline="") as lines:
        rows = list(csv.reader(lines))
    assert rows[0][:3] == ["order", "old_order", "imported_at"]
    assert [(row[0], row[1], row[8], row[10]) for row in rows[1:]] == [
        ("71", "8", "MUG-1", "4")
    ] * 2


def test_late_orders_can_be_those_that_changed_without_asking_the_old_shop(service, run):
    page = {"items": [LATE], "next": None, "since": "2026-11-27T17:52:30Z"}
    service.answers[f"GET {LATE_HOME}"] = (200, page)
    options = ("--changed", "--no-details", "--since", "launch")
    outcome = run("migration", "late-orders", "spring", *options)
    assert "2026-11-27T18:15:02Z" in outcome.out
    assert "1 orders changed" in outcome.err
    asked = service.asked[-1].path
    assert all(each in asked for each in ("changed=true", "details=false", "since=launch"))


def test_a_sheet_that_cannot_be_written_asks_nobody(service, run, tmp_path):
    for command in ("late-orders", "sold-meanwhile"):
        outcome = run("migration", command, "spring", "--csv", str(tmp_path / "none" / "a.csv"))
        assert outcome.code == 2
        assert "cannot be written" in outcome.err
    assert service.asked == []
