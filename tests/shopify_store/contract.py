"""Shopify's published schema: types, access scopes, and the filters that each search knows."""

import gzip
import json
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    build_client_schema,
    get_named_type,
)

from tests.contracts_location import contracts_dir
from tests.shopify_store import clock

VERSIONS = ("2026-07", "2026-10")
_FILTER = re.compile(r"^\| ([\w.{}]+) \| (\w+) \|", re.MULTILINE)
_TITLE = ("name", "type")


class NoContract(Exception):
    """There is no copy of the published schema on this machine."""


@dataclass(frozen=True)
class Contract:
    """One version of the API."""

    version: str
    schema: GraphQLSchema
    scopes: dict[tuple[str, str | None], tuple[str, ...]]

    def required(self, parent: str, field: str, returned: GraphQLNamedType) -> tuple[str, ...]:
        """The scopes of which an app needs one to select a field; empty where it needs none."""
        own = self.scopes.get((parent, field), ())
        return own or self.scopes.get((_record_type(returned), None), ())

    def filters(self, parent: str, field: str) -> dict[str, str]:
        """Name and type of each filter that a search documents."""
        kind = self.schema.get_type(parent)
        assert isinstance(kind, GraphQLObjectType)
        return _filters(kind.fields[field].args["query"].description or "")


def served(asked: str) -> str:
    """The version that answers to the version asked for: an old one falls forward."""
    return asked if asked in VERSIONS else VERSIONS[0]


@cache
def load(version: str) -> Contract:
    """The contract of a version; takes a second the first time."""
    folder = contracts_dir()
    file = folder and folder / "shopify" / f"admin_{version}.json.gz"
    if file is None or not file.exists():
        raise NoContract(f"there is no shopify/admin_{version}.json.gz; see RECENT_SYNC_CONTRACTS")
    with gzip.open(file) as packed:
        published = json.load(packed)
    schema = build_client_schema(published["data"], assume_valid=True)
    for name, check in _SCALARS.items():
        _teach(schema, name, check)
    scopes = {
        (each["typeName"], each.get("fieldName")): tuple(each["offlineScopes"])
        for each in published["offline_scopes"]["items"]
        if each["offlineScopes"]
    }
    return Contract(version, schema, scopes)


def _record_type(returned: GraphQLNamedType) -> str:
    """The type whose records a field gives, seen through connections."""
    if isinstance(returned, GraphQLObjectType) and returned.name.endswith("Connection"):
        return get_named_type(returned.fields["nodes"].type).name
    return returned.name


@cache
def _filters(description: str) -> dict[str, str]:
    rows = [match.groups() for match in _FILTER.finditer(description)]
    return {name: kind for name, kind in rows if (name, kind) != _TITLE}


# --- what the published schema cannot say of its scalars -----------------------------------------


def _moment(value: Any) -> Any:
    found = clock.normal(value) if isinstance(value, str) else None
    if found is None:
        raise GraphQLError(f"invalid DateTime '{value}'")
    return found


def _decimal(value: Any) -> Any:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or isinstance(value, bool):
        raise GraphQLError(f"invalid decimal '{value}'")
    return str(value)


def _url(value: Any) -> Any:
    if not isinstance(value, str) or "://" not in value:
        raise GraphQLError(f"invalid url '{value}', missing scheme")
    return value


_SCALARS = {"DateTime": _moment, "Decimal": _decimal, "Money": _decimal, "URL": _url}


def _teach(schema: GraphQLSchema, name: str, check: Any) -> None:
    scalar = schema.get_type(name)
    assert isinstance(scalar, GraphQLScalarType)

    # Literals go through the first, variables through the second.
    scalar.parse_value = check  # type: ignore[method-assign]
    scalar.coerce_input_value = check
