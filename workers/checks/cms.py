"""Pages of the old shop that are no records, as the checks of addresses look at them.

Which page of the new shop is right for one of them nobody knows but people: what they have added as
a redirect goes before. Without that, the same path has to answer, or lead to a page for good.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from app.mapping.mapped import unmapped
from app.redirects.paths import key, old_path
from connectors.cms import CmsPage, cms_pages
from workers.checks.base import Ground
from workers.checks.sights import Page, Sight

MOST_LOOKED_AT = 300
"""Pages that are looked at, unless the migration's thresholds say otherwise."""


async def other_pages(
    ground: Ground, known: Collection[str], visits: Mapping[str, int]
) -> tuple[list[Page], str]:
    """The most visited and the newest of them, and how they were chosen. `known` are the keys of
    paths that are looked at for another reason, or are a record's. Raises `StoreError`.
    """
    told = await cms_pages(unmapped(ground.source))
    since = await ground.since()
    found: dict[str, tuple[Page, float]] = {}
    for each in told.pages:
        page = _page(each, since, visits)
        if page is not None and key(page.old) not in known:
            found.setdefault(key(page.old), (page, _moment(each.modified_at)))
    ordered = sorted(found.values(), key=lambda each: (-each[0].visits, -each[1]))
    most = int(ground.threshold("urls.answer", "other_pages", MOST_LOOKED_AT))
    pages = [page for page, _ in ordered[:most]]
    return pages, _words(len(pages), len(found), told.notes)


def redirected(seen: Sequence[Sight]) -> str:
    """How many of them lead to another page, as words behind those of a sample."""
    moved = sum(1 for each in seen if each.page.open_end and each.arrived and not each.stays)
    return f"; {moved:,} of these are redirected, and nobody knows whether rightly" if moved else ""


def _page(page: CmsPage, since: datetime, visits: Mapping[str, int]) -> Page | None:
    try:
        path = old_path(page.path)
    except ValueError:
        return None
    changed = page.modified_at is None or page.modified_at >= since
    return Page(path, path, visits.get(key(path), 0), changed, open_end=True)


def _moment(modified_at: datetime | None) -> float:
    return modified_at.timestamp() if modified_at is not None else float("inf")


def _words(looked_at: int, of: int, notes: Sequence[str]) -> str:
    """How they were chosen, and what is not told; nothing where there is nothing to say."""
    chosen = f"all {of:,}"
    if looked_at < of:
        chosen = f"the {looked_at:,} most visited and newest of {of:,}"
    words = [chosen] * bool(of) + [each.rstrip(".") for each in notes]
    return f"other pages: {'; '.join(words)}" if words else ""
