"""By what a record is known again on another store, and how much each way is worth. Pure.

A key is a kind of evidence with a value; two records that share one may be the same. Values are
kept as digests: they are made of emails and addresses.

Confidence is a scale, no measured probability: 1.0 is said by an id that somebody kept; from
`STRONG` on, the evidence is enough even where the target holds copies; from `ENOUGH` on, records
are paired where it fits one record alone on either side; what is worth less is proposed only.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from connectors.comparable import external_source_id, lines_of
from connectors.digest import value_digest
from connectors.minor_units import rounded
from connectors.records import (
    Address,
    Category,
    Content,
    Customer,
    InventoryLevel,
    Money,
    Order,
    Product,
    Record,
    Stream,
)

STRONG = 0.9
ENOUGH = 0.7
_QUARTER = 15 * 60

ID_FIELDS = (
    "_original_id",
    "original_id",
    "_source_id",
    "source_id",
    "_legacy_id",
    "legacy_id",
    "_old_id",
    "old_id",
    "external_id",
    "_shopify_product_id",
    "_shopify_order_id",
    "magento_customer_id",
    "_fgm2wc_old_product_id",
    "_fgm2wc_old_user_id",
)
"""Metadata in which migration tools keep the id that a record had before."""


class Kind(NamedTuple):
    """A kind of evidence. `dateless`: it pairs orders whose dates the tool did not keep; where it
    did, another date says that somebody has ordered the same once more. `copies`: it is enough
    where the target holds copies, as what is strong, but contradicts nothing.
    """

    name: str
    confidence: float
    dateless: bool = False
    copies: bool = False


KINDS: Mapping[Stream, tuple[Kind, ...]] = {
    Stream.CATEGORIES: (
        Kind("key", 1.0),
        Kind("id", 1.0),
        Kind("path", 0.95),
        Kind("name_path", 0.9),
        Kind("slug", 0.8),
        Kind("slug_begin_name", 0.75, copies=True),
        Kind("name", 0.5),
    ),
    Stream.PRODUCTS: (
        Kind("key", 1.0),
        Kind("id", 1.0),
        Kind("sku", 0.95),
        Kind("variants", 0.95),
        Kind("sku_name", 0.9),
        Kind("slug_name", 0.9),
        Kind("name_price_categories", 0.85, copies=True),
        Kind("slug_begin_name", 0.8, copies=True),
        Kind("slug", 0.8),
        Kind("variant", 0.8),
        Kind("name_price", 0.75),
        Kind("name", 0.5),
    ),
    Stream.CUSTOMERS: (
        Kind("key", 1.0),
        Kind("id", 1.0),
        Kind("email_account", 0.95),
        Kind("email", 0.95),
        Kind("address", 0.5),
        Kind("username", 0.5),
    ),
    Stream.ORDERS: (
        Kind("key", 1.0),
        Kind("id", 1.0),
        Kind("number_total_day_email", 0.98),
        Kind("number_total_day", 0.95),
        Kind("moment_total_email", 0.95),
        Kind("moment_total_customer", 0.95),
        Kind("moment_total_lines", 0.9),
        Kind("moment_lines_email", 0.9),
        Kind("number_day_email", 0.85),
        Kind("number_total_email", 0.85),
        Kind("payment_total", 0.85),
        Kind("day_total_lines_email", 0.85),
        Kind("clock_total_email", 0.8),
        Kind("day_total_address", 0.8),
        Kind("total_lines_email", 0.75, dateless=True),
        Kind("moment_email", 0.75),
        Kind("moment_total", 0.7),
        Kind("lines_email", 0.6),
        Kind("total_lines", 0.6),
        Kind("day_email", 0.5),
        Kind("total_email", 0.5),
    ),
    Stream.INVENTORY: (Kind("product", 1.0),),
}
"""What is looked for in each stream, the most telling first."""


def confidence(stream: Stream, name: str) -> float:
    """What a kind of evidence is worth; a link that was there, or a person's word, is sure."""
    return next((each.confidence for each in KINDS[stream] if each.name == name), 1.0)


