from connectors.records import Category, Stream
from tests.postgres_target.contents import category, customer, operation, order, product


async def test_our_own_records_are_found_by_key_with_their_variants(target, shop):
    await target.write(Stream.PRODUCTS, [operation(product(), "1")])

    found = await target.find(
        Stream.PRODUCTS, [operation(product(), "1"), operation(product(sku="", slug=""), "2")]
    )

    assert set(found) == {"1"}
    assert (found["1"].target_id, found["1"].by) == ("demo:1", "key")
    assert found["1"].children == {"501": "501", "502": "502"}


async def test_records_of_others_are_found_by_natural_keys(target, shop):
    await target.find(Stream.PRODUCTS, [operation(product())])
    await target.find(Stream.CUSTOMERS, [operation(customer("x@example.com"))])
    await target.find(Stream.CATEGORIES, [operation(category("x"))])
    await shop.execute("INSERT INTO products (id, sku, slug) VALUES ('p', 'MUG', 'other')")
    await shop.execute("INSERT INTO products (id, sku, slug) VALUES ('q', 'TEE', 'tee')")
    await shop.execute("INSERT INTO customers (id, email) VALUES ('c', 'Ada@Example.com')")
    await shop.execute("INSERT INTO categories (id, slug) VALUES ('k', 'mugs')")

    by_sku = await target.find(Stream.PRODUCTS, [operation(product())])
    by_slug = await target.find(Stream.PRODUCTS, [operation(product(sku="", slug="tee"))])
    by_email = await target.find(Stream.CUSTOMERS, [operation(customer("ada@example.com"))])
    category_by_slug = await target.find(Stream.CATEGORIES, [operation(category("mugs"))])

    assert (by_sku["7"].target_id, by_sku["7"].by) == ("p", "sku")
    assert (by_slug["7"].target_id, by_slug["7"].by) == ("q", "slug")
    assert (by_email["7"].target_id, by_email["7"].by) == ("c", "email")
    assert (category_by_slug["7"].target_id, category_by_slug["7"].by) == ("k", "slug")


async def test_a_natural_key_that_two_rows_share_proves_nothing(target, shop):
    await target.find(Stream.CUSTOMERS, [])
    await shop.execute("INSERT INTO customers (id, email) VALUES ('c', 'a@b.c'), ('d', 'A@b.c')")

    assert await target.find(Stream.CUSTOMERS, [operation(customer("a@b.c"))]) == {}


async def test_an_empty_natural_key_matches_nothing(target, shop):
    await target.find(Stream.CATEGORIES, [])
    await shop.execute("INSERT INTO categories (id, slug) VALUES ('k', '')")

    assert await target.find(Stream.CATEGORIES, [operation(Category(name="Mugs"))]) == {}


async def test_a_found_record_is_taken_over_by_an_update(target, shop):
    await target.find(Stream.CUSTOMERS, [])
    await shop.execute("INSERT INTO customers (id, email) VALUES ('c', 'ada@example.com')")

    await target.write(Stream.CUSTOMERS, [operation(customer("ada@example.com"), target_id="c")])

    row = await shop.fetchrow("SELECT id, source_id, first_name FROM customers")
    assert tuple(row) == ("c", "7", "Ada")


async def test_orders_are_recognised_by_key_alone(target, shop):
    await target.write(Stream.ORDERS, [operation(order(), "1")])

    assert await target.find(Stream.ORDERS, [operation(order(), "2")]) == {}
