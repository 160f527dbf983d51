"""Shopify's published schema, and what it says of a document."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLSchema,
    NoDeprecatedCustomRule,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_client_schema,
    get_named_type,
    get_nullable_type,
    parse,
    type_from_ast,
    validate,
    visit,
)
from graphql.execution.values import get_variable_values

from tests.contracts_location import require

VERSIONS = ("2026-10", "2026-07")
OUT_OF_DATE = {
    # `media` in its place is a connection, the sixth one of the bulk operation for products, which
    # takes five; and two ways to read a picture could give two addresses of it.
    "The field ProductVariant.image is deprecated. Use `media` instead."
}


@cache
def _loaded(version: str) -> tuple[GraphQLSchema, dict[tuple[str, str | None], list[str]]]:
    found = require(f"shopify/admin_{version}.json.gz")
    description = json.loads(gzip.decompress(found.read_bytes()))
    schema = build_client_schema(description["data"], assume_valid=True)
    scopes = {
        (item["typeName"], item.get("fieldName")): item["offlineScopes"]
        for item in description["offline_scopes"]["items"]
    }
    return schema, scopes


def complaints(text: str, version: str, variables: Mapping[str, Any] | None = None) -> list[str]:
    """What the schema has against a document, and against its variables where they are given."""
    schema, _ = _loaded(version)
    document = parse(text)
    found = [error.message for error in validate(schema, document)]
    if found or variables is None:
        return found
    [operation] = [e for e in document.definitions if isinstance(e, OperationDefinitionNode)]
    coerced = get_variable_values(schema, operation.variable_definitions or [], dict(variables))
    return [error.message for error in coerced] if isinstance(coerced, list) else []


def deprecated(text: str, version: str, variables: Mapping[str, Any] | None = None) -> set[str]:
    """What the schema would have nobody use any more: fields, arguments and values of a document,
    and input fields of its variables.
    """
    schema, _ = _loaded(version)
    document = parse(text)
    found = {error.message for error in validate(schema, document, [NoDeprecatedCustomRule])}
    [operation] = [e for e in document.definitions if isinstance(e, OperationDefinitionNode)]
    for each in operation.variable_definitions or []:
        given = (variables or {}).get(each.variable.name.value)
        found |= set(_deprecated_in(given, type_from_ast(schema, each.type)))
    return found


def _deprecated_in(value: Any, kind: Any) -> Iterator[str]:
    kind = get_nullable_type(kind)
    if isinstance(kind, GraphQLList) and isinstance(value, list):
        for each in value:
            yield from _deprecated_in(each, kind.of_type)
    elif isinstance(kind, GraphQLInputObjectType) and isinstance(value, dict):
        for name, each in value.items():
            field = kind.fields[name]
            if field.deprecation_reason is not None:
                yield f"{kind.name}.{name}: {field.deprecation_reason}"
            yield from _deprecated_in(each, field.type)
    elif isinstance(kind, GraphQLEnumType) and value in kind.values:
        reason = kind.values[value].deprecation_reason
        if reason is not None:
            yield f"{kind.name}.{value}: {reason}"


def scopes_of(text: str, version: str) -> Iterator[frozenset[str]]:
    """Sets of access scopes; of each an app needs at least one for the document."""
    schema, scopes = _loaded(version)
    info = TypeInfo(schema)
    found: set[frozenset[str]] = set()

    class _Fields(Visitor):
        def enter_field(self, node: FieldNode, *_: object) -> None:
            parent, definition = info.get_parent_type(), info.get_field_def()
            if parent is not None and definition is not None:
                found.add(frozenset(scopes.get((parent.name, node.name.value), [])))
                found.add(frozenset(scopes.get((get_named_type(definition.type).name, None), [])))

    visit(parse(text), TypeInfoVisitor(info, _Fields()))
    yield from (each for each in found if each)
