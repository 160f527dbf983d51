"""When what a sweep did not see may be taken for gone, and when an id is another record's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from connectors.digest import digest
from connectors.records import Category, Content
from tests.engine.shop import START
from tests.engine.test_runs import customer, order, product
from workers.engine.proof import Swept, brakes, unclean
from workers.engine.reuse import is_another


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        ({"sighted": 100, "counted": 100}, None),
        ({"sighted": 100, "counted": None}, None),
        ({"sighted": 100, "counted": 90}, None),
        ({"sighted": 100, "counted": 102}, None),
        ({"sighted": 100, "counted": 103}, "incomplete"),
        ({"sighted": 9_900, "counted": 10_000}, None),
        ({"sighted": 9_899, "counted": 10_000}, "incomplete"),
        ({"sighted": 0, "counted": 0}, "empty"),
        ({"sighted": 0, "counted": None}, "empty"),
        ({"sighted": 50, "counted": 0}, "empty"),
        ({"sighted": 100, "counted": 100, "resumed": True}, "resumed"),
    ],
    ids=str,
)
def test_only_a_whole_sweep_is_evidence(evidence: dict[str, Any], reason: str | None) -> None:
    assert unclean(Swept(**evidence)) == reason


@pytest.mark.parametrize(
    ("gone", "of", "share", "stops"),
    [
        (5, 5, 0.05, False),
        (6, 6, 0.05, True),
        (6, 120, 0.05, False),
        (7, 120, 0.05, True),
        (6, 1000, 0.0, True),
        (900, 900, 1.0, False),
    ],
)
def test_brake_is_a_share_above_a_floor(gone: int, of: int, share: float, stops: bool) -> None:
    assert brakes(gone, of, share) is stops


LATER = START + timedelta(days=9)
OLD_PRODUCT = product(1, created_at=START)
OLD_CUSTOMER = replace(customer(1), created_at=START)
OLD_ORDER = replace(order(1), created_at=START, email="a@example.com")


@pytest.mark.parametrize(
    ("before", "after", "another"),
    [
        (OLD_PRODUCT, product(2, created_at=LATER), True),
        (OLD_PRODUCT, product(2, created_at=START), False),
        (OLD_PRODUCT, product(1, created_at=LATER), False),
        (OLD_PRODUCT, replace(product(2), created_at=None), False),
        (OLD_PRODUCT, replace(OLD_PRODUCT, sku="", created_at=LATER), False),
        (replace(OLD_PRODUCT, sku=""), replace(OLD_PRODUCT, created_at=LATER), False),
        (OLD_CUSTOMER, replace(customer(2), created_at=LATER), True),
        (OLD_CUSTOMER, replace(customer(2), created_at=START), False),
        (OLD_ORDER, replace(OLD_ORDER, created_at=LATER, number="2"), True),
        (OLD_ORDER, replace(OLD_ORDER, created_at=LATER, email="b@example.com"), True),
        (OLD_ORDER, replace(OLD_ORDER, email="b@example.com", number="2"), False),
        (Category(name="A", slug="a"), Category(name="B", slug="b"), False),
    ],
)
def test_id_is_anothers_only_when_its_date_and_its_name_both_changed(
    before: Content, after: Content, another: bool
) -> None:
    assert is_another(after, digest(before).fields, digest(after).fields) is another
    assert not is_another(before, digest(before).fields, digest(before).fields)
