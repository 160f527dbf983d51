"""Will an order's number go on naming one order."""

from __future__ import annotations

from app.catalogue.description import Description, Severity

COLLISIONS = Description(
    id="numbers.collisions",
    title="No number names two orders",
    proves="No order of the target's own has a number that an order of the source has, or will"
    " have before launch, and no two orders of the target share one.",
)
HEADROOM = Description(
    id="numbers.headroom",
    title="Numbers are free until after launch",
    proves="Until launch the source uses no number that the target is going to give by itself.",
    severity=Severity.WARNING,
)

ALL = (COLLISIONS, HEADROOM)
