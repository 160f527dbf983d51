from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from sse_starlette import EventSourceResponse, ServerSentEvent

from app import errors
from app.models import JobKind, JobStatus
from app.resources import Resources
from app.routes.answers import accepted, created, job_headers, refusals
from app.routes.dependencies import (
    Cursor,
    Limit,
    OneAnswer,
    OneTransaction,
    Opened,
    Reader,
    Runner,
    Wait,
)
from app.routes.guard import GuardedRoute
from app.schemas.job import JobIn, JobOut, JobPage
from app.schemas.paging import Keyset
from app.schemas.values import Slug
from app.services import jobs, progress
from app.services.events import follow, read
from app.services.idempotency import Answer, Made
from app.services.transaction import Work
from app.services.waiting import look, wait_for

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=GuardedRoute)
JobInPath = Annotated[UUID, Path(examples=["7f3f7a52-2f5e-4a3e-bb0e-0f7f5c3e9a33"])]
_ASKED = "Preference-Applied"
_STREAM = (
    "id: 1041\nevent: pass.finished\n"
    'data: {"at": "2026-11-25T10:00:09+00:00", "job": "7f3f7a52-2f5e-4a3e-bb0e-0f7f5c3e9a33",'
    ' "stream": "orders", "until": "2026-11-25T09:59:50+00:00"}\n\n'
)


@router.post(
    "",
    status_code=202,
    response_model=JobOut,
    summary="Start a job",
    responses={
        200: {"model": JobOut, "description": "With `Prefer: wait`: the job has ended."},
        **refusals(
            errors.MigrationNotFound,
            errors.BaselineRequired,
            errors.CutoverRequired,
            errors.KindNotAvailable,
            errors.InvalidSince,
            errors.StreamNotInScope,
        ),
    },
)
async def create(
    _: Runner, asked: JobIn, once: OneAnswer, wait: Wait, request: Request
) -> Response:
    """While another job of the migration runs, the new one is `queued` and says what it waits for.

    `recent` reads on from the cursors; where there is none, `since` says from when.
    """

    async def make(work: Work) -> Made:
        return accepted(await jobs.create_job(work, asked))

    return await _waited(once.resources, await once.run(202, make), wait, request)


