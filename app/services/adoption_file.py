"""The file in which people settle what an adoption has left open: CSV, out and in.

A line is a record. Whoever fills in `decision` (and, for `pair`, the missing id) has decided about
it. A file is taken as a whole or not at all.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from app.errors import AdoptionApplied, AdoptionTaken, InvalidAdoptionFile, InvalidRequest
from app.models import AdoptionDecision, AdoptionRecord, AdoptionState, Side
from app.schemas.adoption import AdoptionFileOut, AdoptionSettleIn
from app.schemas.paging import Keyset
from app.services.adoption import Settling, list_pairs
from connectors.records import Stream

COLUMNS = (
    "stream",
    "state",
    "source_id",
    "target_id",
    "candidates",
    "matched_by",
    "confidence",
    "label",
    "decision",
    "reason",
)
_NEEDED = ("stream", "source_id", "target_id", "decision")
_PAGE = 1000
_MOST_LINES = 100_000
_MOST_ERRORS = 50
_LONGEST = 500
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Line(NamedTuple):
    """A line that decides something."""

    number: int
    stream: Stream
    source_id: str
    target_id: str
    decision: AdoptionDecision
    reason: str | None

    @property
    def decides(self) -> tuple[str, str, AdoptionDecision]:
        """About which records, and what. Reasons may differ: the first one is kept."""
        return self.source_id, self.target_id, self.decision


# --- out -----------------------------------------------------------------------------------------


async def written(
    session: AsyncSession, name: str, states: Sequence[AdoptionState], streams: Sequence[Stream]
) -> AsyncIterator[str]:
    """The file, portion by portion. Raises `MigrationNotFound`."""
    yield _csv([COLUMNS])
    page = Keyset(_PAGE)
    while True:
        found = await list_pairs(session, name, page, states=states, streams=streams)
        kept = found[:_PAGE]
        yield _csv([_line(each) for each in kept])
        if len(found) <= _PAGE:
            return
        last = kept[-1]
        page = Keyset(_PAGE, (last.state, last.stream, last.record_id, last.side))


def _csv(lines: Sequence[Sequence[str]]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\r\n").writerows(lines)
    return file.getvalue()


def _line(record: AdoptionRecord) -> tuple[str, ...]:
    is_source = record.side == Side.SOURCE
    # A doubled record's original has a counterpart already: naming it would ask to pair the two.
    other = record.other_id if record.state == AdoptionState.PAIRED else None
    source, target = (record.record_id, other) if is_source else (other, record.record_id)
    return (
        record.stream,
        record.state,
        _harmless(source or ""),
        _harmless(target or ""),
        _harmless(" ".join(record.candidates)),
        record.matched_by or "",
        "" if record.confidence is None else f"{record.confidence:.2f}",
        _harmless(record.label),
        record.decision or "",
        _harmless(record.reason or ""),
    )


def _harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def _as_it_was(text: str) -> str:
    """What `_harmless` was given."""
    quoted = text.startswith("'") and text.lstrip("'").startswith(_FORMULA)
    return text[1:] if quoted else text


# --- in ------------------------------------------------------------------------------------------


def parsed(body: bytes) -> tuple[list[Line], int]:
    """The lines that decide something, and how many do not. Raises `InvalidAdoptionFile`."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidAdoptionFile(f"Byte {error.start} begins no character of UTF-8.") from None
    if "\0" in text:
        raise InvalidAdoptionFile("Text must not hold the character NUL.")
    if not text.strip():
        raise InvalidAdoptionFile("The file is empty.")
    # A spreadsheet writes the separator that its language is used to.
    separator = ";" if text.splitlines()[0].count(";") > text.splitlines()[0].count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    errors: list[dict[str, str]] = []
    lines: list[Line] = []
    undecided = 0
    try:
        header = [each.strip().casefold() for each in next(reader)]
        _check_header(header)
        for row in reader:
            if not any(each.strip() for each in row):
                continue
            if reader.line_num > _MOST_LINES:
                raise InvalidAdoptionFile(f"A file may have {_MOST_LINES} lines.")
            found = list(_problems(header, row))
            errors += [_place(reader.line_num, column, detail) for column, detail in found]
            if found:
                continue
            line = _read(reader.line_num, dict(zip(header, row, strict=True)))
            undecided += line is None
            lines += [] if line is None else [line]
    except csv.Error as error:
        raise InvalidAdoptionFile(f"Line {reader.line_num}: {error}.") from None
    errors += _twice(lines)
    _refuse(errors)
    return lines, undecided


