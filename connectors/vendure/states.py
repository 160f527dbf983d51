"""States of orders and payments, and what they are called everywhere else. Pure."""

from __future__ import annotations

from connectors.records import Order

CLOSED = ("Delivered", "Cancelled")
"""States that an order does not leave."""

_STATUSES = {
    "ArrangingPayment": "pending",
    "PaymentAuthorized": "on_hold",
    "PaymentSettled": "processing",
    "PartiallyShipped": "processing",
    "PartiallyDelivered": "processing",
    "Modifying": "processing",
    "ArrangingAdditionalPayment": "processing",
    "Shipped": "completed",
    "Delivered": "completed",
    "Cancelled": "cancelled",
}
_STATES = {
    "pending": "ArrangingPayment",
    "on_hold": "PaymentAuthorized",
    "processing": "PaymentSettled",
    "completed": "Delivered",
    "cancelled": "Cancelled",
    "failed": "Cancelled",
}
_PAID = frozenset({"processing", "completed", "refunded"})
_NEVER_SENT = frozenset({"cancelled", "canceled", "error", "failure"})
_NOT_YET_SENT = frozenset({"pending", "packed", "open"})


def status(state: str, *, given_back: bool) -> str:
    """The canonical status of an order; a state that a store added is its own word.
    `given_back` says that all of the money went back.
    """
    found = _STATUSES.get(state, state)
    return "refunded" if given_back and found in _PAID | {"cancelled"} else found


def state(content: Order) -> str:
    """The state of an order that is brought in."""
    if content.status == "refunded":
        return "PaymentSettled" if content.completed_at is None else "Delivered"
    known = _STATES.get(content.status)
    return known or ("PaymentSettled" if content.paid_at else "ArrangingPayment")


def payment_state(content: Order, *, awaited: bool = False) -> str:
    """The state of a payment of such an order; of one that is `awaited` beside others that were
    taken.
    """
    if not awaited and (content.status in _PAID or content.paid_at is not None):
        return "Settled"
    return {"on_hold": "Authorized", "failed": "Declined", "cancelled": "Cancelled"}.get(
        content.status, "Created"
    )


def fulfilment_state(status: str, *, delivered: bool) -> str:
    """The state of a shipment of an order; `delivered`: of one that is complete."""
    if status in _NEVER_SENT:
        return "Cancelled"
    if delivered:
        return "Delivered"
    return "Pending" if status in _NOT_YET_SENT else "Shipped"
