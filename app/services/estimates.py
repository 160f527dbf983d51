"""How large a run will be: counted at the source, reckoned with what earlier runs took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.planning.arrivals import Profile
from app.planning.measured import Experience
from app.planning.sizing import (
    POINTS,
    Basis,
    Number,
    Reading,
    duration,
    parts_of,
    requests,
    seconds,
)
from app.resources import Resources
from app.schemas.planning import (
    EstimateKind,
    EstimateOut,
    RatesOut,
    RequestsOut,
    SecondsOut,
    StreamEstimateOut,
)
from app.schemas.stream import StreamOut
from app.services.counting import count, count_sweeps
from app.services.opening import open_source
from app.services.outlook import Outlook, load_outlook
from app.services.transaction import transaction
from connectors.base import Source, Trust, Window
from connectors.records import Stream

_UNCOUNTED = "The source cannot count {}: {}."


async def estimate(
    resources: Resources, name: str, kind: EstimateKind | None, at: datetime | None
) -> EstimateOut:
    """The size of a run that begins at a moment. No transaction is held while the source is asked.

    Raises `MigrationNotFound`, `StoreCannot`, `StoreFailed`, `StoreTooSlow`.
    """
    async with transaction(resources) as work:
        outlook = await load_outlook(work.session, name)
    chosen = kind or (EstimateKind.RECENT if outlook.applied_until() else EstimateKind.FULL)
    async with open_source(outlook.source, resources) as source:
        now = await source.server_time()
        estimator = _Estimator(
            outlook, chosen, source, now, max(now, at or now), resources.settings.parallel_slices
        )
        return await estimator.make()


@dataclass(frozen=True)
class _Sized:
    """A stream with what the source says of it."""

    reading: Reading
    since: datetime | None
    in_scope: int | None
    changed: int | None
    arriving: float


class _Estimator:
    """Sizes a run of one migration that begins at a moment. All moments are the source's."""

    def __init__(  # noqa: PLR0917  one run, and what it is of
        self,
        outlook: Outlook,
        kind: EstimateKind,
        source: Source,
        now: datetime,
        begin: datetime,
        parallel: int,
    ) -> None:
        self._outlook = outlook
        self._kind = kind
        self._source = source
        self._now = now
        self._begin = begin
        self._parallel = parallel
        self._experience = outlook.learned()
        # How many arrive in a while hardly depends on the zone that the week is cut by.
        self._profile: Profile = outlook.history.profile("UTC")

    async def make(self) -> EstimateOut:
        """Ask the source, and reckon."""
        swept = {
            each.stream: self._outlook.linked.get(each.stream)
            if each.stream in self._outlook.cursors
            else None
            for each in self._outlook.streams
            if self._kind is not EstimateKind.RECENT or self._since(each) is None
        }
        wholes = await count_sweeps(self._source, swept)
        streams = self._outlook.streams
        return self._answer([await self._size(each, wholes.get(each.stream)) for each in streams])

    def _since(self, shown: StreamOut) -> datetime | None:
        """Where a window over the stream begins, None where it is swept."""
        cursor = self._outlook.cursors.get(shown.stream)
        if cursor is None or shown.trust is Trust.SWEEP:
            return None
        return cursor - timedelta(seconds=shown.overlap)

    async def _size(self, shown: StreamOut, whole: Number | None) -> _Sized:
        """A stream of the run; `whole` are all its records, where it is swept."""
        stream, since = shown.stream, self._since(shown)
        linked = self._outlook.linked.get(stream)
        changed = None
        if since is not None:
            cursor = since + timedelta(seconds=shown.overlap)
            changed = (await self._window(stream, cursor)).records
        if whole is None:
            assert since is not None  # noqa: S101  what has no window is swept
            coming = self._coming(self._experience.written(stream))
            number, missing = await self._window(stream, since), None
        else:
            coming = self._coming(self._experience.created[stream])
            number, missing = whole, max(0, whole.records - (linked or 0))
        created, updated = self._written(stream, changed, missing)
        number = number.plus(coming)
        reading = Reading(
            stream=stream,
            number=number,
            created=created,
            updated=updated,
            page_size=self._outlook.page_sizes[stream],
            parts=1 if whole is None else self._parts(stream, number.records),
            writes=self._outlook.writer.writes[stream],
            window=whole is None,
            closing=self._kind is EstimateKind.CUTOVER and since is not None,
        )
        in_scope = linked if whole is None else whole.records
        return _Sized(reading, since if whole is None else None, in_scope, changed, coming)

    def _coming(self, share: float) -> float:
        """Records that come until the run begins; `share` of them for each arrival."""
        return share * self._profile.expected(self._now, self._begin)

    async def _window(self, stream: Stream, since: datetime) -> Number:
        """What changed since a moment; where the source can neither count nor show all of it, at
        least as much as earlier runs brought in such a time.
        """
        extent = Window(since, self._now)
        found = await count(self._source, stream, extent, linked=None, groups=None)
        if found.basis is not Basis.AT_LEAST:
            return found
        expected = self._profile.expected(since, self._now) * self._experience.written(stream)
        return Number(
            records=max(found.records, round(expected)),
            low=found.low,
            high=None,
            basis=Basis.EXPECTED,
            sample=found.sample,
        )

    def _written(
        self, stream: Stream, changed: int | None, missing: int | None
    ) -> tuple[float, float]:
        """Records to create and to update once the run begins: `missing` are not on the target
        yet, `changed` have changed since the cursor; each None where nobody knows.
        """
        shares = self._experience
        created, updated = (
            self._coming(shares.created[stream]),
            self._coming(shares.updated[stream]),
        )
        if changed is None:
            cursor = self._outlook.cursors.get(stream)
            came = 0.0 if cursor is None else self._profile.expected(cursor, self._now)
            new = came * shares.created[stream] if missing is None else missing
            return created + new, updated + came * shares.updated[stream]
        new = changed * shares.new_share(stream) if missing is None else missing
        return created + new, updated + max(0.0, changed - new)

    def _parts(self, stream: Stream, records: int) -> int:
        size = self._outlook.page_sizes[stream]
        return self._experience.parts.get(stream) or parts_of(records, size, self._parallel)

    def _answer(self, sized: list[_Sized]) -> EstimateOut:
        streams = [self._shown(each) for each in sized]
        costs = self._experience.costs
        waits = 2 * self._outlook.settle if self._kind is EstimateKind.CUTOVER else 0.0
        fixed = waits + sum(map(_mean, (self._experience.prepare, self._experience.finish)))
        long = duration(sum(each.seconds for each in streams), fixed, costs)
        return EstimateOut(
            migration=self._outlook.migration.slug,
            kind=self._kind,
            made_at=self._now,
            at=self._begin,
            streams=streams,
            records=sum(each.records for each in streams),
            points=round(sum(each.points for each in streams), 1),
            requests=RequestsOut(
                source=sum(each.requests.source for each in streams),
                target=sum(each.requests.target for each in streams),
            ),
            seconds=SecondsOut.model_validate(long),
            rates=RatesOut(
                basis="measured" if costs.measured else "stated",
                jobs=self._experience.jobs,
                passes=costs.runs,
                error=round(costs.spread, 3),
            ),
            notes=_notes(sized, self._experience),
        )

    def _shown(self, sized: _Sized) -> StreamEstimateOut:
        full = self._kind is EstimateKind.FULL
        reading, number = sized.reading, sized.reading.number
        weights: Mapping[str, float] = self._outlook.migration.policies.get("points") or {}
        weight = weights.get(reading.stream, POINTS[reading.stream])
        scope = sized.in_scope if sized.in_scope is not None else number.records
        return StreamEstimateOut(
            stream=reading.stream,
            mode="sweep" if sized.since is None else "window",
            since=sized.since,
            records=number.records,
            low=number.low,
            high=number.high,
            basis=number.basis,
            sample=number.sample,
            in_scope=sized.in_scope,
            changed=sized.changed,
            arriving=round(sized.arriving),
            created=round(reading.created),
            updated=round(reading.updated),
            points=round(weight * scope, 1),
            requests=RequestsOut.model_validate(requests(reading, self._experience, full=full)),
            seconds=round(seconds(reading, self._experience.costs), 1),
        )


def _mean(values: tuple[float, ...]) -> float:
    return sum(values) / len(values)


def _notes(sized: list[_Sized], experience: Experience) -> list[str]:
    """What a reader has to know of the numbers."""
    notes = [
        _UNCOUNTED.format(each.reading.stream, each.reading.number.sample)
        for each in sized
        if each.reading.number.sample is not None
    ]
    if not experience.costs.measured:
        notes.append(
            "No run of this migration has been measured yet: seconds are reckoned from stated "
            "rates, and may be off by half or by twice."
        )
    return notes
