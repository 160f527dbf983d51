"""The checks of addresses, between two practice stores: each fault is found by the check that is
for it, and by no other.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pydantic import BaseModel
from sqlalchemy import text

from connectors.pages import PageRules, by_patterns
from connectors.storefront import Storefront
from tests.connectors.practice import Practice
from tests.engine import practice_stores
from tests.engine.conftest import Bench
from tests.engine.grounds import ground_of
from tests.engine.practice_stores import Stores, between_practice_stores
from tests.engine.shop import FakeSettings
from tests.engine.test_mapping import rules
from workers.checks import pages, urls
from workers.checks.base import Outcome, State

ALL = {each.id: each for each in urls.CHECKS}
GOODS = {"status": "publish", "regular_price": "2.55"}


class Fronts:
    """The storefronts of both shops, by the names of their stores."""

    def __init__(self) -> None:
        self.shops: dict[str, Practice] = {}
        self.unknown: set[str] = set()

    def rules(self, name: str) -> PageRules:
        if name in self.unknown:
            return PageRules("", {})
        return by_patterns(self.shops[name].url, "", "/product-category/{path}/")

    def open(self, settings: BaseModel) -> Storefront | None:
        assert isinstance(settings, FakeSettings)
        if settings.name in self.unknown:
            return None
        shop = self.shops[settings.name]
        return Storefront(shop.url, transport=httpx.ASGITransport(shop.app), sleep=shop.sleep)


@pytest.fixture
def fronts(monkeypatch: pytest.MonkeyPatch) -> Fronts:
    known = Fronts()

    class WithPages(FakeSettings):
        @property
        def public_pages(self) -> PageRules:
            return known.rules(self.name)

    monkeypatch.setattr(practice_stores, "FakeSettings", WithPages)
    monkeypatch.setattr(pages, "open_storefront", known.open)
    return known


@pytest.fixture
async def stores(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, fronts: Fronts
) -> AsyncIterator[Stores]:
    """Five products in two categories, brought over."""
    async with between_practice_stores(bench, monkeypatch, name="New shop") as opened:
        fronts.shops = {"source": opened.old, "target": opened.new}
        await opened.scope("categories", "products")
        kitchen, baking = (
            await opened.old.load(
                category=[
                    {"id": 31, "name": "Kitchen", "slug": "kitchen", "description": "All of it."},
                    {"id": 32, "name": "Baking", "slug": "baking", "parent": 31},
                ]
            )
        )["category"]
        shown = [{"id": kitchen, "name": "Kitchen", "slug": "kitchen"}]
        await opened.old.load(
            product=[
                GOODS
                | {
                    "id": number,
                    "name": f"{name} mug",
                    "slug": f"{name.lower()}-mug",
                    "sku": f"MUG-{number}",
                    "description": f"<p>A {name.lower()} mug &amp; its saucer.</p>",
                    "categories": shown,
                }
                for number, name in enumerate(("Blue", "Red", "Green", "Black", "White"), 201)
            ]
        )
        assert baking
        await opened.run("full")
        yield opened


async def failed(bench: Bench, **options: Any) -> dict[str, Outcome]:
    """The outcomes of all checks but those that passed."""
    async with ground_of(bench, **options) as ground:
        outcomes = {name: await check.run(ground) for name, check in ALL.items()}
    return {name: each for name, each in outcomes.items() if each.state is not State.PASSED}


async def only(stores: Stores, name: str) -> Outcome:
    """The one check that failed, and it is this one."""
    found = await failed(stores.bench)
    assert {each: outcome.state for each, outcome in found.items()} == {name: State.FAILED}
    outcome = found[name]
    assert outcome.found == len(outcome.evidence)
    return outcome


async def plant(shop: Practice, **wanted: Any) -> None:
    await shop.control("PUT", "storefront", wanted)


async def of_target(stores: Stores, slug: str) -> dict[str, Any]:
    return next(each for each in await stores.all(stores.new, "products") if each["slug"] == slug)


async def keep(stores: Stores, **paths: tuple[int, str | None]) -> None:
    """Visits of old paths, and redirects that people have added."""
    async with stores.bench.resources.engine.begin() as connection:
        for path, (visits, target) in paths.items():
            await connection.execute(
                text(
                    "INSERT INTO old_paths (migration_id, key, path, visits, target)"
                    " VALUES (:migration, :path, :path, :visits, :target)"
                ),
                {
                    "migration": stores.bench.migration,
                    "path": path,
                    "visits": visits,
                    "target": target,
                },
            )


async def test_a_clean_pair_raises_no_alarm(stores: Stores) -> None:
    stores.old.asked.clear()
    stores.new.asked.clear()
    async with ground_of(stores.bench) as ground:
        outcomes = [await check.run(ground) for check in urls.CHECKS]
    assert [each.state for each in outcomes] == [State.PASSED] * 5
    assert [(each.examined, each.total) for each in outcomes] == [(8, 8)] * 5
    assert outcomes[0].sample == "categories: all 3; products: all 5"
    assert {each.method for each in stores.old.asked + stores.new.asked} == {"GET"}


async def test_mapping_rules_hide_no_pages(stores: Stores) -> None:
    await rules(stores.bench, products=[{"field": "visibility", "set": "search"}])
    async with ground_of(stores.bench) as ground:
        outcome = await urls.CHECKS[0].run(ground)
    assert (outcome.state, outcome.examined) == (State.PASSED, 8)


async def test_a_loop_is_found(stores: Stores) -> None:
    await plant(stores.new, redirects={"/product/red-mug/": "/red/", "/red/": "/product/red-mug/"})
    outcome = await only(stores, "urls.loops")
    (evidence,) = outcome.evidence
    assert evidence.message == "/product/red-mug/ → /red/ → /product/red-mug/: it never ends."
    assert evidence.source_id == "202"


async def test_a_chain_to_the_right_page_is_found(stores: Stores) -> None:
    await plant(stores.old, redirects={})
    red = await of_target(stores, "red-mug")
    await stores.new.admin("PUT", f"products/{red['id']}", {"slug": "crimson-mug"})
    await plant(
        stores.new,
        redirects={"/product/red-mug/": "/red/", "/red/": "/product/crimson-mug/"},
    )
    (evidence,) = (await only(stores, "urls.loops")).evidence
    assert evidence.message.endswith("/product/crimson-mug/: 2 redirects.")


async def test_a_guess_of_wordpress_is_no_answer(stores: Stores) -> None:
    """It leads somewhere, by one permanent redirect, and the page there answers 200."""
    await stores.new.load(product=[GOODS | {"name": "Mug", "slug": "green-mug-and-more"}])
    green = await of_target(stores, "green-mug")
    await stores.new.edit(op="patch", kind="product", id=green["id"], fields={"status": "draft"})
    outcome = await only(stores, "urls.answer")
    (evidence,) = outcome.evidence
    assert evidence.source_id == "203"
    assert "no public page" in evidence.message


async def test_a_redirect_to_another_record_is_found(stores: Stores) -> None:
    await plant(stores.new, redirects={"/product/red-mug/": "/product/blue-mug/"})
    (evidence,) = (await only(stores, "urls.answer")).evidence
    assert evidence.message == (
        "/product/red-mug/ leads to /product/blue-mug/; it should lead to /product/red-mug/."
    )


async def test_a_redirect_for_now_is_found(stores: Stores) -> None:
    red = await of_target(stores, "red-mug")
    await stores.new.admin("PUT", f"products/{red['id']}", {"slug": "crimson-mug"})
    there = {"to": "/product/crimson-mug/", "status": 302}
    await plant(stores.new, redirects={"/product/red-mug/": there})
    (evidence,) = (await only(stores, "urls.answer")).evidence
    assert "for now (302)" in evidence.message


async def test_a_redirect_away_from_the_shop_is_found(stores: Stores) -> None:
    await plant(stores.new, redirects={"/product/red-mug/": "https://elsewhere.test/"})
    (evidence,) = (await only(stores, "urls.answer")).evidence
    assert "leads away from the shop" in evidence.message


async def test_a_page_that_is_missing_is_found(stores: Stores) -> None:
    black = await of_target(stores, "black-mug")
    await stores.new.admin("DELETE", f"products/{black['id']}?force=true")
    (evidence,) = (await only(stores, "urls.answer")).evidence
    assert (evidence.stream, evidence.source_id) == ("products", "204")


async def test_a_renamed_product_with_its_redirect_is_no_fault(stores: Stores) -> None:
    """WordPress keeps the old slug when one is changed by hand."""
    red = await of_target(stores, "red-mug")
    await stores.new.admin("PUT", f"products/{red['id']}", {"slug": "crimson-mug"})
    assert await failed(stores.bench) == {}


async def test_a_slug_that_another_record_took_is_found(stores: Stores) -> None:
    """The record's own page has moved to `-2`, and its old path shows the other record."""
    red = await of_target(stores, "red-mug")
    await stores.new.edit(
        op="patch",
        kind="product",
        id=red["id"],
        fields={
            "slug": "red-mug-2",
            "permalink": red["permalink"].replace("red-mug", "red-mug-2"),
        },
    )
    await stores.new.load(product=[GOODS | {"name": "Another mug", "slug": "red-mug"}])
    (evidence,) = (await only(stores, "urls.slugs")).evidence
    assert (evidence.source_id, evidence.field) == ("202", "slug")
    assert evidence.message == (
        "The slug was red-mug and is red-mug-2 on the target, and the old path /product/red-mug/"
        " shows another record's page."
    )


