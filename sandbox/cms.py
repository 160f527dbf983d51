"""WordPress below the shop: pages and posts, and its own list of them for anybody.

Documents are loaded or edited by hand (`/_control`); the list only shows what is published.
"""

import html
from typing import Any

from sandbox import listing
from sandbox.products import slugify
from sandbox.store import Store
from sandbox.wire import SITE, Answer, ApiError, Doc, Request

ROOT = "/wp-json/wp/v2"
KINDS = {"page": "pages", "post": "posts"}
# Numbers that WordPress gives out before anybody sells anything, and what WooCommerce does with
# each of its pages by a setting: group, name.
OWN = {
    5: ("Shop", "products", "woocommerce_shop_page_id"),
    6: ("Cart", "advanced", "woocommerce_cart_page_id"),
    7: ("Checkout", "advanced", "woocommerce_checkout_page_id"),
    8: ("My account", "advanced", "woocommerce_myaccount_page_id"),
}


def found(store: Store) -> None:
    """The pages that WooCommerce makes when it is installed."""
    for number, (title, _, _) in OWN.items():
        doc = document(store, "page", {"id": number, "title": title})
        store.save("page", doc, touch=False, creating=True)


def document(store: Store, kind: str, item: Doc) -> Doc:
    """A whole document of a partial one with its `id`: `title` is HTML, `path` where it is, `gmt`
    when it was changed.
    """
    local, now = store.clock.stamps()
    gmt = item.get("gmt")
    slug = item.get("slug") or slugify(html.unescape(str(item["title"])))
    return {
        "id": item["id"],
        "date": local,
        "date_gmt": now,
        "slug": slug,
        "status": item.get("status", "publish"),
        "type": kind,
        "link": f"{SITE}{item.get('path') or f'/{slug}/'}",
        "title": {"rendered": item["title"]},
        "content": {"rendered": item.get("content", ""), "protected": False},
        "modified": store.clock.local_of(gmt) if gmt else local,
        "modified_gmt": gmt or now,
        "_links": {"self": [{"href": f"{SITE}{ROOT}/{KINDS[kind]}/{item['id']}"}]},
    }


def answer(store: Store, request: Request) -> Answer:
    """The list of pages or posts. A key of WooCommerce's means nothing here: as a password it is
    wrong. Errors: 401 `invalid_username`, 404 `rest_no_route`, 400 `rest_invalid_param`.
    """
    name = request.path.removeprefix(ROOT).strip("/")
    kind = next((each for each, path in KINDS.items() if path == name), None)
    if kind is None or request.method != "GET":
        message = "No route was found matching the URL and request method."
        raise ApiError(404, "rest_no_route", message)
    # Passwords of applications are there over https alone.
    if request.https and request.headers.get("authorization", "").lower().startswith("basic "):
        raise ApiError(401, "invalid_username", "Unknown username.")
    return listing.answer(store, kind, request)


def at(store: Store, path: str) -> Doc | None:
    """The published page or post at a path, whether it has its slash behind it or not."""
    address = f"{SITE}{path.rstrip('/')}/"
    rows: list[tuple[Any, ...]] = store.storage.rows(
        "SELECT kind, id FROM records WHERE kind IN ('page', 'post') AND slug = ? AND latest = 1"
        " AND status = 'publish' ORDER BY id",
        (path.strip("/").rsplit("/", 1)[-1],),
    )
    docs = (store.read(str(kind), int(number)) for kind, number in rows)
    return next((doc for doc in docs if doc and doc["link"] == address), None)
