"""What visitors see of the pages that the checks of addresses look at, and how it is kept.

A check may run in another process than the one before it, and visits take minutes: what the first
one saw is kept in the database for the others of the same job.
"""

from __future__ import annotations

import zlib
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import text

from app.database import autocommit
from app.redirects.paths import key
from connectors.records import Stream
from connectors.robots import Robots
from connectors.storefront import Visit
from workers.checks.base import Findings, Ground, Outcome, State, skipped


class Page(NamedTuple):
    """An old path, and the path that should answer in its place: None where the target has no
    public page of the record. An added redirect is of no record.

    `open_end`: nobody knows which page is right. `new` is the path itself then, and another page
    of the shop will do, by one permanent redirect.
    """

    old: str
    new: str | None
    visits: int
    changed: bool
    stream: Stream | None = None
    source_id: str | None = None
    target_id: str | None = None
    open_end: bool = False


class Sight(NamedTuple):
    """What visitors see at the old path: on the new shop, and on the old shop, where that led to
    the right page or nobody knows which that is.
    """

    page: Page
    visit: Visit
    before: Visit | None = None

    @property
    def arrived(self) -> bool:
        """Whether the visit ended on the page that it should, or on one that will do."""
        return self.visit.found and (self.stays or (self.page.open_end and not self.is_home))

    @property
    def stays(self) -> bool:
        """Whether the visit ended on the path that is known to be right."""
        return self.is_at(self.visit.url)

    @property
    def is_home(self) -> bool:
        """Whether the visit ended at the root of the shop's host: no page's place."""
        return key(self.there) == "/"

    @property
    def is_gone(self) -> bool:
        """Whether the old shop itself says that it has no page there."""
        return self.before is not None and self.before.told and not self.before.found

    @property
    def there(self) -> str:
        """The path of the page where the visit ended."""
        return urlsplit(self.visit.url).path or "/"

    def is_at(self, url: str) -> bool:
        """Whether an address is that of the record's page."""
        return self.page.new is not None and key(urlsplit(url).path) == key(
            self.page.new.partition("?")[0]
        )


class Sights(Struct):
    """All visits. `why` is set where none could be made: a sentence. `robots` are both shops'."""

    seen: list[Sight] = []
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

    def outcome(self, found: Findings, good: str, bad: str, why: str = "") -> Outcome:
        """As `Findings.outcome`. Where nothing was found nobody knows, if some pages have not
        answered, or for a reason of the check's own: `why`, a sentence.
        """
        outcome = found.outcome(good, bad)
        silent = sum(not each.visit.told for each in self.seen)
        if silent:
            why = why or f"{silent:,} of {len(self.seen):,} pages of the new shop did not answer."
        if found.count or not why:
            return outcome
        return replace(outcome, state=State.UNKNOWN, summary=why)


_RECALL = text("SELECT seen FROM page_sights WHERE migration_id = :migration AND job_id = :job")
_KEEP = text(
    "INSERT INTO page_sights (migration_id, job_id, seen) VALUES (:migration, :job, :seen)"
    " ON CONFLICT (migration_id) DO UPDATE SET job_id = excluded.job_id, seen = excluded.seen"
)


async def recall(ground: Ground) -> Sights | None:
    """What an earlier check of the job has seen."""
    if ground.job is None:
        return None
    async with autocommit(ground.engine) as connection:
        kept = await connection.scalar(_RECALL, {"migration": ground.migration, "job": ground.job})
    return None if kept is None else msgspec.msgpack.decode(zlib.decompress(kept), type=Sights)


async def keep(ground: Ground, seen: Sights) -> None:
    """Keep it for the checks of the job that come after."""
    if ground.job is None:
        return
    packed = zlib.compress(msgspec.msgpack.encode(seen))
    async with autocommit(ground.engine) as connection:
        await connection.execute(
            _KEEP, {"migration": ground.migration, "job": ground.job, "seen": packed}
        )
