"""Pages, blogs and articles of an online store, by the addresses that Shopify gives them."""

from __future__ import annotations

from connectors.cms import CmsKind, CmsPage, CmsPages
from connectors.errors import BadAnswer, SignInAgain
from connectors.pages import PageRules
from connectors.shopify.api import DENIED, Api, Document
from connectors.shopify.documents_cms import ARTICLES, BLOGS, PAGES
from connectors.shopify.parts import number, utc
from connectors.shopify.wire import Nodes, Wire

_PAGE = 100
_LISTS = (
    (CmsKind.PAGE, "pages", PAGES),
    (CmsKind.BLOG, "blogs", BLOGS),
    (CmsKind.POST, "articles", ARTICLES),
)
_NO_SCOPE = "The app may not read pages and blogs: give it the access scope read_content."


class _Blog(Wire):
    handle: str


class _Row(Wire):
    """A page, a blog (which is always visible), or an article, which names its blog."""

    id: str
    handle: str
    title: str
    updated_at: str | None = None
    is_published: bool = True
    blog: _Blog | None = None


async def cms_pages(api: Api, rules: PageRules, most: int) -> CmsPages:
    """What is published, in order of ids, at most so many of each kind. Without the access scope
    nothing is told. Raises `StoreError`.
    """
    pages: list[CmsPage] = []
    notes: list[str] = []
    try:
        for kind, name, document in _LISTS:
            rows, whole = await _rows(api, name, document, most)
            pages += [_page(kind, row, rules) for row in rows if row.is_published]
            if not whole:
                notes.append(f"Only the first {most:,} {name} were read.")
    except SignInAgain as error:
        if error.code != DENIED:
            raise
        return CmsPages((), (_NO_SCOPE,))
    return CmsPages(tuple(pages), tuple(notes))


async def _rows(api: Api, name: str, document: Document, most: int) -> tuple[list[_Row], bool]:
    """The first rows of a list, and whether that is all of it. Cursors are places among ids."""
    rows: list[_Row] = []
    after: str | None = None
    while len(rows) < most:
        asked = {"first": min(_PAGE, most - len(rows)), "after": after}
        page = (await api.ask(document, dict[str, Nodes[_Row]], asked))[name]
        rows += page.nodes
        if not page.page_info.has_next_page:
            return rows, True
        if page.page_info.end_cursor in (None, after) or not page.nodes:
            raise BadAnswer(f"a list of {name} has no end", code="store_repeats_page")
        after = page.page_info.end_cursor
    return rows, False


def _page(kind: CmsKind, row: _Row, rules: PageRules) -> CmsPage:
    parts = {
        CmsKind.PAGE: ("pages", row.handle),
        CmsKind.BLOG: ("blogs", row.handle),
        CmsKind.POST: ("blogs", row.blog.handle if row.blog else "", row.handle),
    }
    path = rules.below(*parts[kind])
    return CmsPage(kind, number(row.id), path, row.title, utc(row.updated_at))
