"""What a shop asks, Shopify asks: run after run, whatever comes and goes at the source."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.engine.launching import checked
from tests.engine.test_woocommerce_to_shopify import Move, changes, move

__all__ = ["move"]

pytestmark = pytest.mark.contracts

PRODUCTS = {"streams": ["products"]}


def goods(**fields: Any) -> dict[str, Any]:
    return {"name": "Thing", "sku": "SKU-1", "status": "publish", **fields}


def asked(move: Move) -> list[tuple[str, str | None]]:
    """The only product's prices where it is for sale, and what each is compared with."""
    [product] = move.new.store.tables["Product"].values()
    if product["status"] != "ACTIVE" or not product["_published"]:
        return []
    rows = [move.new.store.tables["ProductVariant"][each] for each in product["_variants"]]
    return [(each["price"], each["compareAtPrice"]) for each in rows]


async def lost(move: Move) -> set[str]:
    """What the target could not keep of the product that was made first."""
    [link, *_] = await move.bench.rows(
        "SELECT losses FROM links WHERE stream = 'products' ORDER BY source_id::bigint"
    )
    return set(link["losses"] or ())


async def variable(move: Move, sizes: dict[str, dict[str, Any]]) -> tuple[int, list[int]]:
    """A product in several sizes, and its variations, each with fields of its own."""
    names = list(sizes)
    size = {"name": "Size", "options": names, "variation": True}
    given = goods(type="variable", attributes=[size])
    [above] = (await move.old.load(product=[given]))["product"]
    below = []
    for name, fields in sizes.items():
        chosen = {"attributes": [{"name": "Size", "option": name}], "sku": f"SKU-1-{name}"}
        made = await move.old.admin("POST", f"products/{above}/variations", chosen | fields)
        below.append(made["id"])
    return above, below


async def arranged(move: Move, **prices: str) -> None:
    """The team gives the only product these sizes at these prices, and no others."""
    [product] = move.new.store.tables["Product"].values()
    variants = [
        {"optionValues": [{"optionName": "Size", "name": name}], "price": price}
        for name, price in prices.items()
    ]
    options = [{"name": "Size", "values": [{"name": name} for name in prices]}]
    values = {"variants": variants, "productOptions": options}
    await move.new.edit(op="update", kind="product", id=product["_n"], values=values)


async def conflicts(move: Move) -> list[Any]:
    return await move.bench.rows("SELECT field, status FROM conflicts")


async def test_a_product_is_for_sale_while_it_has_a_price(move: Move) -> None:
    """Not before it has one, not once it has none; and nobody is asked about our own drafts."""
    [number] = (await move.old.load(product=[goods()]))["product"]

    async def edited(**fields: Any) -> list[tuple[str, str | None]]:
        await move.old.admin("PUT", f"products/{number}", fields)
        await move.run(**PRODUCTS)
        return asked(move)

    await move.run("full", **PRODUCTS)
    assert asked(move) == []
    assert {"regular_price", "status"} <= await lost(move)
    assert await edited(name="Thing of two names") == []
    assert await edited(regular_price="12.00") == [("12.00", None)]
    assert not {"regular_price", "status"} & await lost(move)
    assert await edited(regular_price="") == []
    assert {"regular_price", "status"} <= await lost(move)
    assert await edited(regular_price="9.00") == [("9.00", None)]
    assert await edited(status="draft") == []
    assert await conflicts(move) == []
    move.new.requests.clear()
    await move.run("full", **PRODUCTS)
    assert changes(move.new) == []


async def test_a_price_that_the_team_gave_a_product_without_one_stays(move: Move) -> None:
    [number] = (await move.old.load(product=[goods()]))["product"]
    await move.run("full", **PRODUCTS)
    [product] = move.new.store.tables["Product"].values()
    [variant] = product["_variants"]
    move.new.store.tables["ProductVariant"][variant]["price"] = "20.00"
    await move.old.admin("PUT", f"products/{number}", {"name": "Thing of two names"})
    await move.run(**PRODUCTS)
    assert asked(move) == [("20.00", None)]
    assert await conflicts(move) == []


async def on_sale(move: Move, kind: str, date: str) -> None:
    """A product whose sale began, or ended, an hour ago (`from`, `to`)."""
    then = datetime.now(UTC).replace(microsecond=0, tzinfo=None) - timedelta(hours=1)
    dates = {f"date_on_sale_{date}_gmt": then.isoformat()}
    sale = {"regular_price": "10.00", "sale_price": "5.00", **dates}
    if kind == "simple":
        await move.old.load(product=[goods(**sale)])
        return
    size = {"name": "Size", "options": ["S"], "variation": True}
    [above] = (await move.old.load(product=[goods(type=kind, attributes=[size])]))["product"]
    small = {"attributes": [{"name": "Size", "option": "S"}], "sku": "SKU-1-S"}
    await move.old.admin("POST", f"products/{above}/variations", small | sale)


