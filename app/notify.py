"""Tell whoever started this process that it is at work, as systemd's `Type=notify` has it."""

from __future__ import annotations

import contextlib
import os
import socket

VARIABLE = "NOTIFY_SOCKET"
READY = b"READY=1"


def notify_ready() -> None:
    """Send the word, where somebody asks for it; nobody to hear it is no failure."""
    address = os.environ.get(VARIABLE, "")
    if not address:
        return
    # Names without a file are written with an @ in front.
    place = f"\0{address[1:]}" if address.startswith("@") else address
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender,
    ):
        sender.sendto(READY, place)
