"""Order numbers of both stores: how each counts, where they meet, and what to do about it.

Pure. What is known are the newest orders of each store; what an order's number is made of is seen
in them, and not asked of the platforms.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from msgspec import Struct

from connectors.desk import NumberedOrder

_PARTS = re.compile(r"(?P<prefix>.*?)(?P<digits>[0-9]{1,15})(?P<suffix>[^0-9]*)", re.DOTALL)
_COMMON = 0.6
"""A sequence is what at least this share of the orders follows."""

_RISING = 0.8
"""And in which so many orders have a higher number than the one before."""

_SPARE = 0.25
_FEWEST = 1000


class Form(Struct, frozen=True, gc=False):
    """A number's parts: what stands before and behind the digits, and how many digits there are at
    least (0 where they are not filled up with zeros).
    """

    prefix: str = ""
    suffix: str = ""
    width: int = 0

    def text(self, number: int) -> str:
        """The number as the store writes it."""
        return f"{self.prefix}{number:0{self.width}}{self.suffix}"


class Counting(Struct, frozen=True, kw_only=True):
    """How a store counts. `step` is the most common distance between neighbours, `advance` the mean
    one: what a new order uses up. `gaps` counts the numbers left out between `first` and `last`,
    `strays` the orders whose number has another form.
    """

    form: Form
    first: int
    last: int
    step: int
    advance: float
    gaps: int
    counted: int
    strays: int

    @property
    def following(self) -> int:
        """The earliest number that comes next."""
        return self.last + self.step


class Collision(Struct, frozen=True, kw_only=True):
    """A number that names more than one order, or is going to.

    The kinds:

    - `taken`: an order of the target's own has the number of an order of the source;
    - `coming`: it has a number that the source gives before launch;
    - `twice`: orders of the target share it.
    """

    kind: str
    number: str
    targets: tuple[str, ...]
    source: str | None = None


class Headroom(Struct, frozen=True, kw_only=True):
    """How the two sequences meet. `own` is the next number that the target gives by itself, and
    `at_launch` the last one that the source is expected to give by then. `free` numbers lie between
    them: below zero, the target will give numbers that orders of the source have. `until` is when
    the source arrives at the target's numbers, None where that is not to come.
    """

    own: int
    at_launch: int
    free: int
    until: datetime | None = None


class Proposal(Struct, frozen=True, kw_only=True):
    """What would keep numbers apart, with figures. `kind` is `offset`, `prefix` or `reserved`."""

    kind: str
    first: str
    says: str


class Numbers(Struct, frozen=True, kw_only=True):
    """Everything that is known. `kept`: the target shows imported orders under their old numbers.
    `per_day` is the source's rate of arrival, `expected` its orders until launch, with a margin.
    """

    source: Counting | None
    target: Counting | None
    kept: bool | None
    per_day: float | None
    expected: int | None
    collisions: tuple[Collision, ...]
    headroom: Headroom | None
    proposals: tuple[Proposal, ...]
    unseen: tuple[NumberedOrder, ...] = ()


def form_of(number: str) -> tuple[Form, int] | None:
    """A number's form and value; None where no digits are in it, or they are too many."""
    match = _PARTS.fullmatch(number.strip())
    if match is None:
        return None
    digits = match["digits"]
    width = len(digits) if digits.startswith("0") else 0
    return Form(match["prefix"], match["suffix"], width), int(digits)


