"""The three-way merge of an update: what the source changed, what people changed on the target.

Only what the source changed is written, and where people changed the same field to something
else, its policy decides. All of it is pure: contents and digests in, a decision out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from msgspec.structs import replace

from app.models import ConflictPolicy, Decision
from connectors.digest import FIELD_BYTES, field_digests, value_digest
from connectors.prices import SALE_DATES
from connectors.records import Content, Product, Variant
from workers.engine.sides import PRICES, UNKNOWN, VARIANTS, Base, Incoming, Rules

_WITH_IDS = frozenset({"lines", "shipping_lines", "fees", "refunds", "fulfilments", VARIANTS})
"""Parts with ids of their own: one store's never stand in for the other's."""


_OWN = frozenset({"created_at", "position"})
"""What a store says of its own record and of its place there: never a question."""


class Conflict(NamedTuple):
    """A field that differs and was changed on both sides, or may have been (`base_known`).

    `take` is what this merge does about it; `remembered` says that this pair of values is in the
    ledger already.
    """

    path: str
    source: bytes
    target: bytes
    theirs: Any
    base_known: bool
    policy: ConflictPolicy
    take: Decision
    remembered: bool


@dataclass(slots=True)
class Merged:
    """What to send. `changed` are the fields to write, `variants` those of each variant that is
    there already; `children` are the variants' pairs. `bases` are the target's digests, by path,
    of all that is not written; `sent` those of what is. `settled` are paths about which nothing is
    left to ask. `edited` are paths at which the target's value stays, and is another one than our
    last write left. `missing` are known variants that the target does not show any more.
    """

    content: Content
    changed: set[str] = field(default_factory=set)
    variants: dict[str, frozenset[str]] = field(default_factory=dict)
    children: dict[str, str] = field(default_factory=dict)
    bases: dict[str, bytes] = field(default_factory=dict)
    sent: dict[str, bytes] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)
    settled: set[str] = field(default_factory=set)
    edited: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)

    @property
    def is_doubtful(self) -> bool:
        """Whether the target shows what a look at a half-written record would show as well."""
        return bool(self.missing) or any(not each.remembered for each in self.conflicts)


class _Field(NamedTuple):
    """One field on both sides. `now` and `before` are of the source, None where unknown."""

    path: str
    name: str
    ours: Any
    theirs: Any
    now: bytes
    before: bytes | None
    base: bytes
    sent: tuple[bytes, ...]


def merge(incoming: Incoming, target: Content, base: Base, rules: Rules) -> Merged:
    """Decide about every field of an update of `target`, which is the record as it is there."""
    merged = Merged(incoming.content, children=dict(incoming.children))
    kept: dict[str, Any] = {}
    for each in _fields(incoming.content, target, incoming.fields, base):
        if each.name == VARIANTS:
            continue
        if _judge(each, rules, merged):
            merged.changed.add(each.name)
        elif each.name not in _WITH_IDS | rules.derived | (SALE_DATES & rules.lossy):
            kept[each.name] = each.theirs
    merged.changed |= _priced_with(incoming.content, "", merged.changed, rules, merged)
    merged.content = replace(incoming.content, **kept, **_dates(target, "", rules, merged))
    if isinstance(incoming.content, Product) and isinstance(target, Product):
        _merge_variants(incoming, target, base, rules, merged)
    return merged


# --- one field ---------------------------------------------------------------------------------


def _judge(each: _Field, rules: Rules, merged: Merged) -> bool:
    """Whether to write the field; notes what else there is to know of it."""
    shown, ours = rules.digest(each.name, each.theirs), rules.digest(each.name, each.ours)
    if shown == ours:
        # They agree. But what is shown may be older than what an earlier write left there.
        stale = rules.unsure or bool(each.sent)
        moved = _moved(each, rules) and (stale or _was_taken_off(each, rules))
        written = moved or _is_left(each, shown, rules, merged)
        merged.settled.add(each.path)
    elif _is_left(each, shown, rules, merged):
        written = True
    elif not _moved(each, rules):
        merged.bases[each.path] = each.base
        if each.base not in (shown, UNKNOWN):
            merged.edited.add(each.path)
        return False
    else:
        written = not _is_edited(each, shown, rules) or _takes_source(each, shown, rules, merged)
        (merged.settled if written else merged.edited).add(each.path)
    if written:
        merged.sent[each.path] = ours
    else:
        # What was found and stays may be an edit of anybody's: it goes on counting as one.
        left = UNKNOWN if _is_as_found(each, shown, rules) else each.base
        merged.bases[each.path] = shown if shown == ours else left
    return written


def _is_left(each: _Field, shown: bytes, rules: Rules, merged: Merged) -> bool:
    """Whether the field goes out again, as in `Rules`. How a product is listed follows from its
    status: what somebody else made of that is not to be touched by it.
    """
    if each.name == "visibility" and "status" in merged.edited:
        return False
    return rules.is_left(each.name, shown, each.base)


def _moved(each: _Field, rules: Rules) -> bool:
    """Whether the source changed the field, or what it names has arrived, or somebody chose the
    source's value, or it is to be put back.
    """
    known = rules.known.get(each.path)
    return (
        rules.first
        or _was_taken_off(each, rules)
        or each.before != each.now
        or each.path in rules.former
        or each.path in rules.restored
        or bool(each.sent)
        or (known is not None and known.waits)
    )


def _is_edited(each: _Field, shown: bytes, rules: Rules) -> bool:
    """Whether the target holds something else than what we brought there."""
    if each.name in rules.derived or _was_taken_off(each, rules):
        return False
    if rules.first:
        return _stays_when_found(each, rules)
    if shown in each.sent or shown == rules.former.get(each.path):
        return False
    if _is_as_found(each, shown, rules):
        return _stays_when_found(each, rules)
    if each.base != UNKNOWN:
        return shown != each.base
    # Nobody looked when it was applied: it is unedited where it still is what was sent then.
    return value_digest(each.theirs) != each.before


def _stays_when_found(each: _Field, rules: Rules) -> bool:
    """Whether a value that was on the target before us is left there: nobody knows who wrote it.

    What another tool brought over follows the source unless policy leaves it to the target; of a
    record that somebody made there, people are asked first. An empty field is filled.
    """
    policy = rules.policies.of(rules.stream, each.name)
    keeps = policy is ConflictPolicy.TARGET or (rules.foreign and policy is ConflictPolicy.MANUAL)
    return keeps and each.theirs not in ("", None, (), {})


def _is_as_found(each: _Field, shown: bytes, rules: Rules) -> bool:
    """Whether the value is the one that an adopted record was found with."""
    return rules.adopted and each.before is None and shown == each.base


def _was_taken_off(each: _Field, rules: Rules) -> bool:
    """Whether the target's value is our own doing: archiving a record changes its status."""
    return rules.returns and each.path == "status"


