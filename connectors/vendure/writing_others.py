"""Writing collections and customers."""

from __future__ import annotations

from connectors.base import Applied, Loss, Operation, Outcome
from connectors.changes import touches
from connectors.errors import BadAnswer, Rejected
from connectors.records import Category, Content, Customer, Stream
from connectors.vendure.addressing import AddressWriter
from connectors.vendure.api import Api, decoder
from connectors.vendure.bodies import customer_body, keyed, new_texts, texts
from connectors.vendure.changing import finish, gone
from connectors.vendure.documents_writing import (
    CREATE_COLLECTION,
    CREATE_CUSTOMER,
    MOVE_COLLECTION,
    ROOT_OF,
    UPDATE_COLLECTION,
    UPDATE_CUSTOMER,
)
from connectors.vendure.facets import FacetBook, slug
from connectors.vendure.finding import Finder
from connectors.vendure.loading import Loader
from connectors.vendure.mapping_products import ROOT
from connectors.vendure.shop import Shop
from connectors.vendure.wire import Wire, WireCollection, WireCustomer, WireId

_SLUG = Loss("slug", "Another record of the target has this slug.")
_LAST = 1_000_000


class _Changed(Wire):
    """A customer, or why there is none."""

    id: str = ""
    error_code: str = ""


class _Breadcrumbs(Wire):
    breadcrumbs: list[WireId]


