"""What is true of every request: who may ask, in which version, at what price; and what fails."""

from __future__ import annotations

import httpx
import pytest

from tests.shopify_store import contract
from tests.shopify_store.fields import RESOLVERS

pytestmark = pytest.mark.contracts

SHOP = "{shop{name}}"


async def test_every_answer_tells_its_version_its_time_and_its_own_id(shop):
    first, second = await shop.post(SHOP), await shop.post(SHOP)
    assert first.headers["X-Shopify-API-Version"] == "2026-10"
    assert first.headers["Date"] == "Tue, 25 Nov 2025 12:00:00 GMT"
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]
    logged = await shop.control("GET", "requests")
    assert [each["request_id"] for each in logged] == [
        answer.headers["X-Request-Id"] for answer in (first, second)
    ]


@pytest.mark.parametrize(
    ("asked", "served"), [("2026-07", "2026-07"), ("2024-01", "2026-07"), ("nonsense", "2026-07")]
)
async def test_a_version_that_is_not_supported_falls_forward(shop, asked, served):
    shop.version = asked
    answer = await shop.post(SHOP)
    assert answer.status_code == 200
    assert answer.headers["X-Shopify-API-Version"] == served


async def test_a_wrong_token_is_refused_and_a_granted_one_ends(shop):
    shop.token = "shpat_wrong"
    assert (await shop.post(SHOP)).status_code == 401
    grant = {"client_id": "practice", "client_secret": "shpss_practice"}
    form = {**grant, "grant_type": "client_credentials"}
    refused = await shop.http.post("/admin/oauth/access_token", data={**form, "client_secret": "x"})
    assert refused.status_code == 400
    granted = (await shop.http.post("/admin/oauth/access_token", data=form)).json()
    shop.token = granted["access_token"]
    assert (await shop.post(SHOP)).status_code == 200
    shop.wait(granted["expires_in"])
    assert (await shop.post(SHOP)).status_code == 401


async def test_without_a_scope_a_field_is_denied_and_the_rest_is_answered(open_shop):
    shop = open_shop(scopes=("write_products",))
    query = "{products(first:1){nodes{id}} customersCount{count} shop{name}}"
    answer = await shop.answer(query)
    assert answer["data"] == {
        "products": {"nodes": []},
        "customersCount": None,
        "shop": {"name": "Practice"},
    }
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "ACCESS_DENIED"
    assert "read_customers" in error["message"]
    answer = await shop.answer("{orders(first:1){nodes{id}}}")
    assert answer["data"] is None
    assert await shop.refused(
        'mutation{customerDelete(input:{id:"gid://shopify/Customer/1"}){userErrors{message}}}'
    ) == ["ACCESS_DENIED"]
    granted = await shop.ask("{currentAppInstallation{accessScopes{handle}}}")
    assert granted["currentAppInstallation"]["accessScopes"] == [{"handle": "write_products"}]


@pytest.mark.parametrize(
    "document",
    [
        "{products(first:1){nodes{identity}}}",
        "{products(first:1,sortKey:UPDATED){nodes{id}}}",
        "query($n:String!){products(first:$n){nodes{id}}}",
        "{products(first:1",
        "",
    ],
)
async def test_a_document_that_is_not_valid_has_no_data(shop, document):
    answer = await shop.answer(document)
    assert answer["errors"]
    assert "data" not in answer


async def test_variables_are_checked(shop):
    query = "query($n:Int!){products(first:$n){nodes{id}}}"
    assert await shop.refused(query, n="two") == ["INVALID_VARIABLE"]
    assert await shop.refused(query) == ["INVALID_VARIABLE"]
    create = "mutation($o:OrderCreateOrderInput!){orderCreate(order:$o){order{id}}}"
    for order in ({"processedAt": "yesterday"}, {"lineItems": [{"title": "x"}]}):
        assert await shop.refused(create, o=order) == ["INVALID_VARIABLE"]


async def test_lists_in_an_input_have_a_limit(shop):
    query = "query($i:[ID!]!){nodes(ids:$i){id}}"
    ids = [f"gid://shopify/Product/{number}" for number in range(251)]
    assert await shop.refused(query, i=ids) == ["MAX_INPUT_SIZE_EXCEEDED"]
    assert len((await shop.ask(query, i=ids[1:]))["nodes"]) == 250


async def test_fields_on_their_way_out_are_told(shop):
    answer = await shop.post("{products(first:1){nodes{totalVariants}} shop{name}}")
    assert "deprecation" in answer.headers["X-Shopify-API-Deprecated-Reason"]
    assert "X-Shopify-API-Deprecated-Reason" not in (await shop.post(SHOP)).headers
    logged = await shop.control("GET", "requests")
    assert [each["deprecated"] for each in logged] == [["Product.totalVariants"], []]


