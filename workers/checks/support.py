"""Support, fulfilment and returning customers on the target, by the way people go there."""

from __future__ import annotations

from typing import NamedTuple

from app.catalogue import workflows
from connectors.desk import SHOWN, Desk, NotTold
from connectors.records import Customer, Order, Record, Stream
from workers.checks.base import Check, Findings, Ground, Outcome, skipped
from workers.checks.looking import (
    LOOKED_UP,
    Person,
    current,
    differing,
    each,
    numbered,
    people,
    quarantined,
    source_desk,
    source_ids,
    target_desk,
    target_ids,
)
from workers.checks.source_survey import left_behind

_NO_DESK = "Records cannot be looked up by email or number on the target's platform."
_MISLED = "Support would be misled {found} times."
_MISSED = "Returning customers would miss something {found} times."
_SEEN = ("status", "currency", "total", "tax_total", "shipping_total", "lines", "refunds")
"""What support reads of an order."""


class _Expected(NamedTuple):
    """The order that a person calls about, and what it is on the target."""

    person: Person
    order: Record
    target: str


# --- support -------------------------------------------------------------------------------------


async def support(ground: Ground) -> Outcome:
    """Find each person's newest order by email and by number, and read it."""
    desk = target_desk(ground)
    if desk is None or Stream.ORDERS not in ground.streams:
        return skipped(_NO_DESK if desk is None else "Orders are not in scope.")
    most = int(ground.threshold(workflows.SUPPORT.id, "records", LOOKED_UP))
    chosen, all_of_them = await people(ground, most)
    expected = await _expected(ground, chosen)
    if not expected:
        return skipped("Nobody of the sample has a newest order that is brought over.")
    findings = Findings()
    words = f"{len(expected):,} of {all_of_them:,} people of the sample, by their newest order"
    findings.looked_at(len(expected), all_of_them, words)
    try:
        await each(expected, lambda one: _support_one(ground, desk, findings, one))
    except NotTold as answer:
        return findings.broken_off(str(answer), _MISLED)
    return findings.outcome(
        "The newest orders of {examined} people are found, and read as at the source.", _MISLED
    )


async def _expected(ground: Ground, chosen: list[Person]) -> list[_Expected]:
    """By the source's own look-up where it has one, else by the orders of the sample."""
    desk = source_desk(ground)
    if desk is not None:
        orders = await each(chosen, lambda one: desk.orders_of(one.email))
    else:
        orders = await _sampled(ground, chosen)
    ids = [order.id for found in orders for order in found]
    known = await target_ids(ground, Stream.ORDERS, ids)
    # What has not been brought over yet is another check's matter.
    newest = [next((order.id for order in found if order.id in known), "") for found in orders]
    asked = await ground.source_records(Stream.ORDERS, filter(None, newest))
    records = await current(ground, Stream.ORDERS, asked)
    return [
        _Expected(person, records[each_], known[each_])
        for person, each_ in zip(chosen, newest, strict=True)
        if each_ in records
    ]


async def _sampled(ground: Ground, chosen: list[Person]) -> list[tuple[Record, ...]]:
    pairs = (await ground.sample(Stream.ORDERS)).pairs
    records = await ground.source_records(Stream.ORDERS, [one.source_id for one in pairs])
    found: dict[str, list[Record]] = {one.email.casefold(): [] for one in chosen}
    for record in records.values():
        if isinstance(record.content, Order):
            found.get(record.content.email.casefold(), []).append(record)
    return [tuple(_newest_first(found[one.email.casefold()])) for one in chosen]


def _newest_first(orders: list[Record]) -> list[Record]:
    dated = [one for one in orders if isinstance(one.content, Order) and one.content.created_at]
    return sorted(dated, key=lambda one: str(one.content.created_at), reverse=True)  # type: ignore[union-attr]


async def _support_one(ground: Ground, desk: Desk, findings: Findings, one: _Expected) -> None:
    by_email = await desk.orders_of(one.person.email)
    losses = await ground.losses(Stream.ORDERS)
    shown = {order.id: order for order in by_email}
    # Where dates are not kept, the newest may stand behind the end of a full list.
    hidden = "created_at" in losses and len(by_email) >= SHOWN
    if one.target not in shown and not hidden:
        _note(findings, one, "The customer's newest order is not found by email.", "email")
    number = await _number(ground, one)
    by_number = {order.id: order for order in await numbered(ground, desk, number)}
    if one.target not in by_number:
        _note(findings, one, "The order is not found by its number.", "number")
    found = by_number.get(one.target) or shown.get(one.target)
    if found is None:
        return
    ours = (await ground.resolved([one.order]))[one.order.id]
    for name in await differing(ground, one.order, _SEEN, ours, found.content):
        _note(findings, one, "Support reads another value than at the source.", name)


