"""What is kept of the records that an adoption reads: evidence, and digests instead of content.

What a record names is told by the source's ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import text

from app.database import autocommit
from app.mapping.mapped import map_each
from app.models import Side
from app.services.adopted_links import INSTEAD, UNTOLD
from connectors import counterparts
from connectors.abilities import ReadsWhole, ShowsMetadata
from connectors.base import Page
from connectors.comparable import Names, comparable, lines_of
from connectors.counterparts import Part
from connectors.digest import value_digest
from connectors.losses import Losses
from connectors.records import Category, InventoryLevel, Order, Product, Record, Stream
from connectors.references import Reference, references, with_target_ids
from workers.engine import evidence
from workers.engine.evidence import Key, Place
from workers.engine.merge import as_found
from workers.engine.run import Run
from workers.engine.sides import Rules

_KEY_FIELDS = ("_recent_sync_key", "recent_sync_key")
_encode = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class Reading:
    """One side of a stream being read; `fields` are the metadata that may hold the source's ids."""

    run: Run
    stream: Stream
    side: Side
    store: ReadsWhole
    fields: tuple[str, ...] = ()


async def rows(reading: Reading, page: Page) -> list[dict[str, Any]]:
    """A row for each record of the page, those that cannot be understood among them."""
    bare = page.records
    shown, changed = _mapped(reading, bare)
    if reading.side is Side.SOURCE:
        known = await _present(reading, (*shown, *changed))
        variants = {each: each.child for each in known if each.child is not None}
        given = {each.id: Place(names=evidence.own_names(each.id)) for each in bare}
    else:
        known, variants = await _source_ids(reading.run, shown)
        given = await _places_on_target(reading, shown)
    names = _Named(known, variants, given)
    # What the target shows of a record instead is told by the source's record alone.
    is_source = reading.side is Side.SOURCE
    losses = Losses(reading.run.writes[reading.stream].losses if is_source else ())
    paths, places = names.places(shown)
    made: dict[str, dict[str, Any]] = {}
    for record in shown:
        row = _row(reading, record, places[record.id])
        made[record.id] = row | {"form": _encode(_form(record, paths, known, losses))}
    if changed:
        # Whoever brought a record over knew nothing of our rules.
        _, places = names.places(bare)
    for record in changed:
        _add_keys(made[record.id], _keys(reading, record, places[record.id]))
    for record_id, reason in page.failed:
        made.setdefault(record_id, _unread_row(reading, record_id, reason))
    return list(made.values())


def _mapped(reading: Reading, records: Sequence[Record]) -> tuple[Sequence[Record], list[Record]]:
    """The source's records as the mapping rules want them, and those that the rules change, as they
    are. One that the rules fail on is known by what it says itself.
    """
    if reading.side is Side.TARGET:
        return records, []
    made, failed = map_each(reading.run.scope.mapper, reading.stream, records)
    shown = {each.id: each for each in (*made, *(each.record for each in failed))}
    changed = [each for each in records if shown[each.id] is not each]
    return [shown[each.id] for each in records], changed


class _Named(NamedTuple):
    """By which of the source's ids the records of a page name others; `given` are their places as
    far as nothing else is needed.
    """

    known: Mapping[Reference, str]
    variants: Mapping[Reference, str]
    given: Mapping[str, Place]

    def places(self, records: Sequence[Record]) -> tuple[Names, dict[str, Place]]:
        """The paths of categories among these records, and each record's place."""
        paths, name_paths = Names(), Names()
        paths.add_categories(records)
        name_paths.add_categories(_by_name(records))
        places = {
            record.id: self.given[record.id]._replace(
                level=_level(record, self.known, self.variants),
                path=paths.categories.get(record.id, ""),
                name_path=name_paths.categories.get(record.id, ""),
                customer=_customer(record, self.known),
                categories=_categories(record, self.known),
            )
            for record in records
        }
        return paths, places


