"""What Medusa does that nobody expects, and what the connector makes of it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.live.medusa.store import MedusaStore


def goods(number: int, **fields: Any) -> dict[str, Any]:
    """A product as the staff makes it."""
    price = {"currency_code": "gbp", "amount": 2.55}
    variant = {"title": "One", "sku": f"SKU-{number}", "prices": [price], "options": {"Size": "S"}}
    options = [{"title": "Size", "values": ["S"]}]
    return {
        "title": f"Thing {number}",
        "handle": f"thing-{number}",
        "status": "published",
        "options": options,
        "variants": [variant],
    } | fields


async def make(store: MedusaStore, *products: dict[str, Any]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = (
        await store.ask("POST", "products/batch", {"create": list(products)})
    )["created"]
    return made


async def refusal(store: MedusaStore, method: str, path: str, body: Any = None) -> httpx.Response:
    with pytest.raises(httpx.HTTPStatusError) as caught:
        await store.ask(method, path, body)
    return caught.value.response


async def test_a_secret_key_is_a_users_name_and_no_bearers_token(medusa: MedusaStore) -> None:
    asked = f"{medusa.url}/admin/products"
    async with httpx.AsyncClient(trust_env=False) as client:
        basic = await client.get(asked, auth=(medusa.key, ""))
        bearer = await client.get(asked, headers={"Authorization": f"Bearer {medusa.key}"})
    assert (basic.status_code, bearer.status_code) == (200, 401)


@pytest.mark.parametrize(
    "query",
    [
        {"updated_at[gte]": "2100-01-01T00:00:00Z"},
        {"updated_at_min": "2100-01-01T00:00:00Z"},
        {"metadata[key]": "nobody"},
        {"$or[0][handle]": "nobody"},
    ],
    ids=lambda query: next(iter(query)),
)
async def test_a_filter_that_medusa_does_not_know_shows_everything(
    medusa: MedusaStore, query: dict[str, str]
) -> None:
    await make(medusa, goods(1), goods(2))
    assert (await medusa.ask("GET", "products", **query))["count"] == 2


async def test_orders_cannot_be_created_over_the_api(medusa: MedusaStore) -> None:
    assert (
        await refusal(medusa, "POST", "orders", {"email": "ann@example.test"})
    ).status_code == 404
