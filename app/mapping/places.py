"""Where a rule may write: fields of a stream's records by dotted paths.

`name`, `billing.city`, `variants.sku` (of every variant) and, below `extra`, any key:
`extra.vendor`, `extra.meta.Wash at 30`. What follows a second key of `extra` belongs to that key.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

from msgspec import NODEFAULT, Struct
from msgspec.structs import fields

from connectors.records import CONTENT_TYPES, Money, Stream

EXTRA = "extra"

REFERENCES = {
    Stream.CATEGORIES: frozenset({"parent"}),
    Stream.PRODUCTS: frozenset({"categories"}),
    Stream.ORDERS: frozenset({"customer"}),
}
"""Fields that name records of the source. A rule may leave them out, or exchange one source id for
another; anything else could not be resolved.
"""

_FIXED = frozenset({"created_at", "lines.product", "lines.variant", "refunds.lines", "fulfilments"})
_FIXED_OF_STOCK = frozenset({"product", "variant", "shared"})


class Missing:
    """The value of what is not there."""


MISSING = Missing()


class Place(NamedTuple):
    """A field: the names that lead to it, the type it holds, and whether it may be left out.

    `in_parts`: there is one in every part of a list.
    """

    names: tuple[str, ...]
    type: Any
    optional: bool
    in_parts: bool

    @property
    def top(self) -> str:
        """The record's own field that holds it."""
        return self.names[0]

    @property
    def holds_text_list(self) -> bool:
        """Whether it is a list of texts, such as tags."""
        return bool(self.type == tuple[str, ...])

    @property
    def is_exact(self) -> bool:
        """Whether it is an amount, or another number with a fraction."""
        return _without_none(self.type) in (Decimal, Money)


@cache
def place(stream: Stream, path: str) -> Place:
    """A field by its path. Raises `ValueError` where there is none that a rule may write."""
    if _is_fixed(stream, path):
        raise ValueError("a rule cannot change this field: others rely on it")
    found = _walk(CONTENT_TYPES[stream], path.split("."), in_parts=False)
    if found is None:
        raise ValueError(f"{stream} have no such field")
    if _has_ids(found.type):
        raise ValueError("its parts have ids that have to stay: name a field of the parts")
    return found


@cache
def paths(stream: Stream) -> tuple[str, ...]:
    """All paths that rules of a stream can name, but for the keys of `extra`."""
    return tuple(each for each in _paths(CONTENT_TYPES[stream]) if _is_writable(stream, each))


def _is_writable(stream: Stream, path: str) -> bool:
    try:
        place(stream, path)
    except ValueError:
        return False
    return True


def _is_fixed(stream: Stream, path: str) -> bool:
    if stream is Stream.INVENTORY and path in _FIXED_OF_STOCK:
        return True
    return path.rpartition(".")[2] == "id" or any(
        path == each or path.startswith(f"{each}.") for each in _FIXED
    )


def _walk(kind: type[Struct], names: list[str], *, in_parts: bool) -> Place | None:
    head, rest = names[0], names[1:]
    if head not in kind.__struct_fields__:
        return None
    hint = get_type_hints(kind)[head]
    if head == EXTRA:
        return _extra(rest, in_parts=in_parts)
    if not rest:
        return Place((head,), hint, head in _optional(kind), in_parts)
    part, is_list = _part(hint)
    if part is None:
        return None
    found = _walk(part, rest, in_parts=in_parts or is_list)
    return found and found._replace(names=(head, *found.names))


def _extra(keys: list[str], *, in_parts: bool) -> Place | None:
    first, _, rest = ".".join(keys).partition(".")
    if not first or (len(keys) > 1 and not rest):
        return None
    below = (rest,) if rest else ()
    return Place((EXTRA, first, *below), Any, optional=True, in_parts=in_parts)


def _part(hint: Any) -> tuple[type[Struct] | None, bool]:
    """The class of what a field holds, and whether it holds a list of them."""
    kind = _without_none(hint)
    is_list = get_origin(kind) is tuple
    if is_list:
        kind = get_args(kind)[0]
    return (kind if isinstance(kind, type) and issubclass(kind, Struct) else None), is_list


def _without_none(hint: Any) -> Any:
    if get_origin(hint) is UnionType:
        return next(each for each in get_args(hint) if each is not NoneType)
    return hint


def _has_ids(hint: Any) -> bool:
    part, is_list = _part(hint)
    return is_list and part is not None and "id" in part.__struct_fields__


@cache
def _optional(kind: type[Struct]) -> frozenset[str]:
    return frozenset(
        each.name
        for each in fields(kind)
        if each.default is not NODEFAULT or each.default_factory is not NODEFAULT
    )


def _paths(kind: type[Struct]) -> list[str]:
    found = []
    for name, hint in get_type_hints(kind).items():
        if name == EXTRA:
            continue
        found.append(name)
        part, _ = _part(hint)
        if part is not None:
            found += [f"{name}.{each}" for each in _paths(part)]
    return found


# --- values by their places ----------------------------------------------------------------------

Plain = dict[str, Any]
"""A record's content, or a part of it, as plain values."""

Change = Callable[[Any, Plain | None], Any]
"""Makes a new value of an old one and the part that holds it; `MISSING` stands for nothing."""


def read(plain: Plain, names: tuple[str, ...]) -> Any:
    """The value at a place that is in no list; `MISSING` where there is none."""
    value: Any = plain
    for name in names:
        if not isinstance(value, dict) or name not in value:
            return MISSING
        value = value[name]
    return value


def change(
    plain: Plain,
    names: tuple[str, ...],
    make: Change,
    part: Plain | None = None,
    *,
    grows: bool = False,
) -> bool:
    """Put a new value at a place, in every part of a list. Answers whether anything is new.

    Where what would hold it is not there (an order without a billing address), nothing is done;
    only `extra` grows.
    """
    head, rest = names[0], names[1:]
    if not rest:
        return _put(plain, head, make(plain.get(head, MISSING), part))
    grows = grows or head == EXTRA
    inner = plain.get(head, {} if grows else None)
    if isinstance(inner, dict):
        holder = dict(inner)
        return change(holder, rest, make, part, grows=grows) and _put(plain, head, holder)
    if isinstance(inner, list | tuple):
        holders = [dict(each) for each in inner]
        changes = [change(each, rest, make, each) for each in holders]
        return any(changes) and _put(plain, head, holders)
    return False


def _put(plain: Plain, name: str, value: Any) -> bool:
    if value is MISSING:
        return plain.pop(name, MISSING) is not MISSING
    before = plain.get(name, MISSING)
    plain[name] = value
    # 1 and true are equal to Python, and not the same to a store.
    return type(before) is not type(value) or before != value
