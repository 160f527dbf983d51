"""One table a stream: typed columns for what people query, `data` (jsonb) for the rest.

A record's row has the primary key `id`: our external key of the record, or whatever the row had
when we found it. Columns and keys in `data` that others add are never touched.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import Struct

from connectors.base import Operation
from connectors.records import (
    CONTENT_TYPES,
    Content,
    Money,
    Order,
    Product,
    Stream,
)

Read = Callable[[Any], Any]
_json = msgspec.json.Encoder().encode


class MixedCurrenciesError(ValueError):
    """The amounts that share one currency column are of several currencies."""


class Column(Struct, frozen=True):
    """`fields` are the content's fields that the column is made of; `read` takes its value.
    `is_amount`: of money, in the currency of the row's column `currency`.
    """

    name: str
    type: str
    read: Read
    fields: tuple[str, ...]
    is_amount: bool = False


class Natural(Struct, frozen=True):
    """A way to recognise a record that somebody else wrote: the SQL and the value to compare."""

    by: str
    expression: str
    read: Read


class Table(Struct, frozen=True, kw_only=True):
    """`version` rises with every column or index that a release adds."""

    stream: Stream
    columns: tuple[Column, ...]
    rest: tuple[str, ...]
    indexes: tuple[str, ...] = ()
    naturals: tuple[Natural, ...] = ()
    version: int = 2

    @property
    def name(self) -> str:
        """As the stream."""
        return self.stream.value


# --- columns -----------------------------------------------------------------------------------


def _plain(field: str, kind: str = "text", *, column: str = "") -> Column:
    return Column(column or field, kind, attrgetter(field), (field,))


def _amount(field: str) -> Column:
    def read(content: Content) -> str | None:
        value: Money | None = getattr(content, field)
        return None if value is None else str(value.amount)

    return Column(field, "numeric", read, (field,), is_amount=True)


def _number(field: str) -> Column:
    def read(content: Content) -> str | None:
        value = getattr(content, field)
        return None if value is None else str(value)

    return Column(field, "numeric", read, (field,))


def _document(field: str, *, column: str = "") -> Column:
    def read(content: Content) -> str:
        return _json(getattr(content, field)).decode()

    return Column(column or field, "jsonb", read, (field,))


def _order_currency(order: Order) -> str:
    for amount in (order.total, order.tax_total, order.shipping_total, order.discount_total):
        if amount.currency != order.currency:
            raise MixedCurrenciesError
    return order.currency


def _product_currency(product: Product) -> str | None:
    prices = (product.regular_price, product.sale_price)
    found = {price.currency for price in prices if price is not None}
    if len(found) > 1:
        raise MixedCurrenciesError
    return found.pop() if found else None


# --- tables ------------------------------------------------------------------------------------


def _table(stream: Stream, columns: tuple[Column, ...], **options: Any) -> Table:
    taken = {field for column in columns for field in column.fields}
    fields = CONTENT_TYPES[stream].__struct_fields__
    rest = tuple(each for each in fields if each not in taken)
    return Table(stream=stream, columns=columns, rest=rest, **options)


_CATEGORIES = _table(
    Stream.CATEGORIES,
    (
        _plain("name"),
        _plain("slug"),
        _plain("parent", column="parent_id"),
        _plain("description"),
        _plain("position", "bigint"),
    ),
    indexes=("slug", "parent_id"),
    naturals=(Natural("slug", "slug", attrgetter("slug")),),
)
_PRODUCTS = _table(
    Stream.PRODUCTS,
    (
        _plain("name"),
        _plain("sku"),
        _plain("slug"),
        _plain("kind"),
        _plain("status"),
        Column("currency", "text", _product_currency, ("regular_price", "sale_price")),
        _amount("regular_price"),
        _amount("sale_price"),
        _document("categories", column="category_ids"),
        _document("variants"),
        _plain("created_at", "timestamptz"),
    ),
    indexes=("sku", "slug"),
    naturals=(
        Natural("sku", "sku", attrgetter("sku")),
        Natural("slug", "slug", attrgetter("slug")),
    ),
)
_CUSTOMERS = _table(
    Stream.CUSTOMERS,
    (
        _plain("email"),
        _plain("username"),
        _plain("first_name"),
        _plain("last_name"),
        _plain("role"),
        _plain("created_at", "timestamptz"),
    ),
    indexes=("lower(email)",),
    naturals=(Natural("email", "lower(email)", lambda customer: customer.email.lower()),),
)
_ORDERS = _table(
    Stream.ORDERS,
    (
        _plain("number"),
        _plain("status"),
        Column("currency", "text", _order_currency, ("currency",)),
        _amount("total"),
        _amount("tax_total"),
        _amount("shipping_total"),
        _amount("discount_total"),
        _plain("customer", column="customer_id"),
        _plain("email"),
        _plain("created_at", "timestamptz"),
        _plain("paid_at", "timestamptz"),
        _plain("completed_at", "timestamptz"),
        _document("lines"),
        _document("refunds"),
    ),
    indexes=("number", "customer_id", "created_at"),
)
_INVENTORY = _table(
    Stream.INVENTORY,
    (
        _plain("product", column="product_id"),
        _plain("variant", column="variant_id"),
        _plain("sku"),
        _plain("counted", "boolean"),
        _number("quantity"),
        _plain("availability"),
        _plain("backorders"),
        _plain("shared", "boolean"),
    ),
    indexes=("product_id", "sku"),
)

TABLES: dict[Stream, Table] = {
    table.stream: table for table in (_CATEGORIES, _PRODUCTS, _CUSTOMERS, _ORDERS, _INVENTORY)
}


# --- rows --------------------------------------------------------------------------------------


class Row(Struct, frozen=True):
    """What is sent for one operation: the values of the statement's arrays, in their order.

    `stripped` are fields that had characters which PostgreSQL cannot store.
    """

    operation: Operation
    values: tuple[Any, ...]
    stripped: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The primary key, which is the target's id of the record."""
        return str(self.values[0])


