"""Answers that are alike on many routes, and what the API's description says of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi.responses import JSONResponse

from app.errors import Problem
from app.problems import MEDIA_TYPE
from app.schemas.job import JobOut
from app.services.idempotency import Answer


def created(answer: Answer) -> JSONResponse:
    """An answer that may be a replay."""
    headers = dict(answer.headers)
    if answer.replayed:
        headers["Idempotency-Replayed"] = "true"
    return JSONResponse(answer.body, status_code=answer.status, headers=headers)


def job_headers(job: UUID, *, behind: bool = False) -> dict[str, str]:
    """Where to ask for a job, and when."""
    return {"Location": f"/v1/jobs/{job}", "Retry-After": "5" if behind else "1"}


def accepted(job: JobOut) -> tuple[JobOut, dict[str, str]]:
    """A new job, with its headers."""
    return job, job_headers(job.id, behind=job.waiting_for is not None)


def refusals(*problems: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """The part of a route's description that says which problems it answers with."""
    by_status: dict[int | str, dict[str, Any]] = {}
    for problem in problems:
        known = by_status.setdefault(problem.status, {"x-problems": []})
        known["x-problems"].append(problem)
    for known in by_status.values():
        known["description"] = describe(known["x-problems"])
        known["content"] = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        del known["x-problems"]
    return by_status


def describe(problems: list[type[Problem]]) -> str:
    """One line for each code."""
    return "\n".join(f"- `{each.code}`: {each.title}." for each in problems)
