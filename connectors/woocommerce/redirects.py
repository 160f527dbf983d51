"""Redirects of old paths, which the add-on keeps: WordPress itself has none.

The add-on leads on where WordPress finds no page, so that a redirect hides nothing. What stands in
the store is decided there, one request after the other; what was given here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote

from connectors.errors import SignInAgain
from connectors.redirects import (
    NotTaken,
    Redirect,
    Redirected,
    RedirectState,
    plain,
    refusals,
)
from connectors.woocommerce.addon import Addon, Hindrance, Said

AT_ONCE = 200
"""The most that the add-on takes in one request."""

_RESERVED = re.compile(r"/(wp-admin|wp-login\.php|wp-json)(/.*)?", re.IGNORECASE | re.DOTALL)
_CODES = frozenset(
    {
        *("", "path_invalid", "path_ambiguous", "path_live"),
        *("redirect_differs", "redirect_loop", "redirect_chain"),
    }
)


class Redirects:
    """Makes redirects on one store that has the add-on. Everything here may be asked for twice."""

    def __init__(self, addon: Addon) -> None:
        self._addon = addon

    async def check(self) -> None:
        """Prove that the add-on takes redirects from us. Raises `NotTaken`, `StoreError`."""
        status = await self._addon.status()
        if status is Hindrance.FORBIDDEN:
            raise SignInAgain("the key's user may not use the store's add-on")
        if isinstance(status, Hindrance):
            raise NotTaken(
                "WooCommerce takes redirects by the add-on alone, which cannot be used here"
                f" ({status}): `store check` says why."
            )
        if not status.redirects:
            raise NotTaken(
                "The store's add-on is of an earlier release, which takes no redirects: replace"
                " its files."
            )
        # One that holds none proves that the key may write.
        await self._addon.redirect([])

    async def make(self, redirects: Sequence[Redirect]) -> list[Redirected]:
        """One answer each, in order. Raises `StoreError` where it is not known what became of
        one.
        """
        codes = refusals(redirects, key, _is_reserved)
        answers = {path: Said(RedirectState.REFUSED, code) for path, code in codes.items()}
        wanted = {key(each.path): each for each in redirects if key(each.path) not in answers}
        paths = list(wanted)
        for start in range(0, len(paths), AT_ONCE):
            some = paths[start : start + AT_ONCE]
            said = await self._addon.redirect([wanted[each] for each in some])
            answers |= dict(zip(some, said, strict=True))
        return [_told(each.path, answers[key(each.path)]) for each in redirects]


def key(path: str) -> str:
    """What two spellings of one path have in common: decoded, and without a slash behind it."""
    return unquote(plain(path)).rstrip("/") or "/"


def _is_reserved(path: str) -> bool:
    return _RESERVED.fullmatch(path) is not None


def _told(path: str, said: Said) -> Redirected:
    code = said.code if said.code in _CODES else "store_rejected"
    return Redirected(path=path, state=said.state, code=code)
