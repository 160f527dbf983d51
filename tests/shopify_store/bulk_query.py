"""Bulk queries: what they may be, which records they read, and the lines that a record becomes."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
    get_operation_ast,
    parse,
    print_ast,
)

from tests.shopify_store.documents import Wrong, checked
from tests.shopify_store.failures import Refusal
from tests.shopify_store.fields import Ask, Doc

MAX_CONNECTIONS = 5
MAX_DEPTH = 2
_TOO_DEEP = (
    f"Bulk queries cannot contain connections with a nesting depth greater than {MAX_DEPTH}."
)
_IN_A_LIST = (
    "Queries that contain a connection field within a list field are not currently supported."
)
_NO_ID = "The parent 'node' field for a nested connection must select the 'id' field."


@dataclass(frozen=True)
class Plan:
    """A bulk query, taken apart: which records, and what of each of them."""

    roots: str
    each: DocumentNode
    operation: OperationDefinitionNode
    selection: SelectionSetNode
    kind: GraphQLObjectType


@dataclass(frozen=True)
class Lines:
    """Turns records of a plan into lines; `truncate` keeps so many children of a connection."""

    schema: GraphQLSchema
    truncate: int | None

    def of(self, plan: Plan, data: Doc) -> Iterator[Doc]:
        """A record's own line, then those of everything in its connections."""
        yield from self._flat(plan.selection, plan.kind, data, None)

    def _flat(
        self, selection: SelectionSetNode, kind: Any, data: Doc, parent: str | None
    ) -> Iterator[Doc]:
        own: Doc = copy.deepcopy(data)
        inner = []
        for node, field, path in _connection_fields(self.schema, selection, kind):
            connection = _taken_out(own, path)
            if connection is not None:
                inner.append((node, field, connection))
        if parent is not None:
            own["__parentId"] = parent
        yield own
        for node, field, connection in inner:
            for each in _records(connection)[: self.truncate]:
                yield from self._flat(_record_set(node), _record_type(field), each, own["id"])


def _record_type(field: Any) -> GraphQLNamedType:
    """The type of the records in a connection."""
    nodes = get_named_type(field.type).fields["nodes"]
    named: GraphQLNamedType = get_named_type(nodes.type)
    return named


def _taken_out(own: Doc, path: tuple[str, ...]) -> Doc | None:
    """A connection, which is told in lines of its own and not where it stood."""
    holder: Any = own
    for name in path[:-1]:
        holder = holder.get(name) if isinstance(holder, dict) else None
    found = holder.pop(path[-1], None) if isinstance(holder, dict) else None
    return found if isinstance(found, dict) else None


def _records(connection: Doc) -> list[Doc]:
    if "edges" in connection:
        return [each["node"] for each in connection["edges"]]
    found: list[Doc] = connection["nodes"]
    return found


def _record_set(node: FieldNode) -> SelectionSetNode:
    assert node.selection_set is not None
    for each in node.selection_set.selections:
        assert isinstance(each, FieldNode)
        if each.name.value == "nodes" and each.selection_set:
            return each.selection_set
        if each.name.value == "edges" and each.selection_set:
            for inner in each.selection_set.selections:
                if (
                    isinstance(inner, FieldNode)
                    and inner.name.value == "node"
                    and inner.selection_set
                ):
                    return inner.selection_set
    raise Refusal("Connection fields must select their nodes or edges", "query", code="INVALID")


def _connection_fields(
    schema: GraphQLSchema, selection: SelectionSetNode, kind: Any, path: tuple[str, ...] = ()
) -> Iterator[tuple[FieldNode, Any, tuple[str, ...]]]:
    """Connections of a record and of the objects in it, with where in the answer they stand."""
    for each in selection.selections:
        if isinstance(each, FieldNode):
            field = getattr(kind, "fields", {}).get(each.name.value)
            place = (*path, each.alias.value if each.alias else each.name.value)
            if field is None or each.selection_set is None:
                continue
            if get_named_type(field.type).name.endswith("Connection"):
                yield each, field, place
            else:
                below = get_named_type(field.type)
                yield from _connection_fields(schema, each.selection_set, below, place)
        else:
            condition = getattr(each, "type_condition", None)
            named = schema.get_type(condition.name.value) if condition else kind
            inner = getattr(each, "selection_set", None)
            if inner is not None:
                yield from _connection_fields(schema, inner, named, path)


