import pytest
from pytest_socket import socket_allow_hosts

pytest_plugins = ["tests.fixtures.servers"]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Tests talk to this machine alone."""
    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)
