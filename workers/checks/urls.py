"""Old addresses: that they lead to the right pages, and what search engines find there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import unquote, urlsplit

from app.catalogue import urls as described
from app.catalogue.description import Description
from connectors.pages import PAGED
from connectors.records import Category, Product, Record, Stream
from connectors.storefront import LEFT_SHOP, LOOP, TOO_MANY_HOPS, Visit
from connectors.webpage import keeps_out
from workers.checks.base import Check, Findings, Ground, Outcome
from workers.checks.heads import Heads
from workers.checks.pages import sights
from workers.checks.sights import Page, Sight, Sights

_CIRCLES = (LOOP, TOO_MANY_HOPS)


async def _find_wrong(ground: Ground, looked: Sights, found: Findings) -> str:
    """Old paths that do not lead to their record's page, at once or by one permanent redirect.

    The address where a visit ends is compared and not its status: WordPress guesses. Loops and
    chains, and records that lost their slug, are other checks' matter.
    """
    renamed = await _lost_slugs(ground, looked.seen)
    for sight in looked.seen:
        if sight.visit.told and _id(sight.page) not in renamed and (wrong := _wrong(sight)):
            _add(found, sight.page, wrong)
    return ""


def _wrong(sight: Sight) -> str:
    """What is wrong with where a visit led, as a sentence; empty where nothing is."""
    page, visit = sight.page, sight.visit
    if visit.trouble in _CIRCLES or (page.open_end and sight.is_gone):
        return ""
    if page.new is None:
        return f"{page.old}: the record has no public page on the new shop."
    if not sight.arrived:
        known = "the old shop has a page there that is no record"
        right = known if page.open_end else f"it should lead to {page.new}"
        return f"{page.old} {_end(visit)}; {right}."
    if len(visit.moves) == 1 and not visit.moves[0].permanent:
        return f"{page.old} is redirected for now ({visit.moves[0].status}), not for good."
    return ""


def _end(visit: Visit) -> str:
    """Where a visit that did not arrive has ended, as a part of a sentence."""
    if visit.trouble:
        return "leads away from the shop" if visit.trouble == LEFT_SHOP else "leads to no address"
    return f"leads to {_path(visit.url)}" if visit.found else f"answers {visit.status}"


def _end_of_old(visit: Visit) -> str:
    """As `_end`, where the record may have left its old path to another one."""
    if visit.found and not visit.moves:
        return "shows another record's page"
    return _end(visit)


async def _find_loops(_: Ground, looked: Sights, found: Findings) -> str:
    """Old paths that need more than one redirect."""
    for page, visit, _before in looked.seen:
        steps = " → ".join([page.old, *[_path(each.location) for each in visit.moves]])
        if visit.trouble in _CIRCLES:
            _add(found, page, f"{steps}: it never ends.")
        elif visit.told and len(visit.moves) > 1:
            _add(found, page, f"{steps}: {len(visit.moves)} redirects.")
    return ""


async def _find_lost_slugs(ground: Ground, looked: Sights, found: Findings) -> str:
    """Records that lost their slug to another one, or were renamed without a redirect."""
    lost = await _lost_slugs(ground, looked.seen)
    for page, visit, _before in looked.seen:
        if names := lost.get(_id(page)):
            message = (
                f"The slug was {names[0]} and is {names[1]} on the target, and the old path"
                f" {page.old} {_end_of_old(visit)}."
            )
            _add(found, page, message, field="slug")
    return ""


async def _find_changes(_: Ground, looked: Sights, found: Findings) -> str:
    """Pages with another title or description than before, or another canonical address."""
    # Where nobody knows which page is right, only the one at the same path can be compared.
    arrived = [each for each in looked.seen if each.arrived and each.stays]
    pairs = [
        (each, each.before.head, each.visit.head)
        for each in arrived
        if each.before and each.before.found and each.before.head and each.visit.head
    ]
    # What did not arrive is another check's matter.
    found.examined, found.total = len(pairs), len(arrived)
    heads = Heads([was.title for _, was, _ in pairs], [now.title for _, _, now in pairs])
    for sight, was, now in pairs:
        for name, message in heads.differences(was, now, sight.visit.url, sight.is_at):
            _add(found, sight.page, f"{sight.page.new}: {message}", field=name)
    if arrived and not pairs:
        return "None of the pages answered on the old shop: there is nothing to compare with."
    return ""


async def _find_hidden(_: Ground, looked: Sights, found: Findings) -> str:
    """Pages that search engines could see on the old shop, and cannot on the new."""
    old, new = looked.old_robots, looked.new_robots
    for sight in looked.seen:
        page = sight.page
        if page.new is None or not sight.arrived or not _was_open(sight):
            continue
        if old is not None and not old.is_open(page.old):
            continue
        path = sight.there if page.open_end else page.new
        if new is not None and not new.is_open(path):
            _add(found, page, f"{path}: robots.txt keeps search engines out.")
        elif _is_kept_out(sight.visit):
            _add(found, page, f"{path}: the page asks search engines not to list it.")
    return "The new shop's robots.txt did not answer." if new is None else ""


def _was_open(sight: Sight) -> bool:
    """Whether search engines could list the old page; one that is gone is taken for open."""
    return sight.before is None or not sight.before.found or not _is_kept_out(sight.before)


def _is_kept_out(visit: Visit) -> bool:
    return keeps_out(visit.tags) or (visit.head is not None and keeps_out(visit.head.robots))


# --- what they have in common --------------------------------------------------------------------

Id = tuple[Stream | None, str | None]


def _id(page: Page) -> Id:
    return page.stream, page.source_id


async def _lost_slugs(ground: Ground, seen: list[Sight]) -> dict[Id, tuple[str, str]]:
    """Records that have another slug than at the source, and to whose page their old path does not
    lead: with both slugs.
    """
    lost = [
        each.page
        for each in seen
        if each.visit.told
        and each.page.new is not None
        and not each.arrived
        and each.visit.trouble not in _CIRCLES
    ]
    found: dict[Id, tuple[str, str]] = {}
    for stream in PAGED:
        pages = [each for each in lost if each.stream is stream]
        sources = await ground.source_records(stream, [each.source_id or "" for each in pages])
        targets = await ground.target_records(stream, [each.target_id or "" for each in pages])
        for page in pages:
            was, now = sources.get(page.source_id or ""), targets.get(page.target_id or "")
            names = _slug(was), _slug(now)
            if all(names) and names[0] != names[1]:
                found[_id(page)] = names
    return found


def _slug(record: Record | None) -> str:
    content = record.content if record is not None else None
    return unquote(content.slug) if isinstance(content, Product | Category) else ""


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path or "/"


def _add(found: Findings, page: Page, message: str, field: str | None = None) -> None:
    found.add(
        message,
        stream=page.stream,
        source_id=page.source_id,
        target_id=page.target_id,
        field=field,
    )


Find = Callable[[Ground, Sights, Findings], Awaitable[str]]
"""Adds what is wrong to the findings. Answers with why nobody knows where nothing was found: a
sentence, empty where nothing found is as good as it looks.
"""


def _check(about: Description, find: Find, good: str, bad: str) -> Check:
    async def run(ground: Ground) -> Outcome:
        looked = await sights(ground)
        if refused := looked.refused():
            return refused
        found = looked.findings()
        why = await find(ground, looked, found)
        return looked.outcome(found, good, bad, why)

    return Check(about, run)


CHECKS = (
    _check(
        described.ANSWER,
        _find_wrong,
        "All {examined} old paths lead to the right page.",
        "{found} of {examined} old paths do not lead to the right page.",
    ),
    _check(
        described.LOOPS,
        _find_loops,
        "None of {examined} old paths is redirected more than once.",
        "{found} of {examined} old paths are redirected more than once, or in a circle.",
    ),
    _check(
        described.SLUGS,
        _find_lost_slugs,
        "Of {examined} old paths none is lost because a slug changed.",
        "Of {examined} old paths {found} are lost: the record has another slug on the target.",
    ),
    _check(
        described.CONTENT,
        _find_changes,
        "All {examined} pages kept their title, description and canonical address.",
        "{found} differences on {examined} pages.",
    ),
    _check(
        described.ROBOTS,
        _find_hidden,
        "Search engines may list all {examined} pages that they could list before.",
        "{found} of {examined} pages are kept from search engines on the new shop.",
    ),
)