def _by_name(records: Iterable[Record]) -> list[Record]:
    """Categories without their slugs, so that their paths are made of names."""
    found = [each for each in records if isinstance(each.content, Category)]
    return [Record(each.id, None, msgspec.structs.replace(each.content, slug="")) for each in found]


async def _places_on_target(reading: Reading, records: Sequence[Record]) -> dict[str, Place]:
    hidden: Mapping[str, Mapping[str, str]] = {}
    if isinstance(reading.store, ShowsMetadata) and records:
        ids, names = [each.id for each in records], [*reading.fields, *_KEY_FIELDS]
        hidden = await reading.store.metadata(reading.stream, ids, names)
    return {each.id: _place_on_target(reading, each, hidden.get(each.id, {})) for each in records}


def _place_on_target(reading: Reading, record: Record, hidden: Mapping[str, str]) -> Place:
    names = [*evidence.kept_names(record.content, reading.fields)]
    told = (hidden[each] for each in reading.fields if each in hidden)
    names += [name for each in told for name in evidence.own_names(each)]
    begin = f"{reading.run.scope.key_prefix}:{reading.stream}:"
    # Some platforms have our key for an id.
    carried = (record.id, *(hidden.get(each, "") for each in _KEY_FIELDS))
    key = next((each.removeprefix(begin) for each in carried if each.startswith(begin)), "")
    return Place(names=tuple(dict.fromkeys(names)), own_key=key, on_target=True)


def _level(
    record: Record, known: Mapping[Reference, str], variants: Mapping[Reference, str]
) -> str:
    content = record.content
    if not isinstance(content, InventoryLevel):
        return ""
    reference = Reference(Stream.PRODUCTS, content.product, content.variant)
    product = known.get(reference, "")
    if content.variant is None or not product:
        return product
    variant = variants.get(reference)
    return f"{product}:{variant}" if variant else ""


def _customer(record: Record, known: Mapping[Reference, str]) -> str:
    customer = getattr(record.content, "customer", None)
    return known.get(Reference(Stream.CUSTOMERS, customer), "") if customer else ""


def _categories(record: Record, known: Mapping[Reference, str]) -> tuple[str, ...]:
    named = getattr(record.content, "categories", ())
    return tuple(known.get(Reference(Stream.CATEGORIES, each), "?") for each in named)


def _keys(reading: Reading, record: Record, place: Place) -> list[Key]:
    # Our own key on the target names the source's id.
    own = place._replace(own_key=record.id) if reading.side is Side.SOURCE else place
    return evidence.keys(record, own, reading.run.scope.key_prefix)


def _add_keys(row: dict[str, Any], found: Sequence[Key]) -> None:
    """More evidence of a record, none of it twice."""
    there = set(zip(row["kinds"], row["values"], strict=True))
    more = [each for each in found if each not in there]
    row["kinds"] += [each.kind for each in more]
    row["values"] += [each.value for each in more]


def _unread_row(reading: Reading, record_id: str, reason: str) -> dict[str, Any]:
    """A record that is there and cannot be understood: it is known by its id alone."""
    names = evidence.own_names(record_id)
    found = evidence.of_id(names, record_id) if reading.side is Side.SOURCE else []
    return {
        "id": record_id,
        "label": f"cannot be read: {reason}"[:200].replace("\0", ""),
        "kinds": [each.kind for each in found],
        "values": [each.value for each in found],
        "live": True,
        "form": None,
        "fields": None,
        "parts": None,
    }


def _row(reading: Reading, record: Record, place: Place) -> dict[str, Any]:
    stream, is_source = reading.stream, reading.side is Side.SOURCE
    found = _keys(reading, record, place)
    capability = reading.run.writes[stream]
    parts, fields = counterparts.parts_of(record.content), None
    if capability.merges and not is_source:
        base = as_found(record.content, Rules(stream=stream, derived=capability.derived))
        fields = base.target
        parts = [_with_base(each, base.parts) for each in parts]
    return {
        "id": record.id,
        "label": evidence.label(record, place)[:200].replace("\0", ""),
        "kinds": [each.kind for each in found],
        "values": [each.value for each in found],
        "live": evidence.is_live(record.content),
        "fields": fields,
        "parts": counterparts.encode(parts) if parts else None,
    }


