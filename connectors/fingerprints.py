"""One store's records as fingerprints, to compare them with another store's.

Eight bytes for each field hold no personal data, are small enough for large shops, and travel
between processes.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from connectors.base import Loss, Source, Sweep
from connectors.comparable import Form, Names, comparable, external_source_id, lines_of, natural_key
from connectors.goods import goods_of
from connectors.losses import Losses, Shown
from connectors.records import Order, Record, Stream

BYTES = 8
_ANYTHING = bytes(BYTES)
_encode = msgspec.msgpack.Encoder(order="deterministic", decimal_format="string").encode

_NEEDS: dict[Stream, frozenset[Stream]] = {
    Stream.CATEGORIES: frozenset(),
    Stream.PRODUCTS: frozenset({Stream.CATEGORIES}),
    Stream.CUSTOMERS: frozenset(),
    Stream.ORDERS: frozenset({Stream.CATEGORIES, Stream.PRODUCTS, Stream.CUSTOMERS}),
    Stream.INVENTORY: frozenset({Stream.CATEGORIES, Stream.PRODUCTS}),
}

Progress = Callable[[Stream, int], None]
"""Called with a stream and a number of records: `compare` gives those read so far on both sides,
`fingerprints` those of one page.
"""


Key = Callable[[Record], str | None]
"""Gives the key of an order: the source's id of it, or None for an order of other origin."""


class Entry(Struct, frozen=True, gc=False, omit_defaults=True):
    """A record: its id, eight bytes for each of its fields, and of an order what its lines are of
    (`connectors.goods`). `shown` is what the target shows instead where a loss strikes the record:
    nine bytes a field, its place and its print, or `_ANYTHING`.
    """

    id: str
    prints: bytes
    goods: bytes = b""
    shown: bytes = b""


class Side(Struct):
    """One store's records of a stream: entries by key, and how many could not be read."""

    entries: dict[str, list[Entry]]
    fields: tuple[str, ...] = ()
    unreadable: int = 0
    count: int = 0


async def fingerprints(
    store: Source,
    streams: Collection[Stream],
    *,
    is_target: bool = False,
    losses: Mapping[Stream, Iterable[Loss]] | None = None,
    flat: bool = False,
    prefix: str | None = None,
    told: Progress | None = None,
) -> dict[Stream, Side]:
    """Read one store in full: one half of `compare`, which may run in a process of its own.

    The source is read with the `losses` of the target: which records they strike is told by the
    source alone. `flat` says that categories of one of the stores have no parents, so that those
    of both are called by their own names. `told` hears the records of every page. Raises
    `StoreError`.
    """
    order_key = _external_ids(prefix) if is_target else _own_ids
    names = Names(flat=flat)
    wanted = set(streams).union(*(_NEEDS[each] for each in streams))
    return {
        stream: await _read(
            store,
            stream,
            names,
            order_key,
            losses=Losses((losses or {}).get(stream, ())),
            told=told,
        )
        for stream in Stream
        if stream in wanted
    }


def _own_ids(record: Record) -> str | None:
    """The key of an order in the source: its id."""
    return record.id


def _external_ids(prefix: str | None) -> Key:
    def key(record: Record) -> str | None:
        return external_source_id(record.content, prefix)

    return key


async def _read(
    store: Source,
    stream: Stream,
    names: Names,
    order_key: Key,
    *,
    losses: Losses,
    told: Progress | None,
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
            fields, entry = _entry(record, names, losses)
            records[record.id] = (_key(stream, record, names, order_key), entry)
    names.add_categories(kept)
    for record in kept:
        fields, entry = _entry(record, names, losses)
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


def _entry(record: Record, names: Names, losses: Losses) -> tuple[tuple[str, ...], Entry]:
    """The names of a record's fields, and its entry."""
    content = record.content
    shown = losses.shown(content)
    form = comparable(shown.own, names)
    fields = tuple(form)
    prints = b"".join(map(_print, form.values()))
    goods = goods_of(content, lines_of(content), names) if isinstance(content, Order) else b""
    instead = b""
    if shown.content is not content or shown.untold != losses.untold:
        instead = b"".join(_instead(form, shown, names, losses.untold))
    return fields, Entry(record.id, prints, goods, instead)


def _instead(form: Form, shown: Shown, names: Names, always: frozenset[str]) -> Iterator[bytes]:
    """What the target shows in place of these fields. `always` are those of which nobody can ever
    tell: no entry has to say so.
    """
    meant = comparable(shown.content, names)
    for place, (name, value) in enumerate(form.items()):
        if name in shown.untold:
            if name not in always:
                yield bytes([place]) + _ANYTHING
        elif meant[name] != value:
            yield bytes([place]) + _print(meant[name])


def _print(value: Any) -> bytes:
    return hashlib.blake2b(_encode(value), digest_size=BYTES).digest()


def explained(names: Sequence[str], ours: Entry, theirs: Entry) -> frozenset[str]:
    """The fields in which the target shows what it is to show instead of the source's."""
    found = set()
    for start in range(0, len(ours.shown), 1 + BYTES):
        place = ours.shown[start]
        instead = ours.shown[start + 1 : start + 1 + BYTES]
        if instead in (_ANYTHING, theirs.prints[place * BYTES : (place + 1) * BYTES]):
            found.add(names[place])
    return frozenset(found)
