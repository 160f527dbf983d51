"""Orders as the add-on writes them: exactly as they are sent, and without any consequence."""

import secrets
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sandbox import lines, orders, refunds
from sandbox.customers import merge_address
from sandbox.store import Store, missing
from sandbox.totals import RATE_ID, amount, money, rate_doc, tax_rate
from sandbox.wire import ApiError, Doc

PART = "_recent_sync_part"
REFUND = "_recent_sync_refund"
NUMBER = "_recent_sync_number"
_PROPS = (
    "currency",
    "prices_include_tax",
    "customer_id",
    "customer_note",
    "payment_method",
    "payment_method_title",
    "transaction_id",
)
_DATES = ("date_created", "date_paid", "date_completed")
_SUMS = (
    "discount_total",
    "discount_tax",
    "shipping_total",
    "shipping_tax",
    "cart_tax",
    "total",
)
_UNKNOWN_RATE = 900_000_000
_KEY_LENGTH = 100
_TAKEN = "_reduced_stock"


def save(store: Store, data: Doc) -> tuple[int, bool]:
    """Create or update an order, found by its id or key; its id, and whether it is new.

    Errors: 400 for a key that is none or an unknown customer, 404 for an id that is none.
    """
    key = data.get("key")
    if not isinstance(key, str) or not 0 < len(key) <= _KEY_LENGTH:
        raise ApiError(400, "recent_sync_invalid_key", "An order needs a key.")
    known = int(data.get("id") or 0) or ids_by_key(store, [key]).get(key, 0)
    doc = store.read("order", known) if known else _blank(store, key)
    if doc is None:
        raise missing("order")
    private = store.private("order", known) if known else {}
    customer = int(data.get("customer_id") or 0)
    if customer and store.read("customer", customer) is None:
        message = "There is no such customer."
        raise ApiError(400, "woocommerce_rest_invalid_customer_id", message)
    _set_fields(store, doc, data, private)
    _set_parts(store, doc, data)
    for name in _SUMS:
        if name in data:
            doc[name] = money(amount(data[name]))
    doc["total_tax"] = money(amount(doc["cart_tax"]) + amount(doc["shipping_tax"]))
    doc["id"] = known or store.new_id()
    doc["number"] = _number(doc)
    orders.complete(store, doc)
    store.save("order", doc, creating=not known, private=private)
    if "refunds" in data:
        _set_refunds(store, doc, data["refunds"])
    return int(doc["id"]), not known


def ids_by_key(store: Store, keys: Sequence[str]) -> dict[str, int]:
    """Orders by what they say they were created by: what is alive first, the oldest of doubles."""
    marks = ",".join("?" * len(keys))
    rows = store.storage.rows(
        f"SELECT key, id FROM records WHERE kind = 'order' AND latest = 1 AND key IN ({marks})"  # noqa: S608
        " ORDER BY status <> 'trash', id DESC",
        keys,
    )
    return {str(key): int(number) for key, number in rows}


def marked(parts: Sequence[Doc], name: str) -> dict[str, int]:
    """Ids of parts by the name that they carry as meta data."""
    found = {}
    for part in parts:
        for entry in part["meta_data"]:
            if entry["key"] == name and entry["value"]:
                found[str(entry["value"])] = int(part["id"])
    return found


def named_refunds(store: Store, order: Doc) -> dict[str, int]:
    """Ids of our refunds of an order by the source's ids."""
    docs = [store.read("refund", int(each["id"])) for each in order["refunds"]]
    return marked([doc for doc in docs if doc], REFUND)


def _blank(store: Store, key: str) -> Doc:
    doc = orders.blank(store.config)
    doc["order_key"] = f"wc_order_{secrets.token_hex(7)}"
    doc["created_via"] = key
    doc["date_created"], doc["date_created_gmt"] = store.clock.stamps()
    return doc


def _number(doc: Doc) -> str:
    kept = [entry["value"] for entry in doc["meta_data"] if entry["key"] == NUMBER]
    return str(kept[0]) if kept and kept[0] else str(doc["id"])


