"""Old paths that lead to new ones in a store, for good."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
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


class NotTaken(Exception):
    """A store takes no redirects, though others of its platform do. The message is a sentence for
    a person.
    """


@runtime_checkable
class TakesRedirects(Protocol):
    """What a target has besides, where its platform can redirect old paths for good."""

    @property
    def redirects_at_once(self) -> int:
        """How many go well into one call of `redirect`; more may be given."""
        ...

    async def check_redirects(self) -> None:
        """Prove that the store lets us redirect; `check` does not ask for that. Raises
        `StoreError`, `SignInAgain` where a permission is missing, and `NotTaken`.
        """
        ...

    async def redirect(self, redirects: Sequence[Redirect]) -> list[Redirected]:
        """Redirect paths permanently; one answer each, in order.

        What is seen to stand there is never overwritten. Raises `StoreError` where it is not known
        what became of one; others may have been made. Call again then: what stands is kept.
        """
        ...


# --- pure: what cannot be redirected as it is given ----------------------------------------------

_PATH = re.compile(r"/(?!/)[^\s?#\\\x00-\x1f]*")
_TARGET = re.compile(r"/(?!/)[^\s\\\x00-\x1f]*")


def plain(path: str) -> str:
    """A path without a slash behind it, and without a query."""
    return re.split(r"[?#]", path, maxsplit=1)[0].rstrip("/") or "/"


def same_target(one: str, other: str) -> bool:
    """Whether two targets lead to the same place; what follows the path counts."""
    return one.rstrip("/") == other.rstrip("/")


def refusals(
    redirects: Iterable[Redirect], key: Callable[[str], str], is_fixed: Callable[[str], bool]
) -> dict[str, str]:
    """Codes of what cannot be redirected as it is given, by the key of its path.

    `key` is what two spellings of one path have in common on the platform; `is_fixed` says of a
    key that the platform never redirects it.
    """
    targets: defaultdict[str, list[str]] = defaultdict(list)
    for each in redirects:
        # A path that is none leads nowhere.
        targets[key(each.path)].append(each.target if _PATH.fullmatch(each.path) else "")
    leads = {path: key(found[0]) for path, found in targets.items()}
    codes = {
        path: "path_invalid" if is_fixed(path) else _code(path, found, leads)
        for path, found in targets.items()
    }
    return {path: code for path, code in codes.items() if code}


def _code(path: str, targets: Sequence[str], leads: Mapping[str, str]) -> str:
    if not all(_TARGET.fullmatch(each) for each in targets):
        return "path_invalid"
    if not all(same_target(each, targets[0]) for each in targets):
        return "path_ambiguous"
    if leads[path] not in leads:
        return ""
    return "redirect_loop" if _comes_back(path, leads) else "redirect_chain"


def _comes_back(path: str, leads: Mapping[str, str]) -> bool:
    at, seen = leads[path], set[str]()
    while at in leads and at not in seen and at != path:
        seen.add(at)
        at = leads[at]
    return at == path
