"""What credentials lack is told before the first call is refused, stream by stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from graphql import FieldNode, OperationDefinitionNode, parse

from connectors.base import StoreAccess, TaxBasis
from connectors.errors import SignInAgain
from connectors.grants import TellsLacks, Work
from connectors.medusa import CONNECTOR as MEDUSA
from connectors.medusa.api import open_api as open_medusa
from connectors.medusa.source import MedusaSource
from connectors.medusa.target import MedusaTarget
from connectors.records import Stream
from connectors.shopify.shop import ALL_ORDERS
from connectors.vendure import CONNECTOR as VENDURE
from connectors.vendure import desk, documents, documents_writing, lacking, shop
from connectors.vendure.api import Document
from connectors.vendure.api import open_api as open_vendure
from connectors.vendure.lacking import DELETING, GUARDS, READING, WRITING
from connectors.vendure.target import VendureTarget
from tests.connectors.practice import Instead, practice
from tests.connectors.shopify_shop import shopify_shop
from tests.shopify_store.config import READING as READING_SCOPES
from tests.shopify_store.config import WRITING as WRITING_SCOPES

EVERYTHING = Work(streams=frozenset(Stream), deletes=frozenset(Stream))
DATE = {"Date": "Thu, 26 Nov 2026 10:00:00 GMT"}
Lacking = set[tuple[str, Stream | None]]


async def lacking_of(store: object, work: Work = EVERYTHING) -> Lacking:
    assert isinstance(store, TellsLacks)
    found = await store.lacks(work)
    for each in found:
        assert each.purpose.endswith(".")
        assert each.grant.endswith(".")
    return {(each.permission, each.stream) for each in found}


# --- Shopify --------------------------------------------------------------------------------------


@pytest.mark.contracts
async def test_of_shopify_each_scope_is_named_with_the_streams_that_need_it():
    scopes = set(READING_SCOPES + WRITING_SCOPES)
    without = {"write_orders", "read_locations", "write_online_store_navigation", ALL_ORDERS}
    async with (
        shopify_shop(scopes=tuple(scopes - without)) as shop,
        shop.source() as source,
        shop.target() as target,
    ):
        assert await lacking_of(source) == {(ALL_ORDERS, Stream.ORDERS)}
        assert await lacking_of(target) == {
            ("write_orders", Stream.ORDERS),
            ("read_locations", Stream.INVENTORY),
        }
        customers = Work(streams=frozenset({Stream.CUSTOMERS}), redirects=True)
        assert await lacking_of(source, customers) == set()
        assert await lacking_of(target, customers) == {("write_online_store_navigation", None)}


# --- WooCommerce ----------------------------------------------------------------------------------


async def test_of_woocommerce_a_refused_list_or_batch_names_its_stream_and_writes_nothing():
    refused = {"code": "woocommerce_rest_cannot_batch", "message": "no"}
    async with practice() as store, store.source() as source, store.target() as target:
        assert await lacking_of(source) == set()
        assert await lacking_of(target) == set()
        store.instead += [
            Instead("POST", "/customers/batch", 403, refused),
            Instead("GET", "/settings", 403, refused),
        ]
        assert await lacking_of(target) == {
            ("Read/Write", Stream.CUSTOMERS),
            ("manage_woocommerce", None),
        }
        store.instead.append(Instead("GET", "/orders", 401, refused))
        assert await lacking_of(source) == {("Read", Stream.ORDERS)}
        batches = store.requests("POST", "/batch")
        assert {json.dumps(each.body) for each in batches} == {'{"update": []}'}
        assert (await store.effects())["writes"].get("api", {}) == {}


async def test_of_woocommerce_a_key_that_may_only_read_is_told_of_every_stream():
    async with practice() as store:
        async with store.target(key="ck_unknown") as target:
            with pytest.raises(SignInAgain):
                await target.lacks(EVERYTHING)
        read_only = [
            Instead(
                "POST", f"/{path}/batch", 401, {"code": "woocommerce_rest_authentication_error"}
            )
            for path in ("products/categories", "products", "customers", "orders")
        ]
        store.instead += read_only
        async with store.target() as target:
            assert await lacking_of(target) == {
                ("Read/Write", each) for each in Stream if each is not Stream.INVENTORY
            }


# --- Medusa ---------------------------------------------------------------------------------------


def medusa(refused: frozenset[str]) -> tuple[Any, StoreAccess]:
    access = StoreAccess(
        MEDUSA.settings(url="http://medusa.test"), MEDUSA.credentials(api_key="sk_x")
    )

    def serve(request: httpx.Request) -> httpx.Response:
        name = request.url.path.removeprefix("/admin/")
        assert request.method == "GET"
        if name in refused:
            return httpx.Response(403, json={"type": "forbidden", "message": "Forbidden"})
        page = {"count": 0, name.replace("-", "_"): []}
        return httpx.Response(200, json=page, headers=DATE)

    return open_medusa(access, transport=httpx.MockTransport(serve)), access


async def test_of_medusa_each_list_that_access_control_refuses_is_named():
    api, access = medusa(frozenset({"orders", "stock-locations"}))
    async with MedusaTarget(access, api) as target:
        assert await lacking_of(target) == {
            ("order:read", Stream.ORDERS),
            ("stock_location:read", Stream.INVENTORY),
        }
    api, access = medusa(frozenset({"orders", "stock-locations"}))
    async with MedusaSource(access, api) as source:
        assert await lacking_of(source) == {("order:read", Stream.ORDERS)}
        assert await lacking_of(source, Work(streams=frozenset({Stream.CUSTOMERS}))) == set()


# --- Vendure --------------------------------------------------------------------------------------

SHOP: dict[str, Any] = {
    "activeChannel": {
        "id": "1",
        "code": "here",
        "defaultCurrencyCode": "GBP",
        "defaultLanguageCode": "en",
        "pricesIncludeTax": False,
    },
    "globalSettings": {
        "trackInventory": True,
        "outOfStockThreshold": 0,
        "serverConfig": {"moneyStrategyPrecision": 2, "entityCustomFields": []},
    },
    "taxCategories": {"items": []},
}


def vendure(permissions: list[str] | None) -> VendureTarget:
    """A store in whose channel the administrator has these; None: an API key, of nobody."""

    def serve(request: httpx.Request) -> httpx.Response:
        text = json.loads(request.content)["query"]
        data: dict[str, Any] | None = SHOP
        errors: list[Any] = []
        if "recentSyncImporter" in text or (permissions is None and " Me " in text):
            data, errors = None, [{"message": "no", "extensions": {"code": "FORBIDDEN"}}]
        elif " Me " in text:
            other = {"code": "elsewhere", "permissions": ["SuperAdmin"]}
            here = {"code": "here", "permissions": permissions}
            data = {"me": {"channels": [other, here]}}
        body = {"data": data, "errors": errors} if errors else {"data": data}
        return httpx.Response(200, json=body, headers=DATE)

    access = StoreAccess(
        VENDURE.settings(url="http://vendure.test/admin-api"), VENDURE.credentials(api_key="x")
    )
    return VendureTarget(access, open_vendure(access, transport=httpx.MockTransport(serve)))


async def test_of_vendure_permissions_of_the_channel_are_compared_with_what_is_called():
    catalogue = ["ReadCatalog", "CreateCatalog", "UpdateCatalog", "DeleteProduct"]
    async with vendure([*catalogue, "ReadCustomer", "ReadOrder", "ReadCountry"]) as target:
        assert await lacking_of(target) == {
            ("DeleteCatalog", Stream.CATEGORIES),
            ("CreateCustomer", Stream.CUSTOMERS),
            ("UpdateCustomer", Stream.CUSTOMERS),
            ("DeleteCustomer", Stream.CUSTOMERS),
            ("RecentSyncImport", Stream.ORDERS),
        }
        kept = Work(streams=frozenset({Stream.CATEGORIES, Stream.INVENTORY}))
        assert await lacking_of(target, kept) == set(), "nothing is deleted there"
        told = dict((await target.check()).findings)
        names = "CreateCustomer, DeleteCustomer, RecentSyncImport, UpdateCustomer"
        assert names in told["permissions_missing"]


async def test_of_vendure_the_channel_tells_whether_prices_hold_the_tax(
    monkeypatch: pytest.MonkeyPatch,
):
    async with vendure(None) as target:
        assert (await target.check()).tax_basis is TaxBasis.NET
        monkeypatch.setitem(SHOP["activeChannel"], "pricesIncludeTax", True)
        assert (await target.check()).tax_basis is TaxBasis.GROSS


async def test_of_vendure_whoever_may_do_all_lacks_nothing_and_a_key_is_not_told_of():
    async with vendure(["SuperAdmin"]) as target:
        assert await lacking_of(target) == set()
        assert "permissions_missing" not in dict((await target.check()).findings)
    async with vendure(None) as target:
        assert await lacking_of(target) == set()
        assert "permissions_untold" in dict((await target.check()).findings)


def sent_to_vendure() -> Iterator[Document]:
    for module in (desk, documents, documents_writing, lacking, shop):
        yield from (each for each in vars(module).values() if isinstance(each, Document))
    for stream, kind in documents.KINDS.items():
        yield documents.listing(kind, "id")
        if stream in DELETING:
            yield documents_writing.delete(stream)
    yield documents_writing.import_order("id")


def test_of_vendure_every_field_that_is_called_has_its_guard_and_its_stream():
    called = {
        field.name.value
        for document in sent_to_vendure()
        for operation in parse(document.text).definitions
        if isinstance(operation, OperationDefinitionNode)
        for field in operation.selection_set.selections
        if isinstance(field, FieldNode)
    }
    anybody = {"activeAdministrator", "activeChannel", "globalSettings", "me"}
    assert called - anybody - {"recentSyncImporter"} == GUARDS.keys()
    named = [table.values() for table in (READING, WRITING, DELETING)]
    assert {field for fields in named for some in fields for field in some} == GUARDS.keys()
    there = {each.name for each in VENDURE.permissions}
    assert {guard[0] for guard in GUARDS.values()} <= there
