"""Mutations of inventory, custom data and tags."""

from graphql import GraphQLError

from tests.shopify_store import custom_data, gids, goods, stock
from tests.shopify_store.failures import Refusal, mutation
from tests.shopify_store.fields import Ask, Doc
from tests.shopify_store.idempotency import once
from tests.shopify_store.root_fields import find

_REASONS = (
    "correction",
    "cycle_count_available",
    "damaged",
    "movement_canceled",
    "movement_created",
    "movement_received",
    "movement_updated",
    "other",
    "promotion",
    "quality_control",
    "received",
    "reservation_created",
    "reservation_deleted",
    "reservation_updated",
    "restock",
    "safety_stock",
    "shrinkage",
)
_LIMIT = 10**9


# --- inventory ----------------------------------------------------------------------------------


@mutation("inventorySetQuantities", "inventoryAdjustmentGroup")
def _set_quantities(ask: Ask, arguments: Doc) -> Doc:
    """Compare and set, all entries or none."""
    given = arguments["input"]
    if any("changeFromQuantity" not in each for each in given["quantities"]):
        raise GraphQLError(
            "InventoryQuantityInput must include the following argument: changeFromQuantity.",
            extensions={"code": "BAD_REQUEST"},
        )
    return once(ask, arguments, lambda: _set(ask, given))


def _set(ask: Ask, given: Doc) -> Doc:
    if given["name"] not in ("available", "on_hand"):
        raise Refusal("The quantity name is invalid.", "input", "name", code="INVALID_NAME")
    if given["reason"] not in _REASONS:
        raise Refusal("The reason is invalid.", "input", "reason", code="INVALID_REASON")
    moves = [
        _checked(ask, given["name"], index, each) for index, each in enumerate(given["quantities"])
    ]
    changes = []
    for level, delta in moves:
        stock.move(ask.store, level, delta, given["reason"])
        changes.append(_change(ask, given["name"], level, delta))
    group = {
        "id": gids.gid("InventoryAdjustmentGroup", ask.store.number()),
        "createdAt": ask.store.clock.stamp(),
        "reason": given["reason"],
        "referenceDocumentUri": given.get("referenceDocumentUri"),
        "changes": changes,
    }
    return {"inventoryAdjustmentGroup": group if any(delta for _, delta in moves) else None}


def _checked(ask: Ask, name: str, index: int, given: Doc) -> tuple[Doc, int]:
    place = ("input", "quantities", str(index))
    item = ask.store.get("InventoryItem", given["inventoryItemId"])
    location = ask.store.get("Location", given["locationId"])
    if item is None:
        words = "The specified inventory item could not be found."
        raise Refusal(words, *place, "inventoryItemId", code="INVALID_INVENTORY_ITEM")
    if location is None:
        words = "The specified location could not be found."
        raise Refusal(words, *place, "locationId", code="INVALID_LOCATION")
    level = stock.find_level(ask.store, item, location)
    if level is None:
        words = "The specified inventory item is not stocked at the location."
        raise Refusal(words, *place, "locationId")
    if abs(given["quantity"]) > _LIMIT:
        words = "The quantity can't be higher than 1,000,000,000."
        raise Refusal(words, *place, "quantity", code="INVALID_QUANTITY_TOO_HIGH")
    held = level["_available"] + (level["_committed"] if name == "on_hand" else 0)
    expected = given["changeFromQuantity"]
    if expected is not None and expected != held:
        words = "The changeFromQuantity argument no longer matches the persisted quantity."
        raise Refusal(words, *place, "changeFromQuantity", code="CHANGE_FROM_QUANTITY_STALE")
    return level, given["quantity"] - held


def _change(ask: Ask, name: str, level: Doc, delta: int) -> Doc:
    return {
        "name": name,
        "delta": delta,
        "quantityAfterChange": level["_available"],
        "ledgerDocumentUri": None,
        "item": ask.store.tables["InventoryItem"][level["_item"]],
        "location": ask.store.tables["Location"][level["_location"]],
    }


@mutation("inventoryActivate", "inventoryLevel")
def _activate(ask: Ask, arguments: Doc) -> Doc:
    def act() -> Doc:
        item = ask.store.get("InventoryItem", arguments["inventoryItemId"])
        location = ask.store.get("Location", arguments["locationId"])
        if item is None or location is None:
            raise Refusal("The product couldn't be stocked there because it wasn't found.")
        level = stock.level(ask.store, item, location)
        if arguments.get("available") is not None:
            delta = arguments["available"] - level["_available"]
            stock.move(ask.store, level, delta, "activate")
        return {"inventoryLevel": level}

    return once(ask, arguments, act)


