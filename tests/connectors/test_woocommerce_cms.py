"""Pages and posts of WordPress, told by its own API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.cms import CmsKind, CmsPage, cms_pages
from connectors.errors import TryLater
from tests.connectors.practice import Instead, Practice, practice

PAGES, POSTS = "wp/v2/pages", "wp/v2/posts"


async def fill(shop: Practice) -> None:
    await shop.load(
        page=[
            {"id": 201, "title": "About us &amp; <em>you</em>", "path": "/company/about/"},
            {"id": 202, "title": "Terms", "gmt": "2026-11-20T10:00:00"},
            {"id": 203, "title": "Secret", "status": "draft"},
            {"id": 204, "title": "Home", "path": "/"},
        ],
        post=[{"id": 301, "title": "News", "path": "/2026/11/news/"}],
    )


async def told(shop: Practice, most: int = 100, **settings: Any) -> tuple[list[str], list[str]]:
    """Paths and notes; a source and a target say the same."""
    async with shop.source(**settings) as source:
        found = await cms_pages(source, most)
    return [each.path for each in found.pages], list(found.notes)


async def test_published_pages_are_told_without_woocommerces_own() -> None:
    async with practice() as shop:
        await fill(shop)
        for store in (shop.source(), shop.target()):
            async with store:
                found = await cms_pages(store, 100)
            assert found.notes == ()
            assert [(each.kind, each.id, each.path, each.title) for each in found.pages] == [
                (CmsKind.PAGE, "201", "/company/about/", "About us & you"),
                (CmsKind.PAGE, "202", "/terms/", "Terms"),
                (CmsKind.POST, "301", "/2026/11/news/", "News"),
            ]
            assert found.pages[1].modified_at == datetime(2026, 11, 20, 10, tzinfo=UTC)
        assert all("_fields" in each.query for each in shop.requests("GET", "wp/v2"))


async def test_they_are_asked_for_without_the_key() -> None:
    """WordPress takes WooCommerce's key for a password of its own, and a wrong one."""
    async with practice() as shop:
        await fill(shop)
        paths, notes = await told(shop, auth="basic", behind_https_proxy=True)
    assert (len(paths), notes) == (3, [])


async def test_long_lists_are_read_to_their_end_or_to_a_number() -> None:
    async with practice() as shop:
        titles = [{"title": f"Page {number}"} for number in range(230)]
        await shop.load(page=titles)
        paths, notes = await told(shop, most=1000)
        assert (len(paths), notes) == (230, [])
        shop.asked.clear()
        paths, notes = await told(shop, most=104)
    assert paths == [f"/page-{number}/" for number in range(100)]
    assert notes == ["Only the first 104 pages of WordPress were read."]
    assert len(shop.requests("GET", PAGES)) == 2


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (401, {"code": "rest_login_required"}, "(401)"),
        (403, {"code": "rest_forbidden"}, "(403)"),
        (404, {"code": "rest_no_route"}, "rest_no_route"),
        (302, {}, "redirects"),
        (200, {"pages": []}, "unknown form"),
    ],
)
async def test_a_site_that_keeps_them_from_visitors_does_not_tell_them(
    status: int, body: Any, why: str
) -> None:
    async with practice() as shop:
        await fill(shop)
        shop.instead += [Instead("GET", PAGES, status, body)]
        paths, [note] = await told(shop)
    assert paths == ["/2026/11/news/"]
    assert note.startswith("WordPress does not tell its pages: ")
    assert why in note
    assert shop.requests("GET", "settings") == []


async def test_a_key_that_may_not_read_settings_leaves_woocommerces_own_among_them() -> None:
    async with practice() as shop:
        shop.instead += [Instead("GET", "settings/advanced", 403, {"code": "cannot_view"})]
        paths, [note] = await told(shop)
    assert paths == ["/shop/", "/cart/", "/checkout/", "/my-account/"]
    assert note.startswith("The key may not read which pages are WooCommerce's own")


async def test_a_site_that_is_busy_is_no_site_without_pages() -> None:
    async with practice() as shop:
        await shop.faults(error_before={"probability": 1.0, "status": 503, "route": "wp/v2"})
        async with shop.source() as source:
            with pytest.raises(TryLater):
                await cms_pages(source, 10)


async def test_other_platforms_tell_none() -> None:
    found = await cms_pages(object(), 10)
    assert found.pages == ()
    assert "no pages but those of records" in found.notes[0]
    assert CmsPage(CmsKind.PAGE, "1", "/a/", "A").modified_at is None
