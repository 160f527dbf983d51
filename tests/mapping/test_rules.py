"""What each kind of rule does to a record, and which rules are refused where."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from typing import Any

import pytest
from msgspec.structs import replace
from pydantic import ValidationError

from app.mapping import functions
from app.mapping.mapper import MappingFailed
from app.mapping.places import paths, place
from app.mapping.rules import Rules
from connectors.digest import digest
from connectors.records import Product, Record, Stream, money
from tests.mapping.records import mapped, mapper, order, product

PRODUCTS, ORDERS = Stream.PRODUCTS, Stream.ORDERS


def test_without_rules_a_record_stays_the_very_same() -> None:
    record = product()
    assert mapper(PRODUCTS).mapped(record) is record
    assert mapper(ORDERS, {"field": "note", "set": "x"}).mapped(record) is record


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ({"field": "tax_class", "set": "reduced"}, {"tax_class": "reduced"}),
        ({"field": "status", "values": {"private": "draft"}}, {"status": "draft"}),
        ({"field": "status", "values": {"x": "y"}, "otherwise": "draft"}, {"status": "draft"}),
        ({"field": "tags", "values": {"old": "blue"}}, {"tags": ("blue",)}),
        ({"field": "tags", "values": {"old": None, "blue": "Blue"}}, {"tags": ("Blue",)}),
        ({"field": "categories", "values": {"c1": "c9"}}, {"categories": ("c9", "c2")}),
        ({"field": "regular_price", "drop": True}, {"regular_price": None}),
        ({"field": "status", "drop": True}, {"status": "published"}),
        ({"field": "extra.vendor", "rename": "barcode"}, {"barcode": "Ems"}),
        ({"field": "name", "expression": "trim(name) + ' ' + sku"}, {"name": "Mug MUG"}),
        ({"field": "name", "set": "x", "when": "sku == 'OTHER'"}, {}),
        ({"field": "weight", "expression": "string(double('0.5') * 3.0)"}, {"weight": "1.5"}),
        ({"field": "name", "set": "x", "when": "size(variants) == 2"}, {"name": "x"}),
        ({"field": "regular_price.amount", "set": "9.50"}, {}),
        (
            {"field": "regular_price.amount", "expression": "rounded(times(value, '1.077'), 2)"},
            {"regular_price": money("10.23", "EUR")},
        ),
    ],
)
def test_each_kind_of_rule(rule: dict[str, Any], changes: dict[str, Any]) -> None:
    record = product()
    if rule.get("rename"):
        changes = {**changes, "extra": {"meta": record.content.extra["meta"]}}
    assert mapped(record, PRODUCTS, rule) == replace(record.content, **changes)


def test_a_value_that_has_nowhere_to_go_stays() -> None:
    record = order()
    bare = replace(record, content=replace(record.content, billing=None, note="Ring twice"))
    rule = {"field": "note", "rename": "billing.company"}
    assert mapped(bare, ORDERS, rule) == bare.content
    assert (
        mapped(record, ORDERS, {"field": "number", "rename": "billing.company"}) != record.content
    )


def test_a_rule_reaches_every_part_of_a_list() -> None:
    rule = {
        "field": "variants.sku",
        "expression": "upperAscii(value) + '/' + part.id",
        "when": "part.id != 'v2'",
    }
    content = mapped(product(), PRODUCTS, rule)
    assert [each.sku for each in content.variants] == ["MUG-R/v1", "mug-b"]


def test_values_move_into_extra_and_between_keys_that_hold_dots() -> None:
    content = mapped(
        product(),
        PRODUCTS,
        {"field": "short_description", "set": "A mug."},
        {"field": "short_description", "to_extra": "meta.teaser"},
        {"field": "extra.meta.Wash at 30.", "rename": "extra.meta.care"},
    )
    assert content.short_description == ""
    assert content.extra["meta"] == {"season": "spring", "teaser": "A mug.", "care": "yes"}


def test_rules_see_what_those_before_them_made() -> None:
    content = mapped(
        product(),
        PRODUCTS,
        {"field": "barcode", "set": "123"},
        {"field": "barcode", "drop": True},
        {"field": "weight", "expression": "barcode == '' ? '1.5' : '2'"},
    )
    assert (content.barcode, content.weight) == ("", "1.5")


def test_what_is_not_there_is_not_made_but_below_extra() -> None:
    bare = order(billing=None)
    rules = ({"field": "billing.city", "set": "Bern"}, {"field": "extra.meta.from", "set": "old"})
    content = mapped(bare, ORDERS, *rules)
    assert content.billing is None
    assert content.extra == {"meta": {"from": "old"}}


def test_money_and_moments_have_one_form_whoever_made_them() -> None:
    rules = (
        {"field": "regular_price", "set": {"amount": "9.5000", "currency": "EUR"}},
        {"field": "sale_from", "set": "2026-03-01T14:00:00+02:00"},
    )
    content = mapped(product(), PRODUCTS, *rules)
    assert digest(content) == digest(
        replace(product().content, sale_from=datetime(2026, 3, 1, 12, tzinfo=UTC))
    )


def test_a_mapped_record_keeps_its_id_and_its_stamp() -> None:
    stamp = datetime(2026, 4, 1, tzinfo=UTC)
    record = replace(product(), stamp=stamp)
    after = mapper(PRODUCTS, {"field": "name", "set": "x"}).mapped(record)
    assert (after.id, after.stamp) == ("p1", stamp)


def test_a_trace_names_the_rules_that_did_something() -> None:
    made = mapper(
        PRODUCTS,
        {"field": "name", "set": "x", "when": "sku == ''"},
        {"field": "sku", "set": "MUG"},
        {"field": "weight", "set": "2"},
    )
    assert made.trace(product()).applied == (2,)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"field": "regular_price.amount", "expression": "9.5 * 2.0"}, "has to be text"),
        ({"field": "regular_price.amount", "expression": "'x'"}, "does not fit"),
        ({"field": "regular_price.amount", "expression": "'NaN'"}, "finite"),
        ({"field": "name", "expression": "1"}, "does not fit"),
        ({"field": "name", "expression": "null"}, "does not fit"),
        ({"field": "sale_from", "expression": "'2026-03-01T12:00:00'"}, "zone"),
        ({"field": "name", "expression": "extra.nothing"}, "key"),
        ({"field": "name", "expression": "string(1 / 0)"}, "zero"),
        ({"field": "name", "set": "x", "when": "'yes'"}, "true or false"),
        ({"field": "extra.vendor", "rename": "featured"}, "does not fit"),
    ],
)
def test_a_rule_that_makes_no_valid_record_says_which_and_tells_no_value(
    rule: dict[str, Any], words: str
) -> None:
    with pytest.raises(MappingFailed, match=words) as failure:
        mapped(product(name="secret"), PRODUCTS, {"field": "sku", "set": "A"}, rule)
    assert "/products/1" in str(failure.value)
    assert "secret" not in str(failure.value)


def test_another_content_or_other_rules_may_succeed_where_these_failed() -> None:
    old, new = mapper(PRODUCTS, version=1), mapper(PRODUCTS, version=2)
    record = product()
    digests = {
        old.failure_digest(record),
        new.failure_digest(record),
        old.failure_digest(product(name="Cup")),
    }
    assert len(digests) == 3
    assert old.failure_digest(product()) == old.failure_digest(record)


# --- refused rules -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stream", "rule", "pointer"),
    [
        ("products", {"field": "colour", "set": "x"}, "products/1/field"),
        ("products", {"field": "name.x", "set": "x"}, "products/1/field"),
        ("products", {"field": "extra", "set": {}}, "products/1/field"),
        ("products", {"field": "variants", "set": []}, "products/1/field"),
        ("products", {"field": "variants.id", "set": "x"}, "products/1/field"),
        ("products", {"field": "created_at", "drop": True}, "products/1/field"),
        ("products", {"field": "name", "set": 1}, "products/1/set"),
        (
            "products",
            {"field": "regular_price", "set": {"amount": 1.5, "currency": "EUR"}},
            "products/1/set",
        ),
        ("products", {"field": "status", "values": {"a": 1}}, "products/1/values"),
        ("products", {"field": "name", "values": {"a": None}}, "products/1/values"),
        ("products", {"field": "name", "rename": "variants.sku"}, "products/1/rename"),
        ("products", {"field": "name", "expression": "1 +"}, "products/1/expression"),
        ("products", {"field": "name", "expression": "price"}, "products/1/expression"),
        ("products", {"field": "name", "set": "x", "when": "now()"}, "products/1/when"),
        (
            "products",
            {"field": "regular_price.amount", "expression": "string(double(value) * 1.1)"},
            "products/1/expression",
        ),
        ("products", {"function": "nowhere"}, "products/1/function"),
        ("products", {"field": "name"}, "products/1"),
        ("products", {"field": "name", "set": "x", "drop": True}, "products/1"),
        ("products", {"set": "x"}, "products/1"),
        ("products", {"field": "name", "drop": True}, "products/1"),
        ("products", {"field": "categories", "set": ["c1"]}, "products/1"),
        ("products", {"field": "name", "set": "x", "wenn": "true"}, "products/1/wenn"),
        ("orders", {"field": "lines.product", "drop": True}, "orders/1/field"),
        ("orders", {"field": "customer", "expression": "'u2'"}, "orders/1"),
        ("inventory", {"field": "product", "set": "x"}, "inventory/1/field"),
    ],
)
def test_the_error_points_at_the_rule(stream: str, rule: dict[str, Any], pointer: str) -> None:
    good = {"field": "sku" if stream != "orders" else "note", "set": "x"}
    with pytest.raises(ValidationError) as failure:
        Rules.model_validate({stream: [good, rule]})
    assert ["/".join(map(str, each["loc"])) for each in failure.value.errors()] == [pointer]


def test_every_path_that_the_schema_offers_can_be_written() -> None:
    for stream in Stream:
        assert paths(stream)
        for path in paths(stream):
            assert place(stream, path).names
    assert "variants.sku" in paths(PRODUCTS)
    assert not {"variants.id", "created_at", "lines", "lines.product"} & set(
        paths(PRODUCTS) + paths(ORDERS)
    )


def test_the_schema_names_the_fields_of_each_stream() -> None:
    kinds = Rules.model_json_schema()["$defs"]
    offered = kinds["OrderRule"]["properties"]["field"]["anyOf"][0]["enum"]
    assert "billing.city" in offered
    assert "sale_from" not in offered


# --- functions -----------------------------------------------------------------------------------


def shouted(record: Record) -> Record:
    return replace(record, content=replace(record.content, name=record.content.name.upper()))


def without_ids(record: Record) -> Record:
    assert isinstance(record.content, Product)
    return replace(record, content=replace(record.content, variants=()))


def priced_by_float(record: Record) -> Record:
    price = replace(money("1", "EUR"), amount=1.5)
    return replace(record, content=replace(record.content, regular_price=price))


def failing(_: Record) -> Record:
    raise RuntimeError("secret")


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = {
        name: EntryPoint(name, f"{__name__}:{name}", functions.GROUP)
        for name in ("shouted", "without_ids", "priced_by_float", "failing")
    }
    monkeypatch.setattr(functions, "installed", lambda: entries)
    functions.function.cache_clear()


@pytest.mark.usefixtures("offered")
def test_an_installed_function_may_do_what_rules_cannot_say() -> None:
    content = mapped(
        product(),
        PRODUCTS,
        {"function": "shouted", "when": "sku == 'MUG'"},
        {"function": "shouted"},
    )
    assert content.name == " MUG "


@pytest.mark.usefixtures("offered")
@pytest.mark.parametrize("name", ["without_ids", "priced_by_float", "failing"])
def test_what_a_function_makes_is_looked_at_as_strictly(name: str) -> None:
    with pytest.raises(MappingFailed) as failure:
        mapped(product(), PRODUCTS, {"function": name})
    assert "secret" not in str(failure.value)
