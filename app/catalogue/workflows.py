"""Does the work of the shop's people work on the target, done as they do it."""

from __future__ import annotations

from app.catalogue.description import Description

SUPPORT = Description(
    id="workflows.support",
    title="Support finds orders",
    proves="A customer's newest order is found by email and by number, with the source's lines,"
    " totals, refunds and status.",
)
FULFILMENT = Description(
    id="workflows.fulfilment",
    title="Orders can be packed and sent",
    proves="Orders that wait to be sent show the source's shipping address, shipping method and"
    " quantities still to send.",
)
SHOPPER = Description(
    id="workflows.shopper",
    title="Shoppers find and take goods",
    proves="A product is found in the public shop by name and SKU, at the source's price and"
    " availability, and goes into a cart; what is not published is not shown.",
)
RETURNING = Description(
    id="workflows.returning",
    title="Returning customers find their account",
    proves="Each customer has one account, whatever the case of the email, with addresses and as"
    " many orders as at the source.",
)

ALL = (SUPPORT, FULFILMENT, SHOPPER, RETURNING)
