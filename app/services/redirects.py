"""Redirects of a migration: the map, made of what both shops say of their pages, and pushed.

Stores are asked in portions that take seconds, never within a transaction. Everything here may be
called again: what was done is not done twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from time import monotonic

from sqlmodel.ext.asyncio.session import AsyncSession

from app.errors import InvalidTable, RedirectsNotTaken, StorefrontUnknown
from app.models import Migration, Store
from app.redirects.chart import Chart, Entry, PageLink, chart
from app.redirects.paths import key
from app.redirects.traffic import TableError, read_own, read_visits
from app.resources import Resources
from app.schemas.paging import Keyset, encode
from app.schemas.redirect import PushedOut, PushesOut, RefreshOut, TableOut
from app.services import cms_pages, old_paths
from app.services.migrations import get_migration
from app.services.old_paths import Kept, Linked
from app.services.opening import access_of, open_source, open_target, platform_of
from app.services.transaction import Work, transaction
from connectors.pages import PAGED, PageRules, Reads, page_paths, page_rules, why_unknown
from connectors.records import Stream
from connectors.redirects import (
    NotTaken,
    Redirect,
    Redirected,
    RedirectState,
    TakesRedirects,
)

_PUSH_SECONDS = 15.0
_IMPORT = "Import a file instead: `recent-sync redirects export`, or `GET …/redirects?format=…`."
_DONE = (RedirectState.MADE, RedirectState.KEPT)


@dataclass(frozen=True, slots=True)
class Map:
    """A migration's map, and what it was made of."""

    migration: Migration
    chart: Chart
    kept: Kept

    def is_pushed(self, entry: Entry) -> bool:
        """Whether the redirect as it is now stands on the target."""
        push = self.kept.pushes.get(key(entry.path))
        return push is not None and push.target == entry.target and push.state in _DONE

    def last_pushed(self, entry: Entry) -> float:
        """When a redirect of the path was pushed, in seconds since 1970; 0 for never."""
        push = self.kept.pushes.get(key(entry.path))
        return push.at.timestamp() if push is not None else 0.0

    def is_refused(self, entry: Entry) -> bool:
        """Whether the target has refused the redirect as it is now."""
        push = self.kept.pushes.get(key(entry.path))
        return push is not None and push.target == entry.target and push.state not in _DONE


async def draw(session: AsyncSession, name: str) -> Map:
    """Make the map of what is kept. Raises `MigrationNotFound`."""
    migration = await get_migration(session, name)
    connection = await session.connection()
    kept = await old_paths.kept_paths(connection, migration.id)
    cms = await cms_pages.kept(connection, migration.id)
    # A map of hundreds of thousands of paths takes a second or two.
    made = await asyncio.to_thread(chart, kept.links, kept.own, kept.visits, cms)
    return Map(migration, made, kept)


async def put_traffic(work: Work, name: str, csv: str) -> TableOut:
    """Visits of old paths. Raises `MigrationNotFound`, `InvalidTable`."""
    migration = await get_migration(work.session, name)
    try:
        read = read_visits(csv)
    except TableError as error:
        raise InvalidTable.at("/csv", str(error)) from None
    await old_paths.put_visits(await work.connection(), migration.id, read.visits)
    return TableOut(paths=len(read.visits), passed=read.passed)


async def put_own(work: Work, name: str, csv: str) -> TableOut:
    """Redirects that people add. Raises `MigrationNotFound`, `InvalidTable`."""
    migration = await get_migration(work.session, name)
    try:
        own = read_own(csv)
    except TableError as error:
        raise InvalidTable.at("/csv", str(error)) from None
    await old_paths.put_own(await work.connection(), migration.id, own)
    return TableOut(paths=len({key(each.path) for each in own}), passed=0)


# --- looking pages up ----------------------------------------------------------------------------


