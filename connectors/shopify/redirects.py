"""Redirects of old paths: a few one by one, many by an import of a file.

An import overwrites what stands at a path and answers with no more than how many it made. So only
paths are imported at which nothing stands. That is looked up once more right before, together with
the newest redirects of all, and what became of each is read from the store afterwards. What another
makes within that last second is overwritten all the same: Shopify has no import that leaves it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from connectors.concurrency import together
from connectors.errors import BadAnswer, TryLater
from connectors.redirects import Redirect, Redirected, RedirectState
from connectors.shopify.api import Api
from connectors.shopify.changing import RefusedInput, change
from connectors.shopify.documents_redirects import LIVE_PAGES, NEWEST, REDIRECT, REDIRECTS
from connectors.shopify.finding import quoted
from connectors.shopify.importing import Import, Importer, NoImportError
from connectors.shopify.paths import key, page_of, plain, refusals, same_target
from connectors.shopify.wire import Nodes, Wire, WireCount

AT_ONCE = 250
"""Redirects that one import is made of. Each import takes seconds, whatever is in it."""

_LOOKED_UP = 20
_FEW = 20
# Seconds before each look at what was imported: a search sees it after a moment.
_SEEN = (0.0, 1.0, 2.0, 4.0)
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

    def __init__(self, api: Api, importer: Importer) -> None:
        self._api = api
        self._importer = importer

    async def make(self, redirects: Sequence[Redirect]) -> list[Redirected]:
        """One answer each, in order. Raises `StoreError` where it is not known what became of one.

        A look-up goes before. A store finds what it has just made after a moment only: a redirect
        that it refuses for that reason is `kept` when it is asked for again.
        """
        answers = {path: _refused(code) for path, code in refusals(redirects).items()}
        wanted = {key(e.path): e for e in redirects if key(e.path) not in answers}
        paths = list(wanted)
        for start in range(0, len(paths), AT_ONCE):
            some = [wanted[each] for each in paths[start : start + AT_ONCE]]
            answers |= await self._some(some)
        found = [(each.path, answers[key(each.path)]) for each in redirects]
        return [Redirected(path=path, state=each.state, code=each.code) for path, each in found]

    async def _some(self, redirects: Sequence[Redirect]) -> dict[str, _Answer]:
        """Answers by the key of the path, for as many as one import may hold."""
        held = await self._held(redirects)
        live = await together([self._is_live(each.path) for each in redirects])
        answers: dict[str, _Answer] = {}
        for each, is_live in zip(redirects, live, strict=True):
            said = _refused("path_live") if is_live else _standing(each, held)
            if said is not None:
                answers[key(each.path)] = said
        free = [each for each in redirects if key(each.path) not in answers]
        if len(free) > _FEW:
            answers |= await self._import(free)
        left = [each for each in free if key(each.path) not in answers]
        made = await together([self._create(each) for each in left])
        return answers | {key(each.path): answer for each, answer in zip(left, made, strict=True)}

    async def _import(self, redirects: Sequence[Redirect]) -> dict[str, _Answer]:
        """Answers by an import; those that have to be made one by one are left out.

        Raises `TryLater` where the store shows less than it says to have imported, and
        `StoreError`.
        """

        async def still_free() -> bool:
            seen, newest = await together([self._search(redirects), self._newest()])
            held = _holding([*seen, *newest])
            return all(_standing(each, held) is None for each in redirects)

        try:
            done = await self._importer.run(redirects, still_free)
        except NoImportError:
            return {}
        if done is None:
            return {}
        return await self._imported(redirects, done)

    async def _imported(self, redirects: Sequence[Redirect], done: Import) -> dict[str, _Answer]:
        """What stands at each path after an import. What it failed at is left out: one by one the
        store says why.
        """
        targets: dict[str, str] = {}
        for pause in _SEEN:
            await self._api.http.pause(pause)
            targets = (await self._held(redirects)).targets
            unseen = sum(1 for each in redirects if key(each.path) not in targets)
            if done.is_whole or unseen <= (done.failed_count or 0):
                break
        else:
            raise TryLater(
                "the store does not show yet what it has imported",
                after=30.0,
                code="store_importing",
            )
        answers = {}
        for each in redirects:
            there = targets.get(key(each.path))
            if there is not None:
                same = same_target(there, each.target)
                answers[key(each.path)] = _MADE if same else _refused("redirect_differs")
            elif done.is_whole:
                answers[key(each.path)] = _MADE
        return answers

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
        return _holding(await self._search(redirects))

    async def _search(self, redirects: Sequence[Redirect]) -> list[_Row]:
        parts = [
            redirects[start : start + _LOOKED_UP] for start in range(0, len(redirects), _LOOKED_UP)
        ]
        searches = [" OR ".join(dict.fromkeys(_terms(each))) for each in parts]
        return [row for some in await together(map(self._rows, searches)) for row in some]

    async def _newest(self) -> list[_Row]:
        """Of all redirects, whatever they are of."""
        return (await self._api.ask(NEWEST, dict[str, Nodes[_Row]]))["urlRedirects"].nodes

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


def _holding(rows: Sequence[_Row]) -> _Held:
    return _Held(
        {key(each.path): each.target for each in rows},
        frozenset(key(each.target) for each in rows),
    )


def _standing(redirect: Redirect, held: _Held) -> _Answer | None:
    """The answer where what stands in the store gives one; None where the path is free."""
    path, there = key(redirect.path), held.targets.get(key(redirect.path))
    if there is not None and not same_target(there, redirect.target):
        return _refused("redirect_differs")
    if key(redirect.target) in held.targets:
        return _refused("redirect_chain")
    if there is not None:
        return _KEPT
    return _refused("redirect_chain") if path in held.led_to else None


def _terms(redirects: Sequence[Redirect]) -> list[str]:
    found = []
    for each in redirects:
        path, target = quoted(plain(each.path)), quoted(plain(each.target))
        found += [f"path:{path}", f"path:{target}", f"target:{path}"]
    return found
