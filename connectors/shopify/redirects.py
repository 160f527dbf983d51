"""Redirects of old paths, one by one.

Shopify can import a file of them as well. An import overwrites what stands at a path and answers
with no more than how many it made, so that nobody could tell what became of which.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from connectors.concurrency import together
from connectors.errors import BadAnswer
from connectors.redirects import Redirect, Redirected, RedirectState
from connectors.shopify.api import Api
from connectors.shopify.changing import RefusedInput, change
from connectors.shopify.documents_redirects import LIVE_PAGES, REDIRECT, REDIRECTS
from connectors.shopify.finding import quoted
from connectors.shopify.paths import key, page_of, plain, refusals, same_target
from connectors.shopify.wire import Nodes, Wire, WireCount

_AT_ONCE = 20
_HIDDEN = frozenset({"ARCHIVED", "DRAFT"})


class _Row(Wire):
    path: str
    target: str


class _Shown(Wire):
    """A product or a collection, which has no status."""

    status: str | None = None
    resource_publications_count: WireCount | None = None

    @property
    def is_live(self) -> bool:
        channels = self.resource_publications_count
        return self.status not in _HIDDEN and channels is not None and channels.count > 0


class _Held(NamedTuple):
    """Redirects of the store that touch some paths: targets by path, and paths they lead to."""

    targets: dict[str, str]
    led_to: frozenset[str]


class _Answer(NamedTuple):
    state: RedirectState
    code: str = ""


_MADE = _Answer(RedirectState.MADE)
_KEPT = _Answer(RedirectState.KEPT)


def _refused(code: str) -> _Answer:
    return _Answer(RedirectState.REFUSED, code)


class Redirects:
    """Makes redirects on one store. Everything here may be asked for twice."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def make(self, redirects: Sequence[Redirect]) -> list[Redirected]:
        """One answer each, in order. Raises `StoreError` where it is not known what became of one.

        A look-up goes before each twenty. A store finds what it has just made after a moment only:
        a redirect that it refuses for that reason is `kept` when it is asked for again.
        """
        answers = {path: _refused(code) for path, code in refusals(redirects).items()}
        wanted = {key(e.path): e for e in redirects if key(e.path) not in answers}
        paths = list(wanted)
        for start in range(0, len(paths), _AT_ONCE):
            some = [wanted[each] for each in paths[start : start + _AT_ONCE]]
            held = await self._held(some)
            made = await together([self._one(each, held) for each in some])
            answers |= {key(each.path): answer for each, answer in zip(some, made, strict=True)}
        found = [(each.path, answers[key(each.path)]) for each in redirects]
        return [Redirected(path=path, state=each.state, code=each.code) for path, each in found]

    async def _one(self, redirect: Redirect, held: _Held) -> _Answer:
        path, there = key(redirect.path), held.targets.get(key(redirect.path))
        if await self._is_live(redirect.path):
            return _refused("path_live")
        if there is not None and not same_target(there, redirect.target):
            return _refused("redirect_differs")
        if key(redirect.target) in held.targets:
            return _refused("redirect_chain")
        if there is not None:
            return _KEPT
        if path in held.led_to:
            return _refused("redirect_chain")
        return await self._create(redirect)

    async def _create(self, redirect: Redirect) -> _Answer:
        body = {"path": plain(redirect.path), "target": redirect.target}
        try:
            await change(self._api, REDIRECT, {"redirect": body})
        except RefusedInput as error:
            # It may be there: by an answer that was lost, or by somebody else.
            there = (await self._held([redirect])).targets.get(key(redirect.path))
            if there is None:
                return _refused(error.code)
            return _KEPT if same_target(there, redirect.target) else _refused("redirect_differs")
        return _MADE

    async def _is_live(self, path: str) -> bool:
        """Whether a product or a collection answers at a path, on whatever channel it is."""
        page = page_of(path)
        if page is None:
            return False
        asked = {"handle": page.handle}
        answer = await self._api.ask(LIVE_PAGES, dict[str, _Shown | None], asked)
        found = answer[page.kind]
        return found is not None and found.is_live

    async def _held(self, redirects: Sequence[Redirect]) -> _Held:
        """Redirects at these paths, at their targets, and to these paths."""
        rows = await self._rows(" OR ".join(dict.fromkeys(_terms(redirects))))
        return _Held(
            {key(each.path): each.target for each in rows},
            frozenset(key(each.target) for each in rows),
        )

    async def _rows(self, search: str) -> list[_Row]:
        rows: list[_Row] = []
        after: str | None = None
        while True:
            asked = {"search": search, "after": after}
            page = (await self._api.ask(REDIRECTS, dict[str, Nodes[_Row]], asked))["urlRedirects"]
            rows += page.nodes
            if not page.page_info.has_next_page:
                return rows
            if page.page_info.end_cursor in (None, after):
                raise BadAnswer("a list of redirects has no end", code="store_repeats_page")
            after = page.page_info.end_cursor


def _terms(redirects: Sequence[Redirect]) -> list[str]:
    found = []
    for each in redirects:
        path, target = quoted(plain(each.path)), quoted(plain(each.target))
        found += [f"path:{path}", f"path:{target}", f"target:{path}"]
    return found
