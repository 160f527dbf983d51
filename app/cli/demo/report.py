"""What the demo found, for machines and for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from app.cli.duration import say_duration

READY, NOT_READY = "ready", "not_ready"
_WORK = ("read", "created", "updated", "unchanged")
_FLAWS = ("missing", "wrong", "doubled")


@dataclass
class StreamResult:
    """One stream over all jobs, and what the comparison of both stores found.

    `losses` are fields that the target platform declares it cannot keep, with how many records
    they concern; `foreign` are records that only the target has.
    """

    compared: int = 0
    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    quarantined: int = 0
    missing: int = 0
    wrong: int = 0
    doubled: int = 0
    foreign: int = 0
    losses: dict[str, int] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)


@dataclass
class Report:
    """Counts that have to be zero, and what led to them.

    `duplicates` are writes of records that the target had already, by its own account;
    `writes_after` those of a run that had nothing to do. `problems` are jobs that did not end
    well, in words.
    """

    streams: dict[str, StreamResult] = field(default_factory=dict)
    jobs: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    replayed: dict[str, int] = field(default_factory=dict)
    mails: int = 0
    double_deductions: int = 0
    duplicates: int = 0
    writes_after: int = 0
    requests: int = 0
    seconds: float = 0.0

    def add_job(self, job: Mapping[str, Any], *, final: bool) -> None:
        """Count a job that has ended. Final ones come after the freeze: nothing may be left."""
        for stream, counters in job["counters"].items():
            result = self.streams.setdefault(stream, StreamResult())
            for name in (*_WORK, "quarantined"):
                setattr(result, name, getattr(result, name) + counters[name])
        self.jobs.append(
            {
                "id": job["id"],
                "kind": job["kind"],
                "cutover": job["params"]["cutover"],
                "status": job["status"],
                **{name: job["totals"][name] for name in (*_WORK, "quarantined")},
                "requests": job["requests"],
                "throttled": job["throttled"],
            }
        )
        # A record that had to wait while the shop was selling is no flaw of the result.
        tolerated = ("succeeded",) if final else ("succeeded", "completed_with_errors")
        if job["status"] not in tolerated:
            why = f": {job['error']['message']}" if job["error"] else ""
            self.problems.append(f"a {job['kind']} job ended {job['status']}{why}")

    def total(self, name: str) -> int:
        """A count over all streams."""
        return sum(getattr(each, name) for each in self.streams.values())

    @property
    def verdict(self) -> str:
        """`ready` if every count that has to be zero is, and every job succeeded."""
        counts = [self.total(name) for name in _FLAWS]
        counts += [self.mails, self.double_deductions, self.duplicates, self.writes_after]
        proven = any(each.compared for each in self.streams.values())
        return READY if proven and not any(counts) and not self.problems else NOT_READY

    def document(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            **{name: self.total(name) for name in _FLAWS},
            "mails": self.mails,
            "double_deductions": self.double_deductions,
            "duplicates": self.duplicates,
            "writes_after": self.writes_after,
            "seconds": round(self.seconds, 1),
            "verdict": self.verdict,
            "requests": self.requests,
            "replayed": self.replayed,
            "streams": {name: asdict(each) for name, each in self.streams.items()},
            "jobs": self.jobs,
            "problems": self.problems,
        }

    def sentence(self) -> str:
        """The outcome for somebody who reads one line."""
        compared = self.total("compared")
        if self.verdict == READY:
            return (
                f"The new shop is ready: all {compared:,} records are there exactly once and with "
                f"the same content, nobody got a mail, and no stock was deducted twice."
            )
        found = [(self.total(name), f"{{}} records {name}") for name in _FLAWS]
        found += [
            (self.mails, "{} mails sent"),
            (self.double_deductions, "{} double deductions of stock"),
            (self.duplicates, "{} writes of records that were there"),
            (self.writes_after, "{} writes by a run that had nothing to do"),
        ]
        flaws = [words.format(f"{count:,}") for count, words in found if count]
        if not compared:
            flaws.append("nothing was compared")
        return f"The new shop is NOT ready: {'; '.join([*flaws, *self.problems])}."

    def render(self) -> RenderableType:
        """The closing tables."""
        return Group(self._streams_table(), self._facts(), *self._notes())

    def _streams_table(self) -> Table:
        made = Table(box=None, padding=(0, 2, 0, 0))
        made.add_column("stream")
        for name in (*_WORK, *_FLAWS):
            made.add_column(name, justify="right", no_wrap=True)
        for stream, result in self.streams.items():
            counts = [Text(f"{getattr(result, name):,}") for name in _WORK]
            made.add_row(stream, *counts, *(_judged(getattr(result, name)) for name in _FLAWS))
        return made

    def _facts(self) -> Table:
        grid = Table.grid(padding=(0, 2))
        facts = {
            "mails sent": self.mails,
            "stock deducted twice": self.double_deductions,
            "writes of a further run": self.writes_after,
        }
        for name, count in facts.items():
            grid.add_row(name, _judged(count))
        grid.add_row("requests to both stores", f"{self.requests:,}")
        grid.add_row("time", say_duration(self.seconds))
        return grid

    def _notes(self) -> Iterable[Text]:
        for stream, result in self.streams.items():
            if result.losses:
                fields = ", ".join(f"{name} ({n:,})" for name, n in result.losses.items())
                yield Text(f"declared losses, {stream}: {fields}", style="dim")
            for example in result.examples:
                yield Text(f"{stream}: {example}", style="red")


def _judged(count: int) -> Text:
    """A number that has to be zero."""
    return Text(f"{count:,}", style="bold red" if count else "green")
