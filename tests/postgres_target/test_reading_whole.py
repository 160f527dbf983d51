import pytest

from connectors.abilities import ReadsWhole
from connectors.base import Sweep
from connectors.postgres import target as module
from connectors.records import Stream
from tests.postgres_target.contents import category, operation, order


async def pages(target, stream, resume=None):
    return [each async for each in target.read(stream, Sweep(), {}, resume)]


async def test_every_row_that_is_not_archived_is_read_once(target, shop, monkeypatch):
    monkeypatch.setattr(module, "_PAGE", 2)
    made = [operation(category(f"c{number}"), str(number)) for number in range(5)]
    await target.write(Stream.CATEGORIES, made)
    await shop.execute("INSERT INTO categories (id, name, slug) VALUES ('x', 'Theirs', 'theirs')")
    await shop.execute("INSERT INTO categories (id) VALUES ('y')")
    await shop.execute("UPDATE categories SET removed_at = now() WHERE id = 'demo:0'")
    found = await pages(target, Stream.CATEGORIES)
    records = [record for page in found for record in page.records]
    assert [each.id for each in records] == ["demo:1", "demo:2", "demo:3", "demo:4", "x"]
    assert records[-1].content.slug == "theirs"
    assert [failed for page in found for failed, _ in page.failed] == ["y"]
    assert [page.resume is None for page in found][-1:] == [True]
    again = await pages(target, Stream.CATEGORIES, found[0].resume)
    assert [record.id for page in again for record in page.records] == ["demo:3", "demo:4", "x"]


async def test_an_order_that_is_read_is_the_one_that_was_written(target, shop):
    sent = operation(order(), "1")
    await target.write(Stream.ORDERS, [sent])
    [page] = await pages(target, Stream.ORDERS)
    [record] = page.records
    assert (record.id, record.content) == (sent.key, sent.content)


@pytest.mark.parametrize("stream", list(Stream))
async def test_reading_makes_no_table(target, database, namespace, stream):
    assert isinstance(target, ReadsWhole)
    [page] = await pages(target, stream)
    assert (page.records, page.resume) == ((), None)
    assert await database.fetchval("SELECT to_regnamespace($1)", namespace) is None
