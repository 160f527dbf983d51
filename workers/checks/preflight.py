"""Checks of what a run needs before it begins."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from sqlalchemy import text

from app.catalogue import preflight
from app.database import autocommit
from app.mapping.mapped import unmapped
from connectors.abilities import ProvesSilence
from connectors.base import Action, Json, Operation, Target
from connectors.errors import SignInAgain, StoreError
from connectors.grants import Lack, TellsLacks, Work
from connectors.records import Stream
from workers.checks import pricing
from workers.checks.base import Check, Findings, Ground, Outcome
from workers.checks.source_survey import survey

_SKEW = 120.0
"""Seconds that the clocks may be apart, unless the migration says otherwise."""

Clock = Callable[[], Awaitable[datetime | None]]

_NAMED_BY = {"sku": "SKU", "email": "email", "slug": "slug", "name": "name"}


async def _stores(ground: Ground) -> Outcome:
    found, notes = Findings(), []
    for side, asked in (("source", ground.source_report), ("target", ground.target_report)):
        found.looked_at(1, 1)
        try:
            notes += [f"{side}: {sentence}" for _, sentence in (await asked()).findings]
        except SignInAgain:
            continue  # it answers; what it does not allow is the next check's matter
        except StoreError as error:
            found.add(f"The {side} does not answer as it should: {error.message} [{error.code}]")
    good = "Both stores answer."
    return found.outcome(" ".join([good, *notes]), "Stores that do not answer: {found} of 2.")


_PUSHED = text(
    "SELECT EXISTS (SELECT 1 FROM old_paths WHERE migration_id = :migration"
    " AND pushed_at IS NOT NULL)"
)


async def _permissions(ground: Ground) -> Outcome:
    found = Findings()
    for side, store, ask in (
        ("source", unmapped(ground.source), ground.source_report),
        ("target", ground.target, ground.target_report),
    ):
        found.looked_at(1, 1)
        refused = None
        try:
            await ask()
        except SignInAgain as error:
            refused = error
        try:
            lacks = await _lacks(ground, store)
        except SignInAgain as error:
            lacks, refused = (), error
        for each in lacks:
            lacking = f"The {side} grants no {each.permission}. {each.purpose} {each.grant}"
            found.add(lacking, stream=each.stream)
        if refused is not None and not lacks:
            found.add(f"The {side} refuses us: {refused.message} [{refused.code}]")
    return found.outcome(
        "The credentials allow what runs do.", "What the credentials do not allow: {found}."
    )


async def _lacks(ground: Ground, store: object) -> tuple[Lack, ...]:
    """What the credentials lack for what is in scope, where the platform can tell."""
    if not isinstance(store, TellsLacks):
        return ()
    streams = frozenset(ground.streams)
    deleted = {each for each in streams if ground.scope.deletions.action(each) is Action.DELETE}
    async with autocommit(ground.engine) as connection:
        pushed = await connection.execute(_PUSHED, {"migration": ground.migration})
        redirects = bool(pushed.scalar_one())
    work = Work(streams=streams, deletes=frozenset(deleted), redirects=redirects)
    return await store.lacks(work)


async def _clocks(ground: Ground) -> Outcome:
    found = Findings()
    limit = ground.threshold(preflight.CLOCKS.id, "seconds", _SKEW)
    await _compare_clock(ground, found, "source", ground.source.server_time, limit)
    # Asked anew: what an earlier check was told is some seconds old.
    await _compare_clock(ground, found, "target", lambda: _clock_of(ground.target), limit)
    return found.outcome(
        f"Clocks within {limit:g} seconds of ours: {{examined}}.",
        f"Clocks more than {limit:g} seconds away from ours: {{found}}.",
    )


async def _clock_of(target: Target) -> datetime | None:
    return (await target.check()).server_time


async def _compare_clock(
    ground: Ground, found: Findings, side: str, ask: Clock, limit: float
) -> None:
    """The store's clock against ours before and after the question."""
    before = ground.clock()
    theirs = await ask()
    if theirs is None:
        return
    found.looked_at(1)
    ahead = (theirs - ground.clock()).total_seconds()
    behind = (before - theirs).total_seconds()
    if max(ahead, behind) > limit:
        way = f"{ahead:.0f} seconds ahead of" if ahead > behind else f"{behind:.0f} seconds behind"
        found.add(f"The clock of the {side} is {way} ours.")


