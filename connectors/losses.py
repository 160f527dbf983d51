"""What the declared losses of a target explain in one record, and nothing else.

A loss that knows its records and what they look like on the target (`Loss.shows`) excuses that and
no other difference. This is the one rule of all comparisons: of a field, the target may show what
the source says, or what a loss says that it shows; anything only where nobody can tell. Of a firm
loss (`Loss.firm`) it may show nothing else than that. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

from msgspec.structs import replace

from connectors.capabilities import Hint, Loss
from connectors.comparable import Form, Names, comparable
from connectors.records import Content, Product, Variant

VARIANTS = "variants"
_OF_VARIANTS = f"{VARIANTS}."
_UNUSED = Variant(id="")
"""Shows what a variant looks like of which nothing was kept."""

_Shows = Callable[[Any], Any]
_NONE: frozenset[str] = frozenset()
_OWED = frozenset(
    {
        "total",
        "tax_total",
        "shipping_total",
        "lines",
        "regular_price",
        "sale_price",
        "customer",
        "categories",
        "parent",
    }
)
"""What an order comes to, what it is made of, what a product costs, and what a record names. A
platform may declare that it keeps one of these otherwise; that it was seen to do so with one record
explains the difference, and excuses nothing. What is told of lines is that one lacks its product:
what each says of itself is there all the same. And what a record was written without is no
difference while it is not on the target, and to be mended as soon as it is.
"""


class Shown(NamedTuple):
    """A record as a target is to show it. `own` is the source's record, which it may show as well:
    without what a firm loss takes from it. `untold` are fields of which nobody can tell what it
    shows; `parts` gives those of a variant by its id.
    """

    own: Content
    content: Content
    untold: frozenset[str]
    parts: Mapping[str, frozenset[str]]

    @property
    def variants(self) -> tuple[Variant, ...]:
        """The variants of a product as the target is to show them, by the source's ids."""
        return self.content.variants if isinstance(self.content, Product) else ()


class Losses:
    """What one store cannot keep of a stream's records. `fields` are their names, however much of
    them is lost.
    """

    def __init__(self, declared: Iterable[Loss] = ()) -> None:
        declared = tuple(declared)
        self.fields = frozenset(each.field for each in declared)
        own = [each for each in declared if not each.field.startswith(_OF_VARIANTS)]
        self.untold = frozenset(each.field for each in own if each.shows is None)
        self._shows = {each.field: each.shows for each in own if each.shows is not None}
        self._firm = frozenset(each.field for each in own if each.firm)
        self._of_variants = dict(_of_variants(declared))

    def __contains__(self, field: object) -> bool:
        return field in self.fields

    @property
    def judged(self) -> frozenset[str]:
        """A record's own fields that are lost in some records only, or shown as something known."""
        parts = {VARIANTS} if self._of_variants else set()
        return frozenset((self._shows.keys() | parts) - self.untold)

    def shown(self, content: Content, told: Collection[str] = ()) -> Shown:
        """How the target is to show a record. `told` are fields that it was said to have lost when
        this very record was written: they excuse what no declared loss foresees, but for prices and
        for what an order is made of.
        """
        values: dict[str, Any] = {}
        untold = set(self.untold)
        for name, shows in self._shows.items():
            value = shows(content)
            if value is Hint.ANYTHING:
                untold.add(name)
            elif value is not Hint.SAME and value != getattr(content, name):
                values[name] = value
        untold.update(each for each in told if each not in values and each not in _OWED)
        firm = {name: value for name, value in values.items() if name in self._firm}
        own = replace(content, **firm) if firm else content
        parts: dict[str, frozenset[str]] = {}
        if isinstance(content, Product):
            there = values.get(VARIANTS, content.variants)
            pairs = [self._variant(each, told) for each in there]
            parts = {each.id: lacking for each, lacking in pairs if lacking}
            shown = tuple(each for each, _ in pairs)
            if shown != content.variants:
                values[VARIANTS] = shown
            if parts:
                untold.add(VARIANTS)
        meant = replace(content, **values) if values else content
        return Shown(own, meant, frozenset(untold), parts)

    def unexplained(
        self, ours: Content, theirs: Content, names: Names, told: Collection[str] = ()
    ) -> list[str]:
        """The fields in which the target's record is another one, but for what is explained.
        `names` calls what both refer to; `told` is as in `shown`.
        """
        shown = self.shown(ours, told)
        here, there = comparable(shown.own, names), comparable(theirs, names)
        meant = here if shown.content is ours else comparable(shown.content, names)
        return unexplained(here, meant, there, shown.untold)

    def _variant(self, variant: Variant, told: Collection[str]) -> tuple[Variant, frozenset[str]]:
        values: dict[str, Any] = {}
        dotted = (each for each in told if each.startswith(_OF_VARIANTS))
        # What was told of a record names none of its variants: a declared loss knows which.
        untold = {each.removeprefix(_OF_VARIANTS) for each in dotted} - self._of_variants.keys()
        for name, shows in self._of_variants.items():
            value = shows(variant)
            if value is Hint.ANYTHING:
                untold.add(name)
            elif value is not Hint.SAME and value != getattr(variant, name):
                values[name] = value
        found = replace(variant, **values) if values else variant
        return found, frozenset(untold) if untold else _NONE


def unexplained(here: Form, meant: Form, there: Form, untold: Collection[str]) -> list[str]:
    """The same rule by forms: of the source's record or variant, of what the target is to show of
    it, and of what it shows.
    """
    return [
        name
        for name, value in here.items()
        if there[name] not in (value, meant[name]) and name not in untold
    ]


def strikes(loss: Loss, content: Content) -> bool:
    """Whether a loss may strike a record: not where the target shows the record's own value."""
    if loss.shows is None:
        return True
    if not loss.field.startswith(_OF_VARIANTS):
        return bool(loss.shows(content) != getattr(content, loss.field))
    name = loss.field.removeprefix(_OF_VARIANTS)
    variants = content.variants if isinstance(content, Product) else ()
    return any(loss.shows(each) != getattr(each, name) for each in variants)


def _of_variants(declared: Iterable[Loss]) -> Iterable[tuple[str, _Shows]]:
    """How variants are shown: what is lost of them, and what is wholly lost of products and they
    have as well.
    """
    for each in declared:
        name = each.field.removeprefix(_OF_VARIANTS)
        if each.field.startswith(_OF_VARIANTS):
            yield name, each.shows or _anything
        elif each.whole and name != "id" and name in Variant.__struct_fields__:
            yield name, _nothing_of(name)


def _anything(_: Variant) -> Hint:
    return Hint.ANYTHING


def _nothing_of(name: str) -> _Shows:
    unused = getattr(_UNUSED, name)
    return lambda _: unused
