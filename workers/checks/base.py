"""What a launch check is for a worker: a description, and a coroutine that says what it found.

A check writes to neither store; only the canary does, where it was asked for. It looks at what its
`Ground` gives it, and answers with an `Outcome`; a `StoreError` that it lets pass makes it
`unknown`, and the other checks go on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from msgspec import Struct

from app.catalogue import Description, Group, Severity, State
from connectors.records import Stream
from workers.checks.ground import Ground

__all__ = [
    "Check",
    "Description",
    "Evidence",
    "Findings",
    "Ground",
    "Group",
    "Outcome",
    "Severity",
    "State",
    "skipped",
]

EVIDENCE_KEPT = 50
"""How many findings an outcome names; all are counted."""


class Evidence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is wrong: where, and what; of a canary also one that was done. Ids, names of
    fields, amounts and paths; no personal data.
    """

    message: str
    stream: Stream | None = None
    source_id: str | None = None
    target_id: str | None = None
    field: str | None = None


class Outcome(Struct, frozen=True, kw_only=True):
    """How a check ended. `summary` is one sentence; `examined` of `total` things were looked at
    (`total` None where nobody counts them), and `sample` says in words how they were chosen.
    `found` counts all findings, `evidence` names the first of them.
    """

    state: State
    summary: str
    examined: int = 0
    total: int | None = None
    sample: str = ""
    found: int = 0
    evidence: tuple[Evidence, ...] = ()


def skipped(why: str) -> Outcome:
    """There is nothing to look at, or the platform offers no way to look; `why` is a sentence."""
    return Outcome(state=State.SKIPPED, summary=why)


@dataclass(slots=True)
class Findings:
    """What a check has found so far: all is counted, the first `EVIDENCE_KEPT` are kept.

    `samples` are the words of the samples that were looked at.
    """

    examined: int = 0
    total: int | None = None
    count: int = 0
    kept: list[Evidence] = field(default_factory=list)
    samples: list[str] = field(default_factory=list)

    def looked_at(self, examined: int, total: int | None = None, sample: str = "") -> None:
        """Count things that were looked at, out of a total, and say how they were chosen."""
        self.examined += examined
        if total is not None:
            self.total = (self.total or 0) + total
        if sample:
            self.samples.append(sample)

    def add(
        self,
        message: str,
        *,
        stream: Stream | None = None,
        source_id: str | None = None,
        target_id: str | None = None,
        field: str | None = None,
    ) -> None:
        """Note one thing that is wrong."""
        self.count += 1
        if len(self.kept) < EVIDENCE_KEPT:
            self.kept.append(
                Evidence(
                    message=message,
                    stream=stream,
                    source_id=source_id,
                    target_id=target_id,
                    field=field,
                )
            )

    def outcome(self, good: str, bad: str) -> Outcome:
        """Failed where anything was found; unknown where nothing was looked at of what there is.
        Both sentences may name `{found}` and `{examined}`.
        """
        blind = not self.count and not self.examined and bool(self.total)
        sentence = bad if self.count else good
        if blind:
            sentence = f"None of {self.total:,} could be looked at, so nobody knows."
        state = State.FAILED if self.count else State.UNKNOWN if blind else State.PASSED
        return Outcome(
            state=state,
            # A store's own words may be in it, with braces of their own.
            summary=sentence.replace("{found}", f"{self.count:,}").replace(
                "{examined}", f"{self.examined:,}"
            ),
            examined=self.examined,
            total=self.total,
            sample="; ".join(self.samples),
            found=self.count,
            evidence=tuple(self.kept),
        )

    def broken_off(self, why: str, bad: str) -> Outcome:
        """The platform turned out to tell no more: what was found so far is found; where it is
        nothing, the check is skipped. `why` is a sentence, `bad` as in `outcome`.
        """
        return self.outcome(bad, f"{bad} {why}") if self.count else skipped(why)


@dataclass(frozen=True, slots=True)
class Check:
    """A check: its description, and how it is carried out."""

    about: Description
    run: Callable[[Ground], Awaitable[Outcome]]

    @property
    def id(self) -> str:
        """Such as `data.content`."""
        return self.about.id

    @property
    def group(self) -> Group:
        """Such as `data`."""
        return self.about.group
