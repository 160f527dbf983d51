"""What a launch check is, apart from how it is carried out: that is the workers' matter."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Group(StrEnum):
    """What a check looks at. The order of the members is the order in which checks run."""

    PREFLIGHT = "preflight"
    DATA = "data"
    WORKFLOWS = "workflows"
    URLS = "urls"
    NUMBERS = "numbers"
    EFFECTS = "effects"


class Severity(StrEnum):
    """`blocker`: no launch while it fails. `warning`: worth knowing, and nothing stops for it."""

    BLOCKER = "blocker"
    WARNING = "warning"


class State(StrEnum):
    """How a check ended. `skipped`: there is nothing to look at here, by what is set or by what
    the platform offers. `unknown`: it could not be carried out, so nobody knows.
    """

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


class Description(Struct, frozen=True, kw_only=True):
    """A check for people and for API callers. `id` is `group.name` and never changes; `proves`
    says in one sentence what is known once it has passed.
    """

    id: str
    title: str
    proves: str
    severity: Severity = Severity.BLOCKER

    @property
    def group(self) -> Group:
        """The part of the id before the dot."""
        return Group(self.id.partition(".")[0])