async def _number(ground: Ground, one: _Expected) -> str:
    """The number that support has: the old one, or the target's own where that is not kept."""
    order: Order = one.order.content  # type: ignore[assignment]
    if "number" not in await ground.losses(Stream.ORDERS):
        return order.number
    there = (await ground.target_records(Stream.ORDERS, [one.target])).get(one.target)
    return there.content.number if there and isinstance(there.content, Order) else order.number


def _note(findings: Findings, one: _Expected, message: str, field: str) -> None:
    findings.add(
        message,
        stream=Stream.ORDERS,
        source_id=one.order.id,
        target_id=one.target,
        field=field,
    )


# --- fulfilment ----------------------------------------------------------------------------------


async def fulfilment(ground: Ground) -> Outcome:
    """Compare what a packer needs of each order that waits to be sent."""
    if Stream.ORDERS not in ground.streams:
        return skipped("Orders are not in scope.")
    most = int(ground.threshold(workflows.FULFILMENT.id, "records", LOOKED_UP))
    sample = await ground.sample(Stream.ORDERS)
    asked = await ground.source_records(Stream.ORDERS, [one.source_id for one in sample.pairs])
    records = await current(ground, Stream.ORDERS, asked)
    waiting = [
        (records[one.source_id], one.target_id)
        for one in sample.pairs
        if one.source_id in records and _waits(records[one.source_id])
    ]
    if not waiting:
        return skipped("No order of the sample waits to be sent.")
    some = waiting[:most]
    there = await ground.target_records(Stream.ORDERS, [target for _, target in some])
    contents = await ground.resolved([order for order, _ in some])
    whole = "fulfilments" not in await ground.losses(Stream.ORDERS)
    findings = Findings()
    words = f"{len(some):,} of {len(waiting):,} waiting orders of the sample ({sample.words})"
    findings.looked_at(len(some), len(waiting), words)
    for order, target in some:
        found, ours = there.get(target), contents[order.id]
        if found is None or not isinstance(found.content, Order) or not isinstance(ours, Order):
            continue
        fields = await differing(ground, order, ("shipping", "shipping_lines"), ours, found.content)
        if _to_send(ours, whole=whole) != _to_send(found.content, whole=whole):
            fields.append("lines.quantity")
        for name in fields:
            findings.add(
                _PACKER[name],
                stream=Stream.ORDERS,
                source_id=order.id,
                target_id=target,
                field=name,
            )
    return findings.outcome(
        "{examined} orders that wait to be sent show where, how and what to send.",
        "{found} things that a packer needs differ from the source.",
    )


_PACKER = {
    "shipping": "The shipping address differs.",
    "shipping_lines": "The shipping method differs.",
    "lines.quantity": "The quantities still to send differ.",
}


def _waits(record: Record) -> bool:
    """Paid, and neither sent in full nor ended."""
    return isinstance(record.content, Order) and record.content.status == "processing"


def _to_send(order: Order, *, whole: bool) -> list[tuple[str, int]]:
    """Quantities still to send by the line's name; `whole`: what was sent counts."""
    left = {line.id: line.quantity for line in order.lines}
    done = [(part.line, part.quantity) for refund in order.refunds for part in refund.lines]
    if whole:
        done += [
            part for sent in order.fulfilments if sent.status != "cancelled" for part in sent.lines
        ]
    for line, quantity in done:
        if line in left:
            left[line] -= quantity
    return sorted((line.name, left[line.id]) for line in order.lines)


# --- returning customers -------------------------------------------------------------------------


class _Account(NamedTuple):
    """A customer's record at the source, and the target's id of it."""

    customer: Record
    target: str


