"""Date filters and pages, with the traps that were measured."""

import pytest

NOON = "2025-11-25T12:00:00"


def gmt(minute, second=0):
    return f"2025-11-25T12:{minute:02d}:{second:02d}"


async def products_a_minute_apart(shop, count=3):
    made = []
    for _ in range(count):
        made.append((await shop.product())["id"])
        shop.wait(60)
    return made


async def test_both_date_bounds_are_exclusive(shop):
    first, second, third = await products_a_minute_apart(shop)
    query = {"dates_are_gmt": "true", "orderby": "id", "order": "asc"}
    assert await shop.ids("products", modified_after=gmt(0), **query) == [second, third]
    assert await shop.ids("products", modified_before=gmt(2), **query) == [first, second]
    assert await shop.ids("products", modified_after=gmt(0, 59), **query) == [second, third]


async def test_fractions_of_a_second_are_ignored(shop):
    (only,) = await products_a_minute_apart(shop, 1)
    query = {"dates_are_gmt": "true"}
    assert await shop.ids("products", modified_after="2025-11-25T11:59:59.999", **query) == [only]
    assert await shop.ids("products", modified_after=gmt(0) + ".000", **query) == []


async def test_a_zone_suffix_with_gmt_loses_rows_in_berlin(open_shop):
    shop = open_shop(timezone="Europe/Berlin")
    await shop.product()
    query = {"dates_are_gmt": "true"}
    assert len(await shop.ids("products", modified_after="2025-11-25T11:30:00", **query)) == 1
    assert await shop.ids("products", modified_after="2025-11-25T11:30:00Z", **query) == []
    assert await shop.ids("products", modified_after="2025-11-25T11:30:00+00:00", **query) == []


async def test_a_gmt_value_without_the_flag_loses_rows_in_new_york(shop):
    await shop.product()
    assert await shop.ids("products", modified_after="2025-11-25T11:30:00") == []
    assert len(await shop.ids("products", modified_after="2025-11-25T06:30:00")) == 1


@pytest.mark.parametrize("value", ["2025-11-25", "yesterday", "2025-13-41T00:00:00", ""])
async def test_a_date_without_time_or_sense_is_400(shop, value):
    answer = await shop.get("orders", modified_after=value)
    assert answer.status_code == 400
    assert answer.json()["code"] == "rest_invalid_param"


async def test_orders_variations_coupons_and_refunds_take_the_date_filters(shop):
    parent = await shop.product(type="variable")
    await shop.make(f"products/{parent['id']}/variations", regular_price="3.00")
    await shop.make("coupons", code="ten", amount="10")
    order = await shop.make("orders", line_items=[{"product_id": parent["id"], "quantity": 1}])
    await shop.make(f"orders/{order['id']}/refunds", amount="1.00", api_refund=False)
    query = {"dates_are_gmt": "true"}
    for path in ("orders", f"products/{parent['id']}/variations", "coupons", "refunds"):
        assert len(await shop.ids(path, modified_after="2025-11-25T11:59:59", **query)) == 1
        assert await shop.ids(path, modified_after=NOON, **query) == []
    flat = "/wp-json/wc-analytics/variations"
    answer = await shop.http.get(flat, params={"modified_after": NOON, "dates_are_gmt": "true"})
    assert answer.json() == []


async def test_customers_ignore_date_filters(shop):
    await shop.make("customers", email="a@example.com")
    found = await shop.ids("customers", modified_after="2030-01-01T00:00:00", dates_are_gmt="true")
    assert len(found) == 1


async def test_customers_are_only_those_with_the_role_unless_asked(shop):
    made = await shop.make("customers", email="a@example.com")
    assert await shop.ids("customers") == [made["id"]]
    everybody = await shop.items("customers", role="all")
    assert {person["role"] for person in everybody} == {"administrator", "customer"}


async def test_customers_cannot_be_sorted_by_modification(shop):
    assert (await shop.get("customers", orderby="modified")).status_code == 400
    assert (await shop.get("customers", orderby="registered_date")).status_code == 200


async def test_per_page_over_100_is_400(shop):
    assert (await shop.get("orders", per_page=100)).status_code == 200
    assert (await shop.get("orders", per_page=101)).status_code == 400


