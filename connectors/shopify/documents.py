"""The GraphQL documents that read, built from `selections`. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from connectors.records import Stream
from connectors.shopify.api import Document
from connectors.shopify.selections import (
    COLLECTION,
    CUSTOMER,
    ORDER,
    PAGE_INFO,
    PRODUCT,
    STOCK,
    Kind,
    Parts,
)

KINDS: dict[Stream, Kind] = {
    Stream.CATEGORIES: COLLECTION,
    Stream.PRODUCTS: PRODUCT,
    Stream.CUSTOMERS: CUSTOMER,
    Stream.ORDERS: ORDER,
    Stream.INVENTORY: STOCK,
}
PART_PAGE = 50
"""Parts in one further page."""

EVENT_PAGE = 250
"""Events in one page; Shopify gives no more."""

SHOP = Document(
    "query Shop{shop{name currencyCode ianaTimezone weightUnit taxesIncluded "
    "plan{partnerDevelopment}} currentAppInstallation{accessScopes{handle}}}"
)
CLOCK = Document("query Clock{shop{id}}", cost=1)

BULK_START = Document(
    "mutation BulkStart($query:String!){bulkOperationRunQuery(query:$query,groupObjects:false)"
    "{bulkOperation{id} userErrors{field message code}}}",
    repeatable=False,
)
_OPERATION = (
    "id status errorCode createdAt objectCount rootObjectCount fileSize url partialDataUrl query"
)
BULK_STATE = Document(f"query BulkState($id:ID!){{bulkOperation(id:$id){{{_OPERATION}}}}}", cost=1)
BULK_LATEST = Document(
    # The schema's words leave open at which end of the list the newest are: both are looked at.
    'query BulkLatest{one:bulkOperations(first:20,query:"operation_type:query")'
    f"{{nodes{{{_OPERATION}}}}}"
    'other:bulkOperations(first:20,query:"operation_type:query",reverse:true)'
    f"{{nodes{{{_OPERATION}}}}}}}",
    cost=40,
)
BULK_CANCEL = Document(
    "mutation BulkCancel($id:ID!){bulkOperationCancel(id:$id)"
    "{bulkOperation{id status} userErrors{field message}}}",
)

DELETIONS = Document(
    f"query Deletions($search:String!){{events(first:{EVENT_PAGE},query:$search,sortKey:ID)"
    "{nodes{id action ...on BasicEvent{subjectId subjectType}} pageInfo{hasNextPage}}}",
    cost=EVENT_PAGE,
)
"""Events in order of their ids, among which a search finds those of deletions."""


@cache
def page(stream: Stream) -> Document:
    """Records in order of their ids: `first`, and a `search` that says from where on."""
    return _listed(stream, "Page", KINDS[stream].selection(), cost=500)


@cache
def marks(stream: Stream) -> Document:
    """As `page`, ids and dates of change alone."""
    return _listed(stream, "Marks", "id updatedAt", cost=250)


def _listed(stream: Stream, name: str, selection: str, cost: float) -> Document:
    kind = KINDS[stream]
    return Document(
        f"query {kind.type}{name}($first:Int!,$search:String!)"
        f"{{{kind.list}(first:$first,query:$search,sortKey:ID)"
        f"{{nodes{{{selection}}} pageInfo{{hasNextPage}}}}}}",
        cost,
    )


@cache
def newest(stream: Stream) -> Document:
    """The records that changed last. Good for a look, never for a walk."""
    kind = KINDS[stream]
    return Document(
        f"query {kind.type}Newest($search:String!)"
        f"{{{kind.list}(first:20,query:$search,sortKey:UPDATED_AT,reverse:true)"
        f"{{nodes{{id updatedAt}} pageInfo{{hasNextPage}}}}}}",
        cost=20,
    )


@cache
def ends(stream: Stream) -> Document:
    """The first and the last id of a search."""
    kind = KINDS[stream]
    wanted = "query:$search,sortKey:ID"
    return Document(
        f"query {kind.type}Ends($search:String!)"
        f"{{first:{kind.list}(first:1,{wanted}){{nodes{{id}}}} "
        f"last:{kind.list}(first:1,{wanted},reverse:true){{nodes{{id}}}}}}",
        cost=2,
    )


@cache
def count(stream: Stream) -> Document:
    """How many records a search finds; no upper limit is kept to."""
    kind = KINDS[stream]
    given, used = ("($search:String!)", "query:$search,") if kind.counts_ranges else ("", "")
    return Document(
        f"query {kind.type}Count{given}"
        f"{{count:{kind.counted}({used}limit:null){{count precision}}}}",
        cost=1,
    )


@cache
def single(stream: Stream) -> Document:
    """Records by their ids; null for what is not there."""
    kind = KINDS[stream]
    return Document(
        f"query {kind.type}Single($ids:[ID!]!)"
        f"{{nodes(ids:$ids){{...on {kind.type}{{{kind.selection()}}}}}}}",
        cost=500,
    )


NESTED = Document(
    "query OrderNested($ids:[ID!]!){nodes(ids:$ids)"
    f"{{...on Order{{id updatedAt {ORDER.within}}}}}}}",
    cost=250,
)
"""Lists of orders that hold pages themselves, which a bulk operation does not read."""

STOCK_OF_PRODUCTS = Document(
    "query StockOfProducts($ids:[ID!]!){nodes(ids:$ids){...on Product{id "
    f"variants(first:1){{nodes{{{STOCK.selection()}}}}}}}}}}}",
    cost=100,
)
"""The stock of products that have no variants but the default one."""


@cache
def further(parts: Parts) -> Document:
    """A further page of a record's parts."""
    return Document(
        f"query {parts.owner}{parts.name[0].upper()}{parts.name[1:]}($id:ID!,$after:String)"
        f"{{node(id:$id){{...on {parts.owner}{{{parts.asked(f'first:{PART_PAGE}', 'after:$after')}"
        f"{{nodes{{{parts.fields}}} {PAGE_INFO}}}}}}}}}",
        cost=PART_PAGE * 5,
    )


