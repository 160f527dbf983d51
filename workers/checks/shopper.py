"""A shopper on the target: finds what changed, at the right price, and puts it into a cart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from app.catalogue import workflows
from app.models import ConflictPolicy
from connectors.desk import NotTold
from connectors.minor_units import same
from connectors.prices import in_force
from connectors.records import InventoryLevel, Money, Product, Record, Stream
from connectors.shopper import FOUND, HasShopper, Offer, Shopper
from workers.checks.base import Check, Findings, Ground, Outcome, skipped
from workers.checks.ground import Pair
from workers.checks.looking import LOOKED_UP, current, each

CARTS = 10
"""Products that are put into a cart: each takes three requests of a visitor."""

_MET = "A shopper meets {found} things that are not as at the source."
_NO_SHOP = "The target's shop cannot be visited: its platform has no public API that is known here."


class _Goods(NamedTuple):
    """A product: at the source, on the target, and the source's levels of its stock."""

    pair: Pair
    ours: Product
    theirs: Product
    levels: Mapping[str, InventoryLevel]


async def shopper(ground: Ground) -> Outcome:
    """Go shopping for products of the sample, those that changed first."""
    if not isinstance(ground.target, HasShopper):
        return skipped(_NO_SHOP)
    if Stream.PRODUCTS not in ground.streams:
        return skipped("Products are not in scope.")
    goods = await _goods(ground)
    if not goods:
        return skipped("No product was brought over.")
    some = goods[: int(ground.threshold(workflows.SHOPPER.id, "records", LOOKED_UP))]
    findings = Findings()
    sample = await ground.sample(Stream.PRODUCTS)
    words = f"{len(some):,} of {len(goods):,} products of the sample ({sample.words})"
    findings.looked_at(len(some), sample.total, words)
    visitor = ground.target.shopper
    visit = _Visit(ground, visitor, findings)
    try:
        found = await each(some, visit.look)
        offers = [(one, offer) for one, offer in zip(some, found, strict=True) if offer]
        await visit.fill_carts(offers)
    except NotTold as answer:
        return findings.broken_off(str(answer), _MET)
    return findings.outcome(
        "{examined} products are shown, or not, as they should be, and can be bought.", _MET
    )


async def _goods(ground: Ground) -> list[_Goods]:
    pairs = (await ground.sample(Stream.PRODUCTS)).pairs
    asked = await ground.source_records(Stream.PRODUCTS, [pair.source_id for pair in pairs])
    here = await current(ground, Stream.PRODUCTS, asked)
    there = await ground.target_records(Stream.PRODUCTS, [pair.target_id for pair in pairs])
    levels = await _levels(ground, here.values())
    goods = []
    for pair in pairs:
        ours, theirs = here.get(pair.source_id), there.get(pair.target_id)
        if ours is None or theirs is None:
            continue
        if isinstance(ours.content, Product) and isinstance(theirs.content, Product):
            own = levels.get(pair.source_id, {})
            goods.append(_Goods(pair, ours.content, theirs.content, own))
    return goods


async def _levels(
    ground: Ground, products: Iterable[Record]
) -> dict[str, dict[str, InventoryLevel]]:
    """Stock at the source by product and variant (empty for the product's own); none of a product
    of which a level has yet to be brought over.
    """
    if Stream.INVENTORY not in ground.streams:
        return {}
    ids = []
    for record in products:
        ids.append(record.id)
        if isinstance(record.content, Product):
            ids += [f"{record.id}:{variant.id}" for variant in record.content.variants]
    found: dict[str, dict[str, InventoryLevel]] = {}
    records = await ground.source_records(Stream.INVENTORY, ids)
    there = await current(ground, Stream.INVENTORY, records)
    waiting = {
        record.content.product
        for each, record in records.items()
        if each not in there and isinstance(record.content, InventoryLevel)
    }
    for record in there.values():
        content = record.content
        if isinstance(content, InventoryLevel) and content.product not in waiting:
            found.setdefault(content.product, {})[content.variant or ""] = content
    return found