class Place(NamedTuple):
    """What is known of a record besides its content.

    `names` are what the source may be called by in another tool's metadata: for a record of the
    target what that metadata says, for one of the source its own id. `level` is the source's id
    of a level of stock. `path` and `name_path` are a category's, from the root down; `customer`
    and `categories` are called by the source's ids, a category that has no counterpart by `?`.
    `on_target`: which side the record is on.
    """

    names: tuple[str, ...] = ()
    own_key: str = ""
    level: str = ""
    path: str = ""
    name_path: str = ""
    customer: str = ""
    categories: tuple[str, ...] = ()
    on_target: bool = False


class Key(NamedTuple):
    kind: str
    value: bytes


def own_names(record_id: str) -> tuple[str, ...]:
    """How another tool may have written the source's id down: `gid://shop/Order/17`, or `17`."""
    tail = re.search(r"/(\d+)$", record_id)
    return (record_id, tail[1]) if tail else (record_id,)


def is_live(content: Content) -> bool:
    """Whether the record is in use: of two copies the one in the trash is not the one meant."""
    return getattr(content, "status", "") not in ("archived", "trashed")


def kept_names(content: Content, fields: Iterable[str]) -> tuple[str, ...]:
    """Ids that a record's metadata keeps in one of these fields, at any depth of `extra`."""
    wanted = frozenset(fields)
    extra = getattr(content, "extra", None)
    return tuple(dict.fromkeys(_search(extra, wanted))) if extra and wanted else ()


def _search(value: Any, wanted: frozenset[str]) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    for name, each in value.items():
        # Shopify's metafields are called `namespace.key`.
        if isinstance(each, str | int) and {name, name.rpartition(".")[2]} & wanted:
            yield from own_names(str(each))
        else:
            yield from _search(each, wanted)


def keys(record: Record, place: Place, prefix: str) -> list[Key]:
    """All evidence that a record shows. `prefix` begins our external keys of the migration."""
    content = record.content
    found = of_id(place.names, place.own_key or external_source_id(content, prefix))
    found += [Key(kind, value_digest(values)) for kind, values in _natural(content, place)]
    return list(dict.fromkeys(found))


def of_id(names: Iterable[str], own_key: str | None) -> list[Key]:
    """What a record is called by the source's ids, and by our key."""
    found = [Key("id", value_digest(each)) for each in names]
    return [*found, Key("key", value_digest(own_key))] if own_key else found


def _natural(content: Content, place: Place) -> Iterator[tuple[str, tuple[Any, ...]]]:
    match content:
        case Category():
            pairs: Iterable[tuple[str, tuple[Any, ...]]] = _category(content, place)
        case Product():
            pairs = _product(content, place)
        case Customer():
            pairs = _customer(content)
        case Order():
            pairs = _order(content, place)
        case InventoryLevel():
            pairs = [("product", (place.level,))]
    # Evidence of which a part is missing is none.
    return ((kind, values) for kind, values in pairs if all(values))


def _category(category: Category, place: Place) -> Iterator[tuple[str, tuple[Any, ...]]]:
    yield "path", (place.path,)
    yield "name_path", (place.name_path,)
    yield "slug", (category.slug,)
    yield from _numbered(category.slug, _plain(category.name))
    yield "name", (_plain(category.name),)


def _numbered(slug: str, name: str) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """A shop puts a number behind a slug that is taken."""
    for begin in {slug, re.sub(r"-\d+$", "", slug)}:
        yield "slug_begin_name", (begin, name)


def _product(product: Product, place: Place) -> Iterator[tuple[str, tuple[Any, ...]]]:
    name, price = _plain(product.name), _amount(product.regular_price)
    skus = sorted(_plain(each.sku) for each in product.variants if each.sku.strip())
    yield "sku", (_plain(product.sku),)
    yield "variants", (skus,)
    yield "sku_name", (_bare(product.sku), name)
    yield "slug_name", (product.slug, name)
    yield "slug", (product.slug,)
    for sku in skus:
        yield "variant", (sku,)
    yield "name_price", (name, price)
    yield "name", (name,)
    # What has a SKU of its own on the target is another product of the same name.
    if not (place.on_target and (product.sku.strip() or skus)):
        yield from _without_sku(product, place, name)


