"""Which columns of a document the store can search and sort by."""

from typing import NamedTuple

from sandbox.clock import epoch
from sandbox.wire import Doc

FAR = 9e15


class Columns(NamedTuple):
    """The searchable part of one document; times in epoch seconds."""

    kind: str
    id: int
    parent: int
    status: str
    created: int | None
    created_local: int | None
    modified: int | None
    modified_local: int | None
    slug: str
    key: str  # what must be found fast: SKU, email, created_via, category name, coupon code
    owner: int  # customer of an order
    type: str  # product type or customer role
    title: str  # what `search` looks into


def columns_of(kind: str, doc: Doc) -> Columns:
    """Columns of a public document of `kind`."""
    slug, key, owner, kind_of, title = _FACETS[kind](doc)
    # A refund shows no modification date; it never changes.
    changed = "date_created" if kind == "refund" else "date_modified"
    return Columns(
        kind,
        doc["id"],
        doc.get("parent_id") or doc.get("parent") or 0,
        doc.get("status", "publish"),
        epoch(doc.get("date_created_gmt")),
        epoch(doc.get("date_created")),
        epoch(doc.get(f"{changed}_gmt")),
        epoch(doc.get(changed)),
        slug,
        key,
        owner,
        kind_of,
        title,
    )


Facets = tuple[str, str, int, str, str]


def _product(doc: Doc) -> Facets:
    return doc.get("slug", ""), doc["sku"].lower(), 0, doc["type"], doc["name"]


def _customer(doc: Doc) -> Facets:
    words = f"{doc['email']} {doc['first_name']} {doc['last_name']} {doc['username']}"
    return "", doc["email"].lower(), 0, doc["role"], words


def _order(doc: Doc) -> Facets:
    billing = doc["billing"]
    words = " ".join(
        (
            str(doc["id"]),
            str(doc["number"]),
            doc["transaction_id"],
            billing.get("email", ""),
            billing.get("first_name", ""),
            billing.get("last_name", ""),
        )
    )
    return "", doc["created_via"], doc["customer_id"], "", words


def _category(doc: Doc) -> Facets:
    return doc["slug"], doc["name"].lower(), 0, "", doc["name"]


def _coupon(doc: Doc) -> Facets:
    return "", doc["code"].lower(), 0, "", doc["code"]


def _cms(doc: Doc) -> Facets:
    return doc["slug"], "", 0, "", doc["title"]["rendered"]


def _plain(doc: Doc) -> Facets:
    return "", "", 0, "", str(doc.get("name") or doc.get("note") or doc.get("reason") or "")


_FACETS = {
    "product": _product,
    "variation": _product,
    "customer": _customer,
    "order": _order,
    "category": _category,
    "coupon": _coupon,
    "refund": _plain,
    "note": _plain,
    "webhook": _plain,
    "page": _cms,
    "post": _cms,
}
