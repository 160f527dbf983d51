"""Paths of an online store: what can be redirected, and what must not be. Pure.

Paths are compared without case and without the slash behind them. Shopify redirects a path without
regard to the query behind it, and only one that no page answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import unquote

from connectors import redirects as redirecting
from connectors.redirects import Redirect, plain

# Shopify's help on URL redirects names these; the root and the lists of goods are pages always.
_RESERVED = re.compile(r"/(apps|application|cart|carts|orders|shop|services)(/.*)?")
_FIXED = frozenset({"/", "/products", "/collections", "/collections/all"})
_GOODS = re.compile(r"(?:/collections/[^/]+)?/products/(?P<product>[^/]+)")
_COLLECTION = re.compile(r"/collections/(?P<collection>[^/]+)")


class Page(NamedTuple):
    """The product or the collection that a path shows, by its handle."""

    kind: str
    handle: str


def key(path: str) -> str:
    """What two spellings of one path have in common."""
    return plain(path).casefold()


def page_of(path: str) -> Page | None:
    """The record whose page a path is by Shopify's own form of addresses."""
    match = _GOODS.fullmatch(key(path)) or _COLLECTION.fullmatch(key(path))
    if match is None or match.lastgroup is None:
        return None
    return Page(match.lastgroup, unquote(match[match.lastgroup]))


def refusals(redirects: Iterable[Redirect]) -> dict[str, str]:
    """Codes of what cannot be redirected as it is given, by the key of its path."""
    return redirecting.refusals(redirects, key, _is_fixed)


def _is_fixed(path: str) -> bool:
    return path in _FIXED or _RESERVED.fullmatch(path) is not None
