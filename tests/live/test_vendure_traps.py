"""What Vendure does that nobody expects, and what the connector makes of it: reading."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from connectors.base import Sweep, Window
from connectors.errors import SignInAgain
from connectors.records import Attribute, InventoryLevel, Order, Stream
from connectors.testing.contents import product, variant
from connectors.testing.operations import applied, operations
from connectors.vendure import CONNECTOR
from connectors.vendure.source import VendureSource
from connectors.vendure.target import VendureTarget
from tests.live.vendure import goods, sales
from tests.live.vendure.store import VendureStore

_STAMPS = (
    "query ($options: ProductListOptions) "
    "{ products(options: $options) { items { id updatedAt } } }"
)


async def listed(store: VendureStore, **options: Any) -> list[dict[str, str]]:
    found: list[dict[str, str]] = (await store.ask(_STAMPS, options=options))["products"]["items"]
    return found


async def seen(store: VendureStore, stream: Stream, since: Any = None) -> dict[str, Any]:
    """What the connector reads: of a window, or of everything."""
    async with VendureSource(store.access()) as source:
        extent = Window(since, await source.server_time()) if since else Sweep()
        return {
            record.id: record.content
            async for page in source.read(stream, extent, {}, None)
            for record in page.records
        }


async def now(store: VendureStore) -> Any:
    """The database's clock, which stamps records."""
    return await store.database.fetchval("SELECT clock_timestamp()")


async def test_who_is_not_let_in_is_answered_with_status_200(vendure: VendureStore) -> None:
    answer = await vendure.staff.post(
        "/admin-api",
        json={"query": "{ products { totalItems } }"},
        headers={"Authorization": "Bearer nobody"},
    )
    error = answer.json()["errors"][0]
    assert (answer.status_code, error["extensions"]["code"]) == (200, "FORBIDDEN")
    async with VendureSource(vendure.access(password="wrong")) as source:
        with pytest.raises(SignInAgain):
            await source.check()


async def test_a_store_whose_dates_are_right_is_believed(vendure: VendureStore) -> None:
    async with VendureSource(vendure.access()) as source:
        assert (await source.check()).findings == ()
    # As in a database of another zone: to sign in changes the date of the user, and this puts it
    # hours back whenever it does.
    await vendure.database.execute(
        "CREATE FUNCTION lie() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " NEW.\"updatedAt\" := clock_timestamp() - interval '5 h'; RETURN NEW; END $$;"
        ' CREATE TRIGGER lie BEFORE UPDATE ON "user" FOR EACH ROW EXECUTE FUNCTION lie()'
    )
    try:
        async with VendureSource(vendure.access()) as source:
            [(code, _)] = (await source.check()).findings
    finally:
        await vendure.database.execute("DROP FUNCTION lie CASCADE")
    assert code == "database_zone"


async def test_a_session_that_ended_is_renewed(vendure: VendureStore) -> None:
    await goods.make(vendure, Stream.PRODUCTS, 1)
    async with VendureSource(vendure.access()) as source:
        assert await source.count(Stream.PRODUCTS, Sweep()) == 1
        source._api._session.token = "ended"  # what the store does in a year
        assert await source.count(Stream.PRODUCTS, Sweep()) == 1


async def test_an_api_key_lets_in(vendure: VendureStore) -> None:
    texts = [{"languageCode": "en", "name": "recent-sync"}]
    made = await vendure.ask(
        "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey } }",
        input={"roleIds": ["1"], "translations": texts},
    )
    access = vendure.access(api_key=made["createApiKey"]["apiKey"])
    async with VendureSource(access) as source:
        report = await source.check()
        assert report.currency == "GBP"
        assert [code for code, _ in report.findings] == ["permissions_untold"]


async def test_a_page_holds_a_thousand_records_at_most(vendure: VendureStore) -> None:
    body = {"query": "{ products(options: { take: 1001 }) { totalItems } }"}
    answer = (await vendure.staff.post("/admin-api", json=body)).json()
    assert answer["errors"]
    assert CONNECTOR.settings.model_fields["page_size"].metadata[1].le < 1000


