"""What the launch team changed on the target, after whatever the source did."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from app.services.lifecycle import to_json
from connectors.errors import BadAnswer
from connectors.records import Category, InventoryLevel, Option, Product, Stream, Variant, money
from tests.engine.conftest import Bench
from tests.engine.shop import FakeStore
from tests.engine.test_runs import Crash, customer, product

TEAM = "Written by the launch team"


def shirt(**small: Any) -> Product:
    sizes = [
        {"id": "s", "sku": "SHIRT-S", "options": (Option("Size", "S"),)} | small,
        {"id": "l", "sku": "SHIRT-L", "options": (Option("Size", "L"),)},
    ]
    priced = [
        {"regular_price": money("9", "GBP"), "description": "Cotton"} | each for each in sizes
    ]
    variants = tuple(Variant(**each) for each in priced)
    return Product(name="Shirt", kind="variable", variants=variants)


async def migrated(bench: Bench, content: Any, stream: Stream = Stream.PRODUCTS) -> str:
    """A record that was brought over. Answers with its id on the target."""
    bench.source.put(stream, "1", content)
    assert (await bench.run("full"))["status"] == "succeeded"
    [target_id] = bench.target.rows[stream]
    bench.target.writes.clear()
    bench.target.looks.clear()
    return target_id


def held(bench: Bench, stream: Stream = Stream.PRODUCTS) -> Any:
    [row] = bench.target.rows[stream].values()
    return row.content


async def rule(bench: Bench, **policies: dict[str, str]) -> None:
    async with bench.resources.engine.begin() as connection:
        await connection.execute(
            text("UPDATE migrations SET policies = CAST(:policies AS jsonb)"),
            {"policies": to_json({"conflicts": policies})},
        )


async def conflicts(bench: Bench) -> list[dict[str, Any]]:
    rows = await bench.rows("SELECT * FROM conflicts ORDER BY stream, source_id, field")
    return [row | {"values": bench.resources.vault.open(row["sealed"])} for row in rows]


async def settle(bench: Bench, decision: str | None) -> None:
    """As the API settles all there are."""
    async with bench.resources.engine.begin() as connection:
        await connection.execute(
            text(
                "UPDATE conflicts SET decision = CAST(:decision AS text), settled_by = 'tester',"
                " status = CASE WHEN CAST(:decision AS text) IS NULL THEN 'later'"
                " ELSE 'settled' END,"
                " applied_at = CASE WHEN CAST(:decision AS text) = 'target' THEN now() END"
            ),
            {"decision": decision},
        )


# --- edits of the team ---------------------------------------------------------------------------


async def test_a_description_of_the_team_survives_every_later_run(bench: Bench) -> None:
    target_id = await migrated(bench, product(1, description="Old"))
    bench.target.edit(Stream.PRODUCTS, target_id, description=TEAM)
    for number, kind in enumerate(("recent", "cutover", "full", "recent")):
        price = money(str(20 + number), "GBP")
        changed = replace(product(1), description=f"New {number}", regular_price=price)
        bench.source.put(Stream.PRODUCTS, "1", replace(changed, featured=number % 2 == 0))
        bench.source.tick(minutes=1)
        cutover = {"cutover": True} if kind == "cutover" else {}
        row = await bench.run("full" if kind == "full" else "recent", **cutover)
        assert row["status"] == "succeeded"
        assert held(bench).description == TEAM
        assert held(bench).regular_price == price
        assert held(bench).featured is (number % 2 == 0)
    [conflict] = await conflicts(bench)
    assert (conflict["field"], conflict["status"]) == ("description", "settled")
    assert (conflict["decision"], conflict["settled_by"]) == ("target", "policy")
    assert conflict["values"] == {"base": "New 2", "source": "New 3", "target": TEAM}


async def test_a_field_that_only_the_team_changed_is_never_written(bench: Bench) -> None:
    target_id = await migrated(bench, product(1))
    bench.target.edit(Stream.PRODUCTS, target_id, name=TEAM, tags=("new",))
    bench.source.put(Stream.PRODUCTS, "1", product(1, featured=True))
    await bench.run("recent")
    assert (held(bench).name, held(bench).tags, held(bench).featured) == (TEAM, ("new",), True)
    assert await conflicts(bench) == []


async def test_our_own_write_is_no_edit_of_the_team_though_the_target_writes_it_otherwise(
    bench: Bench,
) -> None:
    bench.target.slug_suffix = "-2"
    await migrated(bench, product(1, slug="mug"))
    for slug in ("cup", "beaker"):
        bench.source.put(Stream.PRODUCTS, "1", product(1, slug=slug, description=slug))
        await bench.run("recent")
        assert (held(bench).slug, held(bench).description) == (f"{slug}-2", slug)
    assert await conflicts(bench) == []


async def test_both_sides_coming_to_the_same_value_is_no_conflict_and_no_write(
    bench: Bench,
) -> None:
    target_id = await migrated(bench, product(1))
    bench.target.edit(Stream.PRODUCTS, target_id, name="Mug")
    bench.source.put(Stream.PRODUCTS, "1", replace(product(1), name="Mug"))
    await asyncio.sleep(0.06)  # what the target shows is no older than our last write
    row = await bench.run("recent")
    assert bench.target.writes == []
    assert await conflicts(bench) == []
    assert (await bench.counters(row["id"])).get("updated", 0) == 0


async def test_customers_are_the_sources_and_the_overwritten_value_is_kept(bench: Bench) -> None:
    target_id = await migrated(bench, customer(1), Stream.CUSTOMERS)
    bench.target.edit(Stream.CUSTOMERS, target_id, first_name="Team", last_name="Team")
    bench.source.put(Stream.CUSTOMERS, "1", replace(customer(1), first_name="Source"))
    row = await bench.run("recent")
    shown = held(bench, Stream.CUSTOMERS)
    assert (shown.first_name, shown.last_name) == ("Source", "Team")
    [conflict] = await conflicts(bench)
    assert (conflict["decision"], conflict["settled_by"]) == ("source", "policy")
    assert conflict["values"] == {"base": "A", "source": "Source", "target": "Team"}
    assert (await bench.counters(row["id"]))["conflicts"] == 1


async def test_a_migrations_own_policies_rule(bench: Bench) -> None:
    await rule(bench, products={"description": "source", "*": "target"})
    target_id = await migrated(bench, product(1, description="Old"))
    bench.target.edit(Stream.PRODUCTS, target_id, description=TEAM, name=TEAM, weight="7")
    changed = replace(product(1, description="New", weight="9"), name="Other")
    bench.source.put(Stream.PRODUCTS, "1", changed)
    await bench.run("recent")
    assert (held(bench).description, held(bench).name, held(bench).weight) == ("New", TEAM, "7")


async def test_values_of_a_conflict_are_encrypted_at_rest(bench: Bench) -> None:
    target_id = await migrated(bench, customer(1), Stream.CUSTOMERS)
    bench.target.edit(Stream.CUSTOMERS, target_id, last_name="Nightingale")
    bench.source.put(Stream.CUSTOMERS, "1", replace(customer(1), last_name="Seacole"))
    await bench.run("recent")
    kept = await bench.rows(
        "SELECT sealed AS found FROM conflicts UNION SELECT content FROM contents"
    )
    assert len(kept) == 2
    for row in kept:
        assert b"Nightingale" not in row["found"]
        assert b"Seacole" not in row["found"]


# --- conflicts and what is decided about them ----------------------------------------------------


async def in_conflict(bench: Bench) -> str:
    """A product whose name both sides changed."""
    target_id = await migrated(bench, product(1))
    bench.target.edit(Stream.PRODUCTS, target_id, name=TEAM)
    bench.source.put(Stream.PRODUCTS, "1", replace(product(1), name="Source"))
    row = await bench.run("recent")
    assert row["status"] == "succeeded"
    assert (await bench.counters(row["id"]))["conflicts"] == 1
    bench.target.writes.clear()
    return target_id


async def test_a_field_changed_on_both_sides_is_one_conflict_that_waits(bench: Bench) -> None:
    await in_conflict(bench)
    for kind in ("recent", "full"):
        row = await bench.run(kind)
        assert (await bench.counters(row["id"])).get("conflicts", 0) == 0
    assert held(bench).name == TEAM
    assert bench.target.writes == []
    [conflict] = await conflicts(bench)
    assert (conflict["field"], conflict["status"], conflict["decision"]) == ("name", "open", None)
    assert conflict["base_known"]
    assert conflict["values"] == {"base": "Product 1", "source": "Source", "target": TEAM}


async def test_what_is_kept_does_not_make_later_runs_look_again(bench: Bench) -> None:
    await in_conflict(bench)
    bench.target.looks.clear()
    await bench.run("recent")
    assert bench.target.looks == []


@pytest.mark.parametrize("options", [{}, {"options": {"only": "conflicts"}}])
async def test_the_sources_value_is_written_by_the_next_job_once_chosen(
    bench: Bench, options: dict[str, Any]
) -> None:
    await in_conflict(bench)
    await settle(bench, "source")
    row = await bench.run("recent", **options)
    assert row["status"] == "succeeded"
    assert held(bench).name == "Source"
    [conflict] = await conflicts(bench)
    assert (conflict["status"], conflict["settled_by"]) == ("settled", "tester")
    assert conflict["applied_at"] is not None
    bench.target.writes.clear()
    await bench.run("recent")
    assert bench.target.writes == []
    bench.source.put(Stream.PRODUCTS, "1", replace(product(1), name="Newer"))
    await bench.run("recent")
    assert held(bench).name == "Newer", "the target holds what we wrote: nobody edited it since"


async def test_a_retry_of_one_quarantined_record_carries_no_conflict_out(bench: Bench) -> None:
    await in_conflict(bench)
    await settle(bench, "source")
    ids = ["00000000-0000-4000-8000-000000000000"]
    await bench.run("recent", options={"only": "quarantine", "ids": ids})
    assert held(bench).name == TEAM


@pytest.mark.parametrize("decision", ["target", None])
async def test_keeping_and_putting_off_leave_the_targets_value(
    bench: Bench, decision: str | None
) -> None:
    await in_conflict(bench)
    await settle(bench, decision)
    bench.source.put(Stream.PRODUCTS, "1", replace(product(1, featured=True), name="Source"))
    row = await bench.run("recent")
    assert (held(bench).name, held(bench).featured) == (TEAM, True)
    assert (await bench.counters(row["id"])).get("conflicts", 0) == 0
    [conflict] = await conflicts(bench)
    assert conflict["status"] == ("settled" if decision else "later")


async def test_a_new_value_of_the_source_asks_again(bench: Bench) -> None:
    await in_conflict(bench)
    await settle(bench, "target")
    bench.source.put(Stream.PRODUCTS, "1", replace(product(1), name="Newer"))
    row = await bench.run("recent")
    assert held(bench).name == TEAM
    assert (await bench.counters(row["id"]))["conflicts"] == 1
    [conflict] = await conflicts(bench)
    assert (conflict["status"], conflict["decision"]) == ("open", None)
    assert conflict["values"] == {"base": "Source", "source": "Newer", "target": TEAM}


async def test_a_choice_is_for_what_the_target_held_then(bench: Bench) -> None:
    target_id = await in_conflict(bench)
    await settle(bench, "source")
    bench.target.edit(Stream.PRODUCTS, target_id, name="The team again")
    await bench.run("recent")
    assert held(bench).name == "The team again"
    [conflict] = await conflicts(bench)
    assert conflict["status"] == "open"


async def test_a_conflict_whose_sides_agree_by_now_is_closed(bench: Bench) -> None:
    target_id = await in_conflict(bench)
    bench.target.edit(Stream.PRODUCTS, target_id, name="Source")
    bench.source.put(Stream.PRODUCTS, "1", replace(product(1, featured=True), name="Source"))
    await bench.run("recent")
    [conflict] = await conflicts(bench)
    assert (conflict["status"], conflict["settled_by"]) == ("settled", "agreement")


# --- variants ------------------------------------------------------------------------------------


async def test_variants_are_merged_field_by_field(bench: Bench) -> None:
    target_id = await migrated(bench, shirt())
    small, large = held(bench).variants
    edited = replace(small, description=TEAM, weight="1", regular_price=money("5", "GBP"))
    bench.target.edit(Stream.PRODUCTS, target_id, variants=(edited, replace(large, weight="2")))
    changed = shirt(description="Linen", barcode="123", regular_price=money("8", "GBP"))
    bench.source.put(Stream.PRODUCTS, "1", changed)
    await bench.run("recent")
    one, other = held(bench).variants
    assert (one.description, one.weight, one.barcode) == (TEAM, "1", "123")
    assert one.regular_price == money("8", "GBP")
    assert other.weight == "2"
    found = {each["field"]: each["decision"] for each in await conflicts(bench)}
    assert found == {
        "variants.s.description": "target",
        "variants.s.regular_price": "source",
    }


async def test_a_choice_about_a_variant_reaches_it(bench: Bench) -> None:
    target_id = await migrated(bench, shirt())
    small, large = held(bench).variants
    bench.target.edit(
        Stream.PRODUCTS, target_id, variants=(replace(small, description=TEAM), large)
    )
    bench.source.put(Stream.PRODUCTS, "1", shirt(description="Linen"))
    await bench.run("recent")
    assert held(bench).variants[0].description == TEAM
    await settle(bench, "source")
    await bench.run("recent")
    assert [each.description for each in held(bench).variants] == ["Linen", "Cotton"]


async def test_a_variant_that_the_team_deleted_stays_deleted_until_it_changes(
    bench: Bench,
) -> None:
    target_id = await migrated(bench, shirt())
    bench.target.edit(Stream.PRODUCTS, target_id, variants=held(bench).variants[1:])
    bench.source.put(Stream.PRODUCTS, "1", replace(shirt(), featured=True))
    await bench.run("recent")
    assert [each.sku for each in held(bench).variants] == ["SHIRT-L"]


# --- doubts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["lost", "dropped"])
async def test_an_update_without_an_answer_overwrites_nobody(bench: Bench, word: str) -> None:
    target_id = await migrated(bench, product(1, description="Old"))
    bench.target.edit(Stream.PRODUCTS, target_id, description=TEAM)
    bench.source.put(Stream.PRODUCTS, "1", product(1, description="New", featured=True))
    bench.target.script = [word, word]
    row = await bench.run("recent")
    assert row["status"] == "succeeded"
    assert (held(bench).description, held(bench).featured) == (TEAM, True)
    assert len(await conflicts(bench)) == 1


async def test_what_a_crashed_update_left_is_no_edit_of_the_team(bench: Bench) -> None:
    """The target holds a value that the ledger never heard of, and the source has moved on."""
    await migrated(bench, product(1))
    bench.source.put(Stream.PRODUCTS, "1", replace(product(1), name="Between"))
    job = await bench.start("recent", streams=["products"])

    async def crash(_):
        raise Crash

    bench.target.hooks["written"] = crash
    with pytest.raises(Crash):
        await bench.finish(job)
    bench.target.hooks.clear()
    assert held(bench).name == "Between"
    bench.source.put(Stream.PRODUCTS, "1", replace(product(1), name="After"))
    await bench.lapse()
    await bench.finish(job)
    assert held(bench).name == "After"
    assert await conflicts(bench) == []


async def test_a_crashed_update_is_taken_back_when_the_source_takes_it_back(bench: Bench) -> None:
    await migrated(bench, product(1))
    bench.source.put(Stream.PRODUCTS, "1", replace(product(1), name="Between"))
    job = await bench.start("recent", streams=["products"])

    async def crash(_):
        raise Crash

    bench.target.hooks["written"] = crash
    with pytest.raises(Crash):
        await bench.finish(job)
    bench.target.hooks.clear()
    bench.source.put(Stream.PRODUCTS, "1", product(1))
    await bench.lapse()
    await bench.finish(job)
    assert held(bench).name == "Product 1"
    assert await conflicts(bench) == []


async def test_a_look_at_a_half_written_record_is_no_conflict(bench: Bench) -> None:
    target_id = await migrated(bench, product(1))
    bench.target.shows[target_id] = [replace(product(1), name="Half writ")]
    bench.source.put(Stream.PRODUCTS, "1", replace(product(1), name="Source"))
    await bench.run("recent")
    assert held(bench).name == "Source"
    assert await conflicts(bench) == []
    assert len(bench.target.looks) == 2


async def test_a_look_at_an_older_record_loses_no_update(bench: Bench) -> None:
    """The source goes back to what the target still shows, although we have overwritten it."""
    target_id = await migrated(bench, product(1))
    bench.source.put(Stream.PRODUCTS, "1", replace(product(1), name="Between"))
    await bench.run("recent")
    stale = replace(held(bench), name="Product 1")
    async with bench.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE links SET applied_at = now() + interval '1 minute'"))
    bench.target.shows[target_id] = [stale] * 3
    bench.source.put(Stream.PRODUCTS, "1", product(1))
    await bench.run("recent")
    assert held(bench).name == "Product 1"


async def test_a_record_that_is_hidden_for_a_moment_is_not_gone(bench: Bench) -> None:
    target_id = await migrated(bench, product(1))
    real = held(bench)

    bench.target.shows[target_id] = [None]
    bench.source.put(Stream.PRODUCTS, "1", product(1, featured=True))
    row = await bench.run("recent")
    assert row["status"] == "succeeded"
    assert held(bench) == replace(real, featured=True)


async def test_a_target_record_that_nobody_understands_spoils_no_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in (1, 2):
        bench.source.put(Stream.PRODUCTS, str(n), product(n))
    await bench.run("full")
    ids = {row.content.sku: row.id for row in bench.target.rows[Stream.PRODUCTS].values()}
    original = FakeStore.get

    async def get(self, stream, wanted):
        if self.shop is bench.target and ids["SKU-1"] in wanted:
            raise BadAnswer("no amount", code="record_unmappable")
        return await original(self, stream, wanted)

    monkeypatch.setattr(FakeStore, "get", get)
    for n in (1, 2):
        bench.source.put(Stream.PRODUCTS, str(n), product(n, featured=True))
    row = await bench.run("recent")
    assert row["status"] == "completed_with_errors"
    [item] = await bench.rows("SELECT source_id, code FROM quarantine")
    assert item == {"source_id": "1", "code": "target_not_understood"}
    assert bench.target.rows[Stream.PRODUCTS][ids["SKU-2"]].content.featured


# --- without a base ------------------------------------------------------------------------------


async def test_what_was_applied_before_anybody_looked_is_merged_too(bench: Bench) -> None:
    """Links of an earlier release know the source's side alone."""
    target_id = await migrated(bench, product(1, description="Old", short_description="Old"))
    async with bench.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE links SET target_fields = NULL, parts = NULL"))
        await connection.execute(text("DELETE FROM contents"))
    bench.target.edit(Stream.PRODUCTS, target_id, short_description=TEAM)
    bench.source.put(Stream.PRODUCTS, "1", product(1, description="New", short_description="New"))
    await bench.run("recent")
    assert (held(bench).description, held(bench).short_description) == ("New", TEAM)
    [conflict] = await conflicts(bench)
    assert not conflict["base_known"]
    assert conflict["values"]["base"] is None


