"""Keeping a store from writing mails: which mail types are on, turning them off, and back."""

from __future__ import annotations

import asyncio
from typing import Any

from connectors.base import Json
from connectors.concurrency import together
from connectors.errors import Rejected, StoreError
from connectors.http import STOPPED
from connectors.woocommerce.api import Api
from connectors.woocommerce.batches import is_unapplied
from connectors.woocommerce.wire import WireGroup, WireSetting

_GROUP = "email_"
_SWITCH = "enabled"
_ATTEMPTS = 3
ADDON = "addon"
NOTHING: Json = {"mails": {}, ADDON: True}
"""What `loud` answers for a store in which nothing has to be turned off: its add-on is silent."""


async def loud(api: Api) -> Json:
    """`{"mails": {"email_new_order": "yes", …}}`: the switch of every type of mail."""
    groups = await api.get("settings", list[WireGroup])
    mails = [group.id for group in groups if group.id.startswith(_GROUP)]
    switches = await together([_switch(api, mail) for mail in mails])
    found = zip(mails, switches, strict=True)
    return {"mails": {mail: value for mail, value in found if value is not None}}


async def _switch(api: Api, group: str) -> str | None:
    settings = await api.get(f"settings/{group}", list[WireSetting])
    return next((str(each.value) for each in settings if each.id == _SWITCH), None)


async def mute(api: Api, before: Json, settle: float) -> None:
    """Turn off every type of mail that was on. `settle` as in `turn`. Raises `StoreError`."""
    await _turn_all(api, before, "no", settle)


async def unmute(api: Api, before: Json, settle: float) -> None:
    """Turn on again what was on; what was off stays off. As `mute`."""
    await _turn_all(api, before, "yes", settle)


async def _turn_all(api: Api, before: Json, value: str, settle: float) -> None:
    mails = sorted(mail for mail, was in before.get("mails", {}).items() if was == "yes")
    turned = [turn(api, mail, value, settle) for mail in mails]
    # A failure cancels none of the others: whatever was sent has settled before this returns.
    failures = [each for each in await asyncio.gather(*turned, return_exceptions=True) if each]
    if failures:
        raise failures[0]


async def turn(api: Api, mail: str, value: str, settle: float) -> None:
    """Set one type of mail to `yes` or `no`.

    A request whose answer never came may be carried out later, even after a request that is sent
    then: a late `no` would silence the store for good. For `settle` seconds nothing else is done,
    then the switch itself tells what became of it. Raises `StoreError`.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            await api.send("PUT", f"settings/{mail}/{_SWITCH}", {"value": value}, dict[str, Any])
        except StoreError as error:
            if isinstance(error, Rejected) or is_unapplied(error):
                raise
            if error.code not in STOPPED:
                await api.http.pause(settle)
            if await _switch(api, mail) == value:
                return
            if attempt == _ATTEMPTS:
                raise
        else:
            return
