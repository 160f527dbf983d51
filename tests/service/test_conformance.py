"""The running API does what its description says, whatever is thrown at it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig
from schemathesis.generation.feedback import NO_FEEDBACK
from schemathesis.generation.hypothesis.builder import (
    InvalidHeadersExampleMark,
    MissingPathParameters,
)
from schemathesis.pytest._test_builder import build_operation_test
from schemathesis.schemas import BaseSchema

from app.main import create_app
from app.resources import Resources
from app.routes import dependencies
from app.settings import Settings
from connectors import registry
from tests.service.behind import Service
from tests.service.paper import a_store, paper
from tests.service.serving import serving

pytestmark = pytest.mark.slow

# The ids that the description's examples name.
JOB = "7f3f7a52-2f5e-4a3e-bb0e-0f7f5c3e9a33"
KNOWN = {
    "path.store": "old-shop",
    "path.migration": "spring-launch",
    "path.stream": "orders",
    "path.job": JOB,
    "path.item": "e2b8f1c4-51d3-4a07-9a57-0c5b2d7e8f44",
    "path.key": "c1a7d0de-0b7e-4d0e-9e15-7a8f6b5c4d55",
}
# Rules of the domain (a store that exists, a cursor to begin from) stand in no schema.
CHECKS = {
    "positive_data_acceptance": {"expected-statuses": ["2xx", "304", "404", "409", "422"]},
}
# The key is sent with every request; wrong ones have tests of their own.
GENERATION = {"deterministic": True, "with-security-parameters": False}
DESCRIBED = create_app(Settings()).openapi()
MOST = 200
"""Made-up cases of one operation. A body of many nested forms has thousands, which say the same of
each form: of those some are asked, evenly chosen.
"""
OPERATIONS = [
    f"{method.upper()} {path}" for path, methods in DESCRIBED["paths"].items() for method in methods
]


def known_names(_: Any, body: Any) -> Any:
    """Names of things that are there instead of words that fit the pattern."""
    if isinstance(body, dict):
        there = {"migration": "spring-launch", "source": "old-shop", "target": "new-shop"}
        body |= {name: there[name] for name in there if name in body}
        if "platform" in body:
            body = a_store(body["name"])
    return body


@pytest.fixture(scope="module")
def anything() -> BaseSchema:
    return schemathesis.openapi.from_dict(DESCRIBED, config=config())


@pytest.fixture(scope="module")
def sensible() -> BaseSchema:
    schema = schemathesis.openapi.from_dict(
        DESCRIBED,
        config=config(
            generation=GENERATION | {"mode": "positive"},
            parameters=KNOWN,
            phases={"coverage": {"enabled": False}},
        ),
    )
    schema.hook("map_body")(known_names)
    return schema


def config(**more: Any) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict({"checks": CHECKS, "generation": GENERATION} | more)


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
def session() -> Iterator[requests.Session]:
    """One connection for all requests."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
async def key(resources: Resources, url: str) -> AsyncIterator[str]:
    """A key of an administrator, in a world that holds what the examples name."""
    behind = Service(create_app(resources=resources), resources)
    secret = await behind.key("admin")
    other = await behind.key("read")
    behind.app.state.resources = resources
    async with behind.client(secret) as client:
        for name in ("old-shop", "new-shop", "idle-shop"):
            assert (await client.post("/v1/stores", json=a_store(name))).status_code == 201
        body = {"slug": "spring-launch", "source": "old-shop", "target": "new-shop"}
        assert (await client.post("/v1/migrations", json=body)).status_code == 201
    await behind.set_cursors("spring-launch", "categories", "products", "customers", "orders")
    await behind.quarantine("spring-launch", "orders", "1")
    await behind.conflict("spring-launch")
    for table in ("quarantine", "conflicts"):
        await behind.write(f"UPDATE {table} SET id = :id", id=KNOWN["path.item"])  # noqa: S608
    await behind.write(
        "UPDATE api_keys SET id = :id WHERE prefix = :prefix",
        id=KNOWN["path.key"],
        prefix=other.split("_")[1],
    )
    # A job that has ended, so that its events come to an end.
    await behind.write(
        "INSERT INTO jobs (id, migration_id, kind, status, params, plan, stage, passes)"
        " SELECT :id, id, 'full', 'succeeded', '{}', '[]', 0, '{}' FROM migrations",
        id=JOB,
    )
    await behind.event(JOB, "job.created")
    yield secret
    await behind.clear()


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def ask(case: schemathesis.Case, url: str, key: str, session: requests.Session) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    case.call_and_validate(base_url=url, session=session, headers=headers, timeout=30)


def cases(schema: BaseSchema, label: str) -> Callable[..., None]:
    """A test that asks for one operation in many ways.

    What `schema.parametrize()` would make, but when the test begins: while tests are gathered,
    every process that gathers them would make the cases of all operations, for 40 seconds.
    Schemathesis has lazy schemas for this; those of 4.32 do not run under pytest 9.2.
    """
    operation = schema.find_operation_by_label(label)
    test = build_operation_test(
        config=schema.config,
        operation=operation,
        test_func=ask,
        given_kwargs={},
        feedback=NO_FEEDBACK,
    )
    made_up: list[Any] = getattr(test, "hypothesis_explicit_examples", [])
    made_up[:] = made_up[:: -(-len(made_up) // MOST) or 1]
    assert not InvalidHeadersExampleMark.is_set(test)
    assert not MissingPathParameters.is_set(test)
    return test


@pytest.mark.parametrize("label", OPERATIONS)
def test_whatever_is_sent_is_answered_as_described(label, anything, url, key, session):
    cases(anything, label)(url=url, key=key, session=session)


@pytest.mark.parametrize("label", OPERATIONS)
def test_what_makes_sense_is_answered_as_described(label, sensible, url, key, session):
    cases(sensible, label)(url=url, key=key, session=session)
