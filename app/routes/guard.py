"""What is looked at before a request is taken apart: who asks, and whether the body can be read."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Coroutine
from email.message import Message
from typing import Any

import structlog
from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from app.errors import InvalidEncoding, InvalidJson, InvalidRequest, Unauthorized
from app.errors import UnsupportedMediaType as WrongMediaType
from app.problems import pointer
from app.resources import Resources
from app.services.api_keys import recognise

_DEEPEST = 32
_INT64 = 2**63


class GuardedRoute(APIRoute):
    """A route that wants an API key, and a body that PostgreSQL can keep."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, behind the guard."""
        handle = super().get_route_handler()
        known = _query_names(self.dependant)

        async def guarded(request: Request) -> Response:
            _name_in_log(request)
            # First of all, so that a stranger learns nothing about bodies.
            resources: Resources = request.app.state.resources
            request.state.caller = await recognise(resources.engine, _bearer(request))
            _refuse_unknown(request, known)
            if self.body_field is not None:
                check_body(request.headers.get("content-type"), await request.body())
            return await handle(request)

        return guarded


def _query_names(dependant: Dependant) -> set[str]:
    """The query parameters of a route and of all it depends on."""
    own = {each.alias for each in dependant.query_params}
    return own.union(*(_query_names(each) for each in dependant.dependencies))


def _refuse_unknown(request: Request, known: set[str]) -> None:
    """A filter that is misspelt must not silently let everything through."""
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        raise InvalidRequest(
            errors=[
                {"in": "query", "parameter": name[:100], "detail": "There is no such parameter."}
                for name in dict.fromkeys(unknown[:10])
            ]
        )


def _name_in_log(request: Request) -> None:
    names = {"job": "job_id", "migration": "migration", "store": "store"}
    given = {names[name]: each for name, each in request.path_params.items() if name in names}
    structlog.contextvars.bind_contextvars(**given)


def _bearer(request: Request) -> str:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not credentials.strip():
        raise Unauthorized(
            "Send an API key as `Authorization: Bearer rs_...`.",
            headers={"WWW-Authenticate": 'Bearer realm="recent-sync"'},
        )
    return credentials.strip()


def check_body(content_type: str | None, body: bytes) -> None:
    """Raise `UnsupportedMediaType`, `InvalidEncoding`, `InvalidJson` or `InvalidRequest`."""
    if not body:
        return
    if not _is_json(content_type):
        raise WrongMediaType
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise InvalidEncoding(f"Byte {error.start} begins no character of UTF-8.") from None
    _check_values(_parsed(text))


def _is_json(content_type: str | None) -> bool:
    message = Message()
    message["content-type"] = content_type or ""
    subtype = message.get_content_subtype()
    is_application = message.get_content_maintype() == "application"
    return is_application and (subtype == "json" or subtype.endswith("+json"))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant, parse_int=_bounded)
    except json.JSONDecodeError as error:
        where = f"Line {error.lineno}, column {error.colno}: {error.msg}."
        raise InvalidJson(where) from None
    except RecursionError:
        raise InvalidJson("The body is nested too deeply.") from None


def _refuse_constant(name: str) -> None:
    raise InvalidJson(f"JSON has no {name}.")


def _bounded(digits: str) -> int:
    # A number of thousands of digits is not even worth converting.
    if len(digits) > len(str(_INT64)) or not -_INT64 <= int(digits) < _INT64:
        raise InvalidRequest("A whole number in the body is larger than 64 bits.")
    return int(digits)


def _check_values(document: Any) -> None:
    """Walk through everything; what PostgreSQL cannot keep is refused here, once for all."""
    waiting: list[tuple[list[Any], Any]] = [([], document)]
    while waiting:
        path, value = waiting.pop()
        if len(path) > _DEEPEST:
            raise InvalidJson("The body is nested too deeply.")
        if isinstance(value, dict):
            for name, each in value.items():
                _check_text([*path, "?"], name)
                waiting.append(([*path, name], each))
        elif isinstance(value, list):
            waiting.extend(([*path, number], each) for number, each in enumerate(value))
        elif isinstance(value, str):
            _check_text(path, value)
        elif isinstance(value, float) and not math.isfinite(value):
            raise _refused(path, "This number is too large.")


def _check_text(path: list[Any], text: str) -> None:
    if "\0" in text:
        raise _refused(path, "Text must not hold the character NUL.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _refused(path, "Text must not hold half a surrogate pair.") from None


def _refused(path: list[Any], detail: str) -> InvalidRequest:
    return InvalidRequest(errors=[{"pointer": pointer(path), "detail": detail}])
