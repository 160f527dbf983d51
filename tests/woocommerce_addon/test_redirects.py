"""Old paths lead to new ones, on a practice store and on real WordPress shops alike."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from app.redirects.chart import Own, PageLink, chart
from connectors.errors import SignInAgain
from connectors.records import Stream
from connectors.redirects import NotTaken, Redirect, Redirected, RedirectState, TakesRedirects
from connectors.storefront import Visit
from connectors.woocommerce.addon import ROOT
from connectors.woocommerce.api import Api, RefusedRequest
from sandbox.store import Key
from tests.connectors.practice import Instead, practice
from tests.woocommerce_addon.shops import Shop

MADE, KEPT = ("made", ""), ("kept", "")


def said(answers: list[Redirected]) -> list[tuple[str, str]]:
    return [(str(each.state), each.code) for each in answers]


async def push(shop: Shop, *pairs: tuple[str, str]) -> list[tuple[str, str]]:
    async with shop.target() as target:
        assert isinstance(target, TakesRedirects)
        await target.check_redirects()
        return said(await target.redirect([Redirect(*each) for each in pairs]))


async def goods(shop: Shop, *names: str) -> list[str]:
    """Paths of products that are published."""
    async with shop.api() as api:
        for name in names:
            body = {"name": name, "slug": f"{name}-{shop.number}", "regular_price": "1"}
            await api.send("POST", "products", body, dict[str, Any])
    return [f"/product/{name}-{shop.number}/" for name in names]


def old(shop: Shop, name: str) -> str:
    return f"/old-{shop.number}/{name}"


def way(found: Visit) -> list[tuple[int, str]]:
    """Status and path, with its query, of every redirect."""
    return [
        (hop.status, urlsplit(hop.location)._replace(scheme="", netloc="").geturl())
        for hop in found.hops
    ]


def below(api: Api) -> Api:
    return api.below(ROOT)


async def test_an_old_path_leads_to_the_new_one_for_good_whatever_its_slash(shop: Shop):
    [mug] = await goods(shop, "mug")
    assert await push(shop, (old(shop, "mug.html"), mug)) == [MADE]
    for path in (old(shop, "mug.html"), old(shop, "mug.html/")):
        found = await shop.visit(path)
        assert (way(found), found.status) == ([(301, mug)], 200)
    assert (await shop.visit(old(shop, "cup.html"))).status == 404


async def test_what_was_asked_for_goes_along_and_what_the_target_says_stands(shop: Shop):
    [mug] = await goods(shop, "mug")
    await push(shop, (old(shop, "a"), mug), (old(shop, "b"), f"{mug}?size=2&x=1"))
    first = await shop.visit(f"{old(shop, 'a')}?utm_source=mail&utm_medium=a%20b")
    assert way(first)[0] == (301, f"{mug}?utm_source=mail&utm_medium=a%20b")
    second = await shop.visit(f"{old(shop, 'b')}?size=9&page=3")
    assert way(second)[0] == (301, f"{mug}?size=2&x=1&page=3")


async def test_a_redirect_goes_before_a_guess_and_a_page_before_a_redirect(shop: Shop):
    blue, red = await goods(shop, "blue-mug", "red-mug")
    beginning = blue.rstrip("/")[: -len(str(shop.number)) - 2]
    assert (await shop.visit(beginning)).url.endswith(blue)
    assert await push(shop, (beginning, red)) == [MADE]
    found = await shop.visit(beginning)
    assert (way(found), found.status) == ([(301, red)], 200)
    assert way(await shop.visit(red)) == []


async def test_a_page_that_comes_later_hides_the_redirect(shop: Shop):
    [mug] = await goods(shop, "mug")
    path = f"/product/later-{shop.number}/"
    assert await push(shop, (path, mug)) == [MADE]
    await goods(shop, "later")
    found = await shop.visit(path)
    assert (way(found), found.status) == ([], 200)
    assert await push(shop, (path, mug)) == [("refused", "path_live")]


async def test_what_stands_stays_and_is_kept_when_it_is_sent_again(shop: Shop):
    mug, cup = await goods(shop, "mug", "cup")
    path = old(shop, "mug")
    assert await push(shop, (path, mug)) == [MADE]
    assert await push(shop, (path, mug), (f"{path}/", mug.rstrip("/"))) == [KEPT, KEPT]
    assert await push(shop, (path, cup)) == [("refused", "redirect_differs")]
    assert way(await shop.visit(path)) == [(301, mug)]


async def test_pages_of_products_and_categories_are_told(shop: Shop):
    mug, cup = await goods(shop, "mug", "cup")
    async with shop.api() as api:
        body = {"name": "Cups", "slug": f"cups-{shop.number}"}
        await api.send("POST", "products/categories", body, dict[str, Any])
        draft = {"name": "Draft", "slug": f"draft-{shop.number}", "status": "draft"}
        await api.send("POST", "products", draft, dict[str, Any])
    taken = [mug, mug.rstrip("/"), f"/product-category/cups-{shop.number}/", "/"]
    live = ("refused", "path_live")
    assert await push(shop, *[(each, cup) for each in taken]) == [live] * 4
    assert await push(shop, (f"/product/draft-{shop.number}/", cup)) == [MADE]


async def test_no_redirect_leads_to_another_one_or_back(shop: Shop):
    [mug] = await goods(shop, "mug")
    a, b, c = (old(shop, each) for each in "abc")
    chain, loop = ("refused", "redirect_chain"), ("refused", "redirect_loop")
    assert await push(shop, (a, b), (b, a), (c, c)) == [loop] * 3
    assert await push(shop, (a, b), (b, mug)) == [chain, MADE]
    assert await push(shop, (a, b)) == [chain]
    assert await push(shop, (c, a)) == [MADE]
    assert await push(shop, (a, mug), (a, c)) == [("refused", "path_ambiguous")] * 2
    assert await push(shop, (a, mug)) == [chain]
    assert await push(shop, (a, c)) == [loop]
    assert (await shop.visit(a)).status == 404


@pytest.mark.parametrize(
    "path", ["//evil.test/a", "no-path", "/a?b=1", "/a b", "/a\\b", "/wp-admin/x", "/wp%2Djson/"]
)
async def test_what_is_no_path_is_refused(shop: Shop, path: str):
    assert await push(shop, (path, "/product/mug/")) == [("refused", "path_invalid")]


async def test_letters_of_all_kinds_arrive(shop: Shop):
    name = f"gr%C3%B6%C3%9Fe%20%22l%22%2B,b'c(d)$&{shop.number}"
    target = f"/neu-{shop.number}/%C3%BC,b'c(d)$1&e/?q=%26$'"
    assert await push(shop, (f"/{name}/", target)) == [MADE]
    safe = target.replace("'", "%27").replace("$", "%24")
    for path in (f"/{name}", f"/{name.replace('%C3%B6', '%c3%b6')}/"):
        [(status, there), *_] = way(await shop.visit(path))
        assert status == 301
        assert there in (target, safe)


async def test_no_visitor_is_led_off_but_by_the_shops_own_word(shop: Shop):
    [mug] = await goods(shop, "mug")
    here, away = old(shop, "here"), old(shop, "away")
    elsewhere = "https://other.test/new?a=1"
    bad = ("//evil.test/", "/\\evil.test/", "javascript:alert(1)", "https://me@evil.test/")
    async with shop.api() as api:
        pairs = [{"path": away, "target": elsewhere}]
        pairs += [{"path": old(shop, "bad"), "target": each} for each in bad]
        answer = await below(api).send("POST", "redirects", {"redirects": pairs}, dict[str, Any])
    states = [(each["state"], each["code"]) for each in answer["redirects"]]
    assert states == [MADE, *[("refused", "path_invalid")] * 4]
    # The connector itself leads nowhere but into the shop.
    assert await push(shop, (here, elsewhere)) == [("refused", "path_invalid")]
    assert await push(shop, (here, mug)) == [MADE]
    found = await shop.visit(away)
    assert found.trouble == "left_the_shop"
    assert [hop.location for hop in found.hops] == [elsewhere]
    for query in ("?//evil.test", "?to=https://evil.test/", "?@evil.test"):
        found = await shop.visit(here + query)
        assert (found.status, found.trouble) == (200, "")


async def test_redirects_can_be_listed_page_by_page_and_taken_away(shop: Shop):
    [mug] = await goods(shop, "mug")
    paths = [old(shop, f"page-{each}") for each in range(3)]
    await push(shop, *[(each, mug) for each in paths])
    async with shop.api() as api:
        seen: list[dict[str, Any]] = []
        for _ in range(100):
            query: dict[str, str | int] = {"limit": 2, "after": seen[-1]["id"] if seen else 0}
            page = await below(api).get("redirects", dict[str, Any], query)
            seen += page["redirects"]
            if not page["more"]:
                break
        ours = [(each["path"], each["target"]) for each in seen if each["path"] in paths]
        assert ours == [(each, mug) for each in paths]
        assert len({each["id"] for each in seen}) == len(seen)
        gone: dict[str, Any] = {"paths": [*paths[:2], f"{paths[0]}/", old(shop, "unknown")]}
        for removed in (2, 0):
            answer = await below(api).send("DELETE", "redirects", gone, dict[str, Any])
            assert answer == {"removed": removed}
    assert [(await shop.visit(each)).status for each in paths] == [404, 404, 200]


async def test_more_than_the_addon_takes_at_once_go_in_portions(shop: Shop):
    [mug] = await goods(shop, "mug")
    pairs = [(old(shop, f"many-{each}"), mug) for each in range(250)]
    assert await push(shop, *pairs) == [MADE] * 250
    assert await push(shop, *pairs) == [KEPT] * 250
    assert way(await shop.visit(old(shop, "many-249"))) == [(301, mug)]
    async with shop.api() as api:
        body = {"redirects": [{"path": path, "target": target} for path, target in pairs]}
        with pytest.raises(RefusedRequest):
            await below(api).send("POST", "redirects", body, Any)


async def test_a_map_is_taken_whole_and_every_old_path_answers_by_one_redirect(shop: Shop):
    """As `recent-sync redirects push` does it: what people add may lead over what records say."""
    mug, cup = await goods(shop, "mug", "cup")
    olds = (
        f"/products/gr%C3%B6%C3%9Fe-{shop.number}",
        f"/shop-{shop.number}/a,b'c(d)/",
        f"/item-{shop.number}/%22l%22%20xl.html",
    )
    links = [
        PageLink(Stream.PRODUCTS, str(number), f"t{number}", path, new)
        for number, (path, new) in enumerate(zip(olds, (mug, cup, mug), strict=True))
    ]
    sale = f"/sale-{shop.number}"
    entries = chart(links, [Own(sale, f"/big{sale}"), Own(f"/big{sale}", f"{cup}?size=2")]).entries
    assert await push(shop, *[(each.path, each.target) for each in entries]) == [MADE] * 5
    for each in entries:
        found = await shop.visit(each.path)
        assert (way(found), found.status) == ([(301, each.target)], 200)


# --- stores that take none ----------------------------------------------------------------------


async def test_without_the_addon_a_store_takes_none_and_says_so():
    async with practice() as shop, shop.target() as target:
        with pytest.raises(NotTaken, match="addon_missing"):
            await target.check_redirects()
        told = dict((await target.check()).findings)
        assert "redirected" in told["addon_missing"]


async def test_an_addon_of_the_first_release_takes_none_and_says_so():
    status = {"version": "1.0.0", "api": 1, "silent": True, "feed_complete": "2026-01-01T00:00:00"}
    async with practice(addon=True) as shop, shop.target() as target:
        shop.instead.append(Instead("GET", "/recent-sync/v1/status", 200, status))
        with pytest.raises(NotTaken, match="earlier release"):
            await target.check_redirects()
        report = await target.check()
        assert (report.addon, [code for code, _ in report.findings]) == (
            "1.0.0",
            ["addon_outdated"],
        )


async def test_a_key_that_may_only_read_may_not_redirect():
    keys = (Key("ck_reader", "cs_practice", "read"),)
    async with practice(addon=True, keys=keys) as shop:
        access = shop.access(key="ck_reader")
        async with type(shop.target())(access, shop.api(key="ck_reader", imports=True)) as target:
            with pytest.raises(SignInAgain):
                await target.check_redirects()


async def test_words_of_a_store_that_nobody_knows_are_not_passed_on():
    said_so = {"redirects": [{"state": "refused", "code": "ann@example.test"}]}
    async with practice(addon=True) as shop, shop.target() as target:
        shop.instead.append(Instead("POST", "/recent-sync/v1/redirects", 200, said_so))
        [answer] = await target.redirect([Redirect("/a", "/b")])
        assert (answer.state, answer.code) == (RedirectState.REFUSED, "store_rejected")
