"""Which public pages the checks of addresses look at, and what became of the visits.

The most visited come first, then what changed, then what was drawn; behind a number no more are
looked at, and the words of the sample say so. All checks share the visits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

from pydantic import BaseModel

from app.database import autocommit
from app.redirects.paths import key
from app.services.old_paths import Kept, kept_paths
from connectors.pages import PAGED, page_paths, page_rules
from connectors.records import Stream
from connectors.robots import Robots
from connectors.storefront import Storefront, Visit, open_storefront
from workers.checks.base import Findings, Ground, Outcome, State, skipped

MOST_PAGES = 1000
"""Pages that are visited, unless the migration's thresholds say otherwise."""

MOST_VISITED = 200
"""The most visited old paths are looked at whether they are in a sample or not."""

_AT_ONCE = 8
_LOCKED = "/password"


class Page(NamedTuple):
    """An old path, and the path that should answer in its place: None where the target has no
    public page of the record. An added redirect is of no record.
    """

    old: str
    new: str | None
    visits: int
    changed: bool
    stream: Stream | None = None
    source_id: str | None = None
    target_id: str | None = None


class Sight(NamedTuple):
    """What visitors see at the old path: on the new shop, and, where that led to the right page,
    on the old shop.
    """

    page: Page
    visit: Visit
    before: Visit | None = None

    @property
    def arrived(self) -> bool:
        """Whether the visit ended on the page that it should."""
        return self.visit.found and self.is_at(self.visit.url)

    def is_at(self, url: str) -> bool:
        """Whether an address is that of the record's page."""
        return self.page.new is not None and key(urlsplit(url).path) == key(
            self.page.new.partition("?")[0]
        )


@dataclass(slots=True)
class Sights:
    """All visits. `why` is set where none could be made: a sentence. `robots` are both shops'."""

    seen: list[Sight] = field(default_factory=list)
    total: int = 0
    words: str = ""
    why: str = ""
    closed: bool = False
    old_robots: Robots | None = None
    new_robots: Robots | None = None

    def refused(self) -> Outcome | None:
        """The outcome of a check that has nothing to look at; None where it has."""
        if self.closed:
            return Outcome(state=State.UNKNOWN, summary=self.why)
        return skipped(self.why) if self.why else None

    def findings(self) -> Findings:
        """Findings of a check that looks at all of them."""
        found = Findings()
        found.looked_at(sum(each.visit.told for each in self.seen), self.total, self.words)
        return found

    def outcome(self, found: Findings, good: str, bad: str) -> Outcome:
        """As `Findings.outcome`; where nothing was found, and some pages have not answered,
        nobody knows.
        """
        silent = sum(not each.visit.told for each in self.seen)
        outcome = found.outcome(good, bad)
        if found.count or not silent:
            return outcome
        text = f"{silent:,} of {len(self.seen):,} pages of the new shop did not answer."
        return Outcome(
            state=State.UNKNOWN,
            summary=text,
            examined=found.examined,
            total=found.total,
            sample=outcome.sample,
        )


async def sights(ground: Ground) -> Sights:
    """Visit the pages, once for all checks. Raises `StoreError` where the stores' APIs do."""
    known = ground.memo.get("pages")
    if not isinstance(known, Sights):
        known = ground.memo["pages"] = await _look(ground)
    return known


async def _look(ground: Ground) -> Sights:
    stores = ground.stores
    old = open_storefront(stores.source_access.settings)
    new = open_storefront(stores.target_access.settings)
    if old is None or new is None:
        side = "source" if old is None else "target"
        return Sights(why=f"It is not known where visitors see the {side}: set its storefront_url.")
    pages, words = await _pages(ground)
    if not pages:
        return Sights(why=words or "No record has a public page on the source.")
    async with old, new:
        closed = await _closed(new, stores.target_access.settings)
        if closed:
            return Sights(why=closed, closed=True)
        most = int(ground.threshold("urls.answer", "pages", MOST_PAGES))
        chosen = sorted(pages, key=lambda each: (-each.visits, not each.changed))[:most]
        gate = asyncio.Semaphore(_AT_ONCE)
        seen = await asyncio.gather(*[_visit(each, old, new, gate) for each in chosen])
        if len(chosen) < len(pages):
            words += f"; of these {len(pages):,} the {len(chosen):,} most visited and newest"
        return Sights(seen, len(pages), words, "", False, await old.robots(), await new.robots())


async def _closed(shop: Storefront, settings: BaseModel) -> str:
    """Why no visitor gets in, as a sentence; empty where they do."""
    home = await shop.visit(urlsplit(page_rules(settings).base).path or "/")
    if urlsplit(home.url).path.rstrip("/").endswith(_LOCKED):
        return "The new shop asks its visitors for a password: take it off, then check again."
    if not home.told:
        what = f"status {home.status}" if home.status else home.trouble
        return f"The new shop does not let visitors in ({what})."
    return ""


async def _visit(page: Page, old: Storefront, new: Storefront, gate: asyncio.Semaphore) -> Sight:
    async with gate:
        sight = Sight(page, await new.visit(page.old))
        if not sight.arrived:
            return sight
        return sight._replace(before=await old.visit(page.old))


async def _pages(ground: Ground) -> tuple[list[Page], str]:
    """All pages that may be looked at, and the words of the samples they are from."""
    async with autocommit(ground.engine) as connection:
        kept = await kept_paths(connection, ground.migration)
    visits: dict[str, int] = {}
    for path, count in kept.visits.items():
        visits[key(path)] = visits.get(key(path), 0) + count
    found = [
        Page(each.path, each.target, visits.get(key(each.path), 0), changed=True)
        for each in kept.own
    ]
    added = {key(each.old) for each in found}
    words = [f"{len(found):,} added redirects"] if found else []
    for stream in [each for each in PAGED if each in ground.streams]:
        pages, word = await _of_stream(ground, stream, _heavy(kept, stream, visits), visits)
        found += [each for each in pages if key(each.old) not in added]
        words.append(word)
    return found, "; ".join(words)


def _heavy(kept: Kept, stream: Stream, visits: dict[str, int]) -> dict[str, str]:
    """Target ids by source id of the records whose old pages are visited most."""
    heaviest = sorted(kept.links, key=lambda each: -visits.get(key(each.old), 0))[:MOST_VISITED]
    return {
        each.source_id: each.target_id
        for each in heaviest
        if each.stream is stream and each.target_id and key(each.old) in visits
    }


async def _of_stream(
    ground: Ground, stream: Stream, heavy: dict[str, str], visits: dict[str, int]
) -> tuple[list[Page], str]:
    sample = await ground.sample(stream)
    changed = {each.source_id for each in sample.pairs if each.changed}
    targets = heavy | {each.source_id: each.target_id for each in sample.pairs}
    stores = ground.stores
    rules = page_rules(stores.source_access.settings), page_rules(stores.target_access.settings)
    old = await page_paths(ground.source, rules[0], stream, list(targets))
    new = await page_paths(ground.target, rules[1], stream, list(_values(targets, old)))
    if old is None or new is None:
        side = "source" if old is None else "target"
        return [], f"{stream}: none, because it is not known how the {side} makes their paths"
    pages = [
        Page(
            path,
            new.get(targets[source_id]),
            visits.get(key(path), 0),
            source_id in changed,
            stream,
            source_id,
            targets[source_id],
        )
        for source_id, path in old.items()
    ]
    return pages, sample.words


def _values(targets: dict[str, str], old: Iterable[str] | None) -> Iterable[str]:
    """The target's ids of the records that had a page."""
    return (targets[each] for each in old or ())
