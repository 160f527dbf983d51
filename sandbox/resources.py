"""What can be done to each kind of record, shared by single and batch routes."""

from collections.abc import Awaitable, Callable
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

# Arguments: the store, the id of the parent (0 where there is none), the id of the record,
# the payload, whether to check it against the schema or whether to delete for good.
Create = Callable[[Store, int, Doc, bool], int | Awaitable[int]]
Update = Callable[[Store, int, int, Doc, bool], int]
Delete = Callable[[Store, int, int, bool], Doc]


@dataclass(frozen=True, slots=True)
class Acts:
    """How one kind is made, changed and removed."""

    create: Create
    delete: Delete
    update: Update | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """Writes one kind of record, below `parent` if it has one, and answers with its JSON."""

    store: Store
    kind: str
    parent: int = 0

    async def create(self, payload: Doc, *, checked: bool) -> bytes:
        """Make a record."""
        made = _ACTS[self.kind].create(self.store, self.parent, payload, checked)
        return self._shown(made if isinstance(made, int) else await made)

    def update(self, record_id: int, payload: Doc, *, checked: bool) -> bytes:
        """Change a record."""
        act = _ACTS[self.kind].update
        if act is None:
            raise missing(self.kind)
        return self._shown(act(self.store, self.parent, record_id, payload, checked))

    def delete(self, record_id: int, *, force: bool) -> bytes:
        """Trash or remove a record; gives it as it was."""
        return encode(_ACTS[self.kind].delete(self.store, self.parent, record_id, force))

    def _shown(self, record_id: int) -> bytes:
        stored = self.store.storage.get(self.kind, record_id)
        if stored is None:
            raise missing(self.kind)
        return listing.reckoned(self.store, self.kind, stored.body)


_ACTS = {
    "product": Acts(
        lambda store, _, doc, checked: products.create(store, doc, checked=checked),
        lambda store, _, number, force: products.delete(store, number, force=force),
        lambda store, _, number, doc, checked: products.update(store, number, doc, checked=checked),
    ),
    "variation": Acts(
        lambda store, above, doc, checked: variations.create(store, above, doc, checked=checked),
        lambda store, above, number, _: variations.delete(store, above, number),
        lambda store, above, number, doc, checked: variations.update(
            store, above, number, doc, checked=checked
        ),
    ),
    "category": Acts(
        lambda store, _, doc, checked: categories.create(store, doc, checked=checked),
        lambda store, _, number, force: categories.delete(store, number, force=force),
        lambda store, _, number, doc, checked: categories.update(
            store, number, doc, checked=checked
        ),
    ),
    "customer": Acts(
        lambda store, _, doc, checked: customers.create(store, doc, checked=checked),
        lambda store, _, number, force: customers.delete(store, number, force=force),
        lambda store, _, number, doc, checked: customers.update(
            store, number, doc, checked=checked
        ),
    ),
    "order": Acts(
        lambda store, _, doc, checked: orders.create(store, doc, checked=checked),
        lambda store, _, number, force: orders.delete(store, number, force=force),
        lambda store, _, number, doc, checked: orders.update(store, number, doc, checked=checked),
    ),
    "refund": Acts(
        lambda store, above, doc, checked: refunds.create(store, above, doc, checked=checked),
        lambda store, above, number, force: refunds.delete(store, above, number, force=force),
    ),
    "coupon": Acts(
        lambda store, _, doc, checked: coupons.create(store, doc, checked=checked),
        lambda store, _, number, force: coupons.delete(store, number, force=force),
        lambda store, _, number, doc, checked: coupons.update(store, number, doc, checked=checked),
    ),
    "note": Acts(
        lambda store, above, doc, _: notes.create_note(store, above, doc),
        lambda store, above, number, _: notes.delete_note(store, above, number),
    ),
    "webhook": Acts(
        lambda store, _, doc, __: notes.create_webhook(store, doc),
        lambda store, _, number, __: notes.delete_webhook(store, number),
        lambda store, _, number, doc, __: notes.update_webhook(store, number, doc),
    ),
}
