"""The store: its configuration, clock, storage, faults and the one way a document is written."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.feed import Feed
from sandbox.records import columns_of
from sandbox.storage import KEEP, Storage
from sandbox.wire import SITE, ApiError, Doc, decode, encode

# Who causes a change: "api" for REST clients, "replay" for the shop's own traffic,
# "control" for edits by the test's hand.
ORIGIN: ContextVar[str] = ContextVar("origin", default="api")

# Whether a request disturbs nobody: it carries the mark, and the store has the add-on.
SILENT: ContextVar[bool] = ContextVar("silent", default=False)


VERSION = "10.0.2"
"""Of WooCommerce, whose dialect the store speaks."""

# WordPress numbers posts, users and terms apart; the first of each are its own.
_FIRST_IDS = {"post": 101, "user": 1, "term": 15, "item": 1, "meta": 1}


@dataclass(frozen=True, slots=True)
class Key:
    """One REST API key; `permissions` is `read`, `write` or `read_write`."""

    key: str
    secret: str = field(repr=False)
    permissions: str = "read_write"


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """What makes one practice store; `folder` None keeps everything in memory."""

    folder: Path | None = None
    keys: tuple[Key, ...] = (Key("ck_practice", "cs_practice"),)
    timezone: str = "America/New_York"
    currency: str = "GBP"
    tax_rate: str = "0"  # per cent, one rate for every address
    name: str = "Practice store"
    site_url: str | None = None  # None: the address the client called
    addon: bool = False  # whether the shop has our plugin
    version: str = VERSION  # of WooCommerce, as the shop tells it
    control_token: str | None = field(default=None, repr=False)
    time_source: Callable[[], float] = time.time


class Store:
    """One shop's state and the services every part of the API shares."""

    def __init__(self, config: StoreConfig) -> None:
        self.config = config
        self.clock = Clock(config.timezone, config.time_source)
        self.storage = Storage(config.folder, self.clock.true_now)
        self.feed = Feed(self.storage, self.clock, on=config.addon)
        self.faults = Faults(self)
        self.writes: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self.two_at_once = asyncio.Semaphore(2)
        self._counted: tuple[int, dict[int, int]] | None = None
        self.is_new = not self.storage.fact("founded")
        if not self.is_new:
            self.clock.set_zone(self.storage.fact("timezone", config.timezone))
            self.faults.restore()

    def found(self) -> None:
        """Begin to count ids, in a store that holds nothing."""
        for sequence, first in _FIRST_IDS.items():
            self.storage.set_fact(f"next_{sequence}", first)
        self.storage.set_fact("founded", int(self.clock.now()))
        self._counted = None

    def install_addon(self, *, there: bool) -> None:
        """From now on the shop has our plugin, or has it not."""
        self.config = replace(self.config, addon=there)
        self.feed = Feed(self.storage, self.clock, on=there)

    # -- documents

    def read(self, kind: str, record_id: int) -> Doc | None:
        """The newest state of a document, for the store's own use."""
        stored = self.storage.get(kind, record_id)
        return None if stored is None else decode(stored.body)

    def shown(self, kind: str, record_id: int) -> bytes | None:
        """The JSON a reader of this one document sees."""
        stored = self.storage.get(kind, record_id, torn=True)
        return None if stored is None else stored.body

    def private(self, kind: str, record_id: int) -> Doc:
        """What a document keeps for itself and no answer shows."""
        stored = self.storage.get(kind, record_id)
        return decode(stored.private) if stored and stored.private else {}

    def save(
        self,
        kind: str,
        doc: Doc,
        *,
        private: Doc | None = None,
        touch: bool = True,
        creating: bool = False,
    ) -> None:
        """Write a document; `touch` moves its `date_modified`."""
        if touch:
            doc["date_modified"], doc["date_modified_gmt"] = self.clock.stamps()
        columns = columns_of(kind, doc)
        if private is None and not creating:
            hidden: bytes | None = KEEP
        else:
            hidden = encode(private) if private else None
        delay, torn = self.faults.on_write(kind, doc) if touch else (0.0, None)
        self.storage.put(columns, encode(doc), hidden, delay=delay, torn=torn)
        self.count(kind, "created" if creating else "updated")
        self.feed.changed(kind, doc)
        if creating:
            self.webhook(f"{kind}.created", doc["id"])
        else:
            self.webhook(f"{kind}.updated", doc["id"])

    def erase(self, kind: str, record_id: int) -> None:
        """Remove a document without a trace."""
        gone = self.read(kind, record_id) or {}
        self.storage.remove(kind, record_id)
        self.count(kind, "deleted")
        self.feed.deleted(kind, record_id, int(gone.get("parent_id") or 0))
        self.webhook(f"{kind}.deleted", record_id)
        if self.faults.active("id_reuse") is not None and kind in ("product", "order"):
            free = self.storage.fact("free_ids", [])
            self.storage.set_fact("free_ids", [*free, record_id])

    def new_id(self, sequence: str = "post") -> int:
        """The next id; with the fault `id_reuse`, a freed one first."""
        free = self.storage.fact("free_ids", [])
        if sequence == "post" and free:
            self.storage.set_fact("free_ids", free[1:])
            return int(free[0])
        return self.storage.next_id(sequence)

    # -- what happened

    def count(self, kind: str, what: str) -> None:
        """Count a write by its origin."""
        self.writes[f"{ORIGIN.get()} {kind} {what}"] += 1

    def note(self, kind: str, **detail: Any) -> None:
        """Write an entry into the journal of side effects."""
        self.storage.note(self.clock.true_now(), ORIGIN.get(), kind, detail)

    def webhook(self, topic: str, record_id: int) -> None:
        """Record the deliveries that active webhooks of a topic would get."""
        for hook in [] if SILENT.get() else self.storage.fact("active_webhooks", []):
            if hook["topic"] == topic:
                self.note("webhook", topic=topic, record=record_id, webhook=hook["id"])

    def category_counts(self) -> dict[int, int]:
        """How many products each category has, by id; counted again after product writes."""
        version = sum(n for what, n in self.writes.items() if " product " in what)
        if self._counted is None or self._counted[0] != version:
            self._counted = (version, self._count_categories())
        return self._counted[1]

    def _count_categories(self) -> dict[int, int]:
        counts: dict[int, int] = {}
        for (value,) in self.storage.rows(
            "SELECT json_extract(CAST(body AS TEXT), '$.categories') FROM records JOIN bodies"
            " USING (rid) WHERE kind = 'product' AND latest = 1 AND status <> 'trash'"
        ):
            for item in decode(value or "[]"):
                counts[item["id"]] = counts.get(item["id"], 0) + 1
        return counts

    # -- settings and links

    def setting(self, group: str, name: str, default: Any = None) -> Any:
        """The value of a setting that was changed, or the default."""
        return self.storage.fact(f"setting {group} {name}", default)

    def links(self, path: str, parent: str | None = None) -> Doc:
        """The `_links` of a document at `path` below the API's root."""
        root = f"{SITE}/wp-json/wc/v3"
        found: Doc = {
            "self": [{"href": f"{root}/{path}"}],
            "collection": [{"href": f"{root}/{path.rsplit('/', 1)[0]}"}],
        }
        if parent:
            found["up"] = [{"href": f"{root}/{parent}"}]
        return found

    def meta(self, given: Any, current: list[Doc] | None = None) -> list[Doc]:
        """Meta data after `given` was merged in: by id, else by key; a null value removes."""
        entries = [dict(entry) for entry in current or []]
        for item in given if isinstance(given, list) else []:
            if not isinstance(item, dict) or ("key" not in item and "id" not in item):
                continue
            self._merge_meta(entries, item)
        return entries

    def _merge_meta(self, entries: list[Doc], item: Doc) -> None:
        def same(entry: Doc) -> bool:
            if item.get("id"):
                return bool(entry["id"] == item["id"])
            return bool(entry["key"] == item.get("key"))

        found = next((entry for entry in entries if same(entry)), None)
        value = item.get("value", "")
        if found is not None and value is None:
            entries.remove(found)
        elif found is not None:
            found["value"] = value
        elif value is not None and item.get("key"):
            entries.append({"id": self.new_id("meta"), "key": str(item["key"]), "value": value})


def missing(kind: str, status: int = 404) -> ApiError:
    """The error for a record that is not there; a PUT answers 400 where a GET answers 404."""
    code, message = _MISSING[kind]
    return ApiError(status, code, message)


_MISSING = {
    "product": ("woocommerce_rest_product_invalid_id", "Invalid ID."),
    "variation": ("woocommerce_rest_product_variation_invalid_id", "Invalid ID."),
    "order": ("woocommerce_rest_shop_order_invalid_id", "Invalid ID."),
    "refund": ("woocommerce_rest_shop_order_refund_invalid_id", "Invalid ID."),
    "customer": ("woocommerce_rest_invalid_id", "Invalid resource ID."),
    "category": ("woocommerce_rest_term_invalid", "Resource does not exist."),
    "coupon": ("woocommerce_rest_shop_coupon_invalid_id", "Invalid ID."),
    "note": ("woocommerce_rest_invalid_id", "Invalid resource ID."),
    "webhook": ("woocommerce_rest_shop_webhook_invalid_id", "Invalid ID."),
}
