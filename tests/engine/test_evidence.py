"""By what records are known again, without any store."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from connectors.counterparts import counterparts, parts_of
from connectors.records import Content, Order, Record, Stream, money
from tests.engine.adopted import customer, order, product
from workers.engine.evidence import (
    ENOUGH,
    KINDS,
    STRONG,
    Place,
    kept_names,
    keys,
    label,
    masked,
    own_names,
)


def kinds(one: Content, other: Content) -> set[str]:
    """The kinds of evidence that two contents share."""
    left, right = (
        {(key.kind, key.value) for key in keys(Record("1", None, each), Place(), "rs")}
        for each in (one, other)
    )
    return {kind for kind, _ in left & right}


@pytest.mark.parametrize("stream", list(Stream))
def test_the_most_telling_evidence_comes_first(stream: Stream) -> None:
    worth = [each.confidence for each in KINDS[stream]]
    assert worth == sorted(worth, reverse=True)
    assert worth[0] == 1.0
    assert all(0 < each <= 1 for each in worth)
    assert 0 < ENOUGH < STRONG < 1


@pytest.mark.parametrize("made", [product(1), customer(1), order(1)])
def test_all_evidence_that_is_shown_is_looked_for(made: Content) -> None:
    stream = {"Product": Stream.PRODUCTS, "Customer": Stream.CUSTOMERS}.get(
        type(made).__name__, Stream.ORDERS
    )
    place = Place(names=("1",), own_key="1", customer="7")
    shown = {each.kind for each in keys(Record("1", None, made), place, "rs")}
    assert shown <= {each.name for each in KINDS[stream]}
    assert {"id", "key"} <= shown


@pytest.mark.parametrize(
    ("fields", "kept", "gone"),
    [
        ({"email": "OTHER@example.com"}, "moment_total_lines", "moment_total_email"),
        ({"email": "PERSON1@example.com "}, "moment_total_email", ""),
        ({"total": money("1.51", "GBP")}, "moment_lines_email", "moment_total_email"),
        ({"total": money("1.50", "EUR")}, "moment_lines_email", "moment_total_email"),
        ({"total": money("1.500", "GBP")}, "moment_total_email", ""),
        ({"number": "#1001"}, "number_total_day_email", ""),
        ({"created_at": None}, "total_lines_email", "moment_email"),
    ],
)
def test_what_differs_is_no_evidence(fields: dict[str, Any], kept: str, gone: str) -> None:
    shared = kinds(order(1), replace(order(1), **fields))
    assert kept in shared
    assert gone not in shared


def test_evidence_of_which_a_part_is_missing_is_none() -> None:
    bare = replace(order(1), email="", created_at=None, number="")
    assert not {kind for kind in kinds(bare, bare) if "email" in kind or "day" in kind}
    assert kinds(product(1, sku=""), product(1, sku="")) & {"sku", "variants"} == set()


def test_ids_in_metadata_are_found_however_deep() -> None:
    extra = {"meta": {"legacy_id": 17, "views": 3}, "metafields": {"move.source_id": "a/18"}}
    made = product(1, extra=extra)
    assert kept_names(made, ("legacy_id", "source_id")) == ("17", "a/18", "18")
    assert kept_names(made, ()) == ()
    assert own_names("gid://shop/Order/17") == ("gid://shop/Order/17", "17")
    assert own_names("order_01H7") == ("order_01H7",)


def test_nothing_personal_stands_in_a_label() -> None:
    assert label(Record("1", None, customer(1)), Place()) == "p…@example.com"
    assert "person" not in label(Record("1", None, order(1)), Place())
    assert masked("rubbish") == "…"


def test_equal_parts_are_paired_in_their_order_and_none_twice() -> None:
    line = order(1).lines[0]
    ours = replace(order(1), lines=tuple(replace(line, id=f"a{n}") for n in range(3)))
    theirs = replace(order(1), lines=tuple(replace(line, id=f"b{n}") for n in range(2)))
    assert counterparts(parts_of(ours), parts_of(theirs)) == {"a0": "b0", "a1": "b1"}
    assert counterparts(parts_of(theirs), parts_of(ours)) == {
        "b0": "a0",
        "b1": "a1",
        "adopted-a2": "a2",
    }


def test_the_part_that_says_most_is_paired_before_one_that_says_less() -> None:
    def with_lines(*lines: tuple[str, str, int]) -> Order:
        line = order(1).lines[0]
        made = (replace(line, id=i, sku=sku, quantity=count) for i, sku, count in lines)
        return replace(order(1), lines=tuple(made))

    ours = with_lines(("a1", "MUG", 1), ("a2", "MUG", 2))
    theirs = with_lines(("b2", "mug", 2), ("b1", "mug", 5))
    assert counterparts(parts_of(ours), parts_of(theirs)) == {"a1": "b1", "a2": "b2"}