def sequence_of(orders: Sequence[NumberedOrder]) -> Counting | None:
    """How the orders are counted, None where their numbers follow no sequence."""
    read = [(order, found) for order in orders if (found := form_of(order.number))]
    if not read:
        return None
    shapes = Counter((form.prefix, form.suffix) for _, (form, _) in read)
    shape, many = shapes.most_common(1)[0]
    if many < _COMMON * len(orders):
        return None
    ours = [each for each in read if (each[1][0].prefix, each[1][0].suffix) == shape]
    if not _rises(ours):
        return None
    values = sorted({value for _, (_, value) in ours})
    steps = Counter(right - left for left, right in pairwise(values))
    step = steps.most_common(1)[0][0] if steps else 1
    width = max(form.width for _, (form, _) in ours)
    span = values[-1] - values[0]
    return Counting(
        form=Form(*shape, width),
        first=values[0],
        last=values[-1],
        step=step,
        advance=span / (len(values) - 1) if span else float(step),
        gaps=max(0, span // step + 1 - len(values)),
        counted=len(values),
        strays=len(orders) - len(ours),
    )


def _rises(read: Iterable[tuple[NumberedOrder, tuple[Form, int]]]) -> bool:
    """Whether later orders have higher numbers, as far as orders are dated."""
    dated = sorted(
        (order.created_at, value) for order, (_, value) in read if order.created_at is not None
    )
    pairs = [(left, right) for (_, left), (_, right) in pairwise(dated)]
    return not pairs or sum(right > left for left, right in pairs) >= _RISING * len(pairs)


def rate_of(orders: Sequence[NumberedOrder], now: datetime) -> float | None:
    """Orders a day, by the time since the oldest of these; None of fewer than two."""
    dates = [order.created_at for order in orders if order.created_at is not None]
    if len(dates) < 2:  # noqa: PLR2004  one order makes no rate
        return None
    days = (now - min(dates)) / timedelta(days=1)
    return len(dates) / days if days > 0 else None


def expected_until(per_day: float, now: datetime, launch: datetime | None) -> int | None:
    """Orders until launch: the mean, and three times its spread."""
    if launch is None:
        return None
    mean = per_day * max(0.0, (launch - now) / timedelta(days=1))
    return math.ceil(mean + 3 * math.sqrt(mean))


def survey(
    source: Sequence[NumberedOrder],
    target: Sequence[NumberedOrder],
    ours: Mapping[str, str],
    *,
    now: datetime,
    launch: datetime | None,
    numbers_are_ids: bool,
) -> Numbers:
    """Everything about both stores' numbers.

    `source` and `target` are their newest orders; `ours` gives the source's id of each order of
    the target that was brought over. `numbers_are_ids`: the target's own orders are numbered by
    their ids, where nothing else numbers them.
    """
    by_id = {order.id: order for order in source}
    imported = [order for order in target if order.id in ours]
    own = [order for order in target if order.id not in ours]
    kept = _kept(imported, by_id, ours)
    theirs, mine = sequence_of(source), sequence_of(own if kept else target)
    per_day = rate_of(source, now)
    expected = None if per_day is None else expected_until(per_day, now, launch)
    at_launch = None
    if theirs is not None:
        at_launch = theirs.last + math.ceil(theirs.advance * (expected or 0))
    collisions = list(_meeting(source, own, theirs, at_launch))
    met = {each.number for each in collisions}
    collisions += [each for each in _twice(target, ours) if each.number not in met]
    headroom = None
    if kept and theirs is not None and at_launch is not None:
        following = _own_next(target, own, mine, theirs, numbers_are_ids=numbers_are_ids)
        if following is not None:
            headroom = _headroom(following, theirs, at_launch, per_day, now)
    return Numbers(
        source=theirs,
        target=mine,
        kept=kept,
        per_day=per_day,
        expected=expected,
        collisions=tuple(collisions),
        headroom=headroom,
        proposals=_proposals(theirs, at_launch) if kept is not False else (),
        unseen=tuple(_below(own, theirs, {order.number for order in source})),
    )


def _kept(
    imported: Sequence[NumberedOrder],
    by_id: Mapping[str, NumberedOrder],
    ours: Mapping[str, str],
) -> bool | None:
    """Whether imported orders show the source's numbers; None where none can be compared."""
    pairs = [
        (by_id[ours[order.id]].number, order.number)
        for order in imported
        if ours[order.id] in by_id
    ]
    if not pairs:
        return None
    return sum(old == new for old, new in pairs) > len(pairs) / 2


def _twice(target: Sequence[NumberedOrder], ours: Mapping[str, str]) -> Iterable[Collision]:
    """Numbers that several orders of the target share, but for doubles of one record."""
    found: defaultdict[str, list[NumberedOrder]] = defaultdict(list)
    for order in target:
        found[order.number].append(order)
    for number, orders in found.items():
        keys = {order.key or order.id for order in orders}
        if len(orders) > 1 and len(keys) > 1:
            known = next((ours[order.id] for order in orders if order.id in ours), None)
            ids = tuple(order.id for order in orders)
            yield Collision(kind="twice", number=number, targets=ids, source=known)


def _meeting(
    source: Sequence[NumberedOrder],
    own: Sequence[NumberedOrder],
    theirs: Counting | None,
    at_launch: int | None,
) -> Iterable[Collision]:
    """Orders of the target's own that have a number which the source has, or is going to give."""
    taken = {order.number: order.id for order in source}
    for order in own:
        if order.number in taken:
            yield Collision(
                kind="taken", number=order.number, targets=(order.id,), source=taken[order.number]
            )
        elif theirs and at_launch and theirs.last < _value_in(theirs, order) <= at_launch:
            yield Collision(kind="coming", number=order.number, targets=(order.id,))


def _value_in(sequence: Counting, order: NumberedOrder) -> int:
    """An order's place in a sequence, -1 where its number has another form."""
    found = form_of(order.number)
    if found is None or (found[0].prefix, found[0].suffix) != _shape(sequence.form):
        return -1
    return found[1]


def _shape(form: Form) -> tuple[str, str]:
    return form.prefix, form.suffix


def _below(
    own: Sequence[NumberedOrder], theirs: Counting | None, seen: set[str]
) -> Iterable[NumberedOrder]:
    """Orders of the target's own with a number that an older order of the source may have."""
    if theirs is None:
        return
    for order in own:
        if order.number not in seen and 0 <= _value_in(theirs, order) < theirs.first:
            yield order


def _own_next(
    target: Sequence[NumberedOrder],
    own: Sequence[NumberedOrder],
    mine: Counting | None,
    theirs: Counting,
    *,
    numbers_are_ids: bool,
) -> int | None:
    """The next number that the target gives by itself, None where nobody knows, or where its form
    is another than the source's.
    """
    if mine is not None and own:
        return mine.following if _shape(mine.form) == _shape(theirs.form) else None
    ids = [int(order.id) for order in target if order.id.isdecimal()]
    if numbers_are_ids and ids and _shape(theirs.form) == ("", ""):
        return max(ids) + 1
    return None


def _headroom(
    following: int, theirs: Counting, at_launch: int, per_day: float | None, now: datetime
) -> Headroom:
    until = None
    if following > theirs.last and per_day:
        days = (following - theirs.last) / (per_day * theirs.advance)
        # Beyond a century it is nobody's concern, and no date.
        until = now + timedelta(days=days) if days < 36_500 else None  # noqa: PLR2004
    return Headroom(own=following, at_launch=at_launch, free=following - at_launch - 1, until=until)


def _proposals(theirs: Counting | None, at_launch: int | None) -> tuple[Proposal, ...]:
    if theirs is None or at_launch is None:
        return ()
    spare = max(_FEWEST, math.ceil((at_launch - theirs.last) * _SPARE))
    first = _rounded_up(at_launch + spare)
    offset, last = theirs.form.text(first), theirs.form.text(at_launch)
    prefix = "N-" if not theirs.form.prefix.startswith("N-") else "S-"
    return (
        Proposal(
            kind="offset",
            first=offset,
            says=f"Let the target begin at {offset}: the source is expected at {last} by launch.",
        ),
        Proposal(
            kind="prefix",
            first=f"{prefix}{theirs.form.text(theirs.following)}",
            says=f"Let the target's numbers begin with {prefix}, which no order of the source has.",
        ),
        Proposal(
            kind="reserved",
            first=theirs.form.text(theirs.following),
            says=f"Keep {theirs.form.text(theirs.following)} to {theirs.form.text(first - 1)} free"
            " on the target for late orders of the source.",
        ),
    )


def _rounded_up(number: int) -> int:
    """A number that people recognise: two digits and zeros, at least whole hundreds."""
    unit = int(10 ** max(2, len(str(number)) - 2))
    return -(-number // unit) * unit
