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
_WORK = ("read", "created", "updated", "unchanged", "quarantined")
_FLAWS = ("missing", "wrong", "doubled")


@dataclass
class StreamResult:
    """One stream over all jobs, and what the comparison of both stores found."""

    compared: int = 0
    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    quarantined: int = 0
    missing: int = 0
    wrong: int = 0
    doubled: int = 0
    losses: dict[str, int] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)


@dataclass
class Report:
    """Counts that have to be zero, and what led to them.

    `losses` per stream are fields the target platform cannot keep, with how often it mattered;
    `problems` are jobs that did not succeed, in words.
    """

    streams: dict[str, StreamResult] = field(default_factory=dict)
    jobs: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    replayed: dict[str, int] = field(default_factory=dict)
    mails: int = 0
    double_deductions: int = 0
    writes_after: int = 0
    requests: int = 0
    seconds: float = 0.0

    def add_job(self, job: Mapping[str, Any]) -> None:
        """Count a job that has ended."""
        for stream, counters in job["counters"].items():
            result = self.streams.setdefault(stream, StreamResult())
            for name in _WORK:
                setattr(result, name, getattr(result, name) + counters[name])
        self.jobs.append(
            {
                "id": job["id"],
                "kind": job["kind"],
                "cutover": job["params"]["cutover"],
                "status": job["status"],
                **{name: job["totals"][name] for name in _WORK},
                "requests": job["requests"],
                "throttled": job["throttled"],
            }
        )
        if job["status"] != "succeeded":
            why = f": {job['error']['message']}" if job["error"] else ""
            self.problems.append(f"a {job['kind']} job ended {job['status']}{why}")

    def total(self, name: str) -> int:
        """A count over all streams."""
        return sum(getattr(each, name) for each in self.streams.values())

    @property
    def verdict(self) -> str:
        """`ready` if every count that has to be zero is, and every job succeeded."""
        counts = [self.total(name) for name in _FLAWS]
        counts += [self.mails, self.double_deductions, self.writes_after]
        proven = any(each.compared for each in self.streams.values())
        return READY if proven and not any(counts) and not self.problems else NOT_READY

    def document(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            **{name: self.total(name) for name in _FLAWS},
            "mails": self.mails,
            "double_deductions": self.double_deductions,
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
        made = Table(title="Both stores, compared record by record", title_justify="left")
        made.add_column("stream")
        for name in (*_WORK, "compared", *_FLAWS):
            made.add_column(name, justify="right")
        for stream, result in self.streams.items():
            made.add_row(stream, *self._cells(result))
        return made

    @staticmethod
    def _cells(result: StreamResult) -> Iterable[Text]:
        for name in (*_WORK, "compared"):
            yield Text(f"{getattr(result, name):,}")
        for name in _FLAWS:
            count = getattr(result, name)
            yield Text(f"{count:,}", style="bold red" if count else "green")

    def _facts(self) -> Table:
        grid = Table.grid(padding=(0, 2))
        facts = {
            "mails sent": self.mails,
            "stock deducted twice": self.double_deductions,
            "writes of a further run": self.writes_after,
        }
        for name, count in facts.items():
            grid.add_row(name, Text(f"{count:,}", style="bold red" if count else "green"))
        grid.add_row("requests to both stores", f"{self.requests:,}")
        grid.add_row("time", say_duration(self.seconds))
        return grid

    def _notes(self) -> Iterable[Text]:
        for stream, result in self.streams.items():
            for reason, count in result.losses.items():
                yield Text(f"declared loss, {stream}: {reason} ({count:,} records)", style="dim")
            for example in result.examples:
                yield Text(f"{stream}: {example}", style="red")
