"""A connection to PostgreSQL that breaks at a chosen word."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def breaking_at(word: bytes, port: int) -> AsyncIterator[int]:
    """The port of a relay that passes everything on, except that the first message with `word`
    in it reaches the server while the connection to the client is cut.
    """
    tasks: set[asyncio.Task] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        tasks.add(task)
        upstream, downstream = await asyncio.open_connection("127.0.0.1", port)
        back = asyncio.create_task(_copy(upstream, writer))
        while data := await reader.read(65_536):
            downstream.write(data)
            await downstream.drain()
            if word in data:
                break
        back.cancel()
        writer.transport.abort()
        await asyncio.sleep(0.2)  # the server works on, as it would
        downstream.close()
        tasks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.gather(*tasks, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
