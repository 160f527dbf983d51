"""Orders: what is taken over, what is computed, and whom it disturbs."""

import pytest


async def lines(shop, quantity=1, **product):
    made = await shop.product(**product)
    return [{"product_id": made["id"], "quantity": quantity}]


async def order(shop, **body):
    return await shop.make("orders", **{"line_items": await lines(shop), **body})


async def stock_changes(shop):
    return [entry["change"] for entry in await shop.entries("stock_movements")]


async def test_totals_are_computed_and_read_only_fields_ignored(shop):
    made = await order(
        shop,
        line_items=await lines(shop, 3),
        total="1.00",
        total_tax="9.00",
        number="A-17",
        order_key="mine",
        date_created="2020-01-01T00:00:00",
        date_created_gmt="2020-01-01T00:00:00",
        date_paid_gmt="2020-01-01T00:00:00",
    )
    assert made["total"] == "30.00"
    assert made["number"] == str(made["id"])
    assert made["order_key"] != "mine"
    assert made["date_created_gmt"] == "2025-11-25T12:00:00"
    assert made["date_paid_gmt"] is None


async def test_item_names_and_totals_can_be_set(shop):
    item = (await lines(shop, 2))[0] | {"name": "Old mug", "subtotal": "9.00", "total": "7.50"}
    made = await order(shop, line_items=[item])
    line = made["line_items"][0]
    assert (line["name"], line["subtotal"], line["total"]) == ("Old mug", "9.00", "7.50")
    assert line["price"] == 3.75
    assert (made["discount_total"], made["total"]) == ("1.50", "7.50")


async def test_taxes_are_the_stores_own(taxed):
    item = (await lines(taxed))[0] | {"total_tax": "5.00", "taxes": [{"id": 9, "total": "5.00"}]}
    made = await order(taxed, line_items=[item])
    assert (made["total_tax"], made["total"]) == ("0.73", "10.73")
    assert made["tax_lines"][0]["rate_percent"] == 7.25
    assert (await taxed.items("taxes"))[0]["rate"] == "7.2500"


async def test_lines_and_billing_recompute_tax_and_a_status_does_not(taxed):
    made = await order(taxed)
    path = f"orders/{made['id']}"
    await taxed.control("POST", "edits", {"op": "tax_rate", "value": "10"})
    assert (await taxed.put(path, {"status": "on-hold"})).json()["total_tax"] == "0.73"
    assert (await taxed.put(path, {"billing": {"city": "York"}})).json()["total_tax"] == "1.00"


async def test_an_exempt_order_with_an_untaxed_fee_reaches_an_exact_total(taxed):
    made = await order(
        taxed,
        meta_data=[{"key": "is_vat_exempt", "value": "yes"}],
        fee_lines=[{"name": "Tax", "total": "2.00", "tax_status": "none"}],
    )
    assert (made["total_tax"], made["total"]) == ("0.00", "12.00")


async def test_lines_without_id_are_appended_by_a_put(shop):
    made = await order(shop, shipping_lines=[{"method_id": "flat_rate", "total": "3.00"}])
    path = f"orders/{made['id']}"
    same = {
        "line_items": await lines(shop),
        "shipping_lines": [{"method_id": "flat_rate", "total": "3.00"}],
        "fee_lines": [{"name": "Wrapping", "total": "1.00"}],
    }
    changed = (await shop.put(path, same)).json()
    counts = [len(changed[kind]) for kind in ("line_items", "shipping_lines", "fee_lines")]
    assert counts == [2, 2, 1]
    assert changed["total"] == "27.00"


async def test_lines_with_id_are_changed_and_removed(shop):
    made = await order(shop)
    path, line = f"orders/{made['id']}", made["line_items"][0]["id"]
    changed = (await shop.put(path, {"line_items": [{"id": line, "total": "4.00"}]})).json()
    assert [item["total"] for item in changed["line_items"]] == ["4.00"]
    gone = (await shop.put(path, {"line_items": [{"id": line, "product_id": None}]})).json()
    assert (gone["line_items"], gone["total"]) == ([], "0.00")
    wrong = await shop.put(path, {"line_items": [{"id": 424242, "total": "1.00"}]})
    assert wrong.json()["code"] == "woocommerce_rest_invalid_item_id"


async def test_an_unknown_line_sku_beats_the_product_id(shop):
    item = (await lines(shop, sku="HERE"))[0]
    made = await order(shop, line_items=[item | {"sku": "NOT-HERE", "name": "Mug"}])
    assert made["line_items"][0]["product_id"] == 0


async def test_a_known_line_sku_beats_the_product_id_too(shop):
    other = await shop.product(sku="OTHER")
    item = (await lines(shop))[0] | {"sku": "other"}
    made = await order(shop, line_items=[item])
    assert made["line_items"][0]["product_id"] == other["id"]


