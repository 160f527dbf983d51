"""How a drill ended: both shops compared, by what they say themselves and never by our ledger.

Content is compared over both shops' own APIs. What people deleted in the old shop, and what the
team did in the new one, explains some differences; everything else counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connectors.comparison import Comparison, StreamComparison, compare
from connectors.records import Stream
from connectors.woocommerce import CONNECTOR
from drills.shop import Shop
from drills.team import Edit, allowed, by_sku, is_one_of
from drills.world import PREFIX, World
from sandbox.wire import Doc

_ALL = 10_000

_APART = timedelta(seconds=180)
"""How far the clocks of both shops can be apart, and how long a write can take."""


@dataclass
class Verdict:
    """Counts, and a sentence for each thing that was found."""

    missing: int = 0
    wrong: int = 0
    doubled: int = 0
    overwritten: int = 0
    findings: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether nothing was found."""
        return not (self.missing or self.wrong or self.doubled or self.overwritten)

    def say(self, kind: str, sentence: str) -> None:
        """Count something and say what it is."""
        setattr(self, kind, getattr(self, kind) + 1)
        self.findings.append(f"{kind}: {sentence}")


async def judge(world: World) -> Verdict:
    """The verdict over a world in which nothing happens any more. Raises `StoreError`."""
    verdict = Verdict()
    for sentence in world.findings:
        verdict.say("wrong", sentence)
    async with world.source.source() as source, world.target.source() as target:
        addon = world.place.addon
        losses = {stream: each.losses_in(addon=addon) for stream, each in CONNECTOR.writes.items()}
        found = await compare(source, target, list(Stream), losses, prefix=PREFIX, examples=_ALL)
    bench = _Bench(world, verdict)
    bench.weigh(found)
    _judge_team(world, verdict)
    _judge_dates(world, verdict)
    _judge_effects(world.target, verdict)
    await bench.weigh_quarantine()
    return verdict


class _Bench:
    """Weighs what a comparison found against what people did."""

    def __init__(self, world: World, verdict: Verdict) -> None:
        self._world = world
        self._verdict = verdict
        self._there = {doc["id"]: doc for doc in world.target.docs("product")}
        self._here = {doc["id"]: doc for doc in world.source.docs("product")}

    def weigh(self, found: Comparison) -> None:
        """Count what nothing explains."""
        for stream, each in found.streams.items():
            for source_id in each.missing_ids:
                if not self._was_deleted_by_team(stream, source_id):
                    self._verdict.say("missing", f"{stream} {source_id}")
            for _ in range(each.unreadable):
                self._verdict.say("missing", f"{stream}: a record that cannot be read")
            for pair in each.wrong_pairs:
                fields = self._unexplained(stream, pair.source_id, pair.fields)
                if fields:
                    where = f"{stream} {pair.source_id} -> {pair.target_id}"
                    self._verdict.say("wrong", f"{where}: {', '.join(fields)}")
            for target_id in each.doubled_ids:
                self._verdict.say("doubled", f"{stream} {target_id}")
            self._weigh_foreign(stream, each)

    async def weigh_quarantine(self) -> None:
        """What could not be applied is explained by what the team deleted, or it counts."""
        rows = await self._world.database.rows(
            "SELECT stream, source_id, code FROM quarantine WHERE status = 'open'"
            " ORDER BY stream, source_id"
        )
        for row in rows:
            if not self._was_deleted_by_team(Stream(row["stream"]), row["source_id"]):
                sentence = f"quarantine: {row['stream']} {row['source_id']} {row['code']}"
                self._verdict.say("wrong", sentence)

    def _was_deleted_by_team(self, stream: Stream, source_id: str) -> bool:
        if stream not in (Stream.PRODUCTS, Stream.INVENTORY):
            return False
        doc = self._here.get(int(source_id.partition(":")[0]))
        return doc is not None and doc["sku"] in self._world.team.deleted

    def _unexplained(self, stream: Stream, source_id: str, fields: Iterable[str]) -> list[str]:
        """Fields that the team did not edit. Its edits are judged by themselves."""
        doc = self._here.get(int(source_id)) if stream is Stream.PRODUCTS else None
        edits = self._world.team.edits
        return [name for name in fields if doc is None or (doc["sku"], name) not in edits]

    def _weigh_foreign(self, stream: Stream, found: StreamComparison) -> None:
        """What is on the target alone was deleted at the source, or it is one too many."""
        for target_id in found.foreign_ids:
            doc = self._doc(stream, target_id)
            key = _key(stream, doc)
            kind = _KINDS[stream]
            if doc is None or key not in self._world.people.gone.get(kind, set()):
                self._verdict.say("doubled", f"{stream} {target_id} comes from nowhere")
            elif stream is Stream.PRODUCTS and doc["status"] not in ("draft", "trash"):
                sentence = f"{stream} {target_id} is gone and still {doc['status']}"
                self._verdict.say("wrong", sentence)

    def _doc(self, stream: Stream, target_id: str) -> Doc | None:
        record_id = int(target_id.partition(":")[0])
        return self._world.target.store.read(_KINDS[stream], record_id)


_KINDS = {
    Stream.CATEGORIES: "category",
    Stream.PRODUCTS: "product",
    Stream.CUSTOMERS: "customer",
    Stream.ORDERS: "order",
    Stream.INVENTORY: "product",
}


def _key(stream: Stream, doc: Doc | None) -> str:
    """What a deleted record of the source is known by."""
    if doc is None:
        return ""
    match stream:
        case Stream.CATEGORIES:
            found = doc["name"]
        case Stream.CUSTOMERS:
            found = doc["email"]
        case Stream.ORDERS:
            # `prefix:orders:id`, with `~n` behind it where the id had another owner before.
            found = doc["created_via"].rpartition(":")[2].partition("~")[0]
        case _:
            found = doc["sku"]
    return str(found).casefold()


def _judge_team(world: World, verdict: Verdict) -> None:
    """What the team wrote stands, unless the policy lets the source win."""
    here, there = by_sku(world.source), by_sku(world.target)
    for edit in world.team.edits.values():
        if edit.sku in there and edit.sku in here:
            _judge_edit(edit, there[edit.sku], here[edit.sku], verdict)


def _judge_edit(edit: Edit, there: Doc, here: Doc, verdict: Verdict) -> None:
    may = allowed(edit, here[edit.field])
    if not is_one_of(edit.field, there[edit.field], may):
        sentence = f"{edit.field} of {edit.sku} is {there[edit.field]!r}, not one of {may!r}"
        verdict.say("overwritten" if edit.value in may else "wrong", sentence)


def _judge_dates(world: World, verdict: Verdict) -> None:
    """A product may be dated earlier than at the source by as much as the clocks are apart: the
    target would not show a product whose date is still to come.
    """
    here, there = by_sku(world.source), by_sku(world.target)
    for sku in sorted(here.keys() & there.keys()):
        ours, theirs = (
            datetime.fromisoformat(doc["date_created_gmt"]) for doc in (here[sku], there[sku])
        )
        if not timedelta() <= ours - theirs <= _APART:
            verdict.say("wrong", f"product {sku} is dated {theirs}, not {ours}")


def _judge_effects(target: Shop, verdict: Verdict) -> None:
    """Nobody got a mail, and nothing was taken from stock a second time."""
    for kind, origin, count in target.store.storage.journal_counts():
        if origin == "api" and kind in ("mail", "stock", "gateway_refund"):
            verdict.say("wrong", f"{count} entries of {kind} on the target")
