"""Fields of the root and of the shop, single records, custom data, and what many kinds share."""

from typing import Any

from tests.shopify_store import custom_data, gids
from tests.shopify_store.connections import page
from tests.shopify_store.contract import VERSIONS
from tests.shopify_store.fields import Ask, Doc, not_kept, resolves
from tests.shopify_store.lists import visible
from tests.shopify_store.people import by_email
from tests.shopify_store.shipment_fields import fulfillment_order, order_of

_OWNERS = "Product ProductVariant Collection Customer Order Location Shop"
_NUMBERED = (
    "Product ProductVariant Collection Customer Order Location InventoryItem Refund Fulfillment"
)
_SINGLE = {
    "product": "Product",
    "productVariant": "ProductVariant",
    "collection": "Collection",
    "customer": "Customer",
    "order": "Order",
    "inventoryItem": "InventoryItem",
    "inventoryLevel": "InventoryLevel",
    "urlRedirect": "UrlRedirect",
    "fulfillment": "Fulfillment",
    "refund": "Refund",
}


def find(ask: Ask, identity: str) -> Doc | None:
    """The record with a global id, whatever its kind; None where it is gone or hidden."""
    kind, number = gids.parse(identity)
    if kind == "FulfillmentOrder":
        order = order_of(ask.store, number)
        return fulfillment_order(ask.store, order) if order else None
    if kind == "Metafield":
        every = (each for held in ask.store.metafields.values() for each in held.values())
        return next((each for each in every if each["_n"] == number), None)
    if kind == "Shop":
        return shop(ask)
    doc = ask.store.tables[kind].get(number) if kind in ask.store.tables else None
    return doc if doc is not None and visible(ask, doc) else None


@resolves("QueryRoot", "node")
def _node(ask: Ask, _: Any, arguments: Doc) -> Doc | None:
    return find(ask, arguments["id"])


@resolves("QueryRoot", "nodes")
def _nodes(ask: Ask, _: Any, arguments: Doc) -> list[Doc | None]:
    return [find(ask, each) for each in arguments["ids"]]


@resolves("QueryRoot", *_SINGLE)
def _single(ask: Ask, _: Any, arguments: Doc) -> Doc | None:
    assert ask.info is not None
    kind = _SINGLE[ask.info.field_name]
    return find(ask, arguments["id"]) if gids.parse(arguments["id"])[0] == kind else None


@resolves("QueryRoot", "location")
def _location(ask: Ask, _: Any, arguments: Doc) -> Doc | None:
    return find(ask, arguments["id"]) if arguments.get("id") else ask.store.location


@resolves("QueryRoot", "productByIdentifier", "collectionByIdentifier", "orderByIdentifier")
def _by_identifier(ask: Ask, _: Any, arguments: Doc) -> Doc | None:
    assert ask.info is not None
    kind = ask.info.field_name.removesuffix("ByIdentifier").capitalize()
    return identified(ask, kind, arguments["identifier"])


@resolves("QueryRoot", "productByHandle", "collectionByHandle")
def _by_handle(ask: Ask, _: Any, arguments: Doc) -> Doc | None:
    assert ask.info is not None
    kind = ask.info.field_name.removesuffix("ByHandle").capitalize()
    return ask.store.named(kind, "handle", arguments["handle"])


@resolves("QueryRoot", "customerByIdentifier")
def _customer(ask: Ask, _: Any, arguments: Doc) -> Doc | None:
    return identified(ask, "Customer", arguments["identifier"])


def identified(ask: Ask, kind: str, identifier: Doc) -> Doc | None:
    """The record that an identifier names; `GraphQLError` for a custom id without definition."""
    store = ask.store
    match next(iter(identifier.items())):
        case ("id", value):
            doc = store.get(kind, value)
        case ("customId", value):
            doc = custom_data.by_custom_id(store, kind, value)
        case ("handle", value):
            doc = store.named(kind, "handle", value)
        case (("email" | "emailAddress"), value):
            doc = by_email(store, value)
        case (("phone" | "phoneNumber"), value):
            doc = store.named(kind, "phone", value)
        case (name, _):
            raise not_kept(f"the identifier `{name}`")
    return doc if doc is not None and visible(ask, doc) else None


# --- the shop and the app -----------------------------------------------------------------------


@resolves("QueryRoot ProductDeletePayload CustomerDeletePayload CollectionDeletePayload", "shop")
def _shop(ask: Ask, _: Any, __: Doc) -> Doc:
    return shop(ask)


