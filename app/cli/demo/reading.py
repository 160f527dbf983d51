"""One shop, read in full in a process of its own: both shops at once keep two cores busy.

`python -m app.cli.demo.reading` takes an address and credentials from the environment, writes
how far it is into `PROGRESS` now and then, and in the end the fingerprints of all records into
`RESULT`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import msgspec

from app.cli.demo.practice import Keys
from connectors.base import Connector, Loss
from connectors.errors import StoreError
from connectors.fingerprints import Side, fingerprints
from connectors.records import Stream
from connectors.registry import access, connector

PLATFORM = "woocommerce"
RESULT, PROGRESS = "RESULT", "PROGRESS"
_URL, _KEY, _SECRET, _TARGET = "SHOP_URL", "SHOP_KEY", "SHOP_SECRET", "SHOP_IS_TARGET"
_ADDON = "SHOP_HAS_ADDON"

_encode = msgspec.msgpack.encode
_decoder = msgspec.msgpack.Decoder(dict[Stream, Side])


def reading_environment(
    url: str, keys: Keys, result: Path, *, is_target: bool, addon: bool
) -> dict[str, str]:
    """What the process has to be told. `addon`: the target has our add-on."""
    return {
        _URL: url,
        _KEY: keys.consumer_key,
        _SECRET: keys.consumer_secret,
        _TARGET: "1" if is_target else "",
        _ADDON: "1" if addon else "",
        RESULT: str(result),
        PROGRESS: str(progress_file(result)),
    }


def progress_file(result: Path) -> Path:
    """Where a reading says how far it is."""
    return result.with_suffix(".progress")


def read_result(result: Path) -> dict[Stream, Side]:
    """The fingerprints that a reading left behind."""
    return _decoder.decode(result.read_bytes())


def losses_of(platform: Connector, *, addon: bool) -> dict[Stream, tuple[Loss, ...]]:
    """What a target of this platform cannot keep."""
    return {stream: each.losses_in(addon=addon) for stream, each in platform.writes.items()}


async def _read() -> dict[Stream, Side]:
    platform = connector(PLATFORM)
    if platform.source is None:
        raise AssertionError(f"{PLATFORM} stores can be read")
    credentials = {
        "consumer_key": os.environ[_KEY],
        "consumer_secret": os.environ[_SECRET],
    }
    found = access(PLATFORM, {"url": os.environ[_URL]}, credentials)
    progress = Path(os.environ[PROGRESS])
    read = 0

    def told(stream: Stream, count: int) -> None:
        nonlocal read
        read += count
        draft = progress.with_suffix(".draft")
        draft.write_text(json.dumps({"stream": stream, "read": read}))
        draft.replace(progress)

    async with platform.source(found) as store:
        return await fingerprints(
            store,
            list(Stream),
            is_target=bool(os.environ[_TARGET]),
            losses=losses_of(platform, addon=bool(os.environ[_ADDON])),
            told=told,
        )


def main() -> int:
    """0 and a result, or 1 and a sentence on standard error."""
    try:
        found = asyncio.run(_read())
    except StoreError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    Path(os.environ[RESULT]).write_bytes(_encode(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
