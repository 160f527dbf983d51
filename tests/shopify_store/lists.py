"""The lists at the root: what each searches by, and in which orders."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLError

from tests.shopify_store import aftersales, goods, stock
from tests.shopify_store.connections import Key, by_id, page
from tests.shopify_store.fields import Ask, Doc, not_kept, resolves
from tests.shopify_store.money import amount
from tests.shopify_store.search import Getter, Search, Searchable
from tests.shopify_store.store import Store
from tests.shopify_store.sums import lines, order_total

MAX_COUNT = 25_000
# Without `read_all_orders` an app sees the orders of the last sixty days.
_SIXTY_DAYS = 60 * 86_400.0
# Reported of bulk operations: sorted by UPDATED_AT they leave records out. Here it is whoever
# shares a stamp with the record before, at the end of a batch of this size.
_BATCH = 50


@dataclass(frozen=True)
class Listed:
    """One kind of record as a list."""

    kind: str
    searchable: Callable[[Store], Searchable]
    sorts: dict[str, Key] = field(default_factory=dict)
    default: str = "ID"


def _field(name: str) -> Getter:
    return lambda doc: doc.get(name)


def _text(name: str) -> Key:
    return lambda doc: str(doc.get(name) or "")


_STAMPS = {"created_at": _field("createdAt"), "updated_at": _field("updatedAt"), "id": _field("_n")}
_SORTS: dict[str, Key] = {
    "ID": by_id,
    "CREATED_AT": _text("createdAt"),
    "UPDATED_AT": _text("updatedAt"),
    "PROCESSED_AT": _text("processedAt"),
    "PUBLISHED_AT": _text("publishedAt"),
    "TITLE": _text("title"),
    "VENDOR": _text("vendor"),
    "PRODUCT_TYPE": _text("productType"),
    "NAME": _text("lastName"),
    "ORDER_NUMBER": lambda doc: int(doc["number"]),
    "PATH": _text("path"),
}


def _metafields(store: Store) -> Getter:
    return lambda doc: {
        name: each["value"] for name, each in store.metafields.get(doc["id"], {}).items()
    }


def _products(store: Store) -> Searchable:
    def of_variants(name: str) -> Getter:
        return lambda doc: [each.get(name) for each in goods.variants(store, doc)]

    def of_items(doc: Doc) -> list[Any]:
        items = store.tables["InventoryItem"]
        return [items[each["_item"]]["sku"] for each in goods.variants(store, doc)]

    def total_stock(doc: Doc) -> int:
        items = store.tables["InventoryItem"]
        return sum(
            stock.available(store, items[each["_item"]]) for each in goods.variants(store, doc)
        )

    getters: dict[str, Getter] = {
        **_STAMPS,
        **{name: _field(name) for name in ("handle", "title", "vendor", "status")},
        "product_type": _field("productType"),
        "published_at": _field("publishedAt"),
        "published_status": lambda doc: "published" if doc["publishedAt"] else "unpublished",
        "tag": _field("tags"),
        "sku": of_items,
        "barcode": of_variants("barcode"),
        "price": lambda doc: [amount(each["price"]) for each in goods.variants(store, doc)],
        "variant_id": of_variants("_n"),
        "inventory_total": total_stock,
        "gift_card": _field("isGiftCard"),
        "collection_id": lambda doc: [
            each["_n"] for each in store.all("Collection") if doc["_n"] in each["_products"]
        ],
        "metafields": _metafields(store),
    }
    return Searchable(
        getters, lambda doc: [doc["title"], doc["vendor"], *doc["tags"], *of_items(doc)]
    )


def _variants(store: Store) -> Searchable:
    def product(name: str) -> Getter:
        return lambda doc: store.tables["Product"][doc["_product"]].get(name)

    def sku(doc: Doc) -> Any:
        return store.tables["InventoryItem"][doc["_item"]]["sku"]

    getters: dict[str, Getter] = {
        **_STAMPS,
        "sku": sku,
        "barcode": _field("barcode"),
        "product_id": _field("_product"),
        "product_status": product("status"),
        "product_type": product("productType"),
        "tag": product("tags"),
        "taxable": _field("taxable"),
        "vendor": product("vendor"),
    }
    return Searchable(getters, lambda doc: [product("title")(doc), sku(doc)])


def _collections(_: Store) -> Searchable:
    getters: dict[str, Getter] = {
        **_STAMPS,
        "handle": _field("handle"),
        "title": _field("title"),
        "collection_type": lambda doc: "smart" if doc["ruleSet"] else "custom",
        "product_id": lambda doc: list(doc["_products"]),
    }
    return Searchable(getters, lambda doc: [doc["title"], doc["handle"]])


def _customers(store: Store) -> Searchable:
    getters: dict[str, Getter] = {
        **_STAMPS,
        "customer_date": _field("createdAt"),
        "email": _field("email"),
        "first_name": _field("firstName"),
        "last_name": _field("lastName"),
        "phone": _field("phone"),
        "state": _field("state"),
        "tag": _field("tags"),
    }
    names = ("firstName", "lastName", "email", "phone")
    return Searchable(
        getters,
        lambda doc: [doc[name] for name in names],
        # Documented as «matching a whole day».
        days=frozenset({"updated_at", "customer_date"}),
        zone=store.config.timezone,
    )


def _orders(store: Store) -> Searchable:
    def status(doc: Doc) -> list[str]:
        open_ = not doc["closedAt"] and not doc["cancelledAt"]
        state = "open" if open_ else ("cancelled" if doc["cancelledAt"] else "closed")
        return ["any", state, *([] if doc["closedAt"] else ["not_closed"])]

    getters: dict[str, Getter] = {
        **_STAMPS,
        **{name: _field(name) for name in ("email", "name", "test")},
        "processed_at": _field("processedAt"),
        "source_identifier": _field("sourceIdentifier"),
        "source_name": _field("sourceName"),
        "po_number": _field("poNumber"),
        "customer_id": _field("_customer"),
        "status": status,
        "tag": _field("tags"),
        "sku": lambda doc: [each["sku"] for each in lines(store, doc)],
        "financial_status": lambda doc: aftersales.financial_status(store, doc).lower(),
        "fulfillment_status": lambda doc: aftersales.fulfillment_status(store, doc).lower(),
        "discount_code": lambda doc: doc["_discount"] and doc["_discount"]["code"],
        "current_total_price": lambda doc: order_total(store, doc),
        "metafields": _metafields(store),
    }
    return Searchable(getters, lambda doc: [doc["name"], doc["email"]])


def _plain(*names: str) -> Callable[[Store], Searchable]:
    getters = {**_STAMPS, **{name: _field(name) for name in names}}
    return lambda _: Searchable(getters, lambda doc: [doc.get(name) for name in names])


def _events(_: Store) -> Searchable:
    getters = {
        "id": _field("_n"),
        "created_at": _field("createdAt"),
        "action": _field("action"),
        "subject_type": _field("subjectType"),
    }
    return Searchable(getters, lambda doc: [doc["message"]])


LISTS = {
    "products": Listed("Product", _products),
    "productVariants": Listed("ProductVariant", _variants),
    "collections": Listed("Collection", _collections),
    "customers": Listed("Customer", _customers),
    "orders": Listed("Order", _orders, default="PROCESSED_AT"),
    "inventoryItems": Listed("InventoryItem", _plain("sku")),
    "events": Listed("Event", _events),
    "urlRedirects": Listed("UrlRedirect", _plain("path", "target")),
    "locations": Listed("Location", _plain("name"), default="ID"),
    "pages": Listed("Page", _plain("handle", "title")),
    "blogs": Listed("Blog", _plain("handle", "title")),
    "articles": Listed("Article", _plain("handle", "title")),
}
_COUNTS = {
    "productsCount": "products",
    "productVariantsCount": "productVariants",
    "collectionsCount": "collections",
    "customersCount": "customers",
    "ordersCount": "orders",
    "urlRedirectsCount": "urlRedirects",
}


def visible(ask: Ask, doc: Doc) -> bool:
    """Whether the app may see a record at all."""
    if doc["__typename"] != "Order" or ask.has("read_all_orders"):
        return True
    return bool(doc["createdAt"] >= ask.store.clock.stamp(-_SIXTY_DAYS))


@resolves("QueryRoot", *LISTS)
def _list(ask: Ask, _: Any, arguments: Doc) -> Doc:
    assert ask.info is not None
    listed = LISTS[ask.info.field_name]
    docs = _searched(ask, listed, arguments.get("query"))
    name = arguments.get("sortKey") or listed.default
    key = _SORTS.get(name)
    if key is None:
        raise not_kept(f"the order {name}")
    if ask.bulk and name == "UPDATED_AT":
        docs = _losing(docs, key)
    return page(ask, docs, arguments, key)


def _searched(ask: Ask, listed: Listed, text: str | None) -> list[Doc]:
    store = ask.store
    docs = [doc for doc in store.all(listed.kind) if visible(ask, doc)]
    if listed.kind == "Product" and "status:" not in (text or ""):
        docs = [doc for doc in docs if doc["status"] == "ACTIVE"]  # the filter's documented default
    if not text or not text.strip():
        return docs
    test = searching(ask, listed, text)
    indexed = ((doc, store.as_indexed(doc)) for doc in docs)
    return [doc for doc, shown in indexed if shown is not None and test(shown)]


def searching(ask: Ask, listed: Listed, text: str) -> Callable[[Doc], bool]:
    """The test that a search string makes; what was dropped of it is told with the answer."""
    assert ask.info is not None
    documented = ask.contract.filters(ask.info.parent_type.name, ask.info.field_name)
    search = Search(text, documented, listed.searchable(ask.store), ask.store.clock)
    test = search.compile()
    if search.warnings:
        path = ask.info.path.as_list()
        ask.searches.append({"path": path, "query": text, "warnings": search.warnings})
    return test


def _losing(docs: list[Doc], key: Key) -> list[Doc]:
    ordered = sorted(docs, key=lambda doc: (key(doc), doc["_n"]))
    return [
        doc
        for place, doc in enumerate(ordered)
        if place == 0 or place % _BATCH or key(doc) != key(ordered[place - 1])
    ]


@resolves("QueryRoot", *_COUNTS)
def _count(ask: Ask, _: Any, arguments: Doc) -> Doc:
    assert ask.info is not None
    found = len(_searched(ask, LISTS[_COUNTS[ask.info.field_name]], arguments.get("query")))
    limit = arguments.get("limit", 10_000)
    if limit is not None and found > limit:
        return {"count": limit, "precision": "AT_LEAST"}
    if found > MAX_COUNT:
        return {"count": MAX_COUNT + 1, "precision": "AT_LEAST"}
    return {"count": found, "precision": "EXACT"}


@resolves("QueryRoot", "deletionEvents")
def _deletions(ask: Ask, _: Any, arguments: Doc) -> Doc:
    wanted = arguments.get("subjectTypes") or ["PRODUCT", "COLLECTION"]
    if arguments.get("query"):
        raise GraphQLError("The practice store does not search deletionEvents.")
    made = [
        {**each, "__typename": "DeletionEvent", "occurredAt": each["createdAt"]}
        for each in ask.store.all("Event")
        if each["action"] == "destroy" and each["subjectType"] in wanted
    ]
    return page(ask, made, arguments)
