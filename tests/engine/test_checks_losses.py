"""What a target cannot keep is no fault of a record, and hides none."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from connectors import shown
from connectors.base import Loss, Operation
from connectors.medusa import losses
from connectors.records import Content, Order, Product, Stream
from tests.engine.conftest import Bench
from tests.engine.launching import bad, checked, euros, launch, twin
from tests.engine.shop import FakeStore

PRODUCTS, ORDERS = Stream.PRODUCTS, Stream.ORDERS
DECLARED = (
    Loss("regular_price", "None of its own with variants.", shows=shown.own_price),
    Loss("status", "Private ones become drafts.", shows=losses.status),
    Loss("variants.status", "All are for sale.", shows=shown.published),
)


class PlainStore(FakeStore):
    """A store that keeps no more than this."""

    def _written(
        self, operation: Operation, before: Content | None
    ) -> tuple[Content, dict[str, str]]:
        content, children = super()._written(operation, before)
        if isinstance(content, Product):
            variants = tuple(replace(each, status="published") for each in content.variants)
            content = replace(
                content,
                variants=variants,
                regular_price=shown.own_price(content),
                status=losses.status(content),
            )
        return content, children


@pytest.fixture
def plain(bench: Bench) -> Bench:
    products = replace(bench.platform.writes[PRODUCTS], losses=DECLARED)
    writes = {**bench.platform.writes, PRODUCTS: products}
    bench.use(replace(bench.platform, writes=writes, target=PlainStore))
    return bench


async def simple(bench: Bench, **fields: Any) -> None:
    """Launched, with another product that has no variants."""
    await launch(bench)
    mug = Product(name="Mug", sku="MUG", regular_price=euros("5"), categories=("c1",))
    bench.source.put(PRODUCTS, "p9", replace(mug, **fields))
    await bench.run("full")
    assert bad((await checked(bench))[1]) == set()


@pytest.fixture
def careless(plain: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """The same store, which puts everything on sale and says so."""
    monkeypatch.setattr(losses, "status", lambda _: "published")
    return plain


async def show(bench: Bench, source_id: str, **fields: Any) -> set[str]:
    """What the checks say of data when the target shows something else."""
    bench.target.edit(PRODUCTS, await twin(bench, PRODUCTS, source_id), **fields)
    _, results = await checked(bench, checks=["data"])
    return bad(results)


async def test_a_wrong_price_of_a_simple_product_is_found(plain: Bench) -> None:
    await simple(plain)
    assert "data.money" in await show(plain, "p9", regular_price=euros("4.99"))


async def test_a_price_of_its_own_that_a_product_with_variants_loses_is_no_fault(
    plain: Bench,
) -> None:
    await launch(plain)
    content = plain.target.rows[PRODUCTS][await twin(plain, PRODUCTS, "p2")].content
    assert isinstance(content, Product)
    assert content.regular_price is None
    assert bad((await checked(plain))[1]) == set()
    cheap = replace(content.variants[0], regular_price=euros("4.99"))
    assert "data.money" in await show(plain, "p2", variants=(cheap,))


async def test_a_private_product_may_be_a_draft(plain: Bench) -> None:
    await simple(plain, status="private")
    content = plain.target.rows[PRODUCTS][await twin(plain, PRODUCTS, "p9")].content
    assert isinstance(content, Product)
    assert content.status == "draft"


@pytest.mark.parametrize("status", ["private", "draft"])
async def test_a_product_that_a_run_put_on_sale_against_the_source_is_found(
    careless: Bench, status: str
) -> None:
    await launch(careless)
    careless.source.put(PRODUCTS, "p9", Product(name="Mug", sku="MUG", status=status))
    await careless.run("full")
    _, results = await checked(careless, checks=["data"])
    assert bad(results) == {"data.content"}
    [evidence] = results["data.content"]["evidence"]
    assert (evidence["source_id"], evidence["field"]) == ("p9", "status")


async def test_of_a_record_the_write_knows_better_than_the_platform(careless: Bench) -> None:
    """Where the write told that it could not do this very product's status, that is no fault."""
    await launch(careless)
    careless.source.put(PRODUCTS, "p9", Product(name="Mug", sku="MUG", status="draft"))
    await careless.run("full")
    async with careless.resources.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE links SET losses = '{status}'")
    assert bad((await checked(careless, checks=["data"]))[1]) == set()


async def test_a_refund_is_missed_where_only_its_goods_are_not_kept(bench: Bench) -> None:
    lossy = replace(bench.platform.writes[ORDERS], losses=(Loss("refunds", "Of no goods."),))
    bench.use(replace(bench.platform, writes={**bench.platform.writes, ORDERS: lossy}))
    await launch(bench)
    found = await twin(bench, ORDERS, "o102")
    content = bench.target.rows[ORDERS][found].content
    assert isinstance(content, Order)
    assert content.refunds
    bare = tuple(replace(each, lines=(), reason="") for each in content.refunds)
    bench.target.edit(ORDERS, found, refunds=bare)
    assert bad((await checked(bench, checks=["data"]))[1]) == set()
    bench.target.edit(ORDERS, found, refunds=())
    _, results = await checked(bench, checks=["data"])
    assert bad(results) == {"data.money"}
    [evidence] = results["data.money"]["evidence"]
    assert (evidence["source_id"], evidence["field"]) == ("o102", "refunds")


async def test_a_wrong_price_is_put_back_by_the_next_run(plain: Bench) -> None:
    await simple(plain)
    assert "data.money" in await show(plain, "p9", regular_price=euros("4.99"))
    await plain.run("recent")
    content = plain.target.rows[PRODUCTS][await twin(plain, PRODUCTS, "p9")].content
    assert isinstance(content, Product)
    assert content.regular_price == euros("5")
    assert bad((await checked(plain))[1]) == set()
