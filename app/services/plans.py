"""When a shop sells, and how its launch goes: reckoned from what the migration has seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from statistics import median
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.errors import InvalidPlan, StoreFailed, StoreTooSlow
from app.models.columns import now as own_clock
from app.planning import launch as course
from app.planning.activity import HORIZON, Need, need
from app.planning.arrivals import Profile
from app.planning.forecast import Convergence, Cutover, Freeze, Range, Swept, convergence, freeze
from app.planning.measured import Experience
from app.planning.pricing import Misfit, misfits
from app.planning.risks import Signs, ask_expert, risks
from app.planning.sizing import Number, duration, parts_of
from app.resources import Resources
from app.schemas.planning import (
    ActivityOut,
    ConvergenceOut,
    FreezeOut,
    HourOut,
    NeedOut,
    PlanOut,
    RatesOut,
    RiskOut,
    StepOut,
    WindowOut,
)
from app.schemas.stream import StreamOut
from app.schemas.values import reckonable
from app.services.counting import count_sweeps
from app.services.opening import open_source, open_target
from app.services.outlook import Outlook, load_outlook
from app.services.transaction import transaction
from connectors.base import StoreReport, Trust
from connectors.records import Stream

_PATIENCE = 20.0
"""Seconds that the source has to say what time it is there; a plan does without it."""

_SEED = 7


async def activity(resources: Resources, name: str) -> ActivityOut:
    """When the shop sells, and whether that asks for a final run. Raises `MigrationNotFound`,
    `StoreCannot`.
    """
    planner = await _prepared(resources, name)
    return planner.activity()


async def plan(
    resources: Resources, name: str, *, launch: datetime | None, freeze_at: datetime | None
) -> PlanOut:
    """The way to a launch. Raises `MigrationNotFound`, `StoreCannot`, `InvalidPlan`."""
    planner = await _prepared(resources, name)
    return planner.plan(launch, freeze_at)


async def _prepared(resources: Resources, name: str) -> Planner:
    async with transaction(resources) as work:
        outlook = await load_outlook(work.session, name)
    place = await _ask(outlook, resources)
    return Planner(outlook, place, resources.settings.parallel_slices)


@dataclass(frozen=True)
class Place:
    """What the source says of itself: its time and zone, and how much there is of what was never
    copied. `answers`: without it the time is ours and the zone is UTC. `pricing` is where prices
    mean something else on the target, as far as that tells.
    """

    now: datetime
    zone: str = "UTC"
    answers: bool = True
    sizes: Mapping[Stream, Number] = field(default_factory=dict)
    pricing: tuple[Misfit, ...] = ()


async def _ask(outlook: Outlook, resources: Resources) -> Place:
    try:
        async with open_source(outlook.source, resources, patience=_PATIENCE) as source:
            report = await source.check()
            now = await source.server_time()
            unknown: dict[Stream, int | None] = {
                each.stream: None for each in outlook.streams if each.stream not in outlook.cursors
            }
            sizes = await count_sweeps(source, unknown)
    except (StoreFailed, StoreTooSlow):
        return Place(own_clock().replace(microsecond=0), answers=False)
    return Place(
        now.replace(microsecond=0),
        _known_zone(report.timezone),
        sizes=sizes,
        pricing=await _pricing(outlook, resources, report),
    )


async def _pricing(
    outlook: Outlook, resources: Resources, source: StoreReport
) -> tuple[Misfit, ...]:
    """Nothing where the target does not answer, or products stay where they are."""
    if Stream.PRODUCTS not in outlook.migration.streams:
        return ()
    try:
        async with open_target(outlook.target, resources, patience=_PATIENCE) as target:
            return misfits(source, await target.check())
    except (StoreFailed, StoreTooSlow):
        return ()


def _known_zone(name: str) -> str:
    """The zone by its name in the time zone database; UTC where it has none."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return "UTC"
    return name


