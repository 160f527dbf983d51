"""Customers, and inventory with its compare-and-set."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

import httpx
import pytest

from tests.contracts_location import require
from tests.shopify_store_tests.conftest import gid

pytestmark = pytest.mark.contracts

ROOT = Path(__file__).resolve().parents[2]
SET = (
    "mutation($i:InventorySetQuantitiesInput!,$k:String!)"
    "{inventorySetQuantities(input:$i)@idempotent(key:$k)"
    "{inventoryAdjustmentGroup{reason changes{name delta quantityAfterChange}} "
    "userErrors{field message code}}}"
)
LEVELS = (
    "query($i:ID!){inventoryItem(id:$i){updatedAt tracked inventoryLevels(first:5){nodes{id "
    'updatedAt location{name} quantities(names:["available","on_hand"]){name quantity}}}}}'
)


async def shelf(shop):
    """The item of a product's only variant, and how a change of its stock is put."""
    number = await shop.product()
    variant = shop.store.tables["Product"][number]["_variants"][0]
    item = gid("InventoryItem", shop.store.tables["ProductVariant"][variant]["_item"])
    entry = {"inventoryItemId": item, "locationId": shop.store.location["id"]}
    return number, item, entry


async def set_stock(shop, entry, key="k", **values):
    given = {"name": "available", "reason": "correction", "quantities": [{**entry, **values}]}
    return (await shop.ask(SET, i=given, k=key))["inventorySetQuantities"]


async def test_stock_is_set_where_it_is_what_one_thought(shop):
    number, item, entry = await shelf(shop)
    shop.wait(60)
    done = await set_stock(shop, entry, quantity=7, changeFromQuantity=3)
    assert done["inventoryAdjustmentGroup"]["changes"] == [
        {"name": "available", "delta": 4, "quantityAfterChange": 7}
    ]
    found = (await shop.ask(LEVELS, i=item))["inventoryItem"]
    [level] = found["inventoryLevels"]["nodes"]
    assert level["quantities"][0] == {"name": "available", "quantity": 7}
    assert level["updatedAt"] == "2025-11-25T12:01:00Z"
    # Nothing else tells that stock has changed.
    assert found["updatedAt"] == "2025-11-25T12:00:00Z"
    assert shop.store.tables["Product"][number]["updatedAt"] == "2025-11-25T12:00:00Z"
    stale = await set_stock(shop, entry, "other", quantity=9, changeFromQuantity=3)
    assert [each["code"] for each in stale["userErrors"]] == ["CHANGE_FROM_QUANTITY_STALE"]
    unasked = await set_stock(shop, entry, "third", quantity=9, changeFromQuantity=None)
    assert unasked["userErrors"] == []


async def test_a_key_does_it_once_and_is_wanted(shop):
    _, item, entry = await shelf(shop)
    first = await set_stock(shop, entry, quantity=7, changeFromQuantity=3)
    assert await set_stock(shop, entry, quantity=7, changeFromQuantity=3) == first
    assert (await shop.effects())["stock"] == 2
    other = await set_stock(shop, entry, quantity=8, changeFromQuantity=7)
    assert other["userErrors"][0]["code"] == "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
    given = {"name": "available", "reason": "correction", "quantities": [{**entry, "quantity": 1}]}
    assert await shop.refused(SET, i=given, k="new") == ["BAD_REQUEST"]
    given["quantities"][0]["changeFromQuantity"] = None
    plain = SET.replace(",$k:String!", "").replace("@idempotent(key:$k)", "")
    assert await shop.refused(plain, i=given) == ["BAD_REQUEST"]
    assert item


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"inventoryItemId": gid("InventoryItem", 1)}, "INVALID_INVENTORY_ITEM"),
        ({"locationId": gid("Location", 1)}, "INVALID_LOCATION"),
        ({"quantity": 2 * 10**9}, "INVALID_QUANTITY_TOO_HIGH"),
    ],
)
async def test_stock_that_cannot_be_set(shop, changes, code):
    _, _, entry = await shelf(shop)
    values = {"quantity": 1, "changeFromQuantity": None, **changes}
    refused = await set_stock(
        shop, entry | {k: values.pop(k) for k in list(values) if k in entry}, **values
    )
    assert [each["code"] for each in refused["userErrors"]] == [code]


async def test_an_item_is_stocked_at_another_location_first(shop):
    _, item, entry = await shelf(shop)
    await shop.control("POST", "edits", {"op": "location", "name": "Loft"})
    [_, loft] = (await shop.ask("{locations(first:5){nodes{id name}}}"))["locations"]["nodes"]
    there = {**entry, "locationId": loft["id"]}
    refused = await set_stock(shop, there, quantity=1, changeFromQuantity=None)
    assert "not stocked at the location" in refused["userErrors"][0]["message"]
    activated = await shop.write(
        "inventoryActivate",
        "ID! ID! Int",
        "inventoryLevel{id}",
        inventoryItemId=item,
        locationId=loft["id"],
        available=4,
    )
    assert activated["userErrors"] == []
    variants = await shop.ask("{productVariants(first:1){nodes{inventoryQuantity}}}")
    assert variants["productVariants"]["nodes"] == [{"inventoryQuantity": 7}]
    untracked = await shop.write(
        "inventoryItemUpdate",
        "ID! InventoryItemInput!",
        "inventoryItem{tracked}",
        id=item,
        input={"tracked": False},
    )
    assert untracked["inventoryItem"] == {"tracked": False}