async def _silence(ground: Ground) -> Outcome:
    found = Findings()
    found.looked_at(1, 1)
    async with autocommit(ground.engine) as connection:
        kept: Json | None = (
            await connection.execute(
                text("SELECT unmuted FROM stores WHERE id = :id"),
                {"id": ground.stores.target_store},
            )
        ).scalar()
    changes = 0
    try:
        before = await ground.target.loud() if kept is None else kept
        changes = _leaves(before)
        if isinstance(ground.target, ProvesSilence):
            await ground.target.prove_silence(before)
    except SignInAgain as error:
        found.add(f"The settings of mails cannot be read: {error.message} [{error.code}]")
    except StoreError as error:
        if error.code in {"store_unreachable", "store_busy", "store_limits"}:
            raise
        found.add(f"{error.message} [{error.code}]")
    good = (
        f"A run turns off what is on of {changes} settings of mails, and restores it."
        if changes
        else "Nothing has to be turned off: writing sends no mail there."
    )
    return found.outcome(good, "What keeps the target silent is not there.")


def _leaves(value: Any) -> int:
    """How many settings a document of a connector's own holds."""
    if isinstance(value, dict):
        return sum(_leaves(each) for each in value.values())
    return int(isinstance(value, str))


_OWNER = text(
    "SELECT source_id FROM links WHERE migration_id = :migration AND stream = :stream"
    " AND target_id = :target AND state <> 'intent' LIMIT 1"
)


async def _space(ground: Ground) -> Outcome:
    """Whether the SKU or email of a record that is still to be created is held by another's record.

    A record of nobody that holds it is joined by the run, as an earlier migration's.
    """
    found, joined = Findings(), 0
    for stream in (Stream.PRODUCTS, Stream.CUSTOMERS):
        if stream not in ground.streams:
            continue
        surveyed = await survey(ground, stream)
        waiting = [*surveyed.missing, *surveyed.new][: ground.options.changed]
        found.looked_at(len(waiting), len(surveyed.missing) + len(surveyed.new))
        joined += await _look_for_owners(ground, stream, waiting, found)
    joining = (
        f" Some of them will be joined with records that are there: {joined:,}." if joined else ""
    )
    return found.outcome(
        f"Records to be created whose keys are free: {{examined}}.{joining}",
        "Records to be created whose SKU or email another record holds: {found}.",
    )


async def _look_for_owners(ground: Ground, stream: Stream, ids: list[str], found: Findings) -> int:
    joined, size = 0, max(1, ground.writes[stream].find_batch)
    for start in range(0, len(ids), size):
        records = await ground.source_records(stream, ids[start : start + size])
        contents = await ground.resolved(list(records.values()))
        operations = [
            Operation(source_id=each, key=ground.scope.key(stream, each), content=content)
            for each, content in contents.items()
        ]
        matches = await ground.target.find(stream, operations) if operations else {}
        for source_id, match in matches.items():
            if match.by == "key":
                continue
            owner = await _owner(ground, stream, match.target_id)
            if owner in (None, source_id):
                joined += 1
                continue
            found.add(
                f"Its {_NAMED_BY.get(match.by, match.by)} is held by the record of {owner}.",
                stream=stream,
                source_id=source_id,
                target_id=match.target_id,
                field=match.by,
            )
    return joined


async def _owner(ground: Ground, stream: Stream, target_id: str) -> str | None:
    """The record of the source whose record on the target this is."""
    async with autocommit(ground.engine) as connection:
        owner: str | None = (
            await connection.execute(
                _OWNER,
                {"migration": ground.migration, "stream": str(stream), "target": target_id},
            )
        ).scalar()
    return owner


_DEMOTED = text(
    "SELECT stream, reason, message FROM stream_states"
    " WHERE migration_id = :migration AND demoted_at IS NOT NULL ORDER BY stream"
)


async def _trust(ground: Ground) -> Outcome:
    found = Findings()
    async with autocommit(ground.engine) as connection:
        rows = (await connection.execute(_DEMOTED, {"migration": ground.migration})).all()
    found.looked_at(len(ground.streams), len(ground.streams))
    for row in rows:
        if row.stream in ground.streams:
            found.add(f"{row.message} [{row.reason}]", stream=Stream(row.stream))
    return found.outcome(
        "Timestamps are believed as far as the platform's are.",
        "Streams that are swept, because their timestamps were caught lying: {found}.",
    )


async def _launch(ground: Ground) -> Outcome:
    found = Findings()
    found.looked_at(1, 1)
    launch = ground.scope.launch_at
    if launch is None:
        found.add("The migration has no launch time (`launch_at`).")
    elif launch <= ground.clock():
        found.add(f"The launch time has passed: {launch.isoformat()}.")
    return found.outcome("The launch time is set.", "The launch time is not set, or has passed.")


CHECKS = (
    Check(preflight.STORES, _stores),
    Check(preflight.PERMISSIONS, _permissions),
    Check(preflight.CLOCKS, _clocks),
    Check(preflight.SILENCE, _silence),
    *pricing.CHECKS,
    Check(preflight.SPACE, _space),
    Check(preflight.TRUST, _trust),
    Check(preflight.LAUNCH, _launch),
)
