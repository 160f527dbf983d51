"""Sampled pairs field by field: what differs, and what explains it.

Both records are compared in the form that two stores share, references by the target's ids. What
the target is known to show instead of what it cannot keep is no difference. What the team edited is
none, either, where the policy lets it stay: the target shows something else than what we left
there, and the source's value is the one that was applied. SKUs and emails are never excused: by
them records are paired; relations only by a policy that says `target`. What was changed on the
target where the source's values rule is noted for the next run, which puts it back.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
from sqlalchemy import text

from app.database import autocommit
from app.models import ConflictPolicy
from connectors.comparable import Form, Names, comparable, variant_form
from connectors.digest import FIELD_BYTES, digest
from connectors.losses import Losses, Shown, unexplained
from connectors.records import Content, Order, Product, Record, Stream, Variant
from connectors.references import references
from workers.checks import target_survey
from workers.checks.base import Evidence
from workers.checks.differences import (
    REFUNDS,
    RELATIONS,
    Difference,
    Kind,
    amounts,
    difference,
    split,
    sums,
)
from workers.checks.ground import Ground, Pair
from workers.checks.relations import differing_goods
from workers.checks.sampling import named
from workers.engine import drift
from workers.engine.sides import UNKNOWN, VARIANTS, Rules, lacking

_decode_parts = msgspec.msgpack.Decoder(dict[str, tuple[bytes, bytes]]).decode

_IDENTITY = frozenset({"sku", "email"})
_ELSEWHERE = frozenset({"slug", VARIANTS})
"""Slugs are left to the checks of URLs, which know whether an old address still leads there.
Variants are compared one by one.
"""

_FREE = "it has no price, and is sold for nothing"


@dataclass(slots=True)
class Compared:
    """What came out for a stream. `stale` are records of the source that are not what was applied,
    `unreadable` pairs whose target record cannot be understood, with the reason. `edits` counts
    fields that the team's edits explain, `lost` by field those that the target cannot keep.
    """

    examined: int = 0
    total: int = 0
    words: str = ""
    differences: list[Difference] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    unreadable: list[tuple[Pair, str]] = field(default_factory=list)
    edits: int = 0
    lost: Counter[str] = field(default_factory=Counter)


class _Base(NamedTuple):
    """What the ledger knows of a pair. Without a `digest` nothing of ours was confirmed there.
    `held` is that of the content which is in quarantine. `lacks`: it was written without records
    that it names, and is mended when they arrive.
    """

    digest: bytes | None
    held: bytes | None
    target: bytes | None
    parts: Mapping[str, tuple[bytes, bytes]]
    losses: frozenset[str]
    lacks: bool


_AT_ONCE = 100


async def compare(ground: Ground, stream: Stream) -> Compared:
    """The stream's sample, and what somebody changed on the target as far as its lists show it,
    compared once for all checks. Raises `StoreError`.
    """
    name = f"comparison of {stream}"
    if name not in ground.memo:
        ground.memo[name] = await _compare(ground, stream)
    found: Compared = ground.memo[name]
    return found


async def _compare(ground: Ground, stream: Stream) -> Compared:
    sample = await ground.sample(stream)
    edited = await _edited(ground, stream, {each.source_id for each in sample.pairs})
    words = f"{sample.words}, and {len(edited):,} edited on the target" if edited else sample.words
    found = Compared(total=sample.total, words=words)
    comparison = _Comparison(ground, stream, await ground.losses(stream), found)
    pairs = (*sample.pairs, *edited)
    for start in range(0, len(pairs), _AT_ONCE):
        await comparison.look_at(pairs[start : start + _AT_ONCE])
    return found


async def _edited(ground: Ground, stream: Stream, taken: set[str]) -> tuple[Pair, ...]:
    surveyed = await target_survey.survey(ground, stream)
    ids = [each for each in surveyed.edited if each not in taken] if surveyed else []
    return await named(ground.engine, ground.migration, stream, ids[: ground.options.changed])


async def compare_named(ground: Ground, evidence: Iterable[Evidence]) -> None:
    """Compare what a check names and no sample holds, so that a run mends that as well.

    What is wrong with a product in the shop may be its stock. Raises `StoreError`.
    """
    ids: defaultdict[Stream, set[str]] = defaultdict(set)
    for each in evidence:
        if each.stream in ground.streams and each.source_id is not None:
            ids[each.stream].add(each.source_id)
    products = await named(ground.engine, ground.migration, Stream.PRODUCTS, ids[Stream.PRODUCTS])
    for pair in products if Stream.INVENTORY in ground.streams else ():
        variants = (f"{pair.source_id}:{variant}" for variant in pair.children)
        ids[Stream.INVENTORY] |= {pair.source_id, *variants}
    for stream, some in ids.items():
        left = [each for each in some if (stream, each) not in ground.compared]
        pairs = await named(ground.engine, ground.migration, stream, left)
        if pairs:
            losses = await ground.losses(stream)
            await _Comparison(ground, stream, losses, Compared()).look_at(pairs)


_BASES = text(
    "SELECT l.source_id, l.digest, l.target_fields, l.parts, l.losses,"
    " l.lost_references, q.digest AS held"
    " FROM links AS l LEFT JOIN quarantine AS q ON q.migration_id = l.migration_id"
    " AND q.stream = l.stream AND q.source_id = l.source_id AND q.status <> 'resolved'"
    " WHERE l.migration_id = :migration AND l.stream = :stream"
    " AND l.source_id = ANY(CAST(:ids AS text[]))"
)


class _Comparison:
    """One stream's pairs; fills `found`."""

    def __init__(self, ground: Ground, stream: Stream, losses: Losses, found: Compared) -> None:
        self._ground, self._stream, self._found = ground, stream, found
        self._losses = losses
        capability = ground.writes[stream]
        self._merges = capability.merges
        self._rules = Rules(stream, ground.scope.policies, derived=capability.derived)
        self._drifted: set[str] = set()

    async def look_at(self, pairs: tuple[Pair, ...]) -> None:
        ground, stream = self._ground, self._stream
        ours = await ground.source_records(stream, [each.source_id for each in pairs])
        theirs = await ground.target_records(stream, [each.target_id for each in pairs])
        bases = await self._bases([each.source_id for each in pairs])
        contents = await ground.resolved(list(ours.values()))
        for pair in pairs:
            record, base = ours.get(pair.source_id), bases.get(pair.source_id)
            if record is None or base is None:
                continue  # it is gone from the source: a matter of removals
            now = digest(record.content).whole
            if now == base.held:
                continue  # a matter of quarantine
            if now != base.digest and (base.digest or base.held):
                self._found.stale.append(pair.source_id)
                continue
            target = theirs.get(pair.target_id)
            if target is not None:
                self._found.examined += 1
                self._drifted.clear()
                differences = list(self._differences(pair, contents[pair.source_id], target, base))
                self._found.differences += map(self._told, differences)
                ground.note_drift(stream, pair.source_id, frozenset(self._drifted))
            elif (why := ground.unreadable(stream, pair.target_id)) is not None:
                self._found.unreadable.append((pair, why))

    async def _bases(self, ids: list[str]) -> dict[str, _Base]:
        async with autocommit(self._ground.engine) as connection:
            rows = await connection.execute(
                _BASES,
                {"migration": self._ground.migration, "stream": str(self._stream), "ids": ids},
            )
            return {
                row.source_id: _Base(
                    row.digest,
                    row.held,
                    row.target_fields,
                    _decode_parts(row.parts) if row.parts else {},
                    frozenset(row.losses or ()),
                    bool(row.lost_references),
                )
                for row in rows
            }

    def _differences(
        self, pair: Pair, ours: Content, target: Record, base: _Base
    ) -> Iterator[Difference]:
        theirs = target.content
        names = _same_ids(ours, theirs)
        shown = self._losses.shown(ours, base.losses)
        here, there = comparable(shown.own, names), comparable(theirs, names)
        meant = comparable(shown.content, names)
        untold = shown.untold | _ELSEWHERE
        wrong = unexplained(here, meant, there, untold)
        self._count_lost(here, there, {*wrong, *_ELSEWHERE})
        for name in wrong:
            value = here[name]
            if name == "categories" and set(value) <= set(there[name]):
                continue  # one more is the team's, or the platform's own for what has none
            if self._is_excused(name, theirs, base.target):
                self._found.edits += 1
                continue
            if name != REFUNDS or amounts(value) != amounts(there[name]):
                self._note(name, theirs, base, base.target)  # what was refunded is never changed
            yield from split(pair, name, value, there[name])
        if REFUNDS in untold and amounts(here[REFUNDS]) != amounts(there[REFUNDS]):
            # Whatever else a target makes of a refund, so much was given back.
            paid = sums(REFUNDS, here[REFUNDS], there[REFUNDS])
            yield difference(Kind.MONEY, pair, REFUNDS, paid)
        if isinstance(shown.own, Product) and isinstance(theirs, Product):
            if "regular_price" not in wrong and self._is_given_away(shown.own, theirs, theirs):
                self._note("regular_price", theirs, base, base.target)
                yield difference(Kind.MONEY, pair, "regular_price", _FREE)
            yield from self._variants(pair, shown.own, theirs, base, shown)
        # What a line lacks that has arrived is to be mended; what has not is none of ours, either.
        told = frozenset() if base.lacks else base.losses
        has_goods = "lines" not in untold | told
        if isinstance(ours, Order) and isinstance(theirs, Order) and has_goods:
            for line in differing_goods(ours, theirs, pair.children):
                self._note("lines", theirs, base, base.target)
                where, words = f"lines.{line.source_id}", line.shown
                yield Difference(Kind.RELATION, pair.source_id, pair.target_id, where, words)

    def _variants(
        self, pair: Pair, ours: Product, theirs: Product, base: _Base, shown: Shown
    ) -> Iterator[Difference]:
        there = {each.id: each for each in theirs.variants}
        expected = {each.id: each for each in shown.variants}
        for variant in ours.variants:
            path = f"{VARIANTS}.{variant.id}"
            twin = there.get(pair.children.get(variant.id, ""))
            if twin is None:
                self._note(path, theirs, base, None)
                told = "the target does not show this variant"
                yield Difference(Kind.CONTENT, pair.source_id, pair.target_id, path, told)
                continue
            _, left = base.parts.get(variant.id, (b"", b""))
            here, seen = variant_form(variant), variant_form(twin)
            meant = variant_form(expected[variant.id])
            wrong = unexplained(here, meant, seen, shown.parts.get(variant.id, ()))
            self._count_lost(here, seen, wrong, prefix=f"{VARIANTS}.")
            if "regular_price" not in wrong and self._is_given_away(variant, twin, theirs):
                self._note(f"{path}.regular_price", twin, base, left)
                yield difference(Kind.MONEY, pair, f"{path}.regular_price", _FREE)
            for name in wrong:
                if self._is_excused(name, twin, left):
                    self._found.edits += 1
                else:
                    self._note(f"{path}.{name}", twin, base, left)
                    yield from split(pair, name, here[name], seen[name], prefix=f"{path}.")

    def _is_given_away(
        self, ours: Product | Variant, theirs: Product | Variant, product: Product
    ) -> bool:
        """Whether it is sold for nothing on the target, where everything has a price, although the
        source has none for it. A team that means it leaves prices to the target.
        """
        price = theirs.regular_price
        is_free = price is not None and not price.amount and product.status == "published"
        has_none = ours.regular_price is None and ours.sale_price is None
        policy = self._rules.policies.of(self._stream, "regular_price")
        return is_free and has_none and policy is not ConflictPolicy.TARGET

    def _count_lost(
        self, here: Form, there: Form, wrong: Collection[str], *, prefix: str = ""
    ) -> None:
        self._found.lost.update(
            f"{prefix}{name}"
            for name, value in here.items()
            if value != there[name] and name not in wrong
        )

    def _is_excused(self, name: str, theirs: Content | Variant, base: bytes | None) -> bool:
        """Whether the team's edit explains the difference, and may stay."""
        if not self._merges or name in _IDENTITY or name in self._rules.derived:
            return False
        policy = self._rules.policies.of(self._stream, name)
        if policy is ConflictPolicy.SOURCE:
            return False
        if name in RELATIONS and policy is not ConflictPolicy.TARGET:
            return False  # what belongs together is the team's only where that was decided
        return not self._is_as_left(name, theirs, base)

    def _is_as_left(self, name: str, theirs: Content | Variant, base: bytes | None) -> bool:
        """Whether the target shows what it answered to our last write, as far as is known."""
        names = type(theirs).__struct_fields__
        if base is None or len(base) != len(names) * FIELD_BYTES:
            return False  # nobody knows what we left there
        place = names.index(name) * FIELD_BYTES
        left = base[place : place + FIELD_BYTES]
        return left != UNKNOWN and self._rules.digest(name, getattr(theirs, name)) == left

    def _told(self, found: Difference) -> Difference:
        path = found.field
        whole = "lines" if path.startswith("lines.") else path
        return found._replace(mended=whole in self._drifted)

    def _note(self, path: str, theirs: Content | Variant, base: _Base, left: bytes | None) -> None:
        """Note a field that the next run is to put back. What the target made of our own write is
        nobody's change: it would make the same of it again, unless that depends on the time.
        """
        name = path.rpartition(".")[2]
        if not drift.is_sources(self._rules.policies, self._stream, path, merges=self._merges):
            return
        turns = name in lacking(self._stream, base.losses)
        answers = base.digest is not None and name not in self._rules.derived and not turns
        if answers and name in theirs.__struct_fields__ and self._is_as_left(name, theirs, left):
            return
        self._drifted.add(path)


def _same_ids(ours: Content, theirs: Content) -> Names:
    """Names under which every record is called by its id on the target."""
    names = Names()
    for content in (ours, theirs):
        for each in references(content):
            match each.stream:
                case Stream.CATEGORIES:
                    names.categories[each.id] = each.id
                case Stream.CUSTOMERS:
                    names.customers[each.id] = each.id
                case _:
                    names.products[each.id] = each.id
    return names
