"""What is known of a refusal: why, what stands in the way, and the store's name for the request."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.base import Refused
from connectors.records import Content, Stream
from connectors.testing.contents import order, product
from connectors.testing.operations import operations
from tests.connectors.practice import Instead, Practice

ERROR: dict[str, Any] = {
    "code": "product_invalid_sku",
    "message": "Invalid or duplicated SKU.",
    "data": {"status": 400, "resource_id": 7},
}
NAMED = {"X-Request-Id": "edge-9"}


async def refused(shop: Practice, stream: Stream, content: Content) -> Refused:
    async with shop.target() as target:
        [outcome] = await target.write(stream, operations(stream, [content]))
    assert isinstance(outcome, Refused)
    return outcome


async def test_a_sku_that_somebody_else_holds_is_refused(new_shop: Practice):
    await new_shop.load(product=[{"name": "Theirs", "sku": "MUG-1"}])
    found = await refused(new_shop, Stream.PRODUCTS, product(1))
    [theirs] = await new_shop.admin("GET", "products")
    assert found.code == "duplicate_sku"
    assert f"record {theirs['id']} stands in its way" in found.message


@pytest.mark.parametrize(
    ("status", "body"), [(200, {"create": [{"id": 0, "error": ERROR}]}), (400, ERROR)]
)
async def test_a_refusal_carries_the_name_of_its_request(
    new_shop: Practice, status: int, body: dict[str, Any]
):
    """Items are refused in answers of status 200 as well."""
    new_shop.instead.append(Instead("POST", "/products/batch", status, body, NAMED))
    found = await refused(new_shop, Stream.PRODUCTS, product(1))
    assert (found.code, found.request_id) == ("duplicate_sku", "edge-9")


async def test_a_refusal_without_a_reason_carries_the_name_too(new_shop: Practice):
    new_shop.instead.append(Instead("POST", "/orders/batch", 400, None, NAMED))
    assert (await refused(new_shop, Stream.ORDERS, order(1))).request_id == "edge-9"
