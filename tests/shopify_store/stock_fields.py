"""Fields of inventory items, levels and locations."""

from collections.abc import Callable

from tests.shopify_store import stock
from tests.shopify_store.connections import page
from tests.shopify_store.fields import Ask, Doc, not_kept, resolves
from tests.shopify_store.money import amount, money

_QUANTITIES: dict[str, Callable[[Doc], int]] = {
    "available": lambda level: level["_available"],
    "committed": lambda level: level["_committed"],
    "on_hand": lambda level: level["_available"] + level["_committed"],
    "incoming": lambda _: 0,
    "reserved": lambda _: 0,
    "damaged": lambda _: 0,
    "quality_control": lambda _: 0,
    "safety_stock": lambda _: 0,
}


@resolves("InventoryItem", "inventoryLevels")
def _levels(ask: Ask, item: Doc, arguments: Doc) -> Doc:
    held = stock.levels(ask.store, item)
    if not arguments.get("includeInactive"):
        held = [each for each in held if each["isActive"]]
    return page(ask, held, arguments)


@resolves("InventoryItem", "inventoryLevel")
def _level(ask: Ask, item: Doc, arguments: Doc) -> Doc | None:
    location = ask.store.get("Location", arguments["locationId"])
    return stock.find_level(ask.store, item, location) if location else None


@resolves("InventoryItem", "locationsCount")
def _locations_count(_: Ask, item: Doc, __: Doc) -> Doc:
    return {"count": len(item["_levels"]), "precision": "EXACT"}


@resolves("InventoryItem", "variant")
def _variant(ask: Ask, item: Doc, _: Doc) -> Doc:
    return ask.store.tables["ProductVariant"][item["_variant"]]


@resolves("InventoryItem", "unitCost")
def _cost(ask: Ask, item: Doc, _: Doc) -> Doc | None:
    if item["_cost"] is None:
        return None
    return money(amount(item["_cost"]), ask.store.config.currency)


@resolves("InventoryItem", "measurement")
def _measurement(_: Ask, item: Doc, __: Doc) -> Doc:
    weight = item["_weight"] or {"value": 0.0, "unit": "KILOGRAMS"}
    return {"id": f"gid://shopify/InventoryItemMeasurement/{item['_n']}", "weight": weight}


@resolves("InventoryLevel", "item")
def _item(ask: Ask, level: Doc, _: Doc) -> Doc:
    return ask.store.tables["InventoryItem"][level["_item"]]


@resolves("InventoryLevel", "location")
def _location(ask: Ask, level: Doc, _: Doc) -> Doc:
    return ask.store.tables["Location"][level["_location"]]


@resolves("InventoryLevel", "quantities")
def _quantities(_: Ask, level: Doc, arguments: Doc) -> list[Doc]:
    unknown = [name for name in arguments["names"] if name not in _QUANTITIES]
    if unknown:
        raise not_kept(f"the quantity `{unknown[0]}`")
    return [
        {
            "id": f"{level['id']}&name={name}",
            "name": name,
            "quantity": _QUANTITIES[name](level),
            "updatedAt": level["updatedAt"],
        }
        for name in arguments["names"]
    ]


@resolves("Location", "isActive", "fulfillsOnlineOrders", "shipsInventory")
def _active(_: Ask, location: Doc, __: Doc) -> bool:
    active: bool = location["_active"]
    return active


@resolves("Location", "isPrimary")
def _primary(ask: Ask, location: Doc, _: Doc) -> bool:
    return location is ask.store.location


@resolves("Location", "inventoryLevels")
def _levels_here(ask: Ask, location: Doc, arguments: Doc) -> Doc:
    held = [each for each in ask.store.all("InventoryLevel") if each["_location"] == location["_n"]]
    return page(ask, held, arguments)