# --- customers ----------------------------------------------------------------------------------

CUSTOMER = (
    "mutation($id:CustomerSetIdentifiers,$c:CustomerSetInput!){customerSet(identifier:$id,input:$c)"
    "{customer{id email:defaultEmailAddress{emailAddress} firstName addressesV2(first:5){nodes{id "
    "address1}} defaultAddress{address1}} userErrors{field message code}}}"
)


async def person(shop, given, **identifier):
    return (await shop.ask(CUSTOMER, c=given, id=identifier or None))["customerSet"]


async def test_a_customer_is_made_once_for_an_email(shop):
    made = await person(shop, {"firstName": "Ann"}, email="Ann@Example.test")
    assert made["customer"]["email"] == {"emailAddress": "ann@example.test"}
    again = await person(shop, {"firstName": "Anna"}, email="ANN@example.test")
    assert again["customer"]["id"] == made["customer"]["id"]
    taken = await person(shop, {"email": "ann@EXAMPLE.test"})
    assert [each["code"] for each in taken["userErrors"]] == ["TAKEN"]
    other = await person(shop, {"email": "b@example.test"})
    refused = await person(shop, {"email": "ann@example.test"}, id=other["customer"]["id"])
    assert [each["code"] for each in refused["userErrors"]] == ["TAKEN"]
    assert await shop.effects() == {}


async def test_addresses_are_replaced_and_the_same_one_keeps_its_id(shop):
    home, work = (
        {"address1": "Home", "countryCode": "GB"},
        {"address1": "Work", "countryCode": "GB"},
    )
    made = (await person(shop, {"email": "a@example.test", "addresses": [home, work]}))["customer"]
    held = {each["address1"]: each["id"] for each in made["addressesV2"]["nodes"]}
    assert made["defaultAddress"] == {"address1": "Home"}
    again = (await person(shop, {"addresses": [work]}, id=made["id"]))["customer"]
    assert again["addressesV2"]["nodes"] == [{"id": held["Work"], "address1": "Work"}]
    assert again["firstName"] is None
    assert again["email"] == {"emailAddress": "a@example.test"}


@pytest.mark.parametrize(
    ("given", "identifier", "code"),
    [
        ({"email": "nonsense"}, {}, "INVALID"),
        ({"note": "nobody"}, {}, "INVALID"),
        ({"email": "a@b.test"}, {"email": "c@d.test"}, "INPUT_MISMATCH"),
        ({"firstName": "A"}, {"id": gid("Customer", 1)}, "NOT_FOUND"),
    ],
)
async def test_what_no_customer_may_be(shop, given, identifier, code):
    refused = await person(shop, given, **identifier)
    assert [each["code"] for each in refused["userErrors"]] == [code]
    assert not shop.store.tables["Customer"]


async def test_a_customer_with_orders_stays(shop):
    number = await shop.product()
    await shop.edit("sell", "product", number, email="buyer@example.test")
    [buyer] = await shop.ids("customers")
    [idle] = await shop.load("customer", {"email": "idle@example.test"})
    for customer, remains in ((buyer, True), (idle, False)):
        payload = await shop.write(
            "customerDelete",
            "CustomerDeleteInput!",
            "deletedCustomerId",
            input={"id": gid("Customer", customer)},
        )
        assert bool(payload["userErrors"]) is remains
    assert await shop.ids("customers") == [buyer]


# --- as a process -------------------------------------------------------------------------------


async def test_the_store_runs_as_a_process_and_cuts_connections():
    require("shopify")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.shopify_store",
        "--currency",
        "EUR",
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        url = json.loads(line)["url"]
        ask = {
            "url": f"{url}/admin/api/2026-10/graphql.json",
            "json": {"query": "{shop{currencyCode}}"},
        }
        async with httpx.AsyncClient(headers={"X-Shopify-Access-Token": "shpat_practice"}) as http:
            answer = await http.post(**ask)
            assert answer.json()["data"] == {"shop": {"currencyCode": "EUR"}}
            assert len(answer.headers.get_list("Date")) == 1
            await http.put(f"{url}/_control/faults", json={"timeout_after": {}})
            with pytest.raises(httpx.RemoteProtocolError):
                await http.post(**ask)
            await http.post(f"{url}/_control/seed", json={"products": 5})
            query = "{products{edges{node{id}}}}"
            run = f'mutation{{bulkOperationRunQuery(query:"{query}"){{bulkOperation{{id}}}}}}'
            await http.post(ask["url"], json={"query": run})
            poll = {"query": "{currentBulkOperation{status url}}"}
            found = (await http.post(ask["url"], json=poll)).json()["data"]["currentBulkOperation"]
            assert found["status"] == "COMPLETED"
            await http.put(f"{url}/_control/faults", json={"file_cut_off": {}})
            with pytest.raises(httpx.RemoteProtocolError):
                await http.get(found["url"])
            assert len((await http.get(found["url"])).text.splitlines()) == 5
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 30) in (0, -signal.SIGTERM)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
