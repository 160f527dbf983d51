"""Addresses, keys, signatures, and the check of a store before it is used."""

from __future__ import annotations

import itertools
import json
from typing import Any

import httpx
import pytest
from oauthlib.common import Request
from oauthlib.oauth1.rfc5849 import signature
from pydantic import ValidationError

from connectors.base import StoreAccess, TaxBasis
from connectors.errors import BadAnswer, SignInAgain, StoreError, Unreachable
from connectors.registry import AccessError, access
from connectors.woocommerce import CONNECTOR
from connectors.woocommerce.api import open_api
from connectors.woocommerce.oauth import OAuth1
from connectors.woocommerce.settings import WooCommerceSettings
from connectors.woocommerce.source import WooCommerceSource
from connectors.woocommerce.wordpress import examine_keys, zone
from tests.connectors.practice import Practice, practice

KEY, SECRET = "ck_7", "cs_geheim"


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://shop.example", "https://shop.example"),
        ("https://shop.example/", "https://shop.example"),
        ("https://shop.example/de/wp-json/", "https://shop.example/de"),
        (" http://shop.example:8080/x ", "http://shop.example:8080/x"),
    ],
)
def test_addresses_are_brought_into_one_form(given: str, url: str):
    assert WooCommerceSettings(url=given).url == url


@pytest.mark.parametrize(
    "url",
    [
        "shop.example",
        "ftp://shop.example",
        "https://",
        "https://ann:pw@shop.example",
        "https://shop.example?key=1",
        "https://shop.example#top",
        "https://shop.example:99999",
        "https://[::1",
        "",
    ],
)
def test_what_is_no_address_is_refused(url: str):
    with pytest.raises(ValidationError):
        WooCommerceSettings(url=url)


@pytest.mark.parametrize(
    ("url", "auth", "oauth"),
    [
        ("https://a.test", "auto", False),
        ("http://a.test", "auto", True),
        ("https://a.test", "oauth1", True),
        ("http://a.test", "basic", False),
    ],
)
def test_plain_http_is_signed_and_https_is_not_unless_wanted(url: str, auth: Any, oauth: bool):
    assert WooCommerceSettings(url=url, auth=auth).signs_by_oauth is oauth


def test_problems_of_access_name_fields_and_hide_values():
    with pytest.raises(AccessError) as caught:
        access("woocommerce", {"url": "no address"}, {"consumer_key": SECRET})
    assert [path for path, _ in caught.value.problems] == [
        "settings.url",
        "credentials.consumer_secret",
    ]
    assert SECRET not in str(caught.value)


def test_credentials_hide_themselves():
    credentials = CONNECTOR.credentials(consumer_key=KEY, consumer_secret=SECRET)
    assert SECRET not in repr(credentials)
    assert SECRET not in credentials.model_dump_json()


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"sku": "a,b c/ü&é", "per_page": 100},
        {"email": "ann+test@example.test", "role": "all"},
        {"modified_after": "2026-03-29T00:59:58", "dates_are_gmt": "true"},
        {"created_via": "m1:orders:1,m1:orders:2", "status": "any"},
    ],
)
def test_a_signature_is_one_that_a_server_accepts(query: dict[str, Any]):
    plain = httpx.Request("GET", "http://shop.test/de/wp-json/wc/v3/orders", params=query or None)
    [signed] = OAuth1(KEY, SECRET).auth_flow(plain)
    sent = Request(str(signed.url), http_method="GET")
    sent.params = signature.collect_parameters(uri_query=signed.url.query.decode())
    sent.signature = signed.url.params["oauth_signature"]
    assert signature.verify_hmac_sha256(sent, client_secret=SECRET)
    assert {name: str(value) for name, value in query.items()}.items() <= dict(
        signed.url.params
    ).items()
    assert SECRET not in str(signed.url)


def test_no_signature_is_used_twice():
    auth = OAuth1(KEY, SECRET)
    urls = set()
    for _ in range(3):
        [signed] = auth.auth_flow(httpx.Request("GET", "http://shop.test/x"))
        urls.add(signed.url.params["oauth_nonce"])
    assert len(urls) == 3


# --- checking a store ----------------------------------------------------------------------------


_numbers = itertools.count(1)


def answering(handler: Any, **settings: Any) -> WooCommerceSource:
    """A source on a store of one function."""
    url = f"https://answering-{next(_numbers)}.test"
    opened = StoreAccess(
        CONNECTOR.settings(url=url, **settings),
        CONNECTOR.credentials(consumer_key=KEY, consumer_secret=SECRET),
    )

    async def no_wait(_: float) -> None:
        return

    transport = httpx.MockTransport(handler)
    return WooCommerceSource(opened, open_api(opened, transport=transport, sleep=no_wait))


def always(status: int, text: str, kind: str = "application/json") -> Any:
    def handler(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, text=text, headers={"content-type": kind})

    return handler


def refusing(error: Exception) -> Any:
    def handler(_: httpx.Request) -> httpx.Response:
        raise error

    return handler


def with_index(index: Any, rest: httpx.Response) -> Any:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/wp-json/":
            assert "authorization" not in request.headers
            return httpx.Response(200, json=index)
        return rest

    return handler


