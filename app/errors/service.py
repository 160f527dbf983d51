"""The service itself."""

from __future__ import annotations

from app.errors.problem import Problem


class InternalError(Problem):
    status = 500
    code = "internal_error"
    title = "Something went wrong on our side"


class DatabaseUnavailable(Problem):
    status = 503
    code = "database_unavailable"
    title = "The database cannot be used at the moment"


class NotReady(Problem):
    status = 503
    code = "not_ready"
    title = "The service is not ready"
