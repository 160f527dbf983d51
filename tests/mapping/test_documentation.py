"""What docs/mapping.md says can be done."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from app.mapping.expressions import FUNCTIONS
from app.mapping.mapper import Mapper
from app.mapping.rules import OPERATIONS, Rules
from connectors.records import money
from tests.mapping.records import order, product

PAGE = (Path(__file__).parents[2] / "docs/mapping.md").read_text()
(EXAMPLE,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_does_what_it_says() -> None:
    rules = Mapper.of(1, Rules.model_validate(yaml.safe_load(EXAMPLE)))
    goods = rules.mapped(
        product(
            regular_price=money("10", "CHF"),
            variants=(*product().content.variants[:1],),
            extra={"meta": {"Farbe": "blau"}},
        )
    ).content
    assert (goods.status, goods.regular_price) == ("draft", money("10.77", "CHF"))
    assert goods.extra == {"meta": {"colour": "blau"}}
    assert rules.mapped(product(regular_price=None)).content.regular_price is None
    assert rules.mapped(order()).content.number == "A-17"


def test_every_function_and_every_operation_is_told() -> None:
    for name in FUNCTIONS:
        assert re.search(rf"`{name}[(`]", PAGE), name
    for name in OPERATIONS:
        assert re.search(rf"`{name}[:`]", PAGE), name
