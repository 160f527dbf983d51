"""The shop's public pages: enough for their addresses to behave as WordPress's do.

A plugin's redirects, titles and robots tags can be planted by hand (`PUT /_control/storefront`).
"""

import html
import re
from typing import Any

from sandbox import cms, redirects
from sandbox.store import Store
from sandbox.wire import SITE, Answer, ApiError, Doc, Request, decode, html_answer

_PRODUCT = "/product/"
_CATEGORY = "/product-category/"
_ROBOTS = (
    "User-agent: *\nDisallow: /wp-admin/\nAllow: /wp-admin/admin-ajax.php\n\n"
    f"Sitemap: {SITE}/wp-sitemap.xml\n"
)
_DEEPEST = 20
_LONGEST_DESCRIPTION = 155
# What can be planted, and what is there without: a path's redirect is `{to, status}` or an address.
_BARE: dict[str, Any] = {
    "redirects": {},
    "titles": {},
    "descriptions": {},
    "canonicals": {},
    "noindex": [],
    "x_robots": {},
    "hidden": False,
    "robots": _ROBOTS,
}


def planted(store: Store) -> Doc:
    """What plugins and settings do to the pages."""
    return {**_BARE, **store.storage.fact("storefront", {})}


def plant(store: Store, wanted: Doc) -> Doc:
    """Let plugins and settings do this, by member: `redirects` (path to an address, or to `{to,
    status}`), `titles`, `descriptions`, `canonicals` and `x_robots` by path, `noindex` paths,
    `hidden` (search engines are asked to stay away), `robots` (the text of robots.txt).
    """
    if not wanted.keys() <= _BARE.keys():
        raise ApiError(400, "unknown_member", "The storefront knows no such member.")
    store.storage.set_fact("storefront", {**store.storage.fact("storefront", {}), **wanted})
    return planted(store)


def answer(store: Store, request: Request) -> Answer:
    """A page: 200, 404, or a 301 by a plugin, to the slash, by the add-on, to a renamed product, or
    to a guess.
    """
    path, plugins = request.path, planted(store)
    redirect = plugins["redirects"].get(path)
    if redirect is not None:
        # A plugin asks before WordPress looks for a page.
        status, target = (
            (301, redirect) if isinstance(redirect, str) else (redirect["status"], redirect["to"])
        )
        return _moved(request, target, status)
    if path == "/robots.txt":
        return Answer(200, plugins["robots"].encode(), [], "text/plain; charset=utf-8")
    there = _page_at(store, path)
    if there is not None:
        right, title, text = there
        return _page(store, path, title, text) if path == right else _moved(request, right)
    kept = redirects.lead(store, request)
    return _moved(request, kept) if kept else _guessed(store, request)


def is_page(store: Store, path: str) -> bool:
    """Whether a path is a page's own, with a slash behind it or without."""
    there = _page_at(store, path)
    return there is not None and there[0].rstrip("/") == path.rstrip("/")


def _page_at(store: Store, path: str) -> tuple[str, str, str] | None:
    """The right path of the page that is found, its title and its text."""
    slug = path.strip("/").rsplit("/", 1)[-1]
    if path == "/":
        return path, store.config.name, ""
    if path.startswith(_CATEGORY):
        doc = _published(store, "category", slug)
        if doc is None:
            return None
        right = f"{_CATEGORY}{_line(store, doc)}/"
        return right, _titled(store, doc["name"]), doc.get("description") or ""
    own = cms.at(store, path)
    if own is not None:
        title = _titled(store, html.unescape(own["title"]["rendered"]))
        return own["link"].removeprefix(SITE), title, own["content"]["rendered"]
    doc = _published(store, "product", slug) if path.startswith(_PRODUCT) else None
    if doc is None:
        return None
    text = doc.get("short_description") or doc.get("description") or ""
    return path if path.endswith("/") else f"{path}/", _titled(store, doc["name"]), text


def _guessed(store: Store, request: Request) -> Answer:
    """What WordPress does of itself about a path at which nothing is."""
    path = request.path
    slug = path.strip("/").rsplit("/", 1)[-1]
    if path.startswith(_CATEGORY):
        return _nothing()
    known = _old_slug(store, slug) if path.startswith(_PRODUCT) else None
    # It guesses by the last part of any path, below whatever it stands.
    target = known or _guess(store, slug)
    return _moved(request, f"{_PRODUCT}{target}/") if target else _nothing()


def _titled(store: Store, name: str) -> str:
    return f"{name} – {store.config.name}"  # noqa: RUF001  as WordPress writes it


def _line(store: Store, doc: Doc) -> str:
    """The slugs of a category and of all above it."""
    slugs = [str(doc["slug"])]
    for _ in range(_DEEPEST):
        above = store.read("category", int(doc.get("parent") or 0))
        if above is None:
            break
        doc = above
        slugs.insert(0, str(doc["slug"]))
    return "/".join(slugs)


def _published(store: Store, kind: str, slug: str) -> Doc | None:
    rows = store.storage.rows(
        "SELECT id FROM records WHERE kind = ? AND slug = ? AND latest = 1 AND status = 'publish'",
        (kind, slug),
    )
    return store.read(kind, int(rows[0][0])) if rows else None


def _old_slug(store: Store, slug: str) -> str | None:
    product_id = store.storage.fact("old_slugs", {}).get(slug)
    stored = store.storage.get("product", int(product_id)) if product_id else None
    if stored is None:
        return None
    doc = decode(stored.body)
    return str(doc["slug"]) if doc["status"] == "publish" else None


def _guess(store: Store, slug: str) -> str | None:
    """WordPress sends a beginning of a slug to some product that begins like it."""
    pattern = slug.replace("\\", "").replace("%", "").replace("_", r"\_") + "%"
    rows = store.storage.rows(
        "SELECT slug FROM records WHERE kind = 'product' AND latest = 1 AND status = 'publish'"
        r" AND slug LIKE ? ESCAPE '\' ORDER BY id LIMIT 1",
        (pattern,),
    )
    return str(rows[0][0]) if rows and slug else None


def _moved(request: Request, target: str, status: int = 301) -> Answer:
    address = f"http://{request.host}{target}" if target.startswith("/") else target
    return html_answer(status, "", [("Location", address)])


def _page(store: Store, path: str, title: str, description: str) -> Answer:
    plugins = planted(store)
    words = ["max-image-preview:large"]
    if plugins["hidden"] or path in plugins["noindex"]:
        words = ["noindex", "nofollow"]
    about = plugins["descriptions"].get(path, _summary(description))
    canonical = plugins["canonicals"].get(path, f"{SITE}{path}")
    head = [
        f"<title>{html.escape(plugins['titles'].get(path, title))}</title>",
        f'<meta name="robots" content="{", ".join(words)}">',
        f'<link rel="canonical" href="{html.escape(canonical)}">',
    ]
    if about:
        head.append(f'<meta name="description" content="{html.escape(about)}">')
    tags = [("X-Robots-Tag", word) for word in [plugins["x_robots"].get(path)] if word]
    return html_answer(
        200, f"<!DOCTYPE html><html><head>{''.join(head)}</head><body></body></html>", tags
    )


def _summary(text: str) -> str:
    """A description as a plugin makes one: without markup, cut at a word."""
    plain = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())
    if len(plain) <= _LONGEST_DESCRIPTION:
        return plain
    return plain[:_LONGEST_DESCRIPTION].rsplit(" ", 1)[0]


def _nothing() -> Answer:
    return html_answer(404, "<!DOCTYPE html><html><title>Page not found</title></html>")
