"""Order numbers: whether one names two orders already, or is going to before launch."""

from __future__ import annotations

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.catalogue import numbers
from app.models import Migration
from app.planning.order_numbers import Collision, Numbers
from app.services.order_numbers import LOOKED_UP, NEWEST, ask
from connectors.desk import NotTold
from connectors.records import Stream
from workers.checks.base import Check, Findings, Ground, Outcome, skipped
from workers.checks.looking import source_desk, target_desk

_SAYS = {
    "taken": "The number {} of an order of the source names an order of the target's own.",
    "coming": "The number {} of an order of the target's own comes up at the source by launch.",
    "twice": "The number {} names several orders of the target.",
}


async def collisions(ground: Ground) -> Outcome:
    """Numbers that name more than one order."""
    found = await _survey(ground)
    if isinstance(found, Outcome):
        return found
    findings = _looked_at(found)
    for each in found.collisions:
        _note(findings, each)
    return findings.outcome(
        "No number names two orders.", "{found} numbers name, or will name, more than one order."
    )


async def headroom(ground: Ground) -> Outcome:
    """How far the sequences are apart at launch."""
    found = await _survey(ground)
    if isinstance(found, Outcome):
        return found
    room = found.headroom
    if room is None:
        return skipped(_why_not(found))
    findings = _looked_at(found)
    least = int(ground.threshold(numbers.HEADROOM.id, "free", 0))
    if room.free < least:
        findings.add(
            f"The target's next own number is {room.own}; the source is expected to be at"
            f" {room.at_launch} by launch.",
            stream=Stream.ORDERS,
            field="number",
        )
    return findings.outcome(
        f"{room.free:,} numbers are free between the source and the target's own.",
        "The target is going to give numbers that orders of the source have.",
    )


async def _survey(ground: Ground) -> Numbers | Outcome:
    """Both stores' numbers, asked once for both checks; or why they cannot be known."""
    if Stream.ORDERS not in ground.streams:
        return skipped("Orders are not in scope.")
    source, target = source_desk(ground), target_desk(ground)
    if source is None or target is None:
        side = "source" if source is None else "target"
        return skipped(f"The {side}'s platform does not tell which numbers its orders have.")
    if "order numbers" not in ground.memo:
        most = int(ground.threshold(numbers.COLLISIONS.id, "records", NEWEST))
        migration = await _migration(ground)
        now = await ground.source.server_time()
        try:
            asked = ask(ground.engine, migration, source, target, now=now, most=most)
            ground.memo["order numbers"] = await asked
        except NotTold as answer:
            ground.memo["order numbers"] = skipped(str(answer))
    found: Numbers | Outcome = ground.memo["order numbers"]
    return found


async def _migration(ground: Ground) -> Migration:
    async with AsyncSession(ground.engine) as session:
        wanted = select(Migration).where(Migration.id == ground.migration)
        return (await session.exec(wanted)).one()


def _looked_at(found: Numbers) -> Findings:
    findings = Findings()
    counted = [each.counted + each.strays for each in (found.source, found.target) if each]
    words = "the newest orders of both stores"
    if (unseen := len(found.unseen)) > LOOKED_UP:
        words += f"; of {unseen:,} older numbers of the target {LOOKED_UP} were looked up"
    findings.looked_at(sum(counted), sample=words)
    return findings


def _note(findings: Findings, collision: Collision) -> None:
    findings.add(
        _SAYS[collision.kind].format(collision.number),
        stream=Stream.ORDERS,
        source_id=collision.source,
        target_id=", ".join(collision.targets),
        field="number",
    )


def _why_not(found: Numbers) -> str:
    if found.kept is False:
        return "The target numbers imported orders itself: no number of the source is carried over."
    if found.kept is None:
        return "No order was brought over whose numbers can be compared."
    if found.source is None:
        return "The source's numbers follow no sequence."
    return "Nobody can tell which number the target gives next."


CHECKS = (
    Check(numbers.COLLISIONS, collisions),
    Check(numbers.HEADROOM, headroom),
)
