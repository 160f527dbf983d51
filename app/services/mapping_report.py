"""The report of a demo, put together from what was found out record by record."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.errors import JobNotFound, ReportNotFound
from app.models import DEMO_SIZE, DemoRecord, Job, JobKind, JobStatus, MappingVersion, Migration
from app.models import Store as StoreRow
from app.schemas.mapping_report import (
    CustomFieldOut,
    ExampleOut,
    FieldOut,
    LossOut,
    MappingReportOut,
    RefusalOut,
    RuleOut,
    StreamReportOut,
)
from connectors import registry
from connectors.base import Connector, Loss
from connectors.records import CONTENT_TYPES, Stream

_EXAMPLES = 3
_MOST_LACKING = 50
_COMPARED = ("changed", "dropped", "defaulted")

Finding = Mapping[str, Any]
"""What a worker kept of a record: see `workers.engine.demo.findings.Finding`."""


async def mapping_report(session: AsyncSession, job_id: UUID) -> MappingReportOut:
    """Raises `JobNotFound`, `ReportNotFound` where the job is no demo."""
    job = await session.get(Job, job_id)
    if job is None:
        raise JobNotFound
    if job.kind != JobKind.DEMO:
        raise ReportNotFound("Jobs of kind `demo` have a report.")
    migration = await session.get_one(Migration, job.migration_id)
    source = await session.get_one(StoreRow, migration.source_id)
    target = await session.get_one(StoreRow, migration.target_id)
    writer = _connector(target.platform)
    by_stream = await _records(session, job.id)
    rules = await _rules(session, job)
    options = job.params.get("options") or {}
    return MappingReportOut(
        job=job.id,
        migration=migration.slug,
        source=_title(source.platform),
        target=_title(target.platform),
        status=JobStatus(job.status),
        dry_run=bool(job.params.get("dry_run")),
        size=options.get("size") or DEMO_SIZE,
        seed=options.get("seed") or "",
        mapping_version=job.mapping_version,
        finished_at=job.finished_at,
        streams=[
            _stream(
                stream,
                by_stream[stream],
                job.passes.get(stream, {}),
                _losses(writer, stream),
                rules.get(stream, []),
                dry=bool(job.params.get("dry_run")),
            )
            for stream in Stream
            if stream in by_stream
        ],
    )


def _connector(platform: str) -> Connector | None:
    try:
        return registry.connector(platform)
    except registry.UnknownPlatformError:
        return None


def _title(platform: str) -> str:
    found = _connector(platform)
    return platform if found is None else found.title


def _losses(writer: Connector | None, stream: Stream) -> Sequence[Loss]:
    if writer is None or stream not in writer.writes:
        return ()
    return writer.writes[stream].losses


async def _records(session: AsyncSession, job: UUID) -> dict[str, list[DemoRecord]]:
    query = select(DemoRecord).where(DemoRecord.job_id == job)
    found: defaultdict[str, list[DemoRecord]] = defaultdict(list)
    for each in await session.exec(query.order_by(col(DemoRecord.source_id))):
        found[each.stream].append(each)
    return found


async def _rules(session: AsyncSession, job: Job) -> dict[str, list[dict[str, Any]]]:
    if not job.mapping_version:
        return {}
    version = await session.get(MappingVersion, (job.migration_id, job.mapping_version))
    return {} if version is None else version.rules


def _stream(
    stream: Stream,
    records: Sequence[DemoRecord],
    look: Mapping[str, Any],
    losses: Sequence[Loss],
    rules: Sequence[dict[str, Any]],
    *,
    dry: bool,
) -> StreamReportOut:
    found = {each.source_id: each.finding for each in records if each.finding is not None}
    chosen = sum(bool(each.reasons) for each in records)
    applied = Counter(number for each in found.values() for number in each.get("rules", ()))
    lacking = {each for finding in found.values() for each in finding.get("lacks", ())}
    return StreamReportOut(
        stream=stream,
        total=look.get("total"),
        looked_at=look.get("looked_at", 0),
        pages=look.get("pages", 0),
        chosen=chosen,
        brought=len(records) - chosen,
        too_large=look.get("too_large", 0),
        reasons=_counted(reason for each in records for reason in each.reasons),
        outcomes=_counted(each["outcome"] for each in found.values()),
        fields=[_field(name, found) for name in CONTENT_TYPES[stream].__struct_fields__],
        losses=[_loss(each, found.values(), dry=dry) for each in losses],
        custom_fields=_custom(found.values()),
        rules=[
            RuleOut(number=number, rule=rule, records=applied[number])
            for number, rule in enumerate(rules)
        ],
        refusals=[
            RefusalOut(source_id=source_id, code=each["code"], message=each["message"])
            for source_id, each in found.items()
            if each["outcome"] in {"refused", "unreadable"}
        ],
        lacking=sorted(lacking)[:_MOST_LACKING],
    )


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))


def _field(name: str, found: Mapping[str, Finding]) -> FieldOut:
    def count(kind: str) -> int:
        """A field of variants counts as theirs."""
        return sum(
            any(path.partition(".")[0] == name for path in each.get(kind, ()))
            for each in found.values()
        )

    pairs = [
        ExampleOut(source_id=source_id, before=pair[0], after=pair[1])
        for source_id, each in found.items()
        for kind in _COMPARED
        if (pair := each.get(kind, {}).get(name))
    ]
    return FieldOut(
        field=name,
        kept=count("kept"),
        changed=count("changed"),
        dropped=count("dropped"),
        defaulted=count("defaulted"),
        empty=count("empty"),
        lossy=count("losses"),
        examples=pairs[:_EXAMPLES],
    )


def _loss(loss: Loss, found: Iterable[Finding], *, dry: bool) -> LossOut:
    held = lost = 0
    for each in found:
        held += loss.field in each.get("at_stake", ())
        lost += loss.field in each.get("losses", ())
    return LossOut(
        field=loss.field,
        reason=loss.reason,
        whole=loss.whole,
        addon=loss.addon,
        records=held,
        lost=None if dry else lost,
    )


def _custom(found: Iterable[Finding]) -> list[CustomFieldOut]:
    """The fields that most records have come first."""
    seen: Counter[str] = Counter()
    left: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for each in found:
        seen.update(each.get("custom", {}).keys())
        left.update(each.get("left", ()))
        examples = {**each.get("custom", {}), **examples}
    return [
        CustomFieldOut(path=path, records=count, unmapped=left[path], example=examples[path])
        for path, count in sorted(seen.items(), key=lambda each: (-each[1], each[0]))
    ]