class _Visit:
    """One visitor's way through the shop."""

    def __init__(self, ground: Ground, visitor: Shopper, findings: Findings) -> None:
        self._ground = ground
        self._visitor = visitor
        self._findings = findings

    async def look(self, one: _Goods) -> Offer | None:
        """Look for a product; what the shop offers where it should."""
        # The team may have renamed it: a shopper knows the name that the new shop shows.
        found = {"name": await self._visitor.by_name(one.theirs.name)}
        if one.ours.sku:
            # Some shops can be searched for names alone.
            with suppress(NotTold):
                found["sku"] = await self._visitor.by_sku(one.ours.sku)
        offers = {
            way: next((offer for offer in some if offer.product == one.pair.target_id), None)
            for way, some in found.items()
        }
        if self._status(one) != "published":
            if any(offers.values()):
                self._note(one, "The shop shows what should not be published.", "status")
            return None
        hidden = {"name"} if one.ours.visibility not in ("visible", "search") else set()
        # Behind the end of a full list it may stand all the same.
        hidden |= {way for way, some in found.items() if len(some) >= FOUND}
        for way, offer in offers.items():
            if offer is None and way not in hidden:
                self._note(one, f"The shop does not find the product by its {way}.", "status")
        offer = next(filter(None, offers.values()), None)
        if offer is not None:
            self._compare(one, offer)
        return offer

    def _status(self, one: _Goods) -> str:
        """Whether shoppers should see it is the source's to say, or the target's by policy."""
        policies = self._ground.scope.policies
        left_alone = policies.of(Stream.PRODUCTS, "status") is ConflictPolicy.TARGET
        return one.theirs.status if left_alone else one.ours.status

    def _compare(self, one: _Goods, offer: Offer) -> None:
        price = price_of(one.ours, self._ground.clock())
        policies = self._ground.scope.policies
        left_alone = policies.of(Stream.PRODUCTS, "regular_price") is ConflictPolicy.TARGET
        if price and offer.price and not left_alone and not same(price, offer.price):
            self._note(one, f"The shop asks {_text(offer.price)}, not {_text(price)}.", "price")
        # What has no price is nowhere for sale, however much of it there is.
        expected = in_stock(one.ours, one.levels) if price else None
        if expected is not None and expected is not offer.in_stock:
            word = "in stock" if offer.in_stock else "out of stock"
            self._note(one, f"The shop calls it {word}, the source does not.", "availability")

    async def fill_carts(self, offers: list[tuple[_Goods, Offer]]) -> None:
        """Put the first ones that can be bought into a cart, each into one of its own."""
        buyable = [
            (one, choice)
            for one, offer in offers
            if offer.in_stock and (choice := _choice(one, offer)) is not None
        ]
        taken = await each(buyable[:CARTS], lambda each_: self._visitor.takes(each_[1]))
        for (one, _), takes in zip(buyable, taken, strict=False):
            if not takes:
                self._note(one, "The cart does not take the product.", "purchasable")

    def _note(self, one: _Goods, message: str, field: str) -> None:
        self._findings.add(
            message,
            stream=Stream.PRODUCTS,
            source_id=one.pair.source_id,
            target_id=one.pair.target_id,
            field=field,
        )


def _choice(one: _Goods, offer: Offer) -> str | None:
    """What to put into the cart: of variants one that the source has in stock."""
    if not one.ours.variants:
        return next(iter(offer.buyable), None)
    for source, target in one.pair.children.items():
        level = one.levels.get(source) or one.levels.get("")
        if target in offer.buyable and (level is None or level.availability != "out_of_stock"):
            return target
    return None


def price_of(product: Product, now: datetime) -> Money | None:
    """The price in force; of a product with variants the lowest of those that are published."""
    if not product.variants:
        return in_force(product, product, now)
    prices = [
        price
        for each_ in product.variants
        if each_.status == "published" and (price := in_force(each_, product, now))
    ]
    return min(prices, key=lambda price: price.amount, default=None)


def in_stock(product: Product, levels: Mapping[str, InventoryLevel]) -> bool | None:
    """Whether the source sells it, of variants those with a price; None where nobody counts, or
    only the stock that variants share is sold out: some shops go by that, though others are there.
    """
    published = {
        each_.id
        for each_ in product.variants
        if each_.status == "published" and (each_.regular_price or each_.sale_price)
    } or {""}
    counted = [level for variant, level in levels.items() if variant in published]
    # A product with variants may count them together.
    counted = counted or list(levels.values())
    if not counted:
        return None
    sold = {level.availability != "out_of_stock" for level in counted}
    shared = {level.availability != "out_of_stock" for level in levels.values() if level.shared}
    return None if shared == {False} and True in sold else True in sold


def _text(price: Money) -> str:
    return f"{price.amount:f} {price.currency}"


CHECKS = (Check(workflows.SHOPPER, shopper),)
