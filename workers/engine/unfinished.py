"""Creates whose answer nobody heard, of records that the source does not show any more.

No page brings such a record up again, so nobody would look what became of it: the source had it
when the create was sent, and has deleted it since. What was sent is kept with the intent. The
source is asked for the record by its id: what it has after all is applied. Of what it says it does
not have, the target is asked: what our key leads to is ours and goes the way of all that is gone;
what is not there was never made. The rest is left to a person, in quarantine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from app.database import autocommit
from connectors.base import Action, Page, Refused
from connectors.digest import digest
from connectors.records import Content, Record, Stream
from workers.engine import conflicts, intents, ledger, quarantine, removals, sightings
from workers.engine.attempts import CREATE_UNCONFIRMED
from workers.engine.errors import GiveBack
from workers.engine.passes import apply_page
from workers.engine.quarantine import Refusal
from workers.engine.resolution import as_operation
from workers.engine.run import Run
from workers.engine.suspects import WITNESSES, Answer, ask

PHASE = "unfinished"
_PAGE = 50


class _Lost(NamedTuple):
    """Records that the source does not have: target ids of those that the target shows under our
    key, those that it does not have either, and those of which neither can be said.
    """

    ours: Mapping[str, str]
    absent: Iterable[str]
    unclear: list[Refusal]


async def settle(
    run: Run, stream: Stream, action: Action, *, out_of_time: Callable[[], bool]
) -> bool:
    """Find out what became of the open intents of a stream. True when all were looked at.

    Raises `GiveBack` while a create may still be running, and `StoreError`.
    """
    held = run.lease.held
    while True:
        after = str((held.resume or {}).get("after", ""))
        async with autocommit(run.engine) as connection:
            generations = await intents.some(
                connection, held.migration_id, stream, after=after, limit=_PAGE
            )
            ids = list(generations)
            witnesses = await sightings.newest(
                connection, held.migration_id, stream, besides=ids, limit=WITNESSES
            )
        if not ids:
            return True
        # A source that knows nothing of what it has shown before has proven nothing.
        answer = await ask(run, stream, ids, witnesses) or Answer([], [], ids)
        # What is there is written like any record: its intent has it looked for first.
        await apply_page(run, stream, Page(records=tuple(answer.there), resume=held.resume))
        lost = await _look(run, stream, {each: generations[each] for each in answer.gone})
        for each in answer.unclear:
            lost.unclear.append(_refusal(each, "the source does not say whether it has it still"))
        await _book(run, stream, action, lost, {"phase": PHASE, "after": ids[-1]})
        if out_of_time():
            return False


async def _look(run: Run, stream: Stream, gone: Mapping[str, int]) -> _Lost:
    """Ask the target for records that the source does not have; by id, their keys' generations."""
    if stream is Stream.INVENTORY or not gone:
        # Stock stands and goes with its product.
        return _Lost({}, gone, [])
    migration = run.scope.migration
    async with autocommit(run.engine) as connection:
        links = await ledger.load(connection, migration, stream, gone, slice_id=run.lease.held.id)
        contents = await conflicts.contents(connection, run.vault, migration, stream, gone)
    ages = [links[each].sent_age or 0.0 for each in gone if each in links]
    running = max((run.writes[stream].write_settle - age for age in ages), default=0.0)
    if running > 0:
        raise GiveBack("earlier_write_may_be_running", after=running)
    asked = [
        await as_operation(run, stream, Record(each, None, content), gone[each])
        for each, content in contents.items()
    ]
    run.lease.check()
    found = await run.target.find(stream, asked) if asked else {}
    others = {each: match.by for each, match in found.items() if match.by != "key"}
    return _Lost(
        {each: match.target_id for each, match in found.items() if each not in others},
        contents.keys() - found.keys(),
        [
            *(_refusal(each, _holds_another(by), contents[each]) for each, by in others.items()),
            *(
                _refusal(each, "what was sent is not kept")
                for each in gone.keys() - contents.keys()
            ),
        ],
    )


def _holds_another(by: str) -> str:
    return f"the target has a record of the same {by}, which does not show our key"


def _refusal(source_id: str, reason: str, content: Content | None = None) -> Refusal:
    message = f"a create of it was sent, no answer came, and {reason}"
    return Refusal(
        Refused(source_id=source_id, code=CREATE_UNCONFIRMED, message=message),
        digest=digest(content).whole if content is not None else None,
    )


async def _book(
    run: Run, stream: Stream, action: Action, lost: _Lost, place: dict[str, str]
) -> None:
    held = run.lease.held
    migration, absent = held.migration_id, list(lost.absent)
    async with run.lease.fenced() as transaction:
        connection = transaction.connection
        await intents.found(connection, migration, stream, lost.ours)
        if lost.ours:
            await removals.prove(
                connection,
                migration,
                stream,
                list(lost.ours),
                job=held.job_id,
                prefix=run.scope.key_prefix,
                action=action,
                unfinished=True,
            )
        await ledger.forget_intents(connection, migration, stream, absent)
        await quarantine.resolve(connection, migration, stream, [*lost.ours, *absent])
        await quarantine.keep(connection, migration, stream, held.job_id, lost.unclear)
        run.counters["quarantined"] += len(lost.unclear)
        await ledger.progress(connection, held.id, resume=place, counters=run.tally())
    held.resume = place
