"""What the runs caused on the target: mails, movements of stock, webhooks. There should be none.

It is the platform's own notes that tell, and where a platform notes nothing the check says so. What
was noted before a run wrote anything, or at an adopted order that no run has written to, was
somebody else's doing. A note without a time may be of any time, and counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import text

from app.catalogue import effects
from app.database import autocommit
from app.models import JobKind
from app.services.unapplied import unapplied_of
from connectors.base import Page
from connectors.desk import NotTold
from connectors.records import InventoryLevel, Order, Stream
from connectors.traces import Effect, HasTraces, Trace, Traces
from workers.checks.base import Check, Findings, Ground, Outcome, skipped
from workers.checks.ground import Pair
from workers.checks.looking import LOOKED_UP, each
from workers.engine import ledger

_SLACK = timedelta(seconds=5)
"""How far off the measured difference of two clocks may be: stores tell whole seconds, and answers
take their time. No more, because another tool may have written shortly before an adoption.
"""

_LEVELS_LOOKED_AT = 1000
"""Levels of stock that are compared at the most."""

_MAILED = "The target notes {found} mails at orders that were brought over."
_MOVED = "Stock moved {found} times because orders were brought over."
_NO_TRACES = "The target's platform notes no such thing where its API shows it."


async def mails(ground: Ground) -> Outcome:
    """Mails that the target notes at orders which were brought over."""
    traces = _traces(ground)
    if traces is None:
        return skipped(_NO_TRACES)
    findings = Findings()
    try:
        noted = await _noted(ground, traces, Effect.MAIL, findings)
        if not findings.count and (gap := await traces.gap(Effect.MAIL)):
            return skipped(gap)
    except NotTold as answer:
        return findings.broken_off(str(answer), _MAILED)
    return findings.outcome(
        f"The target notes no mail at {{examined}} orders.{noted.left_out}",
        f"{_MAILED}{noted.left_out}",
    )


async def stock(ground: Ground) -> Outcome:
    """Movements that the target notes at orders, and levels that lack what an order holds."""
    traces = _traces(ground)
    if traces is None:
        return skipped(_NO_TRACES)
    findings = Findings()
    try:
        noted = await _noted(ground, traces, Effect.STOCK, findings)
        gap = await traces.gap(Effect.STOCK)
    except NotTold as answer:
        return findings.broken_off(str(answer), _MOVED)
    await _taken_twice(ground, findings, known=noted.orders)
    if gap and not findings.count:
        return skipped(gap)
    return findings.outcome(
        f"No stock moved for {{examined}} orders.{noted.left_out}", f"{_MOVED}{noted.left_out}"
    )


async def webhooks(ground: Ground) -> Outcome:
    """What listens on the target while runs write."""
    traces = _traces(ground)
    if traces is None:
        return skipped(_NO_TRACES)
    try:
        told = await traces.webhooks()
        gap = await traces.gap(Effect.WEBHOOK)
    except NotTold as answer:
        return skipped(str(answer))
    if gap and not told:
        return skipped(gap)
    findings = Findings()
    for trace in told:
        findings.add(trace.what)
    return findings.outcome(
        "No webhook of the target is told of what runs write.",
        "{found} webhooks of the target are told of what runs write.",
    )


def _traces(ground: Ground) -> Traces | None:
    return ground.target.traces if isinstance(ground.target, HasTraces) else None


async def _orders(ground: Ground) -> tuple[Sequence[Pair], str]:
    """The orders whose notes are read, and how they were chosen."""
    if Stream.ORDERS not in ground.streams:
        return (), "orders are not in scope"
    sample = await ground.sample(Stream.ORDERS)
    some = sample.pairs[: int(ground.threshold(effects.MAILS.id, "records", LOOKED_UP))]
    return some, f"{len(some):,} of {len(sample.pairs):,} orders of the sample ({sample.words})"


class _Noted(NamedTuple):
    """The source's ids of the orders that have traces of ours; in words, how many others there
    are, which were left out.
    """

    orders: frozenset[str]
    left_out: str


async def _noted(ground: Ground, traces: Traces, effect: Effect, findings: Findings) -> _Noted:
    """Note the traces of one kind that runs may have left."""
    pairs, words = await _orders(ground)
    sources = {pair.target_id: pair.source_id for pair in pairs}
    key = "traces of orders"
    if key not in ground.memo:
        found = await each(list(sources), lambda order: traces.of_orders([order]))
        ground.memo[key] = [trace for some in found for trace in some]
    total = (await ground.sample(Stream.ORDERS)).total if pairs else 0
    findings.looked_at(len(pairs), total, words)
    alike: list[Trace] = [trace for trace in ground.memo[key] if trace.effect is effect]
    ours = await _since_our_writes(ground, alike)
    for trace in ours:
        findings.add(
            f"At this order {trace.what}{_when(trace)}.",
            stream=Stream.ORDERS,
            source_id=sources.get(trace.order),
            target_id=trace.order,
        )
    others = len(alike) - len(ours)
    left_out = f" Left out, as no run's doing: {others:,} older notes." if others else ""
    orders = frozenset(sources[trace.order] for trace in ours if trace.order in sources)
    return _Noted(orders, left_out)


# The database's clock is the one by which jobs are dated.
_FIRST_WRITE = text(
    "SELECT min(started_at) AS began, clock_timestamp() AS now FROM jobs"
    " WHERE migration_id = :migration AND kind = ANY(CAST(:kinds AS text[]))"
    " AND NOT coalesce((params->>'dry_run')::boolean, false)"
)
# An adopted record keeps neither until a run has written to it, or has begun to.
_UNTOUCHED = text(
    "SELECT target_id FROM links WHERE migration_id = :migration AND stream = :stream"
    " AND target_id = ANY(CAST(:ids AS text[])) AND applied_at IS NULL AND intent_at IS NULL"
)


async def _since_our_writes(ground: Ground, traces: Sequence[Trace]) -> list[Trace]:
    """Those that are not older than all that runs have written, and not at an order that no run has
    written to. The target's clock is set right by ours.
    """
    if not traces:
        return []
    asked = {
        "migration": ground.migration,
        "kinds": [str(each) for each in JobKind if each.writes],
        "stream": str(Stream.ORDERS),
        "ids": [trace.order for trace in traces],
    }
    # Asked anew, and right before ours: the difference of the clocks is what counts.
    theirs = (await ground.target.check()).server_time
    async with autocommit(ground.engine) as connection:
        first = (await connection.execute(_FIRST_WRITE, asked)).one()
        untouched = set((await connection.execute(_UNTOUCHED, asked)).scalars())
    if first.began is None:
        return []
    ahead = theirs - first.now if theirs else timedelta(0)
    earliest = first.began + ahead - _SLACK
    return [
        trace
        for trace in traces
        if trace.order not in untouched and (trace.at is None or trace.at >= earliest)
    ]


def _when(trace: Trace) -> str:
    return f", on {trace.at:%Y-%m-%d at %H:%M:%S} UTC" if trace.at else ""


# --- stock that lacks what an order holds ---------------------------------------------------------


async def _taken_twice(ground: Ground, findings: Findings, *, known: frozenset[str]) -> None:
    """Levels of the target that are lower than the source's by what an order holds of them.

    The source took the goods of its orders from stock already. A target that took them once more
    lacks just so many.
    """
    if not {Stream.ORDERS, Stream.INVENTORY} <= set(ground.streams):
        return
    held = await _held(ground, without=known)
    of_products: dict[str, list[Decimal]] = defaultdict(list)
    for (product, _), quantities in held.items():
        of_products[product] += quantities
    targets = await _levels(ground, held, findings)
    here = await ground.source_records(Stream.INVENTORY, targets)
    # What moved at the source since it was applied is the matter of the check of freshness.
    page = Page(records=tuple(here.values()), resume=None)
    stale = await unapplied_of(ground.engine, ground.migration, Stream.INVENTORY, page)
    for source_id in stale:
        del here[source_id]
    there = await ground.target_records(Stream.INVENTORY, targets.values())
    for source_id, record in here.items():
        ours, target_id = record.content, targets[source_id]
        found = there.get(target_id)
        theirs = found.content if found else None
        if not isinstance(ours, InventoryLevel) or not isinstance(theirs, InventoryLevel):
            continue
        if ours.quantity is None or theirs.quantity is None:
            continue
        lacking = ours.quantity - theirs.quantity
        if lacking > 0 and lacking in _takings(ours, held, of_products):
            findings.add(
                f"The target has {lacking:f} fewer than the source: as many as its orders hold.",
                stream=Stream.INVENTORY,
                source_id=source_id,
                target_id=target_id,
                field="quantity",
            )


def _takings(
    level: InventoryLevel,
    held: Mapping[tuple[str, str | None], list[Decimal]],
    of_products: Mapping[str, list[Decimal]],
) -> set[Decimal]:
    """What orders may have taken once more; of what variants share, any of them or all."""
    own = held.get((level.product, level.variant), [])
    found = {*own, sum(own, Decimal(0))}
    if level.shared:
        product = of_products[level.product]
        found |= {*product, sum(product, Decimal(0))}
    return found


async def _levels(
    ground: Ground, held: Iterable[tuple[str, str | None]], findings: Findings
) -> dict[str, str]:
    """Levels of the goods that orders hold, those of changed orders first: the target's ids."""
    ids = [product if variant is None else f"{product}:{variant}" for product, variant in held]
    if len(ids) > _LEVELS_LOOKED_AT:
        findings.samples.append(f"the first {_LEVELS_LOOKED_AT:,} of {len(ids):,} levels of stock")
    async with autocommit(ground.engine) as connection:
        found = await ledger.targets(
            connection, ground.migration, Stream.INVENTORY, ids[:_LEVELS_LOOKED_AT]
        )
    return {source_id: target_id for source_id, (target_id, _) in found.items()}


async def _held(
    ground: Ground, *, without: frozenset[str]
) -> dict[tuple[str, str | None], list[Decimal]]:
    """Quantities of the sample's order lines, by product and variant of the source."""
    pairs = (await ground.sample(Stream.ORDERS)).pairs
    ids = [pair.source_id for pair in pairs if pair.source_id not in without]
    held: dict[tuple[str, str | None], list[Decimal]] = defaultdict(list)
    for record in (await ground.source_records(Stream.ORDERS, ids)).values():
        if isinstance(record.content, Order):
            for line in record.content.lines:
                if line.product is not None:
                    held[line.product, line.variant].append(Decimal(line.quantity))
    return held


CHECKS = (
    Check(effects.MAILS, mails),
    Check(effects.STOCK, stock),
    Check(effects.WEBHOOKS, webhooks),
)