class Planner:
    """Reckons for one migration; all moments are the source's."""

    def __init__(self, outlook: Outlook, place: Place, parallel: int) -> None:
        self._outlook = outlook
        self._place = place
        self._parallel = parallel
        self._experience: Experience = outlook.learned()
        self._profile: Profile = outlook.history.profile(place.zone)
        self._streams = tuple(map(self._swept, outlook.streams))

    @property
    def _set_launch(self) -> datetime | None:
        """The migration's own launch, which may be set for any time at all."""
        at = self._outlook.migration.launch_at
        return None if at is None else reckonable(at)

    @property
    def _launch(self) -> datetime | None:
        """The migration's own launch, where it is still to come."""
        at = self._set_launch
        return at if at is not None and at > self._place.now else None

    def _require_possible(self, launch: datetime | None, freeze_at: datetime | None) -> None:
        """Raises `InvalidPlan`."""
        wrong = course.impossible(self._place.now, launch, self._launch, freeze_at)
        if wrong:
            places = [{"in": "query", "parameter": name, "detail": wrong[name]} for name in wrong]
            raise InvalidPlan(errors=places)

    def activity(self) -> ActivityOut:
        """When the shop sells."""
        profile, history = self._profile, self._outlook.history
        known = bool(profile.total)
        return ActivityOut(
            migration=self._outlook.migration.slug,
            made_at=self._place.now,
            stream=history.stream,
            basis=history.basis,
            zone=profile.zone,
            since=history.begin,
            until=history.until,
            total=profile.total,
            per_day=round(profile.mean * 24, 2),
            spread=round(profile.spread, 2),
            rates=[
                [round(rate, 3) for rate in profile.rates[day * 24 : day * 24 + 24]]
                for day in range(7)
            ],
            busiest=_hour(course.quietest(profile, max)) if known else None,
            quietest=_hour(course.quietest(profile)) if known else None,
            final_sync=NeedOut.model_validate(self._need(self._launch)),
        )

    def plan(self, launch: datetime | None, freeze_at: datetime | None) -> PlanOut:
        """The way to a launch, or to the one that the migration names. Raises `InvalidPlan`."""
        self._require_possible(launch, freeze_at)
        wanted = launch or self._launch
        switch = course.until(wanted, self._place.now)
        caught_up = self._convergence()
        ahead = course.lead(caught_up.shortest)
        verify = self._verify_seconds()
        # How long the freeze is hardly depends on when it begins, but that depends on how long.
        frozen = self.freeze(freeze_at or switch, ahead).seconds
        chosen = self._course(switch, frozen, ahead, verify, freeze_at)
        forecast = self.freeze(chosen.freeze, ahead)
        chosen = self._course(switch, forecast.seconds, ahead, verify, freeze_at)
        windows = course.best_windows(
            self._profile,
            earliest=self._place.now + timedelta(seconds=self._work_ahead() + ahead),
            # Where nothing is known no time is quieter than another.
            latest=switch if self._profile.hours else self._place.now,
            length=timedelta(seconds=ceil(forecast.seconds.p95)),
        )
        found = risks(self._signs(chosen, caught_up, ignored=launch is not None))
        costs = self._experience.costs
        return PlanOut(
            migration=self._outlook.migration.slug,
            made_at=self._place.now,
            launch_at=switch,
            launch_is_set=wanted is not None,
            zone=self._place.zone,
            fits=chosen.fits,
            final_sync=NeedOut.model_validate(self._need(switch)),
            convergence=ConvergenceOut.model_validate(_rounded(caught_up)),
            freeze=self._freeze_out(forecast, chosen.freeze, ahead),
            windows=[WindowOut.model_validate(each) for each in windows],
            runbook=[
                StepOut.model_validate(step)
                for step in course.runbook(
                    self._outlook.migration.slug,
                    chosen,
                    full_seconds=self._full_seconds(),
                    recent_seconds=caught_up.shortest and round(caught_up.shortest, 1),
                    frozen=forecast.seconds,
                    verify=verify,
                )
            ],
            risks=[RiskOut.model_validate(each) for each in found],
            ask_expert=ask_expert(found),
            rates=RatesOut(
                basis="measured" if costs.measured else "stated",
                jobs=self._experience.jobs,
                passes=costs.runs,
                error=round(costs.spread, 3),
            ),
        )

    def freeze(self, begin: datetime, ahead: float) -> Freeze:
        """The freeze that begins at a moment, `ahead` seconds after the run before it began. Where
        that is past already, the cursor says from when on changes are left.
        """
        return freeze(
            Cutover(
                streams=self._streams,
                arrivals=self._profile.expected(self._left_from(begin, ahead), begin),
                spread=self._profile.spread,
                settle=self._outlook.settle,
                prepare=self._experience.prepare,
                between=self._experience.between,
                finish=self._experience.finish,
            ),
            self._experience.costs,
            seed=_SEED,
        )

    def _left_from(self, begin: datetime, ahead: float) -> datetime:
        last_run = begin - timedelta(seconds=ahead)
        applied = self._outlook.applied_until()
        if applied is not None and last_run < self._place.now:
            # There is no time for another run: what came since the last one is left.
            return min(begin, applied)
        return last_run - timedelta(seconds=self._outlook.settle)

    def _swept(self, shown: StreamOut) -> Swept:
        outlook, stream = self._outlook, shown.stream
        size = outlook.page_sizes[stream]
        unknown = self._place.sizes.get(stream)
        records = outlook.linked.get(stream, 0) + outlook.held.get(stream, 0)
        records = unknown.records if unknown is not None else records
        parts = self._experience.parts.get(stream) or parts_of(records, size, self._parallel)
        return Swept(
            stream=stream,
            records=records,
            page_size=size,
            parts=parts,
            written=self._experience.written(stream),
            windowed=shown.trust is not Trust.SWEEP,
        )

    def _convergence(self) -> Convergence:
        applied = self._outlook.applied_until()
        behind = (self._place.now - applied).total_seconds() if applied is not None else 0.0
        return convergence(
            self._streams,
            self._experience.costs,
            fixed=self._fixed_seconds(),
            mean=self._profile.mean,
            peak=max(self._profile.rates),
            behind=max(0.0, behind),
        )

    def _fixed_seconds(self) -> float:
        experience = self._experience
        beside = median(experience.between) if experience.between else 0.0
        return median(experience.prepare) + median(experience.finish) + beside

    def _full_seconds(self) -> float | None:
        """How long the first full run takes; None where every stream was copied."""
        if self._outlook.applied_until() is not None:
            return None
        costs = self._experience.costs
        passes = sum(
            costs.seconds(
                each.stream, pages=each.pages, written=float(each.records), parts=each.parts
            )
            for each in self._streams
        )
        return duration(passes, self._fixed_seconds(), costs).expected

    def _work_ahead(self) -> float:
        """Seconds of runs that come before the last `recent`."""
        return self._full_seconds() or 0.0

    def _verify_seconds(self) -> float:
        measured = [job.seconds for job in self._outlook.jobs if job.kind == "verify"]
        return median(measured) if measured else course.STATED_VERIFY

    def _course(
        self,
        switch: datetime,
        frozen: Range,
        ahead: float,
        verify: float,
        freeze_at: datetime | None,
    ) -> course.Course:
        return course.course(
            now=self._place.now,
            launch=switch,
            frozen=frozen,
            ahead=ahead,
            verify=verify,
            before=self._work_ahead(),
            freeze_at=freeze_at,
        )

    def _freeze_out(self, forecast: Freeze, begin: datetime, ahead: float) -> FreezeOut:
        seconds = forecast.seconds
        latest = begin + timedelta(seconds=ceil(seconds.p95))
        left = self._profile.expected(self._left_from(begin, ahead), begin)
        return FreezeOut(
            starts_at=begin,
            median=round(seconds.median, 1),
            p95=round(seconds.p95, 1),
            likely_end=begin + timedelta(seconds=round(seconds.median)),
            latest_end=latest,
            arrivals=round(left, 2),
            turned_away=round(self._profile.expected(begin, latest), 2),
            parts={name: round(value, 1) for name, value in forecast.parts.items()},
        )

    def _need(self, launch: datetime | None) -> Need:
        """What arrives from the last run on until the launch decides."""
        end = launch or self._place.now + timedelta(hours=HORIZON)
        begin = min(self._outlook.applied_until() or self._place.now, self._place.now)
        newest = next((job for job in self._outlook.jobs if job.kind == "recent"), None)
        changed = sum(sum(newest.total(stream)) for stream in Stream) if newest else 0
        return need(
            self._profile,
            word=str(self._outlook.history.stream),
            expected=self._profile.expected(begin, end),
            hours=max(0.0, (end - self._place.now) / timedelta(hours=1)),
            changed=changed,
            is_launch=launch is not None,
        )

    def _signs(self, chosen: course.Course, caught_up: Convergence, *, ignored: bool) -> Signs:
        """`ignored`: another launch than the migration's own is planned for."""
        outlook = self._outlook
        own = None if ignored else self._set_launch
        passed = (self._place.now - own).total_seconds() if own and not self._launch else None
        untrusted = [each for each in outlook.streams if each.trust is Trust.SWEEP]
        pages = sum(
            each.records
            for each in self._streams
            if each.stream in (Stream.PRODUCTS, Stream.CATEGORIES)
        )
        return Signs(
            baseline=outlook.applied_until() is not None,
            missing=chosen.short_by,
            converges=caught_up.converges,
            history_hours=self._profile.hours,
            jobs=self._experience.jobs,
            same_platform=outlook.source.platform == outlook.target.platform,
            pages=pages,
            untrusted=[each.stream for each in untrusted],
            demoted=[each.stream for each in untrusted if each.demoted is not None],
            lost=outlook.lost_fields,
            # Of what was copied the ledger knows better: a store may have our add-on.
            unkept={
                stream: frozenset(loss.field for loss in capability.losses)
                for stream, capability in outlook.writer.writes.items()
                if not outlook.linked.get(stream) and str(stream) in outlook.migration.streams
            },
            quarantined=sum(outlook.held.values()),
            conflicts=outlook.conflicts,
            source_answers=self._place.answers,
            passed=passed,
            pricing=self._place.pricing,
        )


def _hour(found: tuple[int, int, float]) -> HourOut:
    weekday, hour, rate = found
    return HourOut(weekday=weekday, hour=hour, rate=round(rate, 3))


def _rounded(found: Convergence) -> Convergence:
    return Convergence(
        converges=found.converges,
        load=round(found.load, 4),
        peak=round(found.peak, 4),
        shortest=None if found.shortest is None else round(found.shortest, 1),
        passes=found.passes,
    )