def shop(ask: Ask) -> Doc:
    """The shop's own record."""
    config = ask.store.config
    return {
        "__typename": "Shop",
        "_n": 1,
        "id": gids.gid("Shop", 1),
        "name": config.name,
        "email": "shop@practice.example",
        "contactEmail": "shop@practice.example",
        "currencyCode": config.currency,
        "enabledPresentmentCurrencies": [config.currency],
        "ianaTimezone": config.timezone,
        "myshopifyDomain": "practice.myshopify.com",
        "url": "https://practice.example",
        "primaryDomain": {
            "id": gids.gid("Domain", 1),
            "host": "practice.example",
            "url": "https://practice.example",
            "sslEnabled": True,
        },
        "plan": {
            "displayName": "Development" if config.development else "Basic",
            "publicDisplayName": "Development" if config.development else "Basic",
            "partnerDevelopment": config.development,
            "shopifyPlus": False,
        },
        "taxesIncluded": config.taxes_included,
        "taxShipping": False,
        "unitSystem": "METRIC_SYSTEM",
        "weightUnit": "KILOGRAMS",
        "setupRequired": False,
        "createdAt": ask.store.location["createdAt"],
        "updatedAt": ask.store.location["updatedAt"],
    }


@resolves("QueryRoot", "currentAppInstallation")
def _installation(ask: Ask, _: Any, __: Doc) -> Doc:
    held = [{"handle": each, "description": each} for each in sorted(ask.scopes)]
    return {"id": gids.gid("AppInstallation", 1), "accessScopes": held}


@resolves("QueryRoot", "publicApiVersions")
def _versions(_: Ask, __: Any, ___: Doc) -> list[Doc]:
    return [{"handle": each, "displayName": each, "supported": True} for each in VERSIONS]


@resolves("QueryRoot", "job")
def _job(_: Ask, __: Any, arguments: Doc) -> Doc:
    return {"id": arguments["id"], "done": True}


# --- what many kinds share ----------------------------------------------------------------------


@resolves(_NUMBERED, "legacyResourceId")
def _legacy(_: Ask, doc: Doc, __: Doc) -> str:
    return str(doc["_n"])


@resolves(_OWNERS, "metafield")
def _metafield(ask: Ask, doc: Doc, arguments: Doc) -> Doc | None:
    namespace = custom_data.namespace_of(arguments.get("namespace"))
    return ask.store.metafield(doc["id"], namespace, arguments["key"])


@resolves(_OWNERS, "metafields")
def _metafields(ask: Ask, doc: Doc, arguments: Doc) -> Doc:
    held = list(ask.store.metafields.get(doc["id"], {}).values())
    if arguments.get("namespace"):
        wanted = custom_data.namespace_of(arguments["namespace"])
        held = [each for each in held if each["namespace"] == wanted]
    if arguments.get("keys"):
        held = [each for each in held if f"{each['namespace']}.{each['key']}" in arguments["keys"]]
    return page(ask, held, arguments)


@resolves("Metafield", "owner")
def _owner(ask: Ask, metafield: Doc, _: Doc) -> Doc | None:
    return find(ask, metafield["_owner"])


@resolves("Product Collection Order Customer", "events")
def _events(ask: Ask, doc: Doc, arguments: Doc) -> Doc:
    made = [each for each in ask.store.all("Event") if each["subjectId"] == doc["id"]]
    return page(ask, made, arguments)


# --- definitions --------------------------------------------------------------------------------


@resolves("QueryRoot", "metafieldDefinitions")
def _definitions(ask: Ask, _: Any, arguments: Doc) -> Doc:
    held = [
        each
        for each in ask.store.all("MetafieldDefinition")
        if each["ownerType"] == arguments["ownerType"]
        and arguments.get("namespace") in (None, each["namespace"])
        and arguments.get("key") in (None, each["key"])
    ]
    if arguments.get("query"):
        raise not_kept("searches of metafieldDefinitions")
    return page(ask, held, arguments)


@resolves("MetafieldDefinition", "type")
def _definition_type(_: Ask, doc: Doc, __: Doc) -> Doc:
    return {"name": doc["_type"], "category": "TEXT", "supportsDefinitionMigrations": False}


@resolves("MetafieldDefinition", "capabilities")
def _capabilities(_: Ask, doc: Doc, __: Doc) -> Doc:
    return {
        "uniqueValues": {"enabled": doc["_unique"], "eligible": True},
        "adminFilterable": {
            "enabled": doc["_filterable"],
            "eligible": True,
            "status": "FILTERABLE",
        },
    }


@resolves("MetafieldDefinition", "metafieldsCount")
def _definition_count(ask: Ask, doc: Doc, _: Doc) -> int:
    name = (doc["namespace"], doc["key"])
    kind = f"/{doc['_owner']}/"
    return sum(1 for owner, held in ask.store.metafields.items() if kind in owner and name in held)
