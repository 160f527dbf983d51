"""What Medusa shows that nobody expects, and what the connector makes of it. One test a trap."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from connectors.base import Sweep, Window
from connectors.digest import digest
from connectors.grants import Work
from connectors.medusa import CONNECTOR
from connectors.records import Fulfilment, Order, Stream
from connectors.testing.contents import LONG_AGO, order
from connectors.testing.operations import applied, operations
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


async def test_the_state_of_shipments_follows_from_the_fields_that_are_asked_for(
    medusa: MedusaStore,
) -> None:
    """Without its items Medusa takes an order of which a part was sent for one that was sent."""
    whole = order(1, status="processing", completed_at=None)
    first = (whole.lines[0].id, whole.lines[0].quantity)
    parcel = Fulfilment(id="1", status="shipped", lines=(first,), at=LONG_AGO)
    sent = operations(Stream.ORDERS, [replace(whole, fulfilments=(parcel,))])
    async with writing(medusa) as target:
        made = applied(await target.write(Stream.ORDERS, sent))["1"]
    shown = []
    for fields in ("id,fulfillment_status", "id,fulfillment_status,*items"):
        found = await medusa.ask("GET", f"orders/{made.target_id}", fields=fields)
        shown.append(found["order"]["fulfillment_status"])
    assert shown == ["shipped", "partially_shipped"]
    content = (await only(medusa, Stream.ORDERS)).content
    assert isinstance(content, Order)
    assert content.status == "processing"


@pytest.mark.parametrize(
    "path",
    ["inventory-items", "price-lists", "products", "product-variants"],
)
async def test_filters_that_medusa_refuses_are_never_sent(medusa: MedusaStore, path: str) -> None:
    """Stock and price lists cannot be asked for by date, nor products and variants by their id."""
    by_date = {"updated_at[$gte]": "2000-01-01T00:00:00Z"}
    by_id = {"id[$gt]": "prod_1"}
    refused = by_id if path.startswith("product") else by_date
    assert (await medusa.staff.get(f"/admin/{path}", params=refused)).status_code == 400
    await make(medusa, goods(1), goods(2))
    async with reading(medusa, page_size=1) as source:
        window = Window(await source.server_time(), await source.server_time())
        for stream in (Stream.PRODUCTS, Stream.INVENTORY):
            assert len(await read(source, stream, window)) == 2


# --- what moves no date --------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["variant", "price", "image", "tag", "category", "option"])
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
        "image": (path, {"images": [{"url": "http://127.0.0.1/other.jpg"}]}),
        "tag": (f"product-tags/{tag['id']}", {"value": "newer"}),
        "category": (f"product-categories/{category['id']}/products", {"remove": [made["id"]]}),
        "option": (f"product-options/{made['options'][0]['id']}", {"title": "Width"}),
    }
    await medusa.ask("POST", *changes[what])
    after = await only(medusa, Stream.PRODUCTS)
    assert after.stamp == before.stamp
    assert digest(after.content) != digest(before.content)


async def test_a_price_list_moves_no_product_and_none_of_it_is_read(medusa: MedusaStore) -> None:
    """Sales are price lists, which the guide names as a blind spot."""
    [made] = await make(medusa, goods(1))
    before = await only(medusa, Stream.PRODUCTS)
    price = {"variant_id": made["variants"][0]["id"], "currency_code": "gbp", "amount": 1}
    sale = {"title": "Spring", "description": "Sale", "status": "active", "prices": [price]}
    await medusa.ask("POST", "price-lists", sale)
    assert await only(medusa, Stream.PRODUCTS) == before


async def test_a_customer_does_not_move_with_its_group_and_none_of_it_is_read(
    medusa: MedusaStore,
) -> None:
    made = await new_customer(medusa, "ann@example.test")
    before = await only(medusa, Stream.CUSTOMERS)
    group = (await medusa.ask("POST", "customer-groups", {"name": "Traders"}))["customer_group"]
    await medusa.ask("POST", f"customer-groups/{group['id']}/customers", {"add": [made]})
    assert await only(medusa, Stream.CUSTOMERS) == before


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


async def test_what_is_not_to_be_seen_yet_is_stamped_already_and_windows_overlap(
    medusa: MedusaStore,
) -> None:
    """A large batch is stamped at its beginning, and shown at its end."""
    batch = asyncio.create_task(make(medusa, *[goods(number) for number in range(200)]))
    blind = None
    while not batch.done():
        asked = await _behind(medusa)
        if not (await medusa.ask("GET", "products", fields="id", limit=1))["count"]:
            blind = asked
    made = await batch
    assert blind is not None
    late = blind - min(datetime.fromisoformat(each["updated_at"]) for each in made)
    assert timedelta(0) < late < timedelta(seconds=CONNECTOR.reads[Stream.ORDERS].overlap)


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


async def test_deleted_products_are_shown_to_who_asks_and_never_read(medusa: MedusaStore) -> None:
    gone, left = await make(medusa, goods(1), goods(2))
    await medusa.ask("DELETE", f"products/{gone['id']}")
    shown = await medusa.ask("GET", "products", with_deleted="true", fields="id")
    assert {each["id"] for each in shown["products"]} == {gone["id"], left["id"]}
    async with reading(medusa) as source:
        for stream in (Stream.PRODUCTS, Stream.INVENTORY):
            assert len(await read(source, stream, Sweep())) == 1
        assert await source.get(Stream.PRODUCTS, [gone["id"], left["id"]]) == {
            left["id"]: await only(medusa, Stream.PRODUCTS)
        }


async def test_orders_cannot_be_created_over_the_api(medusa: MedusaStore) -> None:
    assert await refusal(medusa, "POST", "orders", {"email": "ann@example.test"}) == 404
