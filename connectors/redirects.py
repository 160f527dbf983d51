"""Old paths that lead to new ones in a store, for good."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol, runtime_checkable

from msgspec import Struct


class Redirect(Struct, frozen=True):
    """An old path, and what answers in its place: a path, with or without a query. Both begin with
    one slash; the store's own address is no part of them.
    """

    path: str
    target: str


class RedirectState(StrEnum):
    """What stands at an old path: a new redirect, the same one as before, or not what was asked."""

    MADE = "made"
    KEPT = "kept"
    REFUSED = "refused"


class Redirected(Struct, frozen=True, kw_only=True):
    """What became of one redirect; `path` as it was given. `code` is empty unless it was refused.

    The codes:

    - `path_invalid`: not a path, or one that the platform never redirects;
    - `path_ambiguous`: given more than once, with several targets;
    - `path_live`: a page of the store answers there;
    - `redirect_differs`: a redirect to another place stands there, and stays;
    - `redirect_loop`, `redirect_chain`: it would lead back, or need more than one redirect, by
      what was given or by what stands in the store;
    - another one: the store's own refusal.
    """

    path: str
    state: RedirectState
    code: str = ""


@runtime_checkable
class TakesRedirects(Protocol):
    """What a target has besides, where its platform can redirect old paths for good."""

    @property
    def redirects_at_once(self) -> int:
        """How many go well into one call of `redirect`; more may be given."""
        ...

    async def check_redirects(self) -> None:
        """Prove that the store lets us redirect; `check` does not ask for that. Raises
        `StoreError`, `SignInAgain` where a permission is missing.
        """
        ...

    async def redirect(self, redirects: Sequence[Redirect]) -> list[Redirected]:
        """Redirect paths permanently; one answer each, in order.

        What is seen to stand there is never overwritten. Raises `StoreError` where it is not known
        what became of one; others may have been made. Call again then: what stands is kept.
        """
        ...
