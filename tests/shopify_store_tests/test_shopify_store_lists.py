"""Lists, cursors, searches and single records."""

from __future__ import annotations

import pytest

from tests.shopify_store import connections
from tests.shopify_store_tests.conftest import gid

pytestmark = pytest.mark.contracts

PAGE = (
    "query($a:String){products(first:2,after:$a,sortKey:UPDATED_AT)"
    "{nodes{id} edges{cursor node{id}} pageInfo{hasNextPage hasPreviousPage endCursor}}}"
)


async def products(shop, count):
    return [await shop.product(title=f"Mug {number}") for number in range(count)]


async def test_a_cursor_names_a_place_and_not_a_number_of_records(shop):
    made = await products(shop, 5)
    shop.wait(10)
    first = (await shop.ask(PAGE))["products"]
    assert [each["id"] for each in first["nodes"]] == [gid("Product", n) for n in made[:2]]
    assert first["nodes"] == [each["node"] for each in first["edges"]]
    await shop.edit("delete", "product", made[0])
    second = (await shop.ask(PAGE, a=first["pageInfo"]["endCursor"]))["products"]
    assert [each["id"] for each in second["nodes"]] == [gid("Product", n) for n in made[2:4]]
    assert second["pageInfo"]["hasNextPage"]
    assert second["pageInfo"]["hasPreviousPage"]


async def test_a_record_that_changes_while_it_is_walked_past_moves_to_the_end(shop):
    made = await products(shop, 5)
    shop.wait(10)
    first = (await shop.ask(PAGE))["products"]
    await shop.edit("bump", "product", made[2])
    rest = await shop.ids(
        "products", None, after=f'"{first["pageInfo"]["endCursor"]}"', sortKey="UPDATED_AT"
    )
    assert rest == [made[3], made[4], made[2]]


async def test_a_list_can_be_walked_backwards(shop):
    made = await products(shop, 4)
    assert await shop.ids("products", None, sortKey="ID", reverse="true") == made[::-1]
    last = await shop.ask("{products(last:3,sortKey:ID){nodes{id} pageInfo{startCursor}}}")
    assert [each["id"] for each in last["products"]["nodes"]] == [
        gid("Product", n) for n in made[1:]
    ]
    start = last["products"]["pageInfo"]["startCursor"]
    before = await shop.ask(
        "query($b:String){products(last:3,before:$b,sortKey:ID){nodes{id}}}", b=start
    )
    assert [each["id"] for each in before["products"]["nodes"]] == [gid("Product", made[0])]
    newest = await shop.ask("{products(first:2,sortKey:ID,reverse:true){pageInfo{endCursor}}}")
    cursor = newest["products"]["pageInfo"]["endCursor"]
    older = await shop.ids("products", None, sortKey="ID", reverse="true", after=f'"{cursor}"')
    assert older == made[1::-1]


@pytest.mark.parametrize(
    "arguments", ["(first:251)", "(first:1,last:1)", "", '(first:1,after:"nonsense")']
)
async def test_pages_that_nobody_gives_are_refused(shop, arguments):
    answer = await shop.answer(f"{{products{arguments}{{nodes{{id}}}}}}")
    assert answer["data"] is None
    assert answer["errors"][0]["path"] == ["products"]


async def test_no_list_is_walked_beyond_its_limit(shop, monkeypatch):
    monkeypatch.setattr(connections, "MAX_DEPTH", 3)
    await products(shop, 5)
    cursor = None
    for _ in range(2):
        page = await shop.answer(PAGE, a=cursor)
        cursor = page["data"]["products"]["pageInfo"]["endCursor"]
    page = await shop.answer(PAGE, a=cursor)
    assert "25,000" in page["errors"][0]["message"]