async def refresh(resources: Resources, name: str, cursor: str | None, limit: int) -> RefreshOut:
    """Ask both stores where the pages of some records are, and at first what other pages they have.

    Raises `MigrationNotFound`, `BadCursor`, `StorefrontUnknown`, `StoreFailed`.
    """
    after = Keyset.parse(cursor, limit, str, str).after or ("", "")
    async with transaction(resources) as work:
        migration = await get_migration(work.session, name)
        streams = [str(each) for each in PAGED if each in migration.streams]
        connection = await work.connection()
        if cursor is None:
            await old_paths.forget_unlinked(connection, migration.id)
        stores = [
            await work.session.get_one(Store, each)
            for each in (migration.source_id, migration.target_id)
        ]
        records = await old_paths.linked_records(
            connection, migration.id, streams, (after[0], after[1]), limit + 1
        )
    kept = records[:limit]
    found = await _look_up(resources, stores, kept)
    cms = await cms_pages.read(resources, *stores) if cursor is None else cms_pages.Read(None, [])
    async with transaction(resources) as work:
        connection = await work.connection()
        if cms.links is not None:
            await cms_pages.keep(connection, migration.id, cms.links)
        for stream, pages in found.items():
            ids = [each.source_id for each in kept if each.stream is stream]
            await old_paths.keep_pages(connection, migration.id, stream, ids, pages)
    last = kept[-1] if len(records) > limit else None
    return RefreshOut(
        records=len(kept),
        pages=sum(len(pages) for pages in found.values()),
        cms_pages=len(cms.links or ()),
        notes=cms.notes,
        next=encode([last.stream, last.source_id]) if last else None,
    )


async def _look_up(
    resources: Resources, stores: Sequence[Store], records: Sequence[Linked]
) -> dict[Stream, list[PageLink]]:
    """Pages by stream. A stream whose paths are not known on either side is left out."""
    settings = [access_of(each, resources).settings for each in stores]
    rules = [page_rules(each) for each in settings]
    for side, given, rule in zip(("source", "target"), settings, rules, strict=True):
        if not rule.base:
            raise StorefrontUnknown(why_unknown(given, side))
    found: dict[Stream, list[PageLink]] = {}
    async with (
        open_source(stores[0], resources) as old,
        open_target(stores[1], resources) as new,
    ):
        for stream, group in groupby(records, key=lambda each: each.stream):
            pages = await _pages((old, rules[0]), (new, rules[1]), stream, list(group))
            if pages is not None:
                found[stream] = pages
    return found


async def _pages(
    source: tuple[Reads, PageRules],
    target: tuple[Reads, PageRules],
    stream: Stream,
    records: Sequence[Linked],
) -> list[PageLink] | None:
    old = await page_paths(*source, stream, [each.source_id for each in records])
    new = await page_paths(*target, stream, [each.target_id for each in records])
    if old is None or new is None:
        return None
    return [
        PageLink(
            stream, each.source_id, each.target_id, old[each.source_id], new.get(each.target_id)
        )
        for each in records
        if each.source_id in old
    ]


# --- pushing -------------------------------------------------------------------------------------


async def push(resources: Resources, name: str, limit: int, *, again: bool) -> PushesOut:
    """Make some redirects on the target, the most visited first: as many as some seconds allow.

    Raises `MigrationNotFound`, `RedirectsNotTaken`, `StoreFailed`.
    """
    async with transaction(resources) as work:
        made = await draw(work.session, name)
        store = await work.session.get_one(Store, made.migration.target_id)
    waiting = [
        each
        for each in made.chart.entries
        if not made.is_pushed(each) and (again or not made.is_refused(each))
    ]
    # What was refused longest ago is next, so that calls come round to everything.
    waiting.sort(key=made.last_pushed)
    pushed: list[tuple[Redirect, Redirected]] = []
    began = monotonic()
    async with open_target(store, resources) as target:
        if not isinstance(target, TakesRedirects):
            raise RedirectsNotTaken(f"{platform_of(store).title} takes no redirects. {_IMPORT}")
        try:
            await target.check_redirects()
        except NotTaken as answer:
            raise RedirectsNotTaken(f"{answer} {_IMPORT}") from None
        size = target.redirects_at_once
        for start in range(0, min(limit, len(waiting)), size):
            portion = waiting[start : min(start + size, limit)]
            asked = [Redirect(each.path, each.target) for each in portion]
            answers = list(zip(asked, await target.redirect(asked), strict=True))
            # What stands on the target is kept at once: a later portion may fail.
            async with transaction(resources) as work:
                connection = await work.connection()
                await old_paths.keep_pushes(connection, made.migration.id, answers)
            pushed += answers
            if monotonic() - began > _PUSH_SECONDS:
                break
    return PushesOut(
        items=[
            PushedOut(path=each.path, target=each.target, state=said.state, code=said.code or None)
            for each, said in pushed
        ],
        left=len(waiting) - len(pushed),
    )