@pytest.mark.parametrize(
    ("handler", "kind", "code"),
    [
        (always(200, "<html>Hello", "text/html"), BadAnswer, "store_not_json"),
        (always(200, '{"name": '), BadAnswer, "store_not_json"),
        (always(404, "<html>Nothing here", "text/html"), BadAnswer, "store_not_woocommerce"),
        (
            always(200, '{"name": "Blog", "namespaces": ["wp/v2"]}'),
            BadAnswer,
            "store_not_woocommerce",
        ),
        (always(200, "{}"), BadAnswer, "store_not_woocommerce"),
        (always(200, "[]"), BadAnswer, "store_bad_answer"),
        (refusing(httpx.ConnectError("x")), Unreachable, "store_unreachable"),
        (
            with_index({"namespaces": ["wc/v3"]}, httpx.Response(401, json={"code": "x"})),
            SignInAgain,
            "store_unauthorized",
        ),
        (
            with_index({"namespaces": ["wc/v3"]}, httpx.Response(302, headers={"location": "/"})),
            BadAnswer,
            "store_redirects",
        ),
    ],
)
async def test_each_way_of_not_being_a_store_has_its_own_code(
    handler: Any, kind: type[StoreError], code: str
):
    async with answering(handler) as source:
        with pytest.raises(kind) as caught:
            await source.check()
    assert caught.value.code == code
    assert SECRET not in str(caught.value)


async def test_a_check_tells_version_currency_and_zone(shop: Practice):
    async with shop.source() as source, shop.target() as target:
        read, written = await source.check(), await target.check()
    assert read.platform_version == "10.0.2"
    assert (read.currency, read.timezone, read.name) == (
        "GBP",
        "America/New_York",
        "Practice store",
    )
    assert read.server_time is not None
    assert [code for code, _ in read.findings] == ["addon_missing"]
    assert [code for code, _ in written.findings] == ["addon_missing"]


@pytest.mark.parametrize(
    ("version", "addon", "is_told"),
    [
        ("9.8.5", "", True),
        ("8.2.0", "", True),
        ("9.9.0", "", False),
        ("10.0.2", "", False),
        ("9.8.5", "1.1.0", False),
        ("", "", False),
    ],
)
def test_a_check_tells_where_orders_keep_no_key(version: str, addon: str, is_told: bool):
    assert [code for code, _ in examine_keys(version, addon)] == ["orders_not_keyed"] * is_told


@pytest.mark.parametrize(
    ("calc_taxes", "include_tax", "basis"),
    [
        ("no", "yes", TaxBasis.UNTAXED),
        ("yes", "no", TaxBasis.NET),
        ("yes", "yes", TaxBasis.GROSS),
    ],
)
async def test_a_check_tells_whether_prices_hold_the_tax(
    shop: Practice, calc_taxes: str, include_tax: str, basis: TaxBasis
):
    shop.store.storage.set_fact("setting general woocommerce_calc_taxes", calc_taxes)
    shop.store.storage.set_fact("setting tax woocommerce_prices_include_tax", include_tax)
    async with shop.source() as source:
        assert (await source.check()).tax_basis is basis


async def test_checking_a_target_changes_nothing(shop: Practice):
    async with shop.target() as target:
        await target.check()
    effects = await shop.effects()
    assert effects["writes"].get("api", {}) == {}


async def test_a_key_that_may_not_read_settings_is_no_obstacle_but_a_finding():
    def handler(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/wp-json/":
            return httpx.Response(200, json={"namespaces": ["wc/v3"], "gmt_offset": "5.5"})
        if path.endswith(("/products", "/orders", "/customers")):
            return httpx.Response(200, json=[])
        return httpx.Response(403, json={"code": "woocommerce_rest_cannot_view"})

    async with answering(handler, verify_tls=False) as source:
        report = await source.check()
    codes = {code for code, _ in report.findings}
    unknown = {"version_unknown", "currency_unknown"}
    assert codes == unknown | {"tls_not_verified", "addon_forbidden"}
    assert report.tax_basis is None
    assert report.timezone == "UTC+05:30"


@pytest.mark.parametrize(
    ("index", "name"),
    [
        ({"timezone_string": "Europe/Berlin", "gmt_offset": 1}, "Europe/Berlin"),
        ({"timezone_string": "", "gmt_offset": -3.5}, "UTC-03:30"),
        ({"gmt_offset": "0"}, "UTC"),
        ({"gmt_offset": "odd"}, "UTC"),
        ({}, "UTC"),
    ],
)
def test_a_sites_zone_has_a_name_or_an_offset(index: dict[str, Any], name: str):
    assert zone(index) == name


async def test_a_store_without_a_clock_is_refused():
    async with answering(always(200, "[]")) as source:
        with pytest.raises(BadAnswer) as caught:
            await source.server_time()
    assert caught.value.code == "store_no_clock"


async def test_a_proxy_that_ends_tls_is_announced_only_where_the_settings_say_so(shop: Practice):
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=[], headers={"date": "Sun, 29 Mar 2026 00:59:58 GMT"})

    for behind in (True, False):
        async with answering(handler, behind_https_proxy=behind) as source:
            await source.server_time()
    assert [each.headers.get("x-forwarded-proto") for each in seen] == ["https", None]


async def test_basic_credentials_are_sent_over_https(shop: Practice):
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=[], headers={"date": "Sun, 29 Mar 2026 00:59:58 GMT"})

    async with answering(handler) as source:
        await source.server_time()
    assert seen[0].headers["authorization"].startswith("Basic ")
    assert "oauth" not in str(seen[0].url)


# --- silence -------------------------------------------------------------------------------------


async def test_mails_are_turned_off_and_on_again_as_they_were():
    async with practice() as shop:
        await shop.admin("PUT", "settings/email_new_order/enabled", {"value": "no"})
        async with shop.target() as target:
            before = json.loads(json.dumps(await target.loud()))
            await target.mute(before)
            await target.mute(before)
            silent = await target.loud()
            await target.unmute(before)
            after = await target.loud()
        assert set(silent["mails"].values()) == {"no"}
        assert after == before
        assert after["mails"]["email_new_order"] == "no"
        assert "yes" in after["mails"].values()
