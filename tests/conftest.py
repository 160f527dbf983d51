import signal

import pytest
import structlog
from pytest_socket import socket_allow_hosts

pytest_plugins = ["tests.fixtures.servers", "tests.fixtures.kill_table"]

# Where tests call what logs, nothing is configured: structlog's own traceback, with the variables
# of every frame, takes seconds of processor for each exception.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        ),
    ]
)

# A shell that starts something in the background has it ignore Ctrl-C, and so would whatever the
# tests start and end with it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Tests talk to this machine alone."""
    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, so that processes that test side by side end together."""

    def turn(item: pytest.Item) -> tuple[bool, bool]:
        marks = {each.name for each in item.iter_markers()}
        return "e2e" not in marks, "slow" not in marks

    items.sort(key=turn)