@mutation("inventoryItemUpdate", "inventoryItem")
def _item_update(ask: Ask, arguments: Doc) -> Doc:
    item = ask.store.get("InventoryItem", arguments["id"])
    if item is None:
        raise Refusal("Inventory item does not exist", "id")
    stock.change_item(item, arguments["input"])
    ask.store.touch(item)
    return {"inventoryItem": item}


# --- custom data --------------------------------------------------------------------------------


@mutation("metafieldDefinitionCreate", "createdDefinition")
def _define(ask: Ask, arguments: Doc) -> Doc:
    given = arguments["definition"]
    namespace, key = custom_data.namespace_of(given.get("namespace")), given["key"]
    kind = custom_data.OWNERS.get(given["ownerType"])
    if kind is None:
        raise Refusal("Owner type is not known.", "definition", "ownerType", code="INCLUSION")
    if custom_data.definition(ask.store, kind, namespace, key):
        words = f"Key is in use for {kind} metafields on the '{namespace}' namespace."
        raise Refusal(words, "definition", "key", code="TAKEN")
    capabilities = given.get("capabilities") or {}
    unique = given["type"] == "id" or bool((capabilities.get("uniqueValues") or {}).get("enabled"))
    made = ask.store.add(
        "MetafieldDefinition",
        name=given["name"],
        namespace=namespace,
        key=key,
        ownerType=given["ownerType"],
        description=given.get("description"),
        validations=[dict(each) for each in given.get("validations") or ()],
        pinnedPosition=None,
        _owner=kind,
        _type=given["type"],
        _unique=unique,
        _filterable=bool((capabilities.get("adminFilterable") or {}).get("enabled")),
    )
    return {"createdDefinition": made}


@mutation("metafieldsSet", "metafields")
def _metafields_set(ask: Ask, arguments: Doc) -> Doc:
    """At most 25; the stamps of their owners stay where they are."""
    given = arguments["metafields"]
    if len(given) > 25:
        words = "Exceeded the maximum metafields input limit of 25."
        raise Refusal(words, "metafields", code="LESS_THAN_OR_EQUAL_TO")
    for each in given:
        if find(ask, each["ownerId"]) is None:
            raise Refusal("Owner does not exist.", "metafields", "ownerId", code="INVALID")
        kind = gids.parse(each["ownerId"])[0]
        custom_data.check_metafields(ask.store, kind, each["ownerId"], [each])
    made = [custom_data.set_metafield(ask.store, each["ownerId"], each) for each in given]
    return {"metafields": made}


@mutation("metafieldsDelete", "deletedMetafields")
def _metafields_delete(ask: Ask, arguments: Doc) -> Doc:
    gone: list[Doc | None] = []
    for each in arguments["metafields"]:
        name = (custom_data.namespace_of(each.get("namespace")), each["key"])
        held = ask.store.metafields[each["ownerId"]].pop(name, None)
        gone.append({**each} if held else None)
    return {"deletedMetafields": gone}


# --- tags -----------------------------------------------------------------------------------------


@mutation("tagsAdd", "node")
def _tags_add(ask: Ask, arguments: Doc) -> Doc:
    doc = _tagged(ask, arguments["id"])
    wanted = [tag for each in arguments["tags"] for tag in each.split(",")]
    doc["tags"] = goods.tidy_tags([*doc["tags"], *wanted])
    ask.store.touch(doc)
    return {"node": doc}


@mutation("tagsRemove", "node")
def _tags_remove(ask: Ask, arguments: Doc) -> Doc:
    doc = _tagged(ask, arguments["id"])
    leaving = {each.strip().lower() for each in arguments["tags"]}
    doc["tags"] = [each for each in doc["tags"] if each.lower() not in leaving]
    ask.store.touch(doc)
    return {"node": doc}


def _tagged(ask: Ask, identity: str) -> Doc:
    """The record; who may write its kind may tag it."""
    doc = find(ask, identity)
    if doc is None or "tags" not in doc:
        raise Refusal("Resource does not exist", "id")
    scope = f"write_{doc['__typename'].lower()}s"
    if scope not in ask.scopes:
        raise GraphQLError(
            f"Access denied for tagsAdd field. Required access: `{scope}` access scope.",
            extensions={"code": "ACCESS_DENIED"},
        )
    return doc
