"""What people do in the old shop while it is being left: every way in which a record changes.

Each deed is chosen and filled in by a seeded `Random`. What a deed writes is new every time, so
that no value comes back that was there before.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from drills.chooser import Chooser
from drills.shop import Shop
from sandbox import (
    categories,
    customers,
    edits,
    effects,
    mischief,
    orders,
    products,
    refunds,
    variations,
)
from sandbox.wire import ApiError, Doc

ORIGIN = "people"
_DAY = 86_400
_OPEN = ("pending", "processing", "on-hold")
_STATUSES = ("processing", "completed", "on-hold", "cancelled")


class Shopkeepers(Chooser):
    """The people of the old shop. `deeds` says what they did, in order."""

    def __init__(self, shop: Shop, dice: Random) -> None:
        super().__init__(shop, dice)
        self.deeds: list[str] = []

    def fill(self) -> None:
        """The shop as it was when the migration began."""
        for _ in range(4):
            self.do("new_category")
        for _ in range(10):
            self.do("new_product")
        self.do("new_variable_product")
        for _ in range(6):
            self.do("new_customer")
        for _ in range(8):
            self.do("new_order")
        self.do("new_refund")

    def do(self, name: str | None = None) -> bool:
        """One deed, by chance where it has no name. False where there is nothing to do it to."""
        chosen = name or self._dice.choice(sorted(DEEDS))
        with self._shop.by_hand(ORIGIN):
            try:
                done = DEEDS[chosen](self)
            except ApiError as error:
                # As anywhere: a SKU is taken, an order cannot be refunded.
                done = f"refused: {error.code}"
        self.deeds.append(f"{chosen} {done}")
        return bool(done)

    # --- products ------------------------------------------------------------------------------

    def new_product(self, **fields: Any) -> str:
        """A product, in a category or two."""
        number = self._next()
        chosen = self._dice.sample(self._shop.docs("category"), 2)
        made = products.create(
            self._store,
            {
                "name": f"Thing {number}",
                "sku": f"SKU-{number}",
                "status": self._dice.choice(["publish", "publish", "publish", "draft"]),
                "regular_price": self._price(),
                "description": f"Text {number}",
                "manage_stock": True,
                "stock_quantity": self._dice.randrange(500),
                "categories": [{"id": each["id"]} for each in chosen],
                **fields,
            },
            checked=False,
        )
        return str(made)

    def new_variable_product(self) -> str:
        """A product in two sizes."""
        sizes = ["S", "M"]
        attribute = {"name": "Size", "options": sizes, "variation": True, "visible": True}
        made = int(self.new_product(type="variable", regular_price="", attributes=[attribute]))
        for size in sizes:
            self._new_variation(made, size)
        return str(made)

    def _new_variation(self, product_id: int, size: str) -> int:
        number = self._next()
        payload = {
            "sku": f"VAR-{number}",
            "regular_price": self._price(),
            "attributes": [{"name": "Size", "option": size}],
            "manage_stock": True,
            "stock_quantity": self._dice.randrange(100),
        }
        return variations.create(self._store, product_id, payload, checked=False)

    def backdated_product(self) -> str:
        """Its date of change is long ago: no window sees it."""
        return self._dated(-self._dice.randrange(2, 400) * _DAY)

    def scheduled_product(self) -> str:
        """Its date of change is in the future."""
        return self._dated(self._dice.randrange(1, 60) * _DAY)

    def _dated(self, seconds: float) -> str:
        clock = self._store.clock
        return self.new_product(date_created_gmt=clock.stamps(clock.now() + seconds)[1])

    def change_product(self) -> str:
        """Some fields of a product, under a new stamp."""
        doc = self._product()
        if doc is None:
            return ""
        number = self._next()
        changes: Doc = {
            "name": f"Thing {number}",
            "description": f"Text {number}",
            "short_description": f"Short {number}",
            "regular_price": self._price(),
            "stock_quantity": self._dice.randrange(500),
            "weight": f"{number}",
            "featured": not doc["featured"],
        }
        names = sorted(changes) if doc["type"] == "simple" else ["name", "description", "weight"]
        chosen = self._dice.sample(names, self._dice.randrange(1, 3))
        payload = {name: changes[name] for name in sorted(chosen)}
        products.update(self._store, doc["id"], payload, checked=False)
        return f"{doc['id']} {sorted(payload)}"

    def change_variation(self) -> str:
        """A price or a stock below a product."""
        doc = self._some("variation")
        if doc is None:
            return ""
        payload: Doc = self._dice.choice(
            [{"regular_price": self._price()}, {"stock_quantity": self._dice.randrange(100)}]
        )
        variations.update(self._store, doc["parent_id"], doc["id"], payload, checked=False)
        return f"{doc['id']}"

    def silent_child_change(self) -> str:
        """A variation's price is written past the shop: no stamp moves, neither its own nor its
        parent's.
        """
        doc = self._some("variation")
        if doc is None:
            return ""
        price = self._price()
        fields = {"regular_price": price, "price": price}
        edits.edit(
            self._store, {"op": "patch", "kind": "variation", "id": doc["id"], "fields": fields}
        )
        return f"{doc['id']}"

    def silent_stock(self) -> str:
        """Stock is written past the shop."""
        doc = self._product("simple")
        if doc is None:
            return ""
        mischief.silent_stock(self._store, "product", doc["id"], self._dice.randrange(500))
        return f"{doc['id']}"

    def spurious_bump(self) -> str:
        """A stamp moves, and nothing else."""
        kind = self._dice.choice(["product", "order"])
        doc = self._some(kind)
        if doc is None:
            return ""
        mischief.bump(self._store, kind, doc["id"])
        return f"{kind} {doc['id']}"

    def lying_stamp(self) -> str:
        """A record changes, and its stamp goes somewhere else: back, or into the future."""
        doc = self._product()
        if doc is None:
            return ""
        shift = self._dice.choice([-400, -30, -1, 1, 30]) * _DAY
        clock = self._store.clock
        payload = {"name": f"Thing {self._next()}"}
        products.update(self._store, doc["id"], payload, checked=False)
        gmt = clock.stamps(clock.now() + shift)[1]
        edits.edit(
            self._store, {"op": "set_modified", "kind": "product", "id": doc["id"], "gmt": gmt}
        )
        return f"{doc['id']} {gmt}"

    def trash_product(self) -> str:
        """Into the trash, where it can still be seen."""
        doc = self._product()
        if doc is None:
            return ""
        products.delete(self._store, doc["id"], force=False)
        return f"{doc['id']}"

    def restore_product(self) -> str:
        """Out of the trash again."""
        doc = self._some("product", lambda each: each["status"] == "trash")
        if doc is None:
            return ""
        products.update(self._store, doc["id"], {"status": "publish"}, checked=False)
        return f"{doc['id']}"

    def delete_product(self) -> str:
        """For good: nothing of it is left to be seen."""
        doc = self._some("product")
        if doc is None:
            return ""
        self._forget("product", doc["sku"])
        for child in doc["variations"]:
            known = self._store.read("variation", child)
            self._forget("variation", known["sku"] if known else "")
        products.delete(self._store, doc["id"], force=True)
        return f"{doc['id']} {doc['sku']}"

    def reuse_id(self) -> str:
        """A product goes for good, and its id is given to the next one."""
        doc = self._product("simple")
        if doc is None:
            return ""
        self._forget("product", doc["sku"])
        edits.edit(self._store, {"op": "reuse_id", "kind": "product", "id": doc["id"]})
        return f"{doc['id']} {doc['sku']} -> {self.new_product()}"

    # --- categories ----------------------------------------------------------------------------

    def new_category(self) -> str:
        """At the top, or below another one."""
        number = self._next()
        above = self._some("category") if self._dice.random() < 0.5 else None  # noqa: PLR2004
        payload = {"name": f"Shelf {number}", "parent": above["id"] if above else 0}
        return str(categories.create(self._store, payload, checked=False))

    def rename_category(self) -> str:
        """Its products show the new name under their old stamps."""
        doc = self._some("category", lambda each: each["name"].startswith("Shelf"))
        if doc is None:
            return ""
        name = f"Shelf {self._next()}"
        categories.update(self._store, doc["id"], {"name": name}, checked=False)
        return f"{doc['id']}"

    # --- customers -----------------------------------------------------------------------------

    def new_customer(self) -> str:
        """Somebody registers."""
        number = self._next()
        payload = {
            "email": f"person-{number}@example.com",
            "first_name": f"First {number}",
            "last_name": "Person",
            "billing": self._address(),
        }
        return str(customers.insert(self._store, payload))

    def _address(self) -> Doc:
        return {"address_1": f"{self._next()} Street", "city": "Town", "country": "GB"}

    def change_customer(self) -> str:
        """Somebody moves house."""
        doc = self._some("customer", lambda each: each["role"] == "customer")
        if doc is None:
            return ""
        customers.update(self._store, doc["id"], {"billing": self._address()}, checked=False)
        return f"{doc['id']}"

    def delete_customer(self) -> str:
        """Somebody leaves; the orders stay."""
        doc = self._some("customer", lambda each: each["role"] == "customer")
        if doc is None:
            return ""
        self._forget("customer", doc["email"])
        customers.delete(self._store, doc["id"], force=True)
        return f"{doc['id']}"

    # --- orders --------------------------------------------------------------------------------

    def new_order(self) -> str:
        """Somebody buys, with an account or without."""
        buyer = self._some("customer", lambda each: each["role"] == "customer")
        if self._dice.random() < 0.3:  # noqa: PLR2004
            buyer = None
        payload: Doc = {
            "status": self._dice.choice(_OPEN),
            "created_via": "checkout",
            "customer_id": buyer["id"] if buyer else 0,
            "billing": {
                **self._address(),
                "email": buyer["email"] if buyer else "guest@example.com",
            },
            "payment_method": "cod",
            "payment_method_title": "Cash",
            "transaction_id": f"tx-{self._next()}",
            "line_items": [self._line() for _ in range(self._dice.randrange(1, 3))],
            "shipping_lines": [
                {"method_id": "flat_rate", "method_title": "Post", "total": self._price()}
            ],
        }
        return str(orders.create(self._store, payload, checked=False))

    def _line(self) -> Doc:
        doc = self._product("simple")
        if doc is None:
            return {"name": f"Something {self._next()}", "quantity": 1, "total": self._price()}
        return {"product_id": doc["id"], "quantity": self._dice.randrange(1, 4)}

    def move_order(self) -> str:
        """An order goes on."""
        doc = self._order(*_OPEN)
        if doc is None:
            return ""
        status = self._dice.choice(_STATUSES)
        orders.update(self._store, doc["id"], {"status": status}, checked=False)
        return f"{doc['id']} {status}"

    def late_line(self) -> str:
        """A line is added to an order that was there."""
        doc = self._order(*_OPEN)
        if doc is None:
            return ""
        orders.update(self._store, doc["id"], {"line_items": [self._line()]}, checked=False)
        return f"{doc['id']}"

    def new_refund(self) -> str:
        """Some money goes back; the order's stamp moves."""
        doc = self._order("processing", "completed")
        if doc is None or refunds.remaining(doc) <= 1:
            return ""
        payload = {"amount": "0.50", "reason": f"Scratch {self._next()}", "api_refund": False}
        return str(refunds.create(self._store, doc["id"], payload, checked=False))

    def delete_refund(self) -> str:
        """A refund is taken back; the order's stamp does not move."""
        doc = self._some("refund")
        if doc is None:
            return ""
        refunds.delete(self._store, doc["parent_id"], doc["id"], force=True)
        return f"{doc['id']}"

    def note_on_order(self) -> str:
        """The buyer's note changes."""
        doc = self._order()
        if doc is None:
            return ""
        note = {"customer_note": f"Note {self._next()}"}
        orders.update(self._store, doc["id"], note, checked=False)
        return f"{doc['id']}"

    def trash_order(self) -> str:
        """Into the trash."""
        doc = self._order()
        if doc is None:
            return ""
        orders.delete(self._store, doc["id"], force=False)
        return f"{doc['id']}"

    def delete_order(self) -> str:
        """For good."""
        doc = self._some("order")
        if doc is None:
            return ""
        self._forget("order", str(doc["id"]))
        orders.delete(self._store, doc["id"], force=True)
        return f"{doc['id']}"

    def abandoned_cart(self) -> str:
        """A cart that may be placed later, under its old id."""
        made = int(self.new_order())
        effects.touch(self._store, "order", made, status="checkout-draft")
        return str(made)

    def place_cart(self) -> str:
        """A cart becomes an order."""
        doc = self._order("checkout-draft")
        if doc is None:
            return ""
        orders.update(self._store, doc["id"], {"status": "processing"}, checked=False)
        return f"{doc['id']}"


DEEDS: dict[str, Callable[[Shopkeepers], str]] = {
    name: deed
    for name, deed in vars(Shopkeepers).items()
    if callable(deed) and not name.startswith("_") and name not in ("fill", "do")
}
"""Everything that people do, by name."""
