"""What happens in a store without its API: the merchant at work, buyers, and things that lie.

An edit is `{"op": …, "kind": "Product", "id": 8000000012, …}`:
- `update` with `values`: as the merchant's page would, the stamp moves.
- `silent` with `values`: the same and the stamp stays.
- `bump`: the stamp moves and nothing else.
- `stamp` with `at`: the stamp is set, backwards or into the future.
- `delete`: for good.
- `sell` with `quantity` (a product's first variant): a buyer's order, with its mails and its stock.
- `set_stock` with `quantity` (of a product's first variant).
- `edit` with `remove` (`[{"line": 0, "quantity": 1}]`), `remove_shipping` and `noted` (an order's,
  as `aftersales.edit_order` has it).
- `metafield` with `namespace`, `key`, `type` and `value`: the stamp stays.
- `channels` with `names`: the product or collection is on these sales channels and no other.
- `location` with `name`: another place that holds stock (no `id`).
"""

from collections.abc import Callable

from tests.shopify_store import (
    aftersales,
    custom_data,
    goods,
    people,
    publishing,
    sales,
    stock,
    sums,
)
from tests.shopify_store.fields import Doc
from tests.shopify_store.store import Store

_NAMES = {
    "product": "Product",
    "collection": "Collection",
    "customer": "Customer",
    "order": "Order",
}


class CannotEdit(Exception):
    """There is no such edit or no such record."""


def edit(store: Store, given: Doc) -> None:
    """Do one edit. Raises `CannotEdit`."""
    if given["op"] == "location":
        store.add("Location", name=given["name"], _active=True)
        return
    kind: str = _NAMES.get(given["kind"], given["kind"])
    doc = store.tables[kind].get(int(given["id"]))
    if doc is None:
        raise CannotEdit(f"no {kind} {given['id']}")
    act = _EDITS.get(given["op"])
    if act is None:
        raise CannotEdit(given["op"])
    act(store, doc, given)


def _silent(store: Store, doc: Doc, given: Doc) -> None:
    before = doc["updatedAt"]
    _update(store, doc, given["values"])
    doc["updatedAt"] = before


def _update(store: Store, doc: Doc, values: Doc) -> None:
    match doc["__typename"]:
        case "Product":
            goods.save_product(store, doc, values)
        case "Collection":
            goods.save_collection(store, doc, values)
        case "Customer":
            people.save_customer(store, doc, values)
        case "ProductVariant":
            goods.write_variant(store, doc, values)
            store.touch(store.tables["Product"][doc["_product"]])
        case _:
            doc.update(values)
            store.touch(doc)


def _delete(store: Store, doc: Doc) -> None:
    if doc["__typename"] == "Product":
        goods.remove_product(store, doc)
    else:
        store.remove(doc)


def sell(store: Store, product: Doc, quantity: int, email: str | None = None) -> Doc:
    """A buyer's order: paid by card, with a mail, and with its stock claimed."""
    variant = goods.variants(store, product)[0]
    given: Doc = {
        "lineItems": [{"variantId": variant["id"], "quantity": quantity, "requiresShipping": True}],
        "sourceName": "web",
    }
    if email:
        given |= {"email": email, "customer": {"toUpsert": {"email": email}}}
    options = {"inventoryBehaviour": "DECREMENT_IGNORING_POLICY", "sendReceipt": True}
    order = sales.make_order(store, given, options)
    whole = {"amount": str(sums.order_total(store, order)), "gateway": "shopify_payments"}
    sales.add_transaction(store, order, whole, real=True)
    store.order_times.pop()
    return order


def _metafield(store: Store, doc: Doc, given: Doc) -> None:
    custom_data.check_metafields(store, doc["__typename"], doc["id"], [given])
    custom_data.set_metafield(store, doc["id"], given)


def _set_stock(store: Store, product: Doc, quantity: int) -> None:
    variant = goods.variants(store, product)[0]
    item = store.tables["InventoryItem"][variant["_item"]]
    level = stock.level(store, item, store.location)
    stock.move(store, level, quantity - level["_available"], "merchant")


def _channels(store: Store, doc: Doc, given: Doc) -> None:
    wanted = [each for each in store.all("Publication") if each["name"] in given["names"]]
    publishing.publish(store, doc, store.all("Publication"), None)
    publishing.publish(store, doc, wanted, store.clock.stamp())
    store.touch(doc)


_EDITS: dict[str, Callable[[Store, Doc, Doc], object]] = {
    "update": lambda store, doc, given: _update(store, doc, given["values"]),
    "silent": _silent,
    "bump": lambda store, doc, _: store.touch(doc),
    "stamp": lambda _, doc, given: doc.update(updatedAt=given["at"]),
    "delete": lambda store, doc, _: _delete(store, doc),
    "sell": lambda store, doc, given: sell(
        store, doc, int(given.get("quantity", 1)), given.get("email")
    ),
    "set_stock": lambda store, doc, given: _set_stock(store, doc, int(given["quantity"])),
    "edit": aftersales.edit_order,
    "metafield": _metafield,
    "channels": _channels,
}
