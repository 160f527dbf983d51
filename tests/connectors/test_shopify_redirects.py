"""Old paths answer on a Shopify store by exactly one redirect each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from connectors.errors import SignInAgain, StoreError
from connectors.redirects import Redirect, TakesRedirects
from connectors.shopify.paths import refusals
from tests.connectors.shopify_shop import ShopifyShop, shopify_shop
from tests.shopify_store.config import READING, WRITING

pytestmark = pytest.mark.contracts

MUG = ("/shop-old/mug/", "/products/mug")


@pytest.fixture
async def shop() -> AsyncIterator[ShopifyShop]:
    async with shopify_shop() as opened:
        yield opened


async def redirect(shop: ShopifyShop, *pairs: tuple[str, str]) -> list[tuple[str, str, str]]:
    async with shop.target() as target:
        assert isinstance(target, TakesRedirects)
        found = await target.redirect([Redirect(*each) for each in pairs])
    return [(each.path, str(each.state), each.code) for each in found]


def standing(shop: ShopifyShop) -> dict[str, str]:
    """What the store keeps: targets by path; every path once."""
    rows = shop.store.all("UrlRedirect")
    found = {each["path"]: each["target"] for each in rows}
    assert len(found) == len(rows)
    return found


def sent(shop: ShopifyShop, name: str) -> int:
    return sum(1 for each in shop.requests if name in (each.get("query") or ""))


async def test_a_redirect_is_made_once_and_kept_from_then_on(shop: ShopifyShop):
    sale = ("/old/sale.html", "/collections/sale?sort_by=price")
    assert await redirect(shop, MUG, sale) == [
        ("/shop-old/mug/", "made", ""),
        ("/old/sale.html", "made", ""),
    ]
    there = {"/shop-old/mug": "/products/mug", "/old/sale.html": "/collections/sale?sort_by=price"}
    assert standing(shop) == there
    again = await redirect(shop, MUG, sale, ("/Shop-Old/MUG", "/products/mug/"))
    assert [(state, code) for _, state, code in again] == [("kept", "")] * 3
    assert standing(shop) == there
    assert sent(shop, "urlRedirectCreate") == 2


async def test_a_few_are_looked_up_at_once_and_made_one_by_one(shop: ShopifyShop):
    pairs = [(f"/old/{number}", f"/products/{number}") for number in range(20)]
    first = await redirect(shop, *pairs)
    assert {state for _, state, _ in first} == {"made"}
    assert [path for path, _, _ in first] == [path for path, _ in pairs]
    assert standing(shop) == dict(pairs)
    assert sent(shop, "urlRedirects(") == 1
    assert {state for _, state, _ in await redirect(shop, *pairs)} == {"kept"}
    assert sent(shop, "urlRedirectCreate") == 20
    assert not sent(shop, "urlRedirectImport")


async def test_all_pages_of_what_is_there_are_read(shop: ShopifyShop):
    """So many lead to a path that what stands at it is on the second page."""
    for number in range(120):
        await redirect_by_hand(shop, f"/campaign/{number}", MUG[0])
    await redirect_by_hand(shop, "/shop-old/mug", "/pages/elsewhere")
    assert await redirect(shop, MUG) == [("/shop-old/mug/", "refused", "redirect_differs")]


async def redirect_by_hand(shop: ShopifyShop, path: str, target: str) -> None:
    made = shop.store.add("UrlRedirect", target=target.rstrip("/"))
    shop.store.name(made, "path", path)


async def test_another_redirect_is_never_overwritten(shop: ShopifyShop):
    await redirect_by_hand(shop, "/shop-old/mug", "/pages/campaign")
    assert await redirect(shop, MUG) == [("/shop-old/mug/", "refused", "redirect_differs")]
    assert standing(shop) == {"/shop-old/mug": "/pages/campaign"}


async def test_no_chain_is_made_with_what_stands_there(shop: ShopifyShop):
    await redirect_by_hand(shop, "/products/mug", "/products/cup")
    await redirect_by_hand(shop, "/first", "/second")
    found = await redirect(shop, MUG, ("/second", "/pages/third"))
    assert [code for _, _, code in found] == ["redirect_chain", "redirect_chain"]
    assert len(standing(shop)) == 2


async def test_the_path_of_a_page_that_answers_is_refused(shop: ShopifyShop):
    await shop.load(
        product=[{"title": "Mug"}, {"title": "Draft", "status": "DRAFT"}, {"title": "Hidden"}],
        collection=[{"title": "Sale"}],
    )
    hidden = shop.store.named("Product", "handle", "hidden")["_n"]
    await shop.edit(op="channels", kind="product", id=hidden, names=[])
    paths = [
        "/products/mug",
        "/Products/Mug/",
        "/collections/any/products/mug",
        "/collections/sale",
        "/products/draft",
        "/products/hidden",
        "/products/sale",
        "/collections/mug",
    ]
    found = await redirect(shop, *((each, "/pages/new") for each in paths))
    assert [code for _, _, code in found] == ["path_live"] * 4 + [""] * 4
    assert [state for _, state, _ in found] == ["refused"] * 4 + ["made"] * 4


@pytest.mark.parametrize(
    ("pairs", "codes"),
    [
        ([("old", "/new")], ["path_invalid"]),
        ([("//elsewhere.test/old", "/new")], ["path_invalid"]),
        ([("https://old.test/old", "/new")], ["path_invalid"]),
        ([("/old?product=12", "/new")], ["path_invalid"]),
        ([("/old one", "/new")], ["path_invalid"]),
        ([("/", "/new")], ["path_invalid"]),
        ([("/collections/all", "/new")], ["path_invalid"]),
        ([("/cart/old", "/new")], ["path_invalid"]),
        ([("/services", "/new")], ["path_invalid"]),
        ([("/services-old", "/new")], [""]),
        ([("/old", "https://elsewhere.test/")], ["path_invalid"]),
        ([("/old", "//elsewhere.test/")], ["path_invalid"]),
        ([("/old", "")], ["path_invalid"]),
        ([("/old", "/new"), ("/Old/", "/other")], ["path_ambiguous"] * 2),
        ([("/old", "/new"), ("/old/", "/new/")], ["", ""]),
        ([("/old", "/Old/")], ["redirect_loop"]),
        ([("/a", "/b"), ("/b", "/a")], ["redirect_loop"] * 2),
        ([("/a", "/b"), ("/b", "/c")], ["redirect_chain", ""]),
        ([("/a", "/b"), ("/b", "/c"), ("/c", "/b")], ["redirect_chain", *["redirect_loop"] * 2]),
        ([("/old", "/")], [""]),
    ],
)
async def test_what_cannot_be_redirected_is_refused_and_the_rest_is_made(
    shop: ShopifyShop, pairs: list[tuple[str, str]], codes: list[str]
):
    found = await redirect(shop, *pairs, MUG)
    assert [code for _, _, code in found] == [*codes, ""]
    assert [state == "refused" for _, state, _ in found] == [bool(each) for each in [*codes, ""]]
    made = {path.rstrip("/") for path, state, _ in found if state == "made"}
    assert set(standing(shop)) == made


def test_a_path_that_is_none_spoils_the_same_one_in_another_spelling():
    pairs = [Redirect("/old", "/new"), Redirect("/old?page=2", "/new")]
    assert refusals(pairs) == {"/old": "path_invalid"}


async def test_the_stores_own_refusal_is_told(shop: ShopifyShop):
    long = "/" + "a" * 1100
    assert await redirect(shop, (long, "/new")) == [(long, "refused", "store_rejected")]
    assert standing(shop) == {}


@pytest.mark.parametrize("fault", ["timeout_after", "error_after", "half_json"])
async def test_a_lost_answer_doubles_nothing(shop: ShopifyShop, fault: str):
    await shop.faults(**{fault: {"times": 1, "only": "urlRedirectCreate"}})
    found = await _until_known(shop, MUG)
    assert found == [("/shop-old/mug/", "kept", "")]
    assert standing(shop) == {"/shop-old/mug": "/products/mug"}


async def _until_known(shop: ShopifyShop, *pairs: tuple[str, str]) -> Any:
    """What a caller does: call again where it is not known."""
    try:
        return await redirect(shop, *pairs)
    except StoreError:
        return await redirect(shop, *pairs)


async def test_somebody_elses_redirect_of_the_same_moment_stays(shop: ShopifyShop):
    """It comes after the look-up, and is seen when the store refuses ours."""
    async with shop.target() as target:
        ask = target._api.ask

        async def late(document: Any, *rest: Any) -> Any:
            if "urlRedirectCreate" in document.text and not standing(shop):
                await redirect_by_hand(shop, "/shop-old/mug", "/pages/campaign")
            return await ask(document, *rest)

        target._api.ask = late  # type: ignore[method-assign]
        [found] = await target.redirect([Redirect(*MUG)])
    assert (found.state, found.code) == ("refused", "redirect_differs")
    assert standing(shop) == {"/shop-old/mug": "/pages/campaign"}


async def test_permission_is_asked_for_only_where_redirects_are_wanted():
    name = "online_store_navigation"
    scopes = tuple(each for each in READING + WRITING if name not in each)
    async with shopify_shop(scopes=scopes) as shop, shop.target() as target:
        await target.check()
        with pytest.raises(SignInAgain, match=f"write_{name}") as caught:
            await target.check_redirects()
        assert caught.value.code == "store_lacks_scopes"
        with pytest.raises(SignInAgain):
            await target.redirect([Redirect(*MUG)])
    async with shopify_shop() as shop, shop.target() as target:
        await target.check_redirects()
