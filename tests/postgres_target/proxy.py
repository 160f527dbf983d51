"""A connection to PostgreSQL that breaks at a chosen word."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_MOMENT = 0.1


class Relay:
    """Passes everything on to a server. When `break_at` is set, the next message that holds it
    still reaches the server, while the connection to the client is cut.
    """

    def __init__(self, port: int) -> None:
        self.break_at: bytes | None = None
        self.port = 0
        self._upstream = port
        self._tasks: set[asyncio.Task] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self._tasks.add(asyncio.current_task())
        upstream, downstream = await asyncio.open_connection("127.0.0.1", self._upstream)
        ways = {
            asyncio.create_task(self._forward(reader, downstream)),
            asyncio.create_task(_copy(upstream, writer)),
        }
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        writer.transport.abort()
        await asyncio.sleep(_MOMENT)  # the server works on, as it would
        downstream.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
            if self.break_at is not None and self.break_at in data:
                self.break_at = None
                return

    async def settle(self) -> None:
        """Wait for the connections that were cut."""
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()


@asynccontextmanager
async def relay(port: int, break_at: bytes | None = None) -> AsyncIterator[Relay]:
    """A relay to a port of this machine."""
    passing = Relay(port)
    passing.break_at = break_at
    server = await asyncio.start_server(passing.serve, "127.0.0.1", 0)
    passing.port = server.sockets[0].getsockname()[1]
    try:
        yield passing
    finally:
        server.close()
        await passing.settle()
