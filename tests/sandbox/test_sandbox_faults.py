"""Each fault alone: what a client sees of it, and what the store has done."""

import asyncio
import json
from email.utils import parsedate_to_datetime

import httpx
import pytest

SURE = {"probability": 1.0}


async def test_429_says_when_to_come_again_in_seconds(shop):
    await shop.faults(rate_limit={**SURE, "shape": "seconds", "retry_after": 7})
    answer = await shop.get("orders")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")


async def test_429_says_when_to_come_again_as_a_date(shop):
    await shop.faults(rate_limit={**SURE, "shape": "date", "retry_after": 7})
    answer = await shop.get("orders")
    wait = parsedate_to_datetime(answer.headers["Retry-After"]) - parsedate_to_datetime(
        answer.headers["Date"]
    )
    assert wait.total_seconds() == 7


async def test_429_may_say_nothing(shop):
    await shop.faults(rate_limit={**SURE, "shape": "none"})
    answer = await shop.get("orders")
    assert answer.status_code == 429
    assert "Retry-After" not in answer.headers


async def test_429_may_ask_for_a_day_once(shop):
    await shop.faults(rate_limit_day={})
    assert (await shop.get("orders")).headers["Retry-After"] == "86400"
    assert (await shop.get("orders")).status_code == 200


async def test_a_500_before_has_done_nothing(shop):
    await shop.faults(error_before={**SURE, "times": 1})
    assert (await shop.post("products", {"name": "Mug"})).status_code == 500
    assert await shop.ids("products") == []


async def test_a_502_after_has_done_the_write_and_speaks_html(shop):
    await shop.faults(error_after={**SURE, "times": 1})
    answer = await shop.post("products", {"name": "Mug"})
    assert answer.status_code == 502
    assert answer.headers["Content-Type"].startswith("text/html")
    assert len(await shop.ids("products")) == 1


async def test_a_timeout_after_commit_has_done_the_write(shop):
    await shop.faults(timeout_after={**SURE, "times": 1})
    with pytest.raises(httpx.ReadTimeout):
        await shop.post("orders", {"created_via": "sync:1"})
    assert len(await shop.ids("orders", created_via="sync:1")) == 1


async def test_a_timeout_before_has_done_nothing(shop):
    await shop.faults(timeout_before={**SURE, "times": 1})
    with pytest.raises(httpx.ReadTimeout):
        await shop.post("orders", {})
    assert await shop.ids("orders") == []


async def test_a_write_may_be_done_after_its_client_gave_up(shop):
    await shop.faults(late_commit={**SURE, "times": 1, "seconds": 0.01})
    with pytest.raises(httpx.ReadTimeout):
        await shop.post("orders/batch", {"create": [{}, {}]})
    assert await shop.ids("orders") == []
    while shop.app._late:
        await next(iter(shop.app._late))
    assert len(await shop.ids("orders")) == 2


async def test_a_late_write_is_in_no_list_yet_but_under_its_old_stamp(shop):
    product = await shop.product(name="Old")
    path = f"products/{product['id']}"
    shop.wait(60)
    await shop.faults(visibility_delay={"seconds": 5})
    await shop.put(path, {"name": "New"})
    query = {"modified_after": "2025-11-25T12:00:30", "dates_are_gmt": "true"}
    assert await shop.ids("products", **query) == []
    assert (await shop.items("products"))[0]["name"] == "Old"
    assert (await shop.get(path)).json()["name"] == "New"
    shop.wait(6)
    (late,) = await shop.items("products", **query)
    assert (late["name"], late["date_modified_gmt"]) == ("New", "2025-11-25T12:01:00")


async def test_a_late_create_is_invisible_to_lists(shop):
    await shop.faults(visibility_delay={"seconds": 5})
    made = await shop.product()
    assert await shop.ids("products") == []
    shop.wait(5)
    assert await shop.ids("products") == [made["id"]]


@pytest.mark.parametrize(("scope", "found"), [("lists", 1), ("everything", 0)])
async def test_keyed_look_ups_miss_late_writes_only_when_asked(shop, scope, found):
    await shop.faults(visibility_delay={"seconds": 5, "scope": scope})
    await shop.make("orders", created_via="sync:1")
    assert len(await shop.ids("orders", created_via="sync:1")) == found