def _with_base(part: Part, bases: Mapping[str, tuple[bytes, bytes]]) -> Part:
    if part.kind != "variant":
        return part
    return Part(part.kind, part.id, part.keys, bases[part.id][1])


def _form(
    record: Record, paths: Names, known: Mapping[Reference, str], losses: Losses
) -> dict[str, bytes]:
    """A digest of each field as both stores should show it. Records are named by the source's ids,
    categories among themselves by their paths; what a line is of belongs to the lines. Beside them
    stands what the target shows of those fields that it cannot keep in some records.
    """
    content, names = record.content, paths
    if not isinstance(content, Category):
        content = with_target_ids(content, known.get)
        names = Names()
        match content:
            case Product():
                names.categories = {each: each for each in content.categories}
            case Order(customer=str(customer)):
                names.customers = {customer: customer}
    shown = losses.shown(content)
    form = comparable(shown.own, names)
    if isinstance(content, Order):
        goods = [each.product or "" for each in content.lines]
        told = zip(lines_of(content), goods, strict=True)
        form["lines"] = sorted((*line, product) for line, product in told)
    meant = comparable(shown.content, names) if losses.judged else form
    return {name: value_digest(each) for name, each in form.items()} | {
        f"{INSTEAD}{name}": UNTOLD if name in shown.untold else value_digest(meant[name])
        for name in losses.judged & form.keys()
    }


# --- what records name, by the source's ids ------------------------------------------------------

_PRESENT = text(
    """
    SELECT record_id FROM adoption_records WHERE migration_id = :migration AND stream = :stream
      AND side = 'source' AND record_id = ANY(CAST(:ids AS text[]))
    UNION SELECT source_id FROM links WHERE migration_id = :migration AND stream = :stream
      AND source_id = ANY(CAST(:ids AS text[]))
    """
)


async def _present(reading: Reading, records: Iterable[Record]) -> dict[Reference, str]:
    """What records of the source name. Some may be gone from there: nobody can bring them over."""
    wanted = {each for record in records for each in references(record.content)}
    if reading.stream not in (Stream.PRODUCTS, Stream.ORDERS):
        return {each: each.id for each in wanted}
    found: dict[Reference, str] = {}
    async with autocommit(reading.run.engine) as connection:
        for stream in {each.stream for each in wanted}:
            ids = sorted({each.id for each in wanted if each.stream is stream})
            values = {"migration": reading.run.scope.migration, "stream": str(stream), "ids": ids}
            there = set((await connection.execute(_PRESENT, values)).scalars())
            found |= {
                each: each.id for each in wanted if each.stream is stream and each.id in there
            }
    return found


_SOURCE_IDS = text(
    "SELECT source_id, target_id, children FROM links"
    " WHERE migration_id = :migration AND stream = :stream AND state <> 'intent'"
    " AND target_id = ANY(CAST(:ids AS text[]))"
)


async def _source_ids(
    run: Run, records: Iterable[Record]
) -> tuple[dict[Reference, str], dict[Reference, str]]:
    """The source's ids of the records that these ones of the target name, and of the variants."""
    wanted = {each for record in records for each in references(record.content)}
    products: dict[Reference, str] = {}
    variants: dict[Reference, str] = {}
    async with autocommit(run.engine) as connection:
        for stream in {each.stream for each in wanted}:
            ids = sorted({each.id for each in wanted if each.stream is stream})
            values = {"migration": run.scope.migration, "stream": str(stream), "ids": ids}
            links = {row.target_id: row for row in await connection.execute(_SOURCE_IDS, values)}
            for each in wanted:
                link = links.get(each.id) if each.stream is stream else None
                if link is not None:
                    products[each] = link.source_id
                    there = {target: ours for ours, target in (link.children or {}).items()}
                    if each.child in there:
                        variants[each] = there[each.child]
    return products, variants
