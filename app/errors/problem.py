"""What every error of the API is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

TYPE_PREFIX = "urn:recent-sync:problem:"


class Problem(Exception):
    """An answer other than the one hoped for, as problem details (RFC 9457).

    `errors` say where in the request something is wrong, `extra` are further members.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Something went wrong on our side"

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or f"{self.title}."
        self.errors = [dict(each) for each in errors]
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})

    @classmethod
    def at(cls, pointer: str, detail: str) -> Problem:
        """The problem with one place in the body, given as a JSON pointer."""
        return cls(detail, errors=[{"pointer": pointer, "detail": detail}])
