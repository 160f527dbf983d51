"""The comparisons of all pairs as tables at the end of the tests, in whichever process they ran."""

from __future__ import annotations

from typing import Any

import pytest

_HEADS = ("stream", "source", "target", "missing", "wrong", "doubled", "declared")


class PairTables:
    """Gathers what tests note as the property `pair`: a title, and rows by `_HEADS`."""

    def __init__(self) -> None:
        self._found: list[tuple[str, list[list[Any]]]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self._found += [value for name, value in report.user_properties if name == "pair"]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for title, rows in self._found:
            terminalreporter.section(title)
            for cells in [_HEADS, *rows]:
                numbers = "".join(f"{cell:>9}" for cell in cells[1:-1])
                terminalreporter.write_line(f"{cells[0]:<11}{numbers}  {cells[-1]}".rstrip())
