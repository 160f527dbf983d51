"""A shop in memory that is both a source and a target, and fails when told to."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from msgspec.structs import replace
from pydantic import BaseModel, SecretStr

from connectors.base import (
    Action,
    Applied,
    Connector,
    Extent,
    Finding,
    Json,
    Mark,
    Marks,
    Match,
    Operation,
    Outcome,
    Page,
    ReadCapability,
    Refused,
    Removal,
    StoreAccess,
    StoreReport,
    Sweep,
    TaxBasis,
    Traffic,
    Trust,
    Uncertain,
    Window,
    Withdrawal,
    WriteCapability,
)
from connectors.errors import BadAnswer, Rejected
from connectors.permit import require_permit
from connectors.records import Content, Customer, Order, Product, Record, Stream, Variant

SHOPS: dict[str, Shop] = {}
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Row:
    id: str
    stamp: datetime
    content: Content
    key: str = ""
    made: datetime = START
    archived: bool = False


@dataclass
class Shop:
    """Rows by stream and id. `script` are answers for the next writes, one word a record:
    `lost` (applied, then no answer), `dropped` (not applied, no answer), `refused`. `torn` are
    contents that the next readings show instead of the whole. `reads` counts pages, `gets` names
    records asked for alone, `asked` counts requests of every sort. `shows` are what the next
    looks at single records show instead of what is there, by id: a content, or None for nothing.
    `looks` names the records of each look. `mute_answers`: a write is answered without the record.

    `hidden` records are in no list, though asked for by id they are there; `denied` ones are
    refused when asked for by id; a shop that is `mute` has no single record when asked by id.
    `counts` is what it says instead of its real number of records; `unreadable` records are listed
    and cannot be understood.
    """

    name: str
    page_size: int = 3
    idempotent: bool = False
    rows: dict[Stream, dict[str, Row]] = field(
        default_factory=lambda: {stream: {} for stream in Stream}
    )
    now: datetime = START
    numbers: int = 1000
    writes: list[tuple[str, Stream, str]] = field(default_factory=list)
    reads: list[tuple[Stream, str | None]] = field(default_factory=list)
    finds: int = 0
    looks: list[tuple[Stream, tuple[str, ...]]] = field(default_factory=list)
    shows: dict[str, list[Content | None]] = field(default_factory=dict)
    mute_answers: bool = False
    slug_suffix: str = ""
    script: list[str] = field(default_factory=list)
    read_failures: list[BaseException | None] = field(default_factory=list)
    write_failures: list[Exception] = field(default_factory=list)
    mails_on: bool = True
    hooks: dict[str, Any] = field(default_factory=dict)
    parts: int = 1
    ignores_filters: bool = False
    findings: list[tuple[Finding, ...]] = field(default_factory=list)
    torn: dict[str, list[Content]] = field(default_factory=dict)
    stampless: set[str] = field(default_factory=set)
    gets: list[str] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    hidden: set[str] = field(default_factory=set)
    denied: set[str] = field(default_factory=set)
    mute: bool = False
    counts: int | None = None
    unreadable: set[str] = field(default_factory=set)
    asked_for: list[list[str]] = field(default_factory=list)
    remove_failures: list[Exception] = field(default_factory=list)
    strange: set[str] = field(default_factory=set)
    currency: str = "EUR"
    tax_basis: TaxBasis | None = TaxBasis.GROSS

    def put(self, stream: Stream, source_id: str, content: Content, **at: Any) -> None:
        stamp, made = at.get("stamp", self.now), at.get("made", START)
        self.rows[stream][source_id] = Row(source_id, stamp, content, made=made)

    def change_silently(self, stream: Stream, source_id: str, **fields: Any) -> None:
        """As a plugin that writes straight into the database: no stamp moves."""
        row = self.rows[stream][source_id]
        row.content = replace(row.content, **fields)

    def edit(self, stream: Stream, record_id: str, **fields: Any) -> None:
        """What the team does to a record by hand."""
        row = self.rows[stream][record_id]
        row.content = replace(row.content, **fields)
        row.stamp = self.now

    def tick(self, **by: float) -> None:
        self.now += timedelta(**by)

    def creates(self) -> list[tuple[Stream, str]]:
        return [(stream, row) for kind, stream, row in self.writes if kind == "create"]


class FakeSettings(BaseModel):
    name: str


class FakeCredentials(BaseModel):
    token: SecretStr = SecretStr("secret-token")


class FakeStore:
    """Source and target over a `Shop`."""

    def __init__(self, access: StoreAccess) -> None:
        assert isinstance(access.settings, FakeSettings)
        self.shop = SHOPS[access.settings.name]
        self.requests = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        return None

    def traffic(self) -> Traffic:
        return Traffic(self.requests, 0)

    async def check(self) -> StoreReport:
        return StoreReport(
            platform_version="1", currency=self.shop.currency, tax_basis=self.shop.tax_basis
        )

    async def server_time(self) -> datetime:
        self.shop.asked["time"] += 1
        return self.shop.now

    async def count(self, stream: Stream, extent: Extent) -> int | None:
        self.shop.asked["count"] += 1
        return len(self._rows(stream, extent)) if self.shop.counts is None else self.shop.counts

    async def split(self, stream: Stream, extent: Extent, parts: int) -> list[Json]:
        self.shop.asked["split"] += 1
        count = min(parts, self.shop.parts)
        return [{"of": count, "number": number} for number in range(count)]

    def _rows(self, stream: Stream, extent: Extent) -> list[Row]:
        rows = sorted(self.shop.rows[stream].values(), key=lambda row: row.id)
        if isinstance(extent, Window) and not self.shop.ignores_filters:
            rows = [row for row in rows if row.stamp >= extent.since]
        if isinstance(extent, Sweep) and extent.since_created is not None:
            rows = [row for row in rows if row.made >= extent.since_created or is_open(row)]
        return [row for row in rows if row.id not in self.shop.hidden]

    def _seen(self, row: Row) -> Record:
        torn = self.shop.torn.get(row.id)
        stamp = None if row.id in self.shop.stampless else row.stamp
        return Record(row.id, stamp, torn.pop(0) if torn else row.content)

    async def read(
        self, stream: Stream, extent: Extent, part: Json, resume: Json | None
    ) -> AsyncIterator[Page]:
        for page, following in self._pages(stream, extent, part, resume):
            bad = self.shop.unreadable
            yield Page(
                records=tuple(self._seen(row) for row in page if row.id not in bad),
                resume=following,
                failed=tuple((row.id, "it has no name") for row in page if row.id in bad),
                outside=sum(
                    isinstance(extent, Window) and row.stamp < extent.since for row in page
                ),
            )
            if hook := self.shop.hooks.get("read"):
                await hook(stream, page)

    async def enumerate(
        self, stream: Stream, extent: Sweep, part: Json, resume: Json | None
    ) -> AsyncIterator[Marks]:
        for page, following in self._pages(stream, extent, part, resume):
            marks = tuple(Mark(row.id, row.stamp) for row in page)
            yield Marks(marks=marks, resume=following)

    def _pages(
        self, stream: Stream, extent: Extent, part: Json, resume: Json | None
    ) -> Iterator[tuple[list[Row], Json | None]]:
        after = (resume or {}).get("after", "")
        while True:
            self.requests += 1
            self.shop.asked["page"] += 1
            self.shop.reads.append((stream, after))
            if self.shop.read_failures and (failure := self.shop.read_failures.pop(0)):
                raise failure
            rows = [row for row in self._rows(stream, extent) if row.id > after]
            if part.get("of", 1) > 1:
                rows = [row for row in rows if hash_of(row.id) % part["of"] == part["number"]]
            page, rest = rows[: self.shop.page_size], rows[self.shop.page_size :]
            after = page[-1].id if page else after
            yield page, {"after": after} if rest else None
            if not rest:
                return

    async def probe(self, stream: Stream) -> tuple[Finding, ...]:
        self.shop.asked["probe"] += 2
        return self.shop.findings.pop(0) if self.shop.findings else ()

    async def get(self, stream: Stream, ids: Sequence[str]) -> dict[str, Record]:
        self.requests += 1
        self.shop.asked["get"] += 1
        self.shop.gets += ids
        self.shop.looks.append((stream, tuple(ids)))
        self.shop.asked_for.append(list(ids))
        if self.shop.denied & set(ids):
            raise Rejected("not for you")
        if self.shop.unreadable & set(ids):
            raise BadAnswer("it has no name", code="record_unmappable")
        found: dict[str, Record] = {}
        for each in [] if self.shop.mute else ids:
            row = self.shop.rows[stream].get(each)
            record = self._seen(row) if row else None
            if self.shop.shows.get(each):
                content = self.shop.shows[each].pop(0)
                record = Record(each, row.stamp if row else None, content) if content else None
            if record is not None:
                found[each] = record
        if hook := self.shop.hooks.get("shown"):
            await hook(ids)
        return found

    async def find(self, stream: Stream, operations: Sequence[Operation]) -> dict[str, Match]:
        self.shop.finds += 1
        if hook := self.shop.hooks.get("looked"):
            await hook(operations)
        found = {}
        for operation in operations:
            for row in self.shop.rows[stream].values():
                by = "key" if row.key == operation.key else None
                by = by or natural(operation.content, row.content)
                if by:
                    found[operation.source_id] = Match(
                        target_id=row.id, by=by, children=twins(operation.content, row.content)
                    )
        return found

    async def write(self, stream: Stream, operations: Sequence[Operation]) -> list[Outcome]:
        self.requests += 1
        if self.shop.write_failures:
            raise self.shop.write_failures.pop(0)
        outcomes = []
        for operation in operations:
            require_permit()
            word = self.shop.script.pop(0) if self.shop.script else "applied"
            outcomes.append(self._apply(stream, operation, word))
            if hook := self.shop.hooks.get("written"):
                await hook(operation)
        return outcomes

    def _apply(self, stream: Stream, operation: Operation, word: str) -> Outcome:
        if word == "refused":
            return Refused(
                source_id=operation.source_id, code="invalid", message="no", request_id="req-7"
            )
        if word == "dropped":
            return Uncertain(source_id=operation.source_id, reason="timeout")
        rows = self.shop.rows[stream]
        target_id = operation.target_id
        if target_id is None:
            self.shop.numbers += 1
            target_id = str(self.shop.numbers)
            self.shop.writes.append(("create", stream, operation.source_id))
        elif target_id not in rows:
            return Refused(source_id=operation.source_id, code="gone", message="gone", gone=True)
        else:
            self.shop.writes.append(("update", stream, operation.source_id))
        before = rows.get(target_id)
        content, children = self._written(operation, before.content if before else None)
        rows[target_id] = Row(target_id, self.shop.now, content, operation.key)
        if word == "lost":
            return Uncertain(source_id=operation.source_id, reason="timeout")
        return Applied(
            source_id=operation.source_id,
            target_id=target_id,
            children=children,
            content=None if self.shop.mute_answers else content,
        )

    def _written(
        self, operation: Operation, before: Content | None
    ) -> tuple[Content, dict[str, str]]:
        """The record after a write, variants under ids of this shop's own."""
        content, children = operation.content, dict(operation.children)
        if isinstance(content, Product):
            there = {v.id: v for v in before.variants} if isinstance(before, Product) else {}
            variants = [
                self._variant(operation, each, there, children) for each in content.variants
            ]
            content = replace(content, variants=tuple(variants), slug=self._slug(content.slug))
            children = {each.id: children[each.id] for each in operation.content.variants}
        if before is None or operation.changed is None:
            return content, children
        return replace(before, **{f: getattr(content, f) for f in operation.changed}), children

    def _slug(self, slug: str) -> str:
        return slug + self.shop.slug_suffix if slug else slug

    def _variant(
        self,
        operation: Operation,
        wanted: Variant,
        there: dict[str, Variant],
        children: dict[str, str],
    ) -> Variant:
        known = there.get(children.get(wanted.id, ""))
        if known is None:
            self.shop.numbers += 1
            children[wanted.id] = f"v{self.shop.numbers}"
            return replace(wanted, id=children[wanted.id])
        names = operation.variants.get(wanted.id, frozenset(type(wanted).__struct_fields__))
        return replace(known, **{f: getattr(wanted, f) for f in names - {"id"}})

    async def standing(self, stream: Stream, withdrawals: Sequence[Withdrawal]) -> dict[str, Json]:
        rows = self.shop.rows[stream]
        return {
            each.source_id: {"archived": rows[each.target_id].archived}
            for each in withdrawals
            if each.target_id in rows
        }

    async def remove(
        self, stream: Stream, withdrawals: Sequence[Withdrawal], action: Action
    ) -> list[Applied | Refused]:
        self.requests += 1
        require_permit()
        answers = [self._remove(stream, each, action) for each in withdrawals]
        if self.shop.remove_failures:
            raise self.shop.remove_failures.pop(0)
        if hook := self.shop.hooks.get("removed"):
            await hook(withdrawals)
        return answers

    def _remove(self, stream: Stream, each: Withdrawal, action: Action) -> Applied | Refused:
        if each.source_id in self.shop.strange:
            return Refused(source_id=each.source_id, code="not_ours", message="no")
        rows = self.shop.rows[stream]
        if each.target_id in rows:
            assert rows[each.target_id].key == each.key
            if not rows[each.target_id].archived:
                self.shop.writes.append((str(action), stream, each.source_id))
            rows[each.target_id].archived = True
            if action is Action.DELETE:
                del rows[each.target_id]
        return Applied(source_id=each.source_id, target_id=each.target_id)

    async def restore(
        self, stream: Stream, withdrawals: Sequence[Withdrawal]
    ) -> list[Applied | Refused]:
        if hook := self.shop.hooks.get("restored"):
            await hook(withdrawals)
        answers: list[Applied | Refused] = []
        for each in withdrawals:
            if row := self.shop.rows[stream].get(each.target_id):
                row.archived = each.before["archived"]
                answers.append(Applied(source_id=each.source_id, target_id=each.target_id))
            else:
                answers.append(Refused(source_id=each.source_id, code="gone", message="gone"))
        return answers

    async def loud(self) -> Json:
        before = {"mails_on": self.shop.mails_on}
        if hook := self.shop.hooks.get("listened"):
            await hook(before)
        return before

    async def mute(self, before: Json) -> None:
        if hook := self.shop.hooks.get("muting"):
            await hook(before)
        self.shop.mails_on = False

    async def unmute(self, before: Json) -> None:
        if hook := self.shop.hooks.get("unmuting"):
            await hook(before)
        self.shop.mails_on = before["mails_on"]


