"""Products, variations and categories: writing, statuses and deletions."""

import asyncio

import pytest


async def test_products_of_every_status_but_trash_are_any(shop):
    made = {
        status: (await shop.product(status=status))["id"]
        for status in ("draft", "pending", "private", "publish")
    }
    made["future"] = (await shop.product(date_created_gmt="2030-01-01T00:00:00"))["id"]
    gone = (await shop.product())["id"]
    await shop.delete(f"products/{gone}")
    assert set(await shop.ids("products")) == set(made.values())
    assert await shop.ids("products", status="trash") == [gone]
    everything = await shop.ids("products", include_status="any,trash")
    assert set(everything) == {*made.values(), gone}


async def test_force_leaves_nothing(shop):
    path = f"products/{(await shop.product())['id']}"
    assert (await shop.delete(path)).json()["status"] == "trash"
    assert (await shop.get(path)).status_code == 200
    assert (await shop.delete(path)).status_code == 410
    assert (await shop.delete(path, force="true")).status_code == 200
    answer = await shop.get(path)
    assert answer.status_code == 404
    assert answer.json()["code"] == "woocommerce_rest_product_invalid_id"


async def test_an_id_in_a_create_is_refused(shop):
    answer = await shop.post("products", {"id": 5, "name": "Mug"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "woocommerce_rest_product_exists"


async def test_a_put_to_nothing_is_400_not_404(shop):
    assert (await shop.put("products/99999", {})).status_code == 400


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("regular_price", 9.5),
        ("status", "nonsense"),
        ("stock_quantity", "many"),
        ("manage_stock", "perhaps"),
        ("dimensions", "big"),
        ("images", "none"),
    ],
)
async def test_single_writes_are_checked_against_the_schema(shop, field, value):
    answer = await shop.post("products", {"name": "Mug", field: value})
    assert answer.status_code == 400
    assert answer.json()["code"] == "rest_invalid_param"
    assert field in answer.json()["data"]["params"]


