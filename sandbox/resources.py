"""The writers: one for each kind of record, shared by single and batch routes."""

import asyncio
from dataclasses import dataclass

from sandbox import (
    categories,
    coupons,
    customers,
    listing,
    notes,
    orders,
    products,
    refunds,
    variations,
)
from sandbox.store import Store, missing
from sandbox.wire import Doc, encode


@dataclass(frozen=True, slots=True)
class Resource:
    """Writes one kind of record and reads it back as JSON."""

    store: Store
    kind: str = ""

    def shown(self, record_id: int) -> bytes:
        """The JSON of a record as it was just written."""
        stored = self.store.storage.get(self.kind, record_id)
        if stored is None:
            raise missing(self.kind)
        return stored.body


class Products(Resource):
    async def create(self, payload: Doc, *, checked: bool) -> bytes:
        return self.shown(products.create(self.store, payload, checked=checked))

    async def update(self, record_id: int, payload: Doc, *, checked: bool) -> bytes:
        return self.shown(products.update(self.store, record_id, payload, checked=checked))

    async def delete(self, record_id: int, *, force: bool) -> bytes:
        return encode(products.delete(self.store, record_id, force=force))


@dataclass(frozen=True, slots=True)
class Variations(Resource):
    parent: int = 0

    async def create(self, payload: Doc, *, checked: bool) -> bytes:
        return self.shown(variations.create(self.store, self.parent, payload, checked=checked))

    async def update(self, record_id: int, payload: Doc, *, checked: bool) -> bytes:
        return self.shown(
            variations.update(self.store, self.parent, record_id, payload, checked=checked)
        )

    async def delete(self, record_id: int, *, force: bool) -> bytes:
        del force  # variations have no trash of their own
        return encode(variations.delete(self.store, self.parent, record_id))


class Categories(Resource):
    async def create(self, payload: Doc, *, checked: bool) -> bytes:
        made = self.shown(categories.create(self.store, payload, checked=checked))
        return listing.with_count(self.store, made)

    async def update(self, record_id: int, payload: Doc, *, checked: bool) -> bytes:
        changed = self.shown(categories.update(self.store, record_id, payload, checked=checked))
        return listing.with_count(self.store, changed)

    async def delete(self, record_id: int, *, force: bool) -> bytes:
        return encode(categories.delete(self.store, record_id, force=force))


class Customers(Resource):
    async def create(self, payload: Doc, *, checked: bool) -> bytes:
        pause = 0.002 if checked else 0.0
        return self.shown(await customers.create(self.store, payload, checked=checked, pause=pause))

    async def update(self, record_id: int, payload: Doc, *, checked: bool) -> bytes:
        return self.shown(customers.update(self.store, record_id, payload, checked=checked))

    async def delete(self, record_id: int, *, force: bool) -> bytes:
        return encode(customers.delete(self.store, record_id, force=force))


class Orders(Resource):
    async def create(self, payload: Doc, *, checked: bool) -> bytes:
        # Let other requests in between the orders of a batch, as a real server does.
        await asyncio.sleep(0)
        return self.shown(orders.create(self.store, payload, checked=checked))

    async def update(self, record_id: int, payload: Doc, *, checked: bool) -> bytes:
        await asyncio.sleep(0)
        return self.shown(orders.update(self.store, record_id, payload, checked=checked))

    async def delete(self, record_id: int, *, force: bool) -> bytes:
        return encode(orders.delete(self.store, record_id, force=force))


@dataclass(frozen=True, slots=True)
class Refunds(Resource):
    parent: int = 0

    async def create(self, payload: Doc, *, checked: bool) -> bytes:
        return self.shown(refunds.create(self.store, self.parent, payload, checked=checked))

    async def update(self, record_id: int, payload: Doc, *, checked: bool) -> bytes:
        raise missing("refund")  # the platform has no route that changes a refund

    async def delete(self, record_id: int, *, force: bool) -> bytes:
        return encode(refunds.delete(self.store, self.parent, record_id, force=force))


class Coupons(Resource):
    async def create(self, payload: Doc, *, checked: bool) -> bytes:
        return self.shown(coupons.create(self.store, payload, checked=checked))

    async def update(self, record_id: int, payload: Doc, *, checked: bool) -> bytes:
        return self.shown(coupons.update(self.store, record_id, payload, checked=checked))

    async def delete(self, record_id: int, *, force: bool) -> bytes:
        return encode(coupons.delete(self.store, record_id, force=force))


@dataclass(frozen=True, slots=True)
class Notes(Resource):
    parent: int = 0

    async def create(self, payload: Doc, *, checked: bool) -> bytes:
        del checked
        return self.shown(notes.create_note(self.store, self.parent, payload))

    async def update(self, record_id: int, payload: Doc, *, checked: bool) -> bytes:
        raise missing("note")  # the platform has no route that changes a note

    async def delete(self, record_id: int, *, force: bool) -> bytes:
        del force
        return encode(notes.delete_note(self.store, self.parent, record_id))


class Webhooks(Resource):
    async def create(self, payload: Doc, *, checked: bool) -> bytes:
        del checked
        return self.shown(notes.create_webhook(self.store, payload))

    async def update(self, record_id: int, payload: Doc, *, checked: bool) -> bytes:
        del checked
        return self.shown(notes.update_webhook(self.store, record_id, payload))

    async def delete(self, record_id: int, *, force: bool) -> bytes:
        del force
        return encode(notes.delete_webhook(self.store, record_id))
