"""The report of a demo."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import HTMLResponse, JSONResponse

from app import errors
from app.routes.answers import refusals
from app.routes.dependencies import OneTransaction, Reader
from app.routes.guard import GuardedRoute
from app.routes.jobs import JobInPath
from app.schemas.mapping_report import MappingReportOut
from app.services.mapping_report import mapping_report
from app.web.pages import page

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=GuardedRoute)

HTML = "text/html"


@router.get(
    "/{job}/report",
    response_model=MappingReportOut,
    summary="Get the report of a demo",
    responses={
        200: {
            "description": "The report, as JSON or as one page of HTML.",
            "content": {HTML: {"schema": {"type": "string"}}},
        },
        **refusals(errors.JobNotFound, errors.ReportNotFound),
    },
)
async def report(
    *,
    _: Reader,
    job: JobInPath,
    work: OneTransaction,
    given: Annotated[
        Literal["json", "html"] | None,
        Query(alias="format", description="Instead of what `Accept` prefers."),
    ] = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """What mapping made of the sample: fields that were kept, changed, dropped and defaulted, what
    the target cannot keep, custom fields, and what each rule did. While the job runs it grows.
    """
    found = await mapping_report(work.session, job)
    headers = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Accept"}
    if given == "html" or (given is None and accept.lower().startswith(HTML)):
        return HTMLResponse(page("mapping_report", report=found), headers=headers)
    return JSONResponse(found.model_dump(mode="json"), headers=headers)