async def test_a_category_that_was_renamed_is_found(stores: Stores) -> None:
    """WordPress keeps no old slugs of categories."""
    (baking,) = [
        each
        for each in await stores.new.admin("GET", "products/categories?per_page=100")
        if each["slug"] == "baking"
    ]
    await stores.new.admin("PUT", f"products/categories/{baking['id']}", {"slug": "pastry"})
    (evidence,) = (await only(stores, "urls.slugs")).evidence
    assert (evidence.stream, evidence.source_id) == ("categories", "32")
    assert evidence.message.endswith("/product-category/kitchen/baking/ answers 404.")


async def test_a_title_that_changed_is_found(stores: Stores) -> None:
    await plant(stores.new, titles={"/product/blue-mug/": "Cheap mugs – New shop"})  # noqa: RUF001
    (evidence,) = (await only(stores, "urls.content")).evidence
    assert (evidence.field, evidence.source_id) == ("title", "201")
    assert "Cheap mugs" in evidence.message


@pytest.mark.parametrize(
    ("planted", "field"),
    [
        ({"descriptions": {"/product/blue-mug/": ""}}, "description"),
        ({"canonicals": {"/product/blue-mug/": "http://shop.test/product/red-mug/"}}, "canonical"),
        (
            {"canonicals": {"/product/blue-mug/": "http://other.test/product/blue-mug/"}},
            "canonical",
        ),
    ],
)
async def test_descriptions_and_canonical_addresses_are_compared(
    stores: Stores, planted: dict[str, Any], field: str
) -> None:
    await plant(stores.new, **planted)
    (evidence,) = (await only(stores, "urls.content")).evidence
    assert (evidence.field, evidence.source_id) == (field, "201")


