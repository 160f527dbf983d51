"""Pairing the rows of an adoption, in SQL: whatever a stream's size, no more than a page is here.

The most telling evidence speaks first. A record is paired where the evidence fits it alone on
either side and nothing as strong points elsewhere; copies on the target are named, and whatever
could be this or that is left to a person. All of it is one transaction, so that it happens as a
whole or not at all; done again with the same rows it says the same.
"""

from __future__ import annotations

# ruff: noqa: S608 - the texts put into others are constants; values travel as parameters
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.records import Stream
from workers.engine.evidence import ENOUGH, KINDS, STRONG, Kind, confidence

_CROWD = 400
"""Evidence that would make more pairs than this tells nobody apart."""

_CANDIDATES = 10

_OURS = "migration_id = :migration AND stream = :stream"

# What an earlier adoption read and this one did not is gone from its store. A pair that no run has
# used yet goes with its record of the target: the other tool may have begun anew.
_BEGIN = (
    text(f"DELETE FROM adoption_records WHERE {_OURS} AND job_id <> :job"),
    text(
        """
        DELETE FROM links AS l
        WHERE l.migration_id = :migration AND l.stream = :stream AND l.state = 'applied'
          AND l.matched_by LIKE 'adopted:%' AND l.digest IS NULL AND l.applied_at IS NULL
          AND l.intent_at IS NULL AND NOT EXISTS (
              SELECT 1 FROM adoption_records AS r WHERE r.migration_id = :migration
                AND r.stream = :stream AND r.side = 'target' AND r.record_id = l.target_id
          )
        """
    ),
    text(
        "UPDATE adoption_records SET state = side || '_only', other_id = NULL, matched_by = NULL,"
        " confidence = NULL, candidates = '{}', differs = '{}', declared = '{}'"
        f" WHERE {_OURS} AND state <> side || '_only'"
        " AND NOT (state = 'doubled' AND decision IS NOT NULL)"
    ),
)

# Links that are there stand, whoever made them.
_LINKED = """
    UPDATE adoption_records AS r
    SET state = 'paired', other_id = l.{other},
        matched_by = CASE WHEN l.matched_by LIKE 'adopted:%'
                     THEN substr(l.matched_by, length('adopted:') + 1) ELSE 'link' END,
        confidence = 1.0
    FROM links AS l
    WHERE r.migration_id = :migration AND r.stream = :stream AND r.side = '{side}'
      AND l.migration_id = :migration AND l.stream = :stream
      AND l.state <> 'intent' AND l.target_id IS NOT NULL AND r.record_id = l.{own}
"""
_LINKED_SIDES = (
    text(_LINKED.format(side="source", own="source_id", other="target_id")),
    text(_LINKED.format(side="target", own="target_id", other="source_id")),
)
_CONFIDENCE = text(
    f"UPDATE adoption_records SET confidence = :confidence"
    f" WHERE {_OURS} AND state = 'paired' AND matched_by = :kind"
)

# A record that a job of ours may be creating at this moment is no candidate, nor is one about which
# a person has decided.
_PREPARE = (
    """
    CREATE TEMP TABLE adoption_keys ON COMMIT DROP AS
    SELECT DISTINCT r.side, r.record_id, k.kind, k.value
    FROM adoption_records AS r, unnest(r.key_kinds, r.key_values) AS k (kind, value)
    WHERE r.migration_id = :migration AND r.stream = :stream
      AND (r.decision IS NULL OR r.decision = 'pair')
    """,
    "ANALYZE adoption_keys",
    f"""
    CREATE TEMP TABLE adoption_groups ON COMMIT DROP AS
    SELECT kind, value, count(*) FILTER (WHERE side = 'source') AS sources,
           count(*) FILTER (WHERE side = 'target') AS targets
    FROM adoption_keys GROUP BY kind, value
    HAVING count(*) FILTER (WHERE side = 'source') > 0
       AND count(*) FILTER (WHERE side = 'target') > 0
       AND count(*) FILTER (WHERE side = 'source') * count(*) FILTER (WHERE side = 'target')
           <= {_CROWD}
    """,
    "ANALYZE adoption_groups",
    """
    CREATE TEMP TABLE adoption_edges ON COMMIT DROP AS
    SELECT g.kind, g.value, g.sources, g.targets, s.record_id AS source, t.record_id AS target
    FROM adoption_groups AS g
    JOIN adoption_keys AS s ON s.kind = g.kind AND s.value = g.value AND s.side = 'source'
    JOIN adoption_keys AS t ON t.kind = g.kind AND t.value = g.value AND t.side = 'target'
    """,
    "CREATE INDEX ON adoption_edges (kind, value)",
    "CREATE INDEX ON adoption_edges (source)",
    "CREATE INDEX ON adoption_edges (target)",
    "ANALYZE adoption_edges",
    """
    CREATE TEMP TABLE adoption_free (
        side text, record_id text, PRIMARY KEY (side, record_id)
    ) ON COMMIT DROP
    """,
    """
    INSERT INTO adoption_free
    SELECT r.side, r.record_id FROM adoption_records AS r
    WHERE r.migration_id = :migration AND r.stream = :stream AND r.state <> 'paired'
      AND (r.decision IS NULL OR r.decision = 'pair') AND NOT (r.side = 'source' AND EXISTS (
          SELECT 1 FROM links AS l WHERE l.migration_id = :migration
            AND l.stream = :stream AND l.source_id = r.record_id
      ))
    """,
    "ANALYZE adoption_free",
)

