"""The shop's public pages: enough for their addresses to behave as WordPress's do."""

import html

from sandbox.store import Store
from sandbox.wire import Answer, Request, decode, html_answer

_PRODUCT = "/product/"
_CATEGORY = "/product-category/"


def answer(store: Store, request: Request) -> Answer:
    """A page: 200, 404, or a 301 to the slash, to a renamed product, or to a guess."""
    path = request.path
    if path == "/":
        return _page(store.config.name)
    if not path.startswith((_PRODUCT, _CATEGORY)):
        return _nothing()
    slug = path.strip("/").rsplit("/", 1)[-1]
    if path.startswith(_CATEGORY):
        return _category(store, slug, path)
    name = _title(store, "product", slug)
    if name is not None:
        return _page(name) if path.endswith("/") else _moved(request, f"{path}/")
    target = _old_slug(store, slug) or _guess(store, slug)
    return _moved(request, f"{_PRODUCT}{target}/") if target else _nothing()


def _category(store: Store, slug: str, path: str) -> Answer:
    name = _title(store, "category", slug)
    if name is None:
        return _nothing()
    if not path.endswith("/"):
        return html_answer(301, "", [("Location", f"{path}/")])
    return _page(name)


def _title(store: Store, kind: str, slug: str) -> str | None:
    rows = store.storage.rows(
        "SELECT title FROM records WHERE kind = ? AND slug = ? AND latest = 1"
        " AND status = 'publish'",
        (kind, slug),
    )
    return str(rows[0][0]) if rows else None


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


def _moved(request: Request, path: str) -> Answer:
    return html_answer(301, "", [("Location", f"http://{request.host}{path}")])


def _page(title: str) -> Answer:
    return html_answer(200, f"<!DOCTYPE html><html><title>{html.escape(title)}</title></html>")


def _nothing() -> Answer:
    return html_answer(404, "<!DOCTYPE html><html><title>Page not found</title></html>")
