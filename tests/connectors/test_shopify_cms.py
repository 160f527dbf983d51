"""Pages, blogs and articles of an online store."""

from __future__ import annotations

import pytest

from connectors.cms import CmsKind, CmsPage, cms_pages
from connectors.errors import SignInAgain
from connectors.shopify.granting import PERMISSIONS
from connectors.shopify.shop import CONTENT_SCOPES, READ_SCOPES, REDIRECT_SCOPES, WRITE_SCOPES
from tests.connectors.shopify_shop import ShopifyShop, shopify_shop
from tests.shopify_store.config import READING, WRITING

pytestmark = pytest.mark.contracts


async def fill(shop: ShopifyShop) -> None:
    await shop.load(
        page=[
            {"title": "About us"},
            {"title": "Größe", "handle": "größe"},
            {"title": "Hidden", "isPublished": False},
        ],
        blog=[{"title": "News"}],
        article=[
            {"title": "Hello", "blog": "news"},
            {"title": "Later", "blog": "news", "isPublished": False},
        ],
    )


def told(pages: tuple[CmsPage, ...]) -> list[tuple[CmsKind, str, str]]:
    return [(each.kind, each.path, each.title) for each in pages]


async def test_what_is_published_is_told_by_its_own_address() -> None:
    async with shopify_shop() as shop:
        await fill(shop)
        for store in (shop.source(), shop.target()):
            async with store:
                found = await cms_pages(store, 100)
            assert found.notes == ()
            assert told(found.pages) == [
                (CmsKind.PAGE, "/pages/about-us", "About us"),
                (CmsKind.PAGE, "/pages/gr%C3%B6%C3%9Fe", "Größe"),
                (CmsKind.BLOG, "/blogs/news", "News"),
                (CmsKind.POST, "/blogs/news/hello", "Hello"),
            ]
            assert all(each.modified_at and each.id.isdecimal() for each in found.pages)
        async with shop.source(storefront_url="https://shop.example/en") as source:
            found = await cms_pages(source, 1)
    assert found.pages[0].path == "/en/pages/about-us"


async def test_long_lists_are_read_to_their_end_or_to_a_number() -> None:
    async with shopify_shop() as shop:
        await shop.load(page=[{"title": f"Page {number}"} for number in range(230)])
        async with shop.source() as source:
            whole = await cms_pages(source, 1000)
            some = await cms_pages(source, 120)
    assert (len({each.path for each in whole.pages}), whole.notes) == (230, ())
    assert (len(some.pages), some.notes) == (120, ("Only the first 120 pages were read.",))


@pytest.mark.parametrize("scope", ["read_content", "read_online_store_pages"])
async def test_any_of_two_scopes_will_do(scope: str) -> None:
    others = set(READING + WRITING) - {"read_content"}
    async with shopify_shop(scopes=tuple(others | {scope})) as shop, shop.source() as source:
        await fill(shop)
        assert len((await cms_pages(source, 10)).pages) == 4


async def test_without_the_scope_nothing_fails_and_it_is_said() -> None:
    scopes = tuple(set(READING + WRITING) - {"read_content"})
    async with shopify_shop(scopes=scopes) as shop, shop.source() as source:
        await fill(shop)
        found = await cms_pages(source, 10)
        await source.check()
    assert found.pages == ()
    assert found.notes == (
        "The app may not read pages and blogs: give it the access scope read_content.",
    )


def test_the_scope_is_told_as_one_that_may_be_left_out() -> None:
    assert {each.name for each in PERMISSIONS if each.optional} == CONTENT_SCOPES | REDIRECT_SCOPES
    assert not CONTENT_SCOPES & (READ_SCOPES | WRITE_SCOPES)


async def test_a_wrong_token_is_no_missing_scope() -> None:
    async with shopify_shop() as shop, shop.source(token="shpat_wrong") as source:
        with pytest.raises(SignInAgain):
            await cms_pages(source, 10)