async def test_what_changed_at_the_bound_comes_back(vendure: VendureStore) -> None:
    """Stamps are kept to the microsecond and shown to the millisecond."""
    await goods.make(vendure, Stream.PRODUCTS, 3)
    newest = (await listed(vendure, sort={"updatedAt": "DESC"}, take=1))[0]
    exact = await vendure.database.fetchval('SELECT max("updatedAt") FROM product')
    after = {"filter": {"updatedAt": {"after": newest["updatedAt"]}}}
    comes_back = newest["id"] in {each["id"] for each in await listed(vendure, **after)}
    assert comes_back == bool(exact.microsecond % 1000)


async def test_sort_keys_apply_in_the_schemas_order(vendure: VendureStore) -> None:
    [first, *_, last] = await goods.make(vendure, Stream.PRODUCTS, 4)
    await goods.change(vendure, Stream.PRODUCTS, [first])
    rows = await listed(vendure, sort={"updatedAt": "ASC", "id": "ASC"})
    assert rows[0]["id"] == first
    rows = await listed(vendure, sort={"updatedAt": "ASC"})
    assert rows[-1]["id"] == first != last


async def test_a_window_finds_orders_that_were_placed_sent_and_delivered(
    vendure: VendureStore,
) -> None:
    """The date of change of an order is older than its change."""
    [mug] = await goods.products(vendure, [1], stockOnHand=100)
    [buyer] = await goods.make(vendure, Stream.CUSTOMERS, 1)
    since = await now(vendure)
    order = await sales.sell(vendure, mug, buyer)
    row = await sales.shown(vendure, order, "updatedAt orderPlacedAt")
    assert row["updatedAt"] < row["orderPlacedAt"]
    placed = (await seen(vendure, Stream.ORDERS, since))[order]
    assert isinstance(placed, Order)
    assert (placed.status, str(placed.total.amount)) == ("processing", "10.32")
    later = await now(vendure) + timedelta(hours=1)
    assert order in await seen(vendure, Stream.ORDERS, later), "an open order is always read"
    await sales.deliver(vendure, order)
    delivered = (await seen(vendure, Stream.ORDERS))[order]
    assert delivered.status == "completed"
    assert delivered.completed_at >= delivered.paid_at >= since.replace(microsecond=0)
    assert order not in await seen(vendure, Stream.ORDERS, later)


async def test_a_refund_of_a_delivered_order_is_found_by_a_sweep(vendure: VendureStore) -> None:
    [mug] = await goods.products(vendure, [1], stockOnHand=100)
    [buyer] = await goods.make(vendure, Stream.CUSTOMERS, 1)
    order = await sales.sell(vendure, mug, buyer)
    await sales.deliver(vendure, order)
    since = await now(vendure) + timedelta(milliseconds=5)
    for _ in range(2):
        await sales.refund(vendure, order, 100)
    swept = (await seen(vendure, Stream.ORDERS))[order]
    assert [str(each.amount.amount) for each in swept.refunds] == ["1", "1"], (
        "Vendure does it twice"
    )
    stale = await vendure.database.fetchval('SELECT "updatedAt" FROM "order"')
    assert stale < since.replace(tzinfo=None)


async def test_carts_and_drafts_are_no_orders(vendure: VendureStore) -> None:
    await sales.draft(vendure)
    assert (await vendure.ask("{ orders { totalItems } }"))["orders"]["totalItems"] == 1
    assert await seen(vendure, Stream.ORDERS) == {}
    async with VendureSource(vendure.access()) as source:
        assert await source.count(Stream.ORDERS, Sweep()) == 0


