"""The ledger: one row for each source record, read and written by the page.

Every function works on the caller's connection. Whether a page counts is decided by the fenced
transaction around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.models import LinkState
from connectors.base import Applied
from connectors.digest import Digest
from connectors.records import Record, Stream
from connectors.references import Reference


@dataclass(slots=True)
class LinkRow:
    """What the ledger knows of a record.

    `sent_age` is for how many seconds nothing more of an unconfirmed write was sent, at least, by
    the database's clock; None where all is confirmed. `intent_live` says that the worker which sent
    a create still holds its slice. `applied_age` is how many seconds ago the target
    confirmed the last write, which was `applied_at`. `lost` are the references that the record was
    written without, as texts; with `mendable` one of them is on the target by now. `drifted` are
    the paths of fields that were changed on the target and are to be put back, `losses` those that
    the target could not keep exactly.
    """

    source_id: str
    target_id: str | None
    state: str
    digest: bytes | None
    fields: bytes | None
    children: dict[str, str] | None
    sent_age: float | None
    intent_live: bool
    target_fields: bytes | None = None
    parts: bytes | None = None
    sent: bytes | None = None
    applied_age: float | None = None
    generation: int = 0
    lost: Sequence[str] | None = None
    mendable: bool = False
    drifted: Sequence[str] | None = None
    losses: Sequence[str] | None = None
    applied_at: datetime | None = None

    @property
    def removed(self) -> bool:
        """Whether this record was taken off the target, because the source had lost it."""
        return self.state == LinkState.REMOVED

    @property
    def applied(self) -> bool:
        """Whether the target confirmed this record."""
        return self.state == LinkState.APPLIED


# A record is written in several requests, and the last of them may have been sent when its sender
# let go of the slice, or when its lease lapsed.
_LOAD = text(
    """
    SELECT l.source_id, l.target_id, l.state, l.digest, l.fields, l.children,
           extract(epoch FROM clock_timestamp() - greatest(
               l.intent_at,
               CASE WHEN s.fence <> l.intent_fence OR s.lease_until IS NULL THEN s.handed_at
                    WHEN s.id <> :slice THEN least(s.lease_until, clock_timestamp()) END
           ))::float8 AS sent_age,
           coalesce(l.state = 'intent' AND s.id <> :slice AND s.fence = l.intent_fence
                    AND NOT s.done AND s.lease_until > clock_timestamp(), false) AS intent_live,
           l.target_fields, l.parts, l.sent,
           extract(epoch FROM clock_timestamp() - l.applied_at)::float8 AS applied_age,
           l.generation, l.lost_references, l.mendable, l.drifted, l.losses, l.applied_at
    FROM links AS l LEFT JOIN slices AS s ON s.id = l.intent_slice
    WHERE l.migration_id = :migration AND l.stream = :stream
      AND l.source_id = ANY(CAST(:ids AS text[]))
    """
)


async def load(
    connection: AsyncConnection,
    migration: UUID,
    stream: Stream,
    ids: Iterable[str],
    *,
    slice_id: UUID,
) -> dict[str, LinkRow]:
    """The rows of these records, by source id."""
    found = await connection.execute(
        _LOAD,
        {"migration": migration, "stream": str(stream), "ids": list(ids), "slice": slice_id},
    )
    return {row.source_id: LinkRow(*row) for row in found}


_TARGETS = text(
    "SELECT source_id, target_id, children FROM links"
    " WHERE migration_id = :migration AND stream = :stream AND state <> 'intent'"
    " AND target_id IS NOT NULL AND source_id = ANY(CAST(:ids AS text[]))"
)


async def targets(
    connection: AsyncConnection, migration: UUID, stream: Stream, ids: Iterable[str]
) -> dict[str, tuple[str, Mapping[str, str]]]:
    """Target id and children of those of the records that are on the target, if only archived."""
    found = await connection.execute(
        _TARGETS, {"migration": migration, "stream": str(stream), "ids": list(ids)}
    )
    return {row.source_id: (row.target_id, row.children or {}) for row in found}


ON_TARGET = """
    EXISTS (
        SELECT 1 FROM links AS there
        WHERE there.migration_id = :migration AND there.stream = r.part->>0
          AND there.source_id = r.part->>1 AND there.state <> 'intent'
          AND there.target_id IS NOT NULL
          AND (r.part->>2 IS NULL OR coalesce(there.children, '{}') ? (r.part->>2))
    )
