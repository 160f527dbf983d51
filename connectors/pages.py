"""Where the public pages of a store's records are.

Most platforms make a page's path of the record's slug: a store's settings name the storefront and
say how (`PageRules`). Where a platform knows the addresses itself (`TellsPaths`), it is asked.

Paths are whole, as a browser sends them: from the first slash on, percent-encoded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple, Protocol, runtime_checkable
from urllib.parse import quote, unquote, urlsplit

from pydantic import AfterValidator, BaseModel, Field

from connectors.addresses import shop_address
from connectors.records import Category, Product, Record, Stream

PAGED = (Stream.CATEGORIES, Stream.PRODUCTS)
"""Streams whose records have pages of their own."""

_DEEPEST = 20
_SAFE = "-._~!$&'()*+,;=:@"
_PLACES = re.compile(r"\{(\w*)\}")


def _is_address_or_empty(value: str) -> str:
    return shop_address(value) if value.strip() else ""


def _is_pattern(value: str) -> str:
    if not value:
        return value
    if set(_PLACES.findall(value)) not in ({"slug"}, {"path"}) or not value.startswith("/"):
        raise ValueError("must begin with a slash and hold {slug} or {path} once")
    rest = _PLACES.sub("", value)
    if len(_PLACES.findall(value)) != 1 or rest != quote(rest, safe=f"{_SAFE}/%"):
        raise ValueError("must be written as a browser sends it")
    return value


StorefrontUrl = Annotated[
    str,
    Field(
        title="Storefront address",
        description="Where visitors see the shop, if that is another address than the one above.",
        max_length=2000,
        examples=["https://www.shop.example"],
    ),
    AfterValidator(_is_address_or_empty),
]
ProductPath = Annotated[
    str,
    Field(
        title="Path of product pages",
        description="How the storefront makes a product's path of its slug, behind the storefront's"
        " address; empty: not known.",
        max_length=500,
        examples=["/products/{slug}"],
    ),
    AfterValidator(_is_pattern),
]
CategoryPath = Annotated[
    str,
    Field(
        title="Path of category pages",
        description="How the storefront makes a category's path: of its slug, or of the slugs of"
        " all categories above it and its own ({path}); empty: not known.",
        max_length=500,
        examples=["/collections/{slug}", "/product-category/{path}/"],
    ),
    AfterValidator(_is_pattern),
]


class PageRules(NamedTuple):
    """A store's public side. `base` is the storefront's address without a last slash, empty where
    there is none that we know; `patterns` are by stream, a stream without one has no known pages.
    """

    base: str
    patterns: Mapping[Stream, str]

    def path(self, stream: Stream, slugs: Sequence[str]) -> str:
        """The path of a record's page by its own slug, the last, and those above it."""
        own, line = _encoded(slugs[-1]), "/".join(_encoded(each) for each in slugs)
        pattern = self.patterns[stream].replace("{slug}", own).replace("{path}", line)
        return f"{self._root}{pattern}"

    def below(self, *parts: str) -> str:
        """The path of a page of the storefront's own, by its parts."""
        return "/".join([self._root, *(_encoded(each) for each in parts)])

    @property
    def _root(self) -> str:
        return urlsplit(self.base).path.rstrip("/")


def by_patterns(base: str, product: str, category: str) -> PageRules:
    """Rules from a store's settings; an empty pattern is none."""
    patterns = {Stream.PRODUCTS: product, Stream.CATEGORIES: category}
    return PageRules(base, {stream: each for stream, each in patterns.items() if each})


@runtime_checkable
class HasPages(Protocol):
    """What a platform's settings have besides, where its stores have public pages."""

    @property
    def public_pages(self) -> PageRules:
        """Where they are."""
        ...


def page_rules(settings: BaseModel) -> PageRules:
    """A store's public side by its settings; without a base where it is not known."""
    return settings.public_pages if isinstance(settings, HasPages) else PageRules("", {})


def why_unknown(settings: BaseModel, side: str, stream: Stream | None = None) -> str:
    """Why nobody knows where the pages of a store are, or those of a stream: a sentence that says
    what to set. `side` names the store in it.
    """
    if not isinstance(settings, HasPages):
        return f"The {side} is of a platform that has no public pages."
    if stream is None:
        return f"It is not known where visitors see the {side}: set its storefront_url."
    wanted = "product_path" if stream is Stream.PRODUCTS else "category_path"
    return f"It is not known how the {side} makes paths of {stream}: set its {wanted}."


@runtime_checkable
class TellsPaths(Protocol):
    """What a source or a target has besides, where its platform knows the addresses of pages."""

    async def page_paths(self, stream: Stream, ids: Sequence[str]) -> dict[str, str] | None:
        """Paths of records' pages by id; records without a public page are left out. None where
        it does not know those of this stream. Raises `StoreError`.
        """
        ...


class Reads(Protocol):
    """The one thing that is asked of a source or a target here."""

    async def get(self, stream: Stream, ids: Sequence[str]) -> dict[str, Record]:
        """Single records by id."""
        ...


async def page_paths(
    store: Reads, rules: PageRules, stream: Stream, ids: Sequence[str]
) -> dict[str, str] | None:
    """Paths of the records' pages by id. A record that is not there, or not published, has none.
    None where neither the platform nor the store's settings say how paths are made.

    Raises `StoreError`.
    """
    if not rules.base:
        return None
    told = await store.page_paths(stream, ids) if isinstance(store, TellsPaths) else None
    if told is not None:
        return told
    if stream not in rules.patterns:
        return None
    records = await store.get(stream, ids)
    above = await _above(store, records) if "{path}" in rules.patterns[stream] else {}
    return {
        each: rules.path(stream, _line(record, above))
        for each, record in records.items()
        if is_public(record)
    }


def is_public(record: Record) -> bool:
    """Whether a record's page is one that visitors see."""
    content = record.content
    if isinstance(content, Product):
        return content.status == "published" and bool(content.slug)
    return isinstance(content, Category) and bool(content.slug)


async def _above(store: Reads, records: Mapping[str, Record]) -> dict[str, Record]:
    """The categories above these ones, as far up as they go."""
    known = dict(records)
    for _ in range(_DEEPEST):
        wanted = {_parent(each) for each in known.values()} - {None} - known.keys()
        found = await store.get(Stream.CATEGORIES, sorted(filter(None, wanted))) if wanted else {}
        if not found:
            break
        known |= found
    return known


def _line(record: Record, above: Mapping[str, Record]) -> list[str]:
    slugs, at, passed = list[str](), record, {record.id}
    while isinstance(at.content, Category | Product):
        slugs.insert(0, at.content.slug)
        parent = _parent(at)
        if parent is None or parent not in above or parent in passed:
            break
        passed.add(parent)
        at = above[parent]
    return slugs


def _parent(record: Record) -> str | None:
    return record.content.parent if isinstance(record.content, Category) else None


def _encoded(slug: str) -> str:
    # WooCommerce hands out slugs that are percent-encoded already.
    return quote(unquote(slug), safe=_SAFE)
