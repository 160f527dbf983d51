"""When records were made at the source, by the hour, counted as they first come over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.records import Category, InventoryLevel, Record, Stream

# In the order of the hours, so that two pages wait for each other and never in a circle.
_COUNT = text(
    "INSERT INTO arrivals (migration_id, stream, hour, count)"
    " SELECT :migration, :stream, hour, count"
    " FROM unnest(CAST(:hours AS timestamptz[]), CAST(:counts AS int[])) AS new (hour, count)"
    " ORDER BY hour"
    " ON CONFLICT (migration_id, stream, hour)"
    " DO UPDATE SET count = arrivals.count + excluded.count"
)


async def count(
    connection: AsyncConnection, migration: UUID, stream: Stream, records: Iterable[Record]
) -> None:
    """Count records that are on the target for the first time, in the page's own transaction."""
    hours = Counter(hour for record in records if (hour := _hour(record)) is not None)
    if hours:
        ordered = sorted(hours)
        await connection.execute(
            _COUNT,
            {
                "migration": migration,
                "stream": str(stream),
                "hours": ordered,
                "counts": [hours[hour] for hour in ordered],
            },
        )


def _hour(record: Record) -> datetime | None:
    """The UTC hour in which it was made, None where the store does not say."""
    content = record.content
    if isinstance(content, Category | InventoryLevel) or content.created_at is None:
        return None
    return content.created_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
