"""Does the target hold what the source holds."""

from __future__ import annotations

from app.catalogue.description import Description

FRESHNESS = Description(
    id="data.freshness",
    title="Nothing is waiting at the source",
    proves="No record of the source changed since it was last applied.",
)
IDS = Description(
    id="data.ids",
    title="Every record is there",
    proves="Every record of the source has a record of its own on the target, that one is still"
    " there, and nothing is there that the source has lost, unless that was reported and left by"
    " policy.",
)
DOUBLED = Description(
    id="data.doubled",
    title="No record is there twice",
    proves="No record of the source has two on the target, by key, number, SKU, email or name.",
)
CONTENT = Description(
    id="data.content",
    title="Contents agree",
    proves="Target records hold the source's content, but for the team's edits and what the"
    " platform is known not to keep.",
)
RELATIONS = Description(
    id="data.relations",
    title="Relations agree",
    proves="Orders name their customer, lines their product, products their categories.",
)
MONEY = Description(
    id="data.money",
    title="Money agrees to the minor unit",
    proves="Totals, taxes, refunds and prices are the same to the minor unit.",
)
QUARANTINE = Description(
    id="data.quarantine",
    title="Quarantine is empty",
    proves="No record waits in quarantine; those that are left out were waived with a reason.",
)
CONFLICTS = Description(
    id="data.conflicts",
    title="Conflicts are settled",
    proves="No field that was changed on both sides waits for a decision, or for being written.",
)

ALL = (FRESHNESS, IDS, DOUBLED, CONTENT, RELATIONS, MONEY, QUARANTINE, CONFLICTS)