def _takes_source(each: _Field, shown: bytes, rules: Rules, merged: Merged) -> bool:
    """Settle a conflict, by what was decided about this pair of values, else by policy."""
    policy = rules.policies.of(rules.stream, each.name)
    found = _is_as_found(each, shown, rules)
    base_known = each.base != UNKNOWN and not found
    known = rules.known.get(each.path)
    remembered = known is not None and (known.source, known.target) == (each.now, shown)
    take = Decision.SOURCE if policy is ConflictPolicy.SOURCE else Decision.TARGET
    if known is not None and remembered:
        take = known.decision or Decision.TARGET
    elif policy is ConflictPolicy.SOURCE and not base_known:
        return True  # The source wins anyway, and nobody can say that somebody else changed it.
    elif (rules.first or found) and each.name in rules.lossy:
        return False  # It differs between the stores by nature.
    elif rules.foreign and each.name in _OWN:
        return False  # It tells of the target's record, and there is nothing to decide.
    merged.conflicts.append(
        Conflict(each.path, each.now, shown, each.theirs, base_known, policy, take, remembered)
    )
    return take is Decision.SOURCE


# --- the fields of a record, and of its variants -----------------------------------------------


def _fields(
    ours: Content | Variant,
    theirs: Content | Variant,
    now: bytes,
    base: Base,
    prefix: str = "",
) -> Iterator[_Field]:
    names = type(ours).__struct_fields__
    size = len(names) * FIELD_BYTES
    before = base.source if base.source is not None and len(base.source) == size else None
    target = base.target if base.target is not None and len(base.target) == size else None
    for index, name in enumerate(names):
        place = slice(index * FIELD_BYTES, (index + 1) * FIELD_BYTES)
        path = prefix + name
        yield _Field(
            path=path,
            name=name,
            ours=getattr(ours, name),
            theirs=getattr(theirs, name),
            now=now[place],
            before=before[place] if before is not None else None,
            base=target[place] if target is not None else UNKNOWN,
            sent=base.sent.get(path, ()),
        )


