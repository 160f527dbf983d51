"""Launch checks that work on the target as people do, between two practice stores: each planted
fault is found by its check and by no other of these, and a clean pair raises no alarm.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from connectors.shopper import FOUND, Offer
from connectors.woocommerce.shopper import WooCommerceShopper
from tests.connectors.practice import Instead
from tests.engine.conftest import Bench
from tests.engine.grounds import ground_of
from tests.engine.practice_stores import Stores, between_practice_stores, put
from workers.checks import effects, workflows
from workers.checks.base import Outcome, State

CHECKS = (*workflows.CHECKS, *effects.CHECKS)
ANNA = {"first_name": "Anna", "last_name": "Kay", "address_1": "Mill Lane 3", "city": "Leeds"}


@pytest.fixture
async def stores(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stores]:
    async with between_practice_stores(bench, monkeypatch, addon=True) as opened:
        await fill(opened)
        await opened.run("full")
        yield opened


async def fill(stores: Stores) -> None:
    """A shop: two products, a customer with two orders, and a guest with one."""
    old = stores.old
    goods = {"status": "publish", "manage_stock": True, "stock_quantity": 20}
    mug = await old.admin(
        "POST", "products", {"name": "Mug", "sku": "MUG", "regular_price": "2.55"} | goods
    )
    await old.admin(
        "POST", "products", {"name": "Tea towel", "sku": "TOWEL", "regular_price": "7.00"} | goods
    )
    await old.admin("POST", "products", {"name": "Secret", "sku": "SECRET", "status": "draft"})
    anna = await old.admin(
        "POST", "customers", {"email": "anna@shop.test", "billing": ANNA, "shipping": ANNA}
    )
    for number, email in enumerate(("anna@shop.test", "anna@shop.test", "guest@shop.test")):
        await old.admin(
            "POST",
            "orders",
            {
                "status": "completed" if number == 0 else "processing",
                "customer_id": anna["id"] if email.startswith("anna") else 0,
                "billing": ANNA | {"email": email},
                "shipping": ANNA,
                "line_items": [{"product_id": mug["id"], "quantity": number + 1}],
                "shipping_lines": [{"method_id": "flat", "method_title": "Post", "total": "3.00"}],
            },
        )
        stores.wait(60)


async def outcomes(bench: Bench, **options: Any) -> dict[str, Outcome]:
    async with ground_of(bench, **options) as ground:
        return {check.id: await check.run(ground) for check in CHECKS}


def failed(found: dict[str, Outcome]) -> dict[str, list[str | None]]:
    """The fields that the failing checks name."""
    return {
        name: [each.field for each in outcome.evidence]
        for name, outcome in found.items()
        if outcome.state is State.FAILED
    }


async def there(stores: Stores, path: str, position: int = 0) -> dict[str, Any]:
    return (await stores.all(stores.new, path))[position]


async def test_a_clean_pair_raises_no_alarm_and_says_what_was_looked_at(
    bench: Bench, stores: Stores
) -> None:
    before = await stores.new.effects()
    found = await outcomes(bench)
    states = {name: outcome.state for name, outcome in found.items()}
    assert states.pop("effects.mails") is State.SKIPPED  # this version notes no mails
    assert set(states.values()) == {State.PASSED}, found
    assert (found["workflows.support"].examined, found["workflows.support"].total) == (2, 3)
    assert found["workflows.fulfilment"].examined == 2
    assert found["workflows.shopper"].examined == 3
    # Looking left nothing behind.
    after = await stores.new.effects()
    assert [after[name] for name in ("mails", "stock_movements", "writes")] == [
        before[name] for name in ("mails", "stock_movements", "writes")
    ]
    assert stores.new.requests("DELETE", "cart/items")


async def test_no_email_and_no_address_is_in_what_checks_say(bench: Bench, stores: Stores) -> None:
    order = await there(stores, "orders", 1)
    await put(stores.new, "orders", order, billing=ANNA | {"email": "other@shop.test"})
    [customer] = await stores.new.admin("GET", "customers")
    await put(stores.new, "customers", customer, email="else@shop.test")
    told = repr(await outcomes(bench))
    for secret in ("@", "Mill Lane", "Anna"):
        assert secret not in told


async def test_an_order_under_another_email_is_not_found_by_support(
    bench: Bench, stores: Stores
) -> None:
    order = await there(stores, "orders", 1)
    await put(stores.new, "orders", order, billing=ANNA | {"email": "other@shop.test"})
    assert failed(await outcomes(bench)) == {"workflows.support": ["email"]}


async def test_an_order_with_another_number_is_not_found_by_support(
    bench: Bench, stores: Stores
) -> None:
    order = await there(stores, "orders", 2)
    await stores.new.edit(
        edits=[{"op": "patch", "kind": "order", "id": order["id"], "fields": {"number": "77"}}]
    )
    assert failed(await outcomes(bench)) == {"workflows.support": ["number"]}


async def test_a_missing_refund_misleads_support(bench: Bench, stores: Stores) -> None:
    order = (await stores.all(stores.old, "orders"))[1]
    await stores.old.admin(
        "POST", f"orders/{order['id']}/refunds", {"amount": "1.00", "api_refund": False}
    )
    assert failed(await outcomes(bench)) == {}  # it waits at the source, which another check tells
    await stores.run("recent", cutover=True)
    assert failed(await outcomes(bench)) == {}
    there_too = await there(stores, "orders", 1)
    [refund] = await stores.new.admin("GET", f"orders/{there_too['id']}/refunds")
    path = f"orders/{there_too['id']}/refunds/{refund['id']}?force=true"
    await stores.new.admin("DELETE", path)
    assert failed(await outcomes(bench)) == {"workflows.support": ["refunds"]}


async def test_a_dropped_shipping_address_stops_the_packer(bench: Bench, stores: Stores) -> None:
    order = await there(stores, "orders", 2)
    nothing = dict.fromkeys((*ANNA, "postcode", "country"), "")
    await put(stores.new, "orders", order, shipping=nothing)
    assert failed(await outcomes(bench)) == {"workflows.fulfilment": ["shipping"]}


async def test_another_shipping_method_stops_the_packer(bench: Bench, stores: Stores) -> None:
    order = await there(stores, "orders", 2)
    [line] = order["shipping_lines"]
    courier = {"id": line["id"], "method_title": "Courier", "total": "3.00"}
    await put(stores.new, "orders", order, shipping_lines=[courier])
    assert failed(await outcomes(bench)) == {"workflows.fulfilment": ["shipping_lines"]}


async def test_an_unpublished_product_is_not_found_by_shoppers(
    bench: Bench, stores: Stores
) -> None:
    await put(stores.new, "products", await there(stores, "products"), status="draft")
    assert failed(await outcomes(bench)) == {"workflows.shopper": ["status", "status"]}


async def test_a_product_that_should_not_be_shown_is_found(bench: Bench, stores: Stores) -> None:
    secret = {"status": "publish", "regular_price": "1.00"}
    await put(stores.new, "products", await there(stores, "products", 2), **secret)
    assert failed(await outcomes(bench)) == {"workflows.shopper": ["status"]}


async def test_what_stands_behind_the_end_of_a_full_search_is_not_missed(
    bench: Bench, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_name = WooCommerceShopper.by_name

    async def many(self: WooCommerceShopper, name: str) -> tuple[Offer, ...]:
        others = [Offer(product=f"x{each}", price=None, in_stock=True) for each in range(FOUND)]
        return tuple(others) if name == "Mug" else await by_name(self, name)

    monkeypatch.setattr(WooCommerceShopper, "by_name", many)
    assert failed(await outcomes(bench)) == {}


async def test_where_the_status_is_the_teams_shoppers_see_what_the_team_shows(
    bench: Bench, stores: Stores
) -> None:
    await put(stores.new, "products", await there(stores, "products"), status="draft")
    await stores.set_policies(conflicts={"products": {"status": "target"}})
    assert failed(await outcomes(bench)) == {}


async def test_an_old_price_is_what_shoppers_would_pay(bench: Bench, stores: Stores) -> None:
    await put(stores.new, "products", await there(stores, "products", 1), regular_price="6.99")
    found = await outcomes(bench)
    assert failed(found) == {"workflows.shopper": ["price"]}
    [evidence] = found["workflows.shopper"].evidence
    assert evidence.message == "The shop asks 6.99 GBP, not 7 GBP."


async def test_a_swapped_sku_leads_shoppers_elsewhere(bench: Bench, stores: Stores) -> None:
    mug, towel = (await stores.all(stores.new, "products"))[:2]
    await put(stores.new, "products", mug, sku="X")
    await put(stores.new, "products", towel, sku="MUG")
    await put(stores.new, "products", mug, sku="TOWEL")
    assert failed(await outcomes(bench)) == {"workflows.shopper": ["status", "status"]}


async def test_goods_that_are_sold_out_on_the_target_alone(bench: Bench, stores: Stores) -> None:
    await put(stores.new, "products", await there(stores, "products", 1), stock_quantity=0)
    assert failed(await outcomes(bench)) == {"workflows.shopper": ["availability"]}


async def test_goods_that_wait_for_a_price_are_sold_out_nowhere(
    bench: Bench, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A platform that has a price for everything keeps them from being bought."""
    gift = {"name": "Gift", "sku": "GIFT", "status": "publish", "stock_quantity": 20}
    await stores.old.admin("POST", "products", gift | {"manage_stock": True})
    stores.wait(60)
    await stores.run("full")
    by_name = WooCommerceShopper.by_name

    async def held_back(self: WooCommerceShopper, name: str) -> tuple[Offer, ...]:
        found = await by_name(self, name)
        held = {"price": None, "in_stock": False, "buyable": ()}
        return tuple(replace(each, **held) if name == "Gift" else each for each in found)

    monkeypatch.setattr(WooCommerceShopper, "by_name", held_back)
    assert failed(await outcomes(bench)) == {}


