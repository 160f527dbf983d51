"""Which tests of the contract suite a connector is given."""

from __future__ import annotations

import pytest

from connectors.records import Stream
from connectors.testing.promises import Contract, cases
from tests.service.paper import paper


class Reading(Contract):
    connector = paper()
    side = "reads"


def given(contract=Reading, *, when=None, among=tuple(Stream), one=False) -> dict[str, str]:
    """The streams of a test, each with the reason for which it is not run."""
    found = cases(contract, when=when, otherwise="it does not", among=among, one=one)
    return {each.id: " ".join(str(mark.kwargs["reason"]) for mark in each.marks) for each in found}


def test_a_test_is_run_with_every_stream_and_skipped_aloud_with_others() -> None:
    assert given() == {
        "categories": "",
        "products": "",
        "customers": "",
        "orders": "",
        "inventory": "not promised: paper reads no inventory",
    }


def test_a_capability_decides_and_says_why() -> None:
    found = given(
        when=lambda capability: capability.horizon, among=(Stream.ORDERS, Stream.PRODUCTS)
    )
    assert found == {"orders": "", "products": "not promised: paper, products: it does not"}


def test_one_stream_is_one_that_there_is() -> None:
    assert given(among=(Stream.INVENTORY, Stream.CUSTOMERS, Stream.ORDERS), one=True) == {
        "customers": ""
    }


def test_a_connector_without_any_such_stream_is_told_as_well() -> None:
    assert given(among=(Stream.INVENTORY,), one=True) == {
        "inventory": "not promised: paper reads no inventory"
    }


def test_a_suite_without_a_connector_is_wrong_use() -> None:
    class Unnamed(Contract):
        side = "reads"

    with pytest.raises(pytest.UsageError, match="Unnamed has to name its `connector`"):
        given(Unnamed)
