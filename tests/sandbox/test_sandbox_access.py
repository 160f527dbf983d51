import base64
import time

import httpx
import pytest
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, SIGNATURE_TYPE_QUERY, Client

from sandbox.app import create_app
from sandbox.store import Key, StoreConfig

URL = "http://shop.test/wp-json/wc/v3/orders"
BASIC = "Basic " + base64.b64encode(b"ck_practice:cs_practice").decode()


@pytest.fixture
async def plain():
    app = create_app(StoreConfig())
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as http:
        yield http
    await app.close()


def signed(url=URL, method="GET", *, secret="cs_practice", **options):  # noqa: S107
    client = Client(
        "ck_practice", client_secret=secret, signature_method=SIGNATURE_HMAC_SHA256, **options
    )
    return client.sign(url, http_method=method)


async def test_basic_over_plain_http_is_refused(plain):
    answer = await plain.get(URL, headers={"Authorization": BASIC})
    assert answer.status_code == 401
    assert answer.json()["code"] == "woocommerce_rest_cannot_view"


async def test_keys_in_the_query_over_plain_http_are_refused(plain):
    answer = await plain.get(f"{URL}?consumer_key=ck_practice&consumer_secret=cs_practice")
    assert answer.status_code == 401
    assert answer.json()["code"] == "woocommerce_rest_cannot_view"


async def test_basic_works_behind_a_proxy_that_says_https(plain):
    headers = {"Authorization": BASIC, "X-Forwarded-Proto": "https"}
    assert (await plain.get(URL, headers=headers)).status_code == 200


async def test_oauth_signature_in_the_query_works_over_http(plain):
    url, _, _ = signed(f"{URL}?per_page=5&status=any", signature_type=SIGNATURE_TYPE_QUERY)
    assert (await plain.get(url)).status_code == 200


async def test_oauth_signature_in_the_header_works_over_http(plain):
    url, headers, _ = signed(f"{URL}?modified_after=2026-01-01T00:00:00&_fields=id,total")
    assert (await plain.get(url, headers=headers)).status_code == 200


async def test_oauth_works_for_writes_with_a_json_body(plain):
    url, headers, _ = signed(method="POST")
    answer = await plain.post(url, headers=headers, json={"status": "pending"})
    assert answer.status_code == 201


async def test_a_signature_with_the_wrong_secret_is_refused(plain):
    url, headers, _ = signed(secret="cs_other")
    answer = await plain.get(url, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["code"] == "woocommerce_rest_authentication_error"


async def test_a_signature_of_other_parameters_is_refused(plain):
    url, headers, _ = signed(f"{URL}?per_page=5")
    answer = await plain.get(url.replace("per_page=5", "per_page=6"), headers=headers)
    assert answer.status_code == 401


async def test_a_nonce_is_good_only_once(plain):
    url, headers, _ = signed()
    assert (await plain.get(url, headers=headers)).status_code == 200
    again = await plain.get(url, headers=headers)
    assert again.status_code == 401
    assert "nonce" in again.json()["message"]


async def test_an_old_timestamp_is_refused(plain):
    url, headers, _ = signed(timestamp=str(int(time.time()) - 3600))
    answer = await plain.get(url, headers=headers)
    assert answer.status_code == 401
    assert "timestamp" in answer.json()["message"]


async def test_a_wrong_key_says_so(shop):
    answer = await shop.http.get("/wp-json/wc/v3/orders", auth=("ck_other", "cs_practice"))
    assert answer.status_code == 401
    assert answer.json()["code"] == "woocommerce_rest_authentication_error"


async def test_a_read_key_may_not_write(open_shop):
    shop = open_shop(keys=(Key("ck_practice", "cs_practice", "read"),))
    assert (await shop.get("orders")).status_code == 200
    answer = await shop.post("orders", {"status": "pending"})
    assert answer.status_code == 401
    assert "write permissions" in answer.json()["message"]


async def test_the_index_tells_the_time_zone_to_anybody(plain):
    index = (await plain.get("/wp-json/")).json()
    assert index["timezone_string"] == "America/New_York"
    assert index["gmt_offset"] in (-5.0, -4.0)
    assert "wc/v3" in index["namespaces"]


async def test_the_version_is_in_the_system_status(shop):
    status = (await shop.get("system_status")).json()
    assert status["environment"]["version"] == "10.0.2"


async def test_an_unknown_route_is_404(shop):
    answer = await shop.get("nothing")
    assert answer.status_code == 404
    assert answer.json()["code"] == "rest_no_route"


async def test_v3_has_no_flat_variations_route_but_analytics_has(shop):
    assert (await shop.get("variations")).status_code == 404
    answer = await shop.http.get("/wp-json/wc-analytics/variations")
    assert answer.status_code == 200


async def test_links_and_permalinks_carry_http_behind_an_https_proxy(shop):
    for n in range(3):
        await shop.product(name=f"Mug {n}")
    answer = await shop.get("products", per_page=1, page=2)
    assert 'rel="prev"' in answer.headers["Link"]
    assert 'rel="next"' in answer.headers["Link"]
    assert "first" not in answer.headers["Link"]
    assert answer.headers["Link"].startswith("<http://shop.test/")
    assert answer.json()[0]["permalink"].startswith("http://shop.test/product/")
