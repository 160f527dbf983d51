"""Redirects over the API: looked up, weighed, written to files, pushed to the target."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import httpx
import pytest
from pydantic import BaseModel, SecretStr

from connectors import registry
from connectors.base import Connector, ReadCapability, StoreAccess, Trust, WriteCapability
from connectors.cms import CmsKind, CmsPage, CmsPages
from connectors.errors import Unreachable
from connectors.pages import PageRules, by_patterns
from connectors.records import Category, Content, Product, Record, Stream
from connectors.redirects import NotTaken, Redirect, Redirected, RedirectState
from tests.service.answers import problem
from tests.service.behind import Service

MAP = "/v1/migrations/move/redirects"


@dataclass
class Shelf:
    """What a shop holds, and the redirects that were made there."""

    records: dict[str, Content] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    pages: CmsPages | Exception = field(default_factory=lambda: CmsPages(()))


SHELVES: dict[str, Shelf] = {}


class ShelfSettings(BaseModel):
    name: str
    storefront_url: str = "https://shop.test"
    product_path: str = "/products/{slug}"
    category_path: str = "/collections/{slug}"

    @property
    def public_pages(self) -> PageRules:
        return by_patterns(self.storefront_url, self.product_path, self.category_path)


class ShelfCredentials(BaseModel):
    token: SecretStr = SecretStr("secret-token")


class ShelfStore:
    def __init__(self, access: StoreAccess) -> None:
        assert isinstance(access.settings, ShelfSettings)
        self.shelf = SHELVES[access.settings.name]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        pass

    async def get(self, stream: Stream, ids: Sequence[str]) -> dict[str, Record]:
        self.shelf.asked.append(len(ids))
        if self.shelf.failures:
            raise self.shelf.failures.pop(0)
        kind = Product if stream is Stream.PRODUCTS else Category
        found = {each: self.shelf.records.get(each) for each in ids}
        return {
            each: Record(each, None, content)
            for each, content in found.items()
            if isinstance(content, kind)
        }

    async def cms_pages(self, most: int) -> CmsPages:
        assert most > 1000
        if isinstance(self.shelf.pages, Exception):
            raise self.shelf.pages
        return self.shelf.pages


class Redirecting(ShelfStore):
    """A target whose platform takes redirects, but not to paths with `no` in them."""

    redirects_at_once = 2

    async def check_redirects(self) -> None:
        pass

    async def redirect(self, redirects: Sequence[Redirect]) -> list[Redirected]:
        if self.shelf.failures:
            raise self.shelf.failures.pop(0)
        return [self._one(each) for each in redirects]

    def _one(self, redirect: Redirect) -> Redirected:
        if "no" in redirect.target:
            return Redirected(path=redirect.path, state=RedirectState.REFUSED, code="path_live")
        known = redirect.path in self.shelf.made
        self.shelf.made[redirect.path] = redirect.target
        state = RedirectState.KEPT if known else RedirectState.MADE
        return Redirected(path=redirect.path, state=state)


def platform(target: type[ShelfStore]) -> Connector:
    streams = (Stream.CATEGORIES, Stream.PRODUCTS)
    return Connector(
        name="shelf",
        title="Shelf",
        settings=ShelfSettings,
        credentials=ShelfCredentials,
        reads={each: ReadCapability(trust=Trust.OVERLAP) for each in streams},
        writes={each: WriteCapability() for each in streams},
        source=ShelfStore,  # type: ignore[arg-type]
        target=target,  # type: ignore[arg-type]
    )


@pytest.fixture
async def shelves(
    service: Service, api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Shelf, Shelf]]:
    """A migration of four products and a category that is done."""
    monkeypatch.setattr(registry, "connectors", lambda: {"shelf": platform(Redirecting)})
    old = Shelf({str(each): Product(name="Mug", slug=f"mug-{each}") for each in range(1, 5)})
    old.records["9"] = Category(name="Mugs", slug="mugs")
    new = Shelf({f"t{each}": content for each, content in old.records.items()})
    SHELVES.update(old=old, new=new)
    paths = {"product_path": "/product/{slug}/", "category_path": "/mugs/{slug}"}
    for name, more in (("old", paths), ("new", {"category_path": "/mugs/{slug}"})):
        settings = {"name": name, **more}
        body = {"name": name, "platform": "shelf", "settings": settings, "credentials": {}}
        assert (await api.post("/v1/stores", json=body)).status_code == 201
    body = {"slug": "move", "source": "old", "target": "new"}
    assert (await api.post("/v1/migrations", json=body)).status_code == 201
    for source_id in old.records:
        await service.write(
            "INSERT INTO links (migration_id, stream, source_id, target_id, state)"
            " SELECT id, :stream, :source_id, :target_id, 'applied' FROM migrations",
            stream="categories" if source_id == "9" else "products",
            source_id=source_id,
            target_id=f"t{source_id}",
        )
    yield old, new
    SHELVES.clear()


async def refreshed(api: httpx.AsyncClient, limit: int = 200) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = []
    cursor = None
    while not calls or cursor is not None:
        body = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        answer = await api.post(f"{MAP}/refresh", json=body)
        assert answer.status_code == 200, answer.text
        calls.append(answer.json())
        cursor = calls[-1]["next"]
        assert len(calls) < 20
    return calls


async def items(api: httpx.AsyncClient, path: str = "", limit: int = 50) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        answer = await api.get(f"{MAP}{path}", params=query)
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        cursor = answer.json()["next"]
    return found


async def test_pages_are_looked_up_in_portions(
    api: httpx.AsyncClient, shelves: tuple[Shelf, Shelf]
) -> None:
    old, new = shelves
    calls = await refreshed(api, limit=2)
    assert [each["records"] for each in calls] == [2, 2, 1]
    assert max(old.asked + new.asked) == 2
    found = await items(api, limit=2)
    assert [(each["path"], each["target"]) for each in found] == [
        (f"/product/mug-{each}/", f"/products/mug-{each}") for each in range(1, 5)
    ]
    summary = (await api.get(f"{MAP}/summary")).json()
    assert (summary["redirects"], summary["same"], summary["faults"]) == (4, 1, {})
    assert summary["share"] is None


async def test_what_has_changed_is_seen_by_the_next_refresh(
    service: Service, api: httpx.AsyncClient, shelves: tuple[Shelf, Shelf]
) -> None:
    old, new = shelves
    await refreshed(api)
    old.records["1"] = Product(name="Mug", slug="mug-1", status="draft")
    new.records["t2"] = Product(name="Mug", slug="cup")
    del new.records["t3"]
    await service.write("UPDATE links SET state = 'removed' WHERE source_id = '4'")
    await refreshed(api)
    assert [(each["source_id"], each["target"]) for each in await items(api)] == [
        ("2", "/products/cup")
    ]
    (fault,) = await items(api, "/faults")
    assert (fault["fault"], fault["source_id"]) == ("missing", "3")


async def test_traffic_orders_the_map_and_tells_what_it_covers(
    api: httpx.AsyncClient, shelves: tuple[Shelf, Shelf]
) -> None:
    await refreshed(api)
    csv = "Landing page,Sessions\n/product/mug-3/?a=b,90\n/mugs/mugs,5\n/old-sale,5\n(not set),7\n"
    answer = await api.post(f"{MAP}/traffic", json={"csv": csv})
    assert answer.json() == {"paths": 3, "passed": 1}
    assert (await items(api))[0]["path"] == "/product/mug-3/"
    summary = (await api.get(f"{MAP}/summary")).json()
    assert (summary["visits"], summary["covered"], summary["share"]) == (100, 95, 0.95)
    assert [each["path"] for each in await items(api, "/faults")] == ["/old-sale"]
    own = {"csv": "from,to\n/old-sale,/collections/sale\n"}
    assert (await api.post(f"{MAP}/own", json=own)).json() == {"paths": 1, "passed": 0}
    assert (await api.get(f"{MAP}/summary")).json()["share"] == 1.0
    await api.post(f"{MAP}/own", json={"csv": "from,to\n"})
    await api.post(f"{MAP}/traffic", json={"csv": "path,visits\n/product/mug-1,1\n"})
    summary = (await api.get(f"{MAP}/summary")).json()
    assert (summary["redirects"], summary["visits"], summary["share"]) == (4, 1, 1.0)


async def test_a_table_that_cannot_be_read_says_where(
    api: httpx.AsyncClient, shelves: tuple[Shelf, Shelf]
) -> None:
    for path, csv in (("traffic", "path,visits\n/a,many\n"), ("own", "from,to\n/a,b\n")):
        answer = await api.post(f"{MAP}/{path}", json={"csv": csv})
        found = problem(answer, 422, "invalid_table")
        assert found["errors"][0]["pointer"] == "/csv"
        assert found["detail"].startswith("Line 2")


@pytest.mark.parametrize(
    ("form", "media_type", "line"),
    [
        ("csv", "text/csv", "/product/mug-1/,/products/mug-1,0,products,1"),
        ("nginx", "text/plain", '"/product/mug-1/" "/products/mug-1";'),
        ("apache", "text/plain", 'RedirectMatch 301 "^/product/mug\\\\-1/?$" "/products/mug-1"'),
        ("shopify", "text/csv", "/product/mug-1/,/products/mug-1"),
        ("woocommerce", "text/csv", "/product/mug-1/,/products/mug-1,0,301"),
    ],
)
async def test_the_map_can_be_had_as_a_file(
    api: httpx.AsyncClient,
    shelves: tuple[Shelf, Shelf],
    form: str,
    media_type: str,
    line: str,
) -> None:
    await refreshed(api)
    answer = await api.get(MAP, params={"format": form})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(media_type)
    assert "attachment" in answer.headers["content-disposition"]
    assert line in answer.text.splitlines()


async def test_redirects_are_pushed_in_portions_and_once(
    api: httpx.AsyncClient, shelves: tuple[Shelf, Shelf]
) -> None:
    _, new = shelves
    await refreshed(api)
    new.records["t4"] = Product(name="Mug", slug="no-mug")
    await refreshed(api)
    asked = (await api.post(f"{MAP}/push", json={"limit": 0})).json()
    assert (asked, new.made) == ({"items": [], "left": 4}, {})
    first = (await api.post(f"{MAP}/push", json={"limit": 2})).json()
    assert ([each["state"] for each in first["items"]], first["left"]) == (["made", "made"], 2)
    second = (await api.post(f"{MAP}/push", json={})).json()
    assert [(each["state"], each["code"]) for each in second["items"]] == [
        ("made", None),
        ("refused", "path_live"),
    ]
    assert (await api.post(f"{MAP}/push", json={})).json() == {"items": [], "left": 0}
    again = (await api.post(f"{MAP}/push", json={"again": True})).json()
    assert [each["path"] for each in again["items"]] == ["/product/mug-4/"]
    assert len(new.made) == 3
    summary = (await api.get(f"{MAP}/summary")).json()
    assert summary["pushed"] == {"made": 3, "refused": 1}
    (refused,) = [each for each in await items(api) if each["pushed"]["state"] == "refused"]
    assert refused["pushed"]["code"] == "path_live"


async def test_a_redirect_that_leads_elsewhere_now_is_pushed_again(
    api: httpx.AsyncClient, shelves: tuple[Shelf, Shelf]
) -> None:
    _, new = shelves
    await refreshed(api)
    await api.post(f"{MAP}/push", json={})
    new.records["t1"] = Product(name="Mug", slug="cup")
    await refreshed(api)
    pushed = (await api.post(f"{MAP}/push", json={})).json()
    assert [each["target"] for each in pushed["items"]] == ["/products/cup"]


async def test_a_store_that_fails_is_told_and_nothing_is_lost(
    api: httpx.AsyncClient, shelves: tuple[Shelf, Shelf]
) -> None:
    _, new = shelves
    new.failures.append(Unreachable("no connection to the store"))
    found = problem(await api.post(f"{MAP}/refresh", json={}), 502, "store_failed")
    assert (found["store"], found["store_code"]) == ("new", "store_unreachable")
    await refreshed(api)
    new.failures.append(Unreachable("no connection to the store"))
    problem(await api.post(f"{MAP}/push", json={}), 502, "store_failed")
    assert len((await api.post(f"{MAP}/push", json={})).json()["items"]) == 4


async def test_a_platform_without_redirects_says_so(
    api: httpx.AsyncClient, shelves: tuple[Shelf, Shelf], monkeypatch: pytest.MonkeyPatch
) -> None:
    await refreshed(api)
    monkeypatch.setattr(registry, "connectors", lambda: {"shelf": platform(ShelfStore)})
    problem(await api.post(f"{MAP}/push", json={}), 409, "redirects_not_taken")


class Refusing(Redirecting):
    """A store that takes none, though others of its platform do."""

    async def check_redirects(self) -> None:
        raise NotTaken("The add-on is missing.")


async def test_a_store_that_takes_none_says_why(
    api: httpx.AsyncClient, shelves: tuple[Shelf, Shelf], monkeypatch: pytest.MonkeyPatch
) -> None:
    await refreshed(api)
    monkeypatch.setattr(registry, "connectors", lambda: {"shelf": platform(Refusing)})
    answer = await api.post(f"{MAP}/push", json={})
    found = problem(answer, 409, "redirects_not_taken")
    assert found["detail"].startswith("The add-on is missing. Import a file instead")


async def test_without_a_storefront_it_says_what_to_set(
    api: httpx.AsyncClient, shelves: tuple[Shelf, Shelf]
) -> None:
    await api.patch("/v1/stores/new", json={"settings": {"storefront_url": ""}})
    found = problem(await api.post(f"{MAP}/refresh", json={}), 409, "storefront_unknown")
    assert "see the target: set its storefront_url" in found["detail"]


async def test_readers_read_and_do_not_push(
    reader: httpx.AsyncClient, shelves: tuple[Shelf, Shelf]
) -> None:
    for path in ("", "/faults", "/summary"):
        assert (await reader.get(f"{MAP}{path}")).status_code == 200
    for path in ("refresh", "traffic", "own", "push"):
        body = {"csv": "a"} if path in ("traffic", "own") else {}
        problem(await reader.post(f"{MAP}/{path}", json=body), 403, "missing_scope")


async def test_a_cursor_of_something_else_is_refused(
    api: httpx.AsyncClient, shelves: tuple[Shelf, Shelf]
) -> None:
    for cursor in ("x", "WyJhIiwgImIiLCAiYyJd", "WyLCsiIsICJiIiwgImMiXQ=="):
        problem(await api.get(MAP, params={"cursor": cursor}), 422, "bad_cursor")


async def test_pages_that_are_no_records_wait_for_a_decision(
    api: httpx.AsyncClient, shelves: tuple[Shelf, Shelf]
) -> None:
    old, new = shelves
    about = CmsPage(CmsKind.PAGE, "1", "/about/", "About us")
    terms = CmsPage(CmsKind.PAGE, "2", "/terms/", "Terms")
    news = CmsPage(CmsKind.POST, "1", "/news/", "News")
    old.pages = CmsPages((about, terms, news), ("It does not tell all.",))
    new.pages = CmsPages((about, terms._replace(path="/pages/terms")))
    calls = await refreshed(api, limit=2)
    assert [each["cms_pages"] for each in calls] == [3, 0, 0]
    assert [each["notes"] for each in calls] == [["The source: It does not tell all."], [], []]
    faults = await items(api, "/faults")
    assert [(each["fault"], each["path"]) for each in faults] == [
        ("undecided", "/news/"),
        ("undecided", "/terms/"),
    ]
    assert "/pages/terms" in faults[1]["detail"]
    summary = (await api.get(f"{MAP}/summary")).json()
    assert (summary["same"], summary["faults"]) == (2, {"undecided": 2})

    csv = "from,to\n/terms/,/pages/terms\n"
    assert (await api.post(f"{MAP}/own", json={"csv": csv})).status_code == 200
    assert [each["path"] for each in await items(api, "/faults")] == ["/news/"]
    old.pages = CmsPages((about,))
    await refreshed(api)
    assert await items(api, "/faults") == []


async def test_a_shop_that_fails_to_tell_its_pages_spoils_nothing(
    api: httpx.AsyncClient, shelves: tuple[Shelf, Shelf]
) -> None:
    old, _ = shelves
    old.pages = CmsPages((CmsPage(CmsKind.PAGE, "1", "/about/", "About us"),))
    await refreshed(api)
    old.pages = Unreachable("the store did not answer in time")
    (call,) = await refreshed(api)
    assert (call["records"], call["cms_pages"]) == (5, 0)
    assert "did not answer in time" in call["notes"][0]
    assert [each["path"] for each in await items(api, "/faults")] == ["/about/"]