@pytest.mark.parametrize(
    ("date", "before", "then"),
    [("from", ("10.00", None), ("5.00", "10.00")), ("to", ("5.00", "10.00"), ("10.00", None))],
    ids=["begins", "ends"],
)
@pytest.mark.parametrize("kind", ["simple", "variable"])
async def test_the_next_sweep_brings_a_sale_that_began_or_ended(
    move: Move, kind: str, date: str, before: Any, then: Any
) -> None:
    """Nothing changed at the source, and another price counts."""
    earlier = 2 * 3600
    await on_sale(move, kind, date)
    move.new.now[0] -= earlier
    await move.run("full", **PRODUCTS)
    assert asked(move) == [before]
    assert {"sale_from", "sale_to"} & await lost(move)
    move.new.now[0] += earlier
    async with move.bench.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE links SET applied_at = applied_at - interval '2h'"))
    await move.run("full", **PRODUCTS)
    assert asked(move) == [then]
    move.new.requests.clear()
    await move.run("full", **PRODUCTS)
    assert changes(move.new) == []
    assert await conflicts(move) == []


async def test_a_sale_that_begins_while_its_product_is_written_is_brought_by_the_next_run(
    move: Move,
) -> None:
    """The price was asked for before the sale began, and the write is noted long after."""
    now = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
    begins = {"date_on_sale_from_gmt": (now - timedelta(hours=1)).isoformat()}
    await move.old.load(product=[goods(regular_price="10.00", sale_price="5.00", **begins)])
    move.new.now[0] -= 2 * 3600
    await move.run("full", **PRODUCTS)
    assert asked(move) == [("10.00", None)]
    move.new.now[0] += 2 * 3600
    for _ in range(2):
        move.new.requests.clear()
        await move.run("full", **PRODUCTS)
        assert asked(move) == [("5.00", "10.00")]
    assert changes(move.new) == []


@pytest.mark.parametrize("kind", ["simple", "variable"])
async def test_a_sale_of_the_teams_stays_while_one_of_the_source_is_to_come(
    move: Move, kind: str
) -> None:
    """Whatever else of the product changes at the source."""
    begins = (datetime.now(UTC) + timedelta(days=9)).replace(microsecond=0, tzinfo=None)
    sale = {
        "regular_price": "10.00",
        "sale_price": "5.00",
        "date_on_sale_from_gmt": begins.isoformat(),
    }
    if kind == "simple":
        [number] = (await move.old.load(product=[goods(**sale)]))["product"]
    else:
        number, _ = await variable(move, {"S": sale})
    await move.run("full", **PRODUCTS)
    [product] = move.new.store.tables["Product"].values()
    [held] = product["_variants"]
    theirs = {"price": "7.00", "compareAtPrice": "10.00"}
    move.new.store.tables["ProductVariant"][held].update(theirs)
    for name in ("Thing of two names", "Thing of three names"):
        await move.old.admin("PUT", f"products/{number}", {"name": name})
        await move.run(**PRODUCTS)
        assert asked(move) == [("7.00", "10.00")]
    assert await conflicts(move) == []


async def test_a_sale_that_is_given_an_end_and_loses_it_is_on_again(move: Move) -> None:
    """What the target showed in between was our own doing, and no edit."""
    sale = {"regular_price": "10.00", "sale_price": "5.00"}
    [number] = (await move.old.load(product=[goods(**sale)]))["product"]
    await move.run("full", **PRODUCTS)
    past = (datetime.now(UTC) - timedelta(hours=1)).replace(microsecond=0, tzinfo=None).isoformat()
    for end, price in ((past, ("10.00", None)), ("", ("5.00", "10.00")), (past, ("10.00", None))):
        change = {"date_on_sale_to_gmt": end}
        await move.old.admin("PUT", f"products/{number}", change)
        await move.run(**PRODUCTS)
        assert asked(move) == [price]
    assert await conflicts(move) == []


@pytest.mark.parametrize(
    "off",
    [{"regular_price": ""}, {"status": "draft"}, {"status": "draft", "regular_price": ""}],
    ids=["without a price", "a draft", "both"],
)
@pytest.mark.parametrize("first", [True, False], ids=["from the first", "later"])
async def test_what_is_hidden_is_so_when_it_comes_on_sale(
    move: Move, off: dict[str, str], first: bool
) -> None:
    """A draft on Shopify does not say that it is hidden."""
    on = {"regular_price": "9.00", "status": "publish"}
    given = goods(catalog_visibility="hidden", **{**on, **(off if first else {})})
    [number] = (await move.old.load(product=[given]))["product"]
    await move.run("full", **PRODUCTS)
    [product] = move.new.store.tables["Product"].values()
    for fields, status in ((off, "DRAFT"), (on, "UNLISTED")):
        await move.old.admin("PUT", f"products/{number}", fields)
        await move.run(**PRODUCTS)
        assert product["status"] == status
    assert await conflicts(move) == []
    move.new.requests.clear()
    await move.run("full", **PRODUCTS)
    assert changes(move.new) == []


