"""Sending changes: what becomes of a record whose write takes several requests."""

from __future__ import annotations

from collections.abc import Awaitable

import msgspec

from connectors import attempts
from connectors.answers import STOPPED
from connectors.base import Operation, Outcome, Refused, Uncertain
from connectors.errors import Rejected, SignInAgain, StoreError
from connectors.vendure.api import GoneError


class Attempt(attempts.Attempt):
    """One call of `Target.write` on a Vendure store."""

    wrong_places = attempts.Attempt.wrong_places | {"store_not_vendure"}

    def refused(self, operation: Operation, error: Rejected) -> Refused:
        """Why a record was refused; `gone` where it was to be changed and is not there."""
        found = super().refused(operation, error)
        if isinstance(error, GoneError) and operation.target_id is not None:
            return msgspec.structs.replace(found, gone=True)
        return found


async def finish(operation: Operation, rest: Awaitable[Outcome]) -> Outcome:
    """The steps behind the first one of a write. What fails there leaves part of the record
    written: nobody can say that nothing was applied, and the record is looked up before more.
    """
    try:
        return await rest
    except Rejected:
        raise
    except StoreError as error:
        stopped = error.code in STOPPED or isinstance(error, SignInAgain)
        return Uncertain(source_id=operation.source_id, reason=error.code, running=not stopped)


def gone(operation: Operation, what: str) -> Refused:
    """The record to change is not there."""
    text = f"the {what} is not there any more"
    return Refused(source_id=operation.source_id, code="gone", message=text, gone=True)
