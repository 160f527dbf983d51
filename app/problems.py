"""Problem details (RFC 9457): from an exception to an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import asyncpg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from app import errors
from app.errors import Problem

MEDIA_TYPE = "application/problem+json"
_LONGEST_POINTER = 200
_BUSY_STATES = {"40001", "40P01"}
_PLAIN = {
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    413: errors.BodyTooLarge,
    415: errors.UnsupportedMediaType,
}


class ProblemResponse(JSONResponse):
    media_type = MEDIA_TYPE


def document(problem: Problem, request_id: str) -> dict[str, Any]:
    """The members of a problem's answer."""
    members: dict[str, Any] = {
        "type": errors.TYPE_PREFIX + problem.code,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "instance": f"urn:recent-sync:request:{request_id}",
        "request_id": request_id,
    }
    if problem.errors:
        members["errors"] = problem.errors
    return members | problem.extra


def answer(problem: Problem) -> ProblemResponse:
    """The response to a problem, named after the request that is being answered."""
    request_id = str(structlog.contextvars.get_contextvars().get("request_id", ""))
    return ProblemResponse(
        document(problem, request_id), status_code=problem.status, headers=problem.headers
    )


def unexpected(error: Exception) -> Problem:
    """The problem behind an exception nobody expected: ours, or the database's."""
    if _is_database(error):
        return errors.DatabaseUnavailable(headers={"Retry-After": "5"})
    return errors.InternalError("Something went wrong on our side; the log has this request's id.")


def _is_database(error: Exception) -> bool:
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", None) or ""
        # Class 08 and 57 are lost and refused connections, 53 a server at its limits.
        return (
            error.connection_invalidated
            or state[:2] in {"08", "53", "57"}
            or state in _BUSY_STATES
            or isinstance(error.orig, OSError)
        )
    # Connecting fails with the driver's own exceptions.
    known = (PoolTimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
    return isinstance(error, known)


def install(app: FastAPI, methods_at: Callable[[str], Iterable[str]]) -> None:
    """Make every refusal of the framework and of the services a problem.

    `methods_at` tells which methods an address takes: the framework names those of one route.
    """

    async def on_problem(_: Request, problem: Problem) -> ProblemResponse:
        return answer(problem)

    async def on_invalid(_: Request, error: RequestValidationError) -> ProblemResponse:
        return answer(invalid(error))

    async def on_http(request: Request, error: HTTPException) -> ProblemResponse:
        kind = _PLAIN.get(error.status_code, errors.InvalidHttp)
        headers = dict(error.headers or {})
        if kind is errors.MethodNotAllowed:
            allowed = ", ".join(sorted(methods_at(request.url.path)))
            headers = {"Allow": allowed or headers.get("Allow", "GET")}
        return answer(kind(headers=headers))

    app.add_exception_handler(Problem, on_problem)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, on_invalid)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, on_http)  # type: ignore[arg-type]


def invalid(error: RequestValidationError) -> errors.InvalidRequest:
    """What is wrong where, without what was sent."""
    return errors.InvalidRequest(errors=[_place(each) for each in error.errors()])


def _place(each: dict[str, Any]) -> dict[str, str]:
    where, *path = each["loc"]
    if path and path[-1] == "[key]":
        # The name of a member is wrong, not its value.
        path.pop()
    detail = str(each["msg"]).removeprefix("Value error, ")
    if where == "body":
        return {"pointer": pointer(path), "detail": detail}
    return {"in": str(where), "parameter": "/".join(map(str, path)), "detail": detail}


def pointer(path: list[Any]) -> str:
    """A JSON pointer (RFC 6901), cut where a caller's own key would make it absurd."""
    parts = [str(part).replace("~", "~0").replace("/", "~1") for part in path]
    return "".join(f"/{part}" for part in parts)[:_LONGEST_POINTER]
