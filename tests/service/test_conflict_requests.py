"""Conflicts over the API: listed, settled, carried out."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from sqlmodel.ext.asyncio.session import AsyncSession

from app.security import Vault
from app.services.vault import rotate_all
from tests.service.answers import problem
from tests.service.behind import CONFLICTING

HOME = "/v1/migrations/spring/conflicts"


@pytest.fixture
def conflict(service, migration):
    """Put a conflict behind the API and answer with its id."""

    async def make(field: str = "name", **more) -> str:
        return await service.conflict(migration, field, **more)

    return make


async def test_conflicts_are_listed_oldest_first_and_page_by_page(api, conflict):
    made = [await conflict(each) for each in ("name", "slug", "weight")]
    page = (await api.get(HOME, params={"limit": 2})).json()
    rest = (await api.get(HOME, params={"limit": 2, "cursor": page["next"]})).json()
    assert [each["id"] for each in page["items"] + rest["items"]] == made
    assert page["items"][0]["values"] == CONFLICTING


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({"stream": "customers"}, ["email"]),
        ({"status": "later"}, ["slug"]),
        ({"field": "name"}, ["name"]),
        ({"source_id": "9"}, ["slug"]),
        ({}, ["name", "slug", "email"]),
    ],
)
async def test_conflicts_are_filtered(api, conflict, query, fields):
    await conflict("name")
    await conflict("slug", status="later", source_id="9")
    await conflict("email", stream="customers")
    found = (await api.get(HOME, params=query)).json()["items"]
    assert [each["field"] for each in found] == fields


async def test_conflicts_are_counted_by_what_is_decided(api, service, conflict):
    await conflict("name")
    await conflict("slug", status="later", source_id="9")
    for field in ("description", "price"):
        await conflict(field, status="settled", decision="target")
    await service.write("UPDATE conflicts SET settled_by = 'policy' WHERE field = 'price'")
    found = (await api.get(f"{HOME}/summary")).json()
    assert found == {"open": 1, "later": 1, "settled": 2, "by_policy": 1}
    found = (await api.get(f"{HOME}/summary", params={"source_id": "9"})).json()
    assert found == {"open": 0, "later": 1, "settled": 0, "by_policy": 0}


async def test_values_are_shown_to_whoever_may_run_jobs(reader, runner, conflict):
    item = await conflict()
    assert (await reader.get(f"{HOME}/{item}")).json()["values"] is None
    assert (await reader.get(HOME)).json()["items"][0]["values"] is None
    assert (await runner.get(f"{HOME}/{item}")).json()["values"] == CONFLICTING


@pytest.mark.parametrize(
    ("take", "status", "decision", "applied"),
    [
        ("source", "settled", "source", False),
        ("target", "settled", "target", True),
        ("later", "later", None, False),
    ],
)
async def test_who_settled_a_conflict_and_why_is_kept(  # noqa: PLR0917
    runner, service, conflict, take, status, decision, applied
):
    item = await conflict()
    body = {"take": take, "reason": "The new wording."}
    settled = (await runner.post(f"{HOME}/{item}/settle", json=body)).json()
    prefix = service.keys["run"].split("_")[1]
    assert (settled["status"], settled["decision"]) == (status, decision)
    assert (settled["settled_by"], settled["reason"]) == (f"tests ({prefix})", "The new wording.")
    assert (settled["applied_at"] is not None) is applied
    assert (await runner.get(f"{HOME}/{item}")).json() == settled


async def test_what_was_written_over_cannot_be_kept_any_more(api, conflict):
    item = await conflict(status="settled", decision="source")
    answer = await api.post(f"{HOME}/{item}/settle", json={"take": "target"})
    problem(answer, 409, "conflict_applied")
    again = await api.post(f"{HOME}/{item}/settle", json={"take": "source"})
    assert again.json()["applied_at"] is not None


async def test_many_are_settled_alike(api, conflict):
    await conflict("name")
    await conflict("name", source_id="2")
    await conflict("slug")
    await conflict("name", source_id="3", status="settled", decision="source")
    body = {"take": "target", "field": "name", "status": ["open", "settled"]}
    assert (await api.post(f"{HOME}/settle", json=body)).json() == {"settled": 2}
    found = (await api.get(HOME, params={"status": "open"})).json()["items"]
    assert [each["field"] for each in found] == ["slug"]


@pytest.mark.parametrize("body", [{}, {"take": "mine"}, {"take": "source", "color": "red"}])
async def test_settling_says_whose_value_stays(api, conflict, body):
    item = await conflict()
    problem(await api.post(f"{HOME}/{item}/settle", json=body), 422, "invalid_request")


async def test_a_job_carries_out_what_was_chosen(api, service, conflict):
    item = await conflict()
    problem(await api.post(f"{HOME}/apply"), 409, "nothing_to_apply")
    await api.post(f"{HOME}/{item}/settle", json={"take": "source"})
    body = {"streams": ["customers"]}
    problem(await api.post(f"{HOME}/apply", json=body), 409, "nothing_to_apply")
    answer = await api.post(f"{HOME}/apply")
    assert answer.status_code == 202
    assert answer.json()["params"]["streams"] == ["products"]
    assert answer.json()["params"]["options"] == {"only": "conflicts"}


async def test_a_conflict_belongs_to_its_migration(api, conflict):
    item = await conflict()
    body = {"slug": "other", "source": "new-shop", "target": "old-shop"}
    await api.post("/v1/migrations", json=body)
    answer = await api.get(f"/v1/migrations/other/conflicts/{item}")
    problem(answer, 404, "conflict_not_found")


@pytest.mark.parametrize(
    ("rules", "pointer"),
    [
        ({"products": {"descripton": "target"}}, "/policies/conflicts/products/descripton"),
        ({"products": {"name": "mine"}}, "/policies/conflicts/products/name"),
        ({"inventory": {"*": "target"}}, "/policies/conflicts/inventory"),
    ],
)
async def test_a_policy_for_what_is_no_field_is_refused_with_the_place(
    api, migration, rules, pointer
):
    body = {"policies": {"conflicts": rules}}
    members = problem(await api.patch("/v1/migrations/spring", json=body), 422, "invalid_request")
    assert members["errors"][0]["pointer"] == pointer


async def test_policies_are_kept_by_stream_and_field(api, migration):
    rules = {"products": {"*": "source", "regular_price": "manual"}, "orders": {"note": "target"}}
    body = {"policies": {"conflicts": rules}}
    changed = (await api.patch("/v1/migrations/spring", json=body)).json()
    assert changed["policies"] == {"conflicts": rules}


async def test_values_stay_readable_when_the_key_changes(service, conflict):
    await conflict()
    await service.write(
        "INSERT INTO contents SELECT id, 'products', '1', :content FROM migrations",
        content=service.resources.vault.seal_bytes(b"content"),
    )
    old = service.resources.settings.encryption_keys.get_secret_value()
    new = Fernet.generate_key().decode()
    async with AsyncSession(service.resources.engine) as session, session.begin():
        await rotate_all(session, Vault([new, old]))
    [row] = await service.rows("SELECT sealed, content FROM conflicts, contents")
    assert Vault([new]).open(row["sealed"]) == CONFLICTING
    assert Vault([new]).open_bytes(row["content"]) == b"content"
