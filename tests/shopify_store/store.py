"""The store's own storage, in memory: records by kind, custom data, and what happened."""

import itertools
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from tests.shopify_store import gids
from tests.shopify_store.bucket import Bucket
from tests.shopify_store.clock import Clock
from tests.shopify_store.config import StoreConfig
from tests.shopify_store.fields import Doc

# Ids are larger than 32 bits, as Shopify's are, and no two records of any kind share a number.
_FIRST_ID = 8_000_000_001
_WITH_EVENTS = ("Product", "Collection", "Order", "Customer")
# Fields by which single records are looked up, and which are written by `Store.name` therefore.
_NAMES = ("handle", "email", "phone", "path")


class Store:
    """Records are plain documents with the schema's names; names with `_` are the store's own."""

    def __init__(self, config: StoreConfig) -> None:
        self.config = config
        self.clock = Clock(config.time_source)
        self.bucket = Bucket(self.clock, config.bucket, config.restore_rate)
        self.tables: dict[str, dict[int, Doc]] = defaultdict(dict)
        self.metafields: dict[str, dict[tuple[str, str], Doc]] = defaultdict(dict)
        self._named: dict[tuple[str, str], dict[Any, int]] = defaultdict(dict)
        self.effects: list[Doc] = []
        self.idempotency: dict[str, tuple[str, Any]] = {}
        self.order_times: list[float] = []
        self.search_lag = 0.0
        self.forced_mails = False
        self.strict_domains = False
        self.bulk_fails_after: int | None = None
        self.bulk_error = "INTERNAL_SERVER_ERROR"
        self.bulk_truncates_at: int | None = None
        self.bulk_truncates_of: str | None = None
        self.import_swaps = False
        self._numbers = itertools.count(_FIRST_ID)
        self.order_numbers = itertools.count(1001)
        self.location = self.add("Location", name="Shop location", _active=True)
        self.publication = self.channel("Online Store", "online_store")
        self.channel("Point of Sale", "pos")

    # --- records --------------------------------------------------------------------------------

    def number(self) -> int:
        """A number that no record has."""
        return next(self._numbers)

    def add(self, kind: str, **values: Any) -> Doc:
        """A new record, stamped now."""
        number, now = self.number(), self.clock.stamp()
        doc = {
            "__typename": kind,
            "_n": number,
            "id": gids.gid(kind, number),
            "createdAt": now,
            "updatedAt": now,
            "_indexed": None,
            **values,
        }
        self.tables[kind][number] = doc
        if kind in _WITH_EVENTS:
            self.event(doc, "create")
        return doc

    def channel(self, name: str, handle: str) -> Doc:
        """A sales channel; only online stores can be told a date to come."""
        online = handle == "online_store"
        more = {"autoPublish": False, "supportsFuturePublishing": online}
        return self.add("Publication", name=name, _handle=handle, **more)

    def get(self, kind: str, identity: str | int | None) -> Doc | None:
        """A record by its number or its global id; None where there is none of this kind."""
        if isinstance(identity, int):
            return self.tables[kind].get(identity)
        return self.tables[kind].get(gids.number(identity, kind))

    def all(self, kind: str) -> list[Doc]:
        """Every record of a kind, in the order of their ids."""
        return list(self.tables[kind].values())

    def remove(self, doc: Doc) -> None:
        """Delete for good; custom data goes along, and an event stays."""
        for field in _NAMES:
            self._forget(doc, field)
        del self.tables[doc["__typename"]][doc["_n"]]
        self.metafields.pop(doc["id"], None)
        if doc["__typename"] in _WITH_EVENTS:
            self.event(doc, "destroy")

    def touch(self, doc: Doc) -> None:
        """Move a record's stamp; a search may find it by the old one for a while."""
        if doc["updatedAt"] < self.clock.stamp(-self.search_lag):
            doc["_indexed"] = doc["updatedAt"]
        doc["updatedAt"] = self.clock.stamp()

    def as_indexed(self, doc: Doc) -> Doc | None:
        """The record as searches see it; None where they do not see it yet."""
        if not self.search_lag or doc["updatedAt"] <= self.clock.stamp(-self.search_lag):
            return doc
        return {**doc, "updatedAt": doc["_indexed"]} if doc["_indexed"] else None

    def name(self, doc: Doc, field: str, value: str | None) -> None:
        """Write a field by which the record is looked up."""
        self._forget(doc, field)
        doc[field] = value
        if value is not None:
            self._named[doc["__typename"], field].setdefault(value, doc["_n"])

    def _forget(self, doc: Doc, field: str) -> None:
        held = self._named[doc["__typename"], field]
        if held.get(doc.get(field)) == doc["_n"]:
            del held[doc[field]]

    def named(self, kind: str, field: str, value: str) -> Doc | None:
        """The record of a kind with a handle, an email, a phone or a path."""
        return self.tables[kind].get(self._named[kind, field].get(value, 0))

    # --- custom data ----------------------------------------------------------------------------

    def metafield(self, owner: str, namespace: str, key: str) -> Doc | None:
        """A metafield by its owner's global id."""
        return self.metafields[owner].get((namespace, key))

    def owners(self, kind: str, namespace: str, key: str, value: str) -> Iterator[Doc]:
        """Records of a kind that have this value in a metafield."""
        for doc in self.tables[kind].values():
            held = self.metafields[doc["id"]].get((namespace, key))
            if held is not None and held["value"] == value:
                yield doc

    # --- what happened --------------------------------------------------------------------------

    def event(self, doc: Doc, action: str) -> None:
        """A line in the store's history."""
        kind = str(doc["__typename"])
        number, now = self.number(), self.clock.stamp()
        self.tables["Event"][number] = {
            "__typename": "BasicEvent",
            "_n": number,
            "id": gids.gid("BasicEvent", number),
            "action": action,
            "createdAt": now,
            "updatedAt": now,
            "_indexed": None,
            "subjectId": doc["id"],
            "subjectType": kind.upper(),
            "message": f"{kind} {action}",
            "appTitle": "Practice",
            "attributeToApp": True,
            "attributeToUser": False,
            "criticalAlert": False,
        }

    def effect(self, kind: str, **what: Any) -> None:
        """Something that reached the world: a mail, a movement of stock, a payment."""
        self.effects.append({"kind": kind, "at": self.clock.stamp(), **what})

    def mail(self, order: Doc, template: str) -> None:
        """A mail to an order's buyer, which its timeline tells of."""
        self.effect("mail", template=template, order=order["id"])
        self.event(order, "mail_sent")


def slug(text: str) -> str:
    """A title as a handle."""
    words = "".join(each if each.isalnum() else " " for each in text.lower()).split()
    return "-".join(words)