_LIVE = """
    SELECT e.* FROM adoption_edges AS e
    JOIN adoption_free AS s ON s.side = 'source' AND s.record_id = e.source
    JOIN adoption_free AS t ON t.side = 'target' AND t.record_id = e.target
"""

# Strong evidence of another kind points past the pair, and none does to it. What is weak itself is
# contradicted unless that very kind points to the pair as well.
_POINTS_AWAY = """
    EXISTS (
        SELECT 1 FROM adoption_edges AS x
        WHERE x.{side} = p.{side} AND x.{other} <> p.{other}
          AND x.kind <> :kind AND x.kind = ANY(CAST(:strong AS text[]))
          AND NOT EXISTS (
              SELECT 1 FROM adoption_edges AS y WHERE y.source = p.source AND y.target = p.target
                AND y.kind <> :kind AND y.kind = ANY(CAST(:strong AS text[]))
                AND (CAST(:is_strong AS boolean) OR y.kind = x.kind)
          )
    )
"""

# Of several copies on the target one in use counts, then the one with most evidence, then the
# oldest.
_PAIR = text(
    f"""
    WITH live AS ({_LIVE} WHERE e.kind = :kind), sized AS (
        SELECT value FROM live GROUP BY value
        HAVING count(DISTINCT source) = 1
           AND (count(DISTINCT target) = 1 OR CAST(:copies AS boolean))
    ), proposed AS (
        SELECT DISTINCT ON (live.value) live.source, live.target
        FROM live JOIN sized USING (value)
        JOIN adoption_records AS r ON r.migration_id = :migration AND r.stream = :stream
          AND r.side = 'target' AND r.record_id = live.target
        WHERE CAST(:is_strong AS boolean)
           OR (live.sources = 1 AND (live.targets = 1 OR CAST(:copies AS boolean)))
        ORDER BY live.value, r.live DESC, (
            SELECT count(*) FROM adoption_edges AS x
            WHERE x.source = live.source AND x.target = live.target
        ) DESC, length(live.target), live.target
    ), p AS (
        SELECT source, target, count(*) OVER (PARTITION BY source) AS of_source,
               count(*) OVER (PARTITION BY target) AS of_target
        FROM (SELECT DISTINCT source, target FROM proposed) AS once
    ), sure AS (
        SELECT p.source, p.target FROM p
        WHERE p.of_source = 1 AND p.of_target = 1
          AND NOT {_POINTS_AWAY.format(side="source", other="target")}
          AND NOT {_POINTS_AWAY.format(side="target", other="source")}
    ), ends AS (
        SELECT 'source' AS side, source AS record_id, target AS other FROM sure
        UNION ALL SELECT 'target', target, source FROM sure
    ), taken AS (
        DELETE FROM adoption_free AS f USING ends
        WHERE f.side = ends.side AND f.record_id = ends.record_id
    )
    UPDATE adoption_records AS r
    SET state = 'paired', matched_by = :kind, confidence = :confidence, other_id = ends.other
    FROM ends
    WHERE r.migration_id = :migration AND r.stream = :stream
      AND r.side = ends.side AND r.record_id = ends.record_id
    """
)

# Evidence of copies leads to a source record that has its counterpart, and to none that has not.
_DOUBLED = text(
    """
    WITH doubles AS (
        SELECT DISTINCT ON (e.target) e.target, e.source, e.kind
        FROM adoption_edges AS e
        JOIN adoption_free AS t ON t.side = 'target' AND t.record_id = e.target
        JOIN adoption_records AS s ON s.migration_id = :migration AND s.stream = :stream
          AND s.side = 'source' AND s.record_id = e.source AND s.state = 'paired'
        WHERE e.kind = ANY(CAST(:copies AS text[])) AND NOT EXISTS (
            SELECT 1 FROM adoption_edges AS x
            JOIN adoption_free AS f ON f.side = 'source' AND f.record_id = x.source
            WHERE x.target = e.target AND x.kind = ANY(CAST(:copies AS text[]))
        )
        ORDER BY e.target, array_position(CAST(:copies AS text[]), e.kind), e.source
    ), taken AS (
        DELETE FROM adoption_free AS f USING doubles
        WHERE f.side = 'target' AND f.record_id = doubles.target
    )
    UPDATE adoption_records AS r
    SET state = 'doubled', other_id = doubles.source, matched_by = doubles.kind
    FROM doubles
    WHERE r.migration_id = :migration AND r.stream = :stream AND r.side = 'target'
      AND r.record_id = doubles.target
    """
)

