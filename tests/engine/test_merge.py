"""The three-way merge alone: for any content, whatever either side did."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from app.models import Decision
from connectors.digest import digest
from connectors.records import Category, Product, Stream, Variant
from workers.engine import drift
from workers.engine.merge import merge, remember
from workers.engine.policy import Policies
from workers.engine.sides import Base, Incoming, Known, Rules

words = st.sampled_from(["", "a", "b", "c"])
variants = st.lists(
    st.builds(Variant, id=st.sampled_from(["1", "2"]), sku=words, description=words, weight=words),
    max_size=2,
    unique_by=lambda each: each.id,
).map(tuple)
products = st.builds(
    Product,
    name=words,
    slug=words,
    description=words,
    tags=st.sampled_from([(), ("x", "y")]),
    variants=variants,
)
policies = st.dictionaries(
    st.sampled_from(["name", "description", "weight", "*"]),
    st.sampled_from(["source", "target", "manual"]),
).map(lambda given: Policies({"products": given}))


def applied(content: Product, rules: Rules) -> Base:
    """The base after the content was created on a target that keeps ids."""
    children = {each.id: each.id for each in content.variants}
    made = remember(content, content, children, rules, None)
    return Base(digest(content).fields, made.target, made.parts)


def incoming(content: Product, before: Product) -> Incoming:
    children = {each.id: each.id for each in before.variants}
    return Incoming(content, digest(content).fields, children)


def edited(content: Product, other: Product) -> Product:
    """The content as a team left it that took what it likes from another one."""
    there = {each.id: each for each in other.variants}
    mine = tuple(replace(each, weight=there.get(each.id, each).weight) for each in content.variants)
    return replace(content, name=other.name, description=other.description, variants=mine)


@given(products, products, products, policies)
def test_a_field_that_the_source_did_not_change_is_never_written(old, new, other, chosen) -> None:
    rules = Rules(Stream.PRODUCTS, chosen)
    merged = merge(incoming(new, old), edited(old, other), applied(old, rules), rules)
    for name in merged.changed - {"variants"}:
        assert getattr(new, name) != getattr(old, name)
    before = {each.id: each for each in old.variants}
    now = {each.id: each for each in new.variants}
    for variant_id, names in merged.variants.items():
        for name in names:
            assert getattr(now[variant_id], name) != getattr(before[variant_id], name, None)


@given(products, products, policies)
def test_without_an_edit_every_change_is_written_and_nothing_asks(old, new, chosen) -> None:
    rules = Rules(Stream.PRODUCTS, chosen)
    merged = merge(incoming(new, old), old, applied(old, rules), rules)
    moved = {
        name
        for name in Product.__struct_fields__
        if name != "variants" and getattr(new, name) != getattr(old, name)
    }
    assert merged.changed - {"variants"} == moved
    assert merged.conflicts == []


@given(products, products, products, policies)
def test_a_conflict_is_a_change_on_both_sides_to_something_else(old, new, other, chosen) -> None:
    rules = Rules(Stream.PRODUCTS, chosen)
    there = edited(old, other)
    merged = merge(incoming(new, old), there, applied(old, rules), rules)
    for conflict in merged.conflicts:
        assert conflict.base_known
        if "." not in conflict.path:
            name = conflict.path
            assert getattr(old, name) != getattr(new, name) != getattr(there, name)
            assert getattr(old, name) != getattr(there, name)
            assert (name in merged.changed) == (conflict.take is Decision.SOURCE)


@given(products, products, products, policies)
def test_a_second_merge_with_nothing_changed_writes_nothing(old, new, other, chosen) -> None:
    rules = Rules(Stream.PRODUCTS, chosen)
    there = edited(old, other)
    merged = merge(incoming(new, old), there, applied(old, rules), rules)
    after = replace(
        there,
        **{name: getattr(new, name) for name in merged.changed - {"variants"}},
        variants=merged.content.variants if isinstance(merged.content, Product) else (),
    )
    children = {each.id: each.id for each in new.variants}
    made = remember(new, after, children, rules, merged)
    base = Base(digest(new).fields, made.target, made.parts)
    again = merge(Incoming(new, digest(new).fields, children), after, base, rules)
    assert again.changed == set()
    assert again.conflicts == []


def test_an_edit_goes_on_counting_as_one_however_often_it_is_kept() -> None:
    rules = Rules(Stream.CATEGORIES)
    base = Base(
        digest(Category(name="Mugs")).fields,
        remember(Category(name="Mugs"), Category(name="Mugs"), {}, rules, None).target,
    )
    there = Category(name="Mugs", description="The team's")
    for words_ in ("one", "two", "three"):
        content = Category(name="Mugs", description=words_)
        merged = merge(Incoming(content, digest(content).fields), there, base, rules)
        assert [each.take for each in merged.conflicts] == [Decision.TARGET]
        assert merged.changed == set()
        base = Base(digest(content).fields, remember(content, there, {}, rules, merged).target)


def test_what_was_decided_about_two_values_is_not_asked_again() -> None:
    rules = Rules(Stream.CATEGORIES)
    old, new = Category(name="Mugs"), Category(name="Cups")
    base = Base(digest(old).fields, remember(old, old, {}, rules, None).target)
    there = Category(name="Beakers")
    [asked] = merge(Incoming(new, digest(new).fields), there, base, rules).conflicts
    assert (asked.take, asked.remembered) == (Decision.TARGET, False)
    known = {"name": Known(asked.source, asked.target, Decision.SOURCE, applied=False)}
    merged = merge(
        Incoming(new, digest(new).fields), there, base, Rules(Stream.CATEGORIES, known=known)
    )
    assert merged.changed == {"name"}
    assert not merged.is_doubtful


def test_what_the_target_reckons_is_no_edit() -> None:
    rules = Rules(Stream.CATEGORIES, derived=frozenset({"position"}))
    old, new = Category(name="Mugs", position=1), Category(name="Mugs", position=2)
    base = Base(digest(old).fields, remember(old, old, {}, rules, None).target)
    merged = merge(
        Incoming(new, digest(new).fields), Category(name="Mugs", position=7), base, rules
    )
    assert (merged.changed, merged.conflicts) == ({"position"}, [])


def drifted(old: Product, shown: Product, chosen: Policies) -> frozenset[str]:
    """What a verification notes: fields that differ where the source rules."""
    pairs = {"": (old, shown)} | {
        f"variants.{each.id}.": (each, there)
        for each in old.variants
        for there in shown.variants
        if each.id == there.id
    }
    return frozenset(
        prefix + name
        for prefix, (ours, theirs) in pairs.items()
        for name in type(ours).__struct_fields__
        if name != "variants"
        and getattr(ours, name) != getattr(theirs, name)
        and drift.is_sources(chosen, Stream.PRODUCTS, prefix + name, merges=True)
    )


@given(products, products, policies)
def test_what_is_put_back_is_what_was_noted_and_the_next_look_finds_nothing(
    old, other, chosen
) -> None:
    shown, rules = edited(old, other), Rules(Stream.PRODUCTS, chosen)
    noted = drifted(old, shown, chosen)
    base = applied(old, rules)
    merged = merge(incoming(old, old), shown, base, Rules(Stream.PRODUCTS, chosen, restored=noted))
    written = merged.changed - {"variants"} | {
        f"variants.{each}.{name}" for each, names in merged.variants.items() for name in names
    }
    assert written == noted
    assert {each.path for each in merged.conflicts} == noted
    assert all(each.take is Decision.SOURCE and each.base_known for each in merged.conflicts)
    assert isinstance(merged.content, Product)
    assert drifted(old, merged.content, chosen) == frozenset()


def test_what_a_store_says_of_its_own_record_is_no_question() -> None:
    ours, theirs = Category(name="Tea", position=3), Category(name="Team's", position=1)
    rules = Rules(Stream.CATEGORIES, first=True, foreign=True)
    merged = merge(Incoming(ours, digest(ours).fields), theirs, Base(), rules)
    assert merged.changed == set()
    assert [each.path for each in merged.conflicts] == ["name"]
