"""Stores, and what they answer."""

from __future__ import annotations

from app.errors.problem import Problem
from app.errors.requests import InvalidRequest, NotFound


class StoreNotFound(NotFound):
    code = "store_not_found"
    title = "There is no such store"


class StoreExists(Problem):
    status = 409
    code = "store_exists"
    title = "A store of this name exists"


class StoreInUse(Problem):
    status = 409
    code = "store_in_use"
    title = "A migration uses this store"


class UnknownPlatform(InvalidRequest):
    code = "unknown_platform"
    title = "No connector of this platform is installed"


class InvalidStoreSettings(InvalidRequest):
    code = "invalid_store_settings"
    title = "Settings or credentials do not fit the platform"


class UnknownStore(InvalidRequest):
    code = "unknown_store"
    title = "There is no store of this name or id"


class StoreCannot(InvalidRequest):
    """A platform that cannot be read, cannot be written, or does not know a stream."""

    code = "store_cannot"
    title = "The platform cannot do what the migration needs"


class StoreFailed(Problem):
    """A store did not do what it was asked for. `store` says which one, `store_code` why."""

    status = 502
    code = "store_failed"
    title = "A store could not be asked"


class StoreTooSlow(Problem):
    status = 504
    code = "store_too_slow"
    title = "A store did not answer in time"