async def test_past_the_last_page_products_keep_totals_and_orders_lose_them(shop):
    for _ in range(3):
        product = await shop.product()
        await shop.make("orders", line_items=[{"product_id": product["id"]}])
    products = await shop.get("products", per_page=2, page=9)
    assert products.json() == []
    assert (products.headers["X-WP-Total"], products.headers["X-WP-TotalPages"]) == ("3", "2")
    orders = await shop.get("orders", per_page=2, page=9)
    assert orders.json() == []
    assert (orders.headers["X-WP-Total"], orders.headers["X-WP-TotalPages"]) == ("0", "0")


async def test_unknown_query_names_are_ignored(shop):
    await shop.product()
    assert len(await shop.ids("products", meta_key="_external", meta_value="7")) == 1


async def walk(shop, path, **query):
    seen, page = [], 1
    while batch := await shop.ids(path, page=page, per_page=10, **query):
        seen += batch
        page += 1
    return seen


@pytest.mark.parametrize("path", ["products", "orders"])
async def test_sorting_by_modification_has_no_tie_break_and_loses_rows(shop, path):
    kind = path.removesuffix("s")
    made = await shop.control("POST", "load", {kind: [{} for _ in range(120)]})
    seen = await walk(shop, path, orderby="modified", order="asc")
    assert len(seen) == 120
    assert len(set(seen)) < 120
    assert await walk(shop, path, orderby="id", order="asc") == made[kind]


async def test_products_by_date_lose_rows_and_orders_do_not(shop):
    wanted = {"product": [{} for _ in range(120)], "order": [{} for _ in range(120)]}
    await shop.control("POST", "load", wanted)
    assert len(set(await walk(shop, "products"))) < 120
    assert len(set(await walk(shop, "orders"))) == 120


async def test_rows_touched_between_pages_leave_a_closed_window_and_shift_the_rest(shop):
    made = await products_a_minute_apart(shop, 6)
    query = {"orderby": "id", "order": "asc", "per_page": 3, "dates_are_gmt": "true"}
    first = await shop.ids("products", modified_before=gmt(30), **query)
    shop.wait(3600)
    await shop.put(f"products/{made[0]}")
    second = await shop.ids("products", modified_before=gmt(30), page=2, **query)
    assert first == made[:3]
    assert second == made[4:]  # made[3] is on neither page


async def test_include_exclude_offset_and_search(shop):
    made = await products_a_minute_apart(shop, 4)
    assert await shop.ids("products", include=f"{made[2]},{made[0]}", orderby="include") == [
        made[2],
        made[0],
    ]
    query = {"orderby": "id", "order": "asc"}
    assert await shop.ids("products", exclude=made[1], **query) == [made[0], made[2], made[3]]
    assert await shop.ids("products", offset=3, **query) == [made[3]]
    named = await shop.product(name="Teapot")
    assert await shop.ids("products", search="teap") == [named["id"]]


async def test_lists_of_php_arrays_are_understood(shop):
    made = await products_a_minute_apart(shop, 3)
    url = f"/wp-json/wc/v3/products?include[]={made[0]}&include[]={made[2]}&orderby=id&order=asc"
    found = (await shop.http.get(url)).json()
    assert [item["id"] for item in found] == [made[0], made[2]]


async def test_fields_cut_a_document(shop):
    await shop.product(dimensions={"length": "2", "width": "3", "height": "4"})
    found = await shop.items("products", _fields="id,date_modified_gmt,dimensions.width")
    assert [sorted(item) for item in found] == [["date_modified_gmt", "dimensions", "id"]]
    assert found[0]["dimensions"] == {"width": "3"}


async def test_a_wrong_orderby_is_400(shop):
    assert (await shop.get("orders", orderby="total")).status_code == 400


async def test_local_and_gmt_stamps_follow_daylight_saving(shop):
    await shop.control("POST", "clock", {"set": "2025-11-02T05:30:00"})
    before = await shop.product()
    await shop.control("POST", "clock", {"set": "2025-11-02T06:30:00"})
    after = await shop.product()
    assert before["date_modified_gmt"] == "2025-11-02T05:30:00"
    assert after["date_modified_gmt"] == "2025-11-02T06:30:00"
    assert before["date_modified"] == after["date_modified"] == "2025-11-02T01:30:00"
