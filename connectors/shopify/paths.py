"""Paths of an online store: what can be redirected, and what must not be. Pure.

Paths are compared without case and without the slash behind them. Shopify redirects a path without
regard to the query behind it, and only one that no page answers.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import unquote

from connectors.redirects import Redirect

_PATH = re.compile(r"/(?!/)[^\s?#\\\x00-\x1f]*")
_TARGET = re.compile(r"/(?!/)[^\s\\\x00-\x1f]*")
# Shopify's help on URL redirects names these; the root and the lists of goods are pages always.
_RESERVED = re.compile(r"/(apps|application|cart|carts|orders|shop|services)(/.*)?")
_FIXED = frozenset({"/", "/products", "/collections", "/collections/all"})
_GOODS = re.compile(r"(?:/collections/[^/]+)?/products/(?P<product>[^/]+)")
_COLLECTION = re.compile(r"/collections/(?P<collection>[^/]+)")


class Page(NamedTuple):
    """The product or the collection that a path shows, by its handle."""

    kind: str
    handle: str


def plain(path: str) -> str:
    """A path without a slash behind it, and without a query."""
    return re.split(r"[?#]", path, maxsplit=1)[0].rstrip("/") or "/"


def key(path: str) -> str:
    """What two spellings of one path have in common."""
    return plain(path).casefold()


def same_target(one: str, other: str) -> bool:
    """Whether two targets lead to the same place; what follows the path counts."""
    return one.rstrip("/") == other.rstrip("/")


def page_of(path: str) -> Page | None:
    """The record whose page a path is by Shopify's own form of addresses."""
    match = _GOODS.fullmatch(key(path)) or _COLLECTION.fullmatch(key(path))
    if match is None or match.lastgroup is None:
        return None
    return Page(match.lastgroup, unquote(match[match.lastgroup]))


def refusals(redirects: Iterable[Redirect]) -> dict[str, str]:
    """Codes of what cannot be redirected as it is given, by the key of its path."""
    targets: defaultdict[str, list[str]] = defaultdict(list)
    for each in redirects:
        # A path that is none leads nowhere.
        targets[key(each.path)].append(each.target if _PATH.fullmatch(each.path) else "")
    leads = {path: key(found[0]) for path, found in targets.items()}
    codes = {path: _code(path, found, leads) for path, found in targets.items()}
    return {path: code for path, code in codes.items() if code}


def _code(path: str, targets: list[str], leads: Mapping[str, str]) -> str:
    if path in _FIXED or _RESERVED.fullmatch(path):
        return "path_invalid"
    if not all(_TARGET.fullmatch(each) for each in targets):
        return "path_invalid"
    if not all(same_target(each, targets[0]) for each in targets):
        return "path_ambiguous"
    if leads[path] not in leads:
        return ""
    return "redirect_loop" if _comes_back(path, leads) else "redirect_chain"


def _comes_back(path: str, leads: Mapping[str, str]) -> bool:
    at, seen = leads[path], set[str]()
    while at in leads and at not in seen and at != path:
        seen.add(at)
        at = leads[at]
    return at == path
