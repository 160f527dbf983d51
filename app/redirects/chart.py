"""The map of old paths to new ones, and what is wrong with it.

It is made of what is known of records (where their pages are on both shops), of redirects that
people add for everything else, and of how many visits old paths have. Each old path leads to its
end by one redirect: chains are cut short, and what would go round in a circle is left out.

Of pages that are no records (`CmsLink`) only people know what answers in their place: they are told
as `undecided`, unless the new shop has them at the same path.

An old path at which the new shop has another record's page cannot be redirected: that page answers
there. It is told as `taken`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from app.redirects.paths import key
from connectors.cms import CmsKind
from connectors.records import Stream


class PageLink(NamedTuple):
    """A record's page on the old shop, and its page on the new one: None where it has none."""

    stream: Stream
    source_id: str
    target_id: str | None
    old: str
    new: str | None


class CmsLink(NamedTuple):
    """A page of the old shop that is no record. `new` is its path where the new shop has a page at
    that, else None; `like` is the path of the one page there that has its name, if there is one.
    """

    kind: CmsKind
    title: str
    old: str
    new: str | None = None
    like: str | None = None


class Own(NamedTuple):
    """A redirect that people have added; it goes before what records say."""

    path: str
    target: str


class Entry(NamedTuple):
    """One redirect. `stream` and `source_id` are of the record that had its page there, if any."""

    path: str
    target: str
    visits: int = 0
    stream: Stream | None = None
    source_id: str | None = None


class Fault(StrEnum):
    """What is wrong with a path: `missing` has no page on the new shop to lead to; `unknown` is
    visited, and nobody knows what it was; `undecided` is a page that is no record, and nobody has
    said what answers in its place; `taken` shows another record on the new shop; `duplicate` is the
    old path of several; `loop` leads back to itself; `chain` led on, and was cut short; `self` is
    an added redirect of a path to itself.
    """

    MISSING = "missing"
    UNKNOWN = "unknown"
    UNDECIDED = "undecided"
    TAKEN = "taken"
    DUPLICATE = "duplicate"
    LOOP = "loop"
    CHAIN = "chain"
    SELF = "self"


class Problem(NamedTuple):
    """A path, and what is wrong with it. `detail` is a sentence."""

    fault: Fault
    path: str
    detail: str
    visits: int = 0
    stream: Stream | None = None
    source_id: str | None = None


class Coverage(NamedTuple):
    """How many of the known visits to old paths find a page by this map, or need none of it.
    `share` is None where no visits are known.
    """

    visits: int
    covered: int

    @property
    def share(self) -> float | None:
        """From 0 to 1."""
        return self.covered / self.visits if self.visits else None


@dataclass(frozen=True, slots=True)
class Chart:
    """The map. `entries` and `problems` are the most visited first; `same` counts pages whose path
    stays what it is.
    """

    entries: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    same: int = 0
    coverage: Coverage = field(default=Coverage(0, 0))


def chart(
    links: Iterable[PageLink],
    own: Iterable[Own] = (),
    visits: Mapping[str, int] | None = None,
    cms: Iterable[CmsLink] = (),
) -> Chart:
    """Make the map. `visits` are by old path. The same input gives the same map."""
    return _Drawing(list(links), list(own), visits or {}, list(cms)).finished()


