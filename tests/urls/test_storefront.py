"""Visits to a shop's public pages, over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from connectors.robots import Robots
from connectors.storefront import Hop, Storefront, Visit
from connectors.webpage import keeps_out, read_head
from tests.connectors.practice import Practice


def front(shop: Practice, **more: Any) -> Storefront:
    transport = httpx.ASGITransport(shop.app)
    return Storefront(shop.url, transport=transport, sleep=shop.sleep, **more)


async def visit(shop: Practice, path: str) -> Visit:
    async with front(shop) as pages:
        return await pages.visit(path)


def answering(answer: Callable[[httpx.Request], httpx.Response], **more: Any) -> Storefront:
    """A storefront at shop.test whose every request is answered by a function."""
    return Storefront("http://shop.test", transport=httpx.MockTransport(answer), **more)


async def no_sleep(_: float) -> None:
    pass


async def test_a_page_tells_title_canonical_description_and_robots(shop: Practice) -> None:
    found = await visit(shop, "/product/blue-mug/")
    assert found.found
    assert found.told
    assert found.hops == ()
    assert found.head is not None
    assert found.head.title == "Blue mug \N{EN DASH} Old shop"
    assert found.head.canonical == f"{shop.url}/product/blue-mug/"
    assert found.head.description == "Blue."
    assert not keeps_out(found.head.robots)


async def test_every_redirect_is_told(shop: Practice) -> None:
    await shop.control(
        "PUT", "storefront", {"redirects": {"/old": "/older/", "/older/": "/product/blue-mug"}}
    )
    found = await visit(shop, "/old")
    where = [f"{shop.url}{path}" for path in ("/older/", "/product/blue-mug", "/product/blue-mug/")]
    assert found.hops == tuple(Hop(301, each) for each in where)
    assert found.url == where[-1]
    assert found.found


async def test_a_loop_ends_where_it_began(shop: Practice) -> None:
    await shop.control("PUT", "storefront", {"redirects": {"/a": "/b", "/b": "/a"}})
    found = await visit(shop, "/a")
    assert (found.trouble, len(found.hops)) == ("redirect_loop", 2)
    assert found.told
    assert not found.found


async def test_a_redirect_to_another_host_is_told_and_not_followed(shop: Practice) -> None:
    await shop.control(
        "PUT", "storefront", {"redirects": {"/a": "http://169.254.169.254/latest/meta-data"}}
    )
    found = await visit(shop, "/a")
    assert found.trouble == "left_the_shop"
    assert found.hops[0].location.startswith("http://169.254.169.254")
    assert len(shop.app.store.requests) == 1


@pytest.mark.parametrize(
    "location",
    [
        "//evil.test/",
        "http://user:secret@shop.test/",
        "ftp://shop.test/",
        "http://[",
        "javascript:a",
    ],
)
async def test_an_address_of_another_sort_is_not_followed(location: str) -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return httpx.Response(302, headers={"Location": location})

    async with answering(answer) as pages:
        found = await pages.visit("/a")
    assert found.trouble in ("left_the_shop", "bad_location")
    assert len(asked) == 1
    assert "secret" not in repr(found)


async def test_www_and_https_are_the_same_shop() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.scheme == "http" or request.url.host == "shop.test":
            return httpx.Response(301, headers={"Location": "https://www.shop.test/a"})
        return httpx.Response(200, html="<title>A</title>")

    async with answering(answer) as pages:
        found = await pages.visit("/a")
    assert found.found
    assert len(found.hops) == 1


async def test_redirects_without_end_are_left_after_some() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(301, headers={"Location": f"{request.url.path}a"})

    async with answering(answer) as pages:
        found = await pages.visit("/a")
    assert found.trouble == "too_many_redirects"
    assert len(found.hops) == 8


async def test_a_busy_shop_is_asked_again_and_then_believed() -> None:
    answers = [503, 429, 200]
    waits: list[float] = []

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(answers.pop(0), headers={"Retry-After": "99"}, html="")

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async with answering(answer, sleep=sleep) as pages:
        assert (await pages.visit("/a")).found
    assert waits == [5.0, 5.0]


@pytest.mark.parametrize("status", [401, 403, 429, 500, 502, 503])
async def test_a_shop_that_is_closed_or_broken_has_not_told(status: int) -> None:
    async with answering(lambda _: httpx.Response(status), sleep=no_sleep) as pages:
        found = await pages.visit("/a")
    assert (found.status, found.told, found.found) == (status, False, False)


async def test_a_page_that_is_not_there_is_told() -> None:
    async with answering(lambda _: httpx.Response(404)) as pages:
        found = await pages.visit("/a")
    assert (found.status, found.told, found.found) == (404, True, False)


async def test_what_never_answers_is_a_value_too() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("with an address", request=request)

    async with answering(answer) as pages:
        found = await pages.visit("/a")
        assert await pages.robots() is None
    assert (found.trouble, found.told) == ("store_timeout", False)


async def test_a_page_without_end_is_read_to_a_bound() -> None:
    sent = []

    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self) -> Any:
            yield b"<title>A</title>"
            while True:
                sent.append(65_536)
                yield b" " * 65_536

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Type": "text/html"}, stream=Endless())

    async with answering(answer) as pages:
        found = await pages.visit("/a")
    assert found.head is not None
    assert found.head.title == "A"
    assert sum(sent) < 2 * 1024 * 1024


async def test_no_cookie_is_kept() -> None:
    cookies = []

    def answer(request: httpx.Request) -> httpx.Response:
        cookies.append(request.headers.get("cookie"))
        return httpx.Response(200, headers={"Set-Cookie": "session=1; Path=/"}, html="")

    async with answering(answer) as pages:
        await pages.visit("/a")
        await pages.visit("/a")
    assert cookies == [None, None]


async def test_robots_txt_of_a_shop(shop: Practice) -> None:
    async with front(shop) as pages:
        rules = await pages.robots()
        assert rules is not None
        assert rules.allows("/product/blue-mug/")
        assert not rules.allows("/wp-admin/")
    async with answering(lambda _: httpx.Response(404)) as pages:
        nothing = await pages.robots()
        assert isinstance(nothing, Robots)
        assert nothing.allows("/a")
    async with answering(lambda _: httpx.Response(500)) as pages:
        assert await pages.robots() is None


async def test_noindex_is_told_by_the_page_and_by_its_header(shop: Practice) -> None:
    await shop.control(
        "PUT",
        "storefront",
        {"noindex": ["/product/blue-mug/"], "x_robots": {"/product/tin-tray/": "noindex"}},
    )
    page, header = [await visit(shop, f"/product/{each}/") for each in ("blue-mug", "tin-tray")]
    assert page.head is not None
    assert keeps_out(page.head.robots)
    assert not keeps_out(page.tags)
    assert keeps_out(header.tags)


def test_a_head_is_read_from_whatever_is_there() -> None:
    body = (
        b"<html><head><TITLE>\n Tin &amp;  tray </TITLE>"
        b"<meta content='A  tin' NAME='Description'><link rel=canonical href='/tin'>"
        b"<meta name=googlebot content='NOINDEX, follow'></head><body><svg><title>x</title></svg>"
    )
    head = read_head(body, "http://shop.test/a/b")
    assert (head.title, head.description) == ("Tin & tray", "A tin")
    assert head.canonical == "http://shop.test/tin"
    assert keeps_out(head.robots)
    assert read_head(b"\xff\x00", "http://shop.test/").title == ""


async def test_wordpress_guesses_below_any_path(shop: Practice) -> None:
    found = await visit(shop, "/products/blue")
    assert found.found
    assert found.url == f"{shop.url}/product/blue-mug/"
    assert not (await visit(shop, "/product/nothing/")).found


async def test_a_category_below_another_has_one_address(shop: Practice) -> None:
    found = await visit(shop, "/product-category/baking/")
    assert found.found
    assert [each.status for each in found.hops] == [301]
    assert found.url == f"{shop.url}/product-category/kitchen/baking/"


async def test_what_nobody_knows_cannot_be_planted(shop: Practice) -> None:
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        await shop.control("PUT", "storefront", {"redirect": {}})
    await shop.control("PUT", "storefront", {"hidden": True})
    await shop.control("PUT", "storefront", {"titles": {"/": "Hello"}})
    planted = await shop.control("GET", "storefront")
    assert (planted["hidden"], planted["titles"]) == (True, {"/": "Hello"})