async def test_a_target_that_does_not_answer_with_the_record_is_merged_all_the_same(
    bench: Bench,
) -> None:
    bench.target.mute_answers = True
    target_id = await migrated(bench, product(1, description="Old"))
    bench.target.edit(Stream.PRODUCTS, target_id, short_description=TEAM)
    for text_ in ("New", "Newer"):
        bench.source.put(Stream.PRODUCTS, "1", product(1, description=text_))
        await bench.run("recent")
        assert held(bench).description == text_
        assert held(bench).short_description == TEAM


async def test_somebody_elses_record_is_not_taken_over_at_first_contact(bench: Bench) -> None:
    """Fields go by policy, what is empty there is filled, and prices are the source's."""
    there = replace(
        product(1, description=TEAM, featured=True),
        name="Theirs",
        regular_price=money("1", "GBP"),
        created_at=datetime(2020, 1, 1, tzinfo=UTC),
    )
    bench.target.put(Stream.PRODUCTS, "7", there)
    ours = product(1, description="Ours", short_description="Ours", barcode="4006381333931")
    bench.source.put(Stream.PRODUCTS, "1", ours)
    row = await bench.run("full")
    assert row["status"] == "succeeded"
    shown = held(bench)
    assert (shown.description, shown.short_description) == (TEAM, "Ours")
    assert (shown.name, shown.featured, shown.barcode) == ("Theirs", True, "4006381333931")
    assert (shown.regular_price, shown.created_at) == (ours.regular_price, there.created_at)
    found = {each["field"]: each for each in await conflicts(bench)}
    assert found.keys() == {"description", "name", "featured"}
    assert not any(each["base_known"] for each in found.values())
    assert [found[each]["status"] for each in ("name", "featured")] == ["open", "open"]
    assert found["name"]["values"] == {"base": None, "source": "Product 1", "target": "Theirs"}
    assert (found["description"]["status"], found["description"]["decision"]) == (
        "settled",
        "target",
    )
    counted = await bench.counters(row["id"])
    assert (counted["updated"], counted["conflicts"], counted.get("created", 0)) == (1, 3, 0)
    await settle(bench, "source")
    await bench.run("recent")
    assert (held(bench).name, held(bench).featured) == ("Product 1", False)


