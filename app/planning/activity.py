"""Whether a shop sells enough to need a final synchronisation, and why. Pure."""

from __future__ import annotations

import math

from msgspec import Struct

from app.planning.arrivals import Profile

HORIZON = 24.0
"""Hours looked ahead where no launch is set."""

_UNLIKELY = 0.05
_LEAST_HOURS = 24 * 7


class Need(Struct, frozen=True, kw_only=True):
    """Whether a final synchronisation is needed; None where nobody can tell yet. `code` is stable:
    `sells`, `changes`, `quiet`, `no_history`.
    """

    needed: bool | None
    code: str
    reason: str


def need(
    profile: Profile,
    *,
    word: str,
    expected: float,
    hours: float,
    changed: int,
    is_launch: bool = True,
) -> Need:
    """`expected` records of the kind `word` arrive within the `hours` until the launch, or until a
    moment that is none; `changed` is how many records the newest run wrote because they were new or
    changed at the source.
    """
    if expected > 0 and 1 - math.exp(-expected) >= _UNLIKELY:
        while_ = (
            f"{_said(hours)} hours until the launch" if is_launch else f"next {_said(hours)} hours"
        )
        reason = (
            f"About {_said(profile.mean * 24)} {word} arrive in a day, and about "
            f"{_said(expected)} within the {while_}: without a final run they would be missing on "
            "the new shop."
        )
        return Need(needed=True, code="sells", reason=reason)
    if changed:
        reason = (
            f"Hardly any {word} arrive, but the newest run found {changed:,} records new or "
            "changed: without a final run the new shop opens with old contents."
        )
        return Need(needed=True, code="changes", reason=reason)
    if not profile.hours:
        reason = (
            f"Nobody knows yet when {word} arrive. Run `full`, or adopt what another tool has "
            "migrated; then ask again."
        )
        return Need(needed=None, code="no_history", reason=reason)
    if profile.hours < _LEAST_HOURS:
        reason = (
            f"Only {_said(profile.hours)} hours have been watched, and nothing arrived. Let "
            "`recent` run for a week, or make the final run: it costs little."
        )
        return Need(needed=None, code="no_history", reason=reason)
    reason = (
        f"In {_said(profile.hours / 24)} days {profile.total:,} {word} arrived, and the newest run "
        "found nothing changed: one last `verify` before the launch is enough."
    )
    return Need(needed=False, code="quiet", reason=reason)


def _said(number: float) -> str:
    """A number as a sentence holds it."""
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"  # noqa: PLR2004
