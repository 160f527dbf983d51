"""The public Store API, as far as a shopper's first steps: looking for goods, and a cart.

A cart is known by its token. It takes nothing from stock and makes no order: both happen at the
checkout, which is not here.
"""

import secrets
from collections import OrderedDict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sandbox.goods import with_shared_stock
from sandbox.store import Store
from sandbox.wire import SITE, Answer, ApiError, Doc, Request, decode, json_answer

ROOT = "/wp-json/wc/store/v1"
_CARTS = 1000
_LONGEST = 100
_MINOR = 2

Cart = dict[int, int]
"""Quantities by the id of a product or variation."""


class StoreApi:
    """One shop's public API. Carts live as long as the process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._carts: OrderedDict[str, Cart] = OrderedDict()
        self._acts: dict[tuple[str, str], Callable[[Request], Answer]] = {
            ("GET", "products"): self._products,
            ("GET", "cart"): self._cart,
            ("POST", "cart/add-item"): self._add,
            ("DELETE", "cart/items"): self._empty,
        }

    def answer(self, request: Request) -> Answer:
        """Answer anybody: the API knows no keys. Errors: 404 `rest_no_route`."""
        act = self._acts.get((request.method, request.path.removeprefix(ROOT).strip("/")))
        if act is None:
            message = "No route was found matching the URL and request method."
            raise ApiError(404, "rest_no_route", message)
        return act(request)

    # -- goods

    def _products(self, request: Request) -> Answer:
        """Published goods, those that the catalogue hides too; variations by their SKU alone."""
        query = request.query
        where, params = _BY_SKU, [each.lower() for each in query.get("sku").split(",") if each]
        if params:
            where = where.format(",".join("?" * len(params)))
        else:
            where, params = "kind = 'product' AND title LIKE ?", [f"%{query.get('search')}%"]
        rows = self._store.storage.rows(
            f"SELECT body FROM records JOIN bodies USING (rid) WHERE {where} AND latest = 1"  # noqa: S608
            " AND status = 'publish' ORDER BY created_local DESC, id DESC",
            params,
        )
        docs = [decode(row[0]) for row in rows]
        size = min(int(query.get("per_page", "10")), _LONGEST)
        count = str(len(docs))
        return json_answer([self._shown(doc) for doc in docs[:size]], 200, [("X-WP-Total", count)])

    def _shown(self, doc: Doc) -> Doc:
        price = _minor(self._price(doc))
        return {
            "id": doc["id"],
            "name": doc["name"],
            "slug": doc.get("slug", ""),
            "parent": doc.get("parent_id", 0),
            "type": doc["type"],
            "sku": doc["sku"],
            "permalink": f"{SITE}/product/{doc.get('slug', '')}/",
            "prices": {
                "price": price,
                "regular_price": _minor(doc["regular_price"]) or price,
                "sale_price": _minor(doc["sale_price"]) or price,
                "currency_code": self._store.config.currency,
                "currency_minor_unit": _MINOR,
            },
            "is_purchasable": bool(price),
            "is_in_stock": self._in_stock(doc),
            "variations": [{"id": each, "attributes": []} for each in doc.get("variations", [])],
        }

    def _variations(self, doc: Doc) -> list[Doc]:
        found = [self._store.read("variation", each) for each in doc.get("variations", [])]
        return [each for each in found if each and each["status"] == "publish"]

    def _price(self, doc: Doc) -> str:
        """The price in force; of a variable product the lowest one."""
        if doc["type"] != "variable":
            return str(doc["price"])
        prices = [each["price"] for each in self._variations(doc) if each["price"]]
        return str(min(prices, key=Decimal, default=""))

    def _in_stock(self, doc: Doc) -> bool:
        if doc["type"] == "variable" and doc["manage_stock"] is not True:
            return any(self._in_stock(each) for each in self._variations(doc))
        above = self._store.read("product", int(doc.get("parent_id") or 0))
        shown = with_shared_stock(doc, above) if above else doc
        return bool(shown["stock_status"] != "outofstock")

    # -- the cart

    def _cart(self, request: Request) -> Answer:
        token = request.headers.get("cart-token", "")
        if token not in self._carts:
            token = secrets.token_urlsafe(24)
            self._carts[token] = {}
            if len(self._carts) > _CARTS:
                self._carts.popitem(last=False)
        return self._cart_answer(token)

    def _add(self, request: Request) -> Answer:
        """One more of a product. Errors: 401 without a token, 400 for what cannot be bought."""
        token, payload = self._token(request), request.json()
        number = int(payload.get("id") or 0)
        doc = self._store.read("product", number) or self._store.read("variation", number)
        if doc is None or doc["status"] != "publish":
            raise ApiError(400, "woocommerce_rest_cart_invalid_product", "It cannot be added.")
        if not self._price(doc) or doc["type"] == "variable":
            message = "That product is not available for purchase."
            raise ApiError(400, "woocommerce_rest_product_not_purchasable", message)
        if not self._in_stock(doc):
            raise ApiError(400, "woocommerce_rest_product_out_of_stock", "It is out of stock.")
        cart = self._carts[token]
        cart[number] = cart.get(number, 0) + int(payload.get("quantity") or 1)
        return self._cart_answer(token, 201)

    def _empty(self, request: Request) -> Answer:
        token = self._token(request)
        self._carts[token].clear()
        return json_answer([], 200, [("Cart-Token", token)])

    def _token(self, request: Request) -> str:
        token = request.headers.get("cart-token", "")
        if token not in self._carts:
            message = "Missing the Nonce header. This endpoint requires a valid nonce."
            raise ApiError(401, "woocommerce_rest_missing_nonce", message)
        return token

    def _cart_answer(self, token: str, status: int = 200) -> Answer:
        items = [{"id": number, "quantity": many} for number, many in self._carts[token].items()]
        cart = {"items": items, "items_count": sum(each["quantity"] for each in items)}
        return json_answer(cart, status, [("Cart-Token", token)])


_BY_SKU = "kind IN ('product', 'variation') AND key IN ({})"


def _minor(price: Any) -> str:
    """A price in the currency's smallest unit; an empty one stays empty."""
    return str(int((Decimal(price) * 10**_MINOR).to_integral_value())) if price else ""
