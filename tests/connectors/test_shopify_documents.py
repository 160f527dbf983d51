"""Every document that the connector sends is valid under the platform's published schema."""

from __future__ import annotations

import pytest

from connectors.records import Stream
from connectors.shopify import (
    documents,
    documents_cms,
    documents_looking,
    documents_redirects,
    documents_writing,
)
from connectors.shopify.api import Document
from connectors.shopify.shop import (
    CONTENT_SCOPES,
    READ_SCOPES,
    REDIRECT_SCOPES,
    WRITE_SCOPES,
    with_reading,
)
from connectors.shopify.shop import READING as SCOPES_TO_READ
from connectors.shopify.shop import WRITING as SCOPES_TO_WRITE
from tests.connectors.shopify_schema import (
    OUT_OF_DATE,
    VERSIONS,
    complaints,
    deprecated,
    scopes_of,
)

pytestmark = pytest.mark.contracts

READING = dict(documents.all_documents())
WRITING = dict(documents_writing.all_documents())
LOOKING = dict(documents_looking.all_documents())
CONTENT = dict(documents_cms.all_documents())
TARGET = READING | WRITING | LOOKING
REDIRECTING = TARGET | dict(documents_redirects.all_documents())
DOCUMENTS = REDIRECTING | CONTENT


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_valid(name: str, version: str):
    assert complaints(DOCUMENTS[name].text, version) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_documents_use_nothing_deprecated_without_a_reason(version: str):
    assert set().union(*(deprecated(e.text, version) for e in DOCUMENTS.values())) == OUT_OF_DATE


@pytest.mark.parametrize("version", VERSIONS)
def test_deprecated_variables_and_arguments_are_noticed(version: str):
    text = documents_writing.SET_PRODUCT.text
    [found] = deprecated(text, version, {"input": {"id": "gid://shopify/Product/1"}}) - OUT_OF_DATE
    assert found.startswith("ProductSetInput.id: ")
    channel = [{"channelId": "gid://shopify/Channel/1"}]
    [found] = deprecated(documents_writing.SHOW.text, version, {"channels": channel})
    assert found.startswith("PublicationInput.channelId: ")
    assert deprecated("{shop{id} channels(first:1){nodes{overviewPath}}}", version)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("updatedAt", "updatedAtt"),
        ("sortKey:ID", "sortKey:NUMBER"),
        ("$first:Int!", "$first:String!"),
        ("query:$search", "search:$search"),
    ],
)
def test_a_document_broken_on_purpose_is_not(right: str, wrong: str, version: str):
    text = DOCUMENTS["orders page"].text
    assert right in text
    assert complaints(text.replace(right, wrong), version)


@pytest.mark.parametrize("version", VERSIONS)
def test_variables_of_a_wrong_type_are_noticed(version: str):
    text = DOCUMENTS["orders page"].text
    assert complaints(text, version, {"first": 5, "search": "id:>0"}) == []
    assert complaints(text, version, {"first": "five", "search": "id:>0"})
    assert complaints(text, version, {"first": 5})


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("sent", "demanded"),
    [
        (READING | LOOKING, READ_SCOPES),
        (TARGET, READ_SCOPES | WRITE_SCOPES),
        (REDIRECTING, READ_SCOPES | WRITE_SCOPES | REDIRECT_SCOPES),
        (CONTENT, CONTENT_SCOPES),
    ],
    ids=["source", "target", "redirects", "content"],
)
def test_check_demands_the_scopes_that_the_schema_asks_for_and_no_more(
    sent: dict[str, Document], demanded: frozenset[str], version: str
):
    """Of some things the schema says that any one of several scopes will do."""
    granted = with_reading(demanded)
    needed = {each for document in sent.values() for each in scopes_of(document.text, version)}
    assert all(each & granted for each in needed), sorted(map(sorted, needed))
    for scope in demanded:
        less = with_reading(demanded - {scope})
        covered = f"read_{scope.removeprefix('read_')}" in less or scope in less
        assert covered or not all(each & less for each in needed), f"{scope} is not needed"


_WRITTEN = {
    Stream.CATEGORIES: ("create collection", "update collection", "channels", "show", "hide"),
    Stream.PRODUCTS: (
        *("set product", "update status", "default variants", "find by sku", "find by title"),
        *("channels", "show", "hide"),
    ),
    Stream.CUSTOMERS: ("set customer",),
    Stream.ORDERS: (
        *("create order", "update order", "set order customer", "pay order", "cancel order"),
        *("refund order", "open goods", "lines of goods", "send goods"),
    ),
    Stream.INVENTORY: ("locations", "set stock", "track stock", "activate stock", "set policy"),
}
_OF_NO_STREAM = {"definitions", "define", "job", "set metafields"}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("stream", Stream)
def test_each_stream_needs_the_scopes_of_its_own_documents_and_no_more(
    stream: Stream, version: str
):
    read = [document for name, document in READING.items() if name.startswith(f"{stream} ")]
    written = [WRITING[each] for each in _WRITTEN[stream]]
    written += [document for name, document in WRITING.items() if name.endswith(f" {stream}")]
    cases = ((read, SCOPES_TO_READ[stream]), (read + written, SCOPES_TO_WRITE[stream]))
    for documents_, scopes in cases:
        demanded = scopes | SCOPES_TO_READ[stream]
        granted = with_reading(demanded)
        needed = {each for document in documents_ for each in scopes_of(document.text, version)}
        assert all(each & granted for each in needed), sorted(map(sorted, needed))
        for scope in scopes:
            less = with_reading(demanded - {scope})
            assert scope in less or not all(each & less for each in needed), f"not needed: {scope}"


def test_every_document_that_writes_belongs_to_a_stream():
    named = {each for some in _WRITTEN.values() for each in some} | _OF_NO_STREAM
    rest = WRITING.keys() - named
    assert {name.rpartition(" ")[2] for name in rest} <= set(Stream)
    assert named <= WRITING.keys()


def test_what_may_be_written_may_be_read():
    assert with_reading({"write_orders"}) == {"write_orders", "read_orders"}
