"""Checks of what the target holds against what the source holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from sqlalchemy import text

from app.catalogue import data
from app.database import autocommit
from connectors.base import Sweep
from connectors.records import Stream
from workers.checks import source_survey, target_survey
from workers.checks.base import Check, Findings, Ground, Outcome, skipped
from workers.checks.comparing import Compared, compare
from workers.checks.differences import Kind
from workers.checks.source_survey import cursor_of
from workers.engine import drift
from workers.engine.proof import Swept, unclean

_TO_QUARANTINE = "The next run puts it in quarantine; a retry there makes it anew."

_AGE = 3600.0
"""Seconds that a stream's cursor may be behind the source's clock, unless the migration says."""


async def _freshness(ground: Ground) -> Outcome:
    found = Findings()
    limit = ground.threshold(data.FRESHNESS.id, "seconds", _AGE)
    source_now = await ground.source.server_time()
    for stream in ground.streams:
        cursor = await cursor_of(ground, stream)
        if cursor is None:
            found.add("Nothing of the stream was ever applied to its end.", stream=stream)
            continue
        _compare_age(found, stream, (source_now - cursor).total_seconds(), limit)
        surveyed = await source_survey.survey(ground, stream)
        compared = await compare(ground, stream)
        found.looked_at(surveyed.total, surveyed.total)
        for source_id in surveyed.new:
            found.add("It came since the last run.", stream=stream, source_id=source_id)
        for source_id in dict.fromkeys([*surveyed.changed, *compared.stale]):
            found.add("It changed since it was applied.", stream=stream, source_id=source_id)
    return found.outcome("Nothing is waiting at the source.", "Waiting at the source: {found}.")


def _compare_age(found: Findings, stream: Stream, age: float, limit: float) -> None:
    if age > limit:
        found.add(
            f"Its cursor is {age / 60:.0f} minutes behind; {limit / 60:g} are allowed.",
            stream=stream,
        )


async def _ids(ground: Ground) -> Outcome:
    found = Findings()
    for stream in ground.streams:
        surveyed = await source_survey.survey(ground, stream)
        found.looked_at(surveyed.total, surveyed.total)
        counted = await ground.source.count(stream, Sweep())
        if unclean(Swept(sighted=surveyed.total, counted=counted)) == "incomplete":
            message = f"The source counts {counted:,}, and its lists show {surveyed.total:,}."
            found.add(message, stream=stream)
        for source_id in surveyed.missing:
            found.add("It has no record on the target.", stream=stream, source_id=source_id)
        absent = dict(await _gone(ground, stream, found))
        for source_id, target_id in surveyed.gone.items():
            if source_id in absent:
                continue  # neither store has it any more, which is as it should be
            found.add(
                "The source has lost it, and it is still on the target.",
                stream=stream,
                source_id=source_id,
                target_id=target_id,
            )
        left = await source_survey.left_behind(ground, stream)
        for source_id, target_id in absent.items():
            if source_id in surveyed.gone or source_id in left:
                continue
            told = "Its record is not on the target any more."
            if stream is not Stream.INVENTORY:  # stock follows its product
                ground.note_drift(stream, source_id, frozenset({drift.GONE}))
                told = f"{told} {_TO_QUARANTINE}"
            found.add(told, stream=stream, source_id=source_id, target_id=target_id)
        await _shared(ground, stream, {*surveyed.gone, *left}, found)
    return found.outcome(
        "All records of the source are on the target, and none that it lost: {examined}.",
        "Records that are missing on the target, or should be gone from it: {found}.",
    )


async def _shared(ground: Ground, stream: Stream, lost: set[str], found: Findings) -> None:
    """Two records under one SKU are one on the target, where the platform has SKUs once only."""
    for target_id, sources in (await target_survey.shared(ground, stream)).items():
        *others, last = [each for each in sources if each not in lost] or [""]
        for source_id in others:
            found.add(
                f"It has no record of its own: its record was written over with {last}.",
                stream=stream,
                source_id=source_id,
                target_id=target_id,
            )


async def _gone(ground: Ground, stream: Stream, found: Findings) -> list[tuple[str, str]]:
    """Linked records that the target has lost: of all, or of the sample where it has no lists."""
    surveyed = await target_survey.survey(ground, stream)
    if surveyed is not None:
        return surveyed.gone
    sample = await ground.sample(stream)
    found.looked_at(0, sample=f"whether they are still there, {sample.words}")
    there = await ground.target_records(stream, [each.target_id for each in sample.pairs])
    return [
        (each.source_id, each.target_id)
        for each in sample.pairs
        if each.target_id not in there and ground.unreadable(stream, each.target_id) is None
    ]


async def _doubled(ground: Ground) -> Outcome:
    found = Findings()
    for stream in ground.streams:
        surveyed = await target_survey.survey(ground, stream)
        if surveyed is None:
            continue
        found.looked_at(surveyed.total, surveyed.total)
        for double in surveyed.doubles:
            others = ", ".join(double.ids[1:])
            found.add(
                f"Beside {double.ids[0]} there is {others}, with the same {double.by}.",
                stream=stream,
                source_id=double.source_id,
                target_id=double.ids[-1],
            )
    if found.total is None:
        return skipped("The target's platform cannot be read whole: its key keeps doubles out.")
    return found.outcome(
        "No record of the target is there twice, of {examined}.",
        "Records that are there more than once: {found}.",
    )


async def _content(ground: Ground) -> Outcome:
    found, edits, lost = Findings(), 0, Counter[str]()
    for stream in ground.streams:
        compared = await _looked_at(ground, stream, found)
        edits += compared.edits
        lost += _named(stream, compared.lost)
        for pair, why in compared.unreadable:
            found.add(
                f"What the target holds cannot be understood: {why}",
                stream=stream,
                source_id=pair.source_id,
                target_id=pair.target_id,
            )
        _add(found, stream, compared, Kind.CONTENT, "It differs")
    kept = f" Fields that the team edited, which stay: {edits:,}." if edits else ""
    kept += _not_kept(lost)
    return found.outcome(
        f"Records with the same content: {{examined}}.{kept}",
        f"Fields that differ: {{found}}.{kept}",
    )


async def _relations(ground: Ground) -> Outcome:
    found = Findings()
    for stream in ground.streams:
        compared = await _looked_at(ground, stream, found)
        _add(found, stream, compared, Kind.RELATION, "It names another record")
    return found.outcome(
        "Records that name the same others: {examined}.", "Relations that differ: {found}."
    )


async def _money(ground: Ground) -> Outcome:
    found = Findings()
    for stream in (Stream.PRODUCTS, Stream.ORDERS):
        if stream in ground.streams:
            compared = await _looked_at(ground, stream, found)
            _add(found, stream, compared, Kind.MONEY, "Source and target")
    return found.outcome(
        "Orders and products that agree to the minor unit: {examined}.",
        "Amounts that differ: {found}.",
    )


def _named(stream: Stream, lost: Mapping[str, int]) -> Counter[str]:
    return Counter({f"{stream}.{name}": number for name, number in lost.items()})


def _not_kept(lost: Counter[str]) -> str:
    """What nobody was alarmed by, so that a reader can judge what is proven: the most first."""
    told = ", ".join(f"{name} {number:,}" for name, number in lost.most_common())
    return f" Fields that differ because the target cannot keep them: {told}." if told else ""


async def _looked_at(ground: Ground, stream: Stream, found: Findings) -> Compared:
    compared = await compare(ground, stream)
    found.looked_at(compared.examined, compared.total, compared.words)
    return compared


_MENDED = "The next run puts the source's value back."


def _add(found: Findings, stream: Stream, compared: Compared, kind: Kind, what: str) -> None:
    for each in compared.differences:
        if each.kind is kind:
            told = f"{what}: {each.shown}." if each.shown else f"{what}."
            found.add(
                f"{told} {_MENDED}" if each.mended else told,
                stream=stream,
                source_id=each.source_id,
                target_id=each.target_id,
                field=each.field,
            )


_QUARANTINE = text(
    "SELECT stream, source_id, status, code FROM quarantine WHERE migration_id = :migration"
    " AND stream = ANY(CAST(:streams AS text[])) AND status <> 'resolved'"
    " ORDER BY first_at, id"
)


async def _quarantine(ground: Ground) -> Outcome:
    found, waived = Findings(), 0
    async with autocommit(ground.engine) as connection:
        rows = await connection.execute(_QUARANTINE, _in_scope(ground))
        for row in rows:
            if row.status == "waived":
                waived += 1
                continue
            found.add(
                f"It could not be applied [{row.code}].",
                stream=Stream(row.stream),
                source_id=row.source_id,
            )
    left = f" Left out, waived with a reason: {waived:,}." if waived else ""
    return found.outcome(
        f"Quarantine is empty.{left}", f"Records that wait there: {{found}}.{left}"
    )


# Chosen for the source and not written yet: the target does not hold what was decided. About a
# record that was taken off the target there is nothing left to decide.
_CONFLICTS = text(
    "SELECT stream, source_id, target_id, field, status FROM conflicts AS c"
    " WHERE migration_id = :migration AND stream = ANY(CAST(:streams AS text[]))"
    " AND (status <> 'settled' OR (decision = 'source' AND applied_at IS NULL))"
    " AND NOT EXISTS (SELECT 1 FROM links AS l WHERE l.migration_id = c.migration_id"
    " AND l.stream = c.stream AND l.source_id = c.source_id AND l.state = 'removed')"
    " ORDER BY first_at, id"
)


async def _conflicts(ground: Ground) -> Outcome:
    found = Findings()
    async with autocommit(ground.engine) as connection:
        for row in await connection.execute(_CONFLICTS, _in_scope(ground)):
            found.add(
                "It is decided, and not written yet."
                if row.status == "settled"
                else "Both sides changed it, and nobody has decided.",
                stream=Stream(row.stream),
                source_id=row.source_id,
                target_id=row.target_id,
                field=row.field,
            )
    return found.outcome("All conflicts are settled.", "Conflicts that are not settled: {found}.")


def _in_scope(ground: Ground) -> dict[str, object]:
    return {"migration": ground.migration, "streams": [str(each) for each in ground.streams]}


CHECKS = (
    Check(data.FRESHNESS, _freshness),
    Check(data.IDS, _ids),
    Check(data.DOUBLED, _doubled),
    Check(data.CONTENT, _content),
    Check(data.RELATIONS, _relations),
    Check(data.MONEY, _money),
    Check(data.QUARANTINE, _quarantine),
    Check(data.CONFLICTS, _conflicts),
)
