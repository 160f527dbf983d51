"""Run a practice store: `python -m sandbox --data DIR`."""

import argparse
import json
import os
import socket
import sys
from pathlib import Path

import uvicorn

from sandbox.app import create_app
from sandbox.store import VERSION, Key, StoreConfig


class _Server(uvicorn.Server):
    """Says where it listens as soon as it does."""

    def __init__(self, config: uvicorn.Config, ready: str, ready_file: Path | None) -> None:
        super().__init__(config)
        self._ready = ready
        self._ready_file = ready_file

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._ready_file is not None:
            partial = self._ready_file.with_suffix(".partial")
            partial.write_text(self._ready, encoding="utf-8")
            partial.replace(self._ready_file)
        sys.stdout.write(f"{self._ready}\n")
        sys.stdout.flush()


def main(arguments: list[str] | None = None) -> None:
    """Serve one store until a signal ends it."""
    options = _parser().parse_args(arguments)
    permissions = "read" if options.read_only else "read_write"
    keys = (Key(options.key, options.secret, permissions),)
    config = StoreConfig(
        folder=options.data,
        keys=keys,
        timezone=options.timezone,
        currency=options.currency,
        tax_rate=options.tax_rate,
        name=options.name,
        site_url=options.site_url,
        addon=options.addon,
        version=options.wc_version,
        control_token=os.environ.get("SANDBOX_CONTROL_TOKEN") or None,
    )
    app = create_app(config)
    listener = socket.create_server((options.host, options.port), backlog=512)
    port = listener.getsockname()[1]
    url = f"http://{options.host}:{port}"
    server_config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        date_header=False,  # the store's own clock speaks
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=3,
        timeout_keep_alive=75,  # as long as the usual proxy in front of a shop
    )
    ready = json.dumps({"url": url, "port": port, "pid": os.getpid()})
    _Server(server_config, ready, options.ready_file).run(sockets=[listener])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="A practice store that speaks the WooCommerce REST v3 dialect.",
    )
    parser.add_argument("--data", type=Path, required=True, help="folder that keeps the store")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--key", default=os.environ.get("SANDBOX_KEY", "ck_practice"))
    parser.add_argument("--secret", default=os.environ.get("SANDBOX_SECRET", "cs_practice"))
    parser.add_argument("--read-only", action="store_true", help="the key may only read")
    parser.add_argument("--timezone", default="America/New_York")
    parser.add_argument("--currency", default="GBP")
    parser.add_argument("--tax-rate", default="0", help="the store's one tax rate in per cent")
    parser.add_argument("--name", default="Practice store")
    parser.add_argument("--site-url", help="origin in permalinks; default: the address called")
    parser.add_argument("--addon", action="store_true", help="the shop has the recent-sync plugin")
    parser.add_argument(
        "--wc-version",
        default=VERSION,
        metavar="VERSION",
        help=f"of WooCommerce, as the store tells it ({VERSION}); 10.9.1 for a canary order",
    )
    parser.add_argument("--ready-file", type=Path, help="written when the store listens")
    return parser


if __name__ == "__main__":
    main()
