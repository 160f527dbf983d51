"""When a record that was refused is tried again, and when it is left alone. Pure.

What the store says of a content does not change by asking again, so the intervals grow, and after
a number of attempts there is none by itself. A person who asks, a changed content, a reference that
arrives, and runs that try everything (`full`, a cutover) are not bound by this.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from app.services.adopted_links import AMBIGUOUS, IGNORED

TARGET_GONE = "target_gone"
"""Code of an update whose record is not on the target any more."""

NOT_UNDERSTOOD = "record_not_understood"
"""Code of a record that the source shows in a form which is no record."""

REFERENCE_MISSING = "reference_missing"
"""Code of a record that refers to records which are on neither store."""

CREATE_UNCONFIRMED = "create_unconfirmed"
"""Code of a record that the source has lost, and that the target may have all the same."""

MAPPING_FAILED = "mapping_failed"
"""Code of a record of which the migration's mapping rules make no valid one."""

_MINUTE = 60.0
_HOUR = 60 * _MINUTE


@dataclass(frozen=True, slots=True)
class Schedule:
    """Intervals that double, from `first` to `longest` seconds; `attempts` bounds them.

    `again`: the second attempt comes at once, at the end of the same job.
    """

    first: float
    longest: float
    attempts: int
    again: bool = False

    def pause(self, attempts: int) -> float | None:
        """Seconds from this attempt, the n-th, to the next; None: there is none by itself."""
        if attempts >= self.attempts:
            return None
        if self.again and attempts == 1:
            return 0.0
        return min(self.first * 2.0 ** (attempts - 1), self.longest)


_CONTENT = Schedule(first=10 * _MINUTE, longest=12 * _HOUR, attempts=8)
"""The store refuses the content. Somebody may mend the cause on the target (a plugin, a SKU that
another record holds), at any time of the day before a launch: eight attempts reach over 21 hours.
"""

_TAKEN = replace(_CONTENT, again=True)
"""Another record holds the email, the SKU or the name. Where it gave that up in the same window, it
does so on the target a moment later.
"""

_DEPENDENCY = Schedule(first=30 * _MINUTE, longest=12 * _HOUR, attempts=6)
"""Another record is missing. Its arrival wakes this one; the intervals are for what arrives
unseen, on the source alone: a retry asks for it there.
"""

_HICCUP = Schedule(first=_MINUTE, longest=_HOUR, attempts=10)
"""A record seen half-written, an image that the store could not load: over soon, as a rule."""

_NEVER = Schedule(first=0.0, longest=0.0, attempts=0)
"""The team may have deleted it on purpose: it is made anew only when somebody asks."""

_SCHEDULES = {
    TARGET_GONE: _NEVER,
    CREATE_UNCONFIRMED: _NEVER,
    AMBIGUOUS: _NEVER,
    IGNORED: _NEVER,
    # Other rules make it due.
    MAPPING_FAILED: _NEVER,
    REFERENCE_MISSING: _DEPENDENCY,
    "unknown_product": _DEPENDENCY,
    "unknown_customer": _DEPENDENCY,
    "duplicate_sku": _TAKEN,
    "email_exists": _TAKEN,
    "username_exists": _TAKEN,
    NOT_UNDERSTOOD: _HICCUP,
    "target_not_understood": _HICCUP,
    "image_refused": _HICCUP,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a record stands in quarantine, open or waived.

    `digest` is of the content that was refused, None where there was no content to read;
    `attempts` are those with this content.
    """

    code: str
    digest: bytes | None
    attempts: int
    due: bool
    waived: bool

    def holds(self, digest: bytes | None, *, eager: bool) -> bool:
        """Whether a record with this content, read again, is left alone.

        An update of what is gone from the target fails however often it is sent. What may be on
        the target already would be there twice.
        """
        if self.code in (AMBIGUOUS, IGNORED):
            return True
        if digest != self.digest:
            return False
        return self.waived or self.code == TARGET_GONE or not (eager or self.due)


class Attempt(NamedTuple):
    """A refused attempt: the n-th with this content, and seconds until the next (None: none)."""

    number: int
    pause: float | None


def attempt(code: str, digest: bytes | None, before: Standing | None) -> Attempt:
    """What follows from a refusal. Another content begins anew."""
    same = before is not None and before.digest == digest
    number = before.attempts + 1 if before is not None and same else 1
    return Attempt(number, _SCHEDULES.get(code, _CONTENT).pause(number))