async def returning(ground: Ground) -> Outcome:
    """Find each customer's account by email, and compare what belongs to it."""
    desk = target_desk(ground)
    if desk is None or Stream.CUSTOMERS not in ground.streams:
        return skipped(_NO_DESK if desk is None else "Customers are not in scope.")
    most = int(ground.threshold(workflows.RETURNING.id, "records", LOOKED_UP))
    sample = await ground.sample(Stream.CUSTOMERS)
    asked = await ground.source_records(Stream.CUSTOMERS, [one.source_id for one in sample.pairs])
    records = await current(ground, Stream.CUSTOMERS, asked)
    accounts = [
        _Account(records[one.source_id], one.target_id)
        for one in sample.pairs
        if one.source_id in records and _has_email(records[one.source_id])
    ]
    if not accounts:
        return skipped("No customer of the sample with an email was brought over.")
    some = accounts[:most]
    findings = Findings()
    words = f"{len(some):,} of {len(accounts):,} customers of the sample ({sample.words})"
    findings.looked_at(len(some), sample.total, words)
    try:
        await each(some, lambda one: _returning_one(ground, desk, findings, one))
    except NotTold as answer:
        return findings.broken_off(str(answer), _MISSED)
    return findings.outcome(
        "{examined} customers find their one account, addresses and orders.", _MISSED
    )


def _has_email(record: Record) -> bool:
    """Some platforms know customers by their phone alone: nobody looks them up by email."""
    return isinstance(record.content, Customer) and bool(record.content.email)


async def _returning_one(ground: Ground, desk: Desk, findings: Findings, one: _Account) -> None:
    ours = one.customer.content
    if not isinstance(ours, Customer):
        return
    found = {record.id: record for record in await desk.accounts(ours.email)}
    if one.target not in found:
        _miss(findings, one, "The account is not found by the customer's email.", "email")
    # What the source itself has twice, a guest and an account for example, is linked twice.
    if found.keys() - {one.target} - (await source_ids(ground, Stream.CUSTOMERS, found)).keys():
        _miss(findings, one, f"{len(found)} accounts have the customer's email.", "email")
    if one.target not in found:
        return
    theirs = found[one.target].content
    for name in await differing(ground, one.customer, ("billing", "shipping"), ours, theirs):
        _miss(findings, one, "An address of the customer differs.", name)
    if Stream.ORDERS in ground.streams:
        await _compare_history(ground, desk, findings, one)


async def _compare_history(ground: Ground, desk: Desk, findings: Findings, one: _Account) -> None:
    """Where both platforms count a customer's orders. What waits at the source, and what the
    source has lost and policy has left, are other checks' matter.
    """
    source = source_desk(ground)
    if source is None:
        return
    try:
        here, there = await source.history(one.customer.id), await desk.history(one.target)
        if here == there:
            return
        expected = here - await _waiting(ground, source, one) + await _left_behind(ground, one)
        if expected == there:
            return
        if await source.history(one.customer.id) != here:
            return  # the customer is buying right now
    except NotTold:
        return
    message = f"The account shows {there} orders; by the source there should be {expected}."
    _miss(findings, one, message, "orders")


async def _waiting(ground: Ground, source: Desk, one: _Account) -> int:
    """The customer's orders that were not brought over: the newest, and those in quarantine."""
    ours: Customer = one.customer.content  # type: ignore[assignment]
    orders = {order.id: order for order in await source.orders_of(ours.email)}
    orders |= await ground.source_records(Stream.ORDERS, await quarantined(ground, Stream.ORDERS))
    own = [each for each, order in orders.items() if _is_of(order, one.customer.id)]
    return len(own) - len(await target_ids(ground, Stream.ORDERS, own))


async def _left_behind(ground: Ground, one: _Account) -> int:
    """The account's orders on the target that the source has lost, and that policy has left."""
    left = await left_behind(ground, Stream.ORDERS)
    orders = await ground.target_records(Stream.ORDERS, left.values())
    return sum(_is_of(order, one.target) for order in orders.values())


def _is_of(order: Record, customer: str) -> bool:
    return isinstance(order.content, Order) and order.content.customer == customer


def _miss(findings: Findings, one: _Account, message: str, field: str) -> None:
    findings.add(
        message,
        stream=Stream.CUSTOMERS,
        source_id=one.customer.id,
        target_id=one.target,
        field=field,
    )


CHECKS = (
    Check(workflows.SUPPORT, support),
    Check(workflows.FULFILMENT, fulfilment),
    Check(workflows.RETURNING, returning),
)
