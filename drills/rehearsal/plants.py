"""Twenty-one faults that migrations leave behind, planted on a pair that agrees, and taken back.

Each names the check that has to find it, and those that see the same thing from their side. Any
other one that fails is a false alarm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from drills.rehearsal.stage import Stage, Undo

Doc = dict[str, Any]

_CENT = Decimal("0.01")


class Chosen(NamedTuple):
    """Records of a pair that agrees, changed by its last run so that every check looks at them.

    Ids on the target, but for `source_product`. `product` and `other` are simple products with a
    SKU; `order` is one of a customer with an account, being processed; `refunded` has a refund.
    """

    product: int
    other: int
    source_product: int
    category: int
    customer: int
    order: int
    refunded: int


@dataclass(frozen=True)
class Plant:
    """A fault. `expected` has to find it, `related` may."""

    name: str
    expected: str
    related: frozenset[str]
    plant: Callable[[Stage, Chosen], Undo]


def _order(stage: Stage, chosen: Chosen) -> Doc:
    found: Doc = stage.target.get(f"/orders/{chosen.order}")
    return found


def _patch_order(stage: Stage, chosen: Chosen, **fields: Any) -> Undo:
    return stage.target.patch("order", chosen.order, f"/orders/{chosen.order}", **fields)


def _patch_product(stage: Stage, chosen: Chosen, **fields: Any) -> Undo:
    return stage.target.patch("product", chosen.product, f"/products/{chosen.product}", **fields)


# --- orders ---------------------------------------------------------------------------------------


def _customer_lost(stage: Stage, chosen: Chosen) -> Undo:
    return _patch_order(stage, chosen, customer_id=0)


def _a_cent_more(stage: Stage, chosen: Chosen) -> Undo:
    total = Decimal(_order(stage, chosen)["total"]) + _CENT
    return _patch_order(stage, chosen, total=str(total))


def _refund_lost(stage: Stage, chosen: Chosen) -> Undo:
    path = f"/orders/{chosen.refunded}"
    [refund, *_] = stage.target.get(f"{path}/refunds")
    put_back = stage.target.patch("order", chosen.refunded, path, refunds=[])
    stage.target.edit("refund", refund["id"], parent_id=0)

    def undo() -> None:
        stage.target.edit("refund", refund["id"], parent_id=chosen.refunded)
        put_back()

    return undo


def _address_lost(stage: Stage, chosen: Chosen) -> Undo:
    order = _order(stage, chosen)
    return _patch_order(stage, chosen, shipping=dict.fromkeys(order["shipping"], ""))


def _order_twice(stage: Stage, chosen: Chosen) -> Undo:
    order = _order(stage, chosen)
    copy = {name: value for name, value in order.items() if name not in ("id", "_links", "refunds")}
    _, undo = stage.target.load("order", copy)
    return undo


def _number_taken(stage: Stage, chosen: Chosen) -> Undo:
    """The new shop has sold something itself, under a number of the old one."""
    order = _order(stage, chosen)
    number = next(iter(stage.links("orders")))
    own = {
        "number": str(number),
        "status": "processing",
        "currency": order["currency"],
        "total": "12.00",
        "created_via": "checkout",
        "billing": {"email": "walk.in@example.com"},
    }
    _, undo = stage.target.load("order", own)
    return undo


# --- products -------------------------------------------------------------------------------------


def _unpublished(stage: Stage, chosen: Chosen) -> Undo:
    return _patch_product(stage, chosen, status="draft")


def _old_price(stage: Stage, chosen: Chosen) -> Undo:
    price = stage.target.get(f"/products/{chosen.product}")["regular_price"]
    old = str(Decimal(price) + 1)
    return _patch_product(stage, chosen, regular_price=old, price=old)


def _skus_swapped(stage: Stage, chosen: Chosen) -> Undo:
    one = stage.target.get(f"/products/{chosen.product}")["sku"]
    two = stage.target.get(f"/products/{chosen.other}")["sku"]
    undo_one = _patch_product(stage, chosen, sku=two)
    undo_two = stage.target.patch("product", chosen.other, f"/products/{chosen.other}", sku=one)

    def undo() -> None:
        undo_two()
        undo_one()

    return undo


def _taken_from_stock_twice(stage: Stage, chosen: Chosen) -> Undo:
    order = _order(stage, chosen)
    line = next(each for each in order["line_items"] if each["product_id"])
    if line["variation_id"]:
        kind, record = "variation", line["variation_id"]
        path = f"/products/{line['product_id']}/variations/{record}"
    else:
        kind, record = "product", line["product_id"]
        path = f"/products/{record}"
    quantity = stage.target.get(path)["stock_quantity"] - line["quantity"]
    return stage.target.patch(kind, record, path, stock_quantity=quantity)


def _category_lost(stage: Stage, chosen: Chosen) -> Undo:
    path = f"/products/categories/{chosen.category}"
    return stage.target.take("category", chosen.category, path)


# --- people ---------------------------------------------------------------------------------------


def _account_twice(stage: Stage, chosen: Chosen) -> Undo:
    email = stage.target.get(f"/customers/{chosen.customer}")["email"]
    _, undo = stage.target.load("customer", {"email": email.upper(), "username": "twice"})
    return undo


# --- what runs left behind ------------------------------------------------------------------------


def _mail_sent(stage: Stage, chosen: Chosen) -> Undo:
    """The order was written while mails were on: the platform notes each."""
    path = f"/orders/{chosen.order}"
    status = _order(stage, chosen)["status"]
    known = {each["id"] for each in stage.target.get(f"{path}/notes")}
    change = stage.target.patch("order", chosen.order, path, status="pending")
    stage.target.send("PUT", path, {"status": status})
    change()
    _patch_order(stage, chosen, status=status)
    notes = [each["id"] for each in stage.target.get(f"{path}/notes") if each["id"] not in known]

    def undo() -> None:
        for note in notes:
            stage.target.send("DELETE", f"{path}/notes/{note}?force=true")

    return undo


def _untrusted(stage: Stage, chosen: Chosen) -> Undo:
    del chosen
    path = f"{stage.path}/streams/orders"
    stage.api.put(path, {"trust": "sweep", "reason": "Seen to change behind its dates."})

    def undo() -> None:
        stage.api.put(path, {"trust": "declared", "reason": "Mended."})

    return undo


def _stale(stage: Stage, chosen: Chosen) -> Undo:
    """The old shop changed a product after the last run."""
    path = f"/products/{chosen.source_product}"
    before = stage.source.get(path)["weight"]
    stage.source.send("PUT", path, {"weight": "12.5"})

    def undo() -> None:
        stage.source.send("PUT", path, {"weight": before})
        stage.run({"kind": "recent", "cutover": True})

    return undo


def _refused(stage: Stage, chosen: Chosen) -> Undo:
    """The old shop has half a piece in stock, and the new one takes whole ones only."""
    product, path = chosen.source_product, f"/products/{chosen.source_product}"
    whole = stage.source.get(path)["stock_quantity"]
    stage.source.edit("product", product, stock_quantity=whole + 0.5)
    stage.run({"kind": "recent"})

    def undo() -> None:
        stage.source.edit("product", product, stock_quantity=whole)
        stage.run({"kind": "recent", "cutover": True})

    return undo


# --- addresses ------------------------------------------------------------------------------------


def _renamed(stage: Stage, chosen: Chosen) -> Undo:
    """Something else held the slug when the product was made."""
    product = stage.target.get(f"/products/{chosen.product}")
    slug, address = product["slug"], product["permalink"]
    change = _patch_product(
        stage, chosen, slug=f"{slug}-2", permalink=address.replace(slug, f"{slug}-2")
    )
    _, remove = stage.target.load(
        "product", {"name": "Somebody else's", "slug": slug, "status": "publish"}
    )

    def undo() -> None:
        remove()
        change()

    return undo


def _guessed(stage: Stage, chosen: Chosen) -> Undo:
    """The product is hidden, and WordPress leads to another one that begins alike."""
    slug = stage.target.get(f"/products/{chosen.product}")["slug"]
    change = _patch_product(stage, chosen, status="draft")
    _, remove = stage.target.load(
        "product", {"name": "Begins alike", "slug": f"{slug}-large", "status": "publish"}
    )

    def undo() -> None:
        remove()
        change()

    return undo


def _path_of(stage: Stage, chosen: Chosen) -> str:
    return f"/product/{stage.target.get(f'/products/{chosen.product}')['slug']}/"


def _loop(stage: Stage, chosen: Chosen) -> Undo:
    """A plugin leads an old address to another one, and that one back."""
    path = _path_of(stage, chosen)
    other = f"/goods{path}"
    return stage.target.dress("redirects", **{path: other, other: path})


def _title_lost(stage: Stage, chosen: Chosen) -> Undo:
    return stage.target.dress("titles", **{_path_of(stage, chosen): "Untitled"})


_SHOWN = frozenset(("data.content", "workflows.shopper"))

PLANTS = (
    Plant(
        "order without its customer",
        "data.relations",
        frozenset(("data.content", "workflows.returning")),
        _customer_lost,
    ),
    Plant(
        "total wrong by a cent",
        "data.money",
        frozenset(("data.content", "workflows.support")),
        _a_cent_more,
    ),
    Plant(
        "product unpublished",
        "workflows.shopper",
        frozenset(("data.content", "urls.answer", "urls.content")),
        _unpublished,
    ),
    Plant("price of before", "data.money", _SHOWN, _old_price),
    Plant(
        "slug taken, product renamed",
        "urls.slugs",
        frozenset(("urls.answer", "urls.content", "data.content")),
        _renamed,
    ),
    Plant(
        "redirect guessed",
        "urls.answer",
        frozenset(("workflows.shopper", "data.content")),
        _guessed,
    ),
    Plant("redirect loop", "urls.loops", frozenset(("urls.answer", "urls.content")), _loop),
    Plant("title changed", "urls.content", frozenset(), _title_lost),
    Plant("stock deducted twice", "effects.stock", _SHOWN, _taken_from_stock_twice),
    Plant(
        "refund missing",
        "data.money",
        frozenset(("data.content", "workflows.support")),
        _refund_lost,
    ),
    Plant("address dropped", "workflows.fulfilment", frozenset(("data.content",)), _address_lost),
    Plant(
        "email doubled in another case",
        "workflows.returning",
        frozenset(("data.doubled", "preflight.space")),
        _account_twice,
    ),
    Plant(
        "order there twice",
        "data.doubled",
        frozenset(("numbers.collisions", "workflows.returning", "workflows.support")),
        _order_twice,
    ),
    Plant(
        "SKUs swapped",
        "data.content",
        frozenset(("workflows.shopper", "preflight.space", "data.doubled")),
        _skus_swapped,
    ),
    Plant(
        "order number taken",
        "numbers.collisions",
        frozenset(("data.doubled", "workflows.support")),
        _number_taken,
    ),
    Plant("mail sent", "effects.mails", frozenset(("effects.stock",)), _mail_sent),
    Plant(
        "quarantine not empty",
        "data.quarantine",
        frozenset(("data.content", "data.freshness", "effects.stock")),
        _refused,
    ),
    Plant("stream stale", "data.freshness", frozenset(("data.content",)), _stale),
    Plant("stream not trusted", "preflight.trust", frozenset(), _untrusted),
    Plant(
        "category missing",
        "data.ids",
        frozenset(("data.relations", "data.content", "urls.answer", "urls.content")),
        _category_lost,
    ),
)
