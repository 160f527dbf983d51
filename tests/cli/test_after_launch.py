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
    assert "cursor=more" in service.asked[-1].path
    with sheet.open(newline="") as lines:
        assert [row[6] for row in csv.reader(lines)] == ["sku", "MUG-1", "MUG-1"]
