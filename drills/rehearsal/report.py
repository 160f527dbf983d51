"""What a rehearsal found, for machines and for people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

PIPELINE = (1, 1, 0, 1)
"""Exit codes of the gate: before the final run, twice, after it, and once the source has moved."""

ESTIMATE_ERROR = 0.02
FREEZE_ERROR = 0.30
FREEZES = 5


@dataclass
class Plant:
    """A fault that was planted: the check that should find it, and those that failed."""

    name: str
    expected: str
    found: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)

    @property
    def is_found(self) -> bool:
        """Whether the check that should has found it."""
        return self.expected in self.found


@dataclass
class Report:
    """All that was played. `estimate_error` is the share by which an estimate missed what was read;
    `freeze_errors` the shares by which forecasts missed the freezes that were needed.
    """

    parts: tuple[str, ...] = ()
    pipeline_exit_codes: list[int] = field(default_factory=list)
    plants: list[Plant] = field(default_factory=list)
    clean_alarms: list[str] = field(default_factory=list)
    adopted_wrong: int = 0
    adopted_missed: int = 0
    created_doubled: int = 0
    estimate_error: float = 0.0
    freeze_covered: int = 0
    freeze_errors: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def planted_found(self) -> int:
        """How many faults were found by the check that should."""
        return sum(each.is_found for each in self.plants)

    @property
    def false_alarms(self) -> int:
        """Failing checks that have nothing to do with what was planted, and on a clean pair."""
        return len(self.clean_alarms) + sum(len(each.strange) for each in self.plants)

    @property
    def freeze_median_error(self) -> float:
        """The middle one of the forecasts' errors."""
        ordered = sorted(self.freeze_errors)
        return ordered[len(ordered) // 2] if ordered else 0.0

    def rows(self) -> list[tuple[str, str, bool]]:
        """What was played: its name, what came of it in words, and whether that is as it should."""
        found: list[tuple[str, str, bool]] = []
        if "launch" in self.parts:
            codes = ", ".join(map(str, self.pipeline_exit_codes))
            good = tuple(self.pipeline_exit_codes) == PIPELINE
            found.append(("exit codes of the gate", codes, good))
            found.append(
                (
                    "estimate missed by",
                    f"{self.estimate_error:.2%}",
                    self.estimate_error <= ESTIMATE_ERROR,
                )
            )
        if "faults" in self.parts:
            of = len(self.plants)
            words = f"{self.planted_found} of {of}"
            found.append(("planted faults found", words, self.planted_found == of > 0))
            found.append(("false alarms", str(self.false_alarms), not self.false_alarms))
        if "adoption" in self.parts:
            for name in ("adopted_wrong", "adopted_missed", "created_doubled"):
                count = getattr(self, name)
                found.append((name.replace("_", " "), str(count), not count))
        if "forecast" in self.parts:
            of = len(self.freeze_errors)
            words = f"{self.freeze_covered} of {of}"
            found.append(
                ("freezes within the forecast", words, self.freeze_covered == of >= FREEZES)
            )
            error = self.freeze_median_error
            found.append(("forecasts off by", f"{error:.0%}", error < FREEZE_ERROR))
        return found

    @property
    def is_good(self) -> bool:
        """Whether a launch would go as it should."""
        return all(good for _, _, good in self.rows())

    def document(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "pipeline_exit_codes": self.pipeline_exit_codes,
            "planted_found": self.planted_found,
            "planted_total": len(self.plants),
            "false_alarms": self.false_alarms,
            "adopted_wrong": self.adopted_wrong,
            "adopted_missed": self.adopted_missed,
            "created_doubled": self.created_doubled,
            "estimate_error": round(self.estimate_error, 4),
            "freeze_covered": self.freeze_covered,
            "freeze_median_error": round(self.freeze_median_error, 3),
            "good": self.is_good,
            "plants": [
                {
                    "name": each.name,
                    "expected": each.expected,
                    "found": each.found,
                    "strange": each.strange,
                }
                for each in self.plants
            ],
            "clean_alarms": self.clean_alarms,
            "notes": self.notes,
            "seconds": round(self.seconds, 1),
        }
