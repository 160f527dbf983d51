"""What a merge is told: both sides as they were, what is decided already, and how values compare.

Fields are named by paths: `description`, or `variants.12.regular_price` with the source's id of
the variant. Both sides' values are compared without what differs by nature: the ids of parts, the
order of tags and categories, and what the target reckons itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from msgspec import Struct

from app.models import Decision
from connectors.digest import FIELD_BYTES, value_digest
from connectors.prices import SALE_DATES
from connectors.records import Content, Product, Stream
from workers.engine.policy import Policies

_UNORDERED = frozenset({"categories", "tags"})

UNKNOWN = bytes(FIELD_BYTES)
"""In place of a digest where nobody knows what the target held."""

VARIANTS = "variants"

_SHOWN = frozenset({"status", "visibility"})
PRICES = SALE_DATES | {"regular_price", "sale_price"}


@dataclass(frozen=True, slots=True)
class Base:
    """What both sides held when the record was last applied, as digests.

    `source` and `target` hold `FIELD_BYTES` for each field in the order of the content's class;
    `parts` the same of each variant, by the source's id. `sent` are values that an update may
    have brought to the target although nobody confirmed it, by path. `age` is how many seconds
    ago the target confirmed a write of ours.
    """

    source: bytes | None = None
    target: bytes | None = None
    parts: Mapping[str, tuple[bytes, bytes]] = field(default_factory=dict)
    sent: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)
    age: float | None = None


class Known(NamedTuple):
    """A conflict in the ledger: for which pair of values, and what was decided.

    `applied`: the decision needs nothing more to be done.
    """

    source: bytes
    target: bytes
    decision: Decision | None
    applied: bool

    @property
    def waits(self) -> bool:
        """Whether the source's value was chosen and has not reached the target yet."""
        return self.decision is Decision.SOURCE and not self.applied


@dataclass(frozen=True, slots=True)
class Rules:
    """By what an update is merged.

    `known` are the record's conflicts, by path. `first`: the record was found on the target and
    nothing of it was ever applied; `foreign`: nor sent, nor does it carry our key; `adopted`:
    another tool brought it there, and the base is what the target held when it was linked.
    `unsure`: a write of ours is so recent that the target may still show what it held before.
    `lossy` are fields that the target cannot keep exactly. `returns`: the record had been taken off
    the target, which shows in its status. `former` are the digests of values that were written
    without a reference which has arrived, by path. `restored` are paths of fields that were changed
    on the target alone and take the source's value again. `lacking` are fields, of variants too,
    that the last write could not bring over as they are: they go out again with every write, as
    long as nobody else has changed them.
    """

    stream: Stream
    policies: Policies = field(default_factory=Policies)
    derived: frozenset[str] = frozenset()
    lossy: frozenset[str] = frozenset()
    known: Mapping[str, Known] = field(default_factory=dict)
    first: bool = False
    foreign: bool = False
    adopted: bool = False
    unsure: bool = False
    returns: bool = False
    former: Mapping[str, bytes] = field(default_factory=dict)
    restored: frozenset[str] = frozenset()
    lacking: frozenset[str] = frozenset()

    def digest(self, name: str, value: Any) -> bytes:
        """Of a value, without what differs between stores by nature."""
        return value_digest(plain(name, value, self.derived))

    def is_left(self, name: str, shown: bytes, base: bytes) -> bool:
        """Whether a field is lacking, and the target shows what our last write made of it."""
        return name in self.lacking and shown == base != UNKNOWN


@dataclass(frozen=True, slots=True)
class Incoming:
    """The source's record: its content with the target's ids in place of references, the digests
    of its fields as it was read, and its variants' ids on the target.
    """

    content: Content
    fields: bytes
    children: Mapping[str, str] = field(default_factory=dict)


def plain(name: str, value: Any, derived: frozenset[str]) -> Any:
    """A value without what differs between stores by nature."""
    if name in _UNORDERED:
        return sorted(value)
    if not (isinstance(value, tuple) and value and isinstance(value[0], Struct)):
        return value
    shown = [
        each
        for each in value[0].__struct_fields__
        if each != "id" and f"{name}.{each}" not in derived
    ]
    return [[getattr(part, each) for each in shown] for part in value]


def lacking(stream: Stream, losses: Iterable[str]) -> frozenset[str]:
    """Of the fields that a product's last write could not keep, those that depend on others: a
    target may hold a product back because it has no price, hide only what is for sale, and ask the
    price that counted then. Prices and their dates are one matter.
    """
    if stream is not Stream.PRODUCTS:
        return frozenset()
    lost = frozenset(losses)
    return (lost & _SHOWN) | (PRICES if lost & PRICES else frozenset())


def value_at(content: Content, path: str) -> Any:
    """The value of a field by its path; None where the record has no such part."""
    name, _, rest = path.partition(".")
    if not rest:
        return getattr(content, name, None)
    variant_id, _, part = rest.rpartition(".")
    variants = content.variants if isinstance(content, Product) else ()
    return next((getattr(each, part, None) for each in variants if each.id == variant_id), None)
