"""What order lines are of, as bytes that two stores can be compared by. Pure.

A store forgets the product of a line when the product is deleted. Such a line is compared by what
it says itself, and for its product either store is believed.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable

from connectors.comparable import Names
from connectors.records import Order, OrderLine

_BYTES = 8
_LINE = 3 * _BYTES
_UNKNOWN = bytes(_BYTES)


def print_of(text: str) -> bytes:
    """Eight bytes of a text."""
    return hashlib.blake2b(text.encode(), digest_size=_BYTES).digest()


def goods_of(order: Order, lines: Iterable[tuple[str, ...]], names: Names) -> bytes:
    """24 bytes a line, sorted: what the line says, its product, and its variant; zeros where there
    is none or the store cannot tell. `lines` are the order's lines as both stores should show them.
    """
    return b"".join(
        sorted(
            print_of("|".join(shown)) + _product(line, names)
            for line, shown in zip(order.lines, lines, strict=True)
        )
    )


def _product(line: OrderLine, names: Names) -> bytes:
    product = names.products.get(line.product) if line.product else None
    variant = (
        names.variants.get((line.product, line.variant)) if line.product and line.variant else ""
    )
    if product is None or variant is None:
        return 2 * _UNKNOWN
    return print_of(product) + (print_of(variant) if variant else _UNKNOWN)


def differ(ours: bytes, theirs: bytes, known: Collection[bytes]) -> bool:
    """Whether lines that say the same are of different products. `known` are the products that
    both stores have: of any other one a store cannot tell.
    """
    left, right = _by_line(ours), _by_line(theirs)
    return any(_contradict(left[line], right[line], known) for line in left.keys() & right.keys())


def _by_line(goods: bytes) -> dict[bytes, list[bytes]]:
    found: defaultdict[bytes, list[bytes]] = defaultdict(list)
    for start in range(0, len(goods), _LINE):
        found[goods[start : start + _BYTES]].append(goods[start + _BYTES : start + _LINE])
    return found


def _contradict(ours: list[bytes], theirs: list[bytes], known: Collection[bytes]) -> bool:
    """Whether one side names a product for which the other has neither it nor an untold one."""
    left = Counter(each for each in ours if each[:_BYTES] in known)
    right = Counter(each for each in theirs if each[:_BYTES] in known)
    untold_left, untold_right = len(ours) - left.total(), len(theirs) - right.total()
    return (left - right).total() > untold_right or (right - left).total() > untold_left
