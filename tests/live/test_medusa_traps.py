"""What Medusa does that nobody expects, and what the connector makes of it. One test a trap."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from connectors.base import Applied, Sweep, Window
from connectors.digest import digest
from connectors.medusa.source import MedusaSource
from connectors.medusa.target import MedusaTarget
from connectors.records import Order, Product, Record, Stream
from connectors.testing.contents import (
    HOME,
    contents,
    customer,
    gbp,
    level,
    order,
    product,
    variant,
)
from connectors.testing.operations import applied, operations
from connectors.testing.sweeps import read
from tests.live.medusa.bench import told_aloud
from tests.live.medusa.selling import (
    give_back,
    mug,
    new_customer,
    pay,
    place_order,
    set_stock,
    shirt,
)
from tests.live.medusa.store import MedusaStore


def goods(number: int, **fields: Any) -> dict[str, Any]:
    """A product as the staff makes it."""
    return {name: value for name, value in mug(number, "").items() if name != "categories"} | fields


async def make(store: MedusaStore, *products: dict[str, Any]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = (
        await store.ask("POST", "products/batch", {"create": list(products)})
    )["created"]
    return made


async def refusal(
    store: MedusaStore, method: str, path: str, body: Any = None, **query: Any
) -> int:
    """The status with which the store refuses a request."""
    with pytest.raises(httpx.HTTPStatusError) as caught:
        await store.ask(method, path, body, **query)
    return caught.value.response.status_code


def reading(store: MedusaStore, **settings: Any) -> MedusaSource:
    return MedusaSource(store.access(**settings))


def writing(store: MedusaStore) -> MedusaTarget:
    return MedusaTarget(store.access())


async def only(store: MedusaStore, stream: Stream) -> Record:
    async with reading(store) as source:
        [record] = await read(source, stream, Sweep())
    return record


# --- asking --------------------------------------------------------------------------------------


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


# --- writing -------------------------------------------------------------------------------------


async def test_variants_and_prices_that_are_not_named_are_deleted_by_medusa(
    medusa: MedusaStore,
) -> None:
    tag = (await medusa.ask("POST", "product-tags", {"value": "new"}))["product_tag"]
    body = {k: v for k, v in shirt(1, "", tag["id"]).items() if k != "categories"}
    [made] = await make(medusa, body)
    first = made["variants"][0]["id"]
    await medusa.ask("POST", f"products/{made['id']}", {"variants": [{"id": first, "title": "x"}]})
    price = [{"id": first, "prices": [{"currency_code": "gbp", "amount": 1}]}]
    await medusa.ask("POST", f"products/{made['id']}/variants/batch", {"update": price})
    found = await medusa.ask("GET", f"products/{made['id']}")
    [left] = found["product"]["variants"]
    assert [each["currency_code"] for each in left["prices"]] == ["gbp"]


async def test_an_update_of_a_price_leaves_other_variants_and_prices_alone(
    medusa: MedusaStore,
) -> None:
    """In the target, prices in euros were added by hand."""
    sent = product(1, sku="", kind="variable", regular_price=None)
    sent = replace(sent, variants=(variant(1, "Small"), variant(1, "Large")))
    async with writing(medusa) as target:
        [create] = operations(Stream.PRODUCTS, [sent])
        made = applied(await target.write(Stream.PRODUCTS, [create]))["1"]
        [first, *_] = made.children.values()
        by_hand = [{"currency_code": "gbp", "amount": 9.95}, {"currency_code": "eur", "amount": 12}]
        path = f"products/{made.target_id}/variants/batch"
        await medusa.ask("POST", path, {"update": [{"id": first, "prices": by_hand}]})
        dearer = replace(sent.variants[0], regular_price=gbp("11"))
        update = replace(
            create,
            content=replace(sent, variants=(dearer, sent.variants[1])),
            target_id=made.target_id,
            children=made.children,
            changed=frozenset({"variants"}),
            variants={dearer.id: frozenset({"regular_price"}), sent.variants[1].id: frozenset()},
        )
        applied(await target.write(Stream.PRODUCTS, [update]))
    found = (await medusa.ask("GET", f"products/{made.target_id}"))["product"]["variants"]
    prices = {
        each["id"]: sorted((p["currency_code"], p["amount"]) for p in each["prices"])
        for each in found
    }
    assert prices.pop(first) == [("eur", 12), ("gbp", 11)]
    assert list(prices.values()) == [[("gbp", 9.95)]]


async def test_an_external_id_protects_nothing_and_a_create_sent_twice_makes_one(
    medusa: MedusaStore,
) -> None:
    twins = [goods(number, external_id="m1:products:1") for number in (7, 8)]
    assert len(await make(medusa, *twins)) == 2
    await medusa.empty()
    sent = operations(Stream.PRODUCTS, [product(1)])
    async with writing(medusa) as target:
        first = applied(await target.write(Stream.PRODUCTS, sent))["1"]
        again = applied(await target.write(Stream.PRODUCTS, sent))["1"]
    assert first.target_id == again.target_id
    assert (await medusa.ask("GET", "products"))["count"] == 1


async def test_one_bad_product_fails_a_whole_batch_and_spoils_no_other(
    medusa: MedusaStore,
) -> None:
    body = {"create": [goods(1), goods(2, handle="mug-1")]}
    assert await refusal(medusa, "POST", "products/batch", body) == 400
    assert (await medusa.ask("GET", "products"))["count"] == 0
    sent = operations(Stream.PRODUCTS, [product(1), product(2, sku="MUG-1"), product(3)])
    async with writing(medusa) as target:
        found = {each.source_id: each for each in await target.write(Stream.PRODUCTS, sent)}
    assert [isinstance(found[each], Applied) for each in "123"] == [True, False, True]


async def test_a_product_that_was_written_by_half_is_found_and_finished(
    medusa: MedusaStore,
) -> None:
    """A server that was killed left products without their variants."""
    sent = replace(
        product(1, sku="", kind="variable", regular_price=None), variants=(variant(1, "S"),)
    )
    [create] = operations(Stream.PRODUCTS, [sent])
    async with writing(medusa) as target:
        made = applied(await target.write(Stream.PRODUCTS, [create]))["1"]
        for table in ("product_variant", "inventory_item"):
            await medusa.database.execute(f"DELETE FROM {table}")  # noqa: S608
        match = (await target.find(Stream.PRODUCTS, [create]))["1"]
        assert (match.target_id, match.children) == (made.target_id, {})
        applied(await target.write(Stream.PRODUCTS, [replace(create, target_id=match.target_id)]))
        content = (await target.get(Stream.PRODUCTS, [made.target_id]))[made.target_id].content
    assert isinstance(content, Product)
    assert [each.sku for each in content.variants] == ["SHIRT-1-S"]


async def test_emails_that_differ_in_case_are_two_customers_and_found_as_one(
    medusa: MedusaStore,
) -> None:
    await new_customer(medusa, "Ann@Example.test")
    await new_customer(medusa, "ann@example.test")
    assert (await medusa.ask("GET", "customers"))["count"] == 2
    await medusa.empty()
    theirs = await new_customer(medusa, "Ann.1@Example.test")
    async with writing(medusa) as target:
        found = await target.find(Stream.CUSTOMERS, operations(Stream.CUSTOMERS, [customer(1)]))
    assert found["1"].target_id == theirs


async def test_addresses_sent_twice_are_two_and_the_connector_leaves_one(
    medusa: MedusaStore,
) -> None:
    made = await new_customer(medusa, "ann.2@example.test")
    for _ in range(2):
        await medusa.ask("POST", f"customers/{made}/addresses", {"city": "Leeds"})
    found = await medusa.ask("GET", f"customers/{made}", fields="id,*addresses")
    assert len(found["customer"]["addresses"]) == 4
    [create] = operations(Stream.CUSTOMERS, [customer(1, shipping=HOME)])
    async with writing(medusa) as target:
        target_id = applied(await target.write(Stream.CUSTOMERS, [create]))["1"].target_id
        again = replace(create, target_id=target_id)
        applied(await target.write(Stream.CUSTOMERS, [again, again]))
    found = await medusa.ask("GET", f"customers/{target_id}", fields="id,*addresses")
    names = sorted(each["address_name"] for each in found["customer"]["addresses"])
    assert names == ["billing", "shipping"]


async def test_a_level_that_exists_cannot_be_created_and_is_set_all_the_same(
    medusa: MedusaStore,
) -> None:
    await make(medusa, goods(1))
    await set_stock(medusa, {"MUG-1": 5})
    [item] = (await medusa.ask("GET", "inventory-items", fields="id,*location_levels"))[
        "inventory_items"
    ]
    body = {
        "inventory_item_id": item["id"],
        "location_id": item["location_levels"][0]["location_id"],
    }
    path = "inventory-items/location-levels/batch"
    assert await refusal(medusa, "POST", path, {"create": [body]}) == 400
    [found] = (await medusa.ask("GET", "products", fields="id"))["products"]
    wanted = replace(level(1), product=found["id"])
    async with writing(medusa) as target:
        applied(await target.write(Stream.INVENTORY, operations(Stream.INVENTORY, [wanted])))
    record = await only(medusa, Stream.INVENTORY)
    assert getattr(record.content, "quantity") == wanted.quantity  # noqa: B009


async def test_stock_that_is_reserved_comes_on_top(medusa: MedusaStore) -> None:
    [made] = await make(medusa, goods(1))
    await set_stock(medusa, {"MUG-1": 5})
    [item] = (await medusa.ask("GET", "inventory-items", fields="id,*location_levels"))[
        "inventory_items"
    ]
    place = item["location_levels"][0]["location_id"]
    body = {"inventory_item_id": item["id"], "location_id": place, "quantity": 2}
    await medusa.ask("POST", "reservations", body)
    wanted = replace(level(1), product=made["id"])
    async with writing(medusa) as target:
        applied(await target.write(Stream.INVENTORY, operations(Stream.INVENTORY, [wanted])))
    record = await only(medusa, Stream.INVENTORY)
    assert getattr(record.content, "quantity") == wanted.quantity  # noqa: B009


# --- orders --------------------------------------------------------------------------------------


async def test_converting_a_draft_announces_it_and_the_add_on_announces_nothing(
    medusa: MedusaStore,
) -> None:
    region = {"name": "Britain", "currency_code": "gbp"}
    made = (await medusa.ask("POST", "regions", region))["region"]["id"]
    draft = {"email": "ann@example.test", "region_id": made}
    draft |= {"items": [{"title": "Mug", "quantity": 1, "unit_price": 2.55}]}
    drafted = (await medusa.ask("POST", "draft-orders", draft))["draft_order"]["id"]
    await medusa.ask("POST", f"draft-orders/{drafted}/convert-to-order", {})
    await medusa.ask("DELETE", f"regions/{made}")
    assert "order.placed" in told_aloud(medusa)
    await medusa.empty()
    sent = operations(Stream.ORDERS, contents(Stream.ORDERS, 3))
    async with writing(medusa) as target:
        applied(await target.write(Stream.ORDERS, sent))
    assert told_aloud(medusa) == {}


async def test_an_order_that_is_sent_again_changes_nothing_at_all(medusa: MedusaStore) -> None:
    """Medusa ignores `Idempotency-Key`: the ids of the order and its digest do it."""
    sent = operations(Stream.ORDERS, [order(1)])
    everything = 'SELECT xmin::text, * FROM "order"'
    async with writing(medusa) as target:
        applied(await target.write(Stream.ORDERS, sent))
        before = await medusa.database.fetch(everything)
        applied(await target.write(Stream.ORDERS, sent))
        assert await medusa.database.fetch(everything) == before


async def test_an_order_of_hundreds_of_lines_is_taken(medusa: MedusaStore) -> None:
    """Plain JSON of more than 100 KB is refused by Medusa."""
    assert await refusal(medusa, "POST", "customers", {"first_name": "x" * 110_000}) == 413
    line = order(1).lines[0]
    lines = tuple(replace(line, id=str(number), name=f"Mug {number}") for number in range(500))
    sums = gbp(str(line.total.amount * len(lines)))
    large = order(1, lines=lines, fees=(), shipping_lines=(), shipping_total=gbp("0"), total=sums)
    async with writing(medusa) as target:
        made = applied(await target.write(Stream.ORDERS, operations(Stream.ORDERS, [large])))["1"]
    assert isinstance(made.content, Order)
    assert (len(made.content.lines), made.content.total) == (500, sums)


async def test_new_orders_get_numbers_behind_those_that_came_in(medusa: MedusaStore) -> None:
    async with writing(medusa) as target:
        sent = operations(Stream.ORDERS, [replace(order(1), number="700000")])
        applied(await target.write(Stream.ORDERS, sent))
    await make(medusa, goods(1), goods(2))
    made = await place_order(medusa, 1, email="ann@example.test")
    found = (await medusa.ask("GET", f"orders/{made}", fields="display_id"))["order"]
    assert found["display_id"] == 700_001


async def test_an_order_that_the_target_has_worked_on_is_left_alone(medusa: MedusaStore) -> None:
    [create] = operations(Stream.ORDERS, [order(1, status="pending", paid_at=None)])
    async with writing(medusa) as target:
        made = applied(await target.write(Stream.ORDERS, [create]))["1"]
        await pay(medusa, made.target_id)
        changed = replace(order(1), note="Ring twice")
        update = replace(create, content=changed, target_id=made.target_id, changed=None)
        [outcome] = await target.write(Stream.ORDERS, [update])
    assert getattr(outcome, "code", outcome) == "order_worked_on"
