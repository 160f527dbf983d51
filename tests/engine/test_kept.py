"""Which of the declared losses a record has, and which it turned out to have."""

from __future__ import annotations

from msgspec.structs import replace

from connectors.medusa import CONNECTOR as MEDUSA
from connectors.records import Product, Stream
from connectors.testing.contents import gbp, product, variant
from workers.engine.demo.kept import at_stake, lost

LOSSES = MEDUSA.writes[Stream.PRODUCTS].losses
PRIVATE = replace(variant(2, "S"), status="private", barcode="1")


def partly(content: Product) -> list[str]:
    """What is at stake of the fields that are lost in some records only."""
    whole = {each.field for each in LOSSES if each.whole}
    return [name for name in at_stake(content, LOSSES) if name not in whole]


def test_a_loss_is_at_stake_in_no_record_that_it_does_not_strike() -> None:
    assert partly(product(1, barcode="1", extra={"season": 1})) == ["extra"]
    sized = product(2, kind="variable", barcode="1", variants=(PRIVATE, variant(2, "L")))
    assert partly(sized) == ["regular_price", "barcode", "variants.status"]


def test_a_field_of_variants_is_lost_where_fewer_of_them_show_it() -> None:
    ours = product(2, kind="variable", variants=(PRIVATE, variant(2, "L")))
    shown = replace(PRIVATE, status="published")
    theirs = replace(ours, regular_price=None, variants=(shown, variant(2, "L")))
    assert lost(ours, theirs, LOSSES) == ["regular_price", "variants.status"]
    dear = replace(shown, regular_price=gbp("99"))
    assert "variants.regular_price" not in lost(ours, replace(theirs, variants=(dear,)), LOSSES)
    assert lost(ours, ours, LOSSES) == []