def row(table: Table, operation: Operation) -> Row:
    """Values in the order id, source_id, data, then the table's columns.

    With `changed`, `data` holds the changed fields alone. Raises `MixedCurrenciesError`, and
    `UnicodeEncodeError` where a text is half of a character.
    """
    return Row(operation, _values(table, operation, _with_target_children(operation)))


def row_without_nul(table: Table, operation: Operation) -> Row:
    """As `row`, for a record whose texts hold NUL characters: without them."""
    content, stripped = _without_nul(_with_target_children(operation))
    return Row(operation, _values(table, operation, content), stripped)


def _values(table: Table, operation: Operation, content: Content) -> tuple[Any, ...]:
    changed = operation.changed
    rest = table.rest if changed is None else [each for each in table.rest if each in changed]
    data = _json({field: getattr(content, field) for field in rest}).decode()
    return (
        operation.target_id or operation.key,
        operation.source_id,
        data,
        *[column.read(content) for column in table.columns],
    )


def _without_nul(content: Content) -> tuple[Content, tuple[str, ...]]:
    """The content without NUL characters, and the fields that had them."""
    before = msgspec.to_builtins(content)
    after = {field: _stripped(value) for field, value in before.items()}
    fields = tuple(field for field in before if before[field] != after[field])
    return msgspec.convert(after, type(content)), fields


def _stripped(value: Any) -> Any:
    match value:
        case str():
            return value.replace("\0", "")
        case dict():
            return {_stripped(key): _stripped(each) for key, each in value.items()}
        case list() | tuple():
            return type(value)(_stripped(each) for each in value)
        case _:
            return value


def _with_target_children(operation: Operation) -> Content:
    """Variants under the ids that the target knows them by; ours where it knows none yet."""
    content, known = operation.content, operation.children
    match content:
        case Product() if known:
            variants = tuple(
                msgspec.structs.replace(each, id=known.get(each.id, each.id))
                for each in content.variants
            )
            return msgspec.structs.replace(content, variants=variants)
        case _:
            return content


def children(operation: Operation) -> dict[str, str]:
    """Our ids of a product's variants to the target's. Parts of other records need no ids:
    they are rewritten with the record.
    """
    content = operation.content
    if not isinstance(content, Product):
        return {}
    return {each.id: operation.children.get(each.id, each.id) for each in content.variants}
