"""What travels over HTTP: requests, answers and errors in WordPress form."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import msgspec

Doc = dict[str, Any]

# Stored documents carry this origin; answers carry the address that the client called.
SITE = "http://site.invalid"

_encoder = msgspec.json.Encoder(decimal_format="number")
encode = _encoder.encode
decode = msgspec.json.Decoder().decode
_raw = msgspec.json.Decoder(dict[str, msgspec.Raw])


def raw_fields(body: bytes) -> dict[str, msgspec.Raw]:
    """The top level of a JSON object, its values left as bytes."""
    return _raw.decode(body)


class ApiError(Exception):
    """An error as WordPress writes it: `{"code", "message", "data": {"status", …}}`."""

    def __init__(self, status: int, code: str, message: str, **data: Any) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.data: Doc = {"status": status, **data}

    def body(self) -> Doc:
        """The JSON of the error."""
        return {"code": self.code, "message": self.message, "data": self.data}


def invalid(names: str) -> ApiError:
    """The error of parameters that a route does not take."""
    return ApiError(400, "rest_invalid_param", f"Invalid parameter(s): {names}")


class Query:
    """Query parameters as PHP reads them: `a[]=1`, `a[0]=1`, and `a=1,2` for lists."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            head, bracket, _ = name.partition("[")
            if bracket:
                self._values.setdefault(head, []).append(value)
            else:
                self._values[name] = [value]

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def get(self, name: str, default: str = "") -> str:
        """The last value of a parameter."""
        values = self._values.get(name)
        return values[-1] if values else default

    def many(self, name: str) -> list[str]:
        """Every value of a list parameter, commas and blanks split."""
        values = self._values.get(name, [])
        if len(values) == 1:
            return [part for part in values[0].replace(" ", ",").split(",") if part]
        return values

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A parameter read as yes or no."""
        if name not in self._values:
            return default
        return self.get(name).lower() in ("1", "true", "yes")

    def pairs(self) -> list[tuple[str, str]]:
        """Every name with each of its values."""
        return [(name, value) for name, values in self._values.items() for value in values]


@dataclass(slots=True)
class Request:
    """One HTTP request, body read."""

    method: str
    path: str
    raw_query: str
    headers: dict[str, str]
    body: bytes
    query: Query = field(init=False)

    def __post_init__(self) -> None:
        self.query = Query(parse_qsl(self.raw_query, keep_blank_values=True))

    @property
    def host(self) -> str:
        """The host and port the client called."""
        return self.headers.get("host", "localhost")

    @property
    def https(self) -> bool:
        """Whether a proxy in front says that the client spoke https."""
        return self.headers.get("x-forwarded-proto", "").lower() == "https"

    def json(self) -> Doc:
        """The body as an object; an empty body counts as one (as WordPress does)."""
        if not self.body.strip():
            return {}
        try:
            value = decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise ApiError(400, "rest_invalid_json", "Invalid JSON body passed.") from None
        if value == []:
            return {}
        if not isinstance(value, dict):
            raise ApiError(400, "rest_invalid_json", "Invalid JSON body passed.")
        return value


@dataclass(slots=True)
class Answer:
    """One HTTP answer; `count` says how many records a list carries."""

    status: int
    body: bytes
    headers: list[tuple[str, str]] = field(default_factory=list)
    content_type: str = "application/json; charset=UTF-8"
    listed: list[bytes] | None = None


def json_answer(
    value: Any, status: int = 200, headers: list[tuple[str, str]] | None = None
) -> Answer:
    """A value as JSON."""
    return Answer(status, encode(value), headers or [])


def list_answer(items: list[bytes], headers: list[tuple[str, str]]) -> Answer:
    """A list of documents that are JSON already."""
    return Answer(200, b"[" + b",".join(items) + b"]", headers, listed=items)


def html_answer(status: int, text: str, headers: list[tuple[str, str]] | None = None) -> Answer:
    """A page."""
    return Answer(status, text.encode(), headers or [], "text/html; charset=UTF-8")
