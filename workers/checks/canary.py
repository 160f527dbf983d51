"""A canary: one order that is written to the target as runs write theirs, to see whether anybody is
told of it, and that is removed again.

Settings can look silent in a store whose extensions mail all the same; only what the store notes of
a real order tells. The canary's keys have a place of their own beside those of the streams, so that
no record of a migration, no link and no survey is ever taken for one. An interrupted canary is
found by them, and removed, before the next one is written. No secret and no person is in it.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from decimal import Decimal

from app.catalogue import preflight
from connectors.base import Action, Applied, Operation, Refused, Withdrawal
from connectors.desk import NotTold
from connectors.errors import StoreError, TryLater
from connectors.records import Content, Customer, Money, Order, OrderLine, Stream
from connectors.traces import Effect, HasTraces, Traces
from workers.checks.base import Check, Evidence, Findings, Ground, Outcome, State, skipped

_NAME = "recent-sync-canary"
_DOMAINS = ("example.invalid", "example.com")
"""Reserved by RFC 2606: nobody ever gets a mail there. Shopify, for one, may take no address
whose domain cannot be looked up: for such a store there is the second one.
"""

_LISTEN = 5.0
_LONGEST = 60.0
"""Seconds for which the target is watched, unless the migration says otherwise; and at the most."""

_STEP = 1.0
_WRITES = 2
_REMOVALS = 3
_PAUSE = 10.0
"""How often each is tried, and seconds that a busy store is waited for in between at the most."""

_NOT_ASKED = "It writes to the target, and was not asked for: `canary` in the job's options does."
_NO_TRACES = "The target's platform notes nothing of what an order causes where its API shows it."
_STAYS = "The target's API takes no {} away again: a canary would stay."
_UNTOLD = "Nobody can tell whether webhooks heard of it."


async def canary(ground: Ground) -> Outcome:
    """Write, watch, remove. Raises `StoreError` where nothing is known, and nothing is left."""
    if ground.silenced is None:
        return skipped(_NOT_ASKED)
    if not isinstance(ground.target, HasTraces):
        return skipped(_NO_TRACES)
    traces = ground.target.traces
    try:
        if why_not := _unfit(ground) or await traces.gap(Effect.MAIL):
            return skipped(why_not)
        return await _flown(ground, traces)
    except NotTold as answer:
        return skipped(str(answer))


def _unfit(ground: Ground) -> str:
    """Why no canary can be written, or removed, by what is in scope and what the platform offers:
    a sentence, or nothing.
    """
    if Stream.ORDERS not in ground.streams:
        return "Orders are not in scope."
    staying = [
        each for each in _streams(ground) if ground.writes[each].removal(Action.DELETE) is None
    ]
    return _STAYS.format(staying[0]) if staying else ""


async def _flown(ground: Ground, traces: Traces) -> Outcome:
    report = await ground.target_report()
    if not report.currency:
        return skipped("The target does not tell its currency.")
    # Ours may be ahead of it, and an order of the future is refused.
    made_at = (report.server_time or ground.clock()).replace(microsecond=0)
    flight = _Flight(ground, traces, report.currency, made_at)
    return await flight.listeners() or await flight.silently()


def _streams(ground: Ground) -> list[Stream]:
    """What a canary is made of; where customers are not in scope, its order is a guest's."""
    return [each for each in ground.streams if each in (Stream.CUSTOMERS, Stream.ORDERS)]


