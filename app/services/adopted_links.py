"""Links of adopted pairs: what a job and a person's decision write into the ledger alike.

A link says where the counterpart is, which of its parts are which, and what the target held when
it was found. What the source held when the other tool read it, nobody knows: so the link has no
digest, and the next run that meets the record compares it with the target.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.models import Side
from connectors import counterparts
from connectors.counterparts import Part
from connectors.records import Stream

MATCHED_BY = "adopted:"
"""Begins `links.matched_by` of what was adopted; the kind of evidence follows."""

BY_HAND = "settled"
"""The kind of evidence that a person's decision is."""

AMBIGUOUS = "adoption_ambiguous"
"""Code in quarantine of a source record that may be on the target: it is not brought over before
somebody has said which one it is.
"""

IGNORED = "adoption_ignored"
"""Code in quarantine of a source record that a person has decided to leave behind."""

INSTEAD = "~"
"""Begins the name under which a source record's form has what the target shows of a field that is
lost in some records only.
"""

UNTOLD = b""
"""Stands there where nobody can tell."""

_decode_form = msgspec.msgpack.Decoder(dict[str, bytes]).decode


class Pair(NamedTuple):
    """Two records of one stream, as an adoption has gathered them."""

    source_id: str
    target_id: str
    matched_by: str
    source_parts: bytes | None
    target_parts: bytes | None
    source_form: bytes | None
    target_form: bytes | None
    fields: bytes | None

    @property
    def children(self) -> dict[str, str]:
        """The target's ids of parts by the source's names."""
        return counterparts.counterparts(_parts(self.source_parts), _parts(self.target_parts))

    @property
    def bases(self) -> bytes | None:
        """The target's digests of each variant that has a counterpart, as the ledger keeps them."""
        found = {each.id: each.found for each in _parts(self.target_parts) if each.found}
        bases = {
            name: (b"", found[there]) for name, there in self.children.items() if there in found
        }
        return msgspec.msgpack.encode(bases) if bases else None

    def differences(self, lossy: frozenset[str]) -> tuple[list[str], list[str]]:
        """Names of the fields that the two do not have in common: those that nothing explains, and
        those of which the target shows what it is to show. `lossy` are fields that it cannot keep.
        """
        if self.source_form is None or self.target_form is None:
            return [], []
        ours, theirs = _decode_form(self.source_form), _decode_form(self.target_form)
        tops = {each.partition(".")[0] for each in lossy}
        differing = [
            name for name in ours if not name.startswith(INSTEAD) and ours[name] != theirs.get(name)
        ]
        declared = [
            name
            for name in differing
            if name in tops and _explains(ours, name, theirs.get(name), lossy)
        ]
        return [name for name in differing if name not in declared], declared


def _explains(
    ours: Mapping[str, bytes], name: str, theirs: bytes | None, lossy: frozenset[str]
) -> bool:
    instead = ours.get(f"{INSTEAD}{name}")
    if instead is None:
        return name in lossy  # nobody can tell what the target shows of it
    return instead in (UNTOLD, theirs)


def _parts(kept: bytes | None) -> list[Part]:
    return counterparts.decode(kept) if kept else []


_PAIRS = """
    SELECT s.record_id, s.other_id, s.matched_by, s.parts, t.parts, s.form, t.form, t.fields
    FROM adoption_records AS s
    JOIN adoption_records AS t ON t.migration_id = s.migration_id AND t.stream = s.stream
      AND t.side = 'target' AND t.record_id = s.other_id
    WHERE s.migration_id = :migration AND s.stream = :stream AND s.side = 'source'
      AND s.state = 'paired'
"""
_NEXT_PAIRS = text(f"{_PAIRS} AND s.record_id > :after ORDER BY s.record_id LIMIT :limit")
_ONE_PAIR = text(f"{_PAIRS} AND s.record_id = :source_id")


async def next_pairs(
    connection: AsyncConnection, migration: UUID, stream: Stream, *, after: str, limit: int
) -> list[Pair]:
    """Pairs behind a source id, in order."""
    values = {"migration": migration, "stream": str(stream), "after": after, "limit": limit}
    return [Pair(*row) for row in await connection.execute(_NEXT_PAIRS, values)]


async def one_pair(
    connection: AsyncConnection, migration: UUID, stream: Stream, source_id: str
) -> Pair | None:
    """The pair of a source record, None where it has no counterpart, or it was not gathered."""
    values = {"migration": migration, "stream": str(stream), "source_id": source_id}
    row = (await connection.execute(_ONE_PAIR, values)).first()
    return Pair(*row) if row else None


# Whatever the ledger knows of the source record already stays.
_LINK = text(
    """
    INSERT INTO links (migration_id, stream, source_id, target_id, state, children, matched_by,
                       target_fields, parts)
    SELECT :migration, :stream, source_id, target_id, 'applied', CAST(children AS jsonb),
           matched_by, target_fields, parts
    FROM unnest(
        CAST(:source_ids AS text[]), CAST(:target_ids AS text[]), CAST(:children AS text[]),
        CAST(:matched AS text[]), CAST(:fields AS bytea[]), CAST(:parts AS bytea[])
    ) AS new (source_id, target_id, children, matched_by, target_fields, parts)
    ORDER BY source_id
    ON CONFLICT (migration_id, stream, source_id) DO NOTHING
    RETURNING source_id
    """
)
_DIFFER = text(
    """
    UPDATE adoption_records AS r
    SET differs = ARRAY(SELECT jsonb_array_elements_text(CAST(new.differs AS jsonb))),
        declared = ARRAY(SELECT jsonb_array_elements_text(CAST(new.declared AS jsonb)))
    FROM unnest(CAST(:ids AS text[]), CAST(:differs AS text[]), CAST(:declared AS text[]))
        AS new (record_id, differs, declared)
    WHERE r.migration_id = :migration AND r.stream = :stream AND r.side = :side
      AND r.record_id = new.record_id
    """
)


async def link(
    connection: AsyncConnection,
    migration: UUID,
    stream: Stream,
    pairs: Sequence[Pair],
    lossy: frozenset[str],
) -> int:
    """Link pairs, and note in which fields they differ. `lossy` are fields that the target cannot
    keep. Answers how many links are new; those that were there stay as they are.
    """
    if not pairs:
        return 0
    ours: dict[str, Any] = {"migration": migration, "stream": str(stream)}
    children = [each.children for each in pairs]
    made = await connection.execute(
        _LINK,
        {
            **ours,
            "source_ids": [each.source_id for each in pairs],
            "target_ids": [each.target_id for each in pairs],
            "children": [_json(each) if each else None for each in children],
            "matched": [f"{MATCHED_BY}{each.matched_by}" for each in pairs],
            "fields": [each.fields for each in pairs],
            "parts": [each.bases for each in pairs],
        },
    )
    count = len(made.all())
    differing = [each.differences(lossy) for each in pairs]
    await connection.execute(
        _DIFFER,
        {
            **ours,
            "side": str(Side.SOURCE),
            "ids": [each.source_id for each in pairs],
            "differs": [_json(wrong) for wrong, _ in differing],
            "declared": [_json(declared) for _, declared in differing],
        },
    )
    return count


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