async def test_a_window_finds_products_whose_variants_changed(vendure: VendureStore) -> None:
    [changed, other] = await goods.make(vendure, Stream.PRODUCTS, 2)
    since = await now(vendure)
    before = await listed(vendure)
    own = await goods.own_variant(vendure, changed)
    document = (
        "mutation ($input: UpdateProductVariantInput!) { updateProductVariant(input: $input) "
        "{ id } }"
    )
    await vendure.ask(document, input={"id": own, "price": 999})
    assert await listed(vendure) == before, "the product's own date does not move"
    found = await seen(vendure, Stream.PRODUCTS, since)
    assert str(found[changed].regular_price.amount) == "9.99"
    assert other not in found


async def test_an_address_moves_no_date_and_every_run_reads_all_customers(
    vendure: VendureStore,
) -> None:
    [customer] = await goods.make(vendure, Stream.CUSTOMERS, 1)
    dates = "{ customers { items { updatedAt } } }"
    before = await vendure.ask(dates)
    document = (
        "mutation ($id: ID!, $input: CreateAddressInput!) "
        "{ createCustomerAddress(customerId: $id, input: $input) { id } }"
    )
    place = {"streetLine1": "1 High Street", "countryCode": "GB", "defaultBillingAddress": True}
    await vendure.ask(document, id=customer, input=place)
    assert await vendure.ask(dates) == before
    later = await now(vendure) + timedelta(hours=1)
    found = await seen(vendure, Stream.CUSTOMERS, later)
    assert found[customer].billing.line1 == "1 High Street"


async def test_a_sale_takes_stock_and_moves_no_date(vendure: VendureStore) -> None:
    [mug] = await goods.products(vendure, [1], stockOnHand=10)
    [buyer] = await goods.make(vendure, Stream.CUSTOMERS, 1)
    since = await now(vendure)
    await sales.sell(vendure, mug, buyer, quantity=3)
    assert await vendure.database.fetchval('SELECT max("updatedAt") FROM product_variant') < (
        since.replace(tzinfo=None)
    )
    level = (await seen(vendure, Stream.INVENTORY, since))[mug]
    assert isinstance(level, InventoryLevel)
    assert level.quantity == 7


async def test_a_row_that_comes_late_lies_behind_what_was_read(vendure: VendureStore) -> None:
    """A transaction dates its rows when it begins and shows them when it ends."""
    [late] = await goods.make(vendure, Stream.PRODUCTS, 1)
    async with vendure.database.transaction():
        await vendure.database.execute("UPDATE product_translation SET name = 'Late'")
        await vendure.database.execute(
            """UPDATE product SET "updatedAt" = clock_timestamp() - interval '1.15 s'"""
        )
        watermark = await now(vendure)
        assert (await seen(vendure, Stream.PRODUCTS))[late].name != "Late"
    assert await seen(vendure, Stream.PRODUCTS, watermark) == {}
    overlap = timedelta(seconds=CONNECTOR.reads[Stream.PRODUCTS].overlap)
    assert (await seen(vendure, Stream.PRODUCTS, watermark - overlap))[late].name == "Late"


async def test_options_facets_and_tax_categories_are_renamed_without_a_date(
    vendure: VendureStore,
) -> None:
    made = await vendure.ask(
        "mutation ($input: CreateTaxCategoryInput!) { createTaxCategory(input: $input) { id } }",
        input={"name": "Reduced"},
    )
    tax = made["createTaxCategory"]["id"]
    small = replace(variant(2, "S"), extra={"tax_class": "Reduced"})
    wool = Attribute("Wool", ("Lamb",))
    shirt = product(2, sku="", kind="variable", attributes=(wool,), variants=(small,))
    async with VendureTarget(vendure.access()) as target:
        applied(await target.write(Stream.PRODUCTS, operations(Stream.PRODUCTS, [shirt])))
    since = await now(vendure)
    before = await vendure.stamps()
    try:
        for name in ("ProductOption", "Facet", "TaxCategory"):
            table = {"ProductOption": "product_option", "Facet": "facet"}.get(name, "")
            record = await vendure.database.fetchval(f"SELECT id FROM {table}") if table else tax  # noqa: S608
            texts = {"translations": [{"languageCode": "en", "name": "New"}]}
            await vendure.ask(
                f"mutation ($input: Update{name}Input!) {{ update{name}(input: $input) {{ id }} }}",
                input={"id": str(record), **(texts if table else {"name": "New"})},
            )
        assert await vendure.stamps() == before
        assert await seen(vendure, Stream.PRODUCTS, since) == {}
        [found] = (await seen(vendure, Stream.PRODUCTS)).values()
        assert [each.name for each in found.attributes] == ["Size", "New"]
        [size] = found.variants
        assert (size.options[0].value, size.extra["tax_class"]) == ("New", "New")
    finally:
        await vendure.database.execute('UPDATE product_variant SET "taxCategoryId" = NULL')
        await vendure.ask("mutation ($id: ID!) { deleteTaxCategory(id: $id) { result } }", id=tax)


