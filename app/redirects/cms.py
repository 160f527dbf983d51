"""Pages that are no records, on both shops: which of them stay where they are. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from app.redirects.chart import CmsLink
from app.redirects.paths import key, old_path
from connectors.cms import CmsPage

_LONGEST_TITLE = 200


def paired(old: Iterable[CmsPage], new: Iterable[CmsPage]) -> list[CmsLink]:
    """The old shop's pages, each path once. A page of the new shop at the same path is taken for
    the same page; one with the same title is only named: titles are no proof.
    """
    there = list(new)
    paths = {key(each.path) for each in there}
    titles = Counter(_title(each).casefold() for each in there)
    alike = {title: each.path for each in there if titles[title := _title(each).casefold()] == 1}
    found: dict[str, CmsLink] = {}
    for page in old:
        try:
            path = old_path(page.path)
        except ValueError:
            continue
        title, stays = _title(page), key(path) in paths
        like = None if stays else alike.get(title.casefold())
        link = CmsLink(page.kind, title, path, path if stays else None, like)
        found.setdefault(key(path), link)
    return list(found.values())


def _title(page: CmsPage) -> str:
    """As it can be kept and shown."""
    return "".join(each for each in page.title if each.isprintable())[:_LONGEST_TITLE]