# Most orders were known by their dates: then those of the others count as well.
_DATED = text(
    """
    DELETE FROM adoption_edges AS e
    WHERE e.kind = ANY(CAST(:dateless AS text[]))
      AND e.target IN (
          SELECT record_id FROM adoption_keys WHERE side = 'target' AND kind = 'moment_total'
      )
      AND (
          SELECT 2 * count(*) FILTER (
                     WHERE matched_by LIKE ANY(CAST('{moment%,%day%,clock%}' AS text[]))
                 ) > count(*)
          FROM adoption_records
          WHERE migration_id = :migration AND stream = :stream AND side = 'source'
            AND state = 'paired'
      )
    """
)

_AMBIGUOUS = text(
    f"""
    WITH live AS ({_LIVE}), ends AS (
        SELECT 'source' AS side, source AS record_id, target AS other, kind FROM live
        UNION ALL SELECT 'target', target, source, kind FROM live
    ), ranked AS (
        SELECT side, record_id, other,
               min(array_position(CAST(:kinds AS text[]), kind)) AS place
        FROM ends GROUP BY side, record_id, other
    ), told AS (
        SELECT side, record_id, min(place) AS place,
               (array_agg(other ORDER BY place, length(other), other))[1:{_CANDIDATES}] AS others
        FROM ranked GROUP BY side, record_id
    )
    UPDATE adoption_records AS r
    SET state = 'ambiguous', candidates = told.others,
        matched_by = (CAST(:kinds AS text[]))[told.place],
        confidence = (CAST(:worth AS float8[]))[told.place]
    FROM told
    WHERE r.migration_id = :migration AND r.stream = :stream
      AND r.side = told.side AND r.record_id = told.record_id
    """
)

# What could not be read may be any record.
_UNREAD = text(
    f"UPDATE adoption_records SET state = 'ambiguous' WHERE {_OURS} AND form IS NULL"
    " AND state = side || '_only' AND (decision IS NULL OR decision = 'pair')"
)


_GATHERED = text("ANALYZE adoption_records")
_FREE = text("ANALYZE adoption_free")


async def measure(connection: AsyncConnection) -> None:
    """Tell the database how much was gathered, in a transaction of its own: without knowing, it
    compares every record with every other one.
    """
    await connection.execute(_GATHERED)


async def match(connection: AsyncConnection, migration: UUID, stream: Stream, job: UUID) -> None:
    """Pair what this job has gathered of a stream, within the caller's transaction."""
    ours: dict[str, Any] = {"migration": migration, "stream": str(stream)}
    kinds = KINDS[stream]
    strong = [each.name for each in kinds if each.confidence >= STRONG]
    for statement in _BEGIN:
        await connection.execute(statement, ours | ({"job": job} if statement is _BEGIN[0] else {}))
    for statement in _LINKED_SIDES:
        await connection.execute(statement, ours)
    for each in kinds:
        worth = {"kind": each.name, "confidence": confidence(stream, each.name)}
        await connection.execute(_CONFIDENCE, ours | worth)
    for sql in _PREPARE:
        await connection.execute(text(sql), ours if ":migration" in sql else {})
    copies = [*strong, *(each.name for each in kinds if each.copies)]
    await _pair(connection, ours, [each for each in kinds if each.name in strong], strong)
    await connection.execute(_FREE)
    await connection.execute(_DOUBLED, ours | {"copies": strong})
    linkable = [each for each in kinds if ENOUGH <= each.confidence < STRONG]
    await _pair(connection, ours, linkable, strong)
    await connection.execute(_DOUBLED, ours | {"copies": copies})
    told = {"kinds": [each.name for each in kinds], "worth": [each.confidence for each in kinds]}
    await connection.execute(_AMBIGUOUS, ours | told)
    await connection.execute(_UNREAD, ours)


async def _pair(
    connection: AsyncConnection, ours: dict[str, Any], kinds: list[Kind], strong: list[str]
) -> None:
    dateless = {"dateless": [each.name for each in kinds if each.dateless]}
    for each in kinds:
        if each.dateless:
            await connection.execute(_DATED, ours | dateless)
        await connection.execute(
            _PAIR,
            {
                **ours,
                "kind": each.name,
                "confidence": each.confidence,
                "is_strong": each.confidence >= STRONG,
                "copies": each.copies or each.confidence >= STRONG,
                "strong": strong,
            },
        )
