"""Which public pages the checks of addresses look at, and what became of the visits.

The most visited come first, then what changed, then what was drawn; behind a number no more are
looked at, and the words of the sample say so. All checks share the visits.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from pydantic import BaseModel

from app.database import autocommit
from app.mapping.mapped import unmapped
from app.redirects.paths import key
from app.services.old_paths import Kept, kept_paths
from connectors.concurrency import together
from connectors.pages import PAGED, page_paths, page_rules, why_unknown
from connectors.records import Stream
from connectors.storefront import Storefront, open_storefront
from workers.checks.base import Ground
from workers.checks.cms import other_pages, redirected
from workers.checks.sights import Page, Sight, Sights, keep, recall

MOST_PAGES = 1000
"""Pages that are visited, unless the migration's thresholds say otherwise."""

MOST_VISITED = 200
"""The most visited old paths are looked at whether they are in a sample or not."""

_SECONDS = 600.0
"""After so many no further page is visited: a check may take a quarter of an hour."""

_AT_ONCE = 8
_LOCKED = "/password"


async def sights(ground: Ground) -> Sights:
    """Visit the pages, once for all checks. Raises `StoreError` where the stores' APIs do."""
    known = ground.memo.get("pages")
    if not isinstance(known, Sights):
        known = await recall(ground)
        if known is None:
            known = await _look(ground)
            await keep(ground, known)
        ground.memo["pages"] = known
    return known


async def _look(ground: Ground) -> Sights:
    stores = ground.stores
    old = open_storefront(stores.source_access.settings)
    new = open_storefront(stores.target_access.settings)
    if old is None:
        return Sights(why=why_unknown(stores.source_access.settings, "source"))
    if new is None:
        return Sights(why=why_unknown(stores.target_access.settings, "target"))
    pages, words = await _pages(ground)
    if not pages:
        return Sights(why=words or "No record has a public page on the source.")
    async with old, new:
        closed = await _closed(new, stores.target_access.settings)
        if closed:
            return Sights(why=closed, closed=True)
        most = int(ground.threshold("urls.answer", "pages", MOST_PAGES))
        chosen = sorted(pages, key=lambda each: (-each.visits, not each.changed))[:most]
        seen = await _visit_all(chosen, old, new)
        if len(seen) < len(pages):
            words += f"; of these {len(pages):,} the {len(seen):,} most visited and newest"
        words += redirected(seen)
        return Sights(
            seen=seen,
            total=len(pages),
            words=words,
            old_robots=await old.robots(),
            new_robots=await new.robots(),
        )


async def _closed(shop: Storefront, settings: BaseModel) -> str:
    """Why no visitor gets in, as a sentence; empty where they do."""
    home = await shop.visit(urlsplit(page_rules(settings).base).path or "/")
    if urlsplit(home.url).path.rstrip("/").endswith(_LOCKED):
        return "The new shop asks its visitors for a password: take it off, then check again."
    if not home.told:
        what = f"status {home.status}" if home.status else home.trouble
        return f"The new shop does not let visitors in ({what})."
    return ""


async def _visit_all(pages: Sequence[Page], old: Storefront, new: Storefront) -> list[Sight]:
    """One after the other in a few rows, until all are visited or the time is up."""
    until = time.monotonic() + _SECONDS
    waiting = iter(enumerate(pages))
    seen: dict[int, Sight] = {}

    async def row() -> None:
        for number, page in waiting:
            if time.monotonic() > until:
                return
            seen[number] = await _visit(page, old, new)

    await together([row() for _ in range(_AT_ONCE)])
    return [seen[number] for number in sorted(seen)]


async def _visit(page: Page, old: Storefront, new: Storefront) -> Sight:
    sight = Sight(page, await new.visit(page.old))
    if sight.arrived or page.open_end:
        return sight._replace(before=await old.visit(page.old))
    return sight


async def _pages(ground: Ground) -> tuple[list[Page], str]:
    """All pages that may be looked at, and the words of the samples they are from."""
    async with autocommit(ground.engine) as connection:
        kept = await kept_paths(connection, ground.migration)
    visits: dict[str, int] = {}
    for path, count in kept.visits.items():
        visits[key(path)] = visits.get(key(path), 0) + count
    own = [
        Page(each.path, each.target, visits.get(key(each.path), 0), changed=True)
        for each in kept.own
    ]
    added = {key(each.old) for each in own}
    words = [f"{len(own):,} added redirects"] if own else []
    records: list[Page] = []
    for stream in [each for each in PAGED if each in ground.streams]:
        pages, word = await _of_stream(ground, stream, _heavy(kept, stream, visits), visits)
        records += [each for each in pages if key(each.old) not in added]
        words.append(word)
    known = {key(each.old) for each in [*own, *records]} | {key(each.old) for each in kept.links}
    others, word = await other_pages(ground, known, visits)
    # Before the records that were drawn by chance: there are not many of them.
    found = [*own, *others, *records]
    if found:
        words = [each.rstrip(".") for each in [*words, word] if each]
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
    # What tells paths is the platform, whatever mapping rules make of its records.
    old = await page_paths(unmapped(ground.source), rules[0], stream, list(targets))
    new = await page_paths(ground.target, rules[1], stream, list(_values(targets, old)))
    if old is None:
        return [], why_unknown(stores.source_access.settings, "source", stream)
    if new is None:
        return [], why_unknown(stores.target_access.settings, "target", stream)
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
