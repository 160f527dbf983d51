"""The steps of a replay: each does one thing to the store as the shop's own people would."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from sandbox import categories, customers, goods, orders, products, refunds, variations
from sandbox.catalogue import category_of, title
from sandbox.people import Person, address, person
from sandbox.seed_orders import CHARGES, POSTAGE, is_guest, pounds
from sandbox.shop import Invoice, Shop
from sandbox.store import Store
from sandbox.totals import amount, money
from sandbox.wire import Doc

# How much of everything else happens for each order, as seen in shops of this size.
_PRICE_CHANGES = 0.25
_STOCK_CHANGES = 0.20
_ADDRESS_CHANGES = 0.04
_OLD_ORDERS = 0.15
_CANCELLED = 0.1
_HALF_WRITTEN = 0.12
_COMPLETED = 0.6
_OPEN = ("pending", "on-hold", "processing")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do; it may give steps that follow it.

    `after` is the time to it from the step it follows, in seconds or, when `relative`, as a part of
    the whole replay. A step that `must` happen is not dropped by a freeze. `at` is when it happened
    in the shop's history, in epoch seconds; a step that follows another one has no such time.
    """

    act: Callable[[], "list[Step] | None"]
    after: float = 0.0
    relative: bool = False
    must: bool = False
    at: int = 0


