"""All launch checks there are, described; `workers.checks` carries them out.

They are described here because the API, the command line and policies name checks before any has
run, and `app` does not know the workers.
"""

from __future__ import annotations

from app.catalogue import data, effects, numbers, preflight, urls, workflows
from app.catalogue.description import Description, Group, Severity, State

__all__ = ["CATALOGUE", "Description", "Group", "Severity", "State"]

CATALOGUE: dict[str, Description] = {
    each.id: each
    for each in (
        *preflight.ALL,
        *data.ALL,
        *workflows.ALL,
        *urls.ALL,
        *numbers.ALL,
        *effects.ALL,
    )
}
"""By id, in the order in which they run."""
