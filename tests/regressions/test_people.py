"""Guests, accounts that are made later, merged or renamed: no order in the wrong hands."""

from __future__ import annotations

from typing import Any

from tests.engine.practice_stores import Stores, put


async def _people(stores: Stores, *emails: str) -> list[int]:
    made = await stores.old.load(customer=[{"email": email} for email in emails])
    return made["customer"]


async def _order(stores: Stores, customer: int, email: str) -> dict[str, Any]:
    line = {"name": "Mug", "quantity": 1, "total": "5.00", "subtotal": "5.00", "product_id": 0}
    body = {"customer_id": customer, "billing": {"email": email}, "line_items": [line]}
    return dict(await stores.old.admin("POST", "orders", body))


async def _owners(stores: Stores) -> list[str | None]:
    """Emails of the accounts that orders belong to on the target, None for a guest's."""
    people = {each["id"]: each["email"] for each in await stores.all(stores.new, "customers")}
    owners = [each["customer_id"] for each in await stores.all(stores.new, "orders")]
    return [people[owner] if owner else None for owner in owners]


async def test_orders_of_a_guest_make_no_account_and_join_none(stores: Stores) -> None:
    """An account of the same email is on the target: it is not the guest's for that."""
    await stores.new.load(customer=[{"email": "guest@example.com"}])
    for _ in range(3):
        await _order(stores, 0, "guest@example.com")
    await stores.run("full")
    assert await _owners(stores) == [None] * 3
    assert [each["billing"]["email"] for each in await stores.all(stores.new, "orders")] == [
        "guest@example.com"
    ] * 3
    assert len(await stores.all(stores.new, "customers")) == 1


async def test_guest_who_registers_later_owns_the_order_then(stores: Stores) -> None:
    order = await _order(stores, 0, "ann@example.com")
    await stores.run("full")
    assert await _owners(stores) == [None]
    [ann] = await _people(stores, "ann@example.com")
    await put(stores.old, "orders", order, customer_id=ann)
    await stores.run()
    assert await _owners(stores) == ["ann@example.com"]
    assert len(await stores.all(stores.new, "orders")) == 1


async def test_accounts_that_were_merged_take_their_orders_along(stores: Stores) -> None:
    kept, given_up = await _people(stores, "kept@example.com", "old@example.com")
    mine = [await _order(stores, each, "kept@example.com") for each in (kept, given_up)]
    await stores.run("full")
    assert await _owners(stores) == ["kept@example.com", "old@example.com"]
    await put(stores.old, "orders", mine[1], customer_id=kept)
    await stores.old.edit(op="hard_delete", kind="customer", id=given_up)
    await stores.run("recent", cutover=True)
    assert await _owners(stores) == ["kept@example.com"] * 2
    told = await stores.bench.rows("SELECT stream, status FROM removals")
    assert told == [{"stream": "customers", "status": "reported"}]
    emails = {each["email"] for each in await stores.all(stores.new, "customers")}
    assert "old@example.com" in emails, "customers are reported, not deleted"


async def test_account_of_a_deleted_customer_leaves_a_guests_order(stores: Stores) -> None:
    [gone] = await _people(stores, "gone@example.com")
    await _order(stores, gone, "gone@example.com")
    await stores.old.edit(op="hard_delete", kind="customer", id=gone)
    await stores.run("full")
    assert await _owners(stores) == [None]
    [link] = await stores.bench.rows("SELECT losses FROM links WHERE stream = 'orders'")
    assert "customer" in link["losses"]


async def test_email_that_passes_from_one_account_to_another_mixes_up_nobody(
    stores: Stores,
) -> None:
    """The second account takes an email that the first one gives up in the same run."""
    first, second = await _people(stores, "first@example.com", "second@example.com")
    for each in (first, second):
        await _order(stores, each, "x@example.com")
    await stores.run("full")
    await put(stores.old, "customers", {"id": second}, email="third@example.com")
    await put(stores.old, "customers", {"id": first}, email="second@example.com")
    stores.wait(60)
    await stores.bench.run("recent")
    await stores.run()
    assert await _owners(stores) == ["second@example.com", "third@example.com"]
    assert await stores.quarantine() == []


async def test_two_accounts_that_swap_emails_are_told_and_not_merged(stores: Stores) -> None:
    """The target cannot do it in any order: a person has to."""
    people = await _people(stores, "first@example.com", "second@example.com")
    for each in people:
        await _order(stores, each, "x@example.com")
    await stores.run("full")
    for number, email in zip(people, ("free@example.com", "first@example.com"), strict=True):
        await put(stores.old, "customers", {"id": number}, email=email)
    await put(stores.old, "customers", {"id": people[0]}, email="second@example.com")
    stores.wait(60)
    row = await stores.bench.run("recent")
    assert row["status"] == "completed_with_errors"
    kept = await stores.quarantine()
    assert [(each["stream"], each["source_id"]) for each in kept] == [
        ("customers", str(each)) for each in people
    ]
    assert await _owners(stores) == ["first@example.com", "second@example.com"]
