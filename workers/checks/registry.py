"""All checks, in the order in which they run.

A check is described in `app.catalogue`, carried out by a module here, and joined to the others by
one line in each of both places.
"""

from __future__ import annotations

from collections.abc import Collection

from workers.checks import canary, data, effects, numbers, preflight, urls, workflows
from workers.checks.base import Check

CHECKS: tuple[Check, ...] = (
    *preflight.CHECKS,
    *canary.CHECKS,
    *data.CHECKS,
    *workflows.CHECKS,
    *urls.CHECKS,
    *numbers.CHECKS,
    *effects.CHECKS,
)


def chosen(names: Collection[str]) -> list[Check]:
    """The checks with these ids, or of these groups; all where nothing is named."""
    return [each for each in CHECKS if not names or each.id in names or each.group in names]
