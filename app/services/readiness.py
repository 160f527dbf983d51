"""The verdict of a migration: what its last verification found, and whether that still holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from app.catalogue import CATALOGUE, Severity, State
from app.errors import JobNotFound
from app.models import CheckResult, Job, Migration, Store, Waiver
from app.models.columns import now
from app.resources import Resources
from app.schemas.checks import EvidenceOut, LaunchCheckOut, ResultOut, WaivedOut
from app.schemas.readiness import ReadinessOut, ReasonOut
from app.services import verification
from app.services.migrations import get_migration
from app.services.source_moves import Question, moved
from app.services.transaction import transaction
from app.verdict import (
    Basis,
    Judged,
    Reason,
    Rules,
    Verdict,
    judge,
    outdated,
    summary,
)

_NEVER = Reason("never_verified", "No job of kind verify has carried out all checks to their end.")


@dataclass(frozen=True, slots=True)
class _Known:
    """What our own database knows at one moment (`at`), by its own clock, as all that it dates."""

    at: datetime
    migration: Migration
    source: Store
    basis: Basis | None
    results: list[CheckResult]
    waivers: list[Waiver]
    watermarks: dict[str, str]
    configuration: dict[str, Any]
    wrote: str | None
    decided: bool
    later: list[CheckResult]
    mapping: tuple[int | None, str | None]

    @property
    def rules(self) -> Rules:
        return Rules.of(self.migration.policies)


async def readiness(resources: Resources, name: str) -> ReadinessOut:
    """The verdict now, signed. Asks the source only where nothing else speaks against `ready`, and
    holds no transaction meanwhile. Raises `MigrationNotFound`.
    """
    async with transaction(resources) as work:
        known = await _known(work.session, name)
    at = known.at
    judged = judge(known.results, known.waivers, known.rules, at)
    later = judge(known.later, known.waivers, known.rules, at)
    verdict, reasons = _verdict(known, judged, later, at)
    if verdict is Verdict.READY and known.basis is not None:
        reason = await moved(resources, _question(known, known.basis))
        if reason is not None:
            verdict, reasons = Verdict.STALE, [reason]
    until = known.basis and _expiry(known.basis, [*judged, *later], known.rules)
    return _signed(resources, _shown(known, judged, verdict, reasons, at=at, until=until))


async def _known(session: AsyncSession, name: str) -> _Known:
    migration = await get_migration(session, name)
    connection = await session.connection()
    basis = await verification.newest(connection, migration.id)
    wrote, decided, later = None, False, list[CheckResult]()
    if basis is not None:
        wrote = await verification.wrote_since(connection, migration.id, basis.began_at)
        decided = await verification.decided_since(connection, migration.id, basis.began_at)
        later = await verification.later_results(connection, migration.id, basis)
    return _Known(
        at=(await connection.execute(text("SELECT clock_timestamp()"))).scalar_one(),
        migration=migration,
        source=await session.get_one(Store, migration.source_id),
        basis=basis,
        results=await verification.results(connection, basis.job) if basis else [],
        waivers=await verification.waivers(connection, migration.id),
        watermarks=await verification.watermarks(connection, migration.id),
        configuration=await verification.configuration(connection, migration.id),
        wrote=wrote,
        decided=decided,
        later=later,
        mapping=await verification.mapping_rules(connection, migration.id),
    )


def _verdict(
    known: _Known, judged: list[Judged], later: list[Judged], at: datetime
) -> tuple[Verdict, list[Reason]]:
    """By what we know ourselves. What is outdated says nothing any more, good or bad."""
    if known.basis is None:
        return Verdict.NOT_READY, [_NEVER]
    reasons = outdated(
        known.basis,
        watermarks=known.watermarks,
        configuration=known.configuration,
        wrote=known.wrote,
        decided=known.decided,
        later=later,
        rules=known.rules,
        at=at,
    )
    if reasons:
        return Verdict.STALE, reasons
    if any(each.stands_in_way for each in judged):
        return Verdict.NOT_READY, [Reason("checks_failed", f"{summary(judged)}.".capitalize())]
    return Verdict.READY, []


def _question(known: _Known, basis: Basis) -> Question:
    return Question(
        job=basis.job,
        migration=known.migration,
        source=known.source,
        watermarks={
            stream: datetime.fromisoformat(each) for stream, each in basis.watermarks.items()
        },
        swept=frozenset(basis.configuration.get("streams_swept") or ()),
        counts=basis.counts,
        max_new=known.rules.max_new,
        mapping=known.mapping,
    )


def _shown(
    known: _Known,
    judged: list[Judged],
    verdict: Verdict,
    reasons: list[Reason],
    *,
    at: datetime,
    until: datetime | None,
) -> ReadinessOut:
    basis = known.basis
    return ReadinessOut(
        migration=known.migration.slug,
        verdict=verdict,
        summary=_summary(known, judged, verdict, reasons),
        reasons=[ReasonOut(code=each.code, message=each.message) for each in reasons],
        job=basis and basis.job,
        verified_at=basis and basis.finished_at,
        expires_at=until,
        launch_at=known.migration.launch_at,
        asked_at=at,
        watermarks={
            stream: datetime.fromisoformat(each)
            for stream, each in (basis.watermarks if basis else {}).items()
        },
        configuration=dict(basis.configuration if basis else {}),
        counts=dict(basis.counts if basis else {}),
        digest=basis and basis.digest(known.results),
        checks=[_result(each) for each in judged],
        token=None,
    )


def _summary(known: _Known, judged: list[Judged], verdict: Verdict, reasons: list[Reason]) -> str:
    if known.basis is None:
        return "nothing was verified yet"
    if verdict is Verdict.STALE:
        codes = ", ".join(each.code for each in reasons)
        return f"what was verified may not be true any more: {codes}"
    return summary(judged)


def _expiry(basis: Basis, judged: list[Judged], rules: Rules) -> datetime:
    """A verdict holds no longer than the waivers that it rests on."""
    waived = [each.waiver.expires_at for each in judged if each.waiver is not None]
    return min([basis.finished_at + rules.valid, *waived])


def _signed(resources: Resources, found: ReadinessOut) -> ReadinessOut:
    """With the token; without a verification there is nothing to sign."""
    if found.expires_at is None:
        return found
    # Only here: whoever asks for anything else need not wait for it to be loaded.
    from app.signing import Signer  # noqa: PLC0415

    document = found.model_dump(mode="json", exclude={"token"})
    token = Signer.from_settings(resources.settings).sign(
        document, subject=found.migration, at=found.asked_at, until=found.expires_at
    )
    return found.model_copy(update={"token": token})


def _result(judged: Judged) -> ResultOut:
    result, waiver = judged.result, judged.waiver
    about = CATALOGUE.get(result.check_id)
    return ResultOut(
        id=result.check_id,
        title=about.title if about else result.check_id,
        severity=Severity(result.severity),
        state=State(result.state),
        stands_in_way=judged.stands_in_way,
        tolerated=judged.tolerated,
        waived=waiver
        and WaivedOut(
            id=waiver.id,
            reason=waiver.reason,
            author=waiver.author,
            expires_at=waiver.expires_at,
        ),
        summary=result.summary,
        examined=result.examined,
        total=result.total,
        sample=result.sample,
        found=result.found,
        evidence=[EvidenceOut(**each) for each in result.evidence],
        seconds=result.seconds,
        at=result.at,
    )


async def job_results(session: AsyncSession, job_id: UUID) -> list[ResultOut]:
    """What a job's checks found so far, as it counts by now. Raises `JobNotFound`."""
    job = await session.get(Job, job_id)
    if job is None:
        raise JobNotFound
    migration = await session.get_one(Migration, job.migration_id)
    connection = await session.connection()
    results = await verification.results(connection, job_id)
    waivers = await verification.waivers(connection, migration.id)
    rules = Rules.of(migration.policies)
    return [_result(each) for each in judge(results, waivers, rules, now())]


async def catalogue(session: AsyncSession, name: str) -> list[LaunchCheckOut]:
    """All checks there are. Raises `MigrationNotFound`."""
    migration = await get_migration(session, name)
    rules = Rules.of(migration.policies)
    return [
        LaunchCheckOut(
            id=each.id,
            group=each.group,
            title=each.title,
            proves=each.proves,
            severity=each.severity,
            counts=rules.counts(each.id, each.severity),
        )
        for each in CATALOGUE.values()
    ]
