"""One POST to an endpoint: where it may go, and what comes of it."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address

import httpx
import pytest

from app.addresses import is_public
from tests.service.answers import problem
from tests.service.hooks import endpoint
from workers.posting import Poster, poster

PUBLIC = "https://hooks.example.com/recent-sync"


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("192.168.0.1", False),
        ("172.16.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::5db8:d822", True),
        ("2002:7f00:1::", False),
        ("2002:a00:1::", False),
    ],
)
def test_addresses_inside_a_network_are_not_public(address, public):
    assert is_public(ip_address(address)) is public


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://localhost/",
        "https://redis.internal/",
        "https://169.254.169.254/latest/meta-data",
        "https://user:word@hooks.example.com/",
        "https://hooks.example.com/#part",
        "https://[nonsense/",
        "https://hooks.example.com:99999/",
    ],
)
async def test_what_may_not_be_reached_is_refused(api, migration, url):
    body = {"url": url, "events": ["job.ended"]}
    problem(await api.post("/v1/webhooks", json=body), 422, "invalid_webhook")


async def test_a_name_that_leads_inside_is_refused_when_it_is_looked_up(hook):
    url = hook.url.replace("127.0.0.1", "localhost")
    async with poster(private=False) as post:
        assert (await post.post(url, {}, b"{}")).code == "not_https"
        secure = url.replace("http:", "https:")
        assert (await post.post(secure, {}, b"{}")).code == "address_not_public"
    assert hook.got == []
    async with poster(private=True) as post:
        assert (await post.post(url, {"webhook-id": "x"}, b"{}")).status == 204
    assert hook.got[0][0]["host"].startswith("localhost:")


async def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch):
    """A name that answers differently a second time gains nothing by it."""
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(204)

    async def look_up(host, port, **_):
        return [(2, 1, 6, "", ("10.0.0.7", port)), (2, 1, 6, "", ("93.184.216.34", port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up, raising=False)
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        outcome = await Poster(client, private=False).post(PUBLIC, {}, b"{}")
    assert outcome.delivered
    (request,) = asked
    assert request.url.host == "93.184.216.34"
    assert request.headers["host"] == "hooks.example.com"
    assert request.extensions["sni_hostname"] == "hooks.example.com"


async def test_redirects_are_not_followed(hook, post):
    with endpoint() as other:
        hook.answers, hook.headers = [302], {"location": other.url}
        outcome = await post.post(hook.url, {}, b"{}")
        assert (outcome.status, outcome.delivered) == (302, False)
        assert other.got == []


async def test_what_cannot_be_reached_is_an_outcome(post):
    with endpoint() as closed:
        url = closed.url
    assert (await post.post(url, {}, b"{}")).code == "connection_failed"
    assert (await post.post("http://[::1]:1/", {}, b"{}")).code == "connection_failed"
    assert (await post.post("http://nowhere.invalid/", {}, b"{}")).code == "name_not_found"
