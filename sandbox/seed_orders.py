"""The documents of historic orders and their refunds, written fast.

Half a million lines are put together as text; everything else of an order goes through the same
blank document as orders made over the API.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import NamedTuple

import msgspec

from sandbox.catalogue import Catalogue, Rows, Sold
from sandbox.orders import blank
from sandbox.people import Person, person
from sandbox.records import Columns, columns_of
from sandbox.shop import Invoice, Shop
from sandbox.store import Store
from sandbox.totals import RATE_ID, tax_rate
from sandbox.wire import SITE, Doc, encode

# Codes that book postage, and codes that book other charges; neither are goods.
POSTAGE = frozenset(("POST", "DOT", "C2"))
CHARGES = frozenset(("D", "M", "S", "BANK CHARGES", "AMAZONFEE", "CRUK"))
_DAY = 86_400
_GUESTS = 0.14  # share of customers' orders placed without signing in
_PAYMENTS = (("stripe", "Card"), ("ppcp-gateway", "PayPal"), ("bacs", "Direct bank transfer"))
_REDUCED = encode({"stock_reduced": True})


@dataclass(slots=True)
class Filled:
    """What the documents of orders need to know about the rest of the store."""

    shop: Shop
    catalogue: Catalogue
    people: dict[int, tuple[int, Person]] = field(default_factory=dict)
    seed: int = 7


class Line(NamedTuple):
    """A goods line as refunds need it."""

    item: int
    article: int
    quantity: int
    pence: int
    tax: int


@dataclass(slots=True)
class Lines:
    """The lines of one order as text, with their sums in pence."""

    goods: list[str] = field(default_factory=list)
    shipping: list[str] = field(default_factory=list)
    fees: list[str] = field(default_factory=list)
    known: list[Line] = field(default_factory=list)
    total: int = 0
    shipping_total: int = 0
    tax: int = 0
    shipping_tax: int = 0


def pounds(pence: int) -> str:
    """Pence as the API writes money."""
    sign, whole = ("-", -pence) if pence < 0 else ("", pence)
    return f"{sign}{whole // 100}.{whole % 100:02d}"


def is_guest(number: int) -> bool:
    """Whether a known customer placed this invoice without signing in."""
    return number * 2654435761 % 2**32 < _GUESTS * 2**32


class Writer:
    """Writes orders in the order of time, and collects the refunds that belong to them."""

    def __init__(self, store: Store, filled: Filled, *, until: str) -> None:
        self._store = store
        self._filled = filled
        self._until = int(datetime.fromisoformat(until).replace(tzinfo=UTC).timestamp())
        self._dice = Random(filled.seed)  # noqa: S311 - statuses of history
        self._rate = int(tax_rate(store) * 100)  # in hundredths of a per cent
        self._heads = {n: _head(sold) for n, sold in filled.catalogue.sold.items()}
        self._item = store.storage.fact("next_item", 1)
        self.refunds: Rows = []

    def orders(
        self, invoices: list[Invoice], refunds: dict[int, list[Invoice]]
    ) -> Iterator[tuple[Columns, bytes, bytes | None]]:
        """Rows of orders; `refunds` fills up on the way."""
        first = self._store.storage.next_id("post", len(invoices))
        for n, invoice in enumerate(invoices):
            yield self._order(first + n, invoice, refunds.get(invoice.position, []))
        self._store.storage.set_fact("next_item", self._item)

    def _order(
        self, order_id: int, invoice: Invoice, cancelled: list[Invoice]
    ) -> tuple[Columns, bytes, bytes | None]:
        doc = blank(self._store.config)
        lines = self._lines(invoice)
        doc["id"], doc["number"] = order_id, str(order_id)
        self._who(doc, invoice)
        self._sums(doc, lines)
        status = self._status(invoice)
        modified = self._dates(doc, invoice, status)
        doc["status"] = status
        if cancelled and status in ("completed", "processing"):
            modified = max(modified, self._refund(doc, lines, cancelled))
        doc["date_modified"], doc["date_modified_gmt"] = self._store.clock.stamps(modified)
        self._rest(doc, invoice)
        columns = columns_of("order", doc)
        reduced = doc["status"] in ("completed", "processing", "on-hold", "refunded")
        doc["line_items"] = _raw(lines.goods)
        doc["shipping_lines"] = _raw(lines.shipping)
        doc["fee_lines"] = _raw(lines.fees)
        return columns, encode(doc), _REDUCED if reduced else None

    # -- lines

    def _lines(self, invoice: Invoice) -> Lines:
        shop, found = self._filled.shop, Lines()
        for position in invoice.lines:
            article = shop.article[position]
            quantity, pence = shop.quantity[position], shop.pence[position]
            total = quantity * pence
            tax = (total * self._rate + 5000) // 10_000
            self._item += 1
            if article in self._heads:
                line = Line(self._item, article, quantity, total, tax)
                found.goods.append(self._goods(self._heads[article], line))
                found.known.append(line)
                found.tax += tax
            else:
                self._charge(found, article, quantity, total, tax)
            found.total += total
        return found

    def _goods(self, head: tuple[str, str, str], line: Line) -> str:
        item, quantity = line.item, line.quantity
        worth, taxed = pounds(line.pence), pounds(line.tax)
        taxes = f'{{"id":{RATE_ID},"total":"{taxed}","subtotal":"{taxed}"}}' if self._rate else ""
        return (
            f'{{"id":{item},{head[0]}"quantity":{quantity},"tax_class":"","subtotal":"{worth}",'
            f'"subtotal_tax":"{taxed}","total":"{worth}","total_tax":"{taxed}","taxes":[{taxes}],'
            f'"meta_data":[],{head[1]}"price":{line.pence / quantity / 100!r},'
            f'"image":{{"id":"","src":""}},"parent_name":{head[2]}}}'
        )

    def _charge(self, found: Lines, article: int, quantity: int, total: int, tax: int) -> None:
        """A line that is no product: postage, a fee, or goods that were never in the catalogue."""
        known = self._filled.shop.articles[article]
        taxes = f'{{"id":{RATE_ID},"total":"{pounds(tax)}"}}' if self._rate else ""
        name = json.dumps(known.name.capitalize())
        tail = (
            f'"total":"{pounds(total)}","total_tax":"{pounds(tax)}","taxes":[{taxes}],'
            f'"tax_status":"taxable","meta_data":[]}}'
        )
        if known.code in POSTAGE:
            method = "free_shipping" if not total else "flat_rate"
            found.shipping.append(
                f'{{"id":{self._item},"method_title":{name},"method_id":"{method}",'
                f'"instance_id":"1",{tail}'
            )
            found.shipping_total += total
            found.shipping_tax += tax
        elif known.code in CHARGES:
            found.fees.append(
                f'{{"id":{self._item},"name":{name},"tax_class":"","amount":"{pounds(total)}",{tail}'
            )
            found.tax += tax
        else:
            head = _head(Sold(0, 0, "", known.name.capitalize(), None))
            line = Line(self._item, article, quantity, total, tax)
            found.goods.append(self._goods(head, line))
            found.tax += tax

    # -- the rest of an order

    def _who(self, doc: Doc, invoice: Invoice) -> None:
        if invoice.customer:
            customer_id, who = self._filled.people[invoice.customer]
            doc["customer_id"] = 0 if is_guest(invoice.number) else customer_id
        else:
            who = person(self._filled.seed, f"g{invoice.number}", invoice.country)
        doc["billing"], doc["shipping"] = who.billing, who.shipping

    def _sums(self, doc: Doc, lines: Lines) -> None:
        tax = lines.tax + lines.shipping_tax
        doc["shipping_total"] = pounds(lines.shipping_total)
        doc["shipping_tax"] = pounds(lines.shipping_tax)
        doc["cart_tax"] = pounds(lines.tax)
        doc["total_tax"] = pounds(tax)
        doc["total"] = pounds(lines.total + tax)
        if self._rate:
            self._item += 1
            doc["tax_lines"] = [
                {
                    "id": self._item,
                    "rate_code": "TAX-1",
                    "rate_id": RATE_ID,
                    "label": "Tax",
                    "compound": False,
                    "tax_total": pounds(lines.tax),
                    "shipping_tax_total": pounds(lines.shipping_tax),
                    "rate_percent": self._rate / 100,
                    "meta_data": [],
                }
            ]

    def _status(self, invoice: Invoice) -> str:
        """Old orders are mostly completed, the last days' not yet; a few went other ways."""
        dice = self._dice.random()
        for share, status in _OTHER_WAYS:
            if dice < share:
                return status
        old = invoice.at < self._until - 2 * _DAY
        return "completed" if old or dice > 0.8 else "processing"  # noqa: PLR2004

    def _dates(self, doc: Doc, invoice: Invoice, status: str) -> int:
        """Set the dates of an order; gives when it last changed, in epoch seconds."""
        stamps = self._store.clock.stamps
        doc["date_created"], doc["date_created_gmt"] = stamps(invoice.at)
        if status not in ("completed", "processing"):
            return invoice.at
        paid = invoice.at + 60
        doc["date_paid"], doc["date_paid_gmt"] = stamps(paid)
        if status == "processing":
            return paid
        done = min(self._until - 1, invoice.at + _DAY + invoice.number % _DAY)
        doc["date_completed"], doc["date_completed_gmt"] = stamps(done)
        return done

    def _rest(self, doc: Doc, invoice: Invoice) -> None:
        method, method_title = _PAYMENTS[invoice.number % len(_PAYMENTS)]
        doc["payment_method"], doc["payment_method_title"] = method, method_title
        doc["transaction_id"] = f"inv-{invoice.number}"
        doc["created_via"] = "checkout"
        doc["order_key"] = f"wc_order_{invoice.number * 2654435761 % 2**48:013x}"
        doc["customer_ip_address"] = f"203.0.113.{invoice.number % 250 + 1}"
        doc["is_editable"] = doc["status"] in ("pending", "on-hold", "checkout-draft")
        doc["needs_payment"] = doc["status"] in ("pending", "failed")
        doc["needs_processing"] = True
        doc["currency_symbol"] = "£"
        pay = f"{SITE}/checkout/order-pay/{doc['id']}/?pay_for_order=true&key={doc['order_key']}"
        doc["payment_url"] = pay
        doc["_links"] = self._store.links(f"orders/{doc['id']}")
        if doc["customer_id"]:
            href = f"{SITE}/wp-json/wc/v3/customers/{doc['customer_id']}"
            doc["_links"]["customer"] = [{"href": href}]

    # -- refunds

    def _refund(self, doc: Doc, lines: Lines, cancelled: list[Invoice]) -> int:
        """Add the refunds of an order; gives when the last of them was made."""
        total = lines.total + lines.tax + lines.shipping_tax
        left, last = total, 0
        remaining = {line.item: line for line in lines.known}
        for invoice in cancelled:
            taken = self._taken(invoice, remaining)
            worth = min(left, sum(line.pence + line.tax for line in taken))
            if worth > 0:
                left -= worth
                last = invoice.at
                self._refund_row(doc, invoice, taken, worth)
        if left <= 0 < total:
            doc["status"] = "refunded"
        return last

    def _taken(self, invoice: Invoice, remaining: dict[int, Line]) -> list[Line]:
        """The goods a cancellation takes back, as parts of the order's lines."""
        taken = []
        shop = self._filled.shop
        for position in invoice.lines:
            article, quantity = shop.article[position], shop.quantity[position]
            line = next(
                (
                    line
                    for line in remaining.values()
                    if line.article == article and line.quantity >= quantity
                ),
                None,
            )
            if line is None:
                continue
            part = line._replace(
                quantity=quantity,
                pence=line.pence * quantity // line.quantity,
                tax=line.tax * quantity // line.quantity,
            )
            remaining[line.item] = line._replace(
                quantity=line.quantity - quantity,
                pence=line.pence - part.pence,
                tax=line.tax - part.tax,
            )
            taken.append(part)
        return taken

    def _refund_row(self, doc: Doc, invoice: Invoice, taken: list[Line], worth: int) -> None:
        local, gmt = self._store.clock.stamps(invoice.at)
        refund_id = self._store.new_id()
        path = f"orders/{doc['id']}"
        refund = {
            "id": refund_id,
            "parent_id": doc["id"],
            "date_created": local,
            "date_created_gmt": gmt,
            "amount": pounds(worth),
            "reason": f"Cancellation {invoice.number}",
            "refunded_by": 1,
            "refunded_payment": False,
            "meta_data": [],
            "line_items": [self._refund_line(line) for line in taken],
            "shipping_lines": [],
            "tax_lines": [],
            "fee_lines": [],
            "_links": self._store.links(f"{path}/refunds/{refund_id}", path),
        }
        self.refunds.append((columns_of("refund", refund), encode(refund), None))
        entry = {"id": refund_id, "reason": refund["reason"], "total": f"-{pounds(worth)}"}
        doc["refunds"] = [entry, *doc["refunds"]]

    def _refund_line(self, line: Line) -> Doc:
        sold = self._filled.catalogue.sold[line.article]
        self._item += 1
        back, tax = pounds(-line.pence), pounds(-line.tax)
        return {
            "id": self._item,
            "name": sold.name,
            "product_id": sold.product_id,
            "variation_id": sold.variation_id,
            "quantity": -line.quantity,
            "tax_class": "",
            "subtotal": back,
            "subtotal_tax": tax,
            "total": back,
            "total_tax": tax,
            "taxes": [],
            "meta_data": [{"id": self._item, "key": "_refunded_item_id", "value": str(line.item)}],
            "sku": sold.sku,
            "price": line.pence / line.quantity / 100 if line.quantity else 0,
        }


# Cumulative shares of orders that did not go the usual way.
_OTHER_WAYS = (
    (0.0005, "checkout-draft"),
    (0.0010, "trash"),
    (0.0060, "failed"),
    (0.0120, "pending"),
    (0.0180, "on-hold"),
    (0.0300, "cancelled"),
)


def _head(sold: Sold) -> tuple[str, str, str]:
    """The parts of a line's text that are the same wherever its article is sold."""
    before = (
        f'"name":{json.dumps(sold.name)},"product_id":{sold.product_id},'
        f'"variation_id":{sold.variation_id},'
    )
    return (
        before,
        f'"sku":{json.dumps(sold.sku)},"global_unique_id":"",',
        json.dumps(sold.parent_name),
    )


def _raw(parts: list[str]) -> msgspec.Raw:
    return msgspec.Raw(f"[{','.join(parts)}]".encode())