"""
"""In SQL: whether `targets` would answer for the reference `r.part`, a text read as jsonb."""


def reference_texts(references: Iterable[Reference]) -> str:
    """References as a JSON array of their texts, to be unpacked in SQL."""
    return msgspec.json.encode([each.to_text() for each in references]).decode()


# An intent of somebody else is taken over only when its sender no longer holds its slice.
_INTEND = text(
    """
    INSERT INTO links (migration_id, stream, source_id, state,
                       intent_slice, intent_fence, intent_at)
    SELECT :migration, :stream, id, 'intent', :slice, :fence, clock_timestamp()
    FROM unnest(CAST(:ids AS text[])) AS id
    ORDER BY id
    ON CONFLICT (migration_id, stream, source_id) DO UPDATE
    SET state = 'intent', target_id = NULL, intent_slice = :slice, intent_fence = :fence,
        intent_at = clock_timestamp()
    WHERE (links.state = 'intent' AND (links.intent_slice = :slice OR NOT EXISTS (
        SELECT 1 FROM slices AS s
        WHERE s.id = links.intent_slice AND s.fence = links.intent_fence AND NOT s.done
          AND s.lease_until > clock_timestamp()
    ))) OR links.source_id = ANY(CAST(:again AS text[]))
    RETURNING source_id
    """
)


async def intend(
    connection: AsyncConnection,
    migration: UUID,
    stream: Stream,
    ids: Sequence[str],
    *,
    slice_id: UUID,
    fence: int,
    again: Sequence[str] = (),
) -> set[str]:
    """Note that creates are about to be sent. Answers with those that are ours to send.

    `again` are records known to be gone from the target: their old link is given up.
    """
    values = {"ids": list(ids), "slice": slice_id, "fence": fence, "again": list(again)}
    found = await connection.execute(
        _INTEND, {"migration": migration, "stream": str(stream), **values}
    )
    return {row.source_id for row in found}


# What the sender knows of a record must still be so: another slice may have written it meanwhile,
# or may be doing so.
_UNTOUCHED = """
    links.applied_at IS NOT DISTINCT FROM new.applied_at
    AND (links.intent_slice IS NULL OR links.intent_slice = :slice OR NOT EXISTS (
        SELECT 1 FROM slices AS s
        WHERE s.id = links.intent_slice AND s.fence = links.intent_fence AND NOT s.done
          AND s.lease_until > clock_timestamp()
    ))
