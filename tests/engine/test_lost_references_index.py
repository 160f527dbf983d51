"""Records that lack others are found quickly, whatever the planner knows of the table."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from connectors.records import Stream
from connectors.references import Reference
from tests.engine.conftest import Bench
from tests.engine.test_quarantine import change
from workers.engine import lost_references


@pytest.mark.parametrize("analyzed", ["never", "before", "afterwards"])
async def test_those_that_lack_a_record_are_found_by_an_index(bench: Bench, analyzed: str) -> None:
    """Also while the planner knows nothing of a table that was filled a moment ago, or believes
    what was true before.
    """
    await change(bench, "TRUNCATE links")  # without the dead rows of earlier tests
    if analyzed == "before":
        await change(
            bench,
            "INSERT INTO links (migration_id, stream, source_id, target_id, state)"
            " SELECT :migration, 'products', n::text, n::text, 'applied'"
            " FROM generate_series(1, 3000) AS n",
            migration=bench.migration,
        )
        await change(bench, "ANALYZE links")
    await change(
        bench,
        "INSERT INTO links (migration_id, stream, source_id, target_id, state, lost_references)"
        " SELECT :migration, 'orders', n::text, n::text, 'applied',"
        " CASE WHEN n % 10 = 0 THEN ARRAY['[\"customers\",\"u' || n || '\",null]'] END"
        " FROM generate_series(1, 30000) AS n",
        migration=bench.migration,
    )
    await change(
        bench,
        "INSERT INTO links (migration_id, stream, source_id, target_id, state)"
        " VALUES (:migration, 'customers', 'u70', '1', 'applied')",
        migration=bench.migration,
    )
    arrived = [Reference(Stream.CUSTOMERS, f"u{number}").to_text() for number in range(50)]
    async with bench.resources.engine.begin() as connection:
        await connection.execute(text("SET LOCAL statement_timeout = '20s'"))
        if analyzed == "afterwards":
            await connection.execute(text("ANALYZE links"))
        values = {
            "migration": bench.migration,
            "stream": "orders",
            "arrived": arrived,
        }
        for statement in (lost_references._MARK, lost_references._MARK_LINKED):
            given = {name: values[name] for name in statement.compile().params}
            plan = await connection.execute(text(f"EXPLAIN {statement.text}"), given)
            assert "links_lost_references" in "\n".join(plan.scalars())
        await lost_references.mark(connection, bench.migration, arrived)
        await lost_references.mark_linked(connection, bench.migration, Stream.ORDERS)
        found = await lost_references.mendable(
            connection, bench.migration, Stream.ORDERS, limit=100
        )
    assert sorted(found, key=int) == ["10", "20", "30", "40", "70"]