def _set_fields(store: Store, doc: Doc, data: Doc, private: Doc) -> None:
    for name in _PROPS:
        if name in data:
            doc[name] = data[name]
    for name in ("billing", "shipping"):
        merge_address(doc[name], data.get(name))
    if "status" in data:
        doc["status"] = str(data["status"])
    for name in _DATES:
        if f"{name}_gmt" in data:
            gmt = data[f"{name}_gmt"]
            doc[f"{name}_gmt"], doc[name] = gmt, store.clock.local_of(gmt) if gmt else None
    metas = list(data.get("meta_data") or [])
    if "number" in data:
        metas.append({"key": NUMBER, "value": data["number"]})
    doc["meta_data"] = store.meta(metas, doc["meta_data"])
    if "stock_taken" in data:
        private["stock_reduced"] = bool(data["stock_taken"])
        if "line_items" not in data:
            _mark_stock(store, doc, taken=bool(data["stock_taken"]))


def _mark_stock(store: Store, doc: Doc, *, taken: bool) -> None:
    """What a later cancellation gives back, of lines that are not written themselves."""
    for line in doc["line_items"]:
        known = any(entry["key"] == _TAKEN for entry in line["meta_data"])
        if not taken or not known:
            value = _left(store, doc, line) if taken else None
            line["meta_data"] = store.meta([{"key": _TAKEN, "value": value}], line["meta_data"])


def _left(store: Store, doc: Doc, line: Doc) -> int:
    """How much of a line was not given back."""
    back = 0
    for each in doc["refunds"]:
        refund = store.read("refund", int(each["id"])) or {"line_items": []}
        for part in refund["line_items"]:
            if part["meta_data"][0]["value"] == str(line["id"]):
                back -= int(part["quantity"])
    return max(0, int(line["quantity"]) - back)


# -- parts


def _set_parts(store: Store, doc: Doc, data: Doc) -> None:
    """The list that is sent is the whole list of its kind."""
    rates = [_rate(store, each, n) for n, each in enumerate(data.get("tax_lines") or [])]
    for kind in lines.KINDS:
        if kind in data:
            doc[kind] = [_part(store, doc[kind], kind, each, rates) for each in data[kind]]
    if "coupon_lines" in data:
        doc["coupon_lines"] = [_coupon(store, each) for each in data["coupon_lines"]]
    if "tax_lines" in data:
        pairs = zip(data["tax_lines"], rates, strict=True)
        doc["tax_lines"] = [_tax(store, each, rate) for each, rate in pairs]


def _part(store: Store, there: list[Doc], kind: str, data: Doc, rates: Sequence[int]) -> Doc:
    name = str(data.get("part") or "")
    known = marked(there, PART).get(name) or int(data.get("id") or 0)
    there = [each for each in there if each["id"] == known]
    line = there[0] if there else lines.blank(kind)
    line["id"] = line["id"] or store.new_id("item")
    if kind == "line_items":
        lines.point(store, line, data)
    lines.fill(store, line, data)
    if "taxes" in data:
        _set_taxes(line, data["taxes"], rates)
    metas: list[Doc] = [{"key": PART, "value": name}] if name else []
    if "stock_taken" in data:
        metas.append({"key": _TAKEN, "value": int(data["stock_taken"]) or None})
    line["meta_data"] = [
        {**entry, "display_key": entry["key"], "display_value": entry["value"]}
        for entry in store.meta(metas, line["meta_data"])
    ]
    return line


def _set_taxes(line: Doc, taxes: Sequence[Doc], rates: Sequence[int]) -> None:
    line["taxes"] = [
        {
            "id": rates[each["line"]] if each["line"] < len(rates) else _UNKNOWN_RATE,
            "total": str(each["total"]),
            "subtotal": str(each.get("subtotal", each["total"])),
        }
        for each in taxes
    ]
    line["total_tax"] = _sum(line["taxes"], "total")
    if "subtotal_tax" in line:
        line["subtotal_tax"] = _sum(line["taxes"], "subtotal")


def _sum(taxes: Sequence[Doc], name: str) -> str:
    return money(sum((amount(each[name]) for each in taxes), Decimal(0)))


