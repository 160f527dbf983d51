"""The GraphQL documents that look things up as the shop's people do. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.shopify.api import Document
from connectors.shopify.parts import KEY, NAMESPACE

FIND_ORDERS = Document(
    "query FindOrders($first:Int!,$search:String!)"
    "{orders(first:$first,query:$search,sortKey:CREATED_AT,reverse:true)"
    "{nodes{id} pageInfo{hasNextPage}}}",
    cost=30,
)
FIND_CUSTOMERS = Document(
    "query FindCustomers($search:String!){customers(first:20,query:$search)"
    "{nodes{id} pageInfo{hasNextPage}}}",
    cost=20,
)
ORDER_COUNT = Document("query OrderCount($id:ID!){customer(id:$id){numberOfOrders}}", cost=1)
NEWEST_ORDERS = Document(
    "query NewestOrders($first:Int!,$after:String)"
    "{orders(first:$first,after:$after,sortKey:CREATED_AT,reverse:true)"
    f'{{nodes{{id name createdAt metafield(namespace:"{NAMESPACE}",key:"{KEY}"){{value}}}}'
    " pageInfo{hasNextPage endCursor}}}",
    cost=300,
)
EVENTS = Document(
    "query OrderEvents($ids:[ID!]!){nodes(ids:$ids){...on Order{id events(first:100)"
    "{nodes{__typename action createdAt} pageInfo{hasNextPage}}}}}",
    cost=100,
)
"""What an order's timeline says of it."""


def all_documents() -> Iterator[tuple[str, Document]]:
    """Every document of these, by a name."""
    yield from (
        ("find orders", FIND_ORDERS),
        ("find customers", FIND_CUSTOMERS),
        ("order count", ORDER_COUNT),
        ("newest orders", NEWEST_ORDERS),
        ("order events", EVENTS),
    )
