"""Records that somebody changed on the target, found in the lists that are read of it anyway.

What the target shows is compared, field by field, with what it answered to our last write: the
ledger has digests of that. Where a stream is not merged, such as stock, what we wrote stands for
it. Only fields count in which the source's values rule. Nothing is proven by it: what is found is
then compared with the source, as the records of a sample are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, text

from app.database import autocommit
from connectors.digest import FIELD_BYTES
from connectors.losses import Losses
from connectors.records import Content, InventoryLevel, Product, Record, Stream, Variant
from workers.checks.ground import Ground
from workers.engine import drift
from workers.engine.sides import UNKNOWN, VARIANTS, Rules

_decode_parts = msgspec.msgpack.Decoder(dict[str, tuple[bytes, bytes]]).decode

_LEFT = text(
    """
    SELECT source_id, target_id, fields, target_fields, parts, children, losses FROM links
    WHERE migration_id = :migration AND stream = :stream AND state = 'applied'
      AND digest IS NOT NULL AND target_id = ANY(CAST(:ids AS text[]))
    """
)
_NAMED_OTHERWISE = frozenset({"product", "variant"})
"""What a level of stock belongs to has another id on each store."""

_WATCHED = frozenset({"counted", "quantity"})
"""Fields of stock that a target may show otherwise, and of which links say where it does."""


class Edited:
    """Gathers the source's ids of such records, page by page."""

    def __init__(self, ground: Ground, stream: Stream, losses: Losses) -> None:
        capability = ground.writes[stream]
        self._ground, self._stream = ground, stream
        self._merges = capability.merges
        self._rules = Rules(stream, ground.scope.policies, derived=capability.derived)
        # What we wrote, unlike what the target answered, does not hold what it shows instead.
        lost = losses.untold if self._merges else losses.fields - _WATCHED
        self._ignored = lost | capability.derived
        self.ids: list[str] = []

    async def look(self, records: Sequence[Record]) -> None:
        """Compare a page of the target's records."""
        there = {record.id: record.content for record in records}
        async with autocommit(self._ground.engine) as connection:
            rows = await connection.execute(
                _LEFT,
                {
                    "migration": self._ground.migration,
                    "stream": str(self._stream),
                    "ids": list(there),
                },
            )
            links = rows.all()
        self.ids += [row.source_id for row in links if self._differs(row, there[row.target_id])]

    def _differs(self, link: Row[Any], content: Content) -> bool:
        left = link.target_fields if self._merges else link.fields
        told = frozenset() if self._merges else frozenset(link.losses or ())
        if self._is_changed(content, left, told=told):
            return True
        if not isinstance(content, Product) or not link.parts:
            return False
        sources = {target_id: source_id for source_id, target_id in (link.children or {}).items()}
        parts: Mapping[str, tuple[bytes, bytes]] = _decode_parts(link.parts)
        return any(
            self._is_changed(variant, parts[sources[variant.id]][1], f"{VARIANTS}.{variant.id}.")
            for variant in content.variants
            if sources.get(variant.id) in parts
        )

    def _is_changed(
        self,
        content: Content | Variant,
        left: bytes | None,
        prefix: str = "",
        told: frozenset[str] = frozenset(),
    ) -> bool:
        names = type(content).__struct_fields__
        if left is None or len(left) != len(names) * FIELD_BYTES:
            return False  # nobody knows what we left there
        return any(
            before != UNKNOWN and self._rules.digest(name, getattr(content, name)) != before
            for name, before in zip(names, _fields(left), strict=True)
            if name not in told and self._counts(content, name, prefix)
        )

    def _counts(self, content: Content | Variant, name: str, prefix: str) -> bool:
        if name in self._ignored or name in (VARIANTS, "id"):
            return False
        if isinstance(content, InventoryLevel) and name in _NAMED_OTHERWISE:
            return False
        return drift.is_sources(
            self._rules.policies, self._stream, f"{prefix}{name}", merges=self._merges
        )


def _fields(digests: bytes) -> Iterator[bytes]:
    for start in range(0, len(digests), FIELD_BYTES):
        yield digests[start : start + FIELD_BYTES]
