"""The migration script that somebody wrote before us, with what is usual to go wrong.

It reads a WooCommerce shop over its API and puts everything into another one's database, under new
ids and with no trace of the old ones. Some records come out wrong, some are left behind, some are
put in twice; what it did is known here, so that an adoption of its work can be judged.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from connectors.records import Stream
from connectors.woocommerce.api import Api
from connectors.woocommerce.mapping_orders import IGNORED
from sandbox.wire import Doc

Load = Callable[[dict[str, list[Doc]]], Awaitable[dict[str, list[int]]]]
"""Puts documents by kind into the new shop, and answers with their ids: the practice store's
control `load`.
"""

_PAGE = 100
_FIRST_VARIATION = 5_000_000
"""Far above every number that the shop gives: a product names its variations before they are."""
_NEVER_COPIED = ("id", "_links", "number", "order_key", "transaction_id", "meta_data", "parent_id")


@dataclass(frozen=True, slots=True)
class Shares:
    """Of each stream's records; at least one of each where the share is not zero."""

    wrong: float = 0.03
    missing: float = 0.01
    doubled: float = 0.005


@dataclass(slots=True)
class Outcome:
    """What the script did: `pairs` by stream from the source's id to the target's, what it left
    behind, its second copies with the source's id of each, and the fields it got wrong.
    """

    pairs: dict[Stream, dict[str, str]] = field(default_factory=dict)
    missing: dict[Stream, set[str]] = field(default_factory=dict)
    doubled: dict[Stream, dict[str, str]] = field(default_factory=dict)
    wrong: dict[Stream, dict[str, str]] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """How many records came to what, over all streams."""
        names = ("pairs", "missing", "doubled", "wrong")
        return {name: sum(map(len, getattr(self, name).values())) for name in names}


@dataclass(frozen=True, slots=True)
class Judged:
    """How an adoption of the script's work went, record by record: `stream id`. `unnamed` are
    second copies that it did not name, or did not name as copies of their originals.
    """

    wrong: list[str]
    missed: list[str]
    unnamed: list[str]


def judge(
    done: Outcome,
    links: Mapping[Stream, Mapping[str, str]],
    doubled: Mapping[Stream, Mapping[str, str]],
) -> Judged:
    """`links` lead from the source's ids to the target's, `doubled` from the target's ids of what
    was named a double to the source's. Either of two copies may be the one that is linked.
    """
    found = Judged([], [], [])
    for stream, pairs in done.pairs.items():
        made, copies = links.get(stream, {}), done.doubled.get(stream, {})
        for old, new in made.items():
            if new != pairs.get(old) and copies.get(new) != old:
                found.wrong.append(f"{stream} {old}")
        found.missed.extend(f"{stream} {old}" for old in pairs if old not in made)
        named = doubled.get(stream, {})
        for copied, old in copies.items():
            left = pairs[old] if made.get(old) == copied else copied
            if named.get(left) != old:
                found.unnamed.append(f"{stream} {left}")
    return found


async def migrate_naively(
    source: Api, target: Api, load: Load, dice: Random, shares: Shares | None = None
) -> Outcome:
    """Copy categories, products, customers and orders. Raises `StoreError`."""
    script = _Script(load, dice, shares or Shares(), Outcome())
    there = {doc["slug"]: doc["id"] for doc in await _all(target, "products/categories")}
    await script.copy_categories(await _all(source, "products/categories"), there)
    await script.copy(Stream.PRODUCTS, "product", await _all(source, "products"))
    await script.copy_variations(source)
    accounts = {doc["email"]: doc["id"] for doc in await _all(target, "customers", role="all")}
    people = await _all(source, "customers", role="all")
    script.outcome.pairs[Stream.CUSTOMERS] = {
        str(doc["id"]): str(accounts[doc["email"]]) for doc in people if doc["email"] in accounts
    }
    people = [doc for doc in people if doc["email"] not in accounts]
    await script.copy(Stream.CUSTOMERS, "customer", people)
    orders = await _all(source, "orders")
    # A cart is no order.
    orders = [doc for doc in orders if doc["status"] not in IGNORED]
    await script.copy(Stream.ORDERS, "order", orders)
    return script.outcome


