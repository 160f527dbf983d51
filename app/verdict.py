"""The rules of the verdict: which checks stand in the way of a launch, and why. Pure.

A check stands in the way when it failed, or could not be carried out, and the migration's
policies let it count (`fail_on`), it found more than they allow, and nobody has waived it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from app.catalogue import Severity, State
from app.models import CheckResult, Waiver

VALID_MINUTES = 60
"""How long a verdict holds, unless the migration says otherwise."""


_BOUND = {
    "check_id",
    "severity",
    "state",
    "summary",
    "examined",
    "total",
    "sample",
    "found",
    "evidence",
}
"""Of a result, what the digest binds: all but how long it took."""


class Verdict(StrEnum):
    """`stale`: what it rests on may not be true any more; verify again."""

    READY = "ready"
    NOT_READY = "not_ready"
    STALE = "stale"


class Rules(NamedTuple):
    """A migration's `policies.readiness`. `fail_on` names severities, groups and checks; `allowed`
    says how many findings of a check are put up with; `max_new` how many changes of the source.
    """

    fail_on: frozenset[str] = frozenset({Severity.BLOCKER})
    allowed: Mapping[str, int] = {}
    valid: timedelta = timedelta(minutes=VALID_MINUTES)
    max_new: int = 0

    @classmethod
    def of(cls, policies: Mapping[str, Any]) -> Rules:
        """From a migration's policies."""
        given = policies.get("readiness") or {}
        thresholds = given.get("thresholds") or {}
        allowed = {each: of["allowed"] for each, of in thresholds.items() if of.get("allowed")}
        return cls(
            fail_on=frozenset(given.get("fail_on") or (Severity.BLOCKER,)),
            allowed=allowed,
            valid=timedelta(minutes=given.get("valid_minutes") or VALID_MINUTES),
            max_new=given.get("max_new") or 0,
        )

    def counts(self, check_id: str, severity: str) -> bool:
        """Whether a check can stand in the way at all."""
        group = check_id.partition(".")[0]
        return bool(self.fail_on & {severity, group, check_id})


class Judged(NamedTuple):
    """A result and what it means. `stands_in_way`: no launch with it. `waiver` is the one that
    excuses it; `tolerated`: it found no more than is allowed.
    """

    result: CheckResult
    stands_in_way: bool
    waiver: Waiver | None = None
    tolerated: bool = False


def judge(
    results: Iterable[CheckResult], waivers: Collection[Waiver], rules: Rules, at: datetime
) -> list[Judged]:
    """What each result means at a moment."""
    return [_judged(each, waivers, rules, at) for each in results]


def _judged(result: CheckResult, waivers: Collection[Waiver], rules: Rules, at: datetime) -> Judged:
    if result.state not in (State.FAILED, State.UNKNOWN):
        return Judged(result, stands_in_way=False)
    if result.state == State.FAILED and result.found <= rules.allowed.get(result.check_id, 0):
        return Judged(result, stands_in_way=False, tolerated=True)
    waiver = next((each for each in waivers if _excuses(each, result, at)), None)
    counts = rules.counts(result.check_id, result.severity)
    return Judged(result, stands_in_way=waiver is None and counts, waiver=waiver)


def _excuses(waiver: Waiver, result: CheckResult, at: datetime) -> bool:
    if waiver.check_id != result.check_id or waiver.expires_at <= at:
        return False
    if not waiver.records:
        return True
    named = set(waiver.records)
    # Of findings that nobody named, nobody can say that they are excused.
    return 0 < result.found == len(result.evidence) and all(
        named & _names(each) for each in result.evidence
    )


def _names(evidence: Mapping[str, Any]) -> set[str]:
    """What a waiver calls the record of a finding: its id at the source. The target has other
    records under the same ids: its own count only where no record of the source is known.
    """
    found = evidence.get("source_id") or evidence.get("target_id")
    return {found, f"{evidence.get('stream')}/{found}"} if found else set()


def summary(judged: Sequence[Judged]) -> str:
    """What stands in the way, in one sentence."""
    bad = [each.result.check_id for each in judged if each.stands_in_way]
    if not bad:
        return "nothing stands in the way of the launch"
    return f"{len(bad)} of {len(judged)} checks stand in the way: {', '.join(bad)}"


class Reason(NamedTuple):
    """Why a verdict is not `ready`: a stable code, and a sentence."""

    code: str
    message: str


class Basis(NamedTuple):
    """What a verification rested on, and what is there now."""

    job: UUID
    began_at: datetime
    finished_at: datetime
    watermarks: Mapping[str, Any]
    configuration: Mapping[str, Any]
    counts: Mapping[str, int]

    def digest(self, results: Iterable[CheckResult]) -> str:
        """One hash of all that a verdict rests on, as hexadecimal text."""
        found = [each.model_dump(mode="json", include=_BOUND) for each in results]
        rests_on = [self.watermarks, self.configuration, self.counts, found]
        encoded = msgspec.json.encode(rests_on, order="deterministic")
        return hashlib.sha256(encoded).hexdigest()


def outdated(
    basis: Basis,
    *,
    watermarks: Mapping[str, Any],
    configuration: Mapping[str, Any],
    wrote: str | None,
    decided: bool,
    later: Sequence[Judged],
    rules: Rules,
    at: datetime,
) -> list[Reason]:
    """Why a verification does not hold any more, by what we know ourselves. `wrote` is the kind
    of a job that has written since; `decided`: somebody has settled conflicts or pairs since.
    `later` are results of checks that were carried out again.
    """
    reasons = []
    if at >= basis.finished_at + rules.valid:
        minutes = rules.valid.total_seconds() / 60
        reasons.append(Reason("expired", f"It is older than {minutes:g} minutes."))
    if wrote is not None:
        reasons.append(Reason("written_since", f"A job of kind {wrote} has run since."))
    if decided:
        sentence = "Conflicts or adopted pairs were decided since, which no run has carried out."
        reasons.append(Reason("decided_since", sentence))
    if bad := [each.result.check_id for each in later if each.stands_in_way]:
        reasons.append(Reason("failed_since", f"Checked again, and failed: {', '.join(bad)}."))
    if changed := _changed(basis.configuration, configuration):
        names = ", ".join(changed)
        reasons.append(Reason("configuration_changed", f"Changed since: {names}."))
    if moved := _changed(basis.watermarks, watermarks):
        reasons.append(Reason("watermarks_moved", f"Moved since: {', '.join(moved)}."))
    return reasons


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return sorted(
        name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
    )
