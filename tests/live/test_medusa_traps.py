"""What Medusa shows that nobody expects, and what the connector makes of it. One test a trap."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from connectors.base import Sweep, Window
from connectors.digest import digest
from connectors.grants import Work
from connectors.records import Order, Stream
from connectors.testing.sweeps import read
from tests.live.medusa.selling import give_back, new_customer, pay, place_order, set_stock, shirt
from tests.live.medusa.staff import goods, make, only, reading, refusal, writing
from tests.live.medusa.store import MedusaStore

# --- asking --------------------------------------------------------------------------------------


async def test_a_secret_key_is_a_users_name_and_no_bearers_token(medusa: MedusaStore) -> None:
    asked = f"{medusa.url}/admin/products"
    async with httpx.AsyncClient(trust_env=False) as client:
        basic = await client.get(asked, auth=(medusa.key, ""))
        bearer = await client.get(asked, headers={"Authorization": f"Bearer {medusa.key}"})
    assert (basic.status_code, bearer.status_code) == (200, 401)


async def test_a_secret_key_lacks_nothing_where_no_roles_are_kept(medusa: MedusaStore) -> None:
    everything = Work(streams=frozenset(Stream), deletes=frozenset(Stream))
    async with reading(medusa) as source, writing(medusa) as target:
        assert await source.lacks(everything) == ()
        assert await target.lacks(everything) == ()


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


async def test_a_plus_in_a_time_breaks_medusa_unless_it_is_encoded(medusa: MedusaStore) -> None:
    path = "/admin/orders?updated_at[$gte]=2026-01-01T00:00:00"
    assert (await medusa.staff.get(f"{path}+00:00")).status_code == 500
    async with reading(medusa) as source:
        window = Window(await source.server_time(), await source.server_time())
        assert await read(source, Stream.ORDERS, window) == []


async def test_an_address_of_many_ids_is_refused_and_never_sent(medusa: MedusaStore) -> None:
    ids = [f"prod_{number:026}" for number in range(500)]
    asked = await medusa.staff.get("/admin/products", params={"id[]": ids})
    assert asked.status_code == 431
    async with reading(medusa) as source:
        assert await source.get(Stream.PRODUCTS, ids) == {}


async def test_pages_by_date_lose_products_and_a_sweep_loses_none(medusa: MedusaStore) -> None:
    """Medusa stamps a whole batch alike, and sorts what is alike as it likes."""
    made = await make(medusa, *[goods(number) for number in range(60)])
    assert len({each["updated_at"] for each in made}) < len(made)
    async with reading(medusa, page_size=7) as source:
        seen = [record.id for record in await read(source, Stream.PRODUCTS, Sweep())]
    assert sorted(seen) == sorted(each["id"] for each in made)


async def test_lists_of_orders_leave_out_what_is_not_asked_for(medusa: MedusaStore) -> None:
    await make(medusa, goods(1), goods(2))
    await place_order(medusa, 1, email="ann@example.test")
    [row] = (await medusa.ask("GET", "orders"))["orders"]
    assert not {"email", "currency_code", "billing_address"} & row.keys()
    content = (await only(medusa, Stream.ORDERS)).content
    assert isinstance(content, Order)
    assert (content.email, content.currency) == ("ann@example.test", "GBP")
    assert content.billing is not None


# --- what moves no date --------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["variant", "price", "tag", "category", "option"])
async def test_a_product_does_not_move_with_its_parts_and_a_sweep_sees_it(
    medusa: MedusaStore, what: str
) -> None:
    category = (await medusa.ask("POST", "product-categories", {"name": "C"}))["product_category"]
    tag = (await medusa.ask("POST", "product-tags", {"value": "new"}))["product_tag"]
    [made] = await make(medusa, shirt(1, category["id"], tag["id"]))
    path, [first, *_] = f"products/{made['id']}", made["variants"]
    before = await only(medusa, Stream.PRODUCTS)
    price = {"id": first["id"], "prices": [{"currency_code": "gbp", "amount": 77}]}
    changes: dict[str, tuple[str, dict[str, Any]]] = {
        "variant": (f"{path}/variants/batch", {"update": [{"id": first["id"], "sku": "NEW"}]}),
        "price": (f"{path}/variants/batch", {"update": [price]}),
        "tag": (f"product-tags/{tag['id']}", {"value": "newer"}),
        "category": (f"product-categories/{category['id']}/products", {"remove": [made["id"]]}),
        "option": (f"product-options/{made['options'][0]['id']}", {"title": "Width"}),
    }
    await medusa.ask("POST", *changes[what])
    after = await only(medusa, Stream.PRODUCTS)
    assert after.stamp == before.stamp
    assert digest(after.content) != digest(before.content)


async def test_a_customer_does_not_move_with_its_address_and_a_sweep_sees_it(
    medusa: MedusaStore,
) -> None:
    made = await new_customer(medusa, "ann@example.test")
    before = await only(medusa, Stream.CUSTOMERS)
    found = await medusa.ask("GET", f"customers/{made}", fields="id,*addresses")
    for each in found["customer"]["addresses"]:
        await medusa.ask("POST", f"customers/{made}/addresses/{each['id']}", {"city": "Leeds"})
    after = await only(medusa, Stream.CUSTOMERS)
    assert after.stamp == before.stamp
    assert digest(after.content) != digest(before.content)


async def test_stock_moves_no_date_and_a_sweep_sees_it(medusa: MedusaStore) -> None:
    await make(medusa, goods(1))
    await set_stock(medusa, {"MUG-1": 5})
    before = await only(medusa, Stream.INVENTORY)
    await set_stock(medusa, {"MUG-1": 4})
    after = await only(medusa, Stream.INVENTORY)
    assert after.stamp == before.stamp
    assert digest(after.content) != digest(before.content)


@pytest.mark.parametrize("what", ["capture", "refund"])
async def test_an_order_does_not_move_with_a_capture_and_a_window_shows_what_was_paid(
    medusa: MedusaStore, what: str
) -> None:
    await make(medusa, goods(1), goods(2))
    made, other = [await place_order(medusa, number, "ann@example.test") for number in (1, 2)]
    if what == "refund":
        await pay(medusa, made)
    [before] = (await medusa.ask("GET", "orders", id=made, fields="updated_at"))["orders"]
    async with reading(medusa) as source:
        # A window begins with whole milliseconds, behind everything that was there.
        since = await _behind(medusa)
        await (pay(medusa, made) if what == "capture" else give_back(medusa, made, 0.5))
        seen = {r.id for r in await read(source, Stream.ORDERS, Window(since, since))}
    [after] = (await medusa.ask("GET", "orders", id=made, fields="updated_at"))["orders"]
    assert (before["updated_at"] == after["updated_at"]) is (what == "capture")
    assert made in seen
    assert other not in seen


async def _behind(store: MedusaStore) -> Any:
    """A moment behind all stamps so far."""
    return await store.database.fetchval("SELECT clock_timestamp()")


# --- what is gone --------------------------------------------------------------------------------


async def test_deleted_customers_are_in_no_list_whatever_is_asked(medusa: MedusaStore) -> None:
    made = await new_customer(medusa, "ann@example.test")
    await medusa.ask("DELETE", f"customers/{made}")
    found = await medusa.ask("GET", "customers", with_deleted="true")
    assert found["count"] == 0
    async with reading(medusa) as source:
        assert await source.get(Stream.CUSTOMERS, [made]) == {}
        assert await read(source, Stream.CUSTOMERS, Sweep()) == []


async def test_orders_cannot_be_created_over_the_api(medusa: MedusaStore) -> None:
    assert await refusal(medusa, "POST", "orders", {"email": "ann@example.test"}) == 404