async def _all(source: Api, path: str, **query: str) -> list[Doc]:
    found: list[Doc] = []
    while True:
        asked: dict[str, str | int] = {"orderby": "id", "order": "asc", "per_page": _PAGE, **query}
        listed: Any = await source.list(path, asked | {"offset": len(found)}, dict)
        found += listed.rows
        if len(listed.rows) < _PAGE:
            return found


@dataclass(slots=True)
class _Script:
    load: Load
    dice: Random
    shares: Shares
    outcome: Outcome
    variable: set[str] = field(default_factory=set)
    variants: dict[str, int] = field(default_factory=dict)
    told: Counter[str] = field(default_factory=Counter)

    async def copy_categories(self, docs: list[Doc], there: dict[str, int]) -> None:
        """All of them, parents first: nobody makes a mistake with a handful. A new shop has its
        default category from the beginning.
        """
        known = {str(doc["id"]): str(there[doc["slug"]]) for doc in docs if doc["slug"] in there}
        pairs = self.outcome.pairs.setdefault(Stream.CATEGORIES, known)
        left = [doc for doc in docs if str(doc["id"]) not in pairs]
        while left:
            ready = [each for each in left if not each["parent"] or str(each["parent"]) in pairs]
            for doc in ready:
                parent = int(pairs.get(str(doc["parent"]), 0))
                made = await self.load({"category": [_plain(doc) | {"parent": parent}]})
                pairs[str(doc["id"])] = str(made["category"][0])
            left = [each for each in left if each not in ready]

    async def copy_variations(self, source: Api) -> None:
        """Those of each product that was copied, under the numbers that it names already."""
        for old, new in self.outcome.pairs[Stream.PRODUCTS].items():
            if old in self.variable:
                docs = await _all(source, f"products/{old}/variations", status="any")
                copies = [
                    _plain(doc) | {"parent_id": int(new), "id": self.variants[str(doc["id"])]}
                    for doc in docs
                ]
                await self.load({"variation": copies})

    async def copy(self, stream: Stream, kind: str, docs: list[Doc]) -> None:
        """One stream, mistakes included."""
        chosen = self._fates(docs)
        copies: list[tuple[str, Doc, bool]] = []
        for doc in docs:
            old, fate = str(doc["id"]), chosen.get(doc["id"], "")
            if fate == "missing":
                self.outcome.missing.setdefault(stream, set()).add(old)
                continue
            made = self._translated(kind, _plain(doc))
            if doc.get("variations"):
                self.variable.add(old)
            if fate == "wrong":
                self.outcome.wrong.setdefault(stream, {})[old] = self._spoil(kind, made)
            copies.append((old, made, False))
            if fate == "doubled":
                copies.append((old, self._second(made), True))
        # The shop numbers the parts itself, so that every document has to be one of its own.
        ids = (await self.load({kind: [made for _, made, _ in copies]}))[kind]
        pairs = self.outcome.pairs.setdefault(stream, {})
        for (old, _, is_second), new in zip(copies, ids, strict=True):
            if is_second:
                self.outcome.doubled.setdefault(stream, {})[str(new)] = old
            else:
                pairs[old] = str(new)

    def _fates(self, docs: list[Doc]) -> dict[int, str]:
        left = [doc["id"] for doc in docs]
        self.dice.shuffle(left)
        fates: dict[int, str] = {}
        for name in ("wrong", "missing", "doubled"):
            share = getattr(self.shares, name)
            count = max(1, round(len(docs) * share)) if share else 0
            fates |= dict.fromkeys(left[:count], name)
            left = left[count:]
        return fates

    # --- the new ids -------------------------------------------------------------------------

    def _translated(self, kind: str, doc: Doc) -> Doc:
        pairs = self.outcome.pairs
        if kind == "product":
            there = pairs[Stream.CATEGORIES]
            doc["variations"] = [self._new_variant(each) for each in doc["variations"]]
            doc["categories"] = [
                {**each, "id": int(there[str(each["id"])])} for each in doc["categories"]
            ]
        if kind == "order":
            doc["customer_id"] = int(pairs[Stream.CUSTOMERS].get(str(doc["customer_id"]), 0))
            doc["refunds"], doc["created_via"] = [], "import"
            for line in doc["line_items"]:
                line["product_id"] = int(pairs[Stream.PRODUCTS].get(str(line["product_id"]), 0))
                line["variation_id"] = self.variants.get(str(line["variation_id"]), 0)
            for name in ("line_items", "shipping_lines", "fee_lines"):
                for line in doc[name]:
                    del line["id"]
        return doc

    def _second(self, made: Doc) -> Doc:
        """The same once more. Of products a shop takes each SKU once and puts a number behind a
        slug that is taken; variations belong to one of them only.
        """
        again = copy.deepcopy(made)
        if "variations" in again:
            again |= {"variations": [], "sku": "", "slug": f"{again['slug']}-2"}
        return again

    def _new_variant(self, old: int) -> int:
        return self.variants.setdefault(str(old), _FIRST_VARIATION + len(self.variants))

    # --- mistakes ----------------------------------------------------------------------------

    def _spoil(self, kind: str, doc: Doc) -> str:
        """Make one mistake, each kind of it in turn, and say in which field."""
        ways = [way for way in _MISTAKES[kind] if way[1](doc)]
        name, _, spoil = ways[self.told[kind] % len(ways)]
        self.told[kind] += 1
        spoil(doc)
        return name