class _Flight:
    """One canary, from its first record to its removal; `done` says what was done."""

    def __init__(self, ground: Ground, traces: Traces, currency: str, made_at: datetime) -> None:
        self._ground = ground
        self._streams = _streams(ground)
        self._traces = traces
        self._currency = currency
        self._domain = _DOMAINS[0]
        self._made_at = made_at
        self._ids: dict[Stream, str] = {}
        self._written = 0
        self._found = Findings()
        self._done: list[Evidence] = []
        self._untold = ""

    async def listeners(self) -> Outcome | None:
        """What would be told of a canary, where that is more than the policies put up with."""
        try:
            told = await self._traces.webhooks()
        except NotTold:
            self._untold = f" {_UNTOLD}"
            return None
        for trace in told:
            self._found.add(f"{trace.what[:1].upper()}{trace.what[1:]}.")
        if len(told) <= self._ground.threshold(preflight.CANARY.id, "allowed", 0):
            return None
        return self._failed("Webhooks that would be told of a canary: {found}; none was written.")

    async def silently(self) -> Outcome:
        """Everything that is sent to the target, while it is as silent as for a job that writes."""
        if self._ground.silenced is None:
            raise TypeError("nothing may be written")
        async with self._ground.silenced():
            left = "Left behind by an earlier canary; removed"
            if not await self._take_away(left):
                return self._failed("An earlier canary could not be removed; none was written.")
            try:
                refused = await self._fly()
            except Exception:  # whatever it is, nothing may stay
                if not await self._take_away():
                    return self._failed("A canary was written in part, and could not be removed.")
                raise
            gone = await self._take_away()
        if refused is not None and gone:
            text = f"The target refuses a canary: {refused.message.rstrip('.')} [{refused.code}]."
            return Outcome(
                state=State.UNKNOWN, summary=text, examined=0, evidence=tuple(self._done)
            )
        return self._judged(gone=gone)

    async def _fly(self) -> Refused | None:
        """Write all records, and watch; what the target refuses, None where it takes all."""
        for stream in self._streams:
            refused = await self._put(stream)
            if refused is not None:
                return refused
        await self._watch()
        return None

    # --- writing --------------------------------------------------------------------------------

    async def _put(self, stream: Stream) -> Refused | None:
        refused = await self._write(stream)
        if refused is not None and self._domain != _DOMAINS[-1] and not self._ids:
            self._domain = _DOMAINS[-1]
            refused = await self._write(stream)
        return refused

    async def _write(self, stream: Stream) -> Refused | None:
        """Write one record as a run does. What became of it where no answer came is looked up."""
        for _ in range(_WRITES):
            [outcome] = await self._ground.target.write(stream, [self._operation(stream)])
            if isinstance(outcome, Refused):
                return outcome
            if isinstance(outcome, Applied):
                target_id: str | None = outcome.target_id
            else:
                await asyncio.sleep(self._ground.writes[stream].write_settle)
                target_id = await self._there(stream)
            if target_id is not None:
                self._ids[stream] = target_id
                self._written += 1
                self._note(stream, target_id, "Written")
                return None
        raise TryLater("the target does not say whether it has taken a canary", after=_PAUSE)

    def _operation(self, stream: Stream) -> Operation:
        return Operation(source_id=_NAME, key=self._key(stream), content=self._content(stream))

    def _key(self, stream: Stream) -> str:
        """No stream is called `canary`: no record of a migration has such a key."""
        return f"{self._ground.scope.key_prefix}:canary:{stream}"

    def _content(self, stream: Stream) -> Content:
        email = f"{_NAME}+{self._ground.scope.key_prefix}@{self._domain}"
        if stream is Stream.CUSTOMERS:
            return Customer(email=email, first_name="recent-sync", last_name="canary")
        nothing = Money(Decimal(0), self._currency)
        line = OrderLine(
            id="1",
            name="recent-sync canary",
            quantity=1,
            total=nothing,
            subtotal=nothing,
            tax=nothing,
            subtotal_tax=nothing,
        )
        # Completed, as most orders that are brought over: nobody sees goods to be sent.
        return Order(
            number=_NAME,
            status="completed",
            currency=self._currency,
            total=nothing,
            tax_total=nothing,
            shipping_total=nothing,
            discount_total=nothing,
            customer=self._ids.get(Stream.CUSTOMERS),
            email=email,
            lines=(line,),
            note="A test of recent-sync, removed within a minute.",
            created_at=self._made_at,
            paid_at=self._made_at,
            completed_at=self._made_at,
        )

    # --- watching -------------------------------------------------------------------------------

    async def _watch(self) -> None:
        """Read what the target notes of the order, until it notes something or time is up."""
        order = self._ids[Stream.ORDERS]
        seconds = self._ground.threshold(preflight.CANARY.id, "seconds", _LISTEN)
        left = min(seconds, _LONGEST)
        noted = await self._traces.of_orders([order])
        while not noted and left > 0:
            await asyncio.sleep(min(_STEP, left))
            left -= _STEP
            noted = await self._traces.of_orders([order])
        for trace in noted:
            when = f", at {_stamp(trace.at)}" if trace.at else ""
            text = f"At the canary's order {trace.what}{when}."
            self._found.add(text, stream=Stream.ORDERS, target_id=order)
        self._note(Stream.ORDERS, order, f"Traces that the target notes at it: {len(noted)}; read")

    # --- removing -------------------------------------------------------------------------------

    async def _take_away(self, what: str = "Removed") -> bool:
        """Take away what is there of a canary, orders first. Whether nothing is left of it."""
        gone = [await self._removed(stream, what) for stream in reversed(self._streams)]
        return all(gone)

    async def _removed(self, stream: Stream, what: str) -> bool:
        why = "it is still there"
        for _ in range(_REMOVALS):
            try:
                target_id = self._ids.get(stream) or await self._there(stream)
                if target_id is None:
                    return True
                self._ids[stream] = target_id
                refused = await self._remove(stream, target_id)
                if refused is not None:
                    why = f"{refused.message.rstrip('.')} [{refused.code}]"
                elif not await self._ground.target.get(stream, [target_id]):
                    del self._ids[stream]
                    self._note(stream, target_id, what)
                    return True
                # A store may hold on to a customer for a moment whose order has just gone.
                await asyncio.sleep(_STEP)
            except StoreError as error:
                why = f"{error.message} [{error.code}]"
                if not isinstance(error, TryLater):
                    break
                await asyncio.sleep(min(error.after, _PAUSE))
        self._found.add(
            f"A canary could not be removed, take it away by hand: {why}.",
            stream=stream,
            target_id=self._ids.get(stream),
        )
        return False

    async def _there(self, stream: Stream) -> str | None:
        """The target's id of a canary that is there."""
        found = await self._ground.target.find(stream, [self._operation(stream)])
        return found[_NAME].target_id if _NAME in found else None

    async def _remove(self, stream: Stream, target_id: str) -> Refused | None:
        withdrawal = Withdrawal(source_id=_NAME, target_id=target_id, key=self._key(stream))
        [answer] = await self._ground.target.remove(stream, [withdrawal], Action.DELETE)
        return answer if isinstance(answer, Refused) else None

    # --- telling --------------------------------------------------------------------------------

    def _note(self, stream: Stream, target_id: str, what: str) -> None:
        message = f"{what} at {_stamp(self._ground.clock())}."
        self._done.append(Evidence(message=message, stream=stream, target_id=target_id))

    def _judged(self, *, gone: bool) -> Outcome:
        if self._found.count:
            left = "" if gone else " It is still there in part."
            return self._failed(f"Who heard of a canary, and what is left of it: {{found}}.{left}")
        return Outcome(
            state=State.PASSED,
            summary="The target notes no mail and no movement of stock at an order that was written"
            f" as runs write theirs. It is gone again.{self._untold}",
            examined=self._written,
            total=self._written,
            evidence=tuple(self._done),
        )

    def _failed(self, sentence: str) -> Outcome:
        """With what is wrong first, and then what was done."""
        return Outcome(
            state=State.FAILED,
            summary=sentence.format(found=self._found.count),
            examined=self._written,
            found=self._found.count,
            evidence=(*self._found.kept, *self._done),
        )


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


CHECKS = (Check(preflight.CANARY, canary),)
