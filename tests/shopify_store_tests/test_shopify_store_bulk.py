"""Bulk operations: what they take, how they end, and what is in their files."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.shopify_store_tests.conftest import gid

pytestmark = pytest.mark.contracts

RUN = (
    "mutation($q:String!,$g:Boolean!){bulkOperationRunQuery(query:$q,groupObjects:$g)"
    "{bulkOperation{id status} userErrors{field message code}}}"
)
STATE = (
    "query($i:ID!){bulkOperation(id:$i){id status errorCode objectCount rootObjectCount fileSize "
    "url partialDataUrl completedAt type query}}"
)
PRODUCTS = (
    'query Mine{products(query:"id:>0"){edges{node{id title '
    "variants{edges{node{id sku inventoryItem{inventoryLevels{edges{node{id}}}}}}} "
    "collections{edges{node{id}}}}}}}"
)


async def run(shop, query=PRODUCTS, *, grouped=False):
    payload = (await shop.ask(RUN, q=query, g=grouped))["bulkOperationRunQuery"]
    assert payload["userErrors"] == []
    return payload["bulkOperation"]["id"]


async def state(shop, identity):
    return (await shop.ask(STATE, i=identity))["bulkOperation"]


async def lines(shop, url):
    answer = await shop.http.get(url)
    assert answer.status_code == 200
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_an_operation_ends_as_a_file_of_records_and_their_children(shop):
    await shop.control("POST", "seed", {"products": 3, "variants": 2, "collections": 1})
    started = (await shop.ask(RUN, q=PRODUCTS, g=False))["bulkOperationRunQuery"]
    assert started["bulkOperation"]["status"] == "CREATED"
    found = await state(shop, started["bulkOperation"]["id"])
    assert found["status"] == "COMPLETED"
    assert found["query"] == PRODUCTS
    written = await lines(shop, found["url"])
    assert int(found["objectCount"]) == len(written) == 3 + 6 + 6 + 3
    assert found["rootObjectCount"] == "3"
    assert int(found["fileSize"]) == len((await shop.http.get(found["url"])).content)
    parents = {each["id"]: place for place, each in enumerate(written)}
    roots = [each for each in written if "__parentId" not in each]
    assert [each["title"] for each in roots] == ["Shirt 1", "Lamp 2", "Clock 3"]
    assert all("variants" not in each for each in written)
    for place, each in enumerate(written):
        if "__parentId" in each:
            assert parents[each["__parentId"]] < place
    levels = [each for each in written if "/InventoryLevel/" in each["id"]]
    assert all("/ProductVariant/" in each["__parentId"] for each in levels)


@pytest.mark.parametrize("grouped", [True, False])
async def test_children_stand_below_their_parents_only_where_that_was_asked_for(shop, grouped):
    await shop.control("POST", "seed", {"products": 3, "variants": 2})
    found = await state(shop, await run(shop, grouped=grouped))
    roots = ["__parentId" not in each for each in await lines(shop, found["url"])]
    assert (roots[:3] == [True] * 3) is not grouped


async def test_nothing_found_is_no_file(shop):
    found = await state(shop, await run(shop))
    assert (found["status"], found["objectCount"], found["url"]) == ("COMPLETED", "0", None)


async def test_an_operation_takes_its_time_and_can_be_cancelled(open_shop):
    shop = open_shop(bulk_rows_a_second=1)
    await shop.control("POST", "seed", {"products": 6})
    identity = await run(shop)
    assert (await state(shop, identity))["status"] == "RUNNING"
    shop.wait(2)
    found = await state(shop, identity)
    assert (found["status"], found["rootObjectCount"], found["url"]) == ("RUNNING", "2", None)
    cancel = (
        "mutation($i:ID!){bulkOperationCancel(id:$i){bulkOperation{status} userErrors{message}}}"
    )
    answer = (await shop.ask(cancel, i=identity))["bulkOperationCancel"]
    assert answer["bulkOperation"]["status"] == "CANCELING"
    found = await state(shop, identity)
    assert found["status"] == "CANCELED"
    assert {each["id"] for each in await lines(shop, found["partialDataUrl"])}
    again = (await shop.ask(cancel, i=identity))["bulkOperationCancel"]
    assert again["userErrors"]


async def test_what_changes_meanwhile_is_read_when_its_turn_comes(open_shop):
    shop = open_shop(bulk_rows_a_second=1)
    made = (await shop.control("POST", "seed", {"products": 3}))["product"]
    identity = await run(shop, "{products{edges{node{id title}}}}")
    shop.wait(1)
    await state(shop, identity)
    await shop.edit("update", "product", made[0], values={"title": "Too late"})
    await shop.edit("update", "product", made[1], values={"title": "In time"})
    await shop.edit("delete", "product", made[2])
    shop.wait(9)
    found = await state(shop, identity)
    assert [each["title"] for each in await lines(shop, found["url"])] == ["Shirt 1", "In time"]


@pytest.mark.parametrize(("most", "code"), [(1, "OPERATION_IN_PROGRESS"), (2, "LIMIT_REACHED")])
async def test_only_so_many_run_at_once(open_shop, most, code):
    shop = open_shop(bulk_at_once=most, bulk_rows_a_second=1)
    await shop.control("POST", "seed", {"products": 2})
    running = [await run(shop) for _ in range(most)]
    refused = (await shop.ask(RUN, q=PRODUCTS, g=False))["bulkOperationRunQuery"]
    assert [each["code"] for each in refused["userErrors"]] == [code]
    assert running[0] in refused["userErrors"][0]["message"]
    listed = await shop.ask('{bulkOperations(first:5,query:"status:running"){nodes{id}}}')
    assert [each["id"] for each in listed["bulkOperations"]["nodes"]] == running[::-1]


async def test_an_operation_may_fail_midway_and_leave_a_part(shop):
    await shop.control("POST", "seed", {"products": 5, "variants": 2})
    await shop.faults(bulk_fails={"after": 3, "code": "TIMEOUT"})
    found = await state(shop, await run(shop))
    assert (found["status"], found["errorCode"], found["url"]) == ("FAILED", "TIMEOUT", None)
    written = await lines(shop, found["partialDataUrl"])
    assert len([each for each in written if "__parentId" not in each]) == 3
    assert len(written) < 3 * (1 + 2 + 2)
    assert (await state(shop, await run(shop)))["status"] == "COMPLETED"


async def test_children_may_be_left_out_without_a_word(shop):
    await shop.control("POST", "seed", {"products": 2, "variants": 3})
    await shop.faults(bulk_truncates={"at": 1})
    found = await state(
        shop, await run(shop, "{products{edges{node{id variants{edges{node{id}}}}}}}")
    )
    assert (found["status"], found["objectCount"]) == ("COMPLETED", "4")


async def test_sorted_by_change_records_are_left_out(shop):
    """As people report; nobody should sort in a bulk operation."""
    await shop.control("POST", "seed", {"products": 120})
    sort = "{products(sortKey:UPDATED_AT){edges{node{id}}}}"
    counts = [
        (await state(shop, await run(shop, each)))["objectCount"] for each in (sort, PRODUCTS)
    ]
    assert int(counts[0]) < 120 <= int(counts[1])


async def test_a_file_is_there_for_a_week_and_for_whoever_knows_its_address(shop):
    await shop.control("POST", "seed", {"products": 2})
    identity = await run(shop)
    url = (await state(shop, identity))["url"]
    assert (await shop.http.get(url.partition("?")[0])).status_code == 403
    await shop.faults(file_cut_off={})
    with pytest.raises(httpx.ReadTimeout):
        await shop.http.get(url)
    assert (await shop.http.get(url)).status_code == 200
    shop.wait(8 * 86_400)
    found = await state(shop, identity)
    assert (found["status"], found["url"]) == ("EXPIRED", None)
    assert (await shop.http.get(url)).status_code == 403


async def test_without_its_scope_an_operation_fails(open_shop):
    shop = open_shop(scopes=("read_products",))
    found = await state(shop, await run(shop, "{customers{edges{node{id}}}}"))
    assert (found["status"], found["errorCode"]) == ("FAILED", "ACCESS_DENIED")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("{shop{name}}", "at least one connection"),
        ("{products{edges{node{id}}} orders{edges{node{id}}}}", "one top-level field"),
        ("{products{edges{node{title variants{edges{node{id}}}}}}}", "select the 'id' field"),
        (
            "{orders{edges{node{id refunds{id refundLineItems{edges{node{quantity}}}}}}}}",
            "within a list field",
        ),
        (
            (
                "{collections{edges{node{id products{edges{node{id variants{edges{node{id "
                "media{edges{node{id}}}}}}}}}}}}}"
            ),
            "nesting depth",
        ),
        (
            (
                "{products{edges{node{id variants{edges{node{id}}} media{edges{node{id}}} "
                "collections{edges{node{id}}} metafields{edges{node{id}}} "
                "events{edges{node{id}}}}}}}"
            ),
            "more than 5",
        ),
        ("{products{edges{node{identity}}}}", "identity"),
        ("mutation{orderClose(input:{id:1}){order{id}}}", "must be one query"),
    ],
)
async def test_queries_that_no_operation_takes(shop, query, words):
    payload = (await shop.ask(RUN, q=query, g=False))["bulkOperationRunQuery"]
    assert payload["bulkOperation"] is None
    [error] = payload["userErrors"]
    assert words in error["message"]
    assert error["code"] == "INVALID"


async def test_an_operation_gets_on_while_nobody_looks(shop):
    """Its own work, not the look at it, brings it to its end."""
    await shop.control("POST", "seed", {"products": 30})
    identity = await run(shop)
    operation = shop.store.get("BulkOperation", identity)
    for _ in range(100):
        await shop.control("GET", "clock")
        if operation["status"] == "COMPLETED":
            break
        await shop.app._background
    assert operation["status"] == "COMPLETED"
    assert gid("BulkOperation", operation["_n"]) == identity