class Traffic:
    """Makes steps out of the shop's history after the snapshot."""

    def __init__(
        self, store: Store, shop: Shop, *, seed: int, count: Callable[[str], None]
    ) -> None:
        self._store = store
        self._shop = shop
        self._seed = seed
        self._count = count
        self._dice = Random(seed)  # noqa: S311 - replaced when the plan is made
        self._order_ids = _orders_by_invoice(store)
        self._half_written: set[int] = set()

    def plan(self, since: str, days: int, scale: float, seed: int) -> list[Step]:
        """Every first step in order; what follows from them comes as they are done."""
        self._dice = Random(seed)  # noqa: S311 - repeatable traffic
        steps: list[Step] = []
        sold = 0
        for invoice in self._shop.events(since, days):
            if invoice.cancellation:
                if invoice.cancels >= 0:
                    steps.append(Step(self._bind(self._cancel, invoice), at=invoice.at))
            elif scale >= 1 or self._dice.random() < scale:
                steps.append(Step(self._bind(self._order, invoice), at=invoice.at))
                steps += self._around(invoice.at)
                sold += 1
        if sold:
            middle = len(steps) // 2
            steps.insert(middle, Step(self._rename_category, at=steps[middle].at))
        return steps

    def _bind(
        self, act: Callable[[Invoice], list[Step] | None], invoice: Invoice
    ) -> Callable[[], list[Step] | None]:
        return lambda: act(invoice)

    def _around(self, at: int) -> list[Step]:
        """What else happens beside one order."""
        chances = (
            (_PRICE_CHANGES, self._change_price),
            (_STOCK_CHANGES, self._change_stock),
            (_ADDRESS_CHANGES, self._change_address),
            (_OLD_ORDERS, self._move_old_order),
        )
        return [Step(act, at=at) for chance, act in chances if self._dice.random() < chance]

    # -- orders

    def _order(self, invoice: Invoice) -> list[Step]:
        payload = self._payload(invoice)
        lines = {name: payload.pop(name) for name in ("line_items", "shipping_lines", "fee_lines")}
        transaction = f"inv-{invoice.number}"
        self._count("orders_created")
        if self._dice.random() < _HALF_WRITTEN:
            order_id = orders.create(self._store, payload, checked=False)
            self._order_ids[transaction] = order_id
            self._half_written.add(order_id)
            self._count("half_written")
            gap = 0.3 + self._dice.random() * 0.9
            whole = self._bind_order(order_id, {**lines, "status": "processing"})
            return [Step(lambda: self._complete_writing(order_id, whole), gap, must=True)]
        at_once = self._dice.random() < 0.5  # noqa: PLR2004
        status = "processing" if at_once else "pending"
        order_id = orders.create(self._store, {**payload, **lines, "status": status}, checked=False)
        self._order_ids[transaction] = order_id
        return self._progress(order_id, status)

    def _payload(self, invoice: Invoice) -> Doc:
        customer_id, who = self._who(invoice)
        payload: Doc = {
            "created_via": "checkout",
            "customer_id": customer_id,
            "billing": who.billing,
            "shipping": who.shipping,
            "payment_method": "stripe",
            "payment_method_title": "Card",
            "transaction_id": f"inv-{invoice.number}",
            "line_items": [],
            "shipping_lines": [],
            "fee_lines": [],
        }
        for position in invoice.lines:
            self._line(payload, position)
        return payload

    def _who(self, invoice: Invoice) -> tuple[int, Person]:
        if not invoice.customer:
            return 0, person(self._seed, f"g{invoice.number}", invoice.country)
        who = person(self._seed, f"c{invoice.customer}", invoice.country)
        rows = self._store.storage.rows(
            "SELECT id FROM records WHERE kind = 'customer' AND key = ? AND latest = 1",
            (who.email,),
        )
        if rows:
            known = self._store.read("customer", int(rows[0][0])) or {}
            who = replace(who, billing=known["billing"], shipping=known["shipping"])
            return 0 if is_guest(invoice.number) else int(rows[0][0]), who
        self._count("customers_created")
        made = customers.insert(
            self._store,
            {
                "email": who.email,
                "first_name": who.first_name,
                "last_name": who.last_name,
                "username": who.username,
                "billing": who.billing,
                "shipping": who.shipping,
            },
        )
        return made, who

    def _line(self, payload: Doc, position: int) -> None:
        index = self._shop.article[position]
        quantity, pence = self._shop.quantity[position], self._shop.pence[position]
        article, worth = self._shop.articles[index], pounds(quantity * pence)
        name = article.name.capitalize()
        if article.code in POSTAGE:
            line = {"method_id": "flat_rate", "method_title": name, "total": worth}
            payload["shipping_lines"].append(line)
        elif article.code in CHARGES:
            payload["fee_lines"].append({"name": name, "total": worth})
        else:
            goods = {"quantity": quantity, "subtotal": worth, "total": worth}
            payload["line_items"].append({**goods, **self._product(index, pence, name)})

    def _product(self, index: int, pence: int, name: str) -> Doc:
        article = self._shop.articles[index]
        if not article.is_product:
            return {"product_id": 0, "name": name}
        holder = goods.sku_holder(self._store, article.code)
        if holder is None:
            self._count("products_created")
            shown = title(article.name)
            made = products.create(
                self._store,
                {
                    "name": shown,
                    "sku": article.code,
                    "regular_price": pounds(pence),
                    "manage_stock": True,
                    "stock_quantity": 500,
                    "categories": self._category(category_of(article.name)),
                },
                checked=False,
            )
            return {"product_id": made}
        kind, record_id = holder
        if kind == "variation":
            above = self._store.read("variation", record_id) or {}
            return {"product_id": above["parent_id"], "variation_id": record_id}
        return {"product_id": record_id}

    def _category(self, name: str) -> list[Doc]:
        sql = "SELECT id FROM records WHERE kind = 'category' AND key = ? AND latest = 1"
        rows = self._store.storage.rows(sql, (name.lower(),))
        return [{"id": int(rows[0][0])}] if rows else []

    def _progress(self, order_id: int, status: str) -> list[Step]:
        """The way of an order: paid soon, most of them sent later."""
        if status == "pending":
            paid = self._bind_order(order_id, {"status": "processing"})
            return [Step(lambda: self._advance(order_id, paid, "processing"), 0.5)]
        if self._dice.random() < _COMPLETED:
            sent = self._bind_order(order_id, {"status": "completed"})
            after = 0.05 + self._dice.random() * 0.2
            act = Step(lambda: self._advance(order_id, sent, "completed"), after, relative=True)
            return [act]
        return []

    def _bind_order(self, order_id: int, payload: Doc) -> Callable[[], int]:
        return lambda: orders.update(self._store, order_id, payload, checked=False)

    def _advance(self, order_id: int, change: Callable[[], Any], status: str) -> list[Step]:
        doc = self._store.read("order", order_id)
        if doc is None or doc["status"] not in _OPEN:
            return []
        change()
        self._count("orders_changed")
        return self._progress(order_id, status)

    def _complete_writing(self, order_id: int, change: Callable[[], Any]) -> list[Step]:
        """Write the rest of an order under the stamp its first half has: it was one save."""
        stamp = (self._store.read("order", order_id) or {}).get("date_modified_gmt")
        change()
        self._half_written.discard(order_id)
        doc = self._store.read("order", order_id)
        if doc is not None and stamp:
            doc["date_modified_gmt"], doc["date_modified"] = (
                stamp,
                self._store.clock.local_of(stamp),
            )
            self._store.save("order", doc, touch=False)
        return self._progress(order_id, "processing")

    def _cancel(self, invoice: Invoice) -> None:
        """Take an order back: cancelled while it is open, refunded when it was sent."""
        number = self._shop.invoices[invoice.cancels].number
        order = self._store.read("order", self._order_ids.get(f"inv-{number}", 0))
        if order is None:
            return
        items, worth = self._taken(invoice, order)
        left = refunds.remaining(order)
        if order["status"] in _OPEN and worth >= left > 0:
            orders.update(self._store, order["id"], {"status": "cancelled"}, checked=False)
            self._count("cancelled")
        elif order["status"] in ("completed", "processing") and min(worth, left) > 0:
            payload = {
                "amount": money(min(worth, left)),
                "reason": f"Cancellation {invoice.number}",
                "line_items": items,
                "api_refund": False,
            }
            refunds.create(self._store, order["id"], payload, checked=False)
            self._count("refunds")

    def _taken(self, invoice: Invoice, order: Doc) -> tuple[list[Doc], Any]:
        items, worth = [], amount(0)
        for position in invoice.lines:
            code = self._shop.articles[self._shop.article[position]].code.lower()
            quantity = self._shop.quantity[position]
            line = next(
                (
                    line
                    for line in order["line_items"]
                    if line["sku"].lower() == code and line["quantity"] >= quantity
                ),
                None,
            )
            if line is None:
                continue
            each = (amount(line["total"]) + amount(line["total_tax"])) / line["quantity"]
            part = amount(money(each * quantity))
            worth += part
            items.append({"id": line["id"], "quantity": quantity, "refund_total": money(part)})
        return items, worth

    # -- everything else

    def _some_product(self) -> Doc | None:
        rows = self._store.storage.rows(
            "SELECT id FROM records WHERE kind = 'product' AND latest = 1 AND status = 'publish'"
            " AND id >= ? AND type = 'simple' ORDER BY id LIMIT 1",
            (self._dice.randrange(101, 4000),),
        )
        return self._store.read("product", int(rows[0][0])) if rows else None

    def _change_price(self) -> None:
        doc = self._some_product()
        if doc is None or not doc["regular_price"]:
            return
        factor = amount(self._dice.choice(("0.90", "0.95", "1.05", "1.10", "1.20")))
        wanted: Doc = {"regular_price": money(amount(doc["regular_price"]) * factor)}
        if self._dice.random() < 0.3:  # noqa: PLR2004
            wanted["sale_price"] = "" if doc["sale_price"] else money(amount(doc["price"]) / 2)
        products.update(self._store, doc["id"], wanted, checked=False)
        self._count("prices_changed")

    def _change_stock(self) -> None:
        doc = self._some_product()
        if doc is None:
            return
        wanted: Doc = {"manage_stock": True, "stock_quantity": self._dice.randrange(3000)}
        child = self._some_variation() if self._dice.random() < 0.1 else None  # noqa: PLR2004
        if child is not None:
            variations.update(self._store, child["parent_id"], child["id"], wanted, checked=False)
        else:
            products.update(self._store, doc["id"], wanted, checked=False)
        self._count("stock_changed")

    def _some_variation(self) -> Doc | None:
        sql = "SELECT id FROM records WHERE kind = 'variation' AND latest = 1 ORDER BY id"
        rows = self._store.storage.rows(sql)
        return self._store.read("variation", int(self._dice.choice(rows)[0])) if rows else None

    def _change_address(self) -> None:
        rows = self._store.storage.rows(
            "SELECT id FROM records WHERE kind = 'customer' AND latest = 1 AND type = 'customer'"
            " AND id >= ? ORDER BY id LIMIT 1",
            (self._dice.randrange(2, 4000),),
        )
        if rows:
            moved = address(self._dice, "United Kingdom")
            payload = {"billing": moved, "shipping": moved}
            customers.update(self._store, int(rows[0][0]), payload, checked=False)
            self._count("customers_changed")

    def _move_old_order(self) -> None:
        """An order that was open for a while is sent, or given up."""
        rows = self._store.storage.rows(
            "SELECT id FROM records WHERE kind = 'order' AND latest = 1 AND id >= ?"
            " AND status IN ('processing', 'on-hold', 'pending') ORDER BY id LIMIT 1",
            (self._dice.randrange(4_000, 25_000),),
        )
        if not rows or rows[0][0] in self._half_written:
            return
        status = "cancelled" if self._dice.random() < _CANCELLED else "completed"
        orders.update(self._store, int(rows[0][0]), {"status": status}, checked=False)
        self._count("cancelled" if status == "cancelled" else "orders_changed")

    def _rename_category(self) -> None:
        """A category gets a new name; its products show it under their old stamps."""
        category = self._category("Decorations")
        if category:
            payload = {"name": "Ornaments and decorations"}
            categories.update(self._store, category[0]["id"], payload, checked=False)
            self._count("categories_renamed")


def _orders_by_invoice(store: Store) -> dict[str, int]:
    """Order ids by transaction id, which names the invoice in the shop's history."""
    rows = store.storage.rows("SELECT id, title FROM records WHERE kind = 'order' AND latest = 1")
    return {str(words).split(" ", 2)[1]: int(order_id) for order_id, words in rows}
