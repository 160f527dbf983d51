"""Inventory: items of variants, and levels of items at locations."""

from tests.shopify_store.fields import Doc
from tests.shopify_store.store import Store


def new_item(store: Store, given: Doc, *, sku: str | None) -> Doc:
    """The item of a new variant, stocked at the store's own location."""
    item = store.add("InventoryItem", sku=sku, tracked=True, requiresShipping=True, _cost=None)
    item.update(_weight=None, countryCodeOfOrigin=None, harmonizedSystemCode=None)
    change_item(item, given)
    level(store, item, store.location)
    return item


def change_item(item: Doc, given: Doc) -> None:
    """Write the named parts of an `InventoryItemInput`."""
    for name in ("sku", "tracked", "requiresShipping", "countryCodeOfOrigin"):
        if name in given:
            item[name] = given[name]
    if "harmonizedSystemCode" in given:
        item["harmonizedSystemCode"] = given["harmonizedSystemCode"]
    if "cost" in given:
        item["_cost"] = given["cost"]
    weight = (given.get("measurement") or {}).get("weight")
    if weight is not None:
        item["_weight"] = dict(weight)


def levels(store: Store, item: Doc) -> list[Doc]:
    """An item's levels, in the order of their ids."""
    held = store.tables["InventoryLevel"]
    return [held[number] for number in sorted(item["_levels"].values())]


def find_level(store: Store, item: Doc, location: Doc) -> Doc | None:
    """An item's level at a location, None where it is not stocked there."""
    number = item["_levels"].get(location["_n"])
    return store.tables["InventoryLevel"].get(number) if number else None


def level(store: Store, item: Doc, location: Doc) -> Doc:
    """An item's level at a location, made where it is not stocked there yet."""
    places: dict[int, int] = item.setdefault("_levels", {})
    if location["_n"] in places:
        return store.tables["InventoryLevel"][places[location["_n"]]]
    doc = store.add("InventoryLevel", _item=item["_n"], _location=location["_n"], isActive=True)
    doc["id"] = f"{doc['id']}?inventory_item_id={item['_n']}"
    doc.update(_available=0, _committed=0)
    places[location["_n"]] = doc["_n"]
    return doc


def available(store: Store, item: Doc) -> int:
    """What can be sold of an item, over all locations."""
    held = store.tables["InventoryLevel"]
    return sum(held[number]["_available"] for number in item["_levels"].values())


def move(store: Store, doc: Doc, delta: int, reason: str) -> None:
    """Change a level. Its own stamp moves; the stamps of item, variant and product do not."""
    if not delta:
        return
    doc["_available"] += delta
    store.touch(doc)
    store.effect("stock", item=doc["_item"], location=doc["_location"], delta=delta, reason=reason)