async def test_what_sizes_share_is_sold_out_while_another_has_its_own(
    bench: Bench, stores: Stores
) -> None:
    """WooCommerce calls such a product sold out, on either store, and sells the other size."""
    body = {"name": "Hat", "type": "variable", "status": "publish", "manage_stock": True}
    hat = await stores.old.admin("POST", "products", body | {"stock_quantity": 0})
    for size, own in (("S", {}), ("L", {"manage_stock": True, "stock_quantity": 2})):
        options = [{"name": "Size", "option": size}]
        size_body = {"sku": f"HAT-{size}", "regular_price": "9.00", "attributes": options}
        await stores.old.admin("POST", f"products/{hat['id']}/variations", size_body | own)
    stores.wait(60)
    await stores.run("full")
    assert failed(await outcomes(bench)) == {}


async def test_a_product_that_no_cart_takes(bench: Bench, stores: Stores) -> None:
    refused = {"code": "woocommerce_rest_product_not_purchasable", "data": {"status": 400}}
    stores.new.instead.append(Instead("POST", "/cart/add-item", 400, refused))
    assert failed(await outcomes(bench)) == {"workflows.shopper": ["purchasable"]}


async def test_a_second_account_of_one_email_is_found_whatever_its_case(
    bench: Bench, stores: Stores
) -> None:
    twin = {"email": "Anna@Shop.test", "billing": ANNA, "shipping": ANNA, "username": "anna2"}
    await stores.new.load(customer=[twin])
    assert failed(await outcomes(bench)) == {"workflows.returning": ["email"]}


