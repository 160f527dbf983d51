"""Do old addresses lead to the right pages, and do search engines find there what they knew."""

from __future__ import annotations

from app.catalogue.description import Description, Severity

ANSWER = Description(
    id="urls.answer",
    title="Old addresses answer",
    proves="Old paths answer on the new shop with the right record's page, at once or by one"
    " permanent redirect; those of pages that are no records with a page.",
)
LOOPS = Description(
    id="urls.loops",
    title="No loops and no chains",
    proves="No old path is redirected more than once, or in a circle.",
)
SLUGS = Description(
    id="urls.slugs",
    title="Changed slugs are redirected",
    proves="Where a record has another slug than at the source, because that was taken or because"
    " it was renamed, its old path still leads to it.",
)
CONTENT = Description(
    id="urls.content",
    title="Titles and descriptions came along",
    proves="Pages keep their title and description, and call themselves canonical.",
    severity=Severity.WARNING,
)
ROBOTS = Description(
    id="urls.robots",
    title="Search engines may come",
    proves="No page that search engines could see on the old shop is kept from them on the new.",
)

ALL = (ANSWER, LOOPS, SLUGS, CONTENT, ROBOTS)
