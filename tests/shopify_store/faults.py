"""What goes wrong on demand, each so many times; nothing here happens by chance."""

from dataclasses import dataclass, field
from typing import Any

from tests.shopify_store.fields import Doc
from tests.shopify_store.store import Store

# Each takes `times` (1), `mutations` (true: it waits for a mutation) and `only` (it waits for a
# request that holds this text); some take more.
REQUEST_FAULTS = {
    "throttled": "the bucket is empty: 200 with THROTTLED",
    "throttled_for_a_day": "429 with Retry-After: 86400",
    "too_many": "429 with Retry-After: `seconds` (2)",
    "server_error": "`status` (500) with a page",
    "internal_error": "200 with INTERNAL_SERVER_ERROR and no data",
    "timeout_before": "nothing is done and nothing is answered",
    "timeout_after": "everything is done and nothing is answered",
    "error_after": "everything is done and 502 is answered",
    "web_page": "200 with a page instead of JSON",
    "half_json": "the answer is cut in the middle",
    "partial_data": "the last record of the first list is null, with an error beside the data",
    "other_version": "another version answers, as its header says",
    "signed_out": "401, as after a token was withdrawn",
    "file_cut_off": "a file breaks off in the middle",
    "upload_fails": "a file that is put there is not taken: `status` (503)",
}
STATE_FAULTS = {
    "search_lag": "searches see changes `seconds` late",
    "clock_skew": "the store's clock is `seconds` wrong",
    "bulk_fails": "the next bulk operation fails `after` so many records, with `code`",
    "bulk_truncates": "bulk operations leave out all but `at` children of each connection, of one"
    " record (its id) if `of` is given",
    "forced_mails": "an app has every new order confirmed by a mail",
    "strict_domains": "no email is taken whose domain nobody can look up",
    "import_swaps": "imports of redirects take the columns for each other, if `on`",
    "drain": "another worker of the app spends `points`",
}


class UnknownFault(Exception):
    """There is no such fault."""


@dataclass
class Faults:
    """Which faults are armed, and how often each has struck."""

    store: Store
    armed: dict[str, Doc] = field(default_factory=dict)
    struck: dict[str, int] = field(default_factory=dict)

    def arm(self, name: str, given: Any) -> None:
        """Arm a fault, or disarm it by None. Raises `UnknownFault`."""
        if name in STATE_FAULTS:
            self._state(name, given)
        elif name not in REQUEST_FAULTS:
            raise UnknownFault(name)
        elif given is None:
            self.armed.pop(name, None)
        else:
            self.armed[name] = {"times": 1, **given}

    def strikes(self, name: str, asked: bytes = b"") -> Doc | None:
        """The fault's parameters if it strikes this request now; each strike counts."""
        given = self.armed.get(name)
        if given is None or (given.get("mutations") and b"mutation" not in asked[:200]):
            return None
        if given.get("only", "").encode() not in asked:
            return None
        given["times"] -= 1
        if given["times"] <= 0:
            del self.armed[name]
        self.struck[name] = self.struck.get(name, 0) + 1
        return given

    def _state(self, name: str, given: Doc | None) -> None:
        values = given or {}
        match name:
            case "search_lag":
                self.store.search_lag = float(values.get("seconds", 0))
            case "clock_skew":
                self.store.clock.skew = float(values.get("seconds", 0))
            case "bulk_fails":
                self.store.bulk_fails_after = values.get("after")
                self.store.bulk_error = values.get("code", "INTERNAL_SERVER_ERROR")
            case "bulk_truncates":
                self.store.bulk_truncates_at = values.get("at")
                self.store.bulk_truncates_of = values.get("of")
            case "forced_mails":
                self.store.forced_mails = given is not None
            case "strict_domains":
                self.store.strict_domains = given is not None
            case "import_swaps":
                self.store.import_swaps = bool(values.get("on"))
            case "drain":
                self.store.bucket.drain(float(values.get("points", 0)))
