"""Many redirects are imported as a file, and nothing is lost, doubled or overwritten."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from connectors.errors import StoreError, TryLater
from connectors.redirects import Redirect
from tests.connectors.shopify_shop import ShopifyShop, shopify_shop
from tests.connectors.test_shopify_redirects import redirect, redirect_by_hand, sent, standing

pytestmark = pytest.mark.contracts

PAIRS = [(f"/old/{number}", f"/products/{number}") for number in range(45)]
SUBMIT = "urlRedirectImportSubmit"


@pytest.fixture
async def shop() -> AsyncIterator[ShopifyShop]:
    async with shopify_shop() as opened:
        yield opened


def states(found: list[tuple[str, str, str]]) -> set[str]:
    return {state for _, state, _ in found}


def uploads(shop: ShopifyShop) -> list[dict[str, Any]]:
    return [each for each in shop.requests if "upload" in each]


async def test_many_are_made_by_one_import_and_kept_from_then_on(shop: ShopifyShop):
    first = await redirect(shop, *PAIRS)
    assert first == [(path, "made", "") for path, _ in PAIRS]
    assert standing(shop) == dict(PAIRS)
    assert (sent(shop, SUBMIT), sent(shop, "urlRedirectCreate")) == (1, 0)
    assert states(await redirect(shop, *PAIRS)) == {"kept"}
    assert (sent(shop, SUBMIT), len(uploads(shop))) == (1, 1)


async def test_the_token_does_not_go_to_the_place_of_the_file(shop: ShopifyShop):
    await redirect(shop, *PAIRS)
    assert [each["signed"] for each in uploads(shop)] == [False]


async def test_a_large_map_is_imported_in_parts_and_within_the_budget(shop: ShopifyShop):
    pairs = [(f"/old/{number}", f"/products/{number}") for number in range(600)]
    assert states(await redirect(shop, *pairs)) == {"made"}
    assert standing(shop) == dict(pairs)
    assert sent(shop, SUBMIT) == 3
    assert not any("THROTTLED" in each["errors"] for each in shop.requests)


async def test_what_a_table_has_to_quote_arrives_as_it_was(shop: ShopifyShop):
    odd = [
        ("/old/a,b", '/collections/sale?tag=a,b&name="x"'),
        ("/old/über", "/products/über#größe"),
        ("/old/it's", "/pages/'new'"),
    ]
    assert states(await redirect(shop, *PAIRS, *odd)) == {"made"}
    assert standing(shop) == dict([*PAIRS, *odd])


async def test_only_what_may_be_redirected_is_in_the_file(shop: ShopifyShop):
    await shop.load(product=[{"title": "Mug"}])
    await redirect_by_hand(shop, "/old/0", "/pages/campaign")
    await redirect_by_hand(shop, "/old/1", "/products/1")
    await redirect_by_hand(shop, "/products/2", "/products/two")
    found = await redirect(shop, *PAIRS, ("/products/mug", "/new"), ("/a", "/b"), ("/b", "/a"))
    codes = {path: (state, code) for path, state, code in found if state != "made"}
    assert codes == {
        "/old/0": ("refused", "redirect_differs"),
        "/old/1": ("kept", ""),
        "/old/2": ("refused", "redirect_chain"),
        "/products/mug": ("refused", "path_live"),
        "/a": ("refused", "redirect_loop"),
        "/b": ("refused", "redirect_loop"),
    }
    there = standing(shop)
    assert (there["/old/0"], there["/old/3"]) == ("/pages/campaign", "/products/3")
    assert not {"/products/mug", "/a", "/b", "/old/2"} & set(there)
    assert sent(shop, "urlRedirectCreate") == 0


async def test_the_reason_of_each_failed_row_is_asked_for(shop: ShopifyShop):
    long = "/" + "a" * 1100
    found = await redirect(shop, *PAIRS, (long, "/new"))
    assert found[:-1] == [(path, "made", "") for path, _ in PAIRS]
    assert found[-1] == (long, "refused", "store_rejected")
    assert sent(shop, "urlRedirectCreate") == 1


async def test_a_search_that_lags_behind_hides_nothing_that_was_imported(shop: ShopifyShop):
    await shop.faults(search_lag={"seconds": 4})
    assert states(await redirect(shop, *PAIRS)) == {"made"}
    long = "/" + "a" * 1100
    more = [(f"/more/{number}", "/new") for number in range(30)]
    assert states(await redirect(shop, *more, (long, "/new"))) == {"made", "refused"}
    assert sent(shop, "urlRedirectCreate") == 1


async def test_what_nobody_can_tell_yet_is_an_error_and_kept_later(shop: ShopifyShop):
    pairs = [*PAIRS, ("/" + "a" * 1100, "/new")]
    await shop.faults(search_lag={"seconds": 60})
    with pytest.raises(TryLater) as caught:
        await redirect(shop, *pairs)
    assert caught.value.code == "store_importing"
    shop.now[0] += 60
    found = await redirect(shop, *pairs)
    assert states(found[:-1]) == {"kept"}
    assert found[-1][1] == "refused"


@pytest.mark.parametrize("lag", [0, 60])
async def test_a_redirect_of_the_last_moment_is_not_overwritten(shop: ShopifyShop, lag: int):
    """It is made while the file is on its way, after the first look; a search may not see it."""
    await shop.faults(search_lag={"seconds": lag})
    async with shop.target() as target:
        ask = target._api.ask

        async def late(document: Any, *rest: Any) -> Any:
            found = await ask(document, *rest)
            if "urlRedirectImportCreate" in document.text:
                await redirect_by_hand(shop, "/old/7", "/pages/campaign")
            return found

        target._api.ask = late  # type: ignore[method-assign]
        found = await target.redirect([Redirect(*each) for each in PAIRS])
    # The store refuses what its search does not show yet.
    code = "store_rejected" if lag else "redirect_differs"
    assert (found[7].state, found[7].code) == ("refused", code)
    assert standing(shop) == {**dict(PAIRS), "/old/7": "/pages/campaign"}
    assert sent(shop, SUBMIT) == 0


@pytest.mark.parametrize("step", ["stagedUploadsCreate", "urlRedirectImportCreate", SUBMIT])
@pytest.mark.parametrize("fault", ["timeout_after", "error_after", "half_json"])
async def test_a_lost_answer_doubles_nothing(shop: ShopifyShop, fault: str, step: str):
    await shop.faults(**{fault: {"times": 1, "only": step}})
    try:
        found = await redirect(shop, *PAIRS)
    except StoreError:
        found = await redirect(shop, *PAIRS)
    assert states(found) <= {"made", "kept"}
    assert standing(shop) == dict(PAIRS)


async def test_after_a_crash_within_an_import_everything_is_there_once():
    async with shopify_shop(import_rows_a_second=10.0) as shop:
        async with shop.target() as target:
            ask = target._api.ask

            async def killed(document: Any, *rest: Any) -> Any:
                found = await ask(document, *rest)
                if 0 < len(standing(shop)) < len(PAIRS):
                    raise KeyboardInterrupt
                return found

            target._api.ask = killed  # type: ignore[method-assign]
            with pytest.raises(KeyboardInterrupt):
                await target.redirect([Redirect(*each) for each in PAIRS])
        assert 0 < len(standing(shop)) < len(PAIRS)
        found = await redirect(shop, *PAIRS)
        assert states(found) == {"made", "kept"}
        assert standing(shop) == dict(PAIRS)
        assert states(await redirect(shop, *PAIRS)) == {"kept"}


async def test_an_import_without_end_is_waited_for_half_a_minute_and_no_longer():
    async with shopify_shop(import_rows_a_second=0.1) as shop:
        with pytest.raises(TryLater) as caught:
            await redirect(shop, *PAIRS)
        assert caught.value.code == "store_importing"
        assert 20 < sum(shop.slept) < 40


@pytest.mark.parametrize(
    "fault",
    [
        {"upload_fails": {"status": 403}},
        {"upload_fails": {"status": 503, "times": 3}},
        {"import_swaps": {"on": True}},
    ],
    ids=["refused", "unreachable", "misunderstood"],
)
async def test_without_a_usable_import_they_are_made_one_by_one(
    shop: ShopifyShop, fault: dict[str, Any]
):
    await shop.faults(**fault)
    assert states(await redirect(shop, *PAIRS)) == {"made"}
    assert standing(shop) == dict(PAIRS)
    assert (sent(shop, SUBMIT), sent(shop, "urlRedirectCreate")) == (0, len(PAIRS))


async def test_an_upload_that_breaks_off_is_repeated(shop: ShopifyShop):
    await shop.faults(upload_fails={"status": 503, "times": 2})
    assert states(await redirect(shop, *PAIRS)) == {"made"}
    assert (len(uploads(shop)), sent(shop, SUBMIT)) == (3, 1)
