"""Did the runs disturb anybody."""

from __future__ import annotations

from app.catalogue.description import Description, Severity

MAILS = Description(
    id="effects.mails",
    title="No mail was sent",
    proves="The target notes no mail at an order that was brought over.",
)
STOCK = Description(
    id="effects.stock",
    title="No stock was taken twice",
    proves="The target notes no movement of stock at an order that was brought over, and lacks"
    " nothing that such an order holds.",
)
WEBHOOKS = Description(
    id="effects.webhooks",
    title="No webhook was called",
    proves="Nothing on the target that listens for records is told of what runs write.",
    severity=Severity.WARNING,
)

ALL = (MAILS, STOCK, WEBHOOKS)
