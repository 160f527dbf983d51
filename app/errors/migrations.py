"""Migrations, and waivers of their checks."""

from __future__ import annotations

from app.errors.problem import Problem
from app.errors.requests import InvalidRequest, NotFound


class MigrationNotFound(NotFound):
    code = "migration_not_found"
    title = "There is no such migration"


class MigrationExists(Problem):
    status = 409
    code = "migration_exists"
    title = "A migration of this slug exists"


class StoresPaired(Problem):
    status = 409
    code = "stores_paired"
    title = "A migration between these two stores exists"


class SameStore(InvalidRequest):
    code = "same_store"
    title = "Source and target are one store"


class StreamNotInScope(InvalidRequest):
    code = "stream_not_in_scope"
    title = "The stream is not in the migration's scope"


class InvalidPlan(InvalidRequest):
    code = "invalid_plan"
    title = "Nothing can be planned for these moments"


class WaiverNotFound(NotFound):
    code = "waiver_not_found"
    title = "There is no such waiver"