async def test_what_is_said_of_a_delivered_order_is_found_by_a_sweep(
    vendure: VendureStore,
) -> None:
    """Its address cannot be changed any more, but by plugins, which need not date what they do."""
    [sold] = await goods.products(vendure, [1], stockOnHand=100)
    [buyer] = await goods.make(vendure, Stream.CUSTOMERS, 1)
    order = await sales.sell(vendure, sold, buyer)
    await sales.deliver(vendure, order)
    since = await now(vendure) + timedelta(milliseconds=5)
    stale = await vendure.stamps()
    await vendure.ask(
        "mutation ($input: AddNoteToOrderInput!) { addNoteToOrder(input: $input) { id } }",
        input={"id": order, "note": "Ring twice", "isPublic": True},
    )
    await vendure.database.execute(
        """UPDATE "order" SET "shippingAddress" = '{"streetLine1": "2 Low Street"}'"""
    )
    assert await vendure.stamps() == stale
    assert await seen(vendure, Stream.ORDERS, since) == {}
    swept = (await seen(vendure, Stream.ORDERS))[order]
    assert swept.shipping.line1 == "2 Low Street"


async def test_pages_that_move_while_they_are_read_hide_nothing(vendure: VendureStore) -> None:
    made = await goods.make(vendure, Stream.PRODUCTS, 9)
    found: list[str] = []
    async with VendureSource(vendure.access(page_size=2)) as source:
        resume = None
        for _ in made:
            pages = source.read(Stream.PRODUCTS, Sweep(), {}, resume)
            page = await anext(pages)
            await pages.aclose()
            found += page.ids
            resume = page.resume
            if resume is None:
                break
            await goods.remove(vendure, Stream.PRODUCTS, page.ids[:1])
            await goods.change(vendure, Stream.PRODUCTS, page.ids[1:])
    assert found == made
    # As lists are read elsewhere: what moves up is on no page.
    [first, *rest] = await listed(vendure, sort={"id": "ASC"}, take=2)
    await goods.remove(vendure, Stream.PRODUCTS, [first["id"]])
    second = await listed(vendure, sort={"id": "ASC"}, skip=2, take=2)
    shown = {first["id"], *(each["id"] for each in [*rest, *second])}
    there = {each["id"] for each in await listed(vendure)}
    assert there - shown


async def test_a_deleted_record_leaves_every_list(vendure: VendureStore) -> None:
    made = await goods.make(vendure, Stream.PRODUCTS, 2)
    await goods.remove(vendure, Stream.PRODUCTS, made[:1])
    assert await vendure.database.fetchval("SELECT count(*) FROM product") == 2
    assert set(await seen(vendure, Stream.PRODUCTS)) == {made[1]}
    assert set(await seen(vendure, Stream.INVENTORY)) == {made[1]}


async def test_a_connection_is_left_before_node_closes_it(vendure: VendureStore) -> None:
    answer = await vendure.staff.get("/control/effects")
    seconds = float(answer.headers["keep-alive"].removeprefix("timeout="))
    async with VendureSource(vendure.access()) as source:
        assert source._http._idle < seconds  # nothing else tells of it
