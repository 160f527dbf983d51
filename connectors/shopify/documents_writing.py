"""The GraphQL documents that write, and the look-ups that go before them. Pure.

Every answer shows the record as a read would show it, so that nobody has to look again.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from connectors.records import Stream
from connectors.shopify.api import Document
from connectors.shopify.documents import KINDS, further
from connectors.shopify.selections import (
    COLLECTION,
    CUSTOMER,
    METAFIELD,
    ORDER,
    PRODUCT,
    Parts,
)

_ERRORS = "userErrors{field message code}"
_PLAIN_ERRORS = "userErrors{field message}"


def _change(name: str, arguments: str, body: str, *, cost: float, repeatable: bool) -> Document:
    text = f"mutation {name}({arguments}){{{body}}}"
    return Document(text, cost=cost, repeatable=repeatable)


LOCATIONS = Document("query Locations{locations(first:250){nodes{id isActive}}}", cost=250)

DEFINITIONS = Document(
    "query Definitions($owner:MetafieldOwnerType!,$namespace:String!)"
    "{metafieldDefinitions(ownerType:$owner,namespace:$namespace,first:10){nodes{key}}}"
)
DEFINE = _change(
    "Define",
    "$definition:MetafieldDefinitionInput!",
    f"metafieldDefinitionCreate(definition:$definition){{createdDefinition{{id}} {_ERRORS}}}",
    cost=10,
    repeatable=True,
)

SET_PRODUCT = _change(
    "SetProduct",
    "$identifier:ProductSetIdentifiers!,$input:ProductSetInput!",
    "productSet(identifier:$identifier,input:$input,synchronous:true)"
    f"{{product{{{PRODUCT.selection()}}} {_ERRORS}}}",
    cost=100,
    repeatable=False,
)
SET_CUSTOMER = _change(
    "SetCustomer",
    "$identifier:CustomerSetIdentifiers!,$input:CustomerSetInput!",
    "customerSet(identifier:$identifier,input:$input)"
    f"{{customer{{{CUSTOMER.selection()}}} {_ERRORS}}}",
    cost=30,
    repeatable=False,
)
CREATE_COLLECTION = _change(
    "CreateCollection",
    "$collection:CollectionCreateInput!",
    "collectionCreate(collection:$collection)"
    f"{{collection{{{COLLECTION.selection()}}} {_PLAIN_ERRORS}}}",
    cost=20,
    repeatable=False,
)
UPDATE_COLLECTION = _change(
    "UpdateCollection",
    "$collection:CollectionUpdateInput!",
    "collectionUpdate(collection:$collection)"
    f"{{collection{{{COLLECTION.selection()}}} {_PLAIN_ERRORS}}}",
    cost=20,
    repeatable=True,
)
CREATE_ORDER = _change(
    "CreateOrder",
    "$order:OrderCreateOrderInput!,$options:OrderCreateOptionsInput!",
    f"orderCreate(order:$order,options:$options){{order{{{ORDER.selection()}}} {_ERRORS}}}",
    cost=100,
    repeatable=False,
)
UPDATE_ORDER = _change(
    "UpdateOrder",
    "$input:OrderInput!",
    f"orderUpdate(input:$input){{order{{id}} {_PLAIN_ERRORS}}}",
    cost=10,
    repeatable=True,
)
SET_ORDER_CUSTOMER = _change(
    "SetOrderCustomer",
    "$order:ID!,$customer:ID!",
    f"orderCustomerSet(orderId:$order,customerId:$customer){{order{{id}} {_ERRORS}}}",
    cost=10,
    repeatable=True,
)
PAY_ORDER = _change(
    "PayOrder",
    "$input:OrderMarkAsPaidInput!",
    f"orderMarkAsPaid(input:$input){{order{{id}} {_PLAIN_ERRORS}}}",
    cost=10,
    repeatable=True,
)
CANCEL_ORDER = _change(
    "CancelOrder",
    "$order:ID!,$reason:OrderCancelReason!",
    "orderCancel(orderId:$order,reason:$reason,restock:false,notifyCustomer:false)"
    "{job{id} orderCancelUserErrors{field message code}}",
    cost=10,
    repeatable=True,
)
JOB = Document("query Job($id:ID!){job(id:$id){id done}}", cost=1)
REFUND_ORDER = _change(
    "RefundOrder",
    "$input:RefundInput!,$key:String!",
    f"refundCreate(input:$input)@idempotent(key:$key){{refund{{id}} {_PLAIN_ERRORS}}}",
    cost=10,
    repeatable=True,
)
OPEN_GOODS = Document(
    "query OpenGoods($id:ID!){order(id:$id){fulfillmentOrders(first:50){nodes{id status}}}}",
    cost=50,
)
GOODS = Parts("FulfillmentOrder", "lineItems", "id remainingQuantity lineItem{id}", 0)
"""The lines of a fulfilment order, and how many pieces of each are still to be sent."""

SEND_GOODS = _change(
    "SendGoods",
    "$fulfillment:FulfillmentInput!",
    f"fulfillmentCreate(fulfillment:$fulfillment){{fulfillment{{id}} {_PLAIN_ERRORS}}}",
    cost=10,
    repeatable=False,
)
SET_STOCK = _change(
    "SetStock",
    "$input:InventorySetQuantitiesInput!,$key:String!",
    "inventorySetQuantities(input:$input)@idempotent(key:$key)"
    f"{{inventoryAdjustmentGroup{{id}} {_ERRORS}}}",
    cost=10,
    repeatable=True,
)
TRACK_STOCK = _change(
    "TrackStock",
    "$id:ID!,$input:InventoryItemInput!",
    f"inventoryItemUpdate(id:$id,input:$input){{inventoryItem{{id tracked}} {_PLAIN_ERRORS}}}",
    cost=10,
    repeatable=True,
)
ACTIVATE_STOCK = _change(
    "ActivateStock",
    "$item:ID!,$location:ID!,$key:String!",
    "inventoryActivate(inventoryItemId:$item,locationId:$location)@idempotent(key:$key)"
    f"{{inventoryLevel{{id}} {_PLAIN_ERRORS}}}",
    cost=10,
    repeatable=True,
)
SET_POLICY = _change(
    "SetPolicy",
    "$product:ID!,$variants:[ProductVariantsBulkInput!]!",
    "productVariantsBulkUpdate(productId:$product,variants:$variants)"
    f"{{productVariants{{id}} {_ERRORS}}}",
    cost=10,
    repeatable=True,
)
SET_METAFIELDS = _change(
    "SetMetafields",
    "$metafields:[MetafieldsSetInput!]!",
    f"metafieldsSet(metafields:$metafields){{metafields{{id}} {_ERRORS}}}",
    cost=10,
    repeatable=True,
)
DEFAULT_VARIANTS = Document(
    "query DefaultVariants($ids:[ID!]!){nodes(ids:$ids){...on Product{id hasOnlyDefaultVariant "
    "variants(first:1){nodes{id}}}}}",
    cost=100,
)
UPDATE_STATUS = _change(
    "UpdateStatus",
    "$product:ProductUpdateInput!",
    f"productUpdate(product:$product){{product{{id}} {_PLAIN_ERRORS}}}",
    cost=10,
    repeatable=True,
)

CHANNELS = Document(
    "query Channels{publications(first:50,catalogType:APP){nodes{id supportsFuturePublishing "
    "catalog{...on AppCatalog{apps(first:1){nodes{handle title}}}}}}}",
    cost=250,
)
_PUBLISHED = f"{{publishable{{resourcePublicationsCount{{count}}}} {_PLAIN_ERRORS}}}"
SHOW = _change(
    "Show",
    "$id:ID!,$channels:[PublicationInput!]!",
    f"publishablePublish(id:$id,input:$channels){_PUBLISHED}",
    cost=10,
    repeatable=True,
)
HIDE = _change(
    "Hide",
    "$id:ID!,$channels:[PublicationInput!]!",
    f"publishableUnpublish(id:$id,input:$channels){_PUBLISHED}",
    cost=10,
    repeatable=True,
)

_DELETIONS = {
    Stream.CATEGORIES: ("collectionDelete(input:{id:$id})", _PLAIN_ERRORS),
    Stream.PRODUCTS: ("productDelete(input:{id:$id},synchronous:true)", _PLAIN_ERRORS),
    Stream.CUSTOMERS: ("customerDelete(input:{id:$id})", _PLAIN_ERRORS),
    Stream.ORDERS: ("orderDelete(orderId:$id)", _ERRORS),
}


@cache
def delete(stream: Stream) -> Document:
    """Delete one record for good."""
    call, errors = _DELETIONS[stream]
    name = f"Delete{KINDS[stream].type}"
    return _change(name, "$id:ID!", f"gone:{call}{{{errors}}}", cost=10, repeatable=True)


_IDENTIFIERS = {
    Stream.CATEGORIES: ("collectionByIdentifier", "CollectionIdentifierInput"),
    Stream.PRODUCTS: ("productByIdentifier", "ProductIdentifierInput"),
    Stream.CUSTOMERS: ("customerByIdentifier", "CustomerIdentifierInput"),
    Stream.ORDERS: ("orderByIdentifier", "OrderIdentifierInput"),
}
_FOUND = {
    Stream.CATEGORIES: f"id handle {COLLECTION.parts[0].selection()}",
    Stream.PRODUCTS: PRODUCT.selection(),
    Stream.CUSTOMERS: f"id {CUSTOMER.parts[1].selection()}",
    Stream.ORDERS: ORDER.selection(),
}


@cache
def find_one(stream: Stream) -> Document:
    """The record of an identifier: of our key, of a handle, of an email."""
    call, kind = _IDENTIFIERS[stream]
    return Document(
        f"query Find{KINDS[stream].type}($identifier:{kind}!)"
        f"{{found:{call}(identifier:$identifier){{{_FOUND[stream]}}}}}",
        cost=100,
    )


FIND_BY_SKU = Document(
    "query FindBySku($search:String!){productVariants(first:50,query:$search)"
    "{nodes{id sku product{id}} pageInfo{hasNextPage}}}",
    cost=100,
)
FIND_BY_TITLE = Document(
    "query FindByTitle($search:String!){collections(first:50,query:$search)"
    "{nodes{id title handle} pageInfo{hasNextPage}}}",
    cost=50,
)


@cache
def standing(stream: Stream) -> Document:
    """What has to be known of records before they are taken away."""
    kind = KINDS[stream]
    status = {Stream.PRODUCTS: "status", Stream.ORDERS: "sourceIdentifier cancelledAt"}
    return Document(
        f"query {kind.type}Standing($ids:[ID!]!){{nodes(ids:$ids){{...on {kind.type}"
        f'{{id {status.get(stream, "")} metafields(namespace:"recent_sync",first:5)'
        f"{{nodes{{{METAFIELD}}}}}}}}}}}",
        cost=100,
    )


def all_documents() -> Iterator[tuple[str, Document]]:
    """Every document that is sent for writing, by a name."""
    yield from (
        ("locations", LOCATIONS),
        ("definitions", DEFINITIONS),
        ("define", DEFINE),
        ("set product", SET_PRODUCT),
        ("set customer", SET_CUSTOMER),
        ("create collection", CREATE_COLLECTION),
        ("update collection", UPDATE_COLLECTION),
        ("create order", CREATE_ORDER),
        ("update order", UPDATE_ORDER),
        ("set order customer", SET_ORDER_CUSTOMER),
        ("pay order", PAY_ORDER),
        ("cancel order", CANCEL_ORDER),
        ("job", JOB),
        ("refund order", REFUND_ORDER),
        ("open goods", OPEN_GOODS),
        ("lines of goods", further(GOODS)),
        ("send goods", SEND_GOODS),
        ("set stock", SET_STOCK),
        ("track stock", TRACK_STOCK),
        ("activate stock", ACTIVATE_STOCK),
        ("set policy", SET_POLICY),
        ("update status", UPDATE_STATUS),
        ("channels", CHANNELS),
        ("show", SHOW),
        ("hide", HIDE),
        ("set metafields", SET_METAFIELDS),
        ("default variants", DEFAULT_VARIANTS),
        ("find by sku", FIND_BY_SKU),
        ("find by title", FIND_BY_TITLE),
    )
    for stream in _DELETIONS:
        yield f"delete {stream}", delete(stream)
        yield f"find {stream}", find_one(stream)
        yield f"standing {stream}", standing(stream)
