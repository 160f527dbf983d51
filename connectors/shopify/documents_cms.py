"""The GraphQL documents that list an online store's own pages. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.shopify.api import Document
from connectors.shopify.selections import PAGE_INFO


def _listed(name: str, fields: str, cost: float) -> Document:
    return Document(
        f"query Cms{name.capitalize()}($first:Int!,$after:String)"
        f"{{{name}(first:$first,after:$after,sortKey:ID)"
        f"{{nodes{{id handle title updatedAt {fields}}} {PAGE_INFO}}}}}",
        cost,
    )


PAGES = _listed("pages", "isPublished", cost=100)
BLOGS = _listed("blogs", "", cost=100)
ARTICLES = _listed("articles", "isPublished blog{handle}", cost=200)


def all_documents() -> Iterator[tuple[str, Document]]:
    """Every document of these, by a name."""
    yield from (("cms pages", PAGES), ("cms blogs", BLOGS), ("cms articles", ARTICLES))
