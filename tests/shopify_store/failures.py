"""User errors: what a mutation refuses, in the words of its own payload."""

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any

from graphql import GraphQLEnumType, GraphQLObjectType, get_named_type

from tests.shopify_store.fields import Ask, Doc, Resolver, resolves


class Refusal(Exception):
    """One user error. `code` is left out of payloads whose errors have none."""

    def __init__(self, message: str, *path: str, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.path = list(path) or None
        self.code = code

    def told(self, codes: Collection[str] = ()) -> Doc:
        """The entry of `userErrors`, in a payload whose errors know these codes."""
        known = (each for each in (self.code, *_KIN.get(self.code or "", ())) if each in codes)
        return {"field": self.path, "message": self.message, "code": next(known, None)}


# Where a payload has no word of its own for a failure, one of these.
_KIN = {
    "TAKEN": ("DUPLICATED_METAFIELD_VALUE", "INVALID"),
    "BLANK": ("INVALID_METAFIELD", "INVALID"),
    "INVALID_TYPE": ("INVALID_METAFIELD", "INVALID"),
    "INVALID_VALUE": ("INVALID_METAFIELD", "INVALID"),
    "INVALID_PRODUCT": ("INVALID",),
    "INVALID_VARIANT": ("INVALID",),
}


def codes_of(ask: Ask, mutation: str, field: str = "userErrors") -> Collection[str]:
    """The codes that the errors of a mutation's payload know."""
    schema = ask.contract.schema
    assert schema.mutation_type is not None
    payload = get_named_type(schema.mutation_type.fields[mutation].type)
    assert isinstance(payload, GraphQLObjectType)
    error = get_named_type(payload.fields[field].type)
    assert isinstance(error, GraphQLObjectType)
    code = get_named_type(error.fields["code"].type) if "code" in error.fields else None
    return tuple(code.values) if isinstance(code, GraphQLEnumType) else ()


def mutation(name: str, *results: str) -> Callable[[Callable[..., Doc]], Resolver]:
    """Register a mutation; a refusal leaves its results null and changes nothing.

    The function checks before it changes. `results` are the payload's fields beside the errors.
    """

    def register(act: Callable[[Ask, Doc], Doc]) -> Resolver:
        @wraps(act)
        def resolver(ask: Ask, _: Any, arguments: Doc) -> Doc:
            try:
                return {"userErrors": [], **act(ask, arguments)}
            except Refusal as refusal:
                return {**dict.fromkeys(results), "userErrors": [refusal.told(codes_of(ask, name))]}

        return resolves("Mutation", name)(resolver)

    return register
