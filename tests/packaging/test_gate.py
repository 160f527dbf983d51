"""The launch gate in pipelines: each recipe is run as it is written."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fixtures.serving import serving

ROOT = Path(__file__).resolve().parents[2]
KEY = "rs_0123456789_a-secret-of-this-test"
JOB = "7f3f7a52-2f5e-4a3e-bb0e-0f7f5c3e9a33"
RECENT = "run recent --migration spring --wait --timeout 30m --cutover"
VERIFY = "run verify --migration spring --wait --timeout 30m"
READINESS = "readiness --migration spring"

FAKE = """#!/bin/sh
echo "$*" >> "{log}"
case "$*" in
    "run recent"*) exit ${{RECENT_CODE:-0}} ;;
    "run verify"*) exit ${{VERIFY_CODE:-0}} ;;
    readiness*) exit ${{READINESS_CODE:-0}} ;;
esac
exit 99
"""


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    """A folder with a `recent-sync` that notes what it was asked for and fails as told."""
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "recent-sync"
    program.write_text(FAKE.format(log=tmp_path / "asked"))
    program.chmod(0o755)
    return programs


def asked(fake: Path) -> list[str]:
    log = fake.parent / "asked"
    return log.read_text().splitlines() if log.exists() else []


def run(*command: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    path = variables.pop("PATH", os.environ["PATH"])
    return subprocess.run(
        command,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": path, "HOME": str(cwd), **variables},
    )


def gate(fake: Path, **variables: str) -> int:
    path = f"{fake}:{os.environ['PATH']}"
    given = {"GATE_MIGRATION": "spring", **variables}
    return run("sh", str(ROOT / "scripts/gate.sh"), cwd=fake.parent, PATH=path, **given).returncode


def test_a_ready_launch_passes(fake):
    assert gate(fake, GATE_JUNIT="checks.xml", GATE_HTML="page.html", GATE_KEY="try-1") == 0
    assert asked(fake) == [
        f"{RECENT} --idempotency-key try-1-recent",
        f"{VERIFY} --idempotency-key try-1-verify",
        f"{READINESS} --junit checks.xml --html page.html",
    ]


def test_what_did_not_end_well_is_judged_all_the_same_and_fails(fake):
    assert gate(fake, RECENT_CODE="1") == 1
    assert asked(fake) == [RECENT, VERIFY, READINESS]


@pytest.mark.parametrize("code", [1, 2, 3, 4])
def test_the_verdicts_exit_code_is_passed_on(fake, code):
    assert gate(fake, READINESS_CODE=str(code)) == code


@pytest.mark.parametrize("code", [2, 3, 4, 130])
def test_what_could_not_run_ends_the_gate(fake, code):
    assert gate(fake, RECENT_CODE=str(code)) == code
    assert asked(fake) == [RECENT]


def test_steps_can_be_chosen(fake):
    assert gate(fake, GATE_STEPS="verify readiness", VERIFY_CODE="1") == 1
    assert asked(fake) == [VERIFY, READINESS]
    assert gate(fake, GATE_STEPS="readiness") == 0
    assert gate(fake, GATE_STEPS="dance") == 2
    assert gate(fake, GATE_MIGRATION="") == 2
    assert asked(fake) == [VERIFY, READINESS, READINESS]


# --- GitHub, GitLab ----------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 1, 4])
def test_the_action_runs_the_gate(fake, tmp_path, code):
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    (step,) = [each for each in action["runs"]["steps"] if each.get("id") == "gate"]
    inputs = {name: each.get("default", "") for name, each in action["inputs"].items()}
    inputs |= {"url": "http://127.0.0.1:1", "api-key": KEY, "migration": "spring"}
    values = {f"inputs.{name}": value for name, value in inputs.items()}
    values |= {"github.action_path": str(ROOT), "github.repository": "us/shop"}
    values |= {"github.run_id": "7", "github.run_attempt": "1", "github.action": "gate"}
    given = {}
    for name, text in step["env"].items():
        for expression, value in values.items():
            text = text.replace("${{ " + expression + " }}", value)  # noqa: PLW2901
        assert "${{" not in text, name
        given[name] = text
    assert "${{" not in step["run"], "an input must not become part of the script"
    (tmp_path / "recent-sync").mkdir()
    fake.rename(tmp_path / "recent-sync" / "bin")
    output = tmp_path / "output"
    script = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"])
    done = run(
        *script,
        cwd=tmp_path,
        RUNNER_TEMP=str(tmp_path),
        GITHUB_OUTPUT=str(output),
        READINESS_CODE=str(code),
        **given,
    )
    assert done.returncode == code, done.stderr
    assert output.read_text() == f"exit-code={code}\n"
    assert asked(fake) == [
        f"{RECENT} --idempotency-key us/shop-7-1-gate-recent",
        f"{VERIFY} --idempotency-key us/shop-7-1-gate-verify",
        f"{READINESS} --junit recent-sync.xml --html recent-sync.html",
    ]
    assert KEY not in done.stdout + done.stderr + "".join(asked(fake))


@pytest.mark.parametrize("code", [0, 1])
def test_the_gitlab_job_runs_the_gate(fake, tmp_path, code):
    (job,) = yaml.safe_load((ROOT / "examples/gitlab-ci.yml").read_text()).values()
    given = {
        name: value.replace("$CI_PROJECT_PATH", "us/shop").replace("$CI_JOB_ID", "9")
        for name, value in job["variables"].items()
    }
    done = run(
        "bash", "-eo", "pipefail", "-c", "\n".join(job["script"]),
        cwd=tmp_path,
        PATH=f"{fake}:{os.environ['PATH']}",
        GATE_SOURCE=str(ROOT),
        READINESS_CODE=str(code),
        **given | {"GATE_MIGRATION": "spring"},
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert asked(fake)[-1] == f"{READINESS} --junit recent-sync.xml --html recent-sync.html"
    assert job["artifacts"]["reports"]["junit"] == given["GATE_JUNIT"]


# --- curl --------------------------------------------------------------------------------------


class Api:
    """The API as far as the recipe asks for it. `answers` by method and path, one after the other;
    the last one stays.
    """

    def __init__(self) -> None:
        self.answers: dict[str, list[tuple[int, Any]]] = {}
        self.asked: list[tuple[str, Any, dict[str, str]]] = []
        self.url = ""

    def job(self, kind: str, *states: str) -> None:
        first, *rest = [self._job(kind, each) for each in states]
        self.answers.setdefault("POST /v1/jobs", []).append((202, first))
        self.answers.setdefault(f"GET /v1/jobs/{JOB}-{kind}", []).extend(
            (200, each) for each in rest
        )

    def _job(self, kind: str, state: str) -> dict[str, Any]:
        return {"id": f"{JOB}-{kind}", "kind": kind, "migration": "spring", "status": state}

    def verdict(self, verdict: str) -> None:
        document = {"migration": "spring", "verdict": verdict, "checks": [{"id": "data.money"}]}
        self.answers["GET /v1/migrations/spring/readiness"] = [(200, document)]


@pytest.fixture
def api() -> Iterator[Api]:
    found = Api()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            what = f"{self.command} {self.path}"
            found.asked.append((what, body, dict(self.headers.items())))
            left = found.answers.get(what) or [(404, {"code": "not_found", "detail": "Not there."})]
            status, document = left.pop(0) if len(left) > 1 else left[0]
            text = json.dumps(document, separators=(",", ":")).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = _answer  # noqa: N815

    with serving(Handler) as found.url:
        yield found


def curl_gate(api: Api, tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    given = {"RECENT_SYNC_URL": api.url, "RECENT_SYNC_API_KEY": KEY, "GATE_MIGRATION": "spring"}
    recipe = str(ROOT / "examples/gate-curl.sh")
    return run("sh", recipe, cwd=tmp_path, **given | {"GATE_KEY": "try-1"} | variables)


def test_curl_alone_asks_what_the_gate_asks(api, tmp_path):
    api.job("recent", "queued", "running", "succeeded")
    api.job("verify", "succeeded")
    api.verdict("ready")
    done = curl_gate(api, tmp_path)
    assert done.returncode == 0, done.stderr
    assert [what for what, _, _ in api.asked] == [
        "POST /v1/jobs",
        *[f"GET /v1/jobs/{JOB}-recent"] * 2,
        "POST /v1/jobs",
        "GET /v1/migrations/spring/readiness",
    ]
    (_, first, headers), *_ = api.asked
    assert first == {"kind": "recent", "migration": "spring", "cutover": True}
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert headers["Idempotency-Key"] == "try-1-recent"
    assert KEY not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("recent", "verdict", "code"),
    [
        ("succeeded", "not_ready", 1),
        ("succeeded", "stale", 1),
        ("completed_with_errors", "ready", 1),
    ],
)
def test_curl_alone_stops_a_launch(api, tmp_path, recent, verdict, code):
    api.job("recent", recent)
    api.job("verify", "succeeded")
    api.verdict(verdict)
    assert curl_gate(api, tmp_path).returncode == code


def test_curl_alone_takes_the_steps_it_is_given(api, tmp_path):
    api.job("verify", "succeeded")
    api.verdict("ready")
    assert curl_gate(api, tmp_path, GATE_STEPS="verify readiness").returncode == 0
    ready = "GET /v1/migrations/spring/readiness"
    assert [what for what, _, _ in api.asked] == ["POST /v1/jobs", ready]
    assert curl_gate(api, tmp_path, GATE_STEPS="readiness").returncode == 0
    assert [what for what, _, _ in api.asked[2:]] == [ready]
    assert curl_gate(api, tmp_path, GATE_STEPS="dance").returncode == 2


def test_curl_alone_tells_wrong_use_silence_and_waiting_apart(api, tmp_path):
    refused = curl_gate(api, tmp_path)
    assert (refused.returncode, "Not there." in refused.stderr) == (2, True)
    assert curl_gate(api, tmp_path, GATE_MIGRATION="").returncode == 2
    api.job("recent", "running", "running")
    assert curl_gate(api, tmp_path, GATE_SECONDS="0").returncode == 4
    api.answers["POST /v1/jobs"] = [(500, {"code": "internal_error", "detail": "No."})]
    assert curl_gate(api, tmp_path, GATE_RETRIES="0").returncode == 3
