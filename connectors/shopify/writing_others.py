"""Writing collections and customers: one request each, and what can be mended in a second one."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, cast

from msgspec.structs import replace

from connectors.base import Applied, Loss, Operation, Outcome, Refused
from connectors.changes import touches
from connectors.errors import BadAnswer, StoreError
from connectors.records import Category, Content, Customer, Stream
from connectors.shopify.api import Api, decoder
from connectors.shopify.bodies import (
    collection_body,
    customer_body,
    other_metafields,
)
from connectors.shopify.changing import RefusedInput, change, unfinished
from connectors.shopify.documents_writing import (
    CREATE_COLLECTION,
    SET_CUSTOMER,
    UPDATE_COLLECTION,
)
from connectors.shopify.finding import Finder
from connectors.shopify.keys import Keys, custom_id, key_metafield
from connectors.shopify.loading import ROWS, Loader
from connectors.shopify.parts import gid, number
from connectors.shopify.publishing import Channels
from connectors.shopify.wire import WireAddress, WireCustomer, WireId

_SLUG = Loss("slug", "Another record of the target has this slug.")
_PARENT = Loss("parent", "Shopify's collections have no parents.")
_CHANNEL = Loss("extra", "The target does not put this collection on its sales channels.")
_PHONE = Loss("extra", "Another customer of the target has this phone number.")


class PlainWriter:
    """Writes collections and customers to one store."""

    def __init__(
        self, api: Api, loader: Loader, keys: Keys, finder: Finder, channels: Channels
    ) -> None:
        self._api = api
        self._loader = loader
        self._keys = keys
        self._finder = finder
        self._channels = channels

    async def collection(self, operation: Operation) -> Outcome:
        """Create or update one collection. Raises `StoreError`."""
        content = operation.content
        if not isinstance(content, Category):
            raise TypeError("an operation of another stream")
        await self._keys.define(Stream.CATEGORIES)
        body = collection_body(content, operation.changed if operation.target_id else None)
        document = UPDATE_COLLECTION if operation.target_id else CREATE_COLLECTION
        if operation.target_id:
            body["id"] = gid("Collection", operation.target_id)
        else:
            others = other_metafields(content.extra)
            body["metafields"] = [key_metafield(operation.key), *others]
        try:
            answer = await change(self._api, document, {"collection": body})
        except RefusedInput as error:
            if "handle" not in body or not any("handle" in each for each in error.fields):
                raise
            del body["handle"]
            answer = await change(self._api, document, {"collection": body})
        try:
            unseen = await self._offer(operation, answer["collection"])
            row, shown = await self._shown(Stream.CATEGORIES, answer["collection"])
        except StoreError as error:
            return unfinished(operation, error)
        losses = unseen
        losses += [_SLUG] if content.slug and row.handle != content.slug else []
        losses += [_PARENT] if content.parent else []
        return _applied(operation, row.id, shown, losses)

    async def _offer(self, operation: Operation, collection: Any) -> list[Loss]:
        """Put a new collection on the sales channels; also one whose making was cut off before."""
        if operation.target_id is not None and operation.changed is not None:
            return []
        try:
            await self._channels.show(decoder(WireId).decode(collection).id)
        except RefusedInput:
            return [_CHANNEL]
        return []

    async def customer(self, operation: Operation) -> Outcome:
        """Create or update one customer. Raises `StoreError`."""
        content = operation.content
        if not isinstance(content, Customer):
            raise TypeError("an operation of another stream")
        await self._keys.define(Stream.CUSTOMERS)
        losses: list[Loss] = []
        if operation.target_id is None:
            identifier: Any = custom_id(operation.key)
            body = customer_body(content, None)
        else:
            identifier = {"id": gid("Customer", operation.target_id)}
            others: list[WireAddress] = []
            if touches(operation.changed, "billing", "shipping"):
                row = await self._row(operation.target_id)
                if row is None:
                    return _gone(operation)
                others = _others(row)
            body = customer_body(content, operation.changed, others)
        answer, found = await self._set(operation, identifier, body, losses)
        row, shown = await self._shown(Stream.CUSTOMERS, answer["customer"])
        return replace(_applied(operation, row.id, shown, losses), found=found)

    async def _set(
        self, operation: Operation, identifier: Any, body: dict[str, Any], losses: list[Loss]
    ) -> tuple[Any, str | None]:
        """An email that exists belongs to the customer meant; a taken phone may be left out.

        Answers with what the store says, and by what a customer was found who is there already.
        """
        found = None
        try:
            given = {"identifier": identifier, "input": body}
            return await change(self._api, SET_CUSTOMER, given), None
        except RefusedInput as error:
            if error.code == "phone_exists" and "phone" in body:
                losses.append(_PHONE)
                body = {name: value for name, value in body.items() if name != "phone"}
            elif error.code == "email_exists" and operation.target_id is None:
                match = await self._finder.by_email(operation)
                row = await self._row(match) if match else None
                if row is None:
                    raise
                identifier, found, body = {"id": row.id}, "email", _joined(operation, body, row)
            else:
                raise
            given = {"identifier": identifier, "input": body}
            return await change(self._api, SET_CUSTOMER, given), found

    async def _row(self, target: str) -> WireCustomer | None:
        rows, failed = await self._loader.single(Stream.CUSTOMERS, [gid("Customer", target)])
        if failed:
            raise BadAnswer(f"record {target}: {failed[0][1]}", code="record_unmappable")
        return await self._loader.completed(Stream.CUSTOMERS, rows[0]) if rows else None

    async def _shown(self, stream: Stream, raw: Any) -> tuple[Any, Content | None]:
        """The record as a read would show it; None where it has no canonical form."""
        row = decoder(cast("Hashable", ROWS[stream])).decode(raw)
        records, _ = await self._loader.load(stream, [row])
        return row, records[0].content if records else None


def _joined(operation: Operation, body: Any, row: WireCustomer) -> Any:
    """What is written over a customer who was there already: their own addresses and tags stay."""
    if not isinstance(operation.content, Customer):
        return body
    own = customer_body(operation.content, None, row.addresses_v2.nodes)
    tags = list(dict.fromkeys((*row.tags, *body.get("tags", ()))))
    return body | {"addresses": own["addresses"]} | ({"tags": tags} if "tags" in body else {})


def _others(row: WireCustomer) -> list[WireAddress]:
    """Addresses beyond the two that are written: somebody added them on the target."""
    default = row.default_address
    others = [each for each in row.addresses_v2.nodes if default is None or each.id != default.id]
    return others[1:]


def _applied(
    operation: Operation, target: str, content: Content | None, losses: list[Loss]
) -> Applied:
    return Applied(
        source_id=operation.source_id,
        target_id=number(target),
        content=content,
        losses=tuple(losses),
    )


def _gone(operation: Operation) -> Refused:
    text = "the customer is not there any more"
    return Refused(source_id=operation.source_id, code="gone", message=text, gone=True)