@pytest.mark.parametrize(
    "planted",
    [
        {"noindex": ["/product/white-mug/"]},
        {"x_robots": {"/product/white-mug/": "googlebot: noindex"}},
        {"robots": "User-agent: *\nDisallow: /*white\n"},
        {"robots": "User-agent: *\nDisallow:\n\nUser-agent: Googlebot\nDisallow: /*white\n"},
    ],
)
async def test_what_keeps_search_engines_out_is_found(
    stores: Stores, planted: dict[str, Any]
) -> None:
    await plant(stores.new, **planted)
    (evidence,) = (await only(stores, "urls.robots")).evidence
    assert evidence.source_id == "205"


async def test_a_new_shop_that_hides_from_search_engines_is_found_on_every_page(
    stores: Stores,
) -> None:
    await plant(stores.new, hidden=True)
    assert (await only(stores, "urls.robots")).found == 8


async def test_what_was_kept_out_before_may_stay_so(stores: Stores) -> None:
    kept_out = {
        "noindex": ["/product/white-mug/"],
        "robots": "User-agent: *\nDisallow: /product/red\n",
    }
    await plant(stores.old, **kept_out)
    await plant(stores.new, **kept_out)
    assert await failed(stores.bench) == {}


async def test_the_most_visited_are_looked_at_first_and_added_redirects_too(
    stores: Stores,
) -> None:
    await keep(
        stores, **{"/product/black-mug": (900, None), "/about": (500, "/"), "/gone": (1, "/no/")}
    )
    await stores.set_policies(readiness={"thresholds": {"urls.answer": {"pages": 3}}})
    found = await failed(stores.bench)
    assert set(found) == {"urls.answer"}
    outcome = found["urls.answer"]
    assert (outcome.examined, outcome.total) == (3, 10)
    assert "of these 10 the 3 most visited and newest" in outcome.sample
    assert {each.message.partition(" ")[0] for each in outcome.evidence} == {"/about", "/gone"}
    await stores.set_policies()
    await plant(stores.new, redirects={"/about": "/", "/gone": "/product/red-mug/"})
    (evidence,) = (await failed(stores.bench))["urls.answer"].evidence
    assert evidence.message == "/gone leads to /product/red-mug/; it should lead to /no/."


