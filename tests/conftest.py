import signal

import pytest
from pytest_socket import socket_allow_hosts

pytest_plugins = ["tests.fixtures.servers"]

# A shell that starts something in the background has it ignore Ctrl-C, and so would whatever the
# tests start and end with it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Tests talk to this machine alone."""
    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where several processes test, a file stays in one of them; the slowest files come first."""
    for item in items:
        shared = "launch" if "launch" in getattr(item, "fixturenames", ()) else item.path.as_posix()
        item.add_marker(pytest.mark.xdist_group(shared))
    items.sort(key=lambda item: item.get_closest_marker("e2e") is None)
