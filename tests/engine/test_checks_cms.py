"""The checks of addresses and the pages that are no records, between two practice stores."""

from __future__ import annotations

from typing import Any

import pytest

from tests.connectors.practice import Instead
from tests.engine.grounds import ground_of
from tests.engine.practice_stores import Stores
from tests.engine.test_checks_urls import failed, fronts, keep, only, plant, stores
from workers.checks import urls
from workers.checks.base import Outcome, State

__all__ = ["fronts", "stores"]

PAGES = [
    {"id": 501, "title": "About us", "slug": "about", "content": "<p>Who we are.</p>"},
    {"id": 502, "title": "Terms", "content": "<p>What holds.</p>"},
]
NEWS = {"id": 503, "title": "News", "slug": "news", "path": "/2026/11/news/"}


@pytest.fixture
async def told(stores: Stores) -> Stores:
    """Both shops have two pages and a post besides their records."""
    for shop in (stores.old, stores.new):
        await shop.load(page=PAGES, post=[NEWS])
    return stores


async def gone(stores: Stores, number: int, kind: str = "page") -> None:
    await stores.new.edit(op="hard_delete", kind=kind, id=number)


async def answers(stores: Stores) -> Outcome:
    async with ground_of(stores.bench) as ground:
        return await urls.CHECKS[0].run(ground)


async def test_pages_at_their_old_paths_raise_no_alarm(told: Stores) -> None:
    assert await failed(told.bench) == {}
    outcome = await answers(told)
    assert (outcome.examined, outcome.total) == (11, 11)
    assert outcome.sample == "categories: all 3; products: all 5; other pages: all 3"


async def test_a_page_that_is_missing_is_found(told: Stores) -> None:
    await gone(told, 503, "post")
    (evidence,) = (await only(told, "urls.answer")).evidence
    assert (evidence.stream, evidence.source_id) == (None, None)
    assert evidence.message == (
        "/2026/11/news/ answers 404; the old shop has a page there that is no record."
    )


async def test_one_permanent_redirect_to_any_page_will_do_and_is_told(told: Stores) -> None:
    await gone(told, 501)
    await plant(told.new, redirects={"/about/": "/terms/"})
    outcome = await answers(told)
    assert outcome.state is State.PASSED
    assert outcome.sample.endswith(
        "other pages: all 3; 1 of these are redirected, and nobody knows whether rightly"
    )
    assert await failed(told.bench) == {}


async def test_a_redirect_for_now_or_to_the_home_page_will_not(told: Stores) -> None:
    await gone(told, 501)
    await plant(told.new, redirects={"/about/": {"to": "/terms/", "status": 302}})
    (evidence,) = (await only(told, "urls.answer")).evidence
    assert evidence.message == "/about/ is redirected for now (302), not for good."
    await plant(told.new, redirects={"/about/": "/"})
    (evidence,) = (await only(told, "urls.answer")).evidence
    assert evidence.message.startswith("/about/ leads to /; ")


async def test_a_chain_is_found(told: Stores) -> None:
    await gone(told, 501)
    await plant(told.new, redirects={"/about/": "/who/", "/who/": "/terms/"})
    (evidence,) = (await only(told, "urls.loops")).evidence
    assert evidence.message == "/about/ → /who/ → /terms/: 2 redirects."


async def test_what_people_have_added_goes_before(told: Stores) -> None:
    await gone(told, 501)
    await keep(told, **{"/about": (0, "/terms/")})
    await plant(told.new, redirects={"/about": "/2026/11/news/"})
    (evidence,) = (await only(told, "urls.answer")).evidence
    assert evidence.message == "/about leads to /2026/11/news/; it should lead to /terms/."
    await plant(told.new, redirects={"/about": "/terms/"})
    assert (await answers(told)).state is State.PASSED


async def test_a_page_that_the_old_shop_does_not_show_either_is_no_fault(told: Stores) -> None:
    await gone(told, 502)
    await plant(told.old, redirects={"/terms/": "/nowhere-at-all/"})
    assert await failed(told.bench) == {}


async def test_titles_are_compared_where_the_path_stayed(told: Stores) -> None:
    await plant(told.new, titles={"/about/": "Something else – New shop"})  # noqa: RUF001
    (evidence,) = (await only(told, "urls.content")).evidence
    assert evidence.field == "title"
    assert evidence.message.startswith("/about/: the title was «About us")
    await plant(told.new, redirects={"/about/": "/terms/"})
    assert await failed(told.bench) == {}


@pytest.mark.parametrize(
    ("at", "redirects"), [("/about/", {}), ("/terms/", {"/about/": "/terms/"})]
)
async def test_a_page_that_search_engines_may_not_list_is_found(
    told: Stores, at: str, redirects: dict[str, Any]
) -> None:
    await plant(told.new, noindex=[at], redirects=redirects)
    found = (await only(told, "urls.robots")).evidence
    assert {each.message for each in found} == {
        f"{at}: the page asks search engines not to list it."
    }


async def test_the_most_visited_and_newest_are_looked_at_first(told: Stores) -> None:
    await told.old.load(
        page=[{"title": f"Old {number}", "gmt": "2020-01-01T00:00:00"} for number in range(5)]
    )
    await keep(told, **{"/old-3": (900, None)})
    thresholds = {"urls.answer": {"other_pages": 2}}
    await told.set_policies(readiness={"thresholds": thresholds})
    outcome = (await failed(told.bench))["urls.answer"]
    assert outcome.sample.endswith("other pages: the 2 most visited and newest of 8")
    (evidence,) = outcome.evidence
    assert evidence.message.startswith("/old-3/ answers 404")


async def test_a_site_that_does_not_tell_its_pages_is_said_to(told: Stores) -> None:
    await gone(told, 501)
    told.old.instead += [Instead("GET", "wp/v2/pages", 401, {"code": "rest_login_required"})]
    outcome = await answers(told)
    assert (outcome.state, outcome.examined) == (State.PASSED, 9)
    assert outcome.sample.endswith(
        "; other pages: all 1; WordPress does not tell its pages: the store does not let us in"
        " (401)"
    )