@router.get(
    "",
    summary="List jobs",
    responses=refusals(errors.MigrationNotFound, errors.BadCursor),
)
async def index(
    *,
    _: Reader,
    work: OneTransaction,
    migration: Annotated[Slug | None, Query(description="Slug or id.")] = None,
    kind: Annotated[JobKind | None, Query()] = None,
    status: Annotated[list[JobStatus] | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> JobPage:
    """Newest first."""
    page = Keyset.parse(cursor, limit, datetime, UUID, newest_first=True)
    found = await jobs.list_jobs(
        work.session, page, migration=migration, kind=kind, status=status or []
    )
    kept, following = page.cut(found, lambda job: [job.created_at, job.id])
    return JobPage(items=await progress.shown(work.session, kept), next=following)


@router.get(
    "/{job}",
    response_model=JobOut,
    summary="Get a job",
    responses={
        304: {"description": "Nothing has happened since the ETag of `If-None-Match`."},
        **refusals(errors.JobNotFound),
    },
)
async def show(
    *,
    _: Reader,
    job: JobInPath,
    given: Opened,
    wait: Wait,
    request: Request,
    if_none_match: Annotated[str | None, Header(alias="If-None-Match", max_length=1000)] = None,
) -> Response:
    """With `Prefer: wait=N` the answer comes when the job has ended, or, with `If-None-Match`,
    when something has happened to it; at the latest after N seconds.
    """
    known = _known_tag(if_none_match)
    if wait is None:
        found = await look(given, job)
    else:
        found = await wait_for(given, job, seconds=wait, known=known, gone=request.is_disconnected)
    tag = progress.etag(found)
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Authorization, Prefer"}
    if wait is not None:
        headers[_ASKED] = f"wait={wait}"
    if not found.status.ended:
        headers["Retry-After"] = "1"
    if known == tag:
        return Response(status_code=304, headers=headers)
    return JSONResponse(found.model_dump(mode="json"), headers=headers)


@router.post(
    "/{job}/cancel",
    summary="Cancel a job",
    responses=refusals(errors.JobNotFound, errors.JobEnded),
)
async def cancel(_: Runner, job: JobInPath, work: OneTransaction) -> JobOut:
    """A job that waits is cancelled at once, one that runs within a page. What it has applied
    stays applied, and the next job goes on from there.
    """
    return await jobs.cancel_job(work, job)


@router.post(
    "/{job}/retry",
    status_code=202,
    response_model=JobOut,
    summary="Run a job again",
    responses={
        200: {"model": JobOut, "description": "With `Prefer: wait`: the new job has ended."},
        **refusals(errors.JobNotFound, errors.JobNotEnded),
    },
)
async def retry(
    _: Runner, job: JobInPath, once: OneAnswer, wait: Wait, request: Request
) -> Response:
    """A new job that asks for the same as one that has ended."""

    async def make(work: Work) -> Made:
        return accepted(await jobs.retry_job(work, job))

    return await _waited(once.resources, await once.run(202, make), wait, request)


@router.get(
    "/{job}/events",
    response_class=EventSourceResponse,
    summary="Follow a job",
    responses={
        200: {
            "description": "Server-sent events, until the job has ended.",
            "content": {"text/event-stream": {"example": _STREAM}},
        },
        204: {"description": "The job has ended, and nothing is left to tell."},
        **refusals(errors.JobNotFound),
    },
)
async def events(
    _: Reader,
    job: JobInPath,
    given: Opened,
    last_event_id: Annotated[
        str | None,
        Header(
            alias="Last-Event-ID",
            pattern=r"^[0-9]{1,18}$",
            description="Tell what came after this event.",
        ),
    ] = None,
) -> Response:
    """Each event has a number as `id`, its name as `event` and a JSON object as `data`."""
    await look(given, job)
    after = int(last_event_id or 0)
    if last_event_id is not None:
        left, over = await read(given, job, after)
        if over and not left:
            return Response(status_code=204)
    return EventSourceResponse(_stream(given, job, after), ping=15, sep="\n")


async def _stream(given: Resources, job: UUID, after: int) -> AsyncIterator[ServerSentEvent]:
    async for event in follow(given, job, after):
        data = {"at": event.at.isoformat(), "job": str(job), **event.data}
        text = JSONResponse(data).body
        yield ServerSentEvent(bytes(text).decode(), event=event.type, id=str(event.id))


async def _waited(given: Resources, answer: Answer, wait: int | None, request: Request) -> Response:
    """The answer to a POST that made a job, after waiting for its end where that is preferred."""
    if wait is None:
        return created(answer)
    job_id = UUID(answer.body["id"])
    try:
        job = await wait_for(given, job_id, seconds=wait, known=None, gone=request.is_disconnected)
    except errors.JobNotFound:
        # A replay may tell of a job that was deleted with its migration.
        return created(answer)
    response = created(answer)
    headers = job_headers(job_id) | {_ASKED: f"wait={wait}", "ETag": progress.etag(job)}
    if answer.replayed:
        headers["Idempotency-Replayed"] = response.headers["Idempotency-Replayed"]
    if job.status.ended:
        del headers["Retry-After"]
    return JSONResponse(
        job.model_dump(mode="json"),
        status_code=200 if job.status.ended else answer.status,
        headers=headers,
    )


def _known_tag(header: str | None) -> str | None:
    """The one ETag that this API gives for a job; a list or `*` is compared by its first."""
    if header is None:
        return None
    tag = header.split(",")[0].strip()
    return tag if tag.startswith("W/") else f"W/{tag}"
