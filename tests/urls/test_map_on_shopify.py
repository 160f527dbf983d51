"""The map of a WordPress shop, made on a Shopify store by its connector."""

from __future__ import annotations

import pytest

from app.redirects.chart import Own, PageLink, chart
from connectors.pages import page_rules
from connectors.records import Stream
from connectors.redirects import Redirect, RedirectState, TakesRedirects
from connectors.shopify.settings import ShopifySettings
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
