"""Records that mapping rules fail on: kept in quarantine, and what a change of rules explains."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text

from app.database import autocommit
from app.mapping.mapped import MappingUnusable, mapper, unmapped
from app.mapping.mapper import Mapper, MappingFailed
from connectors.base import Refused, Unmapped
from connectors.digest import digest
from connectors.records import Record, Stream
from workers.engine import quarantine
from workers.engine.attempts import MAPPING_FAILED
from workers.engine.delivery import Delivery
from workers.engine.run import Run
from workers.engine.singles import readable

_FORMER = 20
"""Versions of the rules that are looked back to, the newest first."""


async def refuse_unmapped(
    run: Run, stream: Stream, failed: Sequence[Unmapped], delivery: Delivery
) -> None:
    """Add them to what was refused, without those that are left alone."""
    ids = [each.record.id for each in failed]
    async with autocommit(run.engine) as connection:
        known = await quarantine.standing(connection, run.scope.migration, stream, ids)
    for each in failed:
        source_id = each.record.id
        if source_id in known and known[source_id].holds(each.digest, eager=run.eager):
            continue
        delivery.digests[source_id] = each.digest
        delivery.refused.append(
            Refused(source_id=source_id, code=MAPPING_FAILED, message=each.reason)
        )


async def explained(run: Run, stream: Stream, applied: dict[str, bytes | None]) -> frozenset[str]:
    """Which of these records look changed only because the rules were: what the ledger holds of
    them (`applied`, digests by id) is what former rules make of what the source holds now.
    """
    former = await _former(run) if applied else []
    if not former:
        return frozenset()
    found, _ = await readable(unmapped(run.source), stream, list(applied))
    return frozenset(
        each.id
        for each in found.values()
        if any(_digest(rules, each) == applied[each.id] for rules in former)
    )


def _digest(rules: Mapper, record: Record) -> bytes | None:
    try:
        return digest(rules.mapped(record).content).whole
    except MappingFailed:
        return None


async def _former(run: Run) -> list[Mapper]:
    """The rules that other versions had, and none at all; nothing where there never were any."""
    async with autocommit(run.engine) as connection:
        rows = await connection.execute(
            text(
                "SELECT version, rules::text AS rules FROM mapping_versions"
                " WHERE migration_id = :migration ORDER BY version DESC LIMIT :limit"
            ),
            {"migration": run.scope.migration, "limit": _FORMER},
        )
        versions = rows.all()
    found = [Mapper()] if versions else []
    for row in versions:
        try:
            found.append(mapper(row.version, row.rules))
        except MappingUnusable:
            # A function that is not installed any more: nothing can be compared by it.
            continue
    return found
