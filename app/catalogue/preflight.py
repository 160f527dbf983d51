"""Can a run begin: stores, permissions, clocks, silence, prices, space, trust; and a canary, if
asked.
"""

from __future__ import annotations

from app.catalogue.description import Description, Severity

STORES = Description(
    id="preflight.stores",
    title="Both stores answer",
    proves="Both stores answer, are of their platform, and let us in.",
)
PERMISSIONS = Description(
    id="preflight.permissions",
    title="Permissions for every call",
    proves="The credentials allow everything that a run reads and writes.",
)
CLOCKS = Description(
    id="preflight.clocks",
    title="Clocks agree",
    proves="The clocks of both stores and ours are close enough for windows to be right.",
)
SILENCE = Description(
    id="preflight.silence",
    title="The target can be kept silent",
    proves="What runs rely on to send no mail to a customer is there on the target.",
)
CURRENCY = Description(
    id="preflight.currency",
    title="Prices are of one currency",
    proves="Both stores keep their prices in the same currency.",
)
TAXES = Description(
    id="preflight.taxes",
    title="Prices hold the same taxes",
    proves="Prices, which are copied as they were entered, hold the tax in both stores or in none.",
)
SPACE = Description(
    id="preflight.space",
    title="SKUs and emails are free",
    proves="No other record of the target holds the SKU or email of a record of the source.",
)
TRUST = Description(
    id="preflight.trust",
    title="Timestamps are trusted",
    proves="No stream of the source was caught changing records behind its timestamps.",
)
LAUNCH = Description(
    id="preflight.launch",
    title="Launch time is set",
    proves="The migration says when the new shop goes live.",
    severity=Severity.WARNING,
)
CANARY = Description(
    id="preflight.canary",
    title="A canary disturbs nobody",
    proves="An order that was written to the target as runs write theirs, and removed again, left"
    " no mail, no movement of stock and no call of a webhook there.",
)

ALL = (
    STORES,
    PERMISSIONS,
    CLOCKS,
    SILENCE,
    CURRENCY,
    TAXES,
    SPACE,
    TRUST,
    LAUNCH,
    CANARY,
)
