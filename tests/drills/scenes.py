"""A world in virtual time for one test."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from random import Random
from typing import TypeVar

from drills.clock import virtual_time
from drills.course import NIGHTS, moment
from drills.database import open_database
from drills.world import Place, World, open_world

T = TypeVar("T")


def in_world(
    url: str, scene: Callable[[World], Awaitable[T]], *, place: Place | None = None, seed: int = 1
) -> T:
    async def play() -> T:
        random.seed(seed)
        database = open_database(url, asyncio.get_running_loop())
        try:
            async with open_world(database, place or Place(), Random(seed)) as world:
                return await scene(world)
        finally:
            await database.close()

    with virtual_time(moment(NIGHTS[0])) as runner:
        return runner.run(play())
