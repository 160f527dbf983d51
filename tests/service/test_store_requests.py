from __future__ import annotations

import pytest

from app.services import checks
from tests.service.answers import problem
from tests.service.paper import a_store


async def test_platforms_say_what_they_can_and_need(api):
    items = {each["name"]: each for each in (await api.get("/v1/platforms")).json()["items"]}
    assert list(items) == ["paper", "press"]
    assert items["paper"]["source"]["orders"]["trust"] == "overlap"
    assert "inventory" not in items["paper"]["source"]
    assert items["paper"]["target"]["inventory"]["losses"][0]["field"] == "extra"
    assert items["press"]["source"] is None
    assert "url" in items["paper"]["settings_schema"]["properties"]
    assert "token" in items["paper"]["credentials_schema"]["properties"]


async def test_a_store_is_found_by_name_and_by_id(api):
    answer = await api.post("/v1/stores", json=a_store())
    made = answer.json()
    assert answer.headers["location"] == "/v1/stores/old-shop"
    assert (await api.get("/v1/stores/old-shop")).json() == made
    assert (await api.get(f"/v1/stores/{made['id']}")).json() == made
    assert made["credentials_set"] == ["token"]
    assert made["settings"] == {"url": "https://shop.example"}


async def test_a_name_is_taken_once(api):
    await api.post("/v1/stores", json=a_store())
    problem(await api.post("/v1/stores", json=a_store()), 409, "store_exists")
    await api.post("/v1/stores", json=a_store("other"))
    answer = await api.patch("/v1/stores/other", json={"name": "old-shop"})
    problem(answer, 409, "store_exists")


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"platform": "nothing"}, "unknown_platform", "/platform"),
        ({"settings": {"url": "ftp://x"}}, "invalid_store_settings", "/settings/url"),
        ({"settings": {}}, "invalid_store_settings", "/settings/url"),
        ({"settings": {"url": "https://x", "pages": "many"}}, "invalid_store_settings", None),
        ({"credentials": {}}, "invalid_store_settings", "/credentials/token"),
        ({"credentials": {"token": 7}}, "invalid_store_settings", "/credentials/token"),
        ({"name": "with space"}, "invalid_request", "/name"),
        ({"name": ""}, "invalid_request", "/name"),
        ({"color": "red"}, "invalid_request", "/color"),
        ({"settings": []}, "invalid_request", "/settings"),
    ],
)
async def test_a_wrong_store_is_refused_with_the_place(api, change, code, pointer):
    members = problem(await api.post("/v1/stores", json=a_store() | change), 422, code)
    if pointer:
        assert pointer in [each["pointer"] for each in members["errors"]]


async def test_refusals_do_not_repeat_what_was_sent(api):
    body = a_store(credentials={"token": {"deep": "hush-hush"}}, settings={"url": "hush://hush"})
    answer = await api.post("/v1/stores", json=body)
    problem(answer, 422, "invalid_store_settings")
    assert "hush" not in answer.text


async def test_a_change_merges_and_is_checked_as_a_whole(api, service):
    await api.post("/v1/stores", json=a_store())
    changes = {"settings": {"pages": 3}, "credentials": {"spare": "s3cret"}}
    changed = (await api.patch("/v1/stores/old-shop", json=changes)).json()
    assert changed["settings"] == {"url": "https://shop.example", "pages": 3}
    assert changed["credentials_set"] == ["spare", "token"]
    assert changed["version"] == 2
    (row,) = await service.rows("SELECT credentials FROM stores")
    assert service.resources.vault.open(row["credentials"]) == {
        "token": "cs_0123456789abcdef",
        "spare": "s3cret",
    }
    without = {"settings": {"pages": None}, "credentials": {"spare": None}}
    changed = (await api.patch("/v1/stores/old-shop", json=without)).json()
    assert changed["settings"] == {"url": "https://shop.example"}
    assert changed["credentials_set"] == ["token"]
    answer = await api.patch("/v1/stores/old-shop", json={"credentials": {"token": None}})
    problem(answer, 422, "invalid_store_settings")


