"""What an adoption leaves open, and people settle."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from connectors.records import Stream
from tests.engine.adopted import SINCE, adopt, fill, states, twins
from tests.engine.api_client import api_of
from tests.engine.conftest import Bench


async def test_what_may_be_there_already_is_not_brought_over_twice(bench: Bench) -> None:
    twins(bench)
    row = await bench.run("adopt", since=SINCE)
    assert row["status"] == "completed_with_errors"
    held = await bench.rows("SELECT source_id, code FROM quarantine ORDER BY source_id")
    assert held == [{"source_id": each, "code": "adoption_ambiguous"} for each in ("o1", "o4")]
    bench.source.edit(Stream.ORDERS, "o1", note="It changes, and stays where it is")
    for params in ({}, {"cutover": True}):
        await bench.run("recent", **params)
    assert bench.target.creates() == []
    assert len(bench.target.rows[Stream.ORDERS]) == 4


async def listed(api: Any, **query: str) -> list[dict[str, Any]]:
    found = (await api.get("adoption/pairs", params=query)).json()
    return list(found["items"])


async def test_people_settle_over_the_api(bench: Bench) -> None:
    twins(bench)
    await bench.run("adopt", since=SINCE)
    async with api_of(bench) as api:
        found = (await api.get("adoption")).json()["streams"]["orders"]
        assert (found["paired"], found["ambiguous"], found["target_only"]) == (2, 2, 0)
        rows = {each["record_id"]: each for each in await listed(api, state="ambiguous")}
        assert sorted(rows) == ["o1", "o4", "to1", "to4"]
        assert rows["o1"]["candidates"] == ["to1", "to4"]
        where = f"adoption/pairs/{rows['o1']['id']}"
        refused = await api.put(where, json={"decision": "pair"})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/other_id")
        refused = await api.put(where, json={"decision": "pair", "other_id": "to2"})
        assert (refused.status_code, refused.json()["code"]) == (409, "adoption_taken")
        settled = await api.put(where, json={"decision": "pair", "other_id": "to4", "reason": "?"})
        assert settled.json()["state"] == "paired"
        assert settled.json()["settled_by"].startswith("tester (")
        where = f"adoption/pairs/{rows['o4']['id']}"
        assert (await api.put(where, json={"decision": "leave"})).json()["state"] == "source_only"
    assert await bench.rows("SELECT 1 FROM quarantine WHERE status = 'open'") == []
    row = await bench.run("recent", cutover=True)
    assert row["status"] == "succeeded"
    # One was chosen, the other one was said to be missing.
    assert bench.target.creates() == [(Stream.ORDERS, "o4")]
    await adopt(bench)
    assert (await states(bench, "orders"))["source", "o1"] == ("paired", "to4")


async def test_nothing_is_settled_where_the_target_s_connector_is_gone(bench: Bench) -> None:
    twins(bench)
    await bench.run("adopt", since=SINCE)
    async with api_of(bench) as api:
        (row,) = (each for each in await listed(api) if each["record_id"] == "o1")
        async with bench.resources.engine.begin() as connection:
            await connection.execute(text("UPDATE stores SET platform = 'gone'"))
        asked = {"decision": "pair", "other_id": "to4"}
        refused = await api.put(f"adoption/pairs/{row['id']}", json=asked)
        assert (refused.status_code, refused.json()["code"]) == (422, "store_cannot")
    assert (await states(bench, "orders"))["source", "o1"][0] == "ambiguous"


async def test_what_is_ignored_never_comes_over(bench: Bench) -> None:
    fill(bench)
    del bench.target.rows[Stream.ORDERS]["to3"]
    await adopt(bench)
    async with api_of(bench) as api:
        [row] = await listed(api, state="source_only")
        body = {"decision": "ignore", "reason": "A test order"}
        assert (await api.put(f"adoption/pairs/{row['id']}", json=body)).status_code == 200
    for _ in range(2):
        job = await bench.run("recent", cutover=True)
        assert job["status"] == "succeeded"
        assert bench.target.creates() == []
        await adopt(bench)


async def test_a_pair_is_taken_apart_only_before_it_is_used(bench: Bench) -> None:
    fill(bench)
    await adopt(bench)
    async with api_of(bench) as api:
        rows = {each["record_id"]: each for each in await listed(api, state="paired")}
        where = f"adoption/pairs/{rows['o1']['id']}"
        assert (await api.put(where, json={"decision": "leave"})).json()["other_id"] is None
        assert await bench.rows("SELECT 1 FROM links WHERE source_id = 'o1'") == []
        body = {"decision": "pair", "other_id": "to1"}
        assert (await api.put(where, json=body)).json()["matched_by"] == "settled"
    await bench.run("recent", cutover=True)
    assert bench.target.creates() == []
    async with api_of(bench) as api:
        refused = await api.put(where, json={"decision": "leave"})
        assert (refused.status_code, refused.json()["code"]) == (409, "adoption_applied")
