"""The lines of an order: goods, shipping and fees. A line without `id` is a new line, always."""

from decimal import Decimal
from typing import Any

from sandbox import effects, goods
from sandbox.store import Store
from sandbox.totals import amount, money
from sandbox.wire import ApiError, Doc

KINDS = ("line_items", "shipping_lines", "fee_lines")
_NULL_MEANS_REMOVE = ("product_id", "method_id", "method_title", "name")


def apply(store: Store, order: Doc, payload: Doc, private: Doc) -> bool:
    """Take over the lines of a payload; says whether there were any."""
    touched = False
    for kind in KINDS:
        given = payload.get(kind)
        if not isinstance(given, list):
            continue
        touched = True
        for item in given:
            if isinstance(item, dict):
                _apply_one(store, order, kind, item, private)
    return touched


def _apply_one(store: Store, order: Doc, kind: str, item: Doc, private: Doc) -> None:
    if not item.get("id"):
        order[kind].append(_new(store, kind, item))
        return
    line = next((line for line in order[kind] if line["id"] == int(item["id"])), None)
    if line is None:
        message = "Order item ID provided is not associated with order."
        raise ApiError(400, "woocommerce_rest_invalid_item_id", message)
    if _is_removal(item):
        order[kind].remove(line)
        return
    if kind == "line_items" and ("product_id" in item or item.get("sku")):
        point(store, line, item)
    fill(store, line, item)
    if kind == "line_items":
        effects.line_stock(store, order, private, line)


def blank(kind: str) -> Doc:
    """A part of a kind without anything."""
    line: Doc = _BLANKS[kind]()
    return line


def _is_removal(item: Doc) -> bool:
    named_null = any(name in item and item[name] is None for name in _NULL_MEANS_REMOVE)
    return named_null or item.get("quantity") == 0


def _new(store: Store, kind: str, item: Doc) -> Doc:
    line = blank(kind)
    line["id"] = store.new_id("item")
    if kind == "line_items":
        if not item.get("sku") and "product_id" not in item and not item.get("variation_id"):
            message = "Product ID or SKU is required."
            raise ApiError(400, "woocommerce_rest_required_product_reference", message)
        point(store, line, item)
        line["quantity"] = int(item.get("quantity") or 1)
        price = amount(line["price"] or 0)
        line["subtotal"] = line["total"] = money(price * line["quantity"])
        if "total" in item and "subtotal" not in item:
            line["subtotal"] = money(max(amount(item["total"]), amount(line["subtotal"])))
    elif kind == "shipping_lines" and not item.get("method_id") and not item.get("method_title"):
        message = "Shipping method ID is required."
        raise ApiError(400, "woocommerce_rest_invalid_shipping_item", message)
    elif kind == "fee_lines" and not item.get("name"):
        raise ApiError(400, "woocommerce_rest_invalid_fee_item", "Fee name is required.")
    fill(store, line, item)
    return line


def point(store: Store, line: Doc, item: Doc) -> None:
    """Find the line's product. A `sku` beats `product_id`; an unknown one leads to no product."""
    line["product_id"], line["variation_id"], line["sku"] = 0, 0, ""
    if item.get("sku"):
        holder = goods.sku_holder(store, str(item["sku"]))
        if holder is None:
            return
        kind, record_id = holder
    elif item.get("variation_id"):
        kind, record_id = "variation", int(item["variation_id"])
    else:
        kind, record_id = "product", int(item.get("product_id") or 0)
    found = store.storage.glance(kind, record_id) if record_id else None
    if found is None:
        return
    if kind == "variation":
        line["product_id"], line["variation_id"] = found.parent_id, record_id
        above = store.storage.glance("product", found.parent_id)
        line["parent_name"] = above.name if above else None
        line["name"] = f"{line['parent_name'] or ''} - {found.name}"
    else:
        line["product_id"], line["name"] = record_id, found.name
    line["sku"], line["price"] = found.sku, found.price


def fill(store: Store, line: Doc, item: Doc) -> None:
    """Take over what is said of a part."""
    for name in ("name", "method_title", "method_id", "instance_id", "tax_class", "tax_status"):
        if name in line and item.get(name) is not None:
            line[name] = str(item[name])
    if "quantity" in line and item.get("quantity") is not None:
        line["quantity"] = int(item["quantity"])
    for name in ("subtotal", "total"):
        if name in line and item.get(name) is not None:
            line[name] = money(amount(item[name]))
    if "meta_data" in item:
        line["meta_data"] = [
            {**entry, "display_key": entry["key"], "display_value": entry["value"]}
            for entry in store.meta(item["meta_data"], line["meta_data"])
        ]
    if "quantity" in line:
        quantity = line["quantity"]
        line["price"] = float(Decimal(line["total"]) / quantity) if quantity else 0


def line_item() -> Doc:
    """A blank goods line."""
    return {
        "id": 0,
        "name": "",
        "product_id": 0,
        "variation_id": 0,
        "quantity": 1,
        "tax_class": "",
        "subtotal": "0.00",
        "subtotal_tax": "0.00",
        "total": "0.00",
        "total_tax": "0.00",
        "taxes": [],
        "meta_data": [],
        "sku": "",
        "global_unique_id": "",
        "price": 0,
        "image": {"id": "", "src": ""},
        "parent_name": None,
    }


def shipping_line() -> Doc:
    """A blank shipping line."""
    return {
        "id": 0,
        "method_title": "",
        "method_id": "",
        "instance_id": "",
        "total": "0.00",
        "total_tax": "0.00",
        "taxes": [],
        "tax_status": "taxable",
        "meta_data": [],
    }


def fee_line() -> Doc:
    """A blank fee line."""
    return {
        "id": 0,
        "name": "",
        "tax_class": "",
        "tax_status": "taxable",
        "amount": "",
        "total": "0.00",
        "total_tax": "0.00",
        "taxes": [],
        "meta_data": [],
    }


_BLANKS: dict[str, Any] = {
    "line_items": line_item,
    "shipping_lines": shipping_line,
    "fee_lines": fee_line,
}