class _Drawing:
    """A map in the making. All is by `key`."""

    def __init__(
        self,
        links: list[PageLink],
        own: list[Own],
        visits: Mapping[str, int],
        cms: list[CmsLink],
    ) -> None:
        self.links = sorted(links, key=lambda each: (each.old, each.stream, each.source_id))
        self.own = sorted(own)
        self.cms = sorted(cms, key=lambda each: (each.old, each.kind))
        self.unlinked = {key(each.old) for each in cms}
        self.visits: dict[str, int] = {}
        self.visited: dict[str, str] = {}
        for path, count in visits.items():
            self.visits[key(path)] = self.visits.get(key(path), 0) + count
            self.visited.setdefault(key(path), path)
        self.live = {key(each.new): each for each in self.links if each.new is not None}
        self.entries: dict[str, Entry] = {}
        self.problems: list[Problem] = []
        self.same: set[str] = set()

    def finished(self) -> Chart:
        for each in self.own:
            self._add_own(each)
        added = set(self.entries)
        for link in self.links:
            self._add_link(link, added)
        for page in self.cms:
            self._add_cms(page)
        self._shorten()
        self._name_unknown()
        known = self.same | self.live.keys() | self.entries.keys()
        covered = sum(count for path, count in self.visits.items() if path in known)
        return Chart(
            entries=sorted(self.entries.values(), key=lambda each: (-each.visits, each.path)),
            problems=sorted(self.problems, key=lambda each: (-each.visits, each.path, each.fault)),
            same=len(self.same),
            coverage=Coverage(sum(self.visits.values()), covered),
        )

    def _add_own(self, own: Own) -> None:
        at = key(own.path)
        to_itself = at == key(own.target.partition("?")[0])
        if to_itself and at in self.unlinked:
            # So people say of a page that is no record that it stays.
            self.same.add(at)
        elif to_itself:
            self._fault(Fault.SELF, own.path, "It leads to itself.")
        elif at in self.live:
            self._fault(Fault.TAKEN, own.path, "The new shop has a page at this path.")
        elif at in self.entries and self.entries[at].target != own.target:
            self._fault(Fault.DUPLICATE, own.path, f"Not to {own.target}: it has a target already.")
        else:
            self.entries[at] = Entry(own.path, own.target, self.visits.get(at, 0))

    def _add_link(self, link: PageLink, added: set[str]) -> None:
        at, known = key(link.old), self.entries.get(key(link.old))
        if at in added:
            return
        if link.new is None:
            detail = "The record has no page on the new shop."
            self._fault(Fault.MISSING, link.old, detail, link)
        elif at == key(link.new):
            self.same.add(at)
        elif at in self.live:
            there = self.live[at]
            detail = f"The new shop shows {there.stream} {there.source_id} there."
            self._fault(Fault.TAKEN, link.old, detail, link)
        elif known is not None:
            detail = f"It is the path of {known.stream} {known.source_id} as well, and leads there."
            self._fault(Fault.DUPLICATE, link.old, detail, link)
        else:
            visits = self.visits.get(at, 0)
            self.entries[at] = Entry(link.old, link.new, visits, link.stream, link.source_id)

    def _add_cms(self, page: CmsLink) -> None:
        """What people have said of a path, and what records say of it, goes before."""
        at = key(page.old)
        if at in self.entries or at in self.same:
            return
        if page.new is not None:
            self.same.add(at)
        elif at in self.live:
            there = self.live[at]
            detail = f"The new shop shows {there.stream} {there.source_id} there."
            self._fault(Fault.TAKEN, page.old, detail)
        else:
            detail = f"The {page.kind} «{page.title}» is no record: say what answers in its place."
            like = f" A page of its name is at {page.like}." if page.like else ""
            self._fault(Fault.UNDECIDED, page.old, f"{detail}{like}")

    def _shorten(self) -> None:
        """Lead every path to its end at once; those that have no end are left out."""
        ends: dict[str, str | None] = {}
        for at in self.entries:
            self._find_end(at, ends)
        for at, end in ends.items():
            entry = self.entries[at]
            if end is None:
                self._fault(Fault.LOOP, entry.path, f"By way of {entry.target} it leads back.")
            elif end != entry.target:
                detail = f"By way of {entry.target} it leads to {end}, and now at once."
                self._fault(Fault.CHAIN, entry.path, detail)
        self.entries = {
            at: self.entries[at]._replace(target=end) for at, end in ends.items() if end is not None
        }

    def _find_end(self, at: str, ends: dict[str, str | None]) -> None:
        """Learn where a path ends, and with it all that it passes; None where it never does."""
        passed: dict[str, None] = {}
        end: str | None = None
        while at not in passed:
            if at in ends:
                end = ends[at]
                break
            passed[at] = None
            target = self.entries[at].target
            at = key(target.partition("?")[0])
            if at not in self.entries:
                end = target
                break
        ends.update(dict.fromkeys(passed, end))

    def _name_unknown(self) -> None:
        told = {key(each.path) for each in self.problems}
        known = self.same | self.live.keys() | self.entries.keys() | told
        for at, path in self.visited.items():
            if at not in known:
                self._fault(Fault.UNKNOWN, path, "It is visited, and no record is known there.")

    def _fault(self, fault: Fault, path: str, detail: str, link: PageLink | None = None) -> None:
        visits = self.visits.get(key(path), 0)
        stream, source_id = (link.stream, link.source_id) if link else (None, None)
        self.problems.append(Problem(fault, path, detail, visits, stream, source_id))