def is_open(row: Row) -> bool:
    return isinstance(row.content, Order) and row.content.status != "completed"


def hash_of(text: str) -> int:
    return sum(text.encode())


def twins(one: Content, other: Content) -> dict[str, str]:
    """Variants of the target by the source's ids, paired by SKU."""
    if not isinstance(one, Product) or not isinstance(other, Product):
        return {}
    by_sku = {each.sku: each.id for each in other.variants}
    return {each.id: by_sku[each.sku] for each in one.variants if each.sku in by_sku}


def natural(one: Content, other: Content) -> str | None:
    match one, other:
        case Product(), Product() if one.sku and one.sku == other.sku:
            return "sku"
        case Customer(), Customer() if one.email == other.email:
            return "email"
        case _:
            return None


def fake_connector(
    *, idempotent: bool = False, settle: float = 0.05, at_once: bool = True
) -> Connector:
    """Its targets merge every stream but inventory."""
    removals = (Removal(Action.ARCHIVE, undo=True), Removal(Action.DELETE))
    untrusted = {Stream.CUSTOMERS, Stream.CATEGORIES, Stream.INVENTORY}
    return Connector(
        name="fake",
        title="Fake",
        settings=FakeSettings,
        credentials=FakeCredentials,
        reads={
            stream: ReadCapability(
                trust=Trust.SWEEP if stream in untrusted else Trust.OVERLAP,
                overlap=60,
                settle=0,
                shallow=stream not in untrusted,
                horizon=stream is Stream.ORDERS,
            )
            for stream in Stream
        },
        writes={
            stream: WriteCapability(
                idempotent=idempotent,
                write_settle=settle,
                at_once=at_once,
                batch=2,
                merges=stream is not Stream.INVENTORY,
                removals=removals,
            )
            for stream in Stream
        },
        source=FakeStore,
        target=FakeStore,
    )


def contents(shop: Shop, stream: Stream) -> list[Content]:
    """What a shop holds, references to other records blanked: ids differ between shops."""
    blank: dict[type[Content], dict[str, Any]] = {Order: {"customer": None}}
    rows = sorted(shop.rows[stream].values(), key=lambda row: repr(row.content))
    return sorted(
        (replace(row.content, **blank.get(type(row.content), {})) for row in rows), key=repr
    )
