"""Mails stay as they were asked to be, whatever becomes of the requests that turn them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from connectors.errors import Unreachable
from connectors.woocommerce.api import open_api
from connectors.woocommerce.target import WooCommerceTarget
from tests.connectors.practice import Practice

LATE = {"probability": 1.0, "seconds": 0.3, "methods": ["PUT"], "times": 1}
SETTLE = 0.6


@pytest.fixture
async def target(new_shop: Practice) -> AsyncIterator[WooCommerceTarget]:
    """A target that waits for real: a late request is carried out in real time."""
    access = new_shop.access(write_settle=SETTLE)
    api = open_api(access, transport=httpx.ASGITransport(new_shop.app), sleep=asyncio.sleep)
    async with WooCommerceTarget(access, api) as opened:
        yield opened


async def test_mute_that_is_carried_out_late_does_not_outlive_the_unmute(
    new_shop: Practice, target: WooCommerceTarget
) -> None:
    before = await target.loud()
    await new_shop.faults(late_commit=LATE)
    await target.mute(before)
    assert set((await target.loud())["mails"].values()) == {"no"}
    await target.unmute(before)
    await asyncio.sleep(SETTLE)
    assert await target.loud() == before


async def test_unmute_that_is_carried_out_late_does_not_outlive_the_next_mute(
    new_shop: Practice, target: WooCommerceTarget
) -> None:
    before = await target.loud()
    await target.mute(before)
    await new_shop.faults(late_commit=LATE)
    await target.unmute(before)
    await target.mute(before)
    await asyncio.sleep(SETTLE)
    assert set((await target.loud())["mails"].values()) == {"no"}


async def test_switch_that_never_arrived_is_sent_again(
    new_shop: Practice, target: WooCommerceTarget
) -> None:
    before = await target.loud()
    await new_shop.faults(timeout_before={"probability": 1.0, "methods": ["PUT"], "times": 2})
    await target.mute(before)
    assert set((await target.loud())["mails"].values()) == {"no"}


async def test_switch_that_fails_again_and_again_is_told_once_all_others_have_settled(
    new_shop: Practice, target: WooCommerceTarget
) -> None:
    before = await target.loud()
    await new_shop.faults(
        timeout_before={"probability": 1.0, "methods": ["PUT"], "route": "email_new_order"},
        late_commit={**LATE, "route": "email_customer_invoice"},
    )
    with pytest.raises(Unreachable):
        await target.mute(before)
    silent = (await target.loud())["mails"]
    assert {mail for mail, value in silent.items() if value == "yes"} == {"email_new_order"}
