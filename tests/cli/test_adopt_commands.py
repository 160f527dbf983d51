from __future__ import annotations

HOME = "/v1/migrations/spring"
ITEM = {
    "id": "0d1b8f8e-6f0b-4f6e-9a55-5d2f0f6f9f10",
    "stream": "orders",
    "side": "source",
    "record_id": "5121",
    "other_id": None,
    "state": "ambiguous",
    "matched_by": "total_lines_email",
    "confidence": 0.75,
    "candidates": ["1201", "1202"],
    "label": "#5121 of 2026-10-02",
    "decision": None,
}
STATES = ("paired", "ambiguous", "source_only", "target_only", "doubled", "settled")
FILE = "stream,source_id,target_id,decision\r\norders,5121,1201,pair\r\n"


def test_an_adoption_is_started_with_its_baseline(service, run):
    service.answers["POST /v1/jobs"] = (202, {"id": "j"})
    options = ("--since", "2026-11-20T00:00:00Z", "--id-fields", "old_id, legacy", "--json")
    assert run("run", "adopt", "-m", "spring", *options).code == 0
    assert service.asked[0].body == {
        "kind": "adopt",
        "migration": "spring",
        "since": "2026-11-20T00:00:00+00:00",
        "options": {"id_fields": ["old_id", "legacy"]},
    }
    assert run("run", "adopt", "-m", "spring").code == 2


def test_what_was_found_and_what_differs_is_told(service, run):
    counts = dict.fromkeys(STATES, 3)
    drift = {"linked": 7, "unverified": 7, "differing": 2, "fields": {"total": 2}}
    drift |= {"kept": {}, "unsettled": {}}
    found = {"job_id": "j", "status": "succeeded", "since": "2026", "finished_at": "2026"}
    service.answers[f"GET {HOME}/adoption"] = (200, found | {"streams": {"orders": counts}})
    service.answers[f"GET {HOME}/drift"] = (200, {"as_of": None, "streams": {"orders": drift}})
    outcome = run("adopt", "status", "-m", "spring")
    assert outcome.code == 0
    assert "total" in outcome.out
    assert run("adopt", "status", "-m", "spring", "--json").document["drift"]["as_of"] is None


def test_records_are_listed_and_settled(service, run):
    service.answers[f"GET {HOME}/adoption/pairs"] = (200, {"items": [ITEM], "next": None})
    assert "5121" in run("adopt", "list", "-m", "spring").out
    assert "state=ambiguous" in service.asked[0].path
    where = f"PUT {HOME}/adoption/pairs/{ITEM['id']}"
    service.answers[where] = (200, ITEM | {"state": "paired"})
    options = ("--decision", "pair", "--other", "1201")
    assert run("adopt", "settle", ITEM["id"], "-m", "spring", *options).code == 0
    assert service.asked[1].body == {"decision": "pair", "other_id": "1201"}


def test_a_file_is_written_and_taken(service, run, tmp_path):
    service.answers[f"GET {HOME}/adoption.csv"] = (200, FILE, "text/csv; charset=utf-8")
    file = tmp_path / "open.csv"
    outcome = run("adopt", "export", "-m", "spring", "--to", str(file))
    assert (outcome.code, outcome.out) == (0, "")
    assert f"Wrote 1 records to {file}." in outcome.err.replace("\n", "")
    assert file.read_bytes() == FILE.encode()
    assert run("adopt", "export", "-m", "spring").out.splitlines() == FILE.splitlines()
    done = {"settled": 1, "unchanged": 0, "undecided": 0}
    service.answers[f"POST {HOME}/adoption.csv"] = (200, done)
    assert "Settled 1" in run("adopt", "import", str(file), "-m", "spring").out
    assert service.asked[-1].body == FILE.encode()
    assert service.asked[-1].headers["content-type"] == "text/csv"


def test_a_file_that_cannot_be_read_is_wrong_use(service, run, tmp_path):
    outcome = run("adopt", "import", str(tmp_path / "none.csv"), "-m", "spring")
    assert outcome.code == 2
    assert "cannot be read" in outcome.err
    refused = {"code": "invalid_adoption_file", "detail": "Nothing was taken: 1 places are wrong."}
    refused["errors"] = [{"pointer": "/2/decision", "detail": "One of pair, leave, ignore."}]
    service.answers[f"POST {HOME}/adoption.csv"] = (422, refused)
    file = tmp_path / "open.csv"
    file.write_text("x")
    outcome = run("adopt", "import", str(file), "-m", "spring")
    assert outcome.code == 2
    assert "/2/decision" in outcome.err


def test_a_job_that_adopts_ends_with_what_it_found(service, run, job):
    counts = {"read": 9, "adopted": 4, "unchanged": 1, "quarantined": 3}
    ended = job("completed_with_errors", kind="adopt")
    ended |= {"counters": {"orders": ended["totals"] | counts}}
    states = dict.fromkeys(STATES, 0) | {"paired": 51, "source_only": 17, "ambiguous": 3}
    found = {"job_id": ended["id"], "streams": {"orders": states}}
    service.answers[f"GET /v1/jobs/{ended['id']}"] = (200, ended)
    service.answers[f"GET {HOME}/adoption"] = (200, found)
    outcome = run("job", "wait", ended["id"])
    assert outcome.code == 1
    assert all(each in outcome.out for each in ("source_only", "51", "17"))
    assert "recent-sync adopt list -m spring" in outcome.err
    service.answers[f"GET {HOME}/adoption"] = (200, found | {"job_id": "a later one"})
    outcome = run("job", "show", ended["id"])
    assert "paired before" in outcome.out
    assert "17" not in outcome.out