def _rate(store: Store, line: Doc, index: int) -> int:
    """The id of this shop's rate of that code, else a number that belongs to none."""
    doc = rate_doc(store)
    code = f"{doc['name']}-{doc['priority']}".upper()
    is_ours = bool(tax_rate(store)) and str(line["rate_code"]).upper() == code
    return RATE_ID if is_ours else _UNKNOWN_RATE + index


def _tax(store: Store, data: Doc, rate: int) -> Doc:
    percent = data.get("rate_percent")
    return {
        "id": store.new_id("item"),
        "rate_code": data["rate_code"],
        "rate_id": rate,
        "label": data["label"],
        "compound": bool(data["compound"]),
        "tax_total": money(amount(data["tax_total"])),
        "shipping_tax_total": money(amount(data["shipping_tax_total"])),
        "rate_percent": None if percent is None else float(percent),
        "meta_data": [],
    }


def _coupon(store: Store, data: Doc) -> Doc:
    return {
        "id": store.new_id("item"),
        "code": str(data["code"]).lower(),
        "discount": money(amount(data["discount"])),
        "discount_tax": money(amount(data["discount_tax"])),
        "meta_data": [],
        "discount_type": "fixed_cart",
        "nominal_amount": 0,
        "free_shipping": False,
    }


# -- refunds


def _set_refunds(store: Store, order: Doc, wanted: Sequence[Doc]) -> None:
    """Ours that are gone from the source go; those of other people stay as they are. One that
    another tool has brought over is named by its `id`, and becomes ours.
    """
    there = named_refunds(store, order)
    unmarked = {int(each["id"]) for each in order["refunds"]} - set(there.values())
    for data in wanted:
        known = there.pop(str(data["refund"]), 0)
        if not known and int(data.get("id") or 0) in unmarked:
            known = int(data["id"])
        doc = store.read("refund", known) if known else None
        if doc is not None and known in unmarked:
            mark = {"key": REFUND, "value": data["refund"]}
            doc["meta_data"] = store.meta([mark], doc["meta_data"])
        is_new = doc is None
        if doc is None:
            doc = refunds.document(store, order, _refund(order, data), amount(data["amount"]))
            _set_refund_taxes(order, doc, data)
        doc["amount"], doc["reason"] = money(amount(data["amount"])), data["reason"]
        if data.get("date_created_gmt"):
            doc["date_created_gmt"] = data["date_created_gmt"]
            doc["date_created"] = store.clock.local_of(data["date_created_gmt"])
        store.save("refund", doc, touch=False, creating=is_new)
        entry = {"id": doc["id"], "reason": doc["reason"], "total": f"-{doc['amount']}"}
        others = [each for each in order["refunds"] if each["id"] != doc["id"]]
        order["refunds"] = [entry, *others]
    for number in there.values():
        store.erase("refund", number)
        order["refunds"] = [each for each in order["refunds"] if each["id"] != number]
    store.save("order", order)


def _refund(order: Doc, data: Doc) -> Doc:
    """A refund in the words of the REST API."""
    body: Doc = {
        "reason": data["reason"],
        "meta_data": [{"key": REFUND, "value": data["refund"]}],
    }
    for kind in lines.KINDS:
        ids = marked(order[kind], PART)
        own = {each["id"] for each in order[kind]}
        body[kind] = [
            {"id": number, "quantity": each["quantity"], "refund_total": each["total"]}
            for each in data["lines"]
            if (number := ids.get(each["part"]) or int(each.get("id") or 0)) in own
        ]
    return body


def _set_refund_taxes(order: Doc, doc: Doc, data: Doc) -> None:
    """Taxes that went back: the negative of what is given, like everything in a refund."""
    rates = [each["rate_id"] for each in order["tax_lines"]]
    names = {
        number: name for kind in lines.KINDS for name, number in marked(order[kind], PART).items()
    }
    given: dict[str, Any] = {each["part"]: each["taxes"] for each in data["lines"]}
    for kind in lines.KINDS:
        for line in doc[kind]:
            original = int(line["meta_data"][0]["value"])
            back = [
                {**each, "total": str(gone := -amount(each["total"])), "subtotal": str(gone)}
                for each in given.get(names.get(original, ""), [])
            ]
            _set_taxes(line, back, rates)