def _merge_variants(
    incoming: Incoming, target: Product, base: Base, rules: Rules, merged: Merged
) -> None:
    """Variant by variant, by identity. One that is new is written whole."""
    content = merged.content
    if not isinstance(content, Product):
        return
    merged.children = paired(incoming.children, content, target)
    present = {each.id: each for each in target.variants}
    stayed = _is_unchanged(incoming, base, VARIANTS)
    variants = []
    for variant in content.variants:
        theirs = present.get(merged.children.get(variant.id, ""))
        if theirs is None:
            _note_missing(variant, base, rules, merged)
            variants.append(variant)
        else:
            variants.append(_merge_variant(variant, theirs, base, rules, merged, stayed=stayed))
    merged.content = replace(content, variants=tuple(variants))
    removed = incoming.children.keys() - {each.id for each in content.variants}
    if removed or any(merged.variants.get(each.id) != frozenset() for each in content.variants):
        merged.changed.add(VARIANTS)


def _merge_variant(
    ours: Variant, theirs: Variant, base: Base, rules: Rules, merged: Merged, *, stayed: bool
) -> Variant:
    now = field_digests(ours)
    source, target = base.parts.get(ours.id, (now if stayed else None, None))
    own = Base(source=source, target=target, sent=base.sent)
    prefix = f"{VARIANTS}.{ours.id}."
    written, kept = set(), {}
    for each in _fields(ours, theirs, now, own, prefix):
        if each.name == "id":
            continue
        if _judge(each, rules, merged):
            written.add(each.name)
        elif each.name not in SALE_DATES & rules.lossy:
            kept[each.name] = each.theirs
    written |= _priced_with(ours, prefix, written, rules, merged)
    merged.variants[ours.id] = frozenset(written)
    return replace(ours, **kept, **_dates(theirs, prefix, rules, merged))


def _priced_with(
    ours: Content | Variant, prefix: str, written: Collection[str], rules: Rules, merged: Merged
) -> frozenset[str]:
    """Prices that go out with others. Where sales have no dates, one price is written for all of
    them, and what the target shows of each follows from that. Of an edited one nothing follows.
    """
    if PRICES.isdisjoint(written) or SALE_DATES.isdisjoint(rules.lossy):
        return frozenset()
    more = {e for e in PRICES.difference(written) if f"{prefix}{e}" not in merged.edited}
    for name in more:
        merged.bases.pop(f"{prefix}{name}", None)
        merged.sent[f"{prefix}{name}"] = rules.digest(name, getattr(ours, name))
    return frozenset(more)


def _dates(
    theirs: Content | Variant, prefix: str, rules: Rules, merged: Merged
) -> Mapping[str, Any]:
    """The dates of the target's sale, where they go on in place of the source's. Where
    sales have none, the source's say which price counts, but not whether the team's does.
    """
    dates = SALE_DATES & rules.lossy
    if f"{prefix}sale_price" not in merged.edited:
        return {}
    return {name: getattr(theirs, name) for name in dates}


def _note_missing(variant: Variant, base: Base, rules: Rules, merged: Merged) -> None:
    """A variant that is not there: it is new, or somebody deleted it. In that case it stays
    deleted for as long as it does not change at the source, and policy leaves it to them.
    """
    if variant.id not in merged.children:
        return
    merged.missing.add(variant.id)
    before, _ = base.parts.get(variant.id, (None, None))
    is_restored = f"{VARIANTS}.{variant.id}" in rules.restored
    if before == field_digests(variant) and not is_restored:
        merged.variants[variant.id] = frozenset()
    else:
        del merged.children[variant.id]