async def test_a_variant_of_somebody_elses_record_is_not_taken_over_either(bench: Bench) -> None:
    theirs = shirt(status="private", regular_price=money("1", "GBP"))
    bench.target.put(Stream.PRODUCTS, "7", replace(theirs, sku="SHIRT"))
    bench.source.put(Stream.PRODUCTS, "1", replace(shirt(), sku="SHIRT"))
    assert (await bench.run("full"))["status"] == "succeeded"
    small = held(bench).variants[0]
    assert (small.status, small.regular_price) == ("private", money("9", "GBP"))
    assert [each["field"] for each in await conflicts(bench)] == ["variants.s.status"]


async def test_a_record_that_carries_our_key_is_the_sources_whoever_lost_its_link(
    bench: Bench,
) -> None:
    target_id = await migrated(bench, product(1))
    async with bench.resources.engine.begin() as connection:
        await connection.execute(text("DELETE FROM links"))
    bench.target.edit(Stream.PRODUCTS, target_id, name=TEAM)
    assert (await bench.run("full"))["status"] == "succeeded"
    assert held(bench).name == "Product 1"


async def test_policies_that_ask_have_a_platform_asked_that_keeps_doubles_out_itself(
    bench: Bench,
) -> None:
    """It would bring somebody else's record up to date in one go."""
    writes = {
        each: replace(can, refuses_doubles=True) for each, can in bench.platform.writes.items()
    }
    bench.use(replace(bench.platform, writes=writes))
    bench.target.put(Stream.PRODUCTS, "7", replace(product(1), name="Theirs"))
    bench.source.put(Stream.PRODUCTS, "1", product(1))
    bench.source.put(Stream.CUSTOMERS, "1", customer(1))
    assert (await bench.run("full"))["status"] == "succeeded"
    assert held(bench).name == "Theirs"
    assert bench.target.finds == 1, "customers are the source's: nobody has to ask for them"


