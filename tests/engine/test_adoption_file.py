"""The file in which people settle an adoption: out, in, and what it refuses."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import pytest

from app.errors import InvalidAdoptionFile
from app.services.adoption_file import COLUMNS, parsed
from connectors.records import Stream
from tests.engine.adopted import PAIRS, SINCE, adopt, fill, product, twins
from tests.engine.api_client import api_of
from tests.engine.conftest import Bench

HEADER = "stream,source_id,target_id,decision,reason\r\n"


async def taken(api: httpx.AsyncClient, text: str, kind: str = "text/csv") -> httpx.Response:
    return await api.post("adoption.csv", content=text.encode(), headers={"Content-Type": kind})


async def lines(api: httpx.AsyncClient, **query: str) -> list[dict[str, str]]:
    answer = await api.get("adoption.csv", params=query)
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def written(rows: list[dict[str, str]], delimiter: str = ",") -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


async def test_a_file_goes_out_is_filled_in_and_comes_back(bench: Bench) -> None:
    twins(bench)
    bench.target.put(Stream.PRODUCTS, "tp9", product(9, name='=HYPERLINK("x"), "new"\n', sku=""))
    await bench.run("adopt", since=SINCE)
    async with api_of(bench) as api:
        everything = await lines(api)
        assert tuple(everything[0]) == COLUMNS
        untouched = (await taken(api, written(everything))).json()
        assert untouched == {"settled": 0, "unchanged": 0, "undecided": len(everything)}
        rows = await lines(api, state="ambiguous", stream="orders")
        wanted = {"o1": "to4", "o4": "to1"}
        for row in rows:
            if row["source_id"]:
                assert row["candidates"] == "to1 to4"
                row |= {"decision": "pair", "target_id": wanted[row["source_id"]], "reason": "ok"}
        [alone] = [row for row in everything if row["target_id"] == "tp9"]
        assert alone["label"].startswith("'=HYPERLINK")
        text = written([*rows, alone | {"decision": "ignore"}])
        assert (await taken(api, text)).json() == {"settled": 3, "unchanged": 0, "undecided": 2}
        assert (await taken(api, text)).json() == {"settled": 0, "unchanged": 3, "undecided": 2}
        # As a spreadsheet of another language saves it.
        again = await taken(api, "\ufeff" + written(rows, delimiter=";"))
        assert again.json() == {"settled": 0, "unchanged": 2, "undecided": 2}
        after = await lines(api)
        assert (await taken(api, written(after))).json()["settled"] == 0
        assert await lines(api) == after
    links = {each["source_id"]: each["target_id"] for each in await bench.rows(PAIRS)}
    assert (links["o1"], links["o4"]) == ("to4", "to1")


async def test_nothing_in_the_file_is_a_formula_and_ids_come_back_as_they_are(
    bench: Bench,
) -> None:
    fill(bench)
    bench.target.put(Stream.PRODUCTS, "=1+1", product(9, sku=""))
    bench.target.put(Stream.PRODUCTS, "'-2", product(8, sku=""))
    await adopt(bench)
    async with api_of(bench) as api:
        rows = await lines(api, state="target_only")
        assert sorted(each["target_id"] for each in rows) == ["''-2", "'=1+1"]
        filled = [row | {"decision": "ignore", "reason": "=cmd|' /C calc'!A0"} for row in rows]
        assert (await taken(api, written(filled))).json()["settled"] == 2
        after = await lines(api, state="target_only")
        assert {each["reason"] for each in after} == {"'=cmd|' /C calc'!A0"}
        assert (await taken(api, written(after))).json()["settled"] == 0
    kept = await bench.rows("SELECT reason FROM adoption_records WHERE decision = 'ignore'")
    assert {each["reason"] for each in kept} == {"=cmd|' /C calc'!A0"}


async def test_pairs_are_exchanged_by_one_file(bench: Bench) -> None:
    """In whichever order its lines stand."""
    fill(bench)
    await adopt(bench)
    pairs = {"o1": "to2", "o2": "to3", "o3": "to1"}
    rows = "".join(f"orders,{old},{new},pair,\r\n" for old, new in pairs.items())
    async with api_of(bench) as api:
        assert (await taken(api, HEADER + rows)).json()["settled"] == 3
        assert (await taken(api, HEADER + rows)).json()["settled"] == 0
        links = {each["source_id"]: each["target_id"] for each in await bench.rows(PAIRS)}
        assert {name: links[name] for name in pairs} == pairs
        rows = "orders,o1,to3,pair,\r\norders,o2,,leave,\r\n"
        assert (await taken(api, HEADER + rows)).json()["settled"] == 2
        # One that keeps its counterpart cannot lose it by somebody else's line.
        answer = await taken(api, HEADER + "orders,o1,to1,pair,\r\n")
        assert answer.status_code == 422
    links = {each["source_id"]: each["target_id"] for each in await bench.rows(PAIRS)}
    assert (links["o1"], links.get("o2"), links["o3"]) == ("to3", None, "to1")


def test_a_line_that_says_the_same_once_more_is_no_mistake() -> None:
    """Both records of a pair have a line, and somebody fills in both."""
    body = HEADER + "orders,o1,to4,pair,\r\norders,o1,to4,pair,twice\r\n"
    found, _ = parsed(body.encode())
    assert [(each.source_id, each.target_id) for each in found] == [("o1", "to4")] * 2
    with pytest.raises(InvalidAdoptionFile):
        parsed((body + "orders,o1,to5,pair,\r\n").encode())


@pytest.mark.parametrize(
    ("line", "pointer"),
    [
        ("orders,o1,to1,perhaps,", "/2/decision"),
        ("baskets,o1,to1,pair,", "/2/stream"),
        ("orders,o1,,pair,", "/2/target_id"),
        ("orders,,,leave,", "/2/source_id"),
        ("orders,o1", "/2"),
        ("orders,o1,to1,pair," + "x" * 501, "/2/reason"),
        ("orders,o99,,leave,", "/2"),
        ("orders,o1,to99,pair,", "/2"),
        ("orders,o1,to2,pair,", "/2"),
        ("orders,o4,,leave,\r\norders,o4,,ignore,", "/3/source_id"),
    ],
)
async def test_one_wrong_line_and_nothing_is_taken(bench: Bench, line: str, pointer: str) -> None:
    twins(bench)
    await bench.run("adopt", since=SINCE)
    before = await bench.rows(PAIRS)
    async with api_of(bench) as api:
        good = "orders,,to1,leave,\r\n"
        answer = await taken(api, f"{HEADER}{line}\r\n{good}")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_adoption_file")
        assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]
    assert await bench.rows(PAIRS) == before
    assert await bench.rows("SELECT 1 FROM adoption_records WHERE decision IS NOT NULL") == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   \r\n",
        b"\xff\xfe\x00",
        b"stream,decision\r\n",
        b"stream,stream,source_id,target_id,decision\r\n",
        HEADER.encode() + b'orders,"o1,to1,pair,\r\n',
        HEADER.encode() + b"orders,o\0,to1,pair,\r\n",
        b"%PDF-1.7 nothing of a table",
    ],
)
def test_rubbish_is_refused_in_a_sentence(body: bytes) -> None:
    with pytest.raises(InvalidAdoptionFile) as caught:
        parsed(body)
    assert caught.value.detail


async def test_only_csv_is_taken_and_no_job_may_run(bench: Bench) -> None:
    fill(bench)
    await adopt(bench)
    async with api_of(bench) as api:
        answer = await taken(api, HEADER, "application/json")
        assert answer.status_code == 415
        await bench.start("recent")
        answer: Any = await taken(api, HEADER)
        assert (answer.status_code, answer.json()["code"]) == (409, "job_running")