async def test_a_dropped_address_of_an_account_is_missed(bench: Bench, stores: Stores) -> None:
    [customer] = await stores.new.admin("GET", "customers")
    await put(stores.new, "customers", customer, billing=dict.fromkeys(ANNA, ""))
    assert failed(await outcomes(bench)) == {"workflows.returning": ["billing"]}


async def test_an_order_without_its_customer_is_missed_in_the_account(
    bench: Bench, stores: Stores
) -> None:
    order = await there(stores, "orders")
    await put(stores.new, "orders", order, customer_id=0)
    found = await outcomes(bench)
    assert failed(found) == {"workflows.returning": ["orders"]}
    [evidence] = found["workflows.returning"].evidence
    assert evidence.message == "The account shows 1 orders; by the source there should be 2."


async def test_an_order_that_waits_at_the_source_is_no_fault_of_these(
    bench: Bench, stores: Stores
) -> None:
    [anna] = await stores.old.admin("GET", "customers")
    billing = ANNA | {"email": anna["email"]}
    new = {"status": "processing", "customer_id": anna["id"], "billing": billing}
    await stores.old.admin("POST", "orders", new)
    assert failed(await outcomes(bench)) == {}


async def test_what_changed_at_the_source_and_waits_is_no_fault_of_these(
    bench: Bench, stores: Stores
) -> None:
    """The shop goes on selling while it is verified."""
    mug, towel = (await stores.all(stores.old, "products"))[:2]
    await put(stores.old, "products", mug, regular_price="2.75")
    await put(stores.old, "products", towel, stock_quantity=0)
    await put(stores.old, "orders", (await stores.all(stores.old, "orders"))[2], status="completed")
    [anna] = await stores.old.admin("GET", "customers")
    await put(stores.old, "customers", anna, billing=ANNA | {"city": "York"})
    assert failed(await outcomes(bench)) == {}


async def test_a_mail_at_an_imported_order_is_found(bench: Bench, stores: Stores) -> None:
    order = await there(stores, "orders", 1)
    note = {"note": 'Email "Processing order" sent.'}
    await stores.new.admin("POST", f"orders/{order['id']}/notes", note)
    found = await outcomes(bench)
    assert failed(found) == {"effects.mails": [None]}
    assert "Processing" not in found["effects.mails"].evidence[0].message


async def test_a_status_set_by_hand_mails_and_takes_stock_and_both_are_found(
    bench: Bench, stores: Stores
) -> None:
    """As a run would have done without silence: the order is new to the shop once more."""
    order = await there(stores, "orders", 1)
    for status in ("pending", "processing"):
        await put(stores.new, "orders", order, status=status)
    found = await outcomes(bench)
    assert failed(found).keys() == {"effects.mails", "effects.stock"}
    assert found["effects.stock"].found == 2  # put back, and taken again
    assert {each.target_id for each in found["effects.stock"].evidence} == {str(order["id"])}


async def test_stock_that_was_taken_twice_is_found_without_any_note(
    bench: Bench, stores: Stores
) -> None:
    mug = await there(stores, "products")
    left = mug["stock_quantity"] - 3  # as many as the guest's order holds
    await stores.new.edit(
        edits=[{"op": "silent_stock", "kind": "product", "id": mug["id"], "quantity": left}]
    )
    assert failed(await outcomes(bench)) == {"effects.stock": ["quantity"]}


async def test_a_webhook_is_told_of_imports_unless_the_addon_keeps_them_quiet(
    bench: Bench, stores: Stores
) -> None:
    hook = {"topic": "order.created", "delivery_url": "https://hooks.test/1"}
    await stores.new.admin("POST", "webhooks", hook)
    assert failed(await outcomes(bench)) == {}
    stores.new.app.install_addon(there=False)
    assert "effects.webhooks" in failed(await outcomes(bench))