async def test_a_line_without_product_needs_a_name_only(shop):
    made = await order(shop, line_items=[{"product_id": 0, "name": "Old", "total": "2.00"}])
    assert made["total"] == "2.00"
    refused = await shop.post("orders", {"line_items": [{"name": "Old", "total": "2.00"}]})
    assert refused.json()["code"] == "woocommerce_rest_required_product_reference"


async def test_a_line_of_a_variation_knows_its_parent(shop):
    parent = await shop.product(type="variable", name="Mug")
    child = await shop.make(
        f"products/{parent['id']}/variations",
        regular_price="4.00",
        attributes=[{"name": "Colour", "option": "Red"}],
    )
    item = {"product_id": parent["id"], "variation_id": child["id"], "quantity": 2}
    line = (await order(shop, line_items=[item]))["line_items"][0]
    assert (line["product_id"], line["variation_id"]) == (parent["id"], child["id"])
    assert (line["name"], line["parent_name"], line["total"]) == ("Mug - Red", "Mug", "8.00")


async def test_created_via_is_a_key_cut_at_100_characters(shop):
    made = await order(shop, created_via="x" * 120)
    assert made["created_via"] == "x" * 100
    other = await order(shop, created_via="sync:17")
    assert await shop.ids("orders", created_via="sync:17") == [other["id"]]
    both = await shop.ids("orders", created_via=f"sync:17,{'x' * 100}")
    assert set(both) == {made["id"], other["id"]}
    assert await shop.ids("orders", created_via="sync:1") == []


async def test_orders_made_over_the_api_say_so(shop):
    assert (await order(shop))["created_via"] == "rest-api"


async def test_a_transaction_id_can_be_searched(shop):
    made = await order(shop, transaction_id="ch_12345")
    await order(shop)
    assert await shop.ids("orders", search="ch_12345") == [made["id"]]


async def test_an_unknown_customer_is_refused(shop):
    answer = await shop.post("orders", {"customer_id": 4242})
    assert answer.status_code == 400
    assert answer.json()["code"] == "woocommerce_rest_invalid_customer_id"


async def test_an_id_in_a_create_is_refused(shop):
    answer = await shop.post("orders", {"id": 1})
    assert answer.json()["code"] == "woocommerce_rest_shop_order_exists"


async def test_a_coupon_line_discounts_again_and_counts_its_use(shop):
    coupon = await shop.make("coupons", code="ten", amount="10", discount_type="percent")
    made = await order(shop, coupon_lines=[{"code": "TEN"}])
    assert (made["discount_total"], made["total"]) == ("1.00", "9.00")
    assert (await shop.get(f"coupons/{coupon['id']}")).json()["usage_count"] == 1


async def test_an_unknown_coupon_is_refused_and_leaves_a_draft_behind(shop):
    answer = await shop.post("orders", {"coupon_lines": [{"code": "nope"}]})
    assert answer.status_code == 400
    assert answer.json()["code"] == "woocommerce_rest_invalid_coupon"
    (left,) = await shop.items("orders")
    assert left["status"] == "checkout-draft"


async def test_any_includes_checkout_drafts_and_never_trash(shop):
    draft = await order(shop, status="checkout-draft")
    gone = await order(shop)
    await shop.delete(f"orders/{gone['id']}")
    assert await shop.ids("orders") == [draft["id"]]
    assert await shop.ids("orders", status="any,trash") == [draft["id"]]
    assert await shop.ids("orders", status="trash") == [gone["id"]]
    assert (await shop.get("orders", status="nonsense")).status_code == 400


async def test_an_order_of_an_unregistered_status_is_in_no_list(shop):
    made = await order(shop)
    edit = {"op": "patch", "kind": "order", "id": made["id"], "fields": {"status": "packing"}}
    await shop.control("POST", "edits", edit)
    assert await shop.ids("orders") == []
    assert (await shop.get(f"orders/{made['id']}")).json()["status"] == "packing"


async def test_a_draft_keeps_id_and_date_when_it_is_placed(shop):
    draft = await order(shop, status="checkout-draft")
    shop.wait(3600)
    placed = (await shop.put(f"orders/{draft['id']}", {"status": "processing"})).json()
    assert placed["id"] == draft["id"]
    assert placed["date_created_gmt"] == draft["date_created_gmt"]
    assert placed["date_modified_gmt"] > draft["date_modified_gmt"]


