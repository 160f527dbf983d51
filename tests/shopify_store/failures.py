"""User errors: what a mutation refuses, in the words of its own payload."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from tests.shopify_store.fields import Ask, Doc, Resolver, resolves


class Refusal(Exception):
    """One user error. `code` is left out of payloads whose errors have none."""

    def __init__(self, message: str, *path: str, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.path = list(path) or None
        self.code = code

    def told(self) -> Doc:
        """The entry of `userErrors`."""
        return {"field": self.path, "message": self.message, "code": self.code}


def mutation(name: str, *results: str) -> Callable[[Callable[..., Doc]], Resolver]:
    """Register a mutation; a refusal leaves its results null and changes nothing.

    The function checks before it changes. `results` are the payload's fields beside the errors.
    """

    def register(act: Callable[[Ask, Doc], Doc]) -> Resolver:
        @wraps(act)
        def resolver(ask: Ask, _: Any, arguments: Doc) -> Doc:
            try:
                return {"userErrors": [], **act(ask, arguments)}
            except Refusal as refusal:
                return {**dict.fromkeys(results), "userErrors": [refusal.told()]}

        return resolves("Mutation", name)(resolver)

    return register
