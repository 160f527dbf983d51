import pytest


@pytest.fixture
async def sold(shop):
    """A paid order of four mugs of a managed product, at 10.00 each."""
    product = await shop.product(manage_stock=True, stock_quantity=9)
    item = {"product_id": product["id"], "quantity": 4}
    return await shop.make("orders", status="processing", line_items=[item])


def part(order, **more):
    """A refund of one of the four mugs."""
    item = {"id": order["line_items"][0]["id"], "quantity": 1, "refund_total": "10.00"}
    return {"amount": "10.00", "reason": "Broken", "line_items": [item], **more}


async def test_a_refund_pays_and_restocks_unless_told_not_to(shop, sold):
    path = f"orders/{sold['id']}/refunds"
    await shop.make(path, **part(sold))
    assert len(await shop.entries("gateway_refunds")) == 1
    assert [entry["change"] for entry in await shop.entries("stock_movements")] == [-4, 1]
    await shop.control("POST", "records/reset")
    await shop.make(path, **part(sold, api_refund=False, api_restock=False))
    assert await shop.entries("gateway_refunds") == []
    assert await shop.entries("stock_movements") == []


async def test_a_refund_is_mailed(shop, sold):
    await shop.control("POST", "records/reset")
    await shop.make(f"orders/{sold['id']}/refunds", **part(sold, api_refund=False))
    assert await shop.mails() == ["customer_refunded_order"]


async def test_the_lines_of_a_refund_are_negative_and_name_their_originals(shop, sold):
    made = await shop.make(f"orders/{sold['id']}/refunds", **part(sold, api_refund=False))
    line = made["line_items"][0]
    assert (line["quantity"], line["total"]) == (-1, "-10.00")
    assert line["meta_data"][0]["key"] == "_refunded_item_id"
    assert line["meta_data"][0]["value"] == str(sold["line_items"][0]["id"])


async def test_the_same_refund_sent_twice_makes_two_and_is_recorded(shop, sold):
    path = f"orders/{sold['id']}/refunds"
    for _ in range(2):
        await shop.make(path, **part(sold, api_refund=False))
    assert len(await shop.ids(path)) == 2
    (twin,) = await shop.entries("duplicates")
    assert (twin["what"], twin["order"]) == ("refund", sold["id"])


async def test_refunding_the_rest_makes_the_order_refunded(shop, sold):
    path = f"orders/{sold['id']}"
    await shop.make(f"{path}/refunds", amount="10.00", api_refund=False)
    assert (await shop.get(path)).json()["status"] == "processing"
    await shop.make(f"{path}/refunds", amount="30.00", api_refund=False)
    assert (await shop.get(path)).json()["status"] == "refunded"
    assert len(await shop.ids(f"{path}/refunds")) == 2


async def test_the_status_refunded_refunds_only_the_rest(shop, sold):
    path = f"orders/{sold['id']}"
    await shop.make(f"{path}/refunds", amount="10.00", api_refund=False)
    await shop.put(path, {"status": "refunded"})
    amounts = [refund["amount"] for refund in await shop.items(f"{path}/refunds")]
    assert sorted(amounts) == ["10.00", "30.00"]


async def test_more_than_is_left_cannot_be_refunded(shop, sold):
    answer = await shop.post(f"orders/{sold['id']}/refunds", {"amount": "40.01"})
    assert answer.status_code == 500
    assert answer.json()["code"] == "woocommerce_rest_cannot_create_order_refund"
    assert (await shop.post(f"orders/{sold['id']}/refunds", {})).status_code == 400


async def test_the_flat_list_of_refunds_names_their_orders(shop, sold):
    await shop.make(f"orders/{sold['id']}/refunds", **part(sold, api_refund=False))
    (refund,) = await shop.items("refunds")
    assert refund["parent_id"] == sold["id"]


async def test_a_refunds_date_cannot_be_set(shop, sold):
    made = await shop.make(
        f"orders/{sold['id']}/refunds", amount="1.00", date_created_gmt="2020-01-01T00:00:00"
    )
    assert made["date_created_gmt"] == "2025-11-25T12:00:00"


async def test_a_refund_has_no_trash(shop, sold):
    path = f"orders/{sold['id']}/refunds"
    made = await shop.make(path, amount="1.00", api_refund=False)
    assert (await shop.delete(f"{path}/{made['id']}")).status_code == 501
