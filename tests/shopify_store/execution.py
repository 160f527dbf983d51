"""One request's document: checked, priced, run, and told as Shopify tells it."""

from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    OperationDefinitionNode,
    get_operation_ast,
    get_variable_values,
)

import tests.shopify_store.bulk
import tests.shopify_store.catalogue_fields
import tests.shopify_store.catalogue_writes
import tests.shopify_store.order_fields
import tests.shopify_store.order_writes
import tests.shopify_store.other_writes
import tests.shopify_store.people_fields
import tests.shopify_store.people_writes
import tests.shopify_store.publishing
import tests.shopify_store.redirect_imports
import tests.shopify_store.redirect_writes
import tests.shopify_store.shipment_fields
import tests.shopify_store.stock_fields  # noqa: F401 - each registers its resolvers
from tests.shopify_store.bucket import Bucket
from tests.shopify_store.documents import Wrong, checked, run
from tests.shopify_store.fields import Ask, Doc
from tests.shopify_store.pricing import Pricing

MAX_INPUT = 250
_LIMITS = "https://shopify.dev/api/usage/rate-limits"


def answer(ask: Ask, bucket: Bucket, body: Doc, *, throttled: bool = False) -> Doc:
    """The JSON of an answer; every way that it can go wrong is one with status 200."""
    try:
        document, operation = _read(ask, body)
    except Wrong as wrong:
        return {"errors": wrong.errors}
    variables = body.get("variables") or {}
    coerced = get_variable_values(
        ask.contract.schema, operation.variable_definitions or (), variables
    )
    if isinstance(coerced, list):
        return {"errors": [_invalid(each) for each in coerced]}
    longest = _longest(coerced.coerced)
    if longest > MAX_INPUT:
        return {"errors": [_too_many(longest)]}
    pricing = Pricing(ask.contract.schema, document, coerced.coerced)
    requested = pricing.requested(operation)
    limit = ask.store.config.max_query_cost
    if requested > limit:
        return {"errors": [_too_dear(requested, limit)]}
    if throttled or not bucket.take(requested):
        return {"errors": [_THROTTLED], "extensions": {"cost": _cost(requested, None, bucket)}}
    result = run(ask, document, operation, variables)
    actual = min(requested, pricing.actual(operation, result.data))
    bucket.give_back(requested - actual)
    told = _told(result)
    told["extensions"] = {"cost": _cost(requested, actual, bucket)}
    if ask.searches:
        told["extensions"]["search"] = ask.searches
    return told


def _read(ask: Ask, body: Doc) -> tuple[DocumentNode, OperationDefinitionNode]:
    text = body.get("query")
    if not isinstance(text, str) or not text.strip():
        raise Wrong({"message": "Required parameter missing or invalid: query"})
    document = checked(ask.contract.version, text)
    operation = get_operation_ast(document, body.get("operationName"))
    if operation is None:
        raise Wrong({"message": "An operation name is required"})
    return document, operation


def _told(result: ExecutionResult) -> Doc:
    told: Doc = {} if result.data is None and not result.errors else {"data": result.data}
    if result.errors:
        told["errors"] = [_error(each) for each in result.errors]
    return told


def _error(error: GraphQLError) -> Doc:
    told: Doc = dict(error.formatted)
    if error.original_error is not None and not isinstance(error.original_error, GraphQLError):
        told["message"] = f"Internal error: {error.original_error!r}"
        told["extensions"] = {"code": "INTERNAL_SERVER_ERROR"}
    return told


def _longest(value: Any) -> int:
    """The length of the longest list in an input; variants have a limit of their own."""
    if isinstance(value, list):
        return max([len(value), *map(_longest, value)])
    if isinstance(value, dict):
        return max(
            (_longest(each) for name, each in value.items() if name != "variants"), default=0
        )
    return 0


def _too_many(length: int) -> Doc:
    return {
        "message": f"The input array size of {length} is greater than the maximum allowed of "
        f"{MAX_INPUT}.",
        "extensions": {"code": "MAX_INPUT_SIZE_EXCEEDED"},
    }


def _invalid(error: GraphQLError) -> Doc:
    return {**error.formatted, "extensions": {"code": "INVALID_VARIABLE"}}


def _cost(requested: int, actual: int | None, bucket: Bucket) -> Doc:
    return {
        "requestedQueryCost": requested,
        "actualQueryCost": actual,
        "throttleStatus": bucket.status(),
    }


_THROTTLED: dict[str, Any] = {
    "message": "Throttled",
    "extensions": {"code": "THROTTLED", "documentation": _LIMITS},
}


def _too_dear(requested: int, limit: int) -> Doc:
    return {
        "message": f"Query cost is {requested}, which exceeds the single query max cost limit "
        f"({limit}).\n\nSee {_LIMITS} for more information on how the cost is calculated.",
        "extensions": {
            "code": "MAX_COST_EXCEEDED",
            "cost": requested,
            "maxCost": limit,
            "documentation": _LIMITS,
        },
    }
