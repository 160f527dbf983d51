"""The running API does what its description says, whatever is thrown at it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import schemathesis
from hypothesis import settings
from schemathesis.config import SchemathesisConfig

from app.main import create_app
from app.resources import Resources
from app.routes import dependencies
from app.settings import Settings
from connectors import registry
from tests.service.behind import Service
from tests.service.paper import a_store, paper
from tests.service.serving import serving

pytestmark = pytest.mark.slow

EXAMPLES = 12
CONFIG = {
    "checks": {
        # Rules of the domain (a store that exists, a cursor to begin from) stand in no schema.
        "positive_data_acceptance": {"expected-statuses": ["2xx", "304", "404", "409", "422"]},
    },
    "generation": {"deterministic": True},
}
schema = schemathesis.openapi.from_dict(
    create_app(Settings()).openapi(), config=SchemathesisConfig.from_dict(CONFIG)
)


@pytest.fixture(scope="module")
def url(service_settings: Settings) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "connectors", lambda: {"paper": paper()})
        patch.setattr("app.services.platforms.connectors", registry.connectors)
        # The example of a preference would otherwise be waited out again and again.
        patch.setattr(dependencies, "LONGEST_WAIT", 0)
        with serving(service_settings) as address:
            yield address


@pytest.fixture(scope="module")
async def key(resources: Resources, url: str) -> AsyncIterator[str]:
    """A key of an administrator, and what the examples of the description name."""
    behind = Service(create_app(resources=resources), resources)
    secret = await behind.key("admin")
    client = behind.client(secret)
    async with client:
        behind.app.state.resources = resources
        for name in ("old-shop", "new-shop"):
            made = await client.post("/v1/stores", json=a_store(name))
            assert made.status_code == 201
        body = {"slug": "spring-launch", "source": "old-shop", "target": "new-shop"}
        assert (await client.post("/v1/migrations", json=body)).status_code == 201
        job = (
            await client.post("/v1/jobs", json={"kind": "full", "migration": body["slug"]})
        ).json()
    await behind.quarantine("spring-launch", "orders", "1")
    await behind.end(job["id"])
    await behind.write("UPDATE quarantine SET id = 'e2b8f1c4-51d3-4a07-9a57-0c5b2d7e8f44'")
    # An ended job, so that its events come to an end.
    await behind.write(
        "INSERT INTO jobs (id, migration_id, kind, status, params, plan, stage, passes)"
        " SELECT '7f3f7a52-2f5e-4a3e-bb0e-0f7f5c3e9a33', id, 'full', 'succeeded', '{}', '[]', 0,"
        " '{}' FROM migrations"
    )
    yield secret
    for table in ("jobs", "migrations", "stores", "api_keys"):
        await behind.write(f"DELETE FROM {table}")  # noqa: S608


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None)
def test_the_api_keeps_its_word(case: schemathesis.Case, url: str, key: str) -> None:
    case.call_and_validate(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30)