def _plain(doc: Doc) -> Doc:
    return {name: copy.deepcopy(doc[name]) for name in doc if name not in _NEVER_COPIED}


def _set(**fields: Any) -> Callable[[Doc], None]:
    return lambda doc: doc.update(fields)


def _cent(doc: Doc) -> None:
    """The total and its only line disagree with the old shop by one cent."""
    line = doc["line_items"][0]
    line["total"] = line["subtotal"] = f"{float(line['total']) + 0.01:.2f}"
    doc["total"] = f"{float(doc['total']) + 0.01:.2f}"


def _typo(doc: Doc) -> None:
    doc["name"] = f"{doc['name'][:-1]}{doc['name'][-2:]}"


def _free_line(doc: Doc) -> None:
    """A line whose product the script did not look for."""
    doc["line_items"][0] |= {"product_id": 0, "variation_id": 0}


def _other_email(doc: Doc) -> None:
    doc["billing"]["email"] = "nobody@example.com"


def _always(_: Doc) -> bool:
    return True


_MISTAKES: dict[str, list[tuple[str, Callable[[Doc], Any], Callable[[Doc], None]]]] = {
    "product": [
        ("regular_price", lambda doc: doc["regular_price"], _set(regular_price="0.01")),
        ("name", lambda doc: len(doc["name"]) > 2, _typo),  # noqa: PLR2004
        ("status", _always, _set(status="draft")),
        ("sku", lambda doc: doc["slug"] and doc["name"], _set(sku="")),
    ],
    "customer": [
        ("first_name", lambda doc: doc["first_name"], _set(first_name="")),
        ("email", _always, lambda doc: doc.update(email=doc["email"].upper())),
        ("billing", _always, lambda doc: doc["billing"].update(address_1="", city="")),
    ],
    "order": [
        ("status", _always, _set(status="on-hold")),
        ("total", lambda doc: doc["line_items"], _cent),
        ("email", _always, _other_email),
        ("shipping", _always, lambda doc: doc["shipping"].update(address_1="", city="")),
        ("lines", lambda doc: len(doc["line_items"]) > 1, lambda doc: doc["line_items"].pop()),
        ("customer", lambda doc: doc["customer_id"], _set(customer_id=0)),
        (
            "goods",
            lambda doc: doc["line_items"][:1] and doc["line_items"][0]["product_id"],
            _free_line,
        ),
    ],
}
"""By kind: the field, whether the mistake can be made in a document, and how it is made."""