async def test_a_duplicate_sku_names_its_holder_whatever_the_case(shop):
    holder = await shop.product(sku="ABC-1")
    answer = await shop.post("products", {"name": "Cup", "sku": "abc-1"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "product_invalid_sku"
    assert answer.json()["data"]["resource_id"] == holder["id"]


async def test_only_one_of_four_concurrent_creates_of_a_sku_is_made(shop):
    payload = {"name": "Cup", "sku": "ONE"}
    answers = await asyncio.gather(*(shop.post("products", payload) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 400, 400, 400]


async def test_the_sku_look_up_takes_a_list_and_finds_variations_but_no_trash(shop):
    simple = await shop.product(sku="S1")
    parent = await shop.product(type="variable", sku="P1")
    child = await shop.make(f"products/{parent['id']}/variations", sku="V1")
    gone = await shop.product(sku="T1")
    await shop.delete(f"products/{gone['id']}")
    found = await shop.ids("products", sku="s1,V1,T1")
    assert set(found) == {simple["id"], child["id"]}
    assert child["id"] not in await shop.ids("products")


async def test_a_sale_price_is_the_price_while_the_sale_lasts(shop):
    product = await shop.product(regular_price="10.00", sale_price="8.00")
    assert (product["price"], product["on_sale"]) == ("8.00", True)
    path = f"products/{product['id']}"
    later = {"date_on_sale_from_gmt": "2026-01-01T00:00:00"}
    changed = (await shop.put(path, later)).json()
    assert (changed["price"], changed["on_sale"]) == ("10.00", False)


async def test_a_managed_quantity_decides_the_stock_status(shop):
    product = await shop.product(manage_stock=True, stock_quantity=0)
    assert product["stock_status"] == "outofstock"
    path = f"products/{product['id']}"
    assert (await shop.put(path, {"stock_quantity": 4})).json()["stock_status"] == "instock"


async def test_a_taken_slug_silently_gets_a_number(shop):
    await shop.product(slug="mug")
    assert (await shop.product(slug="mug"))["slug"] == "mug-2"


async def test_meta_is_merged_by_key_and_removed_by_null(shop):
    product = await shop.product(meta_data=[{"key": "a", "value": "1"}, {"key": "b", "value": 2}])
    path = f"products/{product['id']}"
    wanted = {"meta_data": [{"key": "a", "value": "3"}, {"key": "b", "value": None}]}
    changed = (await shop.put(path, wanted)).json()
    assert [(entry["key"], entry["value"]) for entry in changed["meta_data"]] == [("a", "3")]


async def test_a_product_without_a_category_is_uncategorized(shop):
    assert (await shop.product())["categories"][0]["slug"] == "uncategorized"


async def test_a_variation_of_another_parent_is_not_found(shop):
    one, two = await shop.product(type="variable"), await shop.product(type="variable")
    child = await shop.make(f"products/{one['id']}/variations", regular_price="1.00")
    assert (await shop.get(f"products/{two['id']}/variations/{child['id']}")).status_code == 404


# batches


async def test_a_batch_answers_200_with_failed_items_in_order(shop):
    await shop.product(sku="HELD")
    wanted = {
        "create": [{"name": "A"}, {"name": "B", "sku": "held"}, {"name": "C"}],
        "update": [{"id": 99999, "name": "D"}],
        "delete": [88888],
    }
    answer = await shop.post("products/batch", wanted)
    assert answer.status_code == 200
    done = answer.json()
    assert [item.get("name") for item in done["create"]] == ["A", None, "C"]
    assert done["create"][1]["error"]["code"] == "product_invalid_sku"
    assert done["update"][0]["id"] == 99999
    assert done["update"][0]["error"]["data"]["status"] == 400
    assert done["delete"][0]["error"]["data"]["status"] == 404


async def test_a_batch_of_more_than_100_items_is_413(shop):
    wanted = {"create": [{"name": "A"}] * 60, "update": [{"id": 1}] * 41}
    answer = await shop.post("products/batch", wanted)
    assert answer.status_code == 413
    assert await shop.ids("products") == []


async def test_a_batch_skips_the_schema(shop):
    wanted = {"create": [{"name": "A", "status": "nonsense", "regular_price": "xyz"}]}
    made = (await shop.post("products/batch", wanted)).json()["create"][0]
    assert (made["status"], made["regular_price"]) == ("draft", "")


async def test_a_batch_of_variations_works_below_its_parent(shop):
    parent = await shop.product(type="variable")
    path = f"products/{parent['id']}/variations"
    wanted = {"create": [{"sku": "A", "regular_price": "2.00"}, {"sku": "B"}]}
    made = (await shop.post(f"{path}/batch", wanted)).json()["create"]
    assert (await shop.get(f"products/{parent['id']}")).json()["variations"] == [
        item["id"] for item in made
    ]


# categories


async def test_a_category_name_taken_under_the_same_parent_is_refused(shop):
    mugs = await shop.make("products/categories", name="Mugs")
    answer = await shop.post("products/categories", {"name": "mugs"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "term_exists"
    assert answer.json()["data"]["resource_id"] == mugs["id"]
    below = await shop.make("products/categories", name="Mugs", parent=mugs["id"])
    assert below["slug"] == "mugs-2"


async def test_categories_count_their_products(shop):
    mugs = await shop.make("products/categories", name="Mugs")
    await shop.product(categories=[{"id": mugs["id"]}])
    found = {item["name"]: item["count"] for item in await shop.items("products/categories")}
    assert found == {"Mugs": 1, "Uncategorized": 0}


async def test_categories_have_no_trash(shop):
    path = f"products/categories/{(await shop.make('products/categories', name='Mugs'))['id']}"
    assert (await shop.delete(path)).status_code == 501
    assert (await shop.delete(path, force="true")).status_code == 200


# the shop's public pages


async def page(shop, path):
    return await shop.http.get(path)


async def test_permalinks_answer_and_a_missing_slash_is_a_301(shop):
    await shop.product(name="Blue mug")
    assert (await page(shop, "/product/blue-mug/")).status_code == 200
    moved = await page(shop, "/product/blue-mug")
    assert moved.status_code == 301
    assert moved.headers["Location"].endswith("/product/blue-mug/")


async def test_missing_draft_and_trashed_products_are_404(shop):
    await shop.product(name="Draft mug", status="draft")
    gone = await shop.product(name="Gone mug")
    await shop.delete(f"products/{gone['id']}")
    for slug in ("nothing", "draft-mug", "gone-mug"):
        assert (await page(shop, f"/product/{slug}/")).status_code == 404


async def test_a_prefix_of_a_slug_is_a_guess(shop):
    await shop.product(name="Blue mug with handle")
    guess = await page(shop, "/product/blue-mug/")
    assert guess.status_code == 301
    assert guess.headers["Location"].endswith("/product/blue-mug-with-handle/")


async def test_a_changed_slug_and_an_old_slug_in_meta_leave_a_301(shop):
    product = await shop.product(slug="first")
    await shop.put(f"products/{product['id']}", {"slug": "second"})
    meta = [{"key": "_wp_old_slug", "value": "from-the-old-shop"}]
    await shop.put(f"products/{product['id']}", {"meta_data": meta})
    for slug in ("first", "from-the-old-shop"):
        moved = await page(shop, f"/product/{slug}/")
        assert moved.status_code == 301
        assert moved.headers["Location"].endswith("/product/second/")


async def test_category_pages_answer(shop):
    await shop.make("products/categories", name="Mugs")
    assert (await page(shop, "/product-category/mugs/")).status_code == 200
    assert (await page(shop, "/product-category/cups/")).status_code == 404
