"""Run a practice store: `python -m tests.shopify_store`. Says where it listens, as JSON."""

import argparse
import json
import os
import socket
import sys

import uvicorn

from tests.shopify_store.app import open_store
from tests.shopify_store.contract import VERSIONS, NoContract, load


class _Server(uvicorn.Server):
    """Says where it listens as soon as it does."""

    def __init__(self, config: uvicorn.Config, ready: str) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stdout.write(f"{self._ready}\n")
        sys.stdout.flush()


def main(arguments: list[str] | None = None) -> None:
    """Serve one store until a signal ends it."""
    parser = argparse.ArgumentParser(prog="python -m tests.shopify_store", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--name", default="Practice")
    parser.add_argument("--currency", default="GBP")
    parser.add_argument("--orders-a-minute", type=int, help="5 makes it a development store")
    options = parser.parse_args(arguments)
    try:
        for version in VERSIONS:
            load(version)
    except NoContract as reason:
        sys.exit(str(reason))
    app = open_store(
        name=options.name, currency=options.currency, orders_a_minute=options.orders_a_minute
    )
    listener = socket.create_server(("127.0.0.1", options.port), backlog=128)
    port = listener.getsockname()[1]
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        date_header=False,  # the store's own clock speaks
        server_header=False,
        timeout_graceful_shutdown=3,
    )
    ready = json.dumps({"url": f"http://127.0.0.1:{port}", "port": port, "pid": os.getpid()})
    _Server(config, ready).run(sockets=[listener])


if __name__ == "__main__":
    main()
