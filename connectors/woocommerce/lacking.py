"""What a key lacks for some work, found out by asking and by batches that hold nothing.

WooCommerce does not tell what a key may do: it answers or refuses. Before it looks at a batch it
asks whether its sender may write such records at all.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from msgspec.structs import replace

from connectors.concurrency import together
from connectors.errors import SignInAgain
from connectors.grants import Lack, Work
from connectors.records import Stream
from connectors.woocommerce.api import Api
from connectors.woocommerce.lists import PATHS
from connectors.woocommerce.wire import WireId, WireSetting

_READ = Lack(
    permission="Read",
    purpose="These records are listed.",
    grant="Make a key with Read or Read/Write whose user is an administrator.",
)
_WRITE = Lack(
    permission="Read/Write",
    purpose="These records are made, changed and deleted.",
    grant="Make a key with Read/Write whose user is an administrator: a shop manager may not write "
    "customers.",
)
_MANAGE = Lack(
    permission="manage_woocommerce",
    purpose="Mails are turned off by settings, or by the add-on; webhooks are looked at.",
    grant="Make an administrator or a shop manager the key's user.",
)


async def lacks(api: Api, work: Work, *, writing: bool) -> tuple[Lack, ...]:
    """What is refused. `writing`: it is a target. Raises `SignInAgain` where everything is, and
    `StoreError`.
    """
    # Stock is written with the products.
    paths: dict[str, Stream] = {}
    for stream in Stream:
        if stream in work.streams:
            paths.setdefault(PATHS[stream], stream)
    probes = [(replace(_READ, stream=each), _read(api, path)) for path, each in paths.items()]
    if writing:
        probes += [
            (replace(_WRITE, stream=each), _write(api, path)) for path, each in paths.items()
        ]
        probes.append((_MANAGE, _manage(api)))
    refused = await together([_is_refused(each) for _, each in probes])
    found = tuple(lack for (lack, _), lacking in zip(probes, refused, strict=True) if lacking)
    if probes and len(found) == len(probes):
        raise SignInAgain("the store does not let us in")
    return found


async def _is_refused(probe: Awaitable[object]) -> bool:
    try:
        await probe
    except SignInAgain:
        return True
    return False


async def _read(api: Api, path: str) -> None:
    await api.list(path, {"per_page": 1, "_fields": "id"}, WireId)


async def _write(api: Api, path: str) -> None:
    # PHP makes a list of an answer that holds nothing.
    await api.send("POST", f"{path}/batch", {"update": []}, Any, repeatable=True)


async def _manage(api: Api) -> None:
    await api.list("settings", {}, WireSetting)