async def test_a_record_that_is_visited_much_is_looked_at_outside_of_the_sample(
    stores: Stores,
) -> None:
    await keep(stores, **{"/product/white-mug": (900, None)})
    async with stores.bench.resources.engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO page_addresses"
                " (migration_id, stream, source_id, target_id, old_path, old_key, new_path)"
                " SELECT migration_id, stream, source_id, target_id, '/product/white-mug/',"
                " '/product/white-mug', '/product/white-mug/' FROM links"
                " WHERE stream = 'products' AND source_id = '205'"
            )
        )
    await plant(stores.new, noindex=["/product/white-mug/"])
    options: dict[str, Any] = {"sample": 0, "changed": 0}
    found = await failed(stores.bench, **options)
    assert {name: each.examined for name, each in found.items()} == {"urls.robots": 1}


@pytest.mark.parametrize("side", ["source", "target"])
async def test_without_a_storefront_the_checks_are_skipped_and_say_what_to_set(
    stores: Stores, fronts: Fronts, side: str
) -> None:
    fronts.unknown = {side}
    found = await failed(stores.bench)
    assert [each.state for each in found.values()] == [State.SKIPPED] * 5
    assert {each.summary for each in found.values()} == {
        f"It is not known where visitors see the {side}: set its storefront_url."
    }


async def test_a_shop_behind_a_password_is_not_judged(stores: Stores) -> None:
    await plant(stores.new, redirects={"/": {"to": "/password", "status": 302}})
    found = await failed(stores.bench)
    assert [each.state for each in found.values()] == [State.UNKNOWN] * 5
    assert "password" in found["urls.answer"].summary


async def test_pages_that_do_not_answer_are_no_proof_of_anything(stores: Stores) -> None:
    await stores.new.faults(error_before={"probability": 1.0, "status": 500, "route": "/product/"})
    found = await failed(stores.bench)
    assert {each.state for each in found.values()} == {State.UNKNOWN}


async def test_a_job_looks_once_for_all_its_checks(stores: Stores) -> None:
    """Also where each check runs in another process: what the first one saw is kept."""
    await plant(stores.new, hidden=True)
    job = await stores.bench.start("verify")
    outcomes = []
    visits = []
    for check in urls.CHECKS:
        stores.new.app.store.requests.clear()
        async with ground_of(stores.bench) as ground:
            ground.job = job
            outcomes.append(await check.run(ground))
        visits.append(sum(stores.new.app.store.requests.values()))
    assert [each.state for each in outcomes] == [State.PASSED] * 4 + [State.FAILED]
    assert visits[0] > 10
    assert visits[1:] == [0] * 4


async def test_they_are_a_part_of_a_job_that_verifies(stores: Stores) -> None:
    await plant(stores.new, noindex=["/product/blue-mug/"])
    row = await stores.bench.run("verify", options={"checks": ["urls"]})
    assert row["status"] == "completed_with_errors"
    found = await stores.bench.rows("SELECT check_id, state FROM check_results ORDER BY position")
    assert [(each["check_id"], each["state"]) for each in found] == [
        ("urls.answer", "passed"),
        ("urls.loops", "passed"),
        ("urls.slugs", "passed"),
        ("urls.content", "passed"),
        ("urls.robots", "failed"),
    ]


async def test_paths_that_nobody_knows_are_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, stores: Stores, fronts: Fronts
) -> None:
    monkeypatch.setattr(
        Fronts, "rules", lambda self, name: by_patterns(self.shops[name].url, "", "")
    )
    await stores.scope("categories")
    found = await failed(bench)
    assert {each.summary for each in found.values()} == {
        "It is not known how the source makes paths of categories: set its category_path."
    }