@pytest.mark.parametrize(
    ("status", "mails", "reduces"),
    [
        ("pending", [], False),
        ("cancelled", [], False),
        ("processing", ["new_order", "customer_processing_order"], True),
        ("completed", ["new_order", "customer_completed_order"], True),
        ("on-hold", ["new_order", "customer_on_hold_order"], True),
        ("failed", ["failed_order", "customer_failed_order"], False),
        ("refunded", ["customer_refunded_order"], False),
    ],
)
async def test_creating_an_order_mails_and_reduces_stock_by_status(shop, status, mails, reduces):
    item = await lines(shop, 2, manage_stock=True, stock_quantity=9)
    await order(shop, status=status, line_items=item)
    assert await shop.mails() == mails
    assert await stock_changes(shop) == ([-2] if reduces else [])


async def test_a_meta_entry_stops_the_reduction_and_is_not_shown(shop):
    item = await lines(shop, 2, manage_stock=True, stock_quantity=9)
    meta = [{"key": "_order_stock_reduced", "value": "yes"}]
    made = await order(shop, status="processing", line_items=item, meta_data=meta)
    assert made["meta_data"] == []
    await shop.put(f"orders/{made['id']}", {"status": "completed"})
    assert await stock_changes(shop) == []


@pytest.mark.parametrize("status", ["pending", "processing"])
async def test_a_line_that_is_put_takes_from_stock_what_it_has_not_taken(shop, status):
    item = await lines(shop, 2, manage_stock=True, stock_quantity=9)
    made = await order(shop, status=status, line_items=item)
    path, line = f"orders/{made['id']}", made["line_items"][0]["id"]
    for quantity in (2, 3, 3, 1):
        await shop.put(path, {"line_items": [{"id": line, "quantity": quantity}]})
    assert await stock_changes(shop) == [-2, -1, 2]


async def test_a_meta_entry_says_what_a_line_has_taken(shop):
    item = await lines(shop, 2, manage_stock=True, stock_quantity=9)
    made = await order(shop, line_items=[{"product_id": 0, "name": "Mug", "quantity": 2}])
    line = {"id": made["line_items"][0]["id"], **item[0]}
    taken = [{"key": "_reduced_stock", "value": "2"}]
    put = {"line_items": [line | {"meta_data": taken}], "status": "processing"}
    changed = (await shop.put(f"orders/{made['id']}", put)).json()
    assert [each["product_id"] for each in changed["line_items"]] == [item[0]["product_id"]]
    assert await stock_changes(shop) == []


async def test_stock_is_reduced_once_on_the_way_of_an_order(shop):
    item = await lines(shop, 2, manage_stock=True, stock_quantity=9)
    path = f"orders/{(await order(shop, line_items=item))['id']}"
    for status in ("processing", "completed", "completed"):
        await shop.put(path, {"status": status})
    assert await stock_changes(shop) == [-2]
    assert (await shop.control("GET", "records"))["stock_reasons"] == {"api": {"order": 1}}
    assert await shop.mails() == [
        "new_order",
        "customer_processing_order",
        "customer_completed_order",
    ]


async def test_set_paid_completes_the_payment(shop):
    made = await order(shop, set_paid=True, transaction_id="t1")
    assert made["status"] == "processing"
    assert made["date_paid_gmt"] == "2025-11-25T12:00:00"


async def test_status_refunded_makes_a_full_refund_by_itself(shop):
    made = await order(shop, status="refunded")
    (refund,) = await shop.items(f"orders/{made['id']}/refunds")
    assert refund["amount"] == "10.00"
    shown = (await shop.get(f"orders/{made['id']}")).json()["refunds"]
    assert [entry["total"] for entry in shown] == ["-10.00"]


async def test_orders_made_twice_are_recorded(shop):
    first = await order(shop, created_via="sync:1")
    second = await order(shop, created_via="sync:1")
    (twin,) = await shop.entries("duplicates")
    assert (twin["first"], twin["record"]) == (first["id"], second["id"])


async def test_a_batch_of_orders_turns_an_unknown_status_into_pending(shop):
    made = (await shop.post("orders/batch", {"create": [{"status": "nonsense"}]})).json()
    assert made["create"][0]["status"] == "pending"


async def test_orders_can_be_listed_by_customer_and_product(shop):
    owner = await shop.make("customers", email="a@example.com")
    item = await lines(shop)
    made = await order(shop, customer_id=owner["id"], line_items=item)
    await order(shop)
    assert await shop.ids("orders", customer=owner["id"]) == [made["id"]]
    assert await shop.ids("orders", product=item[0]["product_id"]) == [made["id"]]


async def test_an_empty_billing_email_is_refused_in_a_single_write(shop):
    answer = await shop.post("orders", {"billing": {"email": ""}})
    assert answer.status_code == 400
    assert "billing" in answer.json()["data"]["params"]


async def test_the_registered_statuses_are_told(shop):
    found = [item["slug"] for item in await shop.items("orders/statuses")]
    assert "checkout-draft" in found
    assert "completed" in found
