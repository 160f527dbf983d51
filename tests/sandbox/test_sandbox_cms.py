"""Pages and posts of the WordPress below a practice store."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.connectors.practice import Practice, practice

PAGES, POSTS = "/wp-json/wp/v2/pages", "/wp-json/wp/v2/posts"


def visitor(shop: Practice, **headers: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(shop.app)
    return httpx.AsyncClient(transport=transport, base_url=shop.url, headers=headers)


async def test_a_new_store_has_the_pages_that_woocommerce_makes() -> None:
    async with practice() as shop, visitor(shop) as http:
        answer = await http.get(PAGES, params={"orderby": "id", "order": "asc"})
        found: list[dict[str, Any]] = answer.json()
        assert [each["slug"] for each in found] == ["shop", "cart", "checkout", "my-account"]
        assert answer.headers["x-wp-total"] == "4"
        settings = await shop.admin("GET", "settings/advanced")
        assert [each["value"] for each in settings] == ["6", "7", "8"]
        assert (await http.get(POSTS)).json() == []
        assert (await http.get(PAGES, params={"offset": 4})).headers["x-wp-total"] == "0"
        assert (await http.get(PAGES, params={"page": 2})).status_code == 400


async def test_visitors_see_what_is_published_and_nothing_else() -> None:
    async with practice(name="Old shop") as shop, visitor(shop) as http:
        await shop.load(
            page=[{"title": "Draft", "status": "draft"}],
            post=[{"title": "News &amp; more", "path": "/2026/11/news/", "slug": "news"}],
        )
        shown = (await http.get(POSTS, params={"_fields": "link,title"})).json()
        link, title = f"{shop.url}/2026/11/news/", {"rendered": "News &amp; more"}
        assert shown == [{"link": link, "title": title}]
        assert "draft" not in {each["slug"] for each in (await http.get(PAGES)).json()}
        assert (await http.get(PAGES, params={"status": "draft"})).status_code == 400
        assert (await http.get("/draft/")).status_code == 404
        moved = await http.get("/2026/11/news")
        assert (moved.status_code, moved.headers["location"]) == (301, link)
        assert "<title>News &amp; more – Old shop</title>" in (await http.get(link)).text  # noqa: RUF001


@pytest.mark.parametrize(("proto", "status"), [("https", 401), ("http", 200)])
async def test_a_key_of_woocommerces_is_a_wrong_password_of_wordpress(
    proto: str, status: int
) -> None:
    """Passwords of applications are there over https alone."""
    headers = {"X-Forwarded-Proto": proto}
    async with practice() as shop, visitor(shop, **headers) as http:
        answer = await http.get(PAGES, auth=("ck_practice", "cs_practice"))
    assert answer.status_code == status
