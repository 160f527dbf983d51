"""Sending changes: what their answers say of the input, and what a failure means for a record."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw

from connectors import attempts
from connectors.base import Operation, Outcome, Refused
from connectors.errors import Rejected, StoreError, TryLater
from connectors.shopify.api import Api, Document, UserError

_ERRORS = msgspec.json.Decoder(list[UserError])
_GONE_CODES = frozenset({"PRODUCT_DOES_NOT_EXIST", "COLLECTION_DOES_NOT_EXIST"})
_GONE = re.compile(r"(does not|doesn't|no longer) exist|not found", re.IGNORECASE)
_OWN_IDS = frozenset({"id", "orderId", "ownerId"})
"""Places in an input that name the record itself; below a list they name a part of it."""
_LISTS = frozenset({"variants", "lineItems", "files"})
_LIMITED = re.compile(r"too many|try again later", re.IGNORECASE)
_MINUTE = 60.0


class RefusedInput(Rejected):
    """The store understood a change and refuses it. `fields` are the places in its input; `gone`
    says that the record to change is not there. Messages of the store may hold personal data, and
    stay behind.
    """

    def __init__(self, errors: Sequence[UserError]) -> None:
        codes = {each.code for each in errors if each.code}
        fields = [".".join(each.field or ()) for each in errors]
        super().__init__(
            f"the store refuses the input: {', '.join(sorted(codes)) or 'no code'} "
            f"({', '.join(fields)})",
            code=_code(codes, fields),
        )
        self.codes = codes
        self.fields = fields
        self.gone = any(_says_gone(each) for each in errors)


def _says_gone(error: UserError) -> bool:
    """Whether an error means the record that was to be changed, and not something that it names:
    an option that does not exist is a refusal like any other.
    """
    if error.code in _GONE_CODES:
        return True
    path = error.field or []
    is_own = bool(path) and path[-1] in _OWN_IDS and _LISTS.isdisjoint(path)
    return is_own and (error.code == "NOT_FOUND" or bool(_GONE.search(error.message)))


def _code(codes: set[str], fields: Sequence[str]) -> str:
    """A word of ours that stays the same."""
    names = {each.rpartition(".")[2] for each in fields}
    if codes & {"TAKEN", "HANDLE_NOT_UNIQUE"}:
        for name, code in (("email", "email_exists"), ("phone", "phone_exists")):
            if name in names:
                return code
        return "duplicate_slug" if "handle" in names or "HANDLE_NOT_UNIQUE" in codes else "taken"
    return "store_rejected"


async def change(api: Api, document: Document, variables: dict[str, Any]) -> dict[str, Raw]:
    """Send a mutation; the parts of its answer by name. Raises `RefusedInput` and `StoreError`."""
    answer = await api.ask(document, dict[str, dict[str, Raw]], variables)
    [payload] = answer.values()
    for name, raw in payload.items():
        if name.endswith("serErrors"):
            _require_accepted(_ERRORS.decode(raw))
    return payload


def _require_accepted(errors: Sequence[UserError]) -> None:
    if not errors:
        return
    if any(_LIMITED.search(each.message) for each in errors):
        # A development store takes five new orders a minute.
        raise TryLater("the store takes no more for now", after=_MINUTE, code="store_limits")
    raise RefusedInput(errors)


class Attempt(attempts.Attempt):
    """One call of `Target.write` on a Shopify store."""

    wrong_places = attempts.Attempt.wrong_places | {"store_not_shopify"}

    def refused(self, operation: Operation, error: Rejected) -> Refused:
        """Why a record was refused; `gone` where it was to be changed and is not there."""
        gone = isinstance(error, RefusedInput) and error.gone and operation.target_id is not None
        found = super().refused(operation, error)
        return msgspec.structs.replace(found, code="gone", gone=True) if gone else found


def unfinished(operation: Operation, error: StoreError) -> Outcome:
    """What a failure means for a record of which something was applied before."""
    attempt = Attempt()
    attempt.touched = True
    return attempt.outcome(operation, error)
