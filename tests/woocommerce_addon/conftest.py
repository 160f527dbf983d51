from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.connectors.practice import practice
from tests.woocommerce_addon.shops import PlayedShop, RealShop, Shop
from tests.woocommerce_addon.site import Site, what_is_missing

_numbers = itertools.count(2)
PLAYED, TABLES, POSTS = "played", "wordpress", "wordpress, orders among the posts"


@pytest.fixture(scope="session", params=[PLAYED, TABLES, POSTS])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site | None]:
    """A real shop where one can be had, else the test is skipped; None for the one played."""
    if request.param == PLAYED:
        yield None
        return
    missing = what_is_missing()
    if missing:
        pytest.skip(f"no real shop: {missing}")
    # The path of a socket may have a hundred characters or so.
    folder: Path = tmp_path_factory.mktemp("s")
    with Site(folder, orders_table=request.param == TABLES) as opened:
        yield opened


@pytest.fixture
async def shop(site: Site | None) -> AsyncIterator[Shop]:
    """A shop with the add-on: a practice store, and a WordPress in both ways to keep orders."""
    if site is not None:
        yield RealShop(site, next(_numbers))
        return
    async with practice(addon=True, tax_rate="7.25", currency="USD") as opened:
        yield PlayedShop(opened)
