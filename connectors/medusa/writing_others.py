"""Writing categories and customers."""

from __future__ import annotations

import asyncio
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from connectors.base import Applied, Loss, Operation, Outcome
from connectors.errors import StoreError
from connectors.medusa.api import Api, RefusedRequest
from connectors.medusa.bodies import (
    Body,
    address_body,
    category_body,
    customer_body,
    new_customer_body,
)
from connectors.medusa.changing import Attempt, gone, known_by
from connectors.medusa.fields import FIELDS
from connectors.medusa.finding import Finder
from connectors.medusa.mapping_customers import PARTS, customer, place
from connectors.medusa.mapping_products import category
from connectors.medusa.parts import PART, own_id, text_of
from connectors.medusa.wire import (
    WireAddress,
    WireCategory,
    WireCustomer,
)
from connectors.records import Address, Category, Customer, Stream

_SLUG = Loss("slug", "Another record of the target has this slug.")


class _CategoryAnswer(Struct):
    product_category: WireCategory | None = None


class _CustomerAnswer(Struct):
    customer: WireCustomer


class PlainWriter:
    """Writes categories and customers to one store."""

    def __init__(self, api: Api, finder: Finder) -> None:
        self._api = api
        self._finder = finder
        self._one_category = asyncio.Lock()

    # --- categories -----------------------------------------------------------------------------

    async def category(self, operation: Operation) -> Outcome:
        """Create or update one category; its parent has to be there. One after the other: Medusa
        numbers all of one parent with each. Raises `StoreError`.
        """
        async with self._one_category:
            return await self._category(operation)

    async def _category(self, operation: Operation) -> Outcome:
        content = operation.content
        if not isinstance(content, Category):
            raise TypeError("an operation of another stream")
        if operation.target_id is None:
            body = category_body(content, None) | {"external_id": operation.key}
            path = "product-categories"
        else:
            body = category_body(content, operation.changed)
            path = f"product-categories/{operation.target_id}"
        try:
            row = await self._send_category(path, body)
        except RefusedRequest as error:
            if "handle" not in error.taken:
                raise
            if operation.target_id is None:
                match = await self._finder.one(Stream.CATEGORIES, operation)
                if match is not None:
                    there = await self._category(replace(operation, target_id=match.target_id))
                    return known_by(there, match)
                body["handle"] = f"{content.slug}-{own_id('', operation.key)[1:7].lower()}"
            else:
                body.pop("handle")
            row = await self._send_category(path, body)
        if row is None:
            return gone(operation)
        losses = [_SLUG] if content.slug and row.handle != content.slug else []
        return Applied(
            source_id=operation.source_id,
            target_id=row.id,
            content=category(row).content,
            losses=tuple(losses),
        )

    async def _send_category(self, path: str, body: Body) -> WireCategory | None:
        """The category; None where there is none to change: Medusa then answers with nothing."""
        query = {"fields": FIELDS[Stream.CATEGORIES]}
        answer = await self._api.send("POST", path, body, _CategoryAnswer, query=query)
        return answer.product_category

    # --- customers ------------------------------------------------------------------------------

    async def customer(self, operation: Operation) -> Outcome:
        """Create or update one customer, then its addresses. Raises `StoreError` while nothing of
        it was applied.
        """
        content = operation.content
        if not isinstance(content, Customer):
            raise TypeError("an operation of another stream")
        if operation.target_id is None:
            try:
                row = await self._send_customer(
                    "customers", new_customer_body(content, operation.key)
                )
            except RefusedRequest as error:
                if "email" not in error.taken:
                    raise
                match = await self._finder.one(Stream.CUSTOMERS, operation)
                if match is None:
                    raise
                there = await self.customer(replace(operation, target_id=match.target_id))
                return known_by(there, match)
        else:
            row = await self._updated(operation, content, operation.target_id)
        attempt = Attempt()
        attempt.touched = True
        try:
            await self._write_addresses(operation, content, row)
            row = await self._customer(row.id)
        except StoreError as error:
            return attempt.outcome(operation, error)
        return Applied(
            source_id=operation.source_id, target_id=row.id, content=customer(row).content
        )

    async def _updated(self, operation: Operation, content: Customer, target: str) -> WireCustomer:
        body = customer_body(content, operation.changed)
        if not body:
            return await self._customer(target)
        return await self._send_customer(f"customers/{target}", body)

    async def _send_customer(self, path: str, body: Body) -> WireCustomer:
        query = {"fields": FIELDS[Stream.CUSTOMERS]}
        return (await self._api.send("POST", path, body, _CustomerAnswer, query=query)).customer

    async def _customer(self, target: str) -> WireCustomer:
        query = {"fields": FIELDS[Stream.CUSTOMERS]}
        return (await self._api.get(f"customers/{target}", _CustomerAnswer, query)).customer

    async def _write_addresses(
        self, operation: Operation, content: Customer, row: WireCustomer
    ) -> None:
        """The address for bills and the one for goods, each paired with the one that is there.
        Doubles, which an earlier request left whose answer was lost, are deleted.
        """
        for part in PARTS:
            if operation.changed is not None and part not in operation.changed:
                continue
            where: Address | None = getattr(content, part)
            there = place(row.addresses or (), part)
            ours = [each for each in row.addresses or () if text_of(each.metadata, PART) == part]
            path = f"customers/{row.id}/addresses"
            if where is not None:
                known = f"{path}/{there.id}" if there else path
                await self._send_customer(known, address_body(part, where))
            superfluous = [each for each in ours if where is None or each is not there]
            await self._drop(path, superfluous)

    async def _drop(self, path: str, addresses: list[WireAddress]) -> None:
        for each in addresses:
            await self._api.send(
                "DELETE", f"{path}/{each.id}", None, dict[str, Any], repeatable=True
            )