async def test_products_are_active_ones_where_nothing_is_said(shop):
    made = await products(shop, 3)
    await shop.edit("update", "product", made[1], values={"status": "DRAFT"})
    assert await shop.ids("products") == [made[0], made[2]]
    assert await shop.ids("products", "status:active,draft,archived,unlisted") == made
    assert await shop.ids("products", "NOT status:draft") == [made[0], made[2]]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("id:>={1}", [1, 2]),
        ("id:<{1}", [0]),
        ("id:{2}", [2]),
        ("updated_at:>='2025-11-25T12:00:10Z'", [1, 2]),
        ("updated_at:>'2025-11-25T12:00:10Z'", [2]),
        ("updated_at:<='2025-11-25T12:00:10Z'", [0, 1]),
        ("updated_at:>='2025-11-25T13:00:10+01:00' AND id:>{1}", [2]),
        ("sku:'B-1' OR sku:C-1", [1, 2]),
        ("-sku:B-1", [0, 2]),
        ("(sku:A-1 OR sku:B-1) tag:old", [0]),
        ("title:'Mug A'", [0]),
        ("title:mug*", [0, 1, 2]),
        ("tag:*", [0]),
        ("metafields.custom.colour:'red'", [2]),
        ("updated_at:<now", [0, 1, 2]),
    ],
)
async def test_searches(shop, search, found):
    made = []
    for letter in "ABC":
        variant = {"sku": f"{letter}-1", "optionValues": [{"optionName": "Title", "name": "D"}]}
        options = [{"name": "Title", "values": [{"name": "D"}]}]
        made.append(
            await shop.product(title=f"Mug {letter}", variants=[variant], productOptions=options)
        )
        shop.wait(10)
    await shop.edit("silent", "product", made[0], values={"tags": ["old"]})
    colour = {"namespace": "custom", "key": "colour", "type": "single_line_text_field"}
    await shop.edit("metafield", "product", made[2], value="red", **colour)
    assert await shop.ids("products", search.format(*made)) == [made[each] for each in found]


@pytest.mark.parametrize(
    ("search", "field", "code"),
    [
        ("updatedAt:>'2025-01-01T00:00:00Z'", "updatedAt", "invalid_field"),
        ("updated_at:>'last week'", "updated_at", "invalid_value"),
        ("id:>abc", "id", "invalid_value"),
        ("updated_at:>=2025-11-25T12:30:00Z", "30", "invalid_field"),
    ],
)
async def test_a_filter_that_is_not_understood_is_dropped_with_a_warning(shop, search, field, code):
    """A search that fails open: without a look at the warnings it is a list of everything."""
    made = await products(shop, 3)
    query = "query($q:String){products(first:9,query:$q,sortKey:ID){nodes{id}}}"
    answer = await shop.answer(query, q=search)
    assert "errors" not in answer
    warnings = [each for search in answer["extensions"]["search"] for each in search["warnings"]]
    assert (field, code) in [(each["field"], each["code"]) for each in warnings]
    if "T12" not in search:
        assert len(answer["data"]["products"]["nodes"]) == len(made)


async def test_only_the_bad_part_of_a_search_is_dropped(shop):
    made = await products(shop, 3)
    query = "query($q:String){products(first:9,query:$q,sortKey:ID){nodes{id}}}"
    answer = await shop.answer(query, q=f"id:>{made[1]} AND nonsense:1 AND NOT other:2")
    assert [each["id"] for each in answer["data"]["products"]["nodes"]] == [gid("Product", made[2])]
    assert len(answer["extensions"]["search"][0]["warnings"]) == 2


async def test_what_a_search_knows_is_what_the_published_schema_says_of_it(shop):
    """A count of variants has no filters at all, customers none by date of creation."""
    await products(shop, 2)
    query = "{productVariantsCount(query:%s,limit:null){count precision}}"
    answer = await shop.answer(query % '"id:>9999999999"')
    assert answer["data"]["productVariantsCount"] == {"count": 2, "precision": "EXACT"}
    assert answer["extensions"]["search"]
    answer = await shop.answer('{customers(first:1,query:"created_at:>2020"){nodes{id}}}')
    assert answer["extensions"]["search"]


async def test_a_filter_without_a_value_breaks_the_server(shop):
    assert await shop.refused('{products(first:1,query:"updated_at:>"){nodes{id}}}') == [
        "INTERNAL_SERVER_ERROR"
    ]


