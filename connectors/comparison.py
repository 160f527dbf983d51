"""Comparing two stores record by record, reading both over their own APIs.

Nobody's ledger is asked: categories are paired by their path, products by SKU, customers by
email, orders by the external key that the target carries, stock by SKU. Records that name others
are compared through the same natural keys, amounts to the minor unit. The result holds counts,
names of fields and ids; no personal data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct, field

from connectors.base import Loss, Source
from connectors.concurrency import together
from connectors.fingerprints import BYTES, Entry, Progress, Side, explained, fingerprints
from connectors.goods import differ, print_of
from connectors.losses import Losses
from connectors.records import Stream

EXAMPLES = 10
"""How many examples a comparison keeps of each kind."""


class Wrong(Struct, frozen=True):
    """A pair that differs: both ids and the names of the fields."""

    source_id: str
    target_id: str
    fields: tuple[str, ...]


class StreamComparison(Struct, kw_only=True):
    """What came out for one stream.

    `source` and `target` count what was read, `unreadable` what neither side could map.
    `missing` are records of the source that the target lacks, `doubled` target records beyond
    the first of a source record, `foreign` target records that come from nowhere in the source.
    `fields` counts the differing fields, `declared` those whose difference is what the target's
    connector declares to be lost of this very record. Lists hold up to `examples` of a kind.
    """

    stream: Stream
    examples: int = EXAMPLES
    source: int = 0
    target: int = 0
    unreadable: int = 0
    equal: int = 0
    missing: int = 0
    wrong: int = 0
    doubled: int = 0
    foreign: int = 0
    fields: dict[str, int] = field(default_factory=dict)
    declared: dict[str, int] = field(default_factory=dict)
    missing_ids: list[str] = field(default_factory=list)
    wrong_pairs: list[Wrong] = field(default_factory=list)
    doubled_ids: list[str] = field(default_factory=list)
    foreign_ids: list[str] = field(default_factory=list)

    @property
    def compared(self) -> int:
        """Pairs that were looked at field by field."""
        return self.equal + self.wrong


class Comparison(Struct, frozen=True):
    """The outcome, stream by stream, in the order of the streams."""

    streams: dict[Stream, StreamComparison]

    @property
    def missing(self) -> int:
        """Records of the source that are not on the target, those nobody could read included."""
        return sum(each.missing + each.unreadable for each in self.streams.values())

    @property
    def wrong(self) -> int:
        """Pairs that differ in a field that should be equal."""
        return sum(each.wrong for each in self.streams.values())

    @property
    def doubled(self) -> int:
        """Target records too many for one source record."""
        return sum(each.doubled for each in self.streams.values())

    @property
    def agrees(self) -> bool:
        """Whether the target holds all of the source, exactly once and equal."""
        return not (self.missing or self.wrong or self.doubled)


async def compare(
    source: Source,
    target: Source,
    streams: Collection[Stream],
    losses: Mapping[Stream, Iterable[Loss]],
    *,
    prefix: str | None = None,
    progress: Progress | None = None,
    examples: int = EXAMPLES,
) -> Comparison:
    """Read both stores in full and compare.

    `losses` are what the target's connector declares for writing. `prefix` is how the external
    keys of this migration begin; without it every external key on the target counts. Raises
    `StoreError`.
    """
    seen: Counter[Stream] = Counter()

    def told(stream: Stream, count: int) -> None:
        seen[stream] += count
        if progress:
            progress(stream, seen[stream])

    flat = any(each.field == "parent" for each in losses.get(Stream.CATEGORIES, ()))
    left, right = await together(
        [
            fingerprints(source, streams, losses=losses, flat=flat, told=told),
            fingerprints(target, streams, is_target=True, flat=flat, prefix=prefix, told=told),
        ]
    )
    return confront(left, right, streams, losses, examples=examples)


def confront(
    source: Mapping[Stream, Side],
    target: Mapping[Stream, Side],
    streams: Collection[Stream],
    losses: Mapping[Stream, Iterable[Loss]],
    *,
    examples: int = EXAMPLES,
) -> Comparison:
    """What the fingerprints of both stores say: the other half of `compare`."""
    return Comparison(
        {
            stream: _compared(
                source[stream],
                target[stream],
                Losses(losses.get(stream, ())).untold,
                _products_of_both(source, target) if stream is Stream.ORDERS else frozenset(),
                StreamComparison(stream=stream, examples=examples),
            )
            for stream in Stream
            if stream in streams
        }
    )


# --- comparing both ------------------------------------------------------------------------------


def _products_of_both(
    source: Mapping[Stream, Side], target: Mapping[Stream, Side]
) -> frozenset[bytes]:
    """The products that both stores can tell."""
    both = source[Stream.PRODUCTS].entries.keys() & target[Stream.PRODUCTS].entries.keys()
    return frozenset(print_of(each) for each in both)


def _compared(
    left: Side,
    right: Side,
    untold: frozenset[str],
    products: frozenset[bytes],
    found: StreamComparison,
) -> StreamComparison:
    """Fills `found`. `untold` are fields of which nobody can tell what the target shows,
    `products` those of which an order's line can be on both sides.
    """
    found.source, found.target = left.count, right.count
    found.unreadable = left.unreadable + right.unreadable
    names = left.fields or right.fields
    for key, ours in left.entries.items():
        theirs = right.entries.get(key, [])
        for pair in _pairs(ours, theirs):
            differing = _differing(names, products, *pair)
            excused = untold | explained(names, *pair) if differing else untold
            _judge(found, differing, excused, *pair)
        _note_missing(found, ours[len(theirs) :])
        _note_doubled(found, theirs[len(ours) :])
    for key, theirs in right.entries.items():
        if key not in left.entries:
            found.foreign += len(theirs)
            _keep(found, found.foreign_ids, theirs)
            if key.startswith("order:"):
                _note_doubled(found, theirs[1:])
    return found


def _pairs(ours: Sequence[Entry], theirs: Sequence[Entry]) -> list[tuple[Entry, Entry]]:
    """One to one. Where several share a key, equal ones belong together."""
    if len(ours) == 1 and theirs:
        return [(ours[0], theirs[0])]
    ordered = sorted(ours, key=lambda each: each.prints)
    return list(zip(ordered, sorted(theirs, key=lambda each: each.prints), strict=False))


def _differing(
    names: Sequence[str], products: frozenset[bytes], ours: Entry, theirs: Entry
) -> list[str]:
    """The fields in which a pair differs."""
    if ours.prints == theirs.prints and ours.goods == theirs.goods:
        return []
    differing = [
        name
        for index, name in enumerate(names)
        if ours.prints[index * BYTES : (index + 1) * BYTES]
        != theirs.prints[index * BYTES : (index + 1) * BYTES]
    ]
    if "lines" not in differing and differ(ours.goods, theirs.goods, products):
        differing.append("products")
    return differing


def _judge(
    found: StreamComparison,
    differing: Sequence[str],
    excused: frozenset[str],
    ours: Entry,
    theirs: Entry,
) -> None:
    for name in differing:
        counts = found.declared if name in excused else found.fields
        counts[name] = counts.get(name, 0) + 1
    wrong = tuple(name for name in differing if name not in excused)
    if not wrong:
        found.equal += 1
        return
    found.wrong += 1
    if len(found.wrong_pairs) < found.examples:
        found.wrong_pairs.append(Wrong(ours.id, theirs.id, wrong))


def _note_missing(found: StreamComparison, entries: Sequence[Entry]) -> None:
    found.missing += len(entries)
    _keep(found, found.missing_ids, entries)


def _note_doubled(found: StreamComparison, entries: Sequence[Entry]) -> None:
    found.doubled += len(entries)
    _keep(found, found.doubled_ids, entries)


def _keep(found: StreamComparison, kept: list[str], entries: Sequence[Entry]) -> None:
    """Examples, as many as there is room for."""
    kept += [each.id for each in entries[: max(0, found.examples - len(kept))]]
