"""Who asks: API keys and what they may do."""

from __future__ import annotations

from app.errors.problem import Problem
from app.errors.requests import InvalidRequest, NotFound


class Unauthorized(Problem):
    status = 401
    code = "unauthorized"
    title = "No valid API key was given"


class KeyExpired(Unauthorized):
    code = "key_expired"
    title = "The API key has expired"


class MissingScope(Problem):
    status = 403
    code = "missing_scope"
    title = "The API key lacks a scope"


class ApiKeyNotFound(NotFound):
    code = "api_key_not_found"
    title = "There is no such API key"


class InvalidExpiry(InvalidRequest):
    code = "invalid_expiry"
    title = "This expiry cannot be used"
