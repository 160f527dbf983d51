"""What a refused change means for its record, in words that stay the same."""

from __future__ import annotations

import msgspec

from connectors import attempts
from connectors.base import Applied, Match, Operation, Outcome, Refused
from connectors.errors import Rejected
from connectors.medusa.api import RefusedRequest

_TAKEN = {"handle": "duplicate_slug", "sku": "duplicate_sku", "email": "email_exists"}


class Attempt(attempts.Attempt):
    """One call of `Target.write` on a Medusa store."""

    wrong_places = attempts.Attempt.wrong_places | {"store_not_medusa"}

    def refused(self, operation: Operation, error: Rejected) -> Refused:
        """Why a record was refused; `gone` where it was to be changed and is not there."""
        found = super().refused(operation, error)
        if not isinstance(error, RefusedRequest):
            return found
        if error.is_gone and operation.target_id is not None:
            return gone(operation)
        for name, code in _TAKEN.items():
            if name in error.taken:
                return msgspec.structs.replace(found, code=code)
        return found


def gone(operation: Operation) -> Refused:
    """The record to change is not there."""
    text = "the record is not there any more"
    return Refused(source_id=operation.source_id, code="gone", message=text, gone=True)


def known_by(outcome: Outcome, match: Match) -> Outcome:
    """The outcome for a record that was to be created and was there already."""
    if not isinstance(outcome, Applied):
        return outcome
    return msgspec.structs.replace(outcome, found=match.by)


def no_such(operation: Operation, code: str, message: str) -> Refused:
    """The record cannot be written as it is."""
    return Refused(source_id=operation.source_id, code=code, message=message)
