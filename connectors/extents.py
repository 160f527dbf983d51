"""What is read of a stream, and how it comes: windows, sweeps, pages of records, marks."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from msgspec import Struct

from connectors.records import Record

Json = dict[str, Any]
"""An opaque JSON object that only the connector which made it understands."""


class Window(Struct, frozen=True, tag="window"):
    """Everything changed at or after `since`. `until` is where the watermark will go: a source
    may deliver later records as well, which is harmless.
    """

    since: datetime
    until: datetime


class Sweep(Struct, frozen=True, tag="sweep", omit_defaults=True):
    """Every record in scope; with `since_created` without closed ones created before it, where
    the stream's capability says `horizon`. Open ones are always there.
    """

    since_created: datetime | None = None


Extent = Window | Sweep


class Unmapped(Struct, frozen=True):
    """A record, as the store showed it, of which mapping rules make no valid one, and why.

    `digest` is of all that the failure depends on: the content and the rules.
    """

    record: Record
    reason: str
    digest: bytes


class Page(Struct, frozen=True, kw_only=True):
    """Some records, and where to go on.

    `resume` is what `read` needs to continue behind this page, None on the last page.
    `outside` counts records that the store's filter should have kept back: a platform that
    ignores the filter shows here. `total` is the store's own count for progress, or None.
    `failed` are records that were delivered but could not be understood: (id, reason). `unread`
    are ids that are there and whose content nobody looked at. No connector fills `unmapped`: rules
    are applied to what it has read.
    """

    records: tuple[Record, ...]
    resume: Json | None
    outside: int = 0
    total: int | None = None
    failed: tuple[tuple[str, str], ...] = ()
    unread: tuple[str, ...] = ()
    unmapped: tuple[Unmapped, ...] = ()

    @property
    def ids(self) -> list[str]:
        """All records that the page shows, read or not."""
        return [
            *(each.id for each in self.records),
            *(each for each, _ in self.failed),
            *(each.record.id for each in self.unmapped),
            *self.unread,
        ]


class Mark(NamedTuple):
    """A record without its content: that it exists, and when the store says it changed last."""

    id: str
    stamp: datetime | None


class Marks(Struct, frozen=True, kw_only=True):
    """Some marks, and where to go on; `resume` and `total` as in `Page`."""

    marks: tuple[Mark, ...]
    resume: Json | None
    total: int | None = None
