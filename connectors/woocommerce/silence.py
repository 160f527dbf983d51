"""Keeping a store from writing mails: which mail types are on, turning them off, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from connectors.base import Json
from connectors.concurrency import together
from connectors.woocommerce.api import Api
from connectors.woocommerce.wire import WireGroup, WireSetting

_GROUP = "email_"
_SWITCH = "enabled"


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


async def mute(api: Api, before: Json) -> None:
    """Turn off every type of mail that was on."""
    await _set(api, [(mail, "no") for mail in _that_were_on(before)])


async def unmute(api: Api, before: Json) -> None:
    """Turn on again what was on. What was off stays off."""
    await _set(api, [(mail, "yes") for mail in _that_were_on(before)])


def _that_were_on(before: Json) -> list[str]:
    return sorted(mail for mail, value in before.get("mails", {}).items() if value == "yes")


async def _set(api: Api, switches: Iterable[tuple[str, str]]) -> None:
    await together([_turn(api, mail, value) for mail, value in switches])


async def _turn(api: Api, mail: str, value: str) -> None:
    path = f"settings/{mail}/{_SWITCH}"
    await api.send("PUT", path, {"value": value}, dict[str, Any], repeatable=True)
