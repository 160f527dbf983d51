from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from app.errors import BadCursor
from app.schemas.paging import Keyset, encode
from tests.service.answers import problem
from tests.service.paper import a_store


async def read_all(api, path, **query):
    items, cursor = [], None
    for _ in range(50):
        params = query | ({"cursor": cursor} if cursor else {})
        page = (await api.get(path, params=params)).json()
        assert len(page["items"]) <= query["limit"]
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            return items
    raise AssertionError("the list does not end")


async def test_pages_hold_every_item_once(api):
    names = [f"shop-{number:02}" for number in range(7)]
    for name in names:
        await api.post("/v1/stores", json=a_store(name))
    for limit in (1, 2, 3, 7, 8):
        found = await read_all(api, "/v1/stores", limit=limit)
        assert [each["name"] for each in found] == names


async def test_jobs_of_one_moment_are_told_apart(api, service, start):
    for _ in range(5):
        await start()
    await service.write("UPDATE jobs SET created_at = '2026-01-01T00:00:00.123456Z'")
    found = await read_all(api, "/v1/jobs", limit=2)
    assert len({each["id"] for each in found}) == 5


async def test_links_are_paged_across_streams(api, service, migration):
    await service.write(
        "INSERT INTO links (migration_id, stream, source_id, target_id, state)"
        " SELECT m.id, s, n::text, 't' || n, 'applied' FROM migrations m,"
        " unnest(ARRAY['orders', 'products']) s, generate_series(1, 6) n"
    )
    found = await read_all(api, "/v1/migrations/spring/links", limit=5)
    assert len({(each["stream"], each["source_id"]) for each in found}) == 12


def _cursor(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "nonsense",
        "caf\u00e9",
        _cursor([]),
        _cursor({}),
        _cursor(None),
        _cursor(["only one"]),
        _cursor(["2026-01-01T00:00:00", "7f3f7a52-2f5e-4a3e-bb0e-0f7f5c3e9a33"]),
        _cursor(["2026-01-01T00:00:00+00:00", "not an id"]),
        _cursor([7, 7]),
        _cursor(["a\0b", "7f3f7a52-2f5e-4a3e-bb0e-0f7f5c3e9a33"]),
        base64.urlsafe_b64encode(b"\xff\xff").decode(),
        base64.urlsafe_b64encode(b"[" * 900).decode(),
    ],
)
async def test_a_made_up_cursor_is_refused(api, cursor):
    members = problem(await api.get("/v1/jobs", params={"cursor": cursor}), 422, "bad_cursor")
    assert members["errors"][0]["parameter"] == "cursor"


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_a_cursor_with_text_that_no_database_takes_is_refused(text):
    with pytest.raises(BadCursor):
        Keyset.parse(_cursor([text]), 10, str)


def test_a_cursor_says_exactly_where_to_go_on():
    key = (datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC), UUID(int=7))
    assert Keyset.parse(encode(key), 10, datetime, UUID).after == key


async def test_a_cursor_longer_than_any_is_refused(api):
    answer = await api.get("/v1/jobs", params={"cursor": "x" * 2001})
    problem(answer, 422, "invalid_request")