def _check_header(header: Sequence[str]) -> None:
    missing = [each for each in _NEEDED if each not in header]
    if missing:
        raise InvalidAdoptionFile(f"The first line lacks the columns {', '.join(missing)}.")
    if len(set(header)) < len(header):
        raise InvalidAdoptionFile("The first line names a column twice.")


def _problems(header: Sequence[str], row: Sequence[str]) -> Iterator[tuple[str, str]]:
    if len(row) != len(header):
        yield "", f"The line has {len(row)} fields, the first one {len(header)}."
        return
    given = {name: value.strip() for name, value in zip(header, row, strict=True)}
    if given["decision"]:
        yield from _wrong(given)


def _wrong(given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if given["decision"] not in set(AdoptionDecision):
        yield "decision", f"One of {', '.join(AdoptionDecision)}, or nothing."
    if given["stream"] not in set(Stream):
        yield "stream", "There is no such stream."
    if given["decision"] == AdoptionDecision.PAIR:
        for column in ("source_id", "target_id"):
            if not given[column]:
                yield column, "`pair` needs both ids."
    elif not (given["source_id"] or given["target_id"]):
        yield "source_id", "The line names no record."
    for column in ("source_id", "target_id", "reason"):
        if len(given.get(column, "")) > _LONGEST:
            yield column, f"At most {_LONGEST} characters."


def _read(number: int, given: dict[str, str]) -> Line | None:
    given = {name: value.strip() for name, value in given.items()}
    if not given["decision"]:
        return None
    return Line(
        number=number,
        stream=Stream(given["stream"]),
        source_id=_as_it_was(given["source_id"]),
        target_id=_as_it_was(given["target_id"]),
        decision=AdoptionDecision(given["decision"]),
        reason=_as_it_was(given.get("reason", "")) or None,
    )


def _twice(lines: Sequence[Line]) -> Iterator[dict[str, str]]:
    """Two lines that decide otherwise about one record: which of them counts, nobody could say."""
    seen: dict[tuple[Stream, Side, str], Line] = {}
    for line in lines:
        for side, record_id in ((Side.SOURCE, line.source_id), (Side.TARGET, line.target_id)):
            before = seen.setdefault((line.stream, side, record_id), line)
            if record_id and before.decides != line.decides:
                text = f"Line {before.number} decides about it, too."
                yield _place(line.number, f"{side}_id", text)


def _place(number: int, column: str, detail: str) -> dict[str, str]:
    return {"pointer": f"/{number}/{column}".rstrip("/"), "detail": detail}


def _refuse(errors: Sequence[dict[str, str]]) -> None:
    if errors:
        more = len(errors) - _MOST_ERRORS
        rest = f" {more} more are not shown." if more > 0 else ""
        text = f"Nothing was taken: {len(errors)} places are wrong.{rest}"
        raise InvalidAdoptionFile(text, errors=errors[:_MOST_ERRORS])


async def take(settling: Settling, body: bytes) -> AdoptionFileOut:
    """Settle what the file decides, within the caller's transaction.

    Raises `InvalidAdoptionFile`: then the transaction must not be committed.
    """
    lines, undecided = parsed(body)
    errors: list[dict[str, str]] = []
    settled = 0
    wrong: set[int] = set()
    for step in (settling.part_from_others, settling.settle):
        for line in lines:
            if line.number in wrong:
                continue
            try:
                record = await _record(settling, line)
                settled += bool(await step(record, _asked(line)))
            except (InvalidRequest, AdoptionApplied, AdoptionTaken) as problem:
                wrong.add(line.number)
                errors.append(_place(line.number, "", problem.detail))
    _refuse(errors)
    return AdoptionFileOut(settled=settled, unchanged=len(lines) - settled, undecided=undecided)


async def _record(settling: Settling, line: Line) -> AdoptionRecord:
    side = Side.SOURCE if line.source_id else Side.TARGET
    record = await settling.record(line.stream, side, line.source_id or line.target_id)
    if record is None:
        raise InvalidRequest(f"No adoption has read this record of the {side}.")
    return record


def _asked(line: Line) -> AdoptionSettleIn:
    other = line.target_id if line.decision is AdoptionDecision.PAIR else None
    return AdoptionSettleIn.model_construct(
        decision=line.decision, other_id=other, reason=line.reason
    )