def _without_sku(
    product: Product, place: Place, name: str
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """What tells that a product of the target without a SKU is one more copy: a shop takes each
    SKU once.
    """
    priced = (product.regular_price, *(each.regular_price for each in product.variants))
    prices = sorted(_amount(each) for each in priced)
    shelf = () if "?" in place.categories else ("in", *sorted(place.categories))
    yield "name_price_categories", (name, prices if any(prices) else (), shelf)
    yield from _numbered(product.slug, name)


def _customer(customer: Customer) -> Iterator[tuple[str, tuple[Any, ...]]]:
    # Some platforms keep a guest and an account of one email.
    if customer.role == "guest" or customer.extra.get("account") is True:
        yield "email_account", (_plain(customer.email), customer.role)
    yield "email", (_plain(customer.email),)
    yield "address", (_address(customer.billing or customer.shipping),)
    yield "username", (_plain(customer.username),)


def _order(order: Order, place: Place) -> Iterator[tuple[str, tuple[Any, ...]]]:
    email, total = _plain(order.email), _amount(order.total)
    moment = order.created_at and order.created_at.replace(microsecond=0)
    day = moment and moment.date().isoformat()
    lines = sorted((line[0], line[1]) for line in lines_of(order))
    for number in _numbers(order.number):
        yield "number_total_day_email", (number, total, day, email)
        yield "number_total_day", (number, total, day)
        yield "number_day_email", (number, day, email)
        yield "number_total_email", (number, total, email)
    yield "moment_total_email", (moment, total, email)
    yield "moment_total_customer", (moment, total, place.customer)
    yield "moment_total_lines", (moment, total, lines)
    yield "moment_lines_email", (moment, lines, email)
    for payment in order.transactions:
        yield "payment_total", (payment.reference, total)
    yield "day_total_lines_email", (day, total, lines, email)
    for around in _around(moment):
        yield "clock_total_email", (around, total, email)
    yield "day_total_address", (day, total, _address(order.billing or order.shipping))
    yield "total_lines_email", (total, lines, email)
    yield "moment_email", (moment, email)
    yield "moment_total", (moment, total)
    yield "lines_email", (lines, email)
    yield "total_lines", (total, lines)
    yield "day_email", (day, email)
    yield "total_email", (total, email)


def _numbers(number: str) -> list[str]:
    """An order's number as it is written, and without what a shop puts around it: `#WC-01001`."""
    whole = _plain(number).lstrip("#")
    bare = re.sub(r"^\D+|\D+$", "", whole).lstrip("0")
    return [whole, bare] if bare and bare != whole else [whole]


def _around(moment: datetime | None) -> list[tuple[str, int]]:
    """What two moments share that a tool has moved by a time zone: one of two days, and the seconds
    within a quarter of an hour. Nothing where only a day was kept.
    """
    seconds = int(moment.timestamp()) % _QUARTER if moment else 0
    if moment is None or not seconds:
        return []
    half = timedelta(hours=12)
    return [(each.date().isoformat(), seconds) for each in (moment - half, moment + half)]


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", html.unescape(text).casefold()).split())


def _bare(sku: str) -> str:
    """A SKU without what a spreadsheet loses: leading zeros, blanks and dashes."""
    return re.sub(r"[\W_]+", "", sku.casefold()).lstrip("0")


def _amount(value: Money | None) -> str:
    return "" if value is None else f"{rounded(value.amount, value.currency)} {value.currency}"


def _address(where: Address | None) -> tuple[str, ...] | None:
    """Who lives where; None where it does not say enough to tell two people apart."""
    if where is None or not (where.last_name or where.company) or not where.line1:
        return None
    told = (where.first_name, where.last_name, where.company, where.line1, where.postcode)
    return tuple(_plain(each) for each in told)


def label(record: Record, place: Place) -> str:
    """What people know a record by. Nothing personal: an email is masked."""
    match record.content:
        case Category():
            return place.name_path or record.content.name
        case Product() as product:
            return f"{product.sku} {product.name}".strip()
        case Customer() as customer:
            return masked(customer.email)
        case Order() as order:
            day = order.created_at.date().isoformat() if order.created_at else "no date"
            return f"#{order.number.lstrip('#')} of {day}, {_amount(order.total)}"
        case InventoryLevel() as level:
            return level.sku or record.id


def masked(email: str) -> str:
    """`j…@example.com`."""
    name, at, domain = email.partition("@")
    return f"{name[:1]}…@{domain}" if at else "…"
