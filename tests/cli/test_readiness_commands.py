"""The verdict on the command line: exit codes, files, and a saved verdict checked offline."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from junitparser import Failure, JUnitXml, Skipped
from selectolax.lexbor import LexborHTMLParser

from app.settings import Settings
from app.signing import Signer
from tests.cli.conftest import FakeService, Outcome

Run = Callable[..., Outcome]
ADDRESS = "GET /v1/migrations/spring/readiness"


def a_check(check: str, state: str = "passed", **members: Any) -> dict[str, Any]:
    return {
        "id": check,
        "title": f"Title of {check}",
        "severity": "blocker",
        "state": state,
        "stands_in_way": state in ("failed", "unknown"),
        "tolerated": False,
        "waived": None,
        "summary": f"What {check} <found> & saw",
        "examined": 10,
        "total": 100,
        "sample": "orders: all 10",
        "found": 0,
        "evidence": [],
        "seconds": 1.5,
        "at": "2026-11-25T10:00:00Z",
        **members,
    }


def a_verdict(verdict: str = "ready", *reasons: str, **members: Any) -> dict[str, Any]:
    return {
        "migration": "spring",
        "verdict": verdict,
        "summary": "1 of 3 checks stand in the way",
        "reasons": [{"code": each, "message": f"Because of {each}."} for each in reasons],
        "job": "7f3f7a52-2f5e-4a3e-bb0e-0f7f5c3e9a33",
        "verified_at": "2026-11-25T10:00:00Z",
        "expires_at": "2026-11-25T11:00:00Z",
        "launch_at": None,
        "asked_at": "2026-11-25T10:01:00Z",
        "watermarks": {"orders": "2026-11-25T09:59:00Z"},
        "configuration": {"migration_version": 3},
        "counts": {"orders": 18642},
        "digest": "5f0c",
        "checks": [a_check("preflight.stores")],
        "token": "t",
        **members,
    }


FAILED = a_check(
    "data.money",
    "failed",
    found=1,
    evidence=[
        {
            "message": "Source and target: 6.00 EUR / 6.01 EUR.",
            "stream": "orders",
            "source_id": "o<1>",
            "target_id": "77",
            "field": "total",
        }
    ],
)
WAIVED = a_check(
    "data.ids",
    "failed",
    stands_in_way=False,
    waived={
        "id": "c6d1a4de-92f4-4f0c-8f3e-8d5c1e2b7a10",
        "reason": "Agreed.\x07",
        "author": "launch (01)",
        "expires_at": "2026-11-28T06:00:00Z",
    },
)


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (a_verdict(), 0),
        (a_verdict("not_ready", "checks_failed"), 1),
        (a_verdict("stale", "source_moved"), 1),
        (a_verdict("stale", "source_unreachable"), 3),
    ],
)
def test_the_exit_code_is_the_verdict(
    service: FakeService, run: Run, found: dict[str, Any], code: int
):
    service.answers[ADDRESS] = (200, found)
    outcome = run("readiness", "-m", "spring", "--json")
    assert (outcome.code, outcome.document) == (code, found)
    shown = run("readiness", "-m", "spring")
    assert shown.code == code
    assert all(each["message"] in shown.err for each in found["reasons"])
    assert found["verdict"] in shown.out


def test_what_stands_in_the_way_is_shown_with_its_evidence(service: FakeService, run: Run):
    found = a_verdict("not_ready", "checks_failed", checks=[FAILED, WAIVED])
    service.answers[ADDRESS] = (200, found)
    shown = run("readiness", "-m", "spring")
    assert "data.money: orders o<1> total: Source and target: 6.00 EUR / 6.01 EUR." in shown.out
    assert "failed, waived" in shown.out


def test_findings_of_warnings_are_shown_unless_they_are_settled(service: FakeService, run: Run):
    evidence = [
        {"message": f"This {n}.", "stream": None, "source_id": None, "field": None}
        for n in range(9)
    ]
    warning = {"severity": "warning", "stands_in_way": False, "evidence": evidence}
    heard = a_check("effects.webhooks", "failed", **warning)
    put_up_with = a_check("urls.content", "failed", **warning | {"tolerated": True})
    found = a_verdict(checks=[heard, put_up_with])
    service.answers[ADDRESS] = (200, found)
    shown = run("readiness", "-m", "spring")
    assert (shown.code, shown.out.count("effects.webhooks: This ")) == (0, 5)
    assert "urls.content: " not in shown.out


def test_only_a_verdict_that_is_ready_holds_until_a_moment(service: FakeService, run: Run):
    for verdict in ("ready", "not_ready", "stale"):
        service.answers[ADDRESS] = (200, a_verdict(verdict))
        shown = run("readiness", "-m", "spring").out
        assert ("holds until" in shown) is (verdict == "ready")


def test_a_migration_has_to_be_named(service: FakeService, run: Run):
    assert run("readiness", "--json").code == 2
    service.answers[ADDRESS] = (404, {"code": "migration_not_found", "detail": "No."})
    assert run("readiness", "-m", "spring").code == 2


def test_a_service_that_is_away_is_no_verdict(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RECENT_SYNC_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("RECENT_SYNC_API_KEY", "rs_0123456789_x")
    monkeypatch.setattr("app.cli.client.PAUSE_SECONDS", 0.001)
    assert run("readiness", "-m", "spring").code == 3


def test_junit_has_a_case_for_each_check_and_one_for_the_verdict(
    service: FakeService, run: Run, tmp_path: Path
):
    skipped = a_check("data.doubled", "skipped")
    checks = [a_check("preflight.stores"), FAILED, WAIVED, skipped]
    found = a_verdict("not_ready", "checks_failed", checks=checks)
    service.answers[ADDRESS] = (200, found)
    file = tmp_path / "junit.xml"

    assert run("readiness", "-m", "spring", "--junit", str(file)).code == 1

    report = JUnitXml.fromfile(str(file))
    assert (report.tests, report.failures, report.skipped) == (5, 2, 2)
    cases = {case.classname: case for suite in report for case in suite}
    assert list(cases) == ["preflight.stores", "data.money", "data.ids", "data.doubled", "verdict"]
    [failure] = cases["data.money"].result
    assert isinstance(failure, Failure)
    assert failure.message == FAILED["summary"]
    assert "orders o<1> 77 total: Source and target: 6.00 EUR / 6.01 EUR." in failure.text
    [waived] = cases["data.ids"].result
    assert isinstance(waived, Skipped)
    assert "launch (01): Agreed." in waived.message
    assert cases["preflight.stores"].result == []
    assert cases["preflight.stores"].time == 1.5
    assert isinstance(cases["verdict"].result[0], Failure)


def test_what_xml_has_no_place_for_spoils_no_report(service: FakeService, run: Run, tmp_path: Path):
    odd = "a\x00b\x1bc\x85d\ufffe"
    evidence = {"message": odd, "stream": None, "source_id": odd, "target_id": None, "field": None}
    failing = a_check("data.ids", "failed", summary=odd, title=odd, sample=odd, evidence=[evidence])
    waived = a_check("data.money", "failed", stands_in_way=False, waived=WAIVED["waived"])
    waived["waived"] = waived["waived"] | {"reason": odd, "author": odd}
    found = a_verdict("not_ready", odd, summary=odd, checks=[failing, waived])
    service.answers[ADDRESS] = (200, found)
    file = tmp_path / "junit.xml"
    run("readiness", "-m", "spring", "--junit", str(file))
    [failure] = next(case.result for suite in JUnitXml.fromfile(str(file)) for case in suite)
    assert failure.message == "a\ufffdb\ufffdc\x85d\ufffd"


def test_the_page_is_one_file_and_escaped(service: FakeService, run: Run, tmp_path: Path):
    service.answers[ADDRESS] = (200, a_verdict("not_ready", "checks_failed", checks=[FAILED]))
    file = tmp_path / "verdict.html"
    run("readiness", "-m", "spring", "--html", str(file))
    tree = LexborHTMLParser(file.read_text())
    assert "Not ready" in tree.css_first("h1").text()
    assert [cell.text() for cell in tree.css("td")][:4] == ["orders", "o<1>", "77", "total"]
    assert tree.css_first("meta[name=viewport]") is not None
    assert not tree.css("link, script, img, [src], [href]")
    assert FAILED["summary"] in tree.body.text()
    assert "2026-11-25T09:59:00Z; 18642 records at the source" in tree.body.text()


def test_files_that_cannot_be_written_are_wrong_use(service: FakeService, run: Run, tmp_path: Path):
    service.answers[ADDRESS] = (200, a_verdict())
    nowhere = str(tmp_path / "nowhere" / "verdict")
    for option in ("--junit", "--html", "--save"):
        assert run("readiness", "-m", "spring", option, nowhere).code == 2


# --- a saved verdict -----------------------------------------------------------------------------

SIGNER = Signer([bytes(range(32))])


def signed(verdict: dict[str, Any], *, minutes: float = 60) -> dict[str, Any]:
    document = {name: value for name, value in verdict.items() if name != "token"}
    at = datetime.now(UTC) - timedelta(hours=2)
    until = datetime.now(UTC) + timedelta(minutes=minutes)
    return {**document, "token": SIGNER.sign(document, subject="spring", at=at, until=until)}


def saved(tmp_path: Path, document: Any) -> str:
    file = tmp_path / "verdict.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return str(file)


@pytest.fixture
def key(tmp_path: Path) -> str:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(SIGNER.published()))
    return str(file)


def test_a_saved_verdict_is_checked_offline(
    service: FakeService, run: Run, tmp_path: Path, key: str
):
    service.answers[ADDRESS] = (200, signed(a_verdict()))
    file = str(tmp_path / "verdict.json")
    assert run("readiness", "-m", "spring", "--save", file).code == 0
    asked = len(service.asked)
    outcome = run("readiness", "verify", file, "--key", key, "--json")
    assert (outcome.code, outcome.document["verdict"]) == (0, "ready")
    one = json.dumps(SIGNER.published()["keys"][0])
    assert run("readiness", "verify", file, "--key", one).code == 0
    token = signed(a_verdict())["token"]
    assert run("readiness", "verify", saved(tmp_path, token), "--key", key).code == 0
    assert len(service.asked) == asked


def test_a_verdict_holds_where_the_clock_is_behind(run: Run, tmp_path: Path, key: str):
    now = datetime.now(UTC)
    document = {name: value for name, value in a_verdict().items() if name != "token"}
    ahead, until = now + timedelta(seconds=30), now + timedelta(hours=1)
    token = SIGNER.sign(document, subject="spring", at=ahead, until=until)
    assert run("readiness", "verify", saved(tmp_path, token), "--key", key).code == 0


def test_a_verdict_that_does_not_hold_is_refused_offline(run: Run, tmp_path: Path, key: str):
    good = signed(a_verdict())
    changed = good | {"checks": []}
    bad_token = good | {"token": good["token"][:-4] + "AAAA"}
    late = signed(a_verdict(), minutes=-1)
    not_ready = signed(a_verdict("not_ready", "checks_failed"))
    for document, why in (
        (changed, "other things"),
        (bad_token, "not signed"),
        (late, "time has passed"),
        (not_ready, "not_ready"),
    ):
        outcome = run("readiness", "verify", saved(tmp_path, document), "--key", key)
        assert (outcome.code, why in outcome.err) == (1, True), outcome.err
    for asked, code in (("spring", 0), ("autumn", 1)):
        outcome = run("readiness", "verify", saved(tmp_path, good), "--key", key, "-m", asked)
        assert outcome.code == code
    other = json.dumps(Signer([bytes(32)]).published())
    assert run("readiness", "verify", saved(tmp_path, good), "--key", other).code == 1


def test_no_other_way_of_signing_is_believed(run: Run, tmp_path: Path, key: str):
    """Above all none, and a secret that everybody knows: the public key."""
    good = signed(a_verdict())["token"]
    claims = jwt.decode(good, options={"verify_signature": False})
    [public] = SIGNER.published()["keys"]
    kid = {"kid": public["kid"]}
    foreign = Ed25519PrivateKey.from_private_bytes(bytes(32))
    head, _, signature = good.split(".")
    body = jwt.encode(claims | {"sub": "autumn"}, "", algorithm="none").split(".")[1]
    for token in (
        jwt.encode(claims, "", algorithm="none", headers=kid),
        jwt.encode(claims, public["x"].ljust(32, "x"), algorithm="HS256", headers=kid),
        jwt.encode(claims, foreign, algorithm="EdDSA", headers=kid),
        jwt.encode(claims, foreign, algorithm="EdDSA", headers={"jwk": public}),
        f"{head}.{body}.{signature}",
        f"{head}.{body}.",
    ):
        outcome = run("readiness", "verify", saved(tmp_path, token), "--key", key)
        assert (outcome.code, "not signed" in outcome.err) == (1, True)


def test_what_cannot_be_read_is_wrong_use(
    run: Run, tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("RECENT_SYNC_ENCRYPTION_KEYS", raising=False)
    monkeypatch.delenv("RECENT_SYNC_SIGNING_KEY", raising=False)
    file = saved(tmp_path, signed(a_verdict()))
    assert run("readiness", "verify", str(tmp_path / "nowhere"), "--key", key).code == 2
    assert run("readiness", "verify", saved(tmp_path, "{"), "--key", key).code == 2
    assert run("readiness", "verify", saved(tmp_path, {"verdict": "ready"}), "--key", key).code == 2
    file = saved(tmp_path, signed(a_verdict()))
    assert run("readiness", "verify", file, "--key", "no key").code == 2
    assert run("readiness", "verify", file).code == 2


def test_the_service_s_own_machine_needs_no_key(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    secret = Fernet.generate_key().decode()
    monkeypatch.delenv("RECENT_SYNC_SIGNING_KEY", raising=False)
    monkeypatch.setenv("RECENT_SYNC_ENCRYPTION_KEYS", secret)
    own = Signer.from_settings(Settings())
    document = {name: value for name, value in a_verdict().items() if name != "token"}
    now = datetime.now(UTC)
    token = own.sign(document, subject="spring", at=now, until=now + timedelta(hours=1))
    file = saved(tmp_path, {**document, "token": token})
    assert run("readiness", "verify", file).code == 0
    monkeypatch.setenv("RECENT_SYNC_SIGNING_KEY", "too short")
    assert run("readiness", "verify", file).code == 2


# --- jobs and waivers ----------------------------------------------------------------------------


def test_verify_is_started_with_its_options(service: FakeService, run: Run, job: Any):
    service.answers["POST /v1/jobs"] = (202, job("queued", kind="verify"))
    chosen = ("--check", "data", "--check", "preflight.trust", "--sample", "5", "--seed", "x")
    assert run("run", "verify", "-m", "spring", *chosen, "--json").code == 0
    assert service.asked[-1].body == {
        "kind": "verify",
        "migration": "spring",
        "options": {"checks": ["data", "preflight.trust"], "sample": 5, "seed": "x"},
    }
    assert run("run", "verify", "-m", "spring", "--canary", "--json").code == 0
    assert service.asked[-1].body["options"] == {"canary": True}


def test_waivers_are_added_listed_and_removed(service: FakeService, run: Run):
    waiver = {
        "id": "c6d1a4de-92f4-4f0c-8f3e-8d5c1e2b7a10",
        "check": "data.money",
        "reason": "Agreed.",
        "author": "launch (01)",
        "records": ["7"],
        "created_at": "2026-11-27T09:00:00Z",
        "expires_at": "2026-11-28T06:00:00Z",
    }
    home = "/v1/migrations/spring/waivers"
    service.answers[f"POST {home}"] = (201, waiver)
    service.answers[f"GET {home}"] = (200, {"items": [waiver], "next": None})
    service.answers[f"DELETE {home}/{waiver['id']}"] = (204, "")
    given = ("-m", "spring", "--reason", "Agreed.", "--record", "7", "--until")
    assert run("waivers", "add", "data.money", *given, "2026-11-28T06:00:00Z").code == 0
    assert service.asked[-1].body == {
        "check": "data.money",
        "reason": "Agreed.",
        "expires_at": "2026-11-28T06:00:00+00:00",
        "records": ["7"],
    }
    assert run("waivers", "add", "data.money", *given, "tomorrow").code == 2
    assert run("waivers", "list", "-m", "spring", "--json").document == [waiver]
    assert run("waivers", "remove", waiver["id"], "-m", "spring").code == 0
