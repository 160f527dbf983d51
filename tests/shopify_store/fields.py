"""How fields are resolved: by a function that knows them, else by the record's own value.

A field that nobody keeps is an error (`NOT_KEPT`), never a silent null: a test must not pass on a
value that the store does not have.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError, GraphQLResolveInfo, get_named_type

from tests.shopify_store.contract import Contract

if TYPE_CHECKING:
    from tests.shopify_store.store import Store

Doc = dict[str, Any]
Resolver = Callable[["Ask", Any, Doc], Any]
RESOLVERS: dict[tuple[str, str], Resolver] = {}


@dataclass
class Ask:
    """One document on its way: who asks, of which store, and what must be said about it.

    `searches` collects what `extensions.search` will say; `base_url` is where the store was met.
    """

    store: "Store"
    contract: Contract
    scopes: frozenset[str]
    bulk: bool = False
    base_url: str = ""
    searches: list[Doc] = field(default_factory=list)
    _allowed: dict[tuple[str, str], GraphQLError | None] = field(default_factory=dict)
    info: GraphQLResolveInfo | None = None

    def permit(self, info: GraphQLResolveInfo) -> None:
        """Raise ACCESS_DENIED where the app may not select a field."""
        key = (info.parent_type.name, info.field_name)
        if key not in self._allowed:
            self._allowed[key] = self._denial(info)
        error = self._allowed[key]
        if error is not None:
            raise GraphQLError(error.message, extensions=dict(error.extensions or {}))

    def _denial(self, info: GraphQLResolveInfo) -> GraphQLError | None:
        returned = get_named_type(info.return_type)
        needed = self.contract.required(info.parent_type.name, info.field_name, returned)
        if not needed or self.has(*needed):
            return None
        words = " or ".join(f"`{each}`" for each in needed)
        return GraphQLError(
            f"Access denied for {info.field_name} field. Required access: {words} access scope.",
            extensions={
                "code": "ACCESS_DENIED",
                "documentation": "https://shopify.dev/api/usage/access-scopes",
                "requiredAccess": f"{words} access scope.",
            },
        )

    def has(self, *scopes: str) -> bool:
        """Whether the app has one of these scopes; who may write may read."""
        return any(
            each in self.scopes or each.replace("read_", "write_", 1) in self.scopes
            for each in scopes
        )


def resolves(kinds: str, *names: str) -> Callable[[Resolver], Resolver]:
    """Register a resolver for fields of one or several types (`Product Collection`)."""

    def register(resolver: Resolver) -> Resolver:
        for kind in kinds.split():
            for name in names:
                RESOLVERS[kind, name] = resolver
        return resolver

    return register


def resolve(source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
    """The one field resolver of every document."""
    ask: Ask = info.context
    ask.permit(info)
    resolver = RESOLVERS.get((info.parent_type.name, info.field_name))
    if resolver is not None:
        ask.info = info
        return resolver(ask, source, arguments)
    if isinstance(source, dict) and info.field_name in source:
        return source[info.field_name]
    raise not_kept(f"{info.parent_type.name}.{info.field_name}")


def type_name(value: Any, *_: Any) -> str | None:
    """The object type of a value where the schema names an interface or a union."""
    return value.get("__typename") if isinstance(value, dict) else None


def not_kept(what: str) -> GraphQLError:
    """The practice store does not know this; a real one does."""
    return GraphQLError(
        f"The practice store does not keep {what}.", extensions={"code": "NOT_KEPT"}
    )
