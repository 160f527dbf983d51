"""Redirects of a migration: the map of old paths, as a list, as files, and on the target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from app import errors
from app.redirects.chart import Entry, Problem
from app.redirects.forms import FILES, Form, Lines
from app.redirects.paths import key
from app.routes.answers import refusals
from app.routes.dependencies import (
    Cursor,
    Limit,
    MigrationInPath,
    OneTransaction,
    Opened,
    Reader,
    Runner,
)
from app.routes.guard import GuardedRoute
from app.schemas.paging import Keyset, encode
from app.schemas.redirect import (
    FaultOut,
    FaultPage,
    PushesOut,
    PushIn,
    PushOut,
    RedirectOut,
    RedirectPage,
    RefreshIn,
    RefreshOut,
    SummaryOut,
    TableIn,
    TableOut,
)
from app.services import redirects
from app.services.redirects import Map

router = APIRouter(
    prefix="/v1/migrations/{migration}/redirects", tags=["redirects"], route_class=GuardedRoute
)
Row = TypeVar("Row", Entry, Problem)
_LINES_AT_ONCE = 1000
_LONGEST_NUMBER = 20
_TEXT: dict[str, Any] = {"schema": {"type": "string"}}


@router.get(
    "",
    summary="List redirects",
    response_model=RedirectPage,
    responses={
        200: {"content": {"text/csv": _TEXT, "text/plain": _TEXT}},
        **refusals(errors.MigrationNotFound, errors.BadCursor),
    },
)
async def index(
    *,
    _: Reader,
    migration: MigrationInPath,
    work: OneTransaction,
    format: Annotated[  # noqa: A002  its name in the address
        Form, Query(description="`json` is read page by page, every other form is one file.")
    ] = Form.JSON,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> RedirectPage | Response:
    """Old paths and the paths that answer in their place, the most visited first."""
    after = Keyset.parse(cursor, limit, str, str, str)
    drawn = await redirects.draw(work.session, migration)
    if format is not Form.JSON:
        name, media_type, lines = FILES[format]
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        content = _chunks(lines(drawn.chart.entries))
        return StreamingResponse(content, media_type=media_type, headers=headers)
    kept, following = _page(drawn.chart.entries, after)
    return RedirectPage(items=[_shown(drawn, each) for each in kept], next=following)


@router.get(
    "/faults",
    summary="List faults of the map",
    responses=refusals(errors.MigrationNotFound, errors.BadCursor),
)
async def faults(
    *,
    _: Reader,
    migration: MigrationInPath,
    work: OneTransaction,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> FaultPage:
    """Old paths that find no page, or not as it was given; the most visited first."""
    after = Keyset.parse(cursor, limit, str, str, str)
    drawn = await redirects.draw(work.session, migration)
    kept, following = _page(drawn.chart.problems, after)
    return FaultPage(items=[FaultOut.model_validate(each) for each in kept], next=following)


@router.get("/summary", summary="Summarise the map", responses=refusals(errors.MigrationNotFound))
async def summary(_: Reader, migration: MigrationInPath, work: OneTransaction) -> SummaryOut:
    """How many paths are redirected, what is wrong, and for what share of visits it has a way."""
    drawn = await redirects.draw(work.session, migration)
    made = drawn.chart
    pushed = Counter(
        drawn.kept.pushes[key(each.path)].state
        for each in made.entries
        if drawn.is_pushed(each) or drawn.is_refused(each)
    )
    return SummaryOut(
        redirects=len(made.entries),
        same=made.same,
        faults=Counter(each.fault for each in made.problems),
        pushed=pushed,
        visits=made.coverage.visits,
        covered=made.coverage.covered,
        share=made.coverage.share,
        seen_at=drawn.kept.seen_at,
    )


@router.post(
    "/refresh",
    summary="Look pages up",
    responses=refusals(
        errors.MigrationNotFound, errors.BadCursor, errors.StorefrontUnknown, errors.StoreFailed
    ),
)
async def refresh(
    _: Runner, migration: MigrationInPath, asked: RefreshIn, given: Opened
) -> RefreshOut:
    """Ask both shops where the pages of some records are; the first call also asks for the old
    shop's pages that are no records, such as about us and posts of a blog. Call again with `next`
    until it is null; the map is of what was looked up last.
    """
    return await redirects.refresh(given, migration, asked.cursor, asked.limit)


@router.post(
    "/traffic",
    summary="Set the visits of old paths",
    responses=refusals(errors.MigrationNotFound, errors.InvalidTable),
)
async def traffic(
    _: Runner, migration: MigrationInPath, asked: TableIn, work: OneTransaction
) -> TableOut:
    """A CSV of landing pages with a column of paths or addresses and one of visits, as web
    analytics write it. It takes the place of the one before.
    """
    return await redirects.put_traffic(work, migration, asked.csv)


@router.post(
    "/own",
    summary="Set redirects of your own",
    responses=refusals(errors.MigrationNotFound, errors.InvalidTable),
)
async def own(
    _: Runner, migration: MigrationInPath, asked: TableIn, work: OneTransaction
) -> TableOut:
    """A CSV of paths and targets, for pages that are no records: they go before what records say,
    and take the place of those before.
    """
    return await redirects.put_own(work, migration, asked.csv)


@router.post(
    "/push",
    summary="Make redirects on the target",
    responses=refusals(errors.MigrationNotFound, errors.RedirectsNotTaken, errors.StoreFailed),
)
async def push(_: Runner, migration: MigrationInPath, asked: PushIn, given: Opened) -> PushesOut:
    """The most visited of those that are not there yet, as many as some seconds allow. Call again
    until `left` is 0. What stands on the target is never overwritten.
    """
    return await redirects.push(given, migration, asked.limit, again=asked.again)


def _page(rows: Sequence[Row], page: Keyset) -> tuple[list[Row], str | None]:
    """The rows of a page of a map, in its order: the most visited first, then by path."""
    after = _after(page) if page.after else None
    behind = [each for each in rows if after is None or _place(each) > after]
    kept = behind[: page.limit]
    if len(behind) == len(kept):
        return kept, None
    before, path, fault = _place(kept[-1])
    return kept, encode([str(-before), path, fault])


def _place(row: Entry | Problem) -> tuple[int, str, str]:
    return -row.visits, row.path, row.fault if isinstance(row, Problem) else ""


def _after(page: Keyset) -> tuple[int, str, str]:
    visits, path, fault = map(str, page.after or ("0", "", ""))
    if not (visits.isascii() and visits.isdecimal() and len(visits) < _LONGEST_NUMBER):
        raise errors.BadCursor
    return -int(visits), path, fault


def _shown(drawn: Map, entry: Entry) -> RedirectOut:
    push = drawn.kept.pushes.get(key(entry.path))
    said = PushOut.model_validate(push) if push else None
    return RedirectOut(**entry._asdict(), pushed=said)


def _chunks(lines: Lines) -> Iterator[str]:
    """A file in pieces of many lines: each piece costs a change of threads."""
    while some := list(islice(lines, _LINES_AT_ONCE)):
        yield "".join(some)