async def test_a_torn_product_shows_new_texts_and_stamp_above_old_prices(shop):
    product = await shop.product(description="old", regular_price="10.00")
    shop.wait(60)
    await shop.faults(torn_reads={**SURE, "seconds": 2})
    change = {"description": "new", "regular_price": "12.00"}
    await shop.put(f"products/{product['id']}", change)
    torn = (await shop.get(f"products/{product['id']}")).json()
    assert (await shop.items("products"))[0] == torn
    assert (torn["description"], torn["price"]) == ("new", "10.00")
    assert torn["date_modified_gmt"] == "2025-11-25T12:01:00"
    shop.wait(3)
    whole = (await shop.items("products"))[0]
    assert (whole["price"], whole["date_modified_gmt"]) == ("12.00", torn["date_modified_gmt"])


async def test_a_torn_order_is_pending_and_empty_under_its_final_stamp(shop):
    product = await shop.product()
    await shop.faults(torn_reads={**SURE, "seconds": 2})
    line = {"product_id": product["id"]}
    made = await shop.make("orders", status="completed", line_items=[line])
    (torn,) = await shop.items("orders")
    assert (torn["status"], torn["total"], torn["line_items"]) == ("pending", "0.00", [])
    assert torn["date_modified_gmt"] == made["date_modified_gmt"]
    shop.wait(3)
    (whole,) = await shop.items("orders")
    assert (whole["status"], whole["total"]) == ("completed", "10.00")
    assert whole["date_modified_gmt"] == made["date_modified_gmt"]


async def test_a_late_write_may_be_torn_too(shop):
    await shop.faults(visibility_delay={"seconds": 5}, torn_reads={**SURE, "seconds": 2})
    product = await shop.product()
    await shop.make("orders", line_items=[{"product_id": product["id"]}])
    seen = []
    for _ in range(3):
        seen.append([order["total"] for order in await shop.items("orders")])
        shop.wait(5 if not seen[1:] else 2)
    assert seen == [[], ["0.00"], ["10.00"]]


async def test_a_second_write_while_the_first_is_late_is_seen_after_it(shop):
    product = await shop.product(name="one")
    path = f"products/{product['id']}"
    await shop.faults(visibility_delay={"seconds": 5})
    seen = []
    for name in ("two", "three"):
        await shop.put(path, {"name": name})
        shop.wait(2)
    for _ in range(3):
        seen.append((await shop.items("products"))[0]["name"])
        shop.wait(2)
    assert seen == ["one", "two", "three"]


async def test_a_list_never_holds_two_versions_of_a_record(shop):
    """A prompt write overtakes a late one: what came before both is gone from then on."""
    product = await shop.product(name="one")
    path = f"products/{product['id']}"
    await shop.faults(visibility_delay={"seconds": 5})
    await shop.put(path, {"name": "two"})
    shop.wait(1)
    await shop.faults(visibility_delay=None, torn_reads={**SURE, "seconds": 2})
    await shop.put(path, {"name": "three", "regular_price": "12.00"})
    seen = []
    for _ in range(4):
        seen.append([(item["name"], item["price"]) for item in await shop.items("products")])
        shop.wait(1.5)
    assert seen == [[("three", "10.00")]] * 2 + [[("three", "12.00")]] * 2


async def test_a_skewed_clock_moves_stamps_and_the_date_header(shop):
    await shop.faults(clock_skew={"seconds": 90})
    made = await shop.product()
    assert made["date_modified_gmt"] == "2025-11-25T12:01:30"
    assert (await shop.get("orders")).headers["Date"] == "Tue, 25 Nov 2025 12:01:30 GMT"
    await shop.faults(clock_skew=None)
    assert (await shop.get("orders")).headers["Date"] == "Tue, 25 Nov 2025 12:00:00 GMT"


async def test_only_the_date_header_may_be_wrong(shop):
    await shop.faults(clock_skew={"seconds": -90, "part": "header"})
    assert (await shop.product())["date_modified_gmt"] == "2025-11-25T12:00:00"
    assert (await shop.get("orders")).headers["Date"] == "Tue, 25 Nov 2025 11:58:30 GMT"


async def test_spurious_bumps_move_stamps_and_nothing_else(shop):
    before = await shop.product()
    shop.wait(60)
    await shop.faults(spurious_bumps={**SURE, "count": 1})
    (after,) = await shop.items("products")
    assert after.pop("date_modified_gmt") > before.pop("date_modified_gmt")
    assert after.pop("date_modified") > before.pop("date_modified")
    assert after == before


async def test_silent_children_change_stock_under_the_old_stamp(shop):
    before = await shop.product(manage_stock=True, stock_quantity=1000)
    shop.wait(60)
    await shop.faults(silent_children={**SURE, "times": 1})
    (after,) = await shop.items("products")
    assert after["stock_quantity"] != 1000
    assert after["date_modified_gmt"] == before["date_modified_gmt"]


