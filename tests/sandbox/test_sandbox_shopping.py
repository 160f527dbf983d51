"""What a visitor of the practice store can do, and what the store notes at its orders."""

import httpx

from tests.sandbox.conftest import Shopkeeper

STORE = "/wp-json/wc/store/v1"


def visitor(shop: Shopkeeper) -> httpx.AsyncClient:
    """Somebody without a key."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=shop.app), base_url=f"http://shop.test{STORE}"
    )


async def test_a_visitor_finds_published_goods_by_name_and_sku(shop: Shopkeeper):
    mug = await shop.product(name="Blue mug", sku="MUG", manage_stock=True, stock_quantity=0)
    await shop.product(name="Mug to come", sku="LATER", status="draft")
    async with visitor(shop) as anybody:
        by_name = (await anybody.get("/products", params={"search": "mug"})).json()
        by_sku = (await anybody.get("/products", params={"sku": "mug"})).json()
        hidden = (await anybody.get("/products", params={"sku": "LATER"})).json()
    assert [each["id"] for each in by_name] == [mug["id"]] == [each["id"] for each in by_sku]
    assert hidden == []
    assert by_sku[0]["prices"]["price"] == "1000"
    assert (by_sku[0]["is_in_stock"], by_sku[0]["is_purchasable"]) == (False, True)


async def test_a_variable_product_shows_its_lowest_price_and_is_found_by_a_variations_sku(
    shop: Shopkeeper,
):
    tee = await shop.product(name="Tee", type="variable", regular_price="")
    for sku, price in (("TEE-S", "12.00"), ("TEE-L", "9.50")):
        await shop.make(f"products/{tee['id']}/variations", sku=sku, regular_price=price)
    async with visitor(shop) as anybody:
        [found] = (await anybody.get("/products", params={"search": "Tee"})).json()
        [small] = (await anybody.get("/products", params={"sku": "TEE-S"})).json()
    assert (found["prices"]["price"], len(found["variations"])) == ("950", 2)
    assert (small["parent"], small["prices"]["price"]) == (tee["id"], "1200")


async def test_a_cart_needs_its_token_and_leaves_no_trace(shop: Shopkeeper):
    mug = await shop.product(sku="MUG", manage_stock=True, stock_quantity=3)
    async with visitor(shop) as anybody:
        assert (await anybody.post("/cart/add-item", json={"id": mug["id"]})).status_code == 401
        token = (await anybody.get("/cart")).headers["Cart-Token"]
        headers = {"Cart-Token": token}
        added = await anybody.post(
            "/cart/add-item", json={"id": mug["id"], "quantity": 2}, headers=headers
        )
        assert added.status_code == 201
        assert added.json()["items"] == [{"id": mug["id"], "quantity": 2}]
        assert (await anybody.delete("/cart/items", headers=headers)).json() == []
        assert (await anybody.get("/cart", headers=headers)).json()["items_count"] == 0
    assert (await shop.items("products"))[0]["stock_quantity"] == 3
    assert await shop.items("orders", status="any") == []


async def test_a_cart_does_not_take_what_is_sold_out_or_has_no_price(shop: Shopkeeper):
    gone = await shop.product(manage_stock=True, stock_quantity=0)
    free = await shop.product(regular_price="")
    async with visitor(shop) as anybody:
        token = (await anybody.get("/cart")).headers["Cart-Token"]
        codes = [
            (
                await anybody.post(
                    "/cart/add-item", json={"id": number}, headers={"Cart-Token": token}
                )
            ).json()["code"]
            for number in (gone["id"], free["id"], 999_999)
        ]
        assert (await anybody.get("/checkout")).json()["code"] == "rest_no_route"
    assert codes == [
        "woocommerce_rest_product_out_of_stock",
        "woocommerce_rest_product_not_purchasable",
        "woocommerce_rest_cart_invalid_product",
    ]


async def notes_of(shop: Shopkeeper, order: dict) -> list[str]:
    notes = await shop.items(f"orders/{order['id']}/notes")
    return sorted(each["note"] for each in notes)


async def test_what_an_order_takes_and_gives_back_is_noted_with_its_mails(shop: Shopkeeper):
    mug = await shop.product(sku="MUG", manage_stock=True, stock_quantity=5)
    line = {"product_id": mug["id"], "quantity": 2}
    order = await shop.make("orders", status="processing", line_items=[line])
    assert await notes_of(shop, order) == [
        'Email "New order" sent.',
        'Email "Processing order" sent.',
        "Stock levels reduced: Mug (MUG) 5&rarr;3",
    ]
    await shop.put(f"orders/{order['id']}", {"status": "cancelled"})
    assert "Stock levels increased: Mug (MUG) 3&rarr;5" in await notes_of(shop, order)


async def test_nothing_is_noted_where_nothing_happens(shop: Shopkeeper):
    mug = await shop.product(manage_stock=False)
    line = {"product_id": mug["id"], "quantity": 2}
    order = await shop.make("orders", status="pending", line_items=[line])
    assert await notes_of(shop, order) == []
