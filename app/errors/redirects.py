"""Old addresses and their redirects."""

from __future__ import annotations

from app.errors.problem import Problem
from app.errors.requests import InvalidRequest


class StorefrontUnknown(Problem):
    status = 409
    code = "storefront_unknown"
    title = "It is not known where the public pages of a store are"


class RedirectsNotTaken(Problem):
    status = 409
    code = "redirects_not_taken"
    title = "The target takes no redirects"


class InvalidTable(InvalidRequest):
    code = "invalid_table"
    title = "The table cannot be read"
