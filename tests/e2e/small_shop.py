"""A shop of about seventy records, and a day's changes to it, made over its own API."""

from __future__ import annotations

from typing import Any, Self

from app.cli.demo.practice import PracticeStore
from tests.fixtures.shops import open_client

_SIZES = ("S", "M", "L")
_GOODS, _PEOPLE, _ORDERS = 12, 14, 20


class SmallShop:
    """A practice store as its own staff and buyers use it. A context manager."""

    def __init__(self, store: PracticeStore) -> None:
        self._client = open_client(store)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def open(self, *, times: int = 1) -> None:
        """Fill the empty shop; `times` makes it larger."""
        self._days = 0
        root = self._send("POST", "products/categories", {"name": "Home"})["id"]
        child = {"name": "Lights", "parent": root}
        category = self._send("POST", "products/categories", child)["id"]
        goods = [_mug(n, category) for n in range(_GOODS * times)]
        self._goods = self._create("products", goods)
        self._sell_shirts()
        self._people = self._create("customers", [_person(n) for n in range(_PEOPLE * times)])
        orders = [
            self._order(n, self._people[n % len(self._people)]) for n in range(_ORDERS * times)
        ]
        # A guest bought as well.
        orders[0]["customer_id"] = 0
        self._orders = self._create("orders", orders)

    def trade(self) -> None:
        """One more day: new and changed records in every stream."""
        self._days += 1
        number = 1000 + self._days
        [mug] = self._create("products", [_mug(number)])
        self._goods.insert(0, mug)
        [person] = self._create("customers", [_person(number)])
        orders = [self._order(0, person), self._order(1, self._people[self._days % _PEOPLE])]
        self._orders += self._create("orders", orders)
        old = self._goods[1 + self._days % _GOODS]
        self._send("PUT", f"products/{old}", {"regular_price": f"{self._days + 20}.50"})
        moved = self._people[(self._days + 1) % _PEOPLE]
        self._send("PUT", f"customers/{moved}", {"last_name": f"Moved{self._days}"})
        sent = self._orders[self._days % _ORDERS]
        self._send("PUT", f"orders/{sent}", {"customer_note": f"Left on day {self._days}"})

    def _sell_shirts(self) -> None:
        attribute = {"name": "Size", "variation": True, "visible": True, "options": list(_SIZES)}
        shirt = {"name": "Shirt", "sku": "SHIRT", "type": "variable", "attributes": [attribute]}
        made = self._send("POST", "products", shirt)["id"]
        variations = [
            {
                "sku": f"SHIRT-{size}",
                "regular_price": "19.95",
                "manage_stock": True,
                "stock_quantity": 30,
                "attributes": [{"name": "Size", "option": size}],
            }
            for size in _SIZES
        ]
        self._create(f"products/{made}/variations", variations)

    def _order(self, number: int, person: int) -> dict[str, Any]:
        return {
            "status": "completed" if number % 3 else "processing",
            "customer_id": person,
            "billing": {"first_name": "Ada", "email": f"buyer{number}@example.com"},
            "line_items": [
                {"product_id": self._goods[(number + n) % len(self._goods)], "quantity": n + 1}
                for n in range(2)
            ],
        }

    def _create(self, path: str, items: list[dict[str, Any]]) -> list[int]:
        """Ids of new records, a hundred to a request."""
        made: list[int] = []
        for start in range(0, len(items), 100):
            found = self._send("POST", f"{path}/batch", {"create": items[start : start + 100]})
            made += [each["id"] for each in found["create"]]
        assert all(made), "every record was accepted"
        return made

    def _send(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self._client.request(method, f"/{path}", json=body)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


def _mug(number: int, category: int | None = None) -> dict[str, Any]:
    return {
        "name": f"Mug {number}",
        "sku": f"MUG-{number}",
        "regular_price": f"{number % 90 + 1}.25",
        "manage_stock": True,
        "stock_quantity": 100 + number,
        **({"categories": [{"id": category}]} if category else {}),
    }


def _person(number: int) -> dict[str, Any]:
    return {
        "email": f"person{number}@example.com",
        "username": f"person{number}",
        "first_name": "Ada",
        "last_name": f"King{number}",
        "billing": {"address_1": f"{number} High Street", "city": "London", "country": "GB"},
    }
