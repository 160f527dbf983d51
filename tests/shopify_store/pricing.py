"""What a document costs before it runs and after, in points.

As Shopify has explained it: an object is a point, a scalar nothing, a connection two points and
what its page may hold, a mutation ten. Of fragments on several types the dearest counts. Newer
connections are reported to cost less; whoever stays below these prices stays below those.
"""

from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)

from tests.shopify_store.fields import Doc

MUTATION = 10


class Pricing:
    """Prices of one document with its variables."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Doc) -> None:
        self._schema = schema
        self._variables = variables
        self._fragments = {
            each.name.value: each
            for each in document.definitions
            if isinstance(each, FragmentDefinitionNode)
        }

    def requested(self, operation: OperationDefinitionNode) -> int:
        """What the document may cost at most."""
        if operation.operation is OperationType.MUTATION:
            return MUTATION * len(operation.selection_set.selections)
        return self._asked(operation.selection_set, self._schema.query_type)

    def actual(self, operation: OperationDefinitionNode, data: Any) -> int:
        """What the answer to it costs."""
        if operation.operation is OperationType.MUTATION:
            return self.requested(operation)
        return self._given(operation.selection_set, self._schema.query_type, data)

    # --- before ---------------------------------------------------------------------------------

    def _asked(self, chosen: SelectionSetNode | None, parent: Any) -> int:
        if chosen is None:
            return 0
        own, alternatives = 0, [0]
        for each in chosen.selections:
            if isinstance(each, FieldNode):
                own += self._asked_field(each, parent)
            else:
                alternatives.append(self._asked(*self._fragment(each, parent)))
        spread = isinstance(parent, (GraphQLInterfaceType, GraphQLUnionType))
        return own + (max(alternatives) if spread else sum(alternatives))

    def _asked_field(self, node: FieldNode, parent: Any) -> int:
        name = node.name.value
        definition = None if name.startswith("__") else _fields(parent).get(name)
        if definition is None:
            return 0
        named = get_named_type(definition.type)
        if is_leaf_type(named):
            return 0
        if named.name.endswith("Connection"):
            return 2 + self._size(node) * self._asked_records(node, named)
        items = self._size(node) if _is_list(definition.type) else 1
        return max(1, items) * (1 + self._asked(node.selection_set, named))

    def _asked_records(self, node: FieldNode, connection: Any) -> int:
        """What one record of a connection costs, however it is wrapped."""
        record = get_named_type(_fields(connection)["nodes"].type)
        inner = [self._asked(each, record) for each in _record_sets(node)]
        return 1 + max(inner) if inner else 0

    def _size(self, node: FieldNode) -> int:
        """`first` or `last`, or how many ids were asked for; 1 where nothing is said."""
        for argument in node.arguments or ():
            if argument.name.value in ("first", "last"):
                return self._value(argument.value, 1)
            if argument.name.value == "ids" and isinstance(argument.value, VariableNode):
                return len(self._variables.get(argument.value.name.value) or ())
        return 1

    def _value(self, node: Any, default: int) -> int:
        if isinstance(node, IntValueNode):
            return int(node.value)
        if isinstance(node, VariableNode):
            return int(self._variables.get(node.name.value) or default)
        return default

    # --- after ----------------------------------------------------------------------------------

    def _given(self, chosen: SelectionSetNode | None, parent: Any, data: Any) -> int:
        if chosen is None or not isinstance(data, dict):
            return 0
        cost = 0
        for each in chosen.selections:
            if isinstance(each, FieldNode):
                cost += self._given_field(each, parent, data)
            else:
                cost += self._given(*self._fragment(each, parent), data)
        return cost

    def _given_field(self, node: FieldNode, parent: Any, data: Doc) -> int:
        definition = _fields(parent).get(node.name.value)
        value = data.get(node.alias.value if node.alias else node.name.value)
        if definition is None or value is None or is_leaf_type(get_named_type(definition.type)):
            return 0
        named = get_named_type(definition.type)
        values = value if isinstance(value, list) else [value]
        own = 2 if named.name.endswith("Connection") else 0
        counted = (
            0 if named.name.endswith(("Connection", "Edge")) or named.name == "PageInfo" else 1
        )
        inner = (self._given(node.selection_set, named, each) for each in values if each)
        return own + counted * sum(1 for each in values if each) + sum(inner)

    def _fragment(self, node: Any, parent: Any) -> tuple[SelectionSetNode, Any]:
        if isinstance(node, FragmentSpreadNode):
            fragment = self._fragments[node.name.value]
            return fragment.selection_set, self._schema.get_type(fragment.type_condition.name.value)
        condition = node.type_condition
        kind = self._schema.get_type(condition.name.value) if condition else parent
        return node.selection_set, kind


def _fields(kind: Any) -> dict[str, Any]:
    return kind.fields if isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType)) else {}


def _is_list(kind: Any) -> bool:
    return isinstance(get_nullable_type(kind), GraphQLList)


def _record_sets(node: FieldNode) -> list[SelectionSetNode]:
    """The selections of records inside a connection's `nodes` and `edges`."""
    found = []
    for each in node.selection_set.selections if node.selection_set else ():
        if not isinstance(each, FieldNode) or each.selection_set is None:
            continue
        if each.name.value == "nodes":
            found.append(each.selection_set)
        elif each.name.value == "edges":
            found += [
                inner.selection_set
                for inner in each.selection_set.selections
                if isinstance(inner, FieldNode)
                and inner.name.value == "node"
                and inner.selection_set
            ]
    return found
