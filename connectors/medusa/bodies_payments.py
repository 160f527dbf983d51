"""Payments and refunds of an order as rows of Medusa's payment module. Pure.

No payment provider is asked: the rows say what was paid and given back long ago. Who took the money
stands in a payment's data.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.medusa.mapping_lines import FEE
from connectors.medusa.mapping_orders import IMPLIED
from connectors.medusa.parts import OURS, PART, iso, own_id
from connectors.medusa.taxes import text_of as plain
from connectors.minor_units import rounded
from connectors.records import Order, Refund, RefundLine, Transaction

Body = dict[str, Any]

_PROVIDER = "pp_system_default"
_SHIPPING = "shipping:"


class Payments:
    """What was paid for one order."""

    def __init__(self, key: str, content: Order) -> None:
        self._key = key
        self._content = content
        self._currency = content.currency.lower()
        self._collection = own_id("paycol", key)
        self._made: Sequence[Transaction] = _made(content)
        self._implied = not content.transactions

    def rows(self) -> dict[str, list[Body]]:
        """Rows by the name that Medusa's service has for their kind."""
        if not self._made:
            return {}
        return {
            "PaymentCollections": [self._collection_row()],
            "PaymentSessions": [self._session(place) for place in range(len(self._made))],
            "Payments": [self._payment(place, each) for place, each in enumerate(self._made)],
            "Captures": [
                {
                    "id": own_id("capt", self._key, str(place)),
                    "payment_id": self._id(place),
                    "amount": plain(self._amount(each)),
                    "created_at": iso(each.at),
                }
                for place, each in enumerate(self._made)
                if each.at
            ],
            "Refunds": [self._refund(each) for each in self._content.refunds],
        }

    def transactions(self) -> list[Body]:
        """What came in and what went out, as the order itself counts it."""
        captures = [
            {"id": own_id("ordtrx", self._key, str(place)), "amount": plain(self._amount(each))}
            | {"reference": "capture", "reference_id": own_id("capt", self._key, str(place))}
            for place, each in enumerate(self._made)
            if each.at
        ]
        refunds = [
            {"id": own_id("ordtrx", self._key, "refund", each.id)}
            | {"amount": plain(-each.amount.amount), "reference": "refund"}
            | {"reference_id": own_id("ref", self._key, each.id)}
            for each in self._content.refunds
        ]
        return [each | {"currency_code": self._currency} for each in [*captures, *refunds]]

    def paid_at(self) -> datetime | None:
        """When all of it was paid, as Medusa will show it."""
        if self.status() not in ("captured", "partially_refunded", "refunded"):
            return None
        return max((each.at for each in self._made if each.at), default=None)

    def status(self) -> str:
        """What Medusa will say of the payments."""
        if not self._made:
            return "not_paid"
        captured, refunded, due = self._captured(), self._refunded(), self._due()
        if refunded > 0:
            # Both are compared with the whole: something and everything are told apart.
            equal = (refunded >= due) == (captured >= due) and captured > 0
            return "refunded" if equal else "partially_refunded"
        if captured > 0 or not due:
            return "captured" if captured >= due else "partially_captured"
        return "not_paid"

    def _due(self) -> Decimal:
        return rounded(self._content.total.amount, self._content.currency)

    def _captured(self) -> Decimal:
        return sum((self._amount(each) for each in self._made if each.at), Decimal(0))

    def _refunded(self) -> Decimal:
        return sum((each.amount.amount for each in self._content.refunds), Decimal(0))

    def _amount(self, each: Transaction) -> Decimal:
        return each.amount.amount if each.amount else self._due()

    def _id(self, place: int) -> str:
        return own_id("pay", self._key, str(place))

    def _collection_row(self) -> Body:
        captured, due = self._captured(), self._due()
        status = "completed" if captured >= due else "awaiting"
        if 0 < captured < due:
            status = "partially_captured"
        elif status == "awaiting" and self._content.status in ("cancelled", "failed"):
            status = "canceled"
        return {
            "id": self._collection,
            "currency_code": self._currency,
            "amount": plain(due),
            "authorized_amount": plain(captured),
            "captured_amount": plain(captured),
            "refunded_amount": plain(self._refunded()),
            "status": status,
            "metadata": {"recent_sync": True},
        }

    def _session(self, place: int) -> Body:
        return {
            "id": own_id("payses", self._key, str(place)),
            "payment_collection_id": self._collection,
            "currency_code": self._currency,
            "amount": plain(self._amount(self._made[place])),
            "provider_id": _PROVIDER,
            "status": "authorized" if self._made[place].at else "pending",
            "data": {},
        }

    def _payment(self, place: int, each: Transaction) -> Body:
        data: Body = {
            f"{OURS}gateway": each.gateway,
            f"{OURS}title": each.title,
            f"{OURS}reference": each.reference,
        }
        return {
            "id": self._id(place),
            "payment_collection_id": self._collection,
            "payment_session_id": own_id("payses", self._key, str(place)),
            "currency_code": self._currency,
            "amount": plain(self._amount(each)),
            "provider_id": _PROVIDER,
            "created_at": iso(each.at or self._content.created_at),
            "captured_at": iso(each.at),
            "data": data | ({IMPLIED: True} if self._implied else {}),
        }

    def _refund(self, each: Refund) -> Body:
        """A refund, which Medusa knows the payment of: the first one that was made."""
        taken = next((place for place, made in enumerate(self._made) if made.at), 0)
        return {
            "id": own_id("ref", self._key, each.id),
            "payment_id": self._id(taken),
            "amount": plain(each.amount.amount),
            "note": each.reason or None,
            "created_at": iso(each.created_at),
            "metadata": {
                PART: f"refund:{each.id}",
                "lines": [self._refunded_line(line) for line in each.lines],
            },
        }

    def _refunded_line(self, line: RefundLine) -> list[Any]:
        part = line.line
        found = own_id("ordli", self._key, part)
        if part.startswith(_SHIPPING):
            found = _SHIPPING + own_id("ordsm", self._key, part.removeprefix(_SHIPPING))
        elif part.startswith(FEE):
            found = FEE + found
        return [found, line.quantity, plain(line.total.amount), plain(line.tax.amount)]


def _made(content: Order) -> Sequence[Transaction]:
    """Payments, each with the time at which its money came. Where the source tells when the order
    was paid and of no payment, there was one; and a refund needs one to be of.
    """
    found = list(content.transactions)
    if found and content.paid_at and not any(each.at for each in found):
        first = found[0]
        found[0] = Transaction(
            gateway=first.gateway,
            title=first.title,
            reference=first.reference,
            amount=first.amount,
            at=content.paid_at,
        )
    if not found and (content.refunds or (content.paid_at and content.total.amount)):
        found = [Transaction(gateway="", at=content.paid_at)]
    return found
