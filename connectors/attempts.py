"""What a failed write means for its records: refused, uncertain, or nothing happened at all."""

from __future__ import annotations

from connectors.answers import NEVER_SENT, STOPPED
from connectors.base import Operation, Outcome, Refused, Uncertain
from connectors.errors import BadAnswer, Rejected, SignInAgain, StoreError, TryLater, Unreachable

WRONG_PLACES = frozenset({"store_redirects", "store_bad_address"})
"""Codes of `BadAnswer` that say that no store got the request."""


class Attempt:
    """One call of `Target.write`: remembers whether anything may have been applied already,
    because only before that an exception tells the truth.

    `wrong_places` are codes of `BadAnswer` which say that the request went to no such store.
    """

    wrong_places = WRONG_PLACES

    def __init__(self) -> None:
        self.touched = False

    def outcome(self, operation: Operation, error: StoreError) -> Outcome:
        """What a failed request means for one of its operations.

        Raises the error itself where nothing at all was applied by this call.
        """
        if isinstance(error, Rejected):
            return self.refused(operation, error)
        if is_unapplied(error, self.wrong_places):
            if not self.touched:
                raise error
            return Uncertain(source_id=operation.source_id, reason=error.code, running=False)
        self.touched = True
        # An answer that makes no sense says nothing about the request: a proxy may have given it.
        running = error.code not in STOPPED
        return Uncertain(source_id=operation.source_id, reason=error.code, running=running)

    def refused(self, operation: Operation, error: Rejected) -> Refused:
        """Why a record was refused."""
        return Refused(
            source_id=operation.source_id,
            code=error.code,
            message=error.message,
            request_id=error.request_id,
        )


def is_unapplied(error: StoreError, wrong_places: frozenset[str] = WRONG_PLACES) -> bool:
    """Whether a write that failed this way surely changed nothing."""
    if isinstance(error, Unreachable):
        return error.code in NEVER_SENT
    if isinstance(error, BadAnswer):
        return error.code in wrong_places
    return isinstance(error, SignInAgain | TryLater)