def paired(children: Mapping[str, str], content: Product, target: Product) -> dict[str, str]:
    """The target's ids of variants by the source's: as known, else by SKU, else by options."""
    pairs = dict(children)
    taken = set(pairs.values())
    free = [each for each in target.variants if each.id not in taken]
    by_sku = {each.sku.casefold(): each.id for each in free if each.sku}
    by_options = {_options(each): each.id for each in free if each.options}
    for variant in content.variants:
        if variant.id not in pairs:
            found = by_sku.get(variant.sku.casefold()) or by_options.get(_options(variant))
            if found is not None and found not in taken:
                pairs[variant.id] = found
                taken.add(found)
    return pairs


def _options(variant: Variant) -> frozenset[tuple[str, str]]:
    return frozenset((each.name.casefold(), each.value.casefold()) for each in variant.options)


def _is_unchanged(incoming: Incoming, base: Base, name: str) -> bool:
    if base.source is None or len(base.source) != len(incoming.fields):
        return False
    index = type(incoming.content).__struct_fields__.index(name)
    place = slice(index * FIELD_BYTES, (index + 1) * FIELD_BYTES)
    return base.source[place] == incoming.fields[place]


# --- afterwards --------------------------------------------------------------------------------


class Remembered(NamedTuple):
    """The target's side of a base, for the ledger: see `Base`."""

    target: bytes
    parts: dict[str, tuple[bytes, bytes]]


def remember(
    content: Content,
    answered: Content | None,
    children: Mapping[str, str],
    rules: Rules,
    merged: Merged | None,
    *,
    also: frozenset[str] = frozenset(),
) -> Remembered:
    """The base of the next merge, once the target has confirmed.

    A field that was written takes what the target answered; one that was not keeps its base, so
    that an edit goes on counting as one. Without `merged` everything was written. `also` are fields
    that the connector wrote unasked; an edit of one of them goes on counting as one.
    """
    unwritten = _kept(content, merged, "")
    if merged is not None and not also.isdisjoint(merged.edited):
        also = frozenset()
    untouched = {name: base for name, base in unwritten.items() if name not in also}
    target = _answered(content, answered, rules, untouched)
    parts: dict[str, tuple[bytes, bytes]] = {}
    if isinstance(content, Product):
        shown = {each.id: each for each in getattr(answered, VARIANTS, ())}
        for variant in content.variants:
            theirs = shown.get(children.get(variant.id, ""))
            kept = _kept(variant, merged, f"{VARIANTS}.{variant.id}.")
            parts[variant.id] = (
                field_digests(variant),
                _answered(variant, theirs, rules, kept),
            )
    return Remembered(target, parts)


def as_found(content: Content, rules: Rules) -> Remembered:
    """The base of the first merge with a record that somebody else brought to the target. Its
    parts are by the target's ids, and what the source held is unknown.
    """
    variants = content.variants if isinstance(content, Product) else ()
    parts = {each.id: (b"", _answered(each, each, rules, {})) for each in variants}
    return Remembered(_answered(content, content, rules, {}), parts)


def _kept(content: Content | Variant, merged: Merged | None, prefix: str) -> Mapping[str, bytes]:
    """The bases of what was not written, by field."""
    if merged is None:
        return {}
    written: Collection[str] = merged.changed
    if isinstance(content, Variant):
        whole = frozenset(type(content).__struct_fields__)
        written = merged.variants.get(content.id, whole)
    return {
        name: merged.bases.get(prefix + name, UNKNOWN)
        for name in type(content).__struct_fields__
        if name not in written
    }


def _answered(
    content: Content | Variant,
    answered: Content | Variant | None,
    rules: Rules,
    kept: Mapping[str, bytes],
) -> bytes:
    digests = []
    for name in type(content).__struct_fields__:
        if name in kept:
            digests.append(kept[name])
        elif answered is None or name == VARIANTS:
            digests.append(UNKNOWN)
        else:
            digests.append(rules.digest(name, getattr(answered, name)))
    return b"".join(digests)
