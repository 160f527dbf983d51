"""What can go wrong between us and a store, grouped by what the caller should do.

    StoreError
    ├── TryLater        the store asks for time, or could not be reached: come back after `after`
    │   └── Unreachable no connection, no answer in time, a broken answer of a proxy
    ├── SignInAgain     credentials are wrong, expired, or lack a permission
    ├── Rejected        the store understood the request and refuses it: do not repeat it
    └── BadAnswer       the answer is not what this platform answers: not its API, not JSON, cut off

Messages never hold response bodies, credentials or personal data: they end up in logs and in
answers to API callers.
"""

from __future__ import annotations

from collections.abc import Mapping


class StoreError(Exception):
    """Any failure in talking to a store.

    `code` is stable and meant for machines; `message` is one sentence for a person;
    `request_id` is the store's own name for the request, where it gave one.
    """

    default_code = "store_error"

    def __init__(
        self, message: str, *, code: str | None = None, request_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.request_id = request_id


class TryLater(StoreError):
    """The store is busy or limits us; nothing was applied. `after` is in seconds."""

    default_code = "store_busy"

    def __init__(
        self,
        message: str,
        *,
        after: float,
        code: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, code=code, request_id=request_id)
        self.after = after


class Unreachable(TryLater):
    """No usable answer arrived. A write may nevertheless have happened, or still be running."""

    default_code = "store_unreachable"

    def __init__(self, message: str, *, after: float = 5.0, code: str | None = None) -> None:
        super().__init__(message, after=after, code=code)


class SignInAgain(StoreError):
    """The credentials are not accepted, or lack a permission that the call needs."""

    default_code = "store_unauthorized"


class Rejected(StoreError):
    """The store refuses this very request; repeating it would be refused again."""

    default_code = "store_rejected"


class BadAnswer(StoreError):
    """The answer cannot be understood. It is never read as an empty page."""

    default_code = "store_bad_answer"


def request_ref(headers: Mapping[str, str]) -> str | None:
    """The store's own name for a request, by the headers of its answer, None where it has none."""
    return headers.get("x-request-id") or headers.get("cf-ray")
