"""In which way two values of a field differ, and whose matter that is. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, NamedTuple

from workers.checks.ground import Pair

RELATIONS = frozenset({"parent", "categories", "customer"})
_MONEY = frozenset(
    {
        "total",
        "tax_total",
        "shipping_total",
        "discount_total",
        "currency",
        "taxes",
        "refunds",
        "regular_price",
        "sale_price",
    }
)
REFUNDS = "refunds"
_SAME_AMOUNTS = "refunds of the same amounts, for other goods or reasons; no run changes one"
_PRICED = {"lines": 2, "shipping_lines": 2, "fees": 1}
"""Parts of an order as tuples, and how many of their first values are no amounts."""


class Kind(StrEnum):
    """Whose matter a difference is."""

    CONTENT = "content"
    RELATION = "relation"
    MONEY = "money"


class Difference(NamedTuple):
    """A field of a pair that differs. `shown` says how, where that is no personal data; `mended`
    that the next run puts it back.
    """

    kind: Kind
    source_id: str
    target_id: str
    field: str
    shown: str = ""
    mended: bool = False


def split(
    pair: Pair, name: str, here: Any, there: Any, *, prefix: str = ""
) -> Iterator[Difference]:
    """A field that differs, as whose matter it is; parts with amounts may be two matters. `here`
    and `there` are of forms (`connectors.comparable`), and not the same.
    """
    if name in _PRICED:
        words = _PRICED[name]
        differ = [each[:words] for each in here] != [each[:words] for each in there]
        if differ:
            yield difference(Kind.CONTENT, pair, prefix + name)
        # Parts that say the same stand in the same places: one has the amount of another, perhaps.
        if not differ or sorted(e[words:] for e in here) != sorted(e[words:] for e in there):
            yield difference(Kind.MONEY, pair, prefix + name, sums(name, here, there))
        return
    if name in RELATIONS:
        shown = "it names another one, or none" if name != "categories" else "they differ"
        yield difference(Kind.RELATION, pair, prefix + name, shown)
    elif name == REFUNDS and amounts(here) == amounts(there):
        yield difference(Kind.CONTENT, pair, prefix + name, _SAME_AMOUNTS)
    elif name in _MONEY:
        shown = sums(name, here, there) if name in ("taxes", REFUNDS) else f"{here} / {there}"
        yield difference(Kind.MONEY, pair, prefix + name, shown)
    else:
        yield difference(Kind.CONTENT, pair, prefix + name)


def difference(kind: Kind, pair: Pair, name: str, shown: str = "") -> Difference:
    """A difference of a pair; `shown` as there."""
    return Difference(kind, pair.source_id, pair.target_id, name, shown)


def amounts(refunds: Any) -> list[Any]:
    """How much was given back each time, of a form's refunds."""
    return sorted(each[0] for each in refunds)


def sums(name: str, here: Any, there: Any) -> str:
    """How many parts there are, and of refunds the amounts."""
    if name == REFUNDS:
        ours, theirs = (" + ".join(each[0] for each in side) or "none" for side in (here, there))
        return f"{ours} / {theirs}"
    return f"{len(here)} / {len(there)} parts"
