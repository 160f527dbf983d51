from __future__ import annotations

import asyncio
import socket

import pytest
from pytest_socket import SocketConnectBlockedError

# TEST-NET-1: reserved for documentation, nobody is there.
ELSEWHERE = "192.0.2.1"


@pytest.mark.filterwarnings("ignore:A test tried to use")
def test_a_test_cannot_reach_another_machine():
    with socket.socket() as plug, pytest.raises(SocketConnectBlockedError):
        plug.connect((ELSEWHERE, 80))


@pytest.mark.filterwarnings("ignore:A test tried to use")
async def test_not_even_asynchronously():
    with pytest.raises(SocketConnectBlockedError):
        await asyncio.open_connection(ELSEWHERE, 80)
