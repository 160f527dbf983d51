"""The store as a process of its own."""

import asyncio
import json
import os
import signal
import sys

import httpx
import pytest
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, Client


@pytest.fixture
async def server(tmp_path):
    """A running store; gives its address, its process and its ready file."""
    ready = tmp_path / "ready.json"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sandbox",
        "--data",
        str(tmp_path / "store"),
        "--timezone",
        "Europe/Berlin",
        "--wc-version",
        "10.9.1",
        "--ready-file",
        str(ready),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "SANDBOX_KEY": "ck_env", "SANDBOX_SECRET": "cs_env"},
    )
    line = await asyncio.wait_for(process.stdout.readline(), 30)
    yield json.loads(line)["url"], process, ready
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 15)


def sign(url, method="GET"):
    client = Client("ck_env", client_secret="cs_env", signature_method=SIGNATURE_HMAC_SHA256)
    _, headers, _ = client.sign(url, http_method=method)
    return headers


async def test_a_server_says_where_it_is_serves_and_drops_connections(server):
    url, process, ready = server
    assert json.loads(ready.read_text())["url"] == url
    orders = f"{url}/wp-json/wc/v3/orders"
    async with httpx.AsyncClient() as http:
        assert (await http.get(f"{url}/wp-json/")).json()["timezone_string"] == "Europe/Berlin"
        status = f"{url}/wp-json/wc/v3/system_status"
        told = (await http.get(status, headers=sign(status))).json()
        assert told["environment"]["version"] == "10.9.1"
        made = await http.post(orders, headers=sign(orders, "POST"), json={"created_via": "x:1"})
        assert made.status_code == 201
        assert made.json()["payment_url"].startswith(f"{url}/checkout/")
        assert made.headers.get_list("Date") == [made.headers["Date"]]
        await http.put(f"{url}/_control/faults", json={"timeout_after": {"probability": 1}})
        with pytest.raises(httpx.RemoteProtocolError):
            await http.post(orders, headers=sign(orders, "POST"), json={"created_via": "x:2"})
        await http.put(
            f"{url}/_control/faults",
            json={"all": None, "timeout_before": {"probability": 1, "hold": 30}},
        )
        with pytest.raises(httpx.ReadTimeout):
            await http.get(orders, headers=sign(orders), timeout=0.3)
        await http.put(f"{url}/_control/faults", json={"all": None})
        found = await http.get(orders, headers=sign(orders))
        assert {order["created_via"] for order in found.json()} == {"x:1", "x:2"}
    process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(process.wait(), 15)
