"""The map of a WordPress shop, made on a Shopify store by its connector."""

from __future__ import annotations

import pytest

from app.redirects.chart import Fault, Own, PageLink, chart
from app.redirects.cms import paired
from connectors.cms import cms_pages
from connectors.pages import page_rules
from connectors.records import Stream
from connectors.redirects import Redirect, RedirectState, TakesRedirects
from connectors.shopify.settings import ShopifySettings
from tests.connectors.practice import practice
from tests.connectors.shopify_shop import shopify_shop

pytestmark = pytest.mark.contracts


async def test_the_whole_map_is_taken_whatever_letters_its_paths_have() -> None:
    rules = page_rules(ShopifySettings(url="my-store"))
    olds = ("/product/blue-mug/", "/product/gr%C3%B6%C3%9Fe%20%22l%22/", "/product/a,b'c(d)/")
    links = [
        PageLink(
            Stream.PRODUCTS, str(number), f"t{number}", old, rules.path(Stream.PRODUCTS, [slug])
        )
        for number, (old, slug) in enumerate(zip(olds, ("blue-mug", "größe", "abcd"), strict=True))
    ]
    own = [Own("/sale", "/big-sale"), Own("/big-sale", "/collections/sale?sort_by=price")]
    entries = chart(links, own).entries
    asked = [Redirect(each.path, each.target) for each in entries]
    async with shopify_shop() as shop, shop.target() as target:
        assert isinstance(target, TakesRedirects)
        await target.check_redirects()
        for state in (RedirectState.MADE, RedirectState.KEPT):
            answers = await target.redirect(asked)
            assert [(each.path, each.state, each.code) for each in answers] == [
                (each.path, state, "") for each in entries
            ]
        assert len(shop.store.all("UrlRedirect")) == 5


async def test_pages_of_wordpress_wait_for_a_decision_and_are_pushed_when_it_is_made() -> None:
    """Both shops tell their own pages; the redirect that people add is made on the target."""
    async with (
        practice() as old,
        shopify_shop() as new,
        old.source() as source,
        new.target() as target,
    ):
        await old.load(
            page=[{"title": "About us"}, {"title": "Imprint", "path": "/pages/imprint/"}],
            post=[{"title": "Hello", "path": "/2026/11/hello/"}],
        )
        await new.load(page=[{"title": "About us"}, {"title": "Imprint"}])
        links = paired((await cms_pages(source)).pages, (await cms_pages(target)).pages)
        visits = {"/about-us/": 12}
        undecided = chart([], [], visits, links)
        assert [(each.fault, each.path, each.visits) for each in undecided.problems] == [
            (Fault.UNDECIDED, "/about-us/", 12),
            (Fault.UNDECIDED, "/2026/11/hello/", 0),
        ]
        assert undecided.problems[0].detail.endswith("is at /pages/about-us.")
        assert (undecided.same, undecided.entries) == (1, [])

        decided = chart([], [Own("/about-us/", "/pages/about-us")], visits, links)
        asked = [Redirect(each.path, each.target) for each in decided.entries]
        assert [each.state for each in await target.redirect(asked)] == [RedirectState.MADE]
        assert decided.coverage.share == 1
