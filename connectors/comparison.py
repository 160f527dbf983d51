"""Comparing two stores record by record, reading both over their own APIs.

Nobody's ledger is asked: categories are paired by their path, products by SKU, customers by
email, orders by the external key that the target carries, stock by SKU. Records that name others
are compared through the same natural keys, amounts to the minor unit. The result holds counts,
names of fields and ids; no personal data.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct, field

from connectors.base import Loss, Source, Sweep
from connectors.comparable import Names, comparable, external_source_id, lines_of, natural_key
from connectors.concurrency import together
from connectors.goods import differ, goods_of, print_of
from connectors.records import Order, Record, Stream

EXAMPLES = 10
"""How many examples a comparison keeps of each kind."""

_BYTES = 8
_encode = msgspec.msgpack.Encoder(order="deterministic", decimal_format="string").encode

_NEEDS: dict[Stream, frozenset[Stream]] = {
    Stream.CATEGORIES: frozenset(),
    Stream.PRODUCTS: frozenset({Stream.CATEGORIES}),
    Stream.CUSTOMERS: frozenset(),
    Stream.ORDERS: frozenset({Stream.CATEGORIES, Stream.PRODUCTS, Stream.CUSTOMERS}),
    Stream.INVENTORY: frozenset({Stream.CATEGORIES, Stream.PRODUCTS}),
}


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
    `fields` counts the differing fields, `declared` those that the target's connector declares
    it cannot keep. Lists hold up to `examples` of a kind.
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


Progress = Callable[[Stream, int], None]
"""Called with a stream and a number of records: `compare` gives those read so far on both sides,
`fingerprints` those of one page.
"""


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
            fingerprints(source, streams, flat=flat, told=told),
            fingerprints(target, streams, is_target=True, flat=flat, prefix=prefix, told=told),
        ]
    )
    return confront(left, right, streams, losses, examples=examples)


async def fingerprints(
    store: Source,
    streams: Collection[Stream],
    *,
    is_target: bool = False,
    flat: bool = False,
    prefix: str | None = None,
    told: Progress | None = None,
) -> dict[Stream, Side]:
    """Read one store in full: one half of `compare`, which may run in a process of its own.

    `flat` says that categories of one of the stores have no parents, so that those of both are
    called by their own names. `told` hears the records of every page. Raises `StoreError`.
    """
    order_key = _external_ids(prefix) if is_target else _own_ids
    names = Names(flat=flat)
    wanted = set(streams).union(*(_NEEDS[each] for each in streams))
    return {
        stream: await _read(store, stream, names, order_key, told)
        for stream in Stream
        if stream in wanted
    }


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
                frozenset(loss.field for loss in losses.get(stream, ())),
                _products_of_both(source, target) if stream is Stream.ORDERS else frozenset(),
                StreamComparison(stream=stream, examples=examples),
            )
            for stream in Stream
            if stream in streams
        }
    )


# --- reading one side ----------------------------------------------------------------------------

Key = Callable[[Record], str | None]
"""Gives the key of an order: the source's id of it, or None for an order of other origin."""


class Entry(Struct, frozen=True, gc=False):
    """A record: its id, eight bytes for each of its fields, and of an order what its lines are of
    (`connectors.goods`).
    """

    id: str
    prints: bytes
    goods: bytes = b""


class Side(Struct):
    """One store's records of a stream: entries by key, and how many could not be read."""

    entries: dict[str, list[Entry]]
    fields: tuple[str, ...] = ()
    unreadable: int = 0
    count: int = 0


def _own_ids(record: Record) -> str | None:
    """The key of an order in the source: its id."""
    return record.id


def _external_ids(prefix: str | None) -> Key:
    def key(record: Record) -> str | None:
        return external_source_id(record.content, prefix)

    return key


async def _read(
    store: Source, stream: Stream, names: Names, order_key: Key, told: Progress | None
) -> Side:
    """All records of a stream as fingerprints. A record that comes twice counts once."""
    records: dict[str, tuple[str, Entry]] = {}
    fields: tuple[str, ...] = ()
    unreadable: set[str] = set()
    kept: list[Record] = []
    async for page in store.read(stream, Sweep(), {}, None):
        if told:
            told(stream, len(page.records))
        unreadable.update(failed for failed, _ in page.failed)
        unreadable.update(each.record.id for each in page.unmapped)
        if stream is Stream.CATEGORIES:
            # A path needs all categories: their own are named when all are there.
            kept += page.records
            continue
        for record in page.records:
            names.add(stream, record)
            fields, entry = _entry(record, names)
            records[record.id] = (_key(stream, record, names, order_key), entry)
    names.add_categories(kept)
    for record in kept:
        fields, entry = _entry(record, names)
        records[record.id] = (_key(stream, record, names, order_key), entry)
    entries: defaultdict[str, list[Entry]] = defaultdict(list)
    for key, entry in records.values():
        entries[key].append(entry)
    return Side(dict(entries), fields, len(unreadable), len(records))


def _key(stream: Stream, record: Record, names: Names, order_key: Key) -> str:
    if stream is not Stream.ORDERS:
        return natural_key(record, names)
    found = order_key(record)
    return f"other:{record.id}" if found is None else f"order:{found}"


def _entry(record: Record, names: Names) -> tuple[tuple[str, ...], Entry]:
    """The names of a record's fields, and its entry."""
    form, content = comparable(record.content, names), record.content
    prints = b"".join(
        hashlib.blake2b(_encode(value), digest_size=_BYTES).digest() for value in form.values()
    )
    goods = goods_of(content, lines_of(content), names) if isinstance(content, Order) else b""
    return tuple(form), Entry(record.id, prints, goods)


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
    declared: frozenset[str],
    products: frozenset[bytes],
    found: StreamComparison,
) -> StreamComparison:
    """Fills `found`. `products` are those of which an order's line can be on both sides."""
    found.source, found.target = left.count, right.count
    found.unreadable = left.unreadable + right.unreadable
    names = left.fields or right.fields
    for key, ours in left.entries.items():
        theirs = right.entries.get(key, [])
        for pair in _pairs(ours, theirs):
            _judge(found, _differing(names, products, *pair), declared, *pair)
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
        if ours.prints[index * _BYTES : (index + 1) * _BYTES]
        != theirs.prints[index * _BYTES : (index + 1) * _BYTES]
    ]
    if "lines" not in differing and differ(ours.goods, theirs.goods, products):
        differing.append("products")
    return differing


def _judge(
    found: StreamComparison,
    differing: Sequence[str],
    declared: frozenset[str],
    ours: Entry,
    theirs: Entry,
) -> None:
    for name in differing:
        counts = found.declared if name in declared else found.fields
        counts[name] = counts.get(name, 0) + 1
    wrong = tuple(name for name in differing if name not in declared)
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
