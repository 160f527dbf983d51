"""Pages of a shop that are no records: about us, terms, posts of a blog.

They are not brought over, but their addresses are known to visitors and to search engines. Which
page of the new shop answers in their place nobody knows but people.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol, runtime_checkable


class CmsKind(StrEnum):
    """What a page is to the platform: one that stands alone, a blog, or a post of one."""

    PAGE = "page"
    BLOG = "blog"
    POST = "post"


class CmsPage(NamedTuple):
    """A page that visitors see. `id` is the platform's, unique within the kind; `path` is whole, as
    a browser sends it; `modified_at` is aware, None where the platform does not say.
    """

    kind: CmsKind
    id: str
    path: str
    title: str
    modified_at: datetime | None = None


class CmsPages(NamedTuple):
    """What a store tells of them. `notes` are sentences: what it does not tell, and why."""

    pages: tuple[CmsPage, ...]
    notes: tuple[str, ...] = ()


MOST = 2000
"""Pages of each kind that are worth reading from a store: a matter of seconds."""

_NOT_TOLD = CmsPages((), ("The platform tells of no pages but those of records.",))


@runtime_checkable
class TellsCmsPages(Protocol):
    """What a source or a target has besides, where its platform has such pages."""

    async def cms_pages(self, most: int) -> CmsPages:
        """Its published pages, at most so many of each kind. What a store keeps from us is told in
        the notes. Raises `StoreError`.
        """
        ...


async def cms_pages(store: object, most: int = MOST) -> CmsPages:
    """The store's pages as far as it tells them. Raises `StoreError`."""
    return await store.cms_pages(most) if isinstance(store, TellsCmsPages) else _NOT_TOLD
