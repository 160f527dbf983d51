"""Faults: what can go wrong on demand, each with its own parameters, repeatable by a seed."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from random import Random
from typing import TYPE_CHECKING, Any

from sandbox.records import columns_of
from sandbox.storage import Torn
from sandbox.wire import Answer, ApiError, Doc, Request, decode, encode, html_answer, json_answer

if TYPE_CHECKING:
    from sandbox.store import Store

# Every fault with its parameters. Common to all that act by chance: `probability`, `times` (fire at
# most so often), `methods`, `route` (a part of the path). README.md of this folder explains each.
DEFAULTS: dict[str, Doc] = {
    "latency": {"seconds": 0.05, "jitter": 0.05, "probability": 1.0},
    "rate_limit": {"probability": 0.05, "shape": "mixed", "retry_after": 1},
    "rate_limit_day": {"probability": 1.0, "times": 1},
    "error_before": {"probability": 0.02, "status": 500},
    "error_after": {"probability": 0.02, "status": 502},
    "timeout_before": {"probability": 0.02, "hold": 0.0},
    "timeout_after": {"probability": 0.02, "hold": 0.0, "methods": ["POST", "PUT", "DELETE"]},
    "late_commit": {"probability": 0.02, "seconds": 1.0, "methods": ["POST", "PUT"]},
    "visibility_delay": {"seconds": 2.0, "probability": 1.0, "scope": "lists"},
    "torn_reads": {"seconds": 0.5, "probability": 0.5},
    "clock_skew": {"seconds": 90.0, "part": "clock"},
    "spurious_bumps": {"probability": 0.1, "count": 2},
    "move_on_update": {"probability": 0.5, "count": 3},
    "silent_children": {"probability": 0.05, "count": 1},
    "hard_deletes": {"probability": 0.02, "count": 1, "kind": "product"},
    "id_reuse": {},
    "html_page": {"probability": 0.02},
    "truncated_json": {"probability": 0.02},
    "unreadable": {"share": 0.01},
    "short_pages": {"probability": 0.05},
    "repeated_last_page": {},
    "forced_mails": {},
}
# A rough day that a careful client survives without loss: nothing here destroys or hides data
# for good, so both stores must still agree in the end.
ALL: dict[str, Doc] = {
    "latency": {"seconds": 0.002, "jitter": 0.01},
    "rate_limit": {"probability": 0.03, "shape": "mixed", "retry_after": 1},
    "error_before": {"probability": 0.015},
    "error_after": {"probability": 0.01},
    "timeout_before": {"probability": 0.01},
    "timeout_after": {"probability": 0.02},
    "visibility_delay": {"seconds": 2.0, "probability": 0.7},
    "torn_reads": {"seconds": 0.6, "probability": 0.5},
    "clock_skew": {"seconds": 90.0},
    "spurious_bumps": {"probability": 0.05, "count": 2},
    "html_page": {"probability": 0.005},
    "truncated_json": {"probability": 0.005},
}
_SHAPES = ("seconds", "date", "none")


@dataclass(frozen=True, slots=True)
class Drop:
    """The answer never comes: the connection is held `hold` seconds, then closed."""

    hold: float


class Faults:
    """Which faults are on, and what they do to one request or one write."""

    def __init__(self, store: "Store", seed: int = 1) -> None:
        self._store = store
        self._on: dict[str, Doc] = {}
        self._random = Random(seed)  # noqa: S311 - repeatable on purpose
        self.fired: dict[str, int] = {}

    # -- switching

    def switch(self, wanted: dict[str, Any]) -> None:
        """Change faults: `{name: {…}}` on, `{name: null or false}` off; others stay.

        `all` sets the whole named set (null: everything off), `seed` restarts the dice. Names are
        applied in the order given, so `all` first and an exception after it works. Unknown names
        and parameters give a 400.
        """
        for name, params in wanted.items():
            self._switch_one(name, params)
        self._apply_clock()
        self._store.storage.set_fact("faults", self._on)

    def _switch_one(self, name: str, params: Any) -> None:
        if name == "seed":
            self._random.seed(int(params))
            self.fired.clear()
        elif name == "all":
            self._switch_all(params)
        elif name not in DEFAULTS:
            raise ApiError(400, "unknown_fault", f"There is no fault {name!r}.")
        elif params is None or params is False:
            self._on.pop(name, None)
        else:
            given = params if isinstance(params, dict) else {}
            allowed = {*DEFAULTS[name], "probability", "times", "methods", "route"}
            if unknown := sorted(set(given) - allowed):
                raise ApiError(400, "unknown_parameter", f"{name} has no {', '.join(unknown)}.")
            self._on[name] = {**DEFAULTS[name], **given}
            self.fired.pop(name, None)

    def _switch_all(self, params: Any) -> None:
        self._on = {}
        if params is None or params is False:
            return
        leave_out = params.get("without", []) if isinstance(params, dict) else []
        for name, values in ALL.items():
            if name not in leave_out:
                self._switch_one(name, values)

    def _apply_clock(self) -> None:
        skew = self._on.get("clock_skew")
        seconds = float(skew["seconds"]) if skew else 0.0
        header_only = bool(skew and skew["part"] == "header")
        self._store.clock.skew = 0.0 if header_only else seconds
        self._store.clock.header_skew = seconds if header_only else 0.0

    def restore(self) -> None:
        """Take up the faults that were on when the store stopped."""
        self._on = dict(self._store.storage.fact("faults", {}))
        self._apply_clock()

    def state(self) -> Doc:
        """What is on, how often each fired, and what there is."""
        return {"on": self._on, "fired": self.fired, "known": DEFAULTS, "all": ALL}

    def active(self, name: str) -> Doc | None:
        """The parameters of a fault that is on."""
        return self._on.get(name)

    def roll(self, name: str, request: Request | None = None) -> Doc | None:
        """The parameters of a fault if it strikes now."""
        params = self._on.get(name)
        if params is None or (request is not None and not _matches(params, request)):
            return None
        times = params.get("times")
        if times is not None and self.fired.get(name, 0) >= int(times):
            return None
        if self._random.random() >= float(params.get("probability", 1.0)):
            return None
        self.fired[name] = self.fired.get(name, 0) + 1
        return params

    @property
    def random(self) -> Random:
        """The dice all faults share."""
        return self._random

    # -- one request

    def delay(self, request: Request) -> float:
        """Seconds to wait before a request is taken up."""
        params = self.roll("latency", request)
        if params is None:
            return 0.0
        return float(params["seconds"]) + self._random.random() * float(params["jitter"])

    def before(self, request: Request) -> Answer | Drop | None:
        """What happens instead of handling the request at all."""
        if self.roll("rate_limit_day", request):
            return _too_many([("Retry-After", "86400")])
        if params := self.roll("rate_limit", request):
            return self._rate_limited(params)
        if params := self.roll("error_before", request):
            body = {
                "code": "internal_server_error",
                "message": "There has been a critical error on this website.",
                "data": {"status": int(params["status"])},
            }
            return json_answer(body, int(params["status"]))
        if params := self.roll("timeout_before", request):
            return Drop(float(params["hold"]))
        return None

    def _rate_limited(self, params: Doc) -> Answer:
        shape = str(params["shape"])
        if shape == "mixed":
            shape = self._random.choice(_SHAPES)
        if shape == "none":
            return _too_many([])
        seconds = int(params["retry_after"])
        if shape == "date":
            when = datetime.fromtimestamp(self._store.clock.now(), UTC) + timedelta(seconds=seconds)
            return _too_many([("Retry-After", format_datetime(when, usegmt=True))])
        return _too_many([("Retry-After", str(seconds))])

    def commits_late(self, request: Request) -> float:
        """Seconds after which a write is done whose client hears nothing; 0: not this time."""
        params = self.roll("late_commit", request)
        return float(params["seconds"]) if params else 0.0

    def after(self, request: Request, answer: Answer) -> Answer | Drop:
        """What becomes of an answer when the request has been handled."""
        if params := self.roll("timeout_after", request):
            return Drop(float(params["hold"]))
        if params := self.roll("error_after", request):
            page = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
            return html_answer(int(params["status"]), page)
        if self.roll("html_page", request):
            return html_answer(200, "<!DOCTYPE html><html><body>Briefly unavailable.</body></html>")
        if answer.status == 200 and self.roll("truncated_json", request):  # noqa: PLR2004
            cut = answer.body[: max(1, len(answer.body) * 2 // 3)]
            return Answer(200, cut, answer.headers, answer.content_type)
        return answer

    def unreadable(self, record_id: int) -> bool:
        """Whether the key may not read this record (always the same ones)."""
        params = self._on.get("unreadable")
        if params is None:
            return False
        digest = hashlib.blake2s(str(record_id).encode(), digest_size=4).digest()
        return int.from_bytes(digest, "big") < float(params["share"]) * 2**32

    # -- one write

    def on_write(self, kind: str, doc: Doc) -> tuple[float, Torn | None]:
        """(seconds until lists show the write, what readers see of it for a while)."""
        delayed = self.roll("visibility_delay")
        delay = float(delayed["seconds"]) if delayed else 0.0
        if kind not in ("product", "order"):
            return delay, None
        params = self.roll("torn_reads")
        if params is None:
            return delay, None
        torn = self._torn_order(doc) if kind == "order" else self._torn_product(doc)
        if torn is None:
            return delay, None
        return delay, Torn(columns_of(kind, torn), encode(torn), float(params["seconds"]))

    def _torn_product(self, doc: Doc) -> Doc | None:
        """The new texts and stamp above the old prices and stock."""
        stored = self._store.storage.get("product", doc["id"])
        if stored is None:
            return None
        old = decode(stored.body)
        late = ("price", "regular_price", "sale_price", "on_sale", "stock_quantity", "stock_status")
        return {**doc, **{name: old[name] for name in late}}

    def _torn_order(self, doc: Doc) -> Doc:
        """A new order without its content; the old content of another one below the new stamp."""
        stored = self._store.storage.get("order", doc["id"])
        if stored is None:
            return _blank_order(doc)
        stamps = {name: doc[name] for name in ("date_modified", "date_modified_gmt")}
        return {**decode(stored.body), **stamps}


def _blank_order(doc: Doc) -> Doc:
    """The order as its first row shows it: pending, worth nothing, no lines yet."""
    zeros = ("discount_total", "discount_tax", "shipping_total", "shipping_tax", "cart_tax")
    empty = ("line_items", "tax_lines", "shipping_lines", "fee_lines", "coupon_lines")
    return {
        **doc,
        "status": "pending",
        **dict.fromkeys((*zeros, "total", "total_tax"), "0.00"),
        **{name: [] for name in empty},
    }


def _matches(params: Doc, request: Request) -> bool:
    methods = params.get("methods")
    if methods and request.method not in methods:
        return False
    return str(params.get("route", "")) in request.path


def _too_many(headers: list[tuple[str, str]]) -> Answer:
    body = {"code": "too_many_requests", "message": "Too many requests.", "data": {"status": 429}}
    return json_answer(body, 429, headers)