async def test_a_record_that_the_connector_finds_by_itself_is_updated_and_not_created(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = {
        each: replace(can, refuses_doubles=True) for each, can in bench.platform.writes.items()
    }
    bench.use(replace(bench.platform, writes=writes))
    bench.source.put(Stream.CUSTOMERS, "1", customer(1))
    bench.source.put(Stream.CUSTOMERS, "2", customer(2))
    bench.target.put(Stream.CUSTOMERS, "7", customer(1))
    original = FakeStore._apply

    def applied(self, stream, operation, word):
        for row in self.shop.rows[stream].values():
            if operation.target_id is None and row.content.email == operation.content.email:
                there = replace(operation, target_id=row.id)
                return replace(original(self, stream, there, word), found="email")
        return original(self, stream, operation, word)

    monkeypatch.setattr(FakeStore, "_apply", applied)
    row = await bench.run("full")
    counted = await bench.counters(row["id"])
    assert (counted["created"], counted["updated"]) == (1, 1)
    links = await bench.rows("SELECT target_id, matched_by FROM links ORDER BY source_id")
    assert links[0] == {"target_id": "7", "matched_by": "email"}
    assert links[1]["matched_by"] is None


async def test_a_create_costs_no_look(bench: Bench) -> None:
    for n in range(4):
        bench.source.put(Stream.PRODUCTS, str(n), product(n))
    bench.source.put(Stream.CATEGORIES, "c", Category(name="Mugs"))
    await bench.run("full")
    assert bench.target.looks == []


async def test_a_stream_that_does_not_merge_mirrors_the_source(bench: Bench) -> None:
    bench.source.put(Stream.PRODUCTS, "1", product(1))
    target_id = await migrated(
        bench, InventoryLevel(product="1", quantity=Decimal(5)), Stream.INVENTORY
    )
    bench.target.edit(Stream.INVENTORY, target_id, quantity=Decimal(9))
    bench.source.put(Stream.INVENTORY, "1", InventoryLevel(product="1", quantity=Decimal(4)))
    await bench.run("recent")
    assert held(bench, Stream.INVENTORY).quantity == 4
    assert await conflicts(bench) == []
