"""What a sweep has seen of a large stream, while the database has no statistics of it yet."""

from __future__ import annotations

from sqlalchemy import text

from connectors.records import Stream
from tests.engine.conftest import Bench
from workers.engine import sightings
from workers.engine.sightings import SweptStream

COUNT = 30_000


async def test_missing_records_of_a_large_stream_are_found_in_one_look_at_it(
    bench: Bench,
) -> None:
    """Planned as a nested loop, each of these statements would take half a minute."""
    job = await bench.start("full")
    swept = SweptStream(bench.migration, Stream.PRODUCTS, job, 2)
    async with bench.resources.engine.begin() as connection:
        # Without the dead rows of earlier tests.
        await connection.execute(text("TRUNCATE links, sightings"))
        await connection.execute(
            text(
                "INSERT INTO links (migration_id, stream, source_id, state, applied_at, exempt)"
                " SELECT :migration, 'products', n::text, 'applied',"
                " clock_timestamp() - interval '1 day', n % 3 = 0"
                " FROM generate_series(1, :count) AS n"
            ),
            {"migration": bench.migration, "count": COUNT},
        )
        seen = [str(n) for n in range(1, COUNT + 1) if n not in (7, 9, 77)]
        await sightings.record(connection, job, 2, seen)
        await connection.execute(text("SET LOCAL statement_timeout = '4s'"))
        await sightings.welcome_back(connection, swept)
        assert await sightings.any_missing(connection, swept)
        assert await sightings.miss(connection, swept) == 2, "the ninth is exempt"
        assert await sightings.suspects(connection, swept, after="", limit=9) == ["7", "77"]
        assert await sightings.suspects(connection, swept, after="7", limit=9) == ["77"]
        left = "SELECT count(*) FROM links WHERE exempt"
        assert (await connection.execute(text(left))).scalar_one() == 1
