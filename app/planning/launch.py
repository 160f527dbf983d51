"""The way to the launch: when the source is best stopped, and what is to be done when. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from app.planning.arrivals import HOUR, Profile
from app.planning.forecast import Range

STATED_VERIFY = 300.0
"""Seconds that a `verify` takes, where none was measured."""

SHORTEST_LEAD = 600.0
_LONGEST_LEAD = 3600.0
_MARGIN = 300.0
"""Seconds between the end of checking and the switch: people decide."""

_AHEAD = timedelta(days=7)
_LATE = timedelta(days=3)
"""So long late orders of the old shop are brought over after the switch."""

_BEST = 3


class Window(Struct, frozen=True, kw_only=True):
    """A time in which the source could stand still; `turned_away` arrivals are lost by it."""

    starts_at: datetime
    ends_at: datetime
    turned_away: float


class Step(Struct, frozen=True, kw_only=True):
    """Something to do. `every` seconds until `until`, where it is done again and again; `seconds`
    is how long it takes. `key` is stable.
    """

    key: str
    at: datetime
    what: str
    command: str | None = None
    until: datetime | None = None
    every: float | None = None
    seconds: float | None = None


class Course(Struct, frozen=True, kw_only=True):
    """The moments of a launch, by the source's clock. `short_by` is how many seconds are missing,
    0 where there is time for all of it.
    """

    now: datetime
    last_recent: datetime
    freeze: datetime
    verify: datetime
    switch: datetime
    short_by: float

    @property
    def fits(self) -> bool:
        """Whether there is time for all of it."""
        return self.short_by <= 0


def lead(shortest: float | None) -> float:
    """How many seconds before the freeze the last `recent` begins: long enough to be done, short
    enough that little has come again.
    """
    return min(_LONGEST_LEAD, max(SHORTEST_LEAD, 2 * (shortest or 0.0)))


def course(
    *,
    now: datetime,
    launch: datetime,
    frozen: Range,
    ahead: float,
    verify: float,
    before: float,
    freeze_at: datetime | None = None,
) -> Course:
    """Reckon back from the launch; a chosen `freeze_at` stays. `ahead` is `lead`, `before` are
    seconds of work that is to be done before the last `recent`.
    """
    needed = timedelta(seconds=frozen.p95 + verify + _MARGIN)
    freeze = freeze_at or launch - needed
    last_recent = freeze - timedelta(seconds=ahead)
    earliest = now + timedelta(seconds=before)
    short_by = max(
        0.0,
        (earliest - last_recent).total_seconds(),
        (freeze + needed - launch).total_seconds(),
    )
    # People keep to minutes: they stop the source a little earlier, and check a little later.
    freeze = freeze_at or _minute(freeze)
    return Course(
        now=now,
        last_recent=max(_minute(last_recent), now),
        freeze=freeze,
        verify=minute_after(freeze + timedelta(seconds=frozen.p95)),
        switch=launch,
        short_by=short_by,
    )


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def minute_after(at: datetime) -> datetime:
    """The full minute that is not before a moment."""
    whole = _minute(at)
    return whole if whole == at else whole + timedelta(minutes=1)


def best_windows(
    profile: Profile, *, earliest: datetime, latest: datetime, length: timedelta
) -> list[Window]:
    """The quietest times for a freeze that begins at a full hour, each on its own; the later one of
    two that are alike, because less comes after it. `latest` is when the last of them ends.
    """
    first = earliest.replace(minute=0, second=0, microsecond=0) + HOUR
    latest = min(latest, earliest + 4 * _AHEAD)
    found = []
    while first + length <= latest:
        lost = profile.expected(first, first + length)
        found.append(Window(starts_at=first, ends_at=first + length, turned_away=round(lost, 3)))
        first += HOUR
    found.sort(key=lambda each: (each.turned_away, -each.starts_at.timestamp()))
    kept: list[Window] = []
    for window in found:
        if len(kept) < _BEST and all(_apart(window, other) for other in kept):
            kept.append(window)
    return kept


def until(launch: datetime | None, now: datetime) -> datetime:
    """The launch that is planned for; a full hour in a week where none is set."""
    if launch is not None:
        return launch
    whole = now.replace(minute=0, second=0, microsecond=0)
    return whole + _AHEAD + (HOUR if whole < now else timedelta(0))


def impossible(
    now: datetime, launch: datetime | None, own: datetime | None, freeze_at: datetime | None
) -> dict[str, str]:
    """What is wrong with the moments that are asked for, by their names. `own` is the launch that
    is meant where none is asked for.
    """
    found = {}
    asked = {"launch_at": launch, "freeze_at": freeze_at}
    for name, moment in asked.items():
        if moment is not None and moment < now:
            found[name] = "This moment has passed at the source."
    if freeze_at is not None and freeze_at >= until(launch or own, now):
        found.setdefault("freeze_at", "The source has to be stopped before the launch.")
    return found


def _apart(one: Window, other: Window) -> bool:
    return one.ends_at <= other.starts_at or other.ends_at <= one.starts_at


def runbook(
    slug: str,
    plan: Course,
    *,
    full_seconds: float | None,
    recent_seconds: float | None,
    frozen: Range,
    verify: float,
) -> list[Step]:
    """What to do when. `full_seconds` where a first full run is still to be made."""
    run = f"recent-sync run {{}} -m {slug} --wait"
    steps = []
    ready = plan.now
    if full_seconds is not None:
        steps.append(
            Step(
                key="full",
                at=plan.now,
                what="Copy everything for the first time.",
                command=run.format("full"),
                seconds=full_seconds,
            )
        )
        ready = minute_after(ready + timedelta(seconds=full_seconds))
    steps += _recents(run.format("recent"), ready, plan.last_recent, recent_seconds)
    cutover = run.format("recent --cutover")
    late = (plan.switch + _LATE).strftime("%Y-%m-%dT%H:%M:%SZ")
    return [
        *steps,
        Step(
            key="last_recent",
            at=plan.last_recent,
            what="One more `recent`, so that little is left for the freeze.",
            command=run.format("recent"),
            seconds=recent_seconds,
        ),
        Step(key="freeze", at=plan.freeze, what="Stop the source: no orders, no edits, no stock."),
        Step(
            key="cutover",
            at=plan.freeze,
            what="The last run, as soon as the source stands still.",
            command=cutover,
            seconds=frozen.median,
        ),
        Step(
            key="verify",
            at=plan.verify,
            what="Check the target.",
            command=run.format("verify"),
            seconds=verify,
        ),
        Step(
            key="gate",
            at=minute_after(plan.verify + timedelta(seconds=verify)),
            what="Ask for the verdict: launch if it is `ready` (exit code 0). If not, settle what "
            "it names and run the cutover again, or open the old shop again.",
            command=f"recent-sync readiness -m {slug}",
        ),
        Step(key="switch", at=plan.switch, what="Switch customers to the new shop."),
        Step(
            key="late_orders",
            at=plan.switch,
            what="Bring over what the old shop still sells.",
            command=f"recent-sync run stragglers -m {slug} --until {late}",
        ),
    ]


_RHYTHMS: Sequence[tuple[timedelta, timedelta, str]] = (
    (timedelta(days=30), timedelta(days=1), "Once a day: it shows early what does not fit."),
    (timedelta(days=1), timedelta(hours=1), "Every hour on the last day."),
    (timedelta(hours=1), timedelta(minutes=15), "Every quarter of an hour in the last hour."),
)


def _recents(command: str, ready: datetime, last: datetime, seconds: float | None) -> list[Step]:
    """Runs that come closer together towards the freeze, never closer than a run is long."""
    steps = []
    for number, (reach, rhythm, what) in enumerate(_RHYTHMS):
        begin = max(ready, last - reach)
        end = last - _RHYTHMS[number + 1][0] if number + 1 < len(_RHYTHMS) else last
        every = max(rhythm, timedelta(seconds=2 * (seconds or 0.0)))
        if begin + every <= end:
            steps.append(
                Step(
                    key="recents",
                    at=begin,
                    what=what,
                    command=command,
                    until=end,
                    every=every.total_seconds(),
                    seconds=seconds,
                )
            )
    return steps


def quietest(profile: Profile, choose: Callable[..., float] = min) -> tuple[int, int, float]:
    """Weekday (0 is Monday), hour and arrivals of the quietest hour; with `max` the busiest."""
    rate = choose(profile.rates)
    hour = profile.rates.index(rate)
    return hour // 24, hour % 24, rate
