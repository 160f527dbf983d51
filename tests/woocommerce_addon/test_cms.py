"""Pages and posts of the WordPress below a shop, a practice store's and a real one's."""

from __future__ import annotations

from connectors.cms import CmsKind, cms_pages
from connectors.woocommerce.cms import ROOT
from connectors.woocommerce.wire import WireId
from tests.woocommerce_addon.shops import Shop


async def test_published_pages_are_told_without_woocommerces_own(shop: Shop) -> None:
    await shop.write_pages("page", ["Returns &amp; refunds"])
    await shop.write_pages("page", ["Not yet"], "draft")
    await shop.write_pages("post", ["Spring is here"])
    async with shop.source() as source:
        found = await cms_pages(source)
    assert found.notes == ()
    told = {(each.kind, each.path): each for each in found.pages}
    assert told[CmsKind.PAGE, "/returns-refunds/"].title == "Returns & refunds"
    assert told[CmsKind.PAGE, "/returns-refunds/"].modified_at is not None
    assert (CmsKind.POST, "/spring-is-here/") in told
    paths = {path for _, path in told}
    assert paths.isdisjoint({"/not-yet/", "/shop/", "/cart/", "/checkout/", "/my-account/"})


async def test_a_list_of_several_pages_is_read_to_its_end(shop: Shop) -> None:
    """Behind its end WordPress counts no rows at all."""
    await shop.write_pages("page", [f"Chapter {number}" for number in range(130)])
    async with shop.source() as source:
        found = await cms_pages(source)
    chapters = [each.path for each in found.pages if each.path.startswith("/chapter-")]
    assert chapters == [f"/chapter-{number}/" for number in range(130)]
    async with shop.api() as api:
        asked = {"orderby": "id", "order": "asc", "offset": 1000, "_fields": "id"}
        behind = await api.below(ROOT).list("pages", asked, WireId, signed=False)
    assert (behind.rows, behind.total) == ([], 0)
