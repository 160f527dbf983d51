"""A world of two shops and a migration between them, for one seed or one example."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID, uuid4

from cryptography.fernet import Fernet
from sqlalchemy import text

from app.models import JobStatus
from app.resources import Resources
from app.security import Vault
from app.services.lifecycle import to_json
from app.settings import Settings
from connectors.records import Stream
from drills.crew import Crew, Wakes
from drills.database import Database
from drills.people import Shopkeepers
from drills.shop import CREDENTIALS, Shop, practice
from drills.team import Team

PREFIX = "rs-drill"
_KEY = Fernet.generate_key().decode()


@dataclass(frozen=True)
class Place:
    """Where and how a world is: time zones of both shops, records in a page, and whether both
    shops have the add-on.
    """

    source_zone: str = "America/New_York"
    target_zone: str = "Europe/Berlin"
    page_size: int = 7
    addon: bool = False


class World:
    """Shops, people, workers and the database of one drill."""

    def __init__(self, database: Database, place: Place, dice: Random) -> None:
        loop = database.loop
        self.loop = loop
        self.database = database
        self.place = place
        self.source = self._shop("source", place.source_zone)
        self.target = self._shop("target", place.target_zone)
        self.people = Shopkeepers(self.source, Random(dice.random()))
        self.team = Team(self.target, self.source, Random(dice.random()))
        self.migration = uuid4()
        settings = Settings(
            encryption_keys=_KEY, redis_url="redis://127.0.0.1:1/0", parallel_slices=2
        )
        queue: Any = Wakes(loop.time, Random(dice.random()))
        resources = Resources(settings, database.engine, queue, Vault.from_settings(settings))
        platform = practice(self.source, self.target, self._passing)
        self.crew = Crew(resources, database, platform, Random(dice.random()))
        self.resources = resources
        self.platform = platform
        self.watermarks: dict[str, float] = {}
        self.findings: list[str] = []

    def _shop(self, name: str, timezone: str) -> Shop:
        place = self.place
        size, addon = place.page_size, place.addon
        return Shop(name, self.loop, timezone=timezone, page_size=size, addon=addon)

    async def _passing(self, *passage: Any) -> None:
        await self.crew.passing(*passage)

    async def begin(self) -> None:
        """Register both stores and the migration in an empty database."""
        await self.database.empty()
        ids = {}
        async with self.database.engine.begin() as connection:
            for shop in (self.source, self.target):
                ids[shop.name] = uuid4()
                await connection.execute(
                    text(
                        "INSERT INTO stores (id, name, platform, settings, credentials, version)"
                        " VALUES (:id, :name, 'woocommerce', CAST(:settings AS jsonb), :sealed, 1)"
                    ),
                    {
                        "id": ids[shop.name],
                        "name": shop.name,
                        "settings": to_json(shop.settings()),
                        "sealed": self.resources.vault.seal(CREDENTIALS),
                    },
                )
            await connection.execute(
                text(
                    "INSERT INTO migrations (id, slug, key_prefix, source_id, target_id, streams,"
                    " policies, version) VALUES (:id, 'drill', :prefix, :source, :target,"
                    " :streams, '{}', 1)"
                ),
                {
                    "id": self.migration,
                    "prefix": PREFIX,
                    "streams": [str(each) for each in Stream],
                    **ids,
                },
            )

    async def run(self, kind: str = "recent", **params: Any) -> dict[str, Any]:
        """A job from beginning to end. What must hold after every one of them is checked."""
        return await self.finish(await self.crew.start(self.migration, kind, **params))

    async def finish(self, job: UUID) -> dict[str, Any]:
        """Take a job to its end."""
        row = await self.crew.finish(job)
        await self._check_cursors()
        return row

    async def _check_cursors(self) -> None:
        ahead = max(self.loop.now(), self.source.store.clock.now())
        for row in await self.database.rows("SELECT stream, watermark FROM cursors"):
            stream, now = row["stream"], row["watermark"].timestamp()
            if now < self.watermarks.get(stream, 0.0):
                self.findings.append(f"the cursor of {stream} moved back")
            if now > max(ahead, self.watermarks.get(stream, 0.0)):
                self.findings.append(f"the cursor of {stream} is in the future")
            self.watermarks[stream] = now

    def weather(self, source: dict[str, Any], target: dict[str, Any], seed: int) -> None:
        """Change the faults of both shops; what is not named is off."""
        for shop, faults in ((self.source, source), (self.target, target)):
            shop.store.faults.switch({"seed": seed, "all": None, **faults})

    async def close(self) -> None:
        """Let both shops go."""
        for shop in (self.source, self.target):
            await shop.app.close()


def succeeded(row: dict[str, Any]) -> bool:
    """Whether a job did all it should."""
    return JobStatus(row["status"]) is JobStatus.SUCCEEDED


@asynccontextmanager
async def open_world(database: Database, place: Place, dice: Random) -> AsyncIterator[World]:
    """A new world in an empty database."""
    world = World(database, place, dice)
    try:
        await world.begin()
        yield world
    finally:
        await world.close()
