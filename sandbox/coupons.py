"""Coupons: enough of them that an order's coupon line has its real consequences."""

from decimal import Decimal

from sandbox.schema import validate
from sandbox.store import Store, missing
from sandbox.totals import amount, calculate, money
from sandbox.wire import ApiError, Doc


def create(store: Store, payload: Doc, *, checked: bool = True) -> int:
    """Make a coupon; a code in use gives 400."""
    if checked:
        validate("coupon", payload)
    code = str(payload.get("code") or "").lower()
    if not code or find(store, code):
        message = "The coupon code already exists" if code else "Coupon code is required."
        raise ApiError(400, "woocommerce_rest_coupon_code_already_exists", message)
    local, gmt = store.clock.stamps()
    coupon_id = store.new_id()
    doc: Doc = {
        "id": coupon_id,
        "code": code,
        "amount": money(amount(payload.get("amount", "0"))),
        "status": "publish",
        "date_created": local,
        "date_created_gmt": gmt,
        "date_modified": local,
        "date_modified_gmt": gmt,
        "discount_type": payload.get("discount_type") or "fixed_cart",
        "description": payload.get("description") or "",
        "usage_count": 0,
        "usage_limit": payload.get("usage_limit"),
        "free_shipping": False,
        "meta_data": store.meta(payload.get("meta_data")),
        "_links": store.links(f"coupons/{coupon_id}"),
    }
    store.save("coupon", doc, creating=True)
    return coupon_id


def update(store: Store, coupon_id: int, payload: Doc, *, checked: bool = True) -> int:
    """Change a coupon's amount, kind, text or limit."""
    if checked:
        validate("coupon", payload)
    doc = store.read("coupon", coupon_id)
    if doc is None:
        raise missing("coupon", 400)
    for name in ("discount_type", "description", "usage_limit"):
        if payload.get(name) is not None:
            doc[name] = payload[name]
    if payload.get("amount") is not None:
        doc["amount"] = money(amount(payload["amount"]))
    store.save("coupon", doc)
    return coupon_id


def delete(store: Store, coupon_id: int, *, force: bool) -> Doc:
    """Trash a coupon, or with `force` remove it."""
    doc = store.read("coupon", coupon_id)
    if doc is None:
        raise missing("coupon")
    if force:
        store.erase("coupon", coupon_id)
    else:
        doc["status"] = "trash"
        store.save("coupon", doc)
    return doc


def find(store: Store, code: str) -> Doc | None:
    """The coupon of a code, whatever its case."""
    sql = (
        "SELECT id FROM records WHERE kind = 'coupon' AND key = ? AND latest = 1"
        " AND status <> 'trash'"
    )
    rows = store.storage.rows(sql, (code.lower(),))
    return store.read("coupon", rows[0][0]) if rows else None


def apply(store: Store, order: Doc, payload: Doc) -> None:
    """Discount an order again by the coupons of a payload, and count their use."""
    if not isinstance(payload.get("coupon_lines"), list):
        return
    found = [_valid(store, item) for item in payload["coupon_lines"]]
    order["coupon_lines"] = []
    for line in order["line_items"]:
        line["total"] = line["subtotal"]
    for coupon in found:
        off = _discount(order, coupon)
        coupon["usage_count"] += 1
        store.save("coupon", coupon)
        order["coupon_lines"].append(
            {
                "id": store.new_id("item"),
                "code": coupon["code"],
                "discount": money(off),
                "discount_tax": "0.00",
                "meta_data": [],
                "discount_type": coupon["discount_type"],
                "nominal_amount": float(coupon["amount"]),
                "free_shipping": False,
            }
        )
    calculate(store, order)


def _valid(store: Store, item: Doc) -> Doc:
    if item.get("id"):
        message = "Coupon item ID is readonly."
        raise ApiError(400, "woocommerce_rest_coupon_item_id_readonly", message)
    coupon = find(store, str(item.get("code") or ""))
    if coupon is None:
        message = f'Coupon "{item.get("code", "")}" does not exist!'
        raise ApiError(400, "woocommerce_rest_invalid_coupon", message)
    return coupon


def _discount(order: Doc, coupon: Doc) -> Decimal:
    """Take a coupon off the goods, in proportion to what they cost; gives the sum taken off."""
    worth = amount(coupon["amount"])
    goods = sum((amount(line["total"]) for line in order["line_items"]), Decimal(0))
    wanted = goods * worth / 100 if coupon["discount_type"] == "percent" else min(goods, worth)
    taken = Decimal(0)
    for n, line in enumerate(order["line_items"]):
        total = amount(line["total"])
        last = n == len(order["line_items"]) - 1
        share = (
            wanted - taken if last else amount(money(wanted * total / goods if goods else goods))
        )
        taken += share
        line["total"] = money(total - share)
        line["price"] = float(amount(line["total"]) / line["quantity"]) if line["quantity"] else 0
    return taken
