"""What is seen in order numbers, and what is proposed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.planning.order_numbers import (
    Form,
    Numbers,
    expected_until,
    form_of,
    rate_of,
    sequence_of,
    survey,
)
from connectors.desk import NumberedOrder

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
LAUNCH = NOW + timedelta(days=10)


def orders(*numbers: str, first_id: int = 1, key: str = "") -> list[NumberedOrder]:
    """Orders a day apart, the last one now; newest first, as desks show them."""
    made = [
        NumberedOrder(
            id=str(first_id + position),
            number=number,
            created_at=NOW - timedelta(days=len(numbers) - position),
            key=key and f"{key}:{position}",
        )
        for position, number in enumerate(numbers)
    ]
    return made[::-1]


def surveyed(
    source: list[NumberedOrder],
    target: list[NumberedOrder],
    ours: dict[str, str] | None = None,
    *,
    by_id: bool = False,
    launch: datetime | None = LAUNCH,
) -> Numbers:
    return survey(source, target, ours or {}, now=NOW, launch=launch, numbers_are_ids=by_id)


@pytest.mark.parametrize(
    ("number", "form", "value"),
    [
        ("1001", Form(), 1001),
        ("#1001", Form("#"), 1001),
        ("2026-000123", Form("2026-", "", 6), 123),
        ("A7-42-X", Form("A7-", "-X"), 42),
        ("", None, None),
        ("ABC", None, None),
        ("9" * 400, Form("9" * 385), int("9" * 15)),
    ],
)
def test_a_number_is_read_by_its_last_digits(
    number: str, form: Form | None, value: int | None
) -> None:
    assert form_of(number) == (None if form is None else (form, value))


def test_a_number_is_written_as_it_was_read() -> None:
    form, value = form_of("2026-000123") or (Form(), 0)
    assert form.text(value + 1) == "2026-000124"


def test_a_sequence_shows_its_step_its_gaps_and_what_an_order_uses_up() -> None:
    found = sequence_of(orders("#1010", "#1020", "#1030", "#1050", "TEST"))
    assert found is not None
    assert (found.form.prefix, found.first, found.last) == ("#", 1010, 1050)
    assert (found.step, found.gaps, found.counted, found.strays) == (10, 1, 4, 1)
    assert found.advance == pytest.approx(40 / 3)
    assert found.following == 1060


def test_random_codes_are_no_sequence() -> None:
    assert sequence_of(orders("ZQ7A1", "B93K", "77XX2Y", "PP4Q9")) is None
    assert sequence_of(orders("900", "100", "800", "200", "700", "300")) is None
    assert sequence_of([]) is None


def test_the_rate_counts_from_the_oldest_order_to_now() -> None:
    assert rate_of(orders("1", "2", "3", "4"), NOW) == pytest.approx(1.0)
    assert rate_of(orders("1"), NOW) is None


def test_orders_until_launch_have_a_margin_and_none_come_before_now() -> None:
    assert expected_until(10.0, NOW, LAUNCH) == 130  # 100 and three times ten
    assert expected_until(10.0, NOW, NOW - timedelta(days=1)) == 0
    assert expected_until(10.0, NOW, None) is None


def imported(*numbers: str, first_id: int = 500) -> tuple[list[NumberedOrder], dict[str, str]]:
    """The source's orders as the target shows them, and which of the source's each is."""
    there = orders(*numbers, first_id=first_id, key="rs:orders")
    return there, {str(first_id + position): str(1 + position) for position in range(len(numbers))}


def test_a_target_that_goes_by_ids_runs_into_the_numbers_it_was_given() -> None:
    there, ours = imported("1001", "1002", "1003")
    found = surveyed(orders("1001", "1002", "1003"), there, ours, by_id=True)
    assert found.kept is True
    assert found.headroom is not None
    assert (found.headroom.own, found.headroom.until) == (503, None)
    assert found.headroom.free < 0
    assert found.collisions == ()


def test_a_target_far_above_has_room_and_says_until_when() -> None:
    there, ours = imported("1001", "1002", "1003", first_id=90_000)
    found = surveyed(orders("1001", "1002", "1003"), there, ours, by_id=True)
    assert found.headroom is not None
    assert found.headroom.free > 80_000
    assert found.headroom.until is None or found.headroom.until > LAUNCH


def test_without_numbers_kept_there_is_nothing_to_run_into() -> None:
    there, ours = imported("500", "501", "502")
    found = surveyed(orders("1001", "1002", "1003"), there, ours, by_id=True)
    assert (found.kept, found.headroom, found.proposals) == (False, None, ())


def test_an_order_of_the_targets_own_with_a_number_of_the_source_collides() -> None:
    there, ours = imported("1001", "1002", "1003")
    found = surveyed(
        orders("1001", "1002", "1003"), [*orders("1002", first_id=900), *there], ours, by_id=True
    )
    [collision] = found.collisions
    assert (collision.kind, collision.number, collision.source) == ("taken", "1002", "2")
    assert collision.targets == ("900",)


def test_a_number_that_the_source_gives_before_launch_collides_in_advance() -> None:
    own = orders("1008", first_id=900)
    found = surveyed(orders("1001", "1002", "1003"), own)
    assert [each.kind for each in found.collisions] == ["coming"]
    assert surveyed(orders("1001", "1002", "1003"), own, launch=None).collisions == ()


def test_a_number_with_another_prefix_collides_with_nothing() -> None:
    own = orders("N-1002", "N-1008", first_id=900)
    assert surveyed(orders("1001", "1002", "1003"), own).collisions == ()


def test_two_orders_of_the_target_with_one_number_collide_unless_they_are_one_record_twice() -> (
    None
):
    there, ours = imported("1001", "1002")
    twin = NumberedOrder(id="777", number="1002", created_at=NOW, key="other:orders:9")
    double = NumberedOrder(id="778", number="1001", created_at=NOW, key=there[1].key)
    ours |= {"777": "9", "778": "1"}
    found = surveyed(orders("1001", "1002"), [twin, double, *there], ours)
    assert [(each.kind, each.number) for each in found.collisions] == [("twice", "1002")]


def test_what_older_orders_of_the_source_may_have_is_told_apart() -> None:
    own = orders("12", first_id=900)
    found = surveyed(orders("1001", "1002", "1003"), own)
    assert [each.number for each in found.unseen] == ["12"]


def test_proposals_lie_beyond_everything_that_the_source_gives_by_launch() -> None:
    there, ours = imported("#1001", "#1002", "#1003")
    found = surveyed(orders("#1001", "#1002", "#1003"), there, ours)
    offset, prefix, reserved = found.proposals
    assert offset.first == "#2100"
    assert "#1023" in offset.says  # 10 orders and a margin of 10 after #1003
    assert prefix.first == "N-#1004"
    assert "#1004 to #2099" in reserved.says