@pytest.mark.parametrize("version", contract.VERSIONS)
async def test_what_the_store_resolves_is_in_the_published_schema(shop, version):
    """A field that Shopify takes away is not answered by mistake."""
    types = contract.load(version).schema.type_map
    unknown = [
        f"{kind}.{field}"
        for kind, field in RESOLVERS
        if kind not in types or field not in types[kind].fields
    ]
    assert unknown == []


# --- prices -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "requested"),
    [
        ("{shop{name}}", 1),
        ("{products(first:10){nodes{id}}}", 12),
        (
            (
                "{products(first:10){edges{node{id variants(first:5){edges{node{id}}}}} "
                "pageInfo{endCursor}}}"
            ),
            82,
        ),
        ("{products(last:3){nodes{id seo{title}}}}", 8),
        (
            '{nodes(ids:["gid://shopify/Product/1"]){...on Product{seo{title}} ...on Order{name}}}',
            2,
        ),
        ('mutation{productDelete(input:{id:"gid://shopify/Product/1"}){userErrors{message}}}', 10),
    ],
)
async def test_what_a_document_costs(shop, document, requested):
    cost = (await shop.answer(document))["extensions"]["cost"]
    assert cost["requestedQueryCost"] == requested
    assert cost["actualQueryCost"] <= requested


async def test_the_bucket_is_charged_what_was_given_and_fills_again(open_shop):
    shop = open_shop(bucket=1000, restore_rate=50)
    await shop.control("POST", "seed", {"products": 3})
    cost = (await shop.answer("{products(first:200){nodes{id}}}"))["extensions"]["cost"]
    assert cost["requestedQueryCost"] == 202
    assert cost["actualQueryCost"] == 5
    assert cost["throttleStatus"] == {
        "maximumAvailable": 1000.0,
        "currentlyAvailable": 995,
        "restoreRate": 50.0,
    }
    await shop.faults(drain={"points": 900})
    answer = await shop.answer("{products(first:200){nodes{id}}}")
    assert answer["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert "data" not in answer
    cost = answer["extensions"]["cost"]
    assert cost["actualQueryCost"] is None
    lacking = cost["requestedQueryCost"] - cost["throttleStatus"]["currentlyAvailable"]
    shop.wait(lacking / cost["throttleStatus"]["restoreRate"])
    await shop.ask("{products(first:200){nodes{id}}}")


async def test_one_document_may_not_cost_too_much(shop):
    answer = await shop.answer("{products(first:250){nodes{id variants(first:10){nodes{id}}}}}")
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "MAX_COST_EXCEEDED"
    assert error["extensions"]["cost"] == 2 + 250 * (1 + 2 + 10)
    assert error["extensions"]["maxCost"] == 1000
    assert shop.store.bucket.available() == 2000


# --- faults -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "status"),
    [("throttled_for_a_day", 429), ("too_many", 429), ("server_error", 500), ("signed_out", 401)],
)
async def test_a_fault_strikes_once_and_nothing_is_done(shop, name, status):
    await shop.faults(**{name: {"mutations": True}})
    create = 'mutation{collectionCreate(input:{title:"A"}){collection{id}}}'
    assert (await shop.post(SHOP)).status_code == 200
    assert (await shop.post(create)).status_code == status
    assert not shop.store.tables["Collection"]
    assert (await shop.post(create)).status_code == 200


@pytest.mark.parametrize(("name", "done"), [("timeout_before", 0), ("timeout_after", 1)])
async def test_an_answer_that_never_comes(shop, name, done):
    await shop.faults(**{name: {"times": 1}})
    with pytest.raises(httpx.ReadTimeout):
        await shop.post('mutation{collectionCreate(input:{title:"A"}){collection{id}}}')
    assert len(shop.store.tables["Collection"]) == done


async def test_answers_that_are_none(shop):
    await shop.faults(web_page={}, half_json={}, error_after={})
    answer = await shop.post(SHOP)
    assert answer.status_code == 502
    answer = await shop.post(SHOP)
    assert (answer.status_code, answer.text[:2]) == (200, "<!")
    answer = await shop.post(SHOP)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"Unterminated|Expecting|Invalid"):
        answer.json()


async def test_data_may_come_in_part(shop):
    await shop.control("POST", "seed", {"products": 3})
    await shop.faults(partial_data={})
    answer = await shop.answer("{products(first:3){nodes{id}}}")
    assert answer["data"]["products"]["nodes"][2] is None
    assert answer["errors"][0]["path"] == ["products", "nodes", 2]


async def test_another_version_may_answer(shop):
    await shop.faults(other_version={})
    assert (await shop.post(SHOP)).headers["X-Shopify-API-Version"] == "2025-10"


async def test_a_fault_that_there_is_not_is_refused(shop):
    answer = await shop.http.put("/_control/faults", json={"earthquake": {}})
    assert answer.status_code == 400
    assert (await shop.http.get("/_control/nowhere")).status_code == 400
