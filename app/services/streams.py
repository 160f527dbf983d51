"""How far a migration believes the timestamps of its streams, and what speaks for it."""

from __future__ import annotations

from typing import Any

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.errors import StreamNotInScope
from app.models import AUDIT_RUNS, Migration, StreamState
from app.models.columns import now
from app.schemas.migration import SweepDepth
from app.schemas.stream import AuditOut, Belief, DemotionOut, HorizonOut, StreamIn, StreamOut
from app.services.api_keys import Caller
from app.services.migrations import get_migration, refuse_while_running, source_reads
from connectors.base import ReadCapability, Trust
from connectors.records import Stream

SET_BY_HAND = "set_by_hand"


async def list_streams(session: AsyncSession, name: str) -> list[StreamOut]:
    """The streams in scope, in the order in which they are applied. Raises `MigrationNotFound`,
    `StoreCannot` where the source's connector is not installed any more.
    """
    migration = await get_migration(session, name)
    reads = await source_reads(session, migration)
    found = await session.exec(select(StreamState).where(StreamState.migration_id == migration.id))
    states = {each.stream: each for each in found}
    return [
        _shown(migration, stream, reads[stream], states.get(stream))
        for stream in Stream
        if stream in migration.streams and stream in reads
    ]


async def set_trust(
    session: AsyncSession, name: str, stream: Stream, asked: StreamIn, caller: Caller
) -> StreamOut:
    """Believe a stream's timestamps as declared again, or no longer; its audit begins anew.

    Raises `MigrationNotFound`, `StreamNotInScope`, `JobRunning`, `StoreCannot`.
    """
    migration = await get_migration(session, name, lock=True)
    reads = await source_reads(session, migration)
    if stream not in migration.streams or stream not in reads:
        raise StreamNotInScope
    await refuse_while_running(session, migration)
    state = StreamState(migration_id=migration.id, stream=str(stream), **_decided(asked, caller))
    state = await session.merge(state)
    await session.flush()
    return _shown(migration, stream, reads[stream], state)


def _decided(asked: StreamIn, caller: Caller) -> dict[str, Any]:
    """What is known after a decision: nothing that was learned before it counts."""
    swept = asked.trust is Belief.SWEEP
    return {
        "reason": SET_BY_HAND if swept else None,
        "message": asked.reason,
        "evidence": {"by": f"{caller.name} ({caller.prefix})"},
        "demoted_at": now() if swept else None,
        "proven_at": None,
        "audit_resume": None,
        "audited": 0,
        "audit_total": 0,
        "audit_round": 0,
        "updated_at": now(),
    }


def _shown(
    migration: Migration, stream: Stream, capability: ReadCapability, state: StreamState | None
) -> StreamOut:
    policies = migration.policies
    demoted = state is not None and state.demoted_at is not None
    return StreamOut(
        stream=stream,
        declared=capability.trust,
        trust=Trust.SWEEP if demoted else capability.trust,
        demoted=_demotion(state),
        proven_at=state.proven_at if state else None,
        audit=_audit(policies, capability, state),
        overlap=policies.get("overlap", capability.overlap),
        settle=policies.get("settle", capability.settle),
        granularity=capability.granularity,
        bounds=capability.bounds,
        ties=capability.ties,
        blind_spots=list(capability.blind_spots),
        moves=list(capability.moves),
        sweep=policies.get("sweep", {}).get(stream, SweepDepth.DEEP),
        horizon=_horizon(policies, stream, capability),
    )


def _demotion(state: StreamState | None) -> DemotionOut | None:
    if state is None or state.demoted_at is None:
        return None
    return DemotionOut(
        at=state.demoted_at,
        reason=state.reason or "",
        message=state.message or "",
        evidence=state.evidence or {},
    )


def _audit(
    policies: dict[str, Any], capability: ReadCapability, state: StreamState | None
) -> AuditOut | None:
    if capability.trust is Trust.SWEEP:
        return None
    verified, total = (state.audited, state.audit_total) if state else (0, 0)
    return AuditOut(
        runs=policies.get("audit", {}).get("runs", AUDIT_RUNS),
        rounds=state.audit_round if state else 0,
        verified=verified,
        total=total,
        share=round(verified / total, 3) if total else 0.0,
    )


def _horizon(
    policies: dict[str, Any], stream: Stream, capability: ReadCapability
) -> HorizonOut | None:
    wanted = policies.get("horizon", {}).get(stream)
    if wanted is None or not capability.horizon:
        return None
    days = wanted["days"]
    risk = (
        f"Sweeps leave out closed records that are older than {days} days: what changes in them "
        f"without moving a timestamp goes unnoticed. {capability.horizon_risk}"
    )
    return HorizonOut(days=days, risk=risk.strip())
