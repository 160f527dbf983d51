"""What pytest loads wherever recent-sync is installed (entry point `pytest11`).

It lets assertions of the suite explain themselves, gives each test its streams, and tells at the
end what a connector does not promise. Little is imported here: other projects load it as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

_SUITE = ("description", "merging", "operations", "removing", "sweeps", "windows", "writing")

pytest.register_assert_rewrite(*(f"connectors.testing.{name}" for name in _SUITE))


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker of the suite."""
    config.addinivalue_line(
        "markers", "promise(when, otherwise, among, one): which streams a contract test concerns"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test of the suite the streams that its connector promises something about."""
    promise = metafunc.definition.get_closest_marker("promise")
    if promise is None or metafunc.cls is None:
        return
    from connectors.testing.promises import cases  # noqa: PLC0415  for connectors alone

    metafunc.parametrize("stream", cases(metafunc.cls, **promise.kwargs))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what was not asked of a connector, and why."""
    counted = Counter(_reasons(terminalreporter))
    if not counted:
        return
    terminalreporter.section("recent-sync: what the connectors do not promise")
    for reason, tests in sorted(counted.items()):
        terminalreporter.write_line(f"{reason} ({tests} test{'s' * (tests > 1)} not run)")


def _reasons(terminalreporter: pytest.TerminalReporter) -> Iterator[str]:
    begin = "Skipped: not promised: "
    for report in terminalreporter.getreports("skipped"):
        if isinstance(report.longrepr, tuple) and report.longrepr[2].startswith(begin):
            yield report.longrepr[2].removeprefix(begin)
