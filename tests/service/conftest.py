from __future__ import annotations

import io
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography.fernet import Fernet
from fastapi import FastAPI

from app import log
from app.main import create_app
from app.resources import Resources, open_resources
from app.settings import Settings
from connectors import registry
from tests.fixtures.databases import migrated_database
from tests.service.behind import Service
from tests.service.hooks import Endpoint, endpoint
from tests.service.logging_state import kept_logging
from tests.service.paper import a_store, paper, press
from tests.service.serving import serving
from workers.posting import Poster, poster


@pytest.fixture(scope="session", autouse=True)
def log_as_the_service_does() -> Iterator[None]:
    """Into nowhere, unless a test looks: what is printed for developers takes its time."""
    with kept_logging():
        log.configure()
        logging.getLogger().handlers[0].setStream(io.StringIO())
        yield


@pytest.fixture(scope="session")
async def service_settings(servers: Any) -> AsyncIterator[Settings]:
    """A database of its own with all tables, and a corner of the Redis."""
    async with migrated_database(servers.database_url, "service") as url:
        yield Settings(
            database_url=url,
            redis_url=urlsplit(servers.redis_url)._replace(path="/7").geturl(),
            encryption_keys=Fernet.generate_key().decode(),
            max_body_bytes=65_536,
        )


@pytest.fixture(scope="session")
async def resources(service_settings: Settings) -> AsyncIterator[Resources]:
    async with open_resources(service_settings) as opened:
        yield opened


@pytest.fixture
def platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    """The platforms that these tests know, whatever is installed."""
    monkeypatch.setattr(registry, "connectors", lambda: {"paper": paper(), "press": press()})
    monkeypatch.setattr("app.services.platforms.connectors", registry.connectors)


@pytest.fixture(scope="session")
async def application(resources: Resources) -> AsyncIterator[FastAPI]:
    app = create_app(resources=resources)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def service(
    application: FastAPI, resources: Resources, platforms: None
) -> AsyncIterator[Service]:
    given = Service(application, resources)
    for scope in ("read", "run", "admin"):
        given.keys[scope] = await given.key(scope)
    yield given
    for client in given.clients:
        await client.aclose()
    await given.clear()


@pytest.fixture
def address(service: Service, service_settings: Settings) -> Iterator[str]:
    """The API under uvicorn, with resources of its own."""
    with serving(service_settings) as url:
        yield url


@pytest.fixture
def api(service: Service) -> httpx.AsyncClient:
    """A caller who may do everything."""
    return service.client(service.keys["admin"])


@pytest.fixture
def runner(service: Service) -> httpx.AsyncClient:
    return service.client(service.keys["run"])


@pytest.fixture
def reader(service: Service) -> httpx.AsyncClient:
    return service.client(service.keys["read"])


@pytest.fixture
async def migration(api: httpx.AsyncClient) -> str:
    """Two stores and a migration between them."""
    for name in ("old-shop", "new-shop"):
        url = {"url": f"https://{name}.example"}
        answer = await api.post("/v1/stores", json=a_store(name, settings=url))
        assert answer.status_code == 201, answer.text
    body = {"slug": "spring", "source": "old-shop", "target": "new-shop"}
    answer = await api.post("/v1/migrations", json=body)
    assert answer.status_code == 201, answer.text
    return "spring"


@pytest.fixture
def start(api: httpx.AsyncClient, migration: str) -> Callable[..., Any]:
    """Start a job of the migration and answer with it."""

    async def post(kind: str = "full", **more: Any) -> dict[str, Any]:
        answer = await api.post("/v1/jobs", json={"kind": kind, "migration": migration, **more})
        assert answer.status_code == 202, answer.text
        job: dict[str, Any] = answer.json()
        return job

    return post


@pytest.fixture
def hook() -> Iterator[Endpoint]:
    """An endpoint for webhooks."""
    with endpoint() as found:
        yield found


@pytest.fixture
async def post() -> AsyncIterator[Poster]:
    """Posts to endpoints, on loopback too."""
    async with poster(private=True) as found:
        yield found