async def test_hard_deletes_leave_no_trace(shop):
    product = await shop.product()
    await shop.faults(hard_deletes={**SURE, "times": 1})
    assert await shop.ids("products", include_status="any,trash") == []
    assert (await shop.get(f"products/{product['id']}")).status_code == 404


async def test_a_freed_id_is_used_again(shop):
    first = await shop.product(name="First")
    await shop.faults(id_reuse={})
    await shop.delete(f"products/{first['id']}", force="true")
    second = await shop.product(name="Second")
    assert second["id"] == first["id"]


async def test_html_may_come_with_200(shop):
    await shop.faults(html_page=SURE)
    answer = await shop.get("orders")
    assert answer.status_code == 200
    assert answer.text.startswith("<!DOCTYPE html>")


async def test_json_may_be_cut_off(shop):
    await shop.product()
    await shop.faults(truncated_json=SURE)
    with pytest.raises(json.JSONDecodeError):
        (await shop.get("products")).json()


async def test_unreadable_records_shorten_pages_but_not_totals(shop):
    await shop.control("POST", "load", {"order": [{} for _ in range(50)]})
    await shop.faults(unreadable={"share": 0.3})
    answer = await shop.get("orders", per_page=50, orderby="id")
    assert 0 < len(answer.json()) < 50
    assert answer.headers["X-WP-Total"] == "50"
    again = await shop.get("orders", per_page=50, orderby="id")
    assert again.json() == answer.json()


async def test_a_page_may_be_short_for_once(shop):
    await shop.control("POST", "load", {"product": [{} for _ in range(5)]})
    await shop.faults(short_pages={**SURE, "times": 1})
    lengths = [len(await shop.ids("products", orderby="id")) for _ in range(2)]
    assert lengths == [4, 5]


async def test_latency_is_waited_for_before_the_answer(shop):
    await shop.faults(latency={"seconds": 0.05, "jitter": 0})
    loop = asyncio.get_running_loop()
    start = loop.time()
    await shop.get("orders")
    assert loop.time() - start >= 0.045


async def test_pages_past_the_end_may_repeat_the_last(shop):
    await shop.control("POST", "load", {"product": [{} for _ in range(5)]})
    await shop.faults(repeated_last_page={})
    query = {"per_page": 2, "orderby": "id"}
    last = await shop.ids("products", page=3, **query)
    assert await shop.ids("products", page=9, **query) == last != []


async def test_records_move_while_they_are_read(shop):
    await shop.control("POST", "load", {"product": [{} for _ in range(9)]})
    shop.wait(60)
    await shop.faults(move_on_update={**SURE, "count": 3})
    query = {"orderby": "modified", "order": "asc", "per_page": 3}
    seen = [await shop.ids("products", page=page, **query) for page in (1, 2, 3)]
    assert len({record for page in seen for record in page}) < 9


async def test_faults_can_be_bound_to_a_route_and_a_number_of_times(shop):
    await shop.faults(error_before={**SURE, "route": "/orders", "times": 2})
    assert (await shop.get("products")).status_code == 200
    statuses = [(await shop.get("orders")).status_code for _ in range(4)]
    assert statuses == [500, 500, 200, 200]


async def test_the_same_seed_gives_the_same_faults(shop):
    async def run():
        await shop.faults(error_before={"probability": 0.4}, seed=42)
        return [(await shop.get("orders")).status_code for _ in range(20)]

    first = await run()
    assert await run() == first
    assert set(first) == {200, 500}


async def test_all_is_a_set_with_exceptions(shop):
    await shop.control("PUT", "faults", {"all": {"without": ["latency"]}, "clock_skew": None})
    on = (await shop.control("GET", "faults"))["on"]
    assert "rate_limit" in on
    assert "timeout_after" in on
    assert "latency" not in on
    assert "clock_skew" not in on
    await shop.faults(all=None)
    assert (await shop.control("GET", "faults"))["on"] == {}


async def test_an_unknown_fault_or_parameter_is_400(shop):
    for wanted in ({"gremlins": {}}, {"latency": {"minutes": 5}}):
        answer = await shop.http.put("/_control/faults", json=wanted)
        assert answer.status_code == 400


async def test_faults_do_not_touch_the_control_endpoint(shop):
    await shop.faults(error_before=SURE, rate_limit=SURE)
    assert await shop.control("GET", "faults")