"""

# The base of a merge stays, and what was sent may be on the target as well. Where nothing is merged
# the whole content may be there.
_DOUBT = text(
    f"""
    UPDATE links SET digest = NULL, fields = CASE WHEN new.sent IS NOT NULL THEN fields END,
        sent = coalesce(new.sent, links.sent),
        intent_slice = :slice, intent_fence = :fence, intent_at = clock_timestamp()
    FROM unnest(
        CAST(:ids AS text[]), CAST(:sent AS bytea[]), CAST(:applied AS timestamptz[])
    ) AS new (id, sent, applied_at)
    WHERE migration_id = :migration AND stream = :stream AND source_id = new.id AND {_UNTOUCHED}
    RETURNING source_id
    """  # noqa: S608  a constant
)


@dataclass(frozen=True, slots=True)
class Doubt:
    """An update on its way: `sent` are the fields of one that was merged, as `Base.sent` keeps
    them; `applied_at` is the write that it follows.
    """

    source_id: str
    applied_at: datetime | None
    sent: bytes | None = None


async def doubt(
    connection: AsyncConnection,
    migration: UUID,
    stream: Stream,
    doubts: Sequence[Doubt],
    *,
    slice_id: UUID,
    fence: int,
) -> set[str]:
    """Note that updates are about to be sent: until they are confirmed, nobody knows what the
    target holds. Without this, a source that returns to its former content after a crash would
    look unchanged while the target keeps the content in between.

    Answers with those that are ours to send: of the others another slice wrote or writes since.
    """
    if not doubts:
        return set()
    values = {
        "ids": [each.source_id for each in doubts],
        "sent": [each.sent for each in doubts],
        "applied": [each.applied_at for each in doubts],
        "slice": slice_id,
        "fence": fence,
    }
    found = await connection.execute(
        _DOUBT, {"migration": migration, "stream": str(stream), **values}
    )
    return {row.source_id for row in found}


@dataclass(slots=True)
class Entry:
    """A record that the target confirmed, ready to be written into the ledger.

    `target_fields` and `parts` are the target's side of the next merge's base. `lost` are the
    references that it was written without.
    """

    record: Record
    digest: Digest
    applied: Applied
    children: Mapping[str, str]
    losses: tuple[str, ...]
    matched_by: str | None
    target_fields: bytes | None = None
    parts: bytes | None = None
    lost: tuple[Reference, ...] = ()


_APPLY = text(
    """
    INSERT INTO links (migration_id, stream, source_id, target_id, state, digest, fields,
                       children, losses, matched_by, stamp, target_fields, parts, lost_references,
                       applied_at)
    SELECT :migration, :stream, source_id, target_id, 'applied', digest, fields,
           CAST(children AS jsonb), CASE WHEN losses = '' THEN NULL
           ELSE string_to_array(losses, ',') END, matched_by, stamp, target_fields, parts,
           CASE WHEN lost IS NOT NULL
           THEN ARRAY(SELECT jsonb_array_elements_text(CAST(lost AS jsonb))) END,
           clock_timestamp()
    FROM unnest(
        CAST(:source_ids AS text[]), CAST(:target_ids AS text[]), CAST(:digests AS bytea[]),
        CAST(:fields AS bytea[]), CAST(:children AS text[]), CAST(:losses AS text[]),
        CAST(:matched AS text[]), CAST(:stamps AS timestamptz[]),
        CAST(:target_fields AS bytea[]), CAST(:parts AS bytea[]), CAST(:lost AS text[])
    ) AS new (source_id, target_id, digest, fields, children, losses, matched_by, stamp,
              target_fields, parts, lost)
    ORDER BY source_id
    ON CONFLICT (migration_id, stream, source_id) DO UPDATE
    SET target_id = excluded.target_id, state = 'applied', digest = excluded.digest,
        fields = excluded.fields, children = excluded.children, losses = excluded.losses,
        matched_by = coalesce(excluded.matched_by, links.matched_by), stamp = excluded.stamp,
        target_fields = excluded.target_fields, parts = excluded.parts, sent = NULL,
        lost_references = excluded.lost_references, mendable = false,
        drifted = CASE WHEN CAST(:restores AS boolean) THEN NULL ELSE links.drifted END,
        applied_at = excluded.applied_at,
        intent_slice = NULL, intent_fence = NULL, intent_at = NULL,
        missed = 0, exempt = false, removed_at = NULL
    """
)


async def apply(
    connection: AsyncConnection,
    migration: UUID,
    stream: Stream,
    entries: Sequence[Entry],
    *,
    restores: bool = False,
) -> None:
    """Write what the target confirmed. `restores`: what was changed there was put back."""
    if not entries:
        return
    await connection.execute(
        _APPLY,
        {
            "migration": migration,
            "stream": str(stream),
            "restores": restores,
            "source_ids": [each.record.id for each in entries],
            "target_ids": [each.applied.target_id for each in entries],
            "digests": [each.digest.whole for each in entries],
            "fields": [each.digest.fields for each in entries],
            "children": [_json(each.children) for each in entries],
            "losses": [",".join(each.losses) for each in entries],
            "matched": [each.matched_by for each in entries],
            "stamps": [each.record.stamp for each in entries],
            "target_fields": [each.target_fields for each in entries],
            "parts": [each.parts for each in entries],
            "lost": [reference_texts(each.lost) if each.lost else None for each in entries],
        },
    )


def _json(children: Mapping[str, str]) -> str | None:
    return msgspec.json.encode(dict(children)).decode() if children else None


# A generation outlives its intent: the key of the one before is another record's.
_FORGET = text(
    """
    WITH kept AS (
        UPDATE links SET state = 'removed', intent_slice = NULL, intent_fence = NULL,
            intent_at = NULL
        WHERE migration_id = :migration AND stream = :stream AND state = 'intent'
          AND generation > 0 AND source_id = ANY(CAST(:ids AS text[]))
    ), answered AS (
        UPDATE links SET intent_slice = NULL, intent_fence = NULL, intent_at = NULL
        WHERE migration_id = :migration AND stream = :stream AND state <> 'intent'
          AND intent_at IS NOT NULL AND source_id = ANY(CAST(:ids AS text[]))
    ), dropped AS (
        DELETE FROM contents AS c USING links AS l
        WHERE l.migration_id = :migration AND l.stream = :stream AND l.state = 'intent'
          AND l.source_id = ANY(CAST(:ids AS text[])) AND c.migration_id = l.migration_id
          AND c.stream = l.stream AND c.source_id = l.source_id
    )
    DELETE FROM links WHERE migration_id = :migration AND stream = :stream
      AND state = 'intent' AND generation = 0 AND source_id = ANY(CAST(:ids AS text[]))
    """
)


async def forget_intents(
    connection: AsyncConnection, migration: UUID, stream: Stream, ids: Sequence[str]
) -> None:
    """Drop intents whose write the target refused: nothing was made, and nothing is running."""
    await connection.execute(
        _FORGET, {"migration": migration, "stream": str(stream), "ids": list(ids)}
    )


_PROGRESS = text(
    "UPDATE slices SET resume = CAST(:resume AS jsonb), counters = CAST(:counters AS jsonb),"
    " total = coalesce(total, :total), failures = 0, waiting = NULL WHERE id = :id"
)


async def progress(
    connection: AsyncConnection,
    slice_id: UUID,
    *,
    resume: dict[str, Any] | None,
    counters: Mapping[str, int],
    total: int | None = None,
) -> None:
    """Note how far a slice has come. `total` counts only where nothing was known: a store counts
    the whole list, the slice may be a part of it.
    """
    await connection.execute(
        _PROGRESS,
        {
            "id": slice_id,
            "resume": None if resume is None else msgspec.json.encode(resume).decode(),
            "counters": msgspec.json.encode(dict(counters)).decode(),
            "total": total,
        },
    )


async def tally(connection: AsyncConnection, slice_id: UUID, counters: Mapping[str, int]) -> None:
    """Note what a slice has counted, where it has no page to note."""
    await connection.execute(
        text("UPDATE slices SET counters = CAST(:counters AS jsonb) WHERE id = :id"),
        {"id": slice_id, "counters": msgspec.json.encode(dict(counters)).decode()},
    )
