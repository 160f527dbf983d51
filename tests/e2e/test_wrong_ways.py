"""Ten ways to get it wrong, ten clear answers, over real connections."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import httpx
import pytest

from app.cli.demo.practice import Opening
from tests.e2e.conftest import Launch
from tests.fixtures.serving import serving

pytestmark = pytest.mark.e2e


@contextmanager
def web_server(content_type: str, body: bytes) -> Iterator[str]:
    """Something that is no shop. Yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with serving(Handler) as address:
        yield address


@pytest.fixture
def caller(launch: Launch) -> Iterator[httpx.Client]:
    key = launch.scene.key_file.read_text().strip()
    with httpx.Client(
        base_url=launch.scene.api.url,
        headers={"Authorization": f"Bearer {key}"},
        trust_env=False,
        timeout=60,
    ) as client:
        yield client


def checked(caller: httpx.Client, name: str, url: str, key: str = "ck_x") -> dict[str, Any]:
    """What the check of a store with this address says of it as a source."""
    body = {
        "name": name,
        "platform": "woocommerce",
        "settings": {"url": url},
        "credentials": {"consumer_key": key, "consumer_secret": "cs_x"},
    }
    made = caller.post("/v1/stores", json=body)
    assert made.status_code == 201, made.text
    answer = caller.post(f"/v1/stores/{name}/check")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    assert found["ok"] is False
    return dict(found["source"])


def refused(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def test_bad_address(caller: httpx.Client) -> None:
    body = {
        "name": "bad",
        "platform": "woocommerce",
        "settings": {"url": "htp:/shop"},
        "credentials": {"consumer_key": "ck_x", "consumer_secret": "cs_x"},
    }
    answer = caller.post("/v1/stores", json=body)
    assert refused(answer) == (422, "invalid_store_settings")
    assert answer.json()["errors"][0]["pointer"] == "/settings/url"


def test_wrong_key_of_a_store(caller: httpx.Client, launch: Launch) -> None:
    found = checked(caller, "wrong-key", launch.scene.source.url)
    assert found["code"] == "store_unauthorized"


def test_not_a_woocommerce(caller: httpx.Client) -> None:
    with web_server("application/json", b'{"name": "Blog", "namespaces": ["wp/v2"]}') as address:
        found = checked(caller, "blog", address)
    assert found["code"] == "store_not_woocommerce"


def test_html_instead_of_json(caller: httpx.Client) -> None:
    with web_server("text/html", b"<html>Coming soon</html>") as address:
        found = checked(caller, "html", address)
    assert found["code"] == "store_not_json"


def test_no_tls_where_it_should_be(caller: httpx.Client, launch: Launch) -> None:
    found = checked(caller, "tls", launch.scene.source.url.replace("http://", "https://"))
    assert found["code"] == "store_tls_error"


def test_unknown_stream(caller: httpx.Client) -> None:
    body = {"kind": "full", "migration": "spring", "streams": ["invoices"]}
    answer = caller.post("/v1/jobs", json=body)
    assert refused(answer) == (422, "invalid_request")
    assert answer.json()["errors"][0]["pointer"] == "/streams/0"


def test_empty_shop(caller: httpx.Client, launch: Launch) -> None:
    scene = launch.scene
    empty = Opening(scene.supervisor, "C", scene.folder / "c", timezone="UTC").opened()
    for name, store in (("empty", empty), ("aim", scene.target)):
        body = {
            "name": name,
            "platform": "woocommerce",
            "settings": {"url": store.url},
            "credentials": {
                "consumer_key": store.keys.consumer_key,
                "consumer_secret": store.keys.consumer_secret,
            },
        }
        assert caller.post("/v1/stores", json=body).status_code == 201
    body = {"slug": "empty", "source": "empty", "target": "aim"}
    assert caller.post("/v1/migrations", json=body).status_code == 201
    view = Launch(scene, "empty").run("full", streams=["products", "orders"])
    empty.close()
    assert view["status"] == "completed_with_errors"
    assert view["error"]["code"] == "source_empty"


def test_body_of_ten_megabytes(caller: httpx.Client) -> None:
    answer = caller.post(
        "/v1/stores",
        content=b'{"name": "' + b"x" * 10_000_000 + b'"}',
        headers={"Content-Type": "application/json"},
    )
    assert refused(answer) == (413, "body_too_large")


def test_invalid_utf_8(caller: httpx.Client) -> None:
    answer = caller.post(
        "/v1/stores", content=b'{"name": "\xff"}', headers={"Content-Type": "application/json"}
    )
    assert refused(answer) == (400, "invalid_encoding")


def test_expired_key(caller: httpx.Client) -> None:
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    made = caller.post(
        "/v1/api-keys", json={"name": "short", "scopes": ["read"], "expires_at": soon}
    )
    assert made.status_code == 201, made.text
    key = next(value for value in made.json().values() if str(value).startswith("rs_"))
    deadline = datetime.now(UTC) + timedelta(seconds=5)
    while datetime.now(UTC) < deadline:
        answer = caller.get("/v1/jobs", headers={"Authorization": f"Bearer {key}"})
        if answer.status_code == 401:
            break
    assert refused(answer) == (401, "key_expired")
