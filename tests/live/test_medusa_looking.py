"""Looking things up in a running Medusa store."""

from __future__ import annotations

from tests.live.looking import prove_look_ups
from tests.live.medusa.staff import writing
from tests.live.medusa.store import MedusaStore


async def test_people_find_customers_and_orders(medusa: MedusaStore) -> None:
    async with writing(medusa) as target:
        await prove_look_ups(target)
