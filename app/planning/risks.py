"""What can go wrong at a launch, what to do about it, and when to ask an expert. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from app.planning.pricing import Misfit
from connectors.records import Stream


class Weight(StrEnum):
    """`high`: the launch is in danger. `medium`: customers or search engines will notice. `low`:
    worth knowing.
    """

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Risk(Struct, frozen=True, kw_only=True):
    """A signal, with advice. `code` is stable, `evidence` are the numbers behind it."""

    code: str
    weight: Weight
    message: str
    advice: str
    evidence: Mapping[str, object] = {}


class Signs(Struct, frozen=True, kw_only=True):
    """What risks are read from. `missing` is by how many seconds the time is short, 0 where it is
    not; `untrusted` are the streams whose timestamps are not believed, `demoted` those of them that
    an audit or a person put there. `lost` counts records by the field that they lack on the target,
    `unkept` are fields by stream of which a target of this kind keeps nothing exactly. `passed` is
    how many seconds ago the launch time that is set was, None where it is still to come. `pricing`
    says where both stores' prices do not mean the same.
    """

    baseline: bool
    missing: float
    converges: bool | None
    history_hours: float
    jobs: int
    same_platform: bool
    pages: int
    untrusted: Sequence[Stream]
    demoted: Sequence[Stream]
    lost: Mapping[str, int]
    unkept: Mapping[Stream, frozenset[str]]
    quarantined: int
    conflicts: int
    source_answers: bool
    passed: float | None = None
    pricing: Sequence[Misfit] = ()


_FEW_HOURS = 24 * 7
_HIGH_ENOUGH = 2


def risks(signs: Signs) -> list[Risk]:
    """Every signal that shows, the gravest first."""
    found = [
        each
        for look in (_time, _pricing, _runs, _seo, _fields, _numbers, _trust, _open_ends)
        for each in look(signs)
    ]
    order = list(Weight)
    return sorted(found, key=lambda each: order.index(each.weight))


def ask_expert(found: Sequence[Risk]) -> str | None:
    """Why somebody who has done this before should look at the plan; None where nothing says so."""
    high = [each.code for each in found if each.weight is Weight.HIGH]
    if "not_converging" in high:
        return "Runs cannot catch up with the shop: that is not solved by waiting."
    if len(high) >= _HIGH_ENOUGH:
        return f"Several things endanger the launch at once: {', '.join(high)}."
    return None


def _time(signs: Signs) -> list[Risk]:
    found = []
    if signs.passed is not None:
        found.append(
            Risk(
                code="launch_passed",
                weight=Weight.HIGH,
                message="The launch time that is set has passed: this plan is for one in a week.",
                advice="Set another: `recent-sync migration update SLUG --launch-at MOMENT`.",
                evidence={"seconds_ago": round(signs.passed)},
            )
        )
    if signs.missing > 0:
        found.append(
            Risk(
                code="tight_window",
                weight=Weight.HIGH,
                message=f"The time until the launch is short by {_minutes(signs.missing)}.",
                advice="Launch later, or stop the source earlier; fewer streams need less time.",
                evidence={"seconds_missing": round(signs.missing)},
            )
        )
    if not signs.source_answers:
        found.append(
            Risk(
                code="source_unreachable",
                weight=Weight.HIGH,
                message="The source did not answer: hours of the week are in UTC, and the time is "
                "this service's own.",
                advice="Run `recent-sync store check` and mend what it names.",
            )
        )
    return found


def _pricing(signs: Signs) -> list[Risk]:
    return [
        Risk(code=each.code, weight=Weight.HIGH, message=each.message, advice=each.advice)
        for each in signs.pricing
    ]


def _minutes(seconds: float) -> str:
    whole = math.ceil(seconds / 60)
    return "a minute" if whole == 1 else f"{whole:,} minutes"


def _watched(hours: float) -> str:
    if not hours:
        return "Nothing is known yet of when the shop sells."
    return f"Arrivals are known for {max(1, round(hours)):,} hours at most."


def _runs(signs: Signs) -> list[Risk]:
    found = []
    if not signs.baseline:
        found.append(
            Risk(
                code="no_baseline",
                weight=Weight.MEDIUM,
                message="Not every stream was copied yet: the forecast rests on stated values.",
                advice="Run `recent-sync run full`, or adopt what another tool has migrated.",
            )
        )
    if signs.converges is False:
        found.append(
            Risk(
                code="not_converging",
                weight=Weight.HIGH,
                message="More comes in than a run can bring over in the same time.",
                advice="Raise the stores' limits, add workers, or take streams out of scope.",
            )
        )
    if signs.history_hours < _FEW_HOURS:
        found.append(
            Risk(
                code="little_history",
                weight=Weight.LOW,
                message=_watched(signs.history_hours),
                advice="Ask again after a week of `recent` runs; until then leave more time.",
                evidence={"hours": round(signs.history_hours, 1)},
            )
        )
    if signs.jobs <= 1:
        found.append(
            Risk(
                code="few_runs",
                weight=Weight.LOW,
                message="Hardly any run was measured, so that the freeze may be far off.",
                advice="Make some `recent` runs, and rehearse a cutover.",
                evidence={"jobs": signs.jobs},
            )
        )
    return found


def _seo(signs: Signs) -> list[Risk]:
    renamed = signs.lost.get("slug", 0)
    if not signs.pages or (signs.same_platform and not renamed):
        return []
    return [
        Risk(
            code="seo_at_stake",
            weight=Weight.MEDIUM,
            message=f"Addresses of {signs.pages:,} products and categories change"
            + (f"; {renamed:,} could not keep their slug." if renamed else "."),
            advice="Redirect each old path by one permanent redirect, the pages with most visits "
            "first, and compare titles and canonical addresses.",
            evidence={"pages": signs.pages, "slugs_lost": renamed},
        )
    ]


def _fields(signs: Signs) -> list[Risk]:
    streams = [stream for stream in Stream if "extra" in signs.unkept.get(stream, frozenset())]
    lost = signs.lost.get("extra", 0)
    if not streams and not lost:
        return []
    return [
        Risk(
            code="custom_fields_unmapped",
            weight=Weight.MEDIUM if lost else Weight.LOW,
            message=f"Custom fields are not kept whole in {', '.join(streams) or 'some records'}"
            + (f": {lost:,} records lack some." if lost else "."),
            advice="Look at the mapping report of `demo`, and map what the new shop needs.",
            evidence={"streams": [str(each) for each in streams], "records": lost},
        )
    ]


def _numbers(signs: Signs) -> list[Risk]:
    lost = signs.lost.get("number", 0)
    if not lost and "number" not in signs.unkept.get(Stream.ORDERS, frozenset()):
        return []
    return [
        Risk(
            code="order_numbers",
            weight=Weight.MEDIUM,
            message="Orders do not keep their numbers on the target: customers and support will "
            "name numbers that are not there.",
            advice="Install the add-on where there is one, or let new numbers begin far above the "
            "old ones and search by both.",
            evidence={"records": lost},
        )
    ]


def _trust(signs: Signs) -> list[Risk]:
    if not signs.untrusted:
        return []
    demoted = [str(each) for each in signs.demoted]
    return [
        Risk(
            code="untrusted_streams",
            weight=Weight.MEDIUM if demoted else Weight.LOW,
            message=f"Timestamps do not tell what changed in {', '.join(signs.untrusted)}: each "
            "run reads all of them.",
            advice="Mend what `recent-sync streams list` names, and plan for the longer runs."
            if demoted
            else "Nothing to mend: plan for the longer runs.",
            evidence={"streams": [str(each) for each in signs.untrusted], "demoted": demoted},
        )
    ]


def _open_ends(signs: Signs) -> list[Risk]:
    found = []
    if signs.quarantined:
        found.append(
            Risk(
                code="quarantine_open",
                weight=Weight.HIGH,
                message=f"{signs.quarantined:,} records could not be applied.",
                advice="Settle them before the freeze: `recent-sync quarantine list`.",
                evidence={"records": signs.quarantined},
            )
        )
    if signs.conflicts:
        found.append(
            Risk(
                code="conflicts_open",
                weight=Weight.MEDIUM,
                message=f"{signs.conflicts:,} fields were changed on both sides and wait for a "
                "decision.",
                advice="Settle them before the freeze: `recent-sync conflicts list`.",
                evidence={"fields": signs.conflicts},
            )
        )
    return found