class PlainWriter:
    """Writes collections and customers to one store."""

    def __init__(
        self,
        api: Api,
        loader: Loader,
        facets: FacetBook,
        finder: Finder,
        addresses: AddressWriter,
    ) -> None:
        self._api = api
        self._loader = loader
        self._facets = facets
        self._finder = finder
        self._addresses = addresses

    # --- collections -----------------------------------------------------------------------------

    async def collection(self, operation: Operation) -> Outcome:
        """Create or update one collection. Raises `StoreError`."""
        content = operation.content
        if not isinstance(content, Category):
            raise TypeError("an operation of another stream")
        shop = await self._loader.shop()
        if operation.target_id is None:
            target = await self._create(operation, content, shop)
        else:
            target = operation.target_id
            row = await self._collection(target)
            if row is None:
                return gone(operation, "collection")
            await self._change(operation, content, row, shop)
        return await finish(operation, self._admitted(operation, content, target))

    async def _create(self, operation: Operation, content: Category, shop: Shop) -> str:
        found = new_texts(content, None, None)
        found["slug"] = content.slug or slug(content.name)
        body = {
            "inheritFilters": False,
            "filters": [],
            **({"parentId": content.parent} if content.parent else {}),
            **texts(shop.language, found),
            **keyed(shop, "Collection", operation.key),
        }
        answer = await self._api.ask(CREATE_COLLECTION, dict[str, WireId], {"input": body})
        return answer["createCollection"].id

    async def _change(
        self, operation: Operation, content: Category, row: WireCollection, shop: Shop
    ) -> None:
        there = Category(name=row.name, slug=row.slug, description=row.description)
        if found := new_texts(content, there, operation.changed):
            body = {"id": row.id, **texts(shop.language, found)}
            await self._api.ask(UPDATE_COLLECTION, dict[str, WireId], {"input": body})
        parent = row.parent.id if row.parent and row.parent.name != ROOT else None
        if touches(operation.changed, "parent") and parent != content.parent:
            above = content.parent or await self._root(row.id)
            move = {"collectionId": row.id, "parentId": above, "index": _LAST}
            await self._api.ask(MOVE_COLLECTION, dict[str, WireId], {"input": move})

    async def _admitted(self, operation: Operation, content: Category, target: str) -> Outcome:
        """Let the collection hold products of ours; then look at it."""
        if await self._facets.value_of(target) is None:
            return gone(operation, "collection")
        shown = await self._shown(Stream.CATEGORIES, target)
        if not isinstance(shown, Category):
            return gone(operation, "collection")
        losses = (_SLUG,) if content.slug and shown.slug != content.slug else ()
        return _applied(operation, target, shown, losses)

    async def _root(self, collection: str) -> str:
        answer = await self._api.ask(ROOT_OF, dict[str, _Breadcrumbs], {"id": collection})
        return answer["collection"].breadcrumbs[0].id

    async def _collection(self, target: str) -> WireCollection | None:
        rows = await self._loader.by_ids(Stream.CATEGORIES, [target])
        if not rows:
            return None
        found: WireCollection = decoder(WireCollection).decode(rows[0])
        return found

    # --- customers -------------------------------------------------------------------------------

    async def customer(self, operation: Operation) -> Outcome:
        """Create or update one customer with the two addresses. Raises `StoreError`."""
        content = operation.content
        if not isinstance(content, Customer):
            raise TypeError("an operation of another stream")
        if unknown := await self._addresses.unknown_country(operation, content):
            return unknown
        shop = await self._loader.shop()
        row: WireCustomer | None = None
        if operation.target_id is not None:
            row = await self._customer(operation.target_id)
            if row is None:
                return gone(operation, "customer")
            await self._change_customer(operation, content, row)
            return await finish(operation, self._housed(operation, content, row, None))
        body = customer_body(content, None, None) | keyed(shop, "Customer", operation.key)
        answer = await self._api.ask(CREATE_CUSTOMER, dict[str, _Changed], {"input": body})
        made = answer["createCustomer"]
        if made.error_code == "EMAIL_ADDRESS_CONFLICT_ERROR":
            row = await self._finder.by_email(content.email)
            if row is None:
                raise Rejected("the email is taken by somebody unseen", code="email_exists")
            await self._change_customer(operation, content, row)
        elif made.error_code:
            raise Rejected(f"the store refuses the customer: {made.error_code}")
        found = "email" if row else None
        row = row or WireCustomer(id=made.id, email_address=content.email)
        return await finish(operation, self._housed(operation, content, row, found))

    async def _change_customer(
        self, operation: Operation, content: Customer, row: WireCustomer
    ) -> None:
        there = Customer(
            email=row.email_address, first_name=row.first_name, last_name=row.last_name
        )
        if body := customer_body(content, there, operation.changed):
            given = {"input": {"id": row.id, **body}}
            answer = await self._api.ask(UPDATE_CUSTOMER, dict[str, _Changed], given)
            if code := answer["updateCustomer"].error_code:
                raise Rejected(f"the store refuses the change: {code}", code="email_exists")

    async def _housed(
        self, operation: Operation, content: Customer, row: WireCustomer, found: str | None
    ) -> Outcome:
        """Write the addresses; then look at the customer, which may have been `found` there."""
        changed = operation.changed if operation.target_id else None
        await self._addresses.write(content, row, changed)
        shown = await self._shown(Stream.CUSTOMERS, row.id)
        if shown is None:
            return gone(operation, "customer")
        return _applied(operation, row.id, shown, found=found)

    async def _customer(self, target: str) -> WireCustomer | None:
        rows = await self._loader.by_ids(Stream.CUSTOMERS, [target])
        if not rows:
            return None
        found: WireCustomer = decoder(WireCustomer).decode(rows[0])
        return found

    async def _shown(self, stream: Stream, target: str) -> Content | None:
        """The record as a read shows it; None where it is not there."""
        rows = await self._loader.by_ids(stream, [target])
        records, failed = await self._loader.load(stream, rows)
        if failed:
            raise BadAnswer(f"record {target}: {failed[0][1]}", code="record_unmappable")
        return records[0].content if records else None


def _applied(
    operation: Operation,
    target: str,
    content: Content,
    losses: tuple[Loss, ...] = (),
    *,
    found: str | None = None,
) -> Applied:
    return Applied(
        source_id=operation.source_id,
        target_id=target,
        content=content,
        losses=losses,
        found=found,
    )
