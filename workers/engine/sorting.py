"""Sorting a page by what the ledger and the quarantine know of its records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from app.database import autocommit
from connectors.base import Refused
from connectors.records import Record, Stream
from workers.engine import drift, ledger, quarantine
from workers.engine.attempts import NOT_UNDERSTOOD, Standing
from workers.engine.diff import Difference, difference
from workers.engine.ledger import LinkRow
from workers.engine.run import Run
from workers.engine.singles import Failed


async def sort(
    run: Run,
    stream: Stream,
    records: Sequence[Record],
    *,
    again: frozenset[str] = frozenset(),
    wanted: frozenset[str] = frozenset(),
) -> Difference:
    """What to write, what is right already, and what is left alone for now.

    `again` and `wanted` are as in `difference`; none of them is left alone.
    """
    migration = run.scope.migration
    async with autocommit(run.engine) as connection:
        links = await ledger.load(
            connection,
            migration,
            stream,
            [record.id for record in records],
            slice_id=run.lease.held.id,
        )
        _keep_what_rules(run, stream, links.values())
        now = datetime.now(UTC)
        found = difference(records, links, again=again, wanted=wanted, now=now)
        ids = [each.record.id for each in found.candidates if each.record.id not in again | wanted]
        known = await quarantine.standing(connection, migration, stream, ids)
    hold_back(found, known, eager=run.eager)
    return found


def _keep_what_rules(run: Run, stream: Stream, links: Iterable[LinkRow]) -> None:
    """Of what was changed on the target, what is to be put back by this slice: policies may have
    changed since it was found, and once the target is selling, its changes are its own.
    """
    for link in links:
        if link.drifted:
            link.drifted = [
                path
                for path in link.drifted
                if run.restores
                and drift.is_sources(
                    run.scope.policies, stream, path, merges=run.writes[stream].merges
                )
            ]


def hold_back(found: Difference, known: Mapping[str, Standing], *, eager: bool) -> None:
    """Take out what was refused with this very content and is not to be tried yet.

    What may be on the target already, because a create was sent, is never left alone: somebody
    has to look.
    """
    found.held_back = [
        each.record.id
        for each in found.candidates
        if each.record.id in known
        and not each.suspect
        and known[each.record.id].holds(each.digest.whole, eager=eager)
    ]
    held = set(found.held_back)
    found.candidates = [each for each in found.candidates if each.record.id not in held]


async def not_understood(run: Run, stream: Stream, failed: Iterable[Failed]) -> list[Refused]:
    """Records that the source shows in a form that is none, without those that are left alone."""
    reasons = dict(failed)
    async with autocommit(run.engine) as connection:
        known = await quarantine.standing(connection, run.scope.migration, stream, list(reasons))
    return [
        Refused(source_id=each, code=NOT_UNDERSTOOD, message=reason)
        for each, reason in reasons.items()
        if each not in known or not known[each].holds(None, eager=run.eager)
    ]