async def test_customers_are_searched_by_whole_days_of_the_shops_zone(shop):
    [number] = await shop.load("customer", {"email": "a@example.test"})  # 07:00 in New York
    for search, found in [
        ("updated_at:>='2025-11-25T23:00:00Z'", [number]),
        ("updated_at:>='2025-11-26T04:59:00Z'", [number]),
        ("updated_at:>='2025-11-26T05:00:00Z'", []),
        ("updated_at:>'2025-11-25T05:00:00Z'", []),
    ]:
        assert await shop.ids("customers", search) == found, search


async def test_a_search_may_see_changes_late(shop):
    made = await products(shop, 2)
    shop.wait(60)
    await shop.faults(search_lag={"seconds": 20})
    await shop.edit("bump", "product", made[0])
    new = await shop.product(title="New")
    recent = "updated_at:>='2025-11-25T12:01:00Z'"
    assert await shop.ids("products", recent) == []
    assert new in await shop.ids("products")
    shop.wait(21)
    assert await shop.ids("products", recent) == [made[0], new]


async def test_counts_have_a_limit(shop):
    await products(shop, 3)
    counts = await shop.ask(
        "{a:productsCount{count precision} b:productsCount(limit:2){count precision} "
        'c:ordersCount(query:"id:>1",limit:null){count precision}}'
    )
    assert counts["a"] == {"count": 3, "precision": "EXACT"}
    assert counts["b"] == {"count": 2, "precision": "AT_LEAST"}
    assert counts["c"] == {"count": 0, "precision": "EXACT"}


async def test_single_records_are_null_where_they_are_gone(shop):
    made = await products(shop, 2)
    await shop.edit("delete", "product", made[0])
    ids = [gid("Product", made[0]), gid("Product", made[1]), gid("Customer", made[1])]
    data = await shop.ask("query($i:[ID!]!){nodes(ids:$i){id ...on Product{title}}}", i=ids)
    assert data["nodes"] == [None, {"id": ids[1], "title": "Mug 1"}, None]
    single = await shop.ask("query($i:ID!){product(id:$i){title} order(id:$i){name}}", i=ids[1])
    assert single == {"product": {"title": "Mug 1"}, "order": None}
    assert (await shop.answer('{product(id:"12"){title}}'))["errors"]


async def test_deletions_are_in_the_history(shop):
    made = await products(shop, 2)
    shop.wait(60)
    await shop.edit("delete", "product", made[1])
    search = "action:destroy AND subject_type:PRODUCT AND created_at:>='2025-11-25T12:01:00Z'"
    data = await shop.ask(
        "query($q:String){events(first:9,query:$q,sortKey:CREATED_AT){nodes{...on BasicEvent"
        "{action subjectId subjectType createdAt}}} "
        "deletionEvents(first:9,subjectTypes:[PRODUCT]){nodes{subjectId occurredAt}}}",
        q=search,
    )
    [event] = data["events"]["nodes"]
    assert event["subjectId"] == gid("Product", made[1])
    assert data["deletionEvents"]["nodes"] == [
        {"subjectId": gid("Product", made[1]), "occurredAt": "2025-11-25T12:01:00Z"}
    ]


async def test_old_orders_are_hidden_from_an_app_that_may_not_see_all(open_shop):
    shop = open_shop(scopes=("read_orders",))
    line = {
        "title": "Mug",
        "quantity": 1,
        "priceSet": {"shopMoney": {"amount": "1", "currencyCode": "GBP"}},
    }
    [old] = await shop.load("order", {"lineItems": [line]})
    shop.wait(61 * 86_400)
    [new] = await shop.load("order", {"lineItems": [line]})
    assert await shop.ids("orders") == [new]
    single = await shop.ask("query($i:ID!){order(id:$i){id}}", i=gid("Order", old))
    assert single["order"] is None


async def test_a_field_that_is_not_kept_is_an_error_and_no_null(shop):
    await products(shop, 1)
    answer = await shop.answer("{products(first:1){nodes{id feedback{summary}}}}")
    assert answer["errors"][0]["extensions"]["code"] == "NOT_KEPT"
