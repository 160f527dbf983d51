"""Documents: read, checked against the published schema, and run."""

from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    execute,
    parse,
    validate,
    visit,
)

from tests.shopify_store import contract as contracts
from tests.shopify_store.fields import Ask, Doc, resolve, type_name


@lru_cache(maxsize=512)
def deprecated(version: str, text: str) -> tuple[str, ...]:
    """Fields of a valid document that the version calls deprecated, as `Type.field`."""
    info = TypeInfo(contracts.load(version).schema)
    visitor = _Deprecations(info)
    visit(checked(version, text), TypeInfoVisitor(info, visitor))
    return tuple(sorted(visitor.found))


class _Deprecations(Visitor):
    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self._info = info
        self.found: set[str] = set()

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        field, parent = self._info.get_field_def(), self._info.get_parent_type()
        if field is not None and parent is not None and field.deprecation_reason:
            self.found.add(f"{parent.name}.{node.name.value}")


def run(
    ask: Ask, document: DocumentNode, operation: OperationDefinitionNode, variables: Doc
) -> ExecutionResult:
    """Run a document that was found valid."""
    result = execute(
        ask.contract.schema,
        document,
        context_value=ask,
        variable_values=variables,
        operation_name=operation.name.value if operation.name else None,
        field_resolver=resolve,
        type_resolver=type_name,
    )
    assert isinstance(result, ExecutionResult)
    return result


class Wrong(Exception):
    """A document that cannot be run."""

    def __init__(self, *errors: Doc) -> None:
        super().__init__(errors)
        self.errors = list(errors)


@lru_cache(maxsize=512)
def checked(version: str, text: str) -> DocumentNode:
    """A document that is valid under a version. Raises `Wrong`."""
    try:
        document = parse(text)
    except GraphQLError as error:
        raise Wrong(dict(error.formatted)) from None
    errors = validate(contracts.load(version).schema, document)
    if errors:
        raise Wrong(*(dict(each.formatted) for each in errors))
    return document