# --- what a bulk query may be -------------------------------------------------------------------


def plan(ask: Ask, text: str) -> Plan:
    """Take a bulk query apart. Raises `Refusal` for what bulk operations do not take."""
    schema = ask.contract.schema
    try:
        document = checked(ask.contract.version, text)
    except Wrong as wrong:
        words = f"Invalid bulk query: {wrong.errors[0]['message']}"
        raise Refusal(words, "query", code="INVALID") from None
    operation = get_operation_ast(document)
    if operation is None or operation.operation is not OperationType.QUERY:
        raise _invalid("Invalid bulk query: the document must be one query")
    assert schema.query_type is not None
    chosen = operation.selection_set.selections
    tops = list(_connection_fields(schema, operation.selection_set, schema.query_type))
    if not tops:
        raise _invalid("Bulk queries must contain at least one connection.")
    if len(chosen) != 1 or len(document.definitions) != 1:
        raise _invalid("Bulk queries must have one top-level field and no fragments.")
    [(node, field, _)] = tops
    kind = _record_type(field)
    assert isinstance(kind, GraphQLObjectType)
    selection = _record_set(node)
    count, depth = _measure(schema, selection, kind)
    if count + 1 > MAX_CONNECTIONS:
        raise _invalid(f"Bulk queries cannot contain more than {MAX_CONNECTIONS} connections.")
    if depth > MAX_DEPTH:
        raise _invalid(_TOO_DEEP)
    one = parse(f"query($ids:[ID!]!){{nodes(ids:$ids){{...on {kind.name}{print_ast(selection)}}}}}")
    found = get_operation_ast(one)
    assert found is not None
    return Plan(_root_query(node), one, found, selection, kind)


def _root_query(node: FieldNode) -> str:
    arguments = ", ".join(print_ast(each) for each in node.arguments or ())
    head = f"{node.name.value}({arguments})" if arguments else node.name.value
    return f"{{ {head} {{ nodes {{ id }} }} }}"


def _measure(schema: GraphQLSchema, selection: SelectionSetNode, kind: Any) -> tuple[int, int]:
    """(connections below, how deep they nest); what is below a list must hold none."""
    _refuse_in_lists(schema, selection, kind, inside=False)
    inner = list(_connection_fields(schema, selection, kind))
    if inner and not _selects_id(selection):
        raise _invalid(_NO_ID)
    count, depth = 0, 0
    for node, field, _ in inner:
        more, deeper = _measure(schema, _record_set(node), _record_type(field))
        count += 1 + more
        depth = max(depth, 1 + deeper)
    return count, depth


def _selects_id(selection: SelectionSetNode) -> bool:
    return any(
        isinstance(each, FieldNode) and each.name.value == "id" and each.alias is None
        for each in selection.selections
    )


def _refuse_in_lists(
    schema: GraphQLSchema, selection: SelectionSetNode, kind: Any, *, inside: bool
) -> None:
    for each in selection.selections:
        if not isinstance(each, FieldNode) or each.selection_set is None:
            continue
        field = getattr(kind, "fields", {}).get(each.name.value)
        if field is None:
            continue
        named = get_named_type(field.type)
        if named.name.endswith("Connection"):
            if inside:
                raise _invalid(_IN_A_LIST)
            continue
        bare = field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type
        below = inside or isinstance(bare, GraphQLList)
        _refuse_in_lists(schema, each.selection_set, named, inside=below)


def _invalid(words: str) -> Refusal:
    return Refusal(words, "query", code="INVALID")