@cache
def bulk(stream: Stream, mark: str) -> str:
    """What a bulk operation is to run; `mark` tells our own operation from any other.

    A part is told from its record by `__parentId`, and from other parts by its type.
    """
    kind = KINDS[stream]
    search = f'(query:"{kind.always}")' if kind.always else ""
    parts = " ".join(f"{each.asked()}{_edges(each.fields)}" for each in kind.parts)
    within = kind.outline or (_stock_edges() if kind.within else "")
    return f"query {mark}{{{kind.list}{search}{_edges(f'{kind.fields} {within} {parts}')}}}"


def _edges(fields: str) -> str:
    return f"{{edges{{node{{__typename {fields}}}}}}}"


def _stock_edges() -> str:
    [levels] = STOCK.deeper
    item = f"id tracked locationsCount{{count}} {levels.asked()}{_edges(levels.fields)}"
    return f"inventoryItem{{{item}}}"


def all_documents() -> Iterator[tuple[str, Document]]:
    """Every document that reads, by a name; of bulk operations the query that they run."""
    yield from (
        ("shop", SHOP),
        ("clock", CLOCK),
        ("deletions", DELETIONS),
        ("bulk start", BULK_START),
        ("bulk state", BULK_STATE),
        ("bulk latest", BULK_LATEST),
        ("bulk cancel", BULK_CANCEL),
        ("stock of products", STOCK_OF_PRODUCTS),
        ("nested of orders", NESTED),
    )
    for stream, kind in KINDS.items():
        yield f"{stream} page", page(stream)
        yield f"{stream} count", count(stream)
        yield f"{stream} ends", ends(stream)
        yield f"{stream} single", single(stream)
        yield f"{stream} marks", marks(stream)
        if kind.by_change:
            yield f"{stream} newest", newest(stream)
        yield f"{stream} bulk", Document(bulk(stream, "RecentSync"))
        for parts in (*kind.parts, *kind.deeper):
            yield f"{stream} {parts.owner} {parts.name}", further(parts)