async def test_what_the_team_hides_is_not_shown_because_a_price_came_back(move: Move) -> None:
    """Nor does a change of anything else show it."""
    [number] = (await move.old.load(product=[goods(regular_price="10.00")]))["product"]
    await move.run("full", **PRODUCTS)
    [product] = move.new.store.tables["Product"].values()
    product["status"] = "UNLISTED"
    for fields in (
        {"name": "Thing of two names"},
        {"regular_price": ""},
        {"regular_price": "9.00"},
    ):
        await move.old.admin("PUT", f"products/{number}", fields)
        await move.run(**PRODUCTS)
        assert asked(move) == []


async def test_what_the_team_takes_off_its_channels_does_not_come_back_with_a_price(
    move: Move,
) -> None:
    [number] = (await move.old.load(product=[goods(regular_price="10.00")]))["product"]
    await move.run("full", **PRODUCTS)
    [product] = move.new.store.tables["Product"].values()
    await move.new.edit(op="channels", kind="product", id=product["_n"], names=[])
    for price in ("", "9.00"):
        await move.old.admin("PUT", f"products/{number}", {"regular_price": price})
        await move.run(**PRODUCTS)
        assert asked(move) == []


async def test_a_product_that_the_team_gave_sizes_stays_for_sale(move: Move) -> None:
    """It has no price of its own any more, and needs none."""
    [number] = (await move.old.load(product=[goods(regular_price="10.00")]))["product"]
    await move.run("full", **PRODUCTS)
    await arranged(move, S="10.00", M="11.00")
    await move.old.admin("PUT", f"products/{number}", {"name": "Thing of two names"})
    await move.run(**PRODUCTS)
    assert asked(move) == [("10.00", None), ("11.00", None)]
    assert not {"regular_price", "status"} & await lost(move)


@pytest.mark.parametrize("price", ["9.00", ""], ids=["priced", "without a price"])
async def test_a_size_that_the_team_deleted_stays_deleted(move: Move, price: str) -> None:
    """And one without a price holds the others up no longer."""
    sizes = {"S": {"regular_price": price}, "M": {"regular_price": "10.00"}}
    above, [_, medium] = await variable(move, sizes)
    await move.run("full", **PRODUCTS)
    assert len(asked(move)) == (2 if price else 0)
    await arranged(move, M="10.00")
    way = f"products/{above}/variations/{medium}"
    await move.old.admin("PUT", way, {"regular_price": "11.00"})
    await move.run("full", **PRODUCTS)
    assert asked(move) == [("11.00", None)]


async def test_a_product_that_comes_back_without_a_price_is_no_more_for_sale(move: Move) -> None:
    """It was taken off, because the source had lost it: all of it is written once more."""
    others = [goods(name=f"Other {n}", sku=f"O-{n}", regular_price="5.00") for n in range(20)]
    [number, *_] = (await move.old.load(product=[goods(), *others]))["product"]
    await move.run("full", **PRODUCTS)
    await move.old.edit(op="hard_delete", kind="product", id=number)
    await move.run("full", **PRODUCTS)
    [removal] = await move.bench.rows("SELECT status FROM removals")
    assert removal["status"] == "done"
    await move.old.load(product=[goods(id=number)])
    await move.run("full", **PRODUCTS)
    statuses = {e["title"]: e["status"] for e in move.new.store.tables["Product"].values()}
    assert statuses["Thing"] == "DRAFT"
    assert {"regular_price", "status"} <= await lost(move)


@pytest.mark.parametrize(
    ("date", "then"),
    [("from", ("5.00", "10.00")), ("to", ("10.00", None))],
    ids=["begins", "ends"],
)
@pytest.mark.parametrize("kind", ["simple", "variable"])
async def test_a_verification_finds_a_sale_that_began_or_ended_and_any_run_brings_its_price(
    move: Move, kind: str, date: str, then: Any
) -> None:
    """The shop asks another price than the source, and no date has moved."""
    earlier = 2 * 3600
    await on_sale(move, kind, date)
    move.new.now[0] -= earlier
    await move.run("full", **PRODUCTS)
    assert asked(move) != [then]
    move.new.now[0] += earlier
    async with move.bench.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE links SET applied_at = applied_at - interval '2h'"))
    _, results = await checked(move.bench, checks=["data.money"])
    [evidence] = results["data.money"]["evidence"]
    assert evidence["field"].endswith("sale_price")
    assert "The next run puts the source's value back" in evidence["message"]
    await move.run(**PRODUCTS)
    assert asked(move) == [then]
    _, results = await checked(move.bench, checks=["data.money"])
    assert (results["data.money"]["state"], results["data.money"]["evidence"]) == ("passed", [])


async def test_what_has_no_price_and_was_published_all_the_same_is_found_and_held_back(
    move: Move,
) -> None:
    """As by somebody who publishes all drafts at once on the day of the launch."""
    await move.old.load(product=[goods()])
    await move.run("full", **PRODUCTS)
    [product] = move.new.store.tables["Product"].values()
    there = move.new.store.publication["_n"]
    product.update(status="ACTIVE", _published={there: product["createdAt"]})
    assert asked(move) == [("0.00", None)]
    _, results = await checked(move.bench, checks=["data.money"])
    [evidence] = results["data.money"]["evidence"]
    assert (evidence["field"], "sold for nothing" in evidence["message"]) == ("regular_price", True)
    await move.run(**PRODUCTS)
    assert asked(move) == []