async def test_a_store_in_use_stays(api, migration):
    problem(await api.delete("/v1/stores/old-shop"), 409, "store_in_use")
    assert (await api.delete(f"/v1/migrations/{migration}")).status_code == 204
    assert (await api.delete("/v1/stores/old-shop")).status_code == 204
    problem(await api.get("/v1/stores/old-shop"), 404, "store_not_found")
    problem(await api.delete("/v1/stores/old-shop"), 404, "store_not_found")


async def test_a_check_reports_on_both_sides(runner, api):
    await api.post("/v1/stores", json=a_store())
    found = (await runner.post("/v1/stores/old-shop/check")).json()
    assert found["ok"] is True
    assert found["source"]["report"]["currency"] == "EUR"
    assert found["target"]["report"]["findings"] == [{"code": "old", "message": "Old."}]


@pytest.mark.parametrize(
    ("mood", "code"),
    [
        ("offline", "store_unreachable"),
        ("locked", "store_unauthorized"),
        ("html", "store_not_json"),
    ],
)
async def test_a_check_names_the_stores_problem(api, mood, code):
    settings = {"url": "https://shop.example", "mood": mood}
    await api.post("/v1/stores", json=a_store(settings=settings))
    answer = await api.post("/v1/stores/old-shop/check")
    assert answer.status_code == 200
    assert answer.json()["ok"] is False
    assert answer.json()["source"]["code"] == code
    assert answer.json()["source"]["message"]


async def test_a_check_may_ask_one_side_alone(api):
    settings = {"url": "https://shop.example", "mood": "read_only"}
    await api.post("/v1/stores", json=a_store(settings=settings))
    as_source = (await api.post("/v1/stores/old-shop/check?as=source")).json()
    assert (as_source["ok"], as_source["target"]) == (True, None)
    both = (await api.post("/v1/stores/old-shop/check")).json()
    assert (both["ok"], both["target"]["code"]) == (False, "store_forbidden")


async def test_a_check_of_a_store_that_never_answers_ends(api, monkeypatch):
    monkeypatch.setattr(checks, "SECONDS", 0.05)
    settings = {"url": "https://shop.example", "mood": "slow"}
    await api.post("/v1/stores", json=a_store(settings=settings))
    found = (await api.post("/v1/stores/old-shop/check")).json()
    assert found["source"]["code"] == "store_unreachable"


async def test_a_platform_that_cannot_be_read_has_no_source_side(api):
    await api.post("/v1/stores", json=a_store(platform="press"))
    found = (await api.post("/v1/stores/old-shop/check")).json()
    assert (found["ok"], found["source"]) == (True, None)
    nothing = (await api.post("/v1/stores/old-shop/check?as=source")).json()
    assert nothing["ok"] is False


async def test_credentials_that_no_key_opens_are_told_and_can_be_renewed(api, service):
    await api.post("/v1/stores", json=a_store())
    await service.write("UPDATE stores SET credentials = 'gAAAA-not-ours'")
    shown = (await api.get("/v1/stores/old-shop")).json()
    assert (shown["credentials_readable"], shown["credentials_set"]) == (False, [])
    found = (await api.post("/v1/stores/old-shop/check")).json()
    assert found["source"]["code"] == "credentials_unreadable"
    answer = await api.patch("/v1/stores/old-shop", json={"credentials": {"token": "new"}})
    assert answer.json()["credentials_readable"] is True


async def test_a_platform_that_was_uninstalled_is_told(api, service):
    await api.post("/v1/stores", json=a_store())
    await service.write("UPDATE stores SET platform = 'gone'")
    problem(await api.post("/v1/stores/old-shop/check"), 422, "unknown_platform")
    assert (await api.get("/v1/stores/old-shop")).status_code == 200
