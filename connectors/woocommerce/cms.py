"""Pages and posts of the WordPress below a shop, as it tells them to anybody.

They are asked for without our key, which is WooCommerce's own: WordPress takes it for a wrong
password. Some sites keep these lists from visitors; then they are not told.
"""

from __future__ import annotations

import html
import re
from datetime import datetime
from urllib.parse import urlsplit

from msgspec import Struct

from connectors.cms import CmsKind, CmsPage, CmsPages
from connectors.concurrency import together
from connectors.errors import BadAnswer, Rejected, SignInAgain
from connectors.woocommerce.api import Api, Listing
from connectors.woocommerce.lists import BY_ID, PAGE
from connectors.woocommerce.parts import utc
from connectors.woocommerce.reading import Place, Walk
from connectors.woocommerce.wire import WireSetting

ROOT = "/wp-json/wp/v2/"
_LISTS = {CmsKind.PAGE: "pages", CmsKind.POST: "posts"}
_FIELDS = "id,link,title,modified_gmt,status"
_OWN = {
    "advanced": (
        "woocommerce_cart_page_id",
        "woocommerce_checkout_page_id",
        "woocommerce_myaccount_page_id",
    ),
    "products": ("woocommerce_shop_page_id",),
}
"""Settings that hold the ids of the pages that WooCommerce makes for itself, by their group."""

_UNKNOWN_OWN = (
    "The key may not read which pages are WooCommerce's own (cart, checkout, account, shop):"
    " they are among the others."
)
_TAG = re.compile(r"<[^>]*>")


class WireTitle(Struct, frozen=True, gc=False):
    rendered: str = ""


class WirePost(Struct, gc=False):
    id: int
    link: str
    title: WireTitle = WireTitle()
    modified_gmt: datetime | None = None
    status: str = "publish"


async def cms_pages(api: Api, most: int) -> CmsPages:
    """Published pages and posts in order of their ids, without WooCommerce's own, at most so many
    of each. The page at the root is left out: every shop has one. Raises `StoreError`.
    """
    alone, posts = await together([_told(api, each, most) for each in _LISTS])
    notes = [*alone.notes, *posts.notes]
    own = await _own_pages(api) if alone.pages else frozenset()
    if own is None:
        notes.append(_UNKNOWN_OWN)
    kept = [each for each in alone.pages if each.id not in (own or ())]
    return CmsPages((*kept, *posts.pages), tuple(notes))


async def _told(api: Api, kind: CmsKind, most: int) -> CmsPages:
    try:
        rows, whole = await _rows(api.below(ROOT), _LISTS[kind], most)
    except (SignInAgain, Rejected, BadAnswer) as error:
        return CmsPages((), (f"WordPress does not tell its {_LISTS[kind]}: {error.message}.",))
    pages = [_page(kind, row) for row in rows if row.status == "publish"]
    notes = () if whole else (f"Only the first {most:,} {_LISTS[kind]} of WordPress were read.",)
    # An address with a query is no path, and every shop has a page at its root.
    return CmsPages(tuple(each for each in pages if each.path.strip("/")), notes)


async def _rows(api: Api, path: str, most: int) -> tuple[list[WirePost], bool]:
    """The first rows of a list, and whether that is all of it."""

    async def fetch(offset: int, size: int) -> Listing[WirePost]:
        asked = BY_ID | {"offset": offset, "per_page": size, "_fields": _FIELDS}
        return await api.list(path, asked, WirePost, signed=False)

    rows: list[WirePost] = []
    async for step in Walk(fetch, place=Place(), size=PAGE):
        if step.failed:
            raise BadAnswer(f"a page has an unknown form: {step.failed[0][1]}")
        rows += step.rows
        if len(rows) >= most:
            return rows[:most], step.done and len(rows) == most
    return rows, True


def _page(kind: CmsKind, row: WirePost) -> CmsPage:
    """Behind a proxy the scheme and the host of an address may be others: the path alone counts."""
    title = " ".join(html.unescape(_TAG.sub("", row.title.rendered)).split())
    return CmsPage(kind, str(row.id), urlsplit(row.link).path, title, utc(row.modified_gmt))


async def _own_pages(api: Api) -> frozenset[str] | None:
    """Ids of the pages that WooCommerce made for itself; None where the key may not ask."""
    try:
        groups = await together([_settings(api, group) for group in _OWN])
    except (SignInAgain, Rejected, BadAnswer):
        return None
    found = {row.id: str(row.value) for rows in groups for row in rows}
    return frozenset(found.get(name, "") for names in _OWN.values() for name in names) - {""}


async def _settings(api: Api, group: str) -> list[WireSetting]:
    # Each of them would list all pages as its options.
    return await api.get(f"settings/{group}", list[WireSetting], {"_fields": "id,value"})
