"""The rows of a demo's sample. Works on the caller's connection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.records import Stream

_ADD = text(
    """
    INSERT INTO demo_records (job_id, stream, source_id, reasons, closed)
    SELECT :job, :stream, id, ARRAY(SELECT jsonb_array_elements_text(CAST(reasons AS jsonb))), false
    FROM unnest(CAST(:ids AS text[]), CAST(:reasons AS text[])) AS new (id, reasons)
    ORDER BY id
    ON CONFLICT (job_id, stream, source_id) DO UPDATE SET reasons = excluded.reasons
    WHERE cardinality(demo_records.reasons) = 0
    """
)


async def add(
    connection: AsyncConnection, job: UUID, stream: Stream, chosen: Mapping[str, Sequence[str]]
) -> None:
    """Add records with the reasons for which they were chosen; without, others name them."""
    if chosen:
        reasons = [msgspec.json.encode(list(each)).decode() for each in chosen.values()]
        await connection.execute(
            _ADD, {"job": job, "stream": str(stream), "ids": list(chosen), "reasons": reasons}
        )


async def add_named(
    connection: AsyncConnection, job: UUID, names: Iterable[tuple[Stream, str]]
) -> None:
    """Add records that others name."""
    by_stream: dict[Stream, dict[str, list[str]]] = {}
    for stream, source_id in names:
        by_stream.setdefault(stream, {})[source_id] = []
    for stream, ids in by_stream.items():
        await add(connection, job, stream, ids)


async def any_chosen(connection: AsyncConnection, job: UUID, stream: Stream) -> bool:
    """Whether the stream's own sample was chosen already."""
    found = await connection.execute(
        text(
            "SELECT EXISTS (SELECT FROM demo_records WHERE job_id = :job AND stream = :stream"
            " AND cardinality(reasons) > 0)"
        ),
        {"job": job, "stream": str(stream)},
    )
    return bool(found.scalar_one())


_LEFT = {
    "closed": text(
        "SELECT source_id FROM demo_records WHERE job_id = :job AND stream = :stream"
        " AND NOT closed ORDER BY source_id LIMIT :limit"
    ),
    "finding": text(
        "SELECT source_id FROM demo_records WHERE job_id = :job AND stream = :stream"
        " AND finding IS NULL ORDER BY source_id LIMIT :limit"
    ),
}


async def not_closed(
    connection: AsyncConnection, job: UUID, stream: Stream, limit: int
) -> list[str]:
    """Records of which nobody has looked yet what they name."""
    values = {"job": job, "stream": str(stream), "limit": limit}
    return list((await connection.execute(_LEFT["closed"], values)).scalars())


async def not_mapped(
    connection: AsyncConnection, job: UUID, stream: Stream, limit: int
) -> list[str]:
    """Records of which nobody has seen yet what mapping makes of them."""
    values = {"job": job, "stream": str(stream), "limit": limit}
    return list((await connection.execute(_LEFT["finding"], values)).scalars())


async def close(connection: AsyncConnection, job: UUID, stream: Stream, ids: Sequence[str]) -> None:
    """Note that what these records name is in the sample."""
    await connection.execute(
        text(
            "UPDATE demo_records SET closed = true WHERE job_id = :job AND stream = :stream"
            " AND source_id = ANY(CAST(:ids AS text[]))"
        ),
        {"job": job, "stream": str(stream), "ids": list(ids)},
    )


async def note(
    connection: AsyncConnection, job: UUID, stream: Stream, findings: Mapping[str, dict[str, Any]]
) -> None:
    """Keep what was found out about records."""
    await connection.execute(
        text(
            "UPDATE demo_records SET finding = CAST(new.finding AS jsonb)"
            " FROM unnest(CAST(:ids AS text[]), CAST(:findings AS text[])) AS new (id, finding)"
            " WHERE job_id = :job AND stream = :stream AND source_id = new.id"
        ),
        {
            "job": job,
            "stream": str(stream),
            "ids": list(findings),
            "findings": [msgspec.json.encode(each).decode() for each in findings.values()],
        },
    )


async def drop(connection: AsyncConnection, job: UUID, stream: Stream, ids: Sequence[str]) -> None:
    """Take records out of the sample."""
    await connection.execute(
        text(
            "DELETE FROM demo_records WHERE job_id = :job AND stream = :stream"
            " AND source_id = ANY(CAST(:ids AS text[]))"
        ),
        {"job": job, "stream": str(stream), "ids": list(ids)},
    )


async def any_refused(connection: AsyncConnection, job: UUID) -> bool:
    """Whether a record of the sample could not be mapped or written."""
    found = await connection.execute(
        text(
            "SELECT EXISTS (SELECT FROM demo_records WHERE job_id = :job"
            " AND finding->>'outcome' = 'refused')"
        ),
        {"job": job},
    )
    return bool(found.scalar_one())
