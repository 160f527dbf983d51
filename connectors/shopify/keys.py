"""Our external key on records of the target: a metafield whose values are unique in the store.

Its definition is made before the first write, once for each kind of record. Shopify finds a
record by it, and refuses to give it to a second one.
"""

from __future__ import annotations

from typing import Any

from connectors.records import Stream
from connectors.shopify.api import Api
from connectors.shopify.changing import RefusedInput, change
from connectors.shopify.documents_writing import DEFINE, DEFINITIONS
from connectors.shopify.parts import KEY, NAMESPACE, SKU
from connectors.shopify.wire import Nodes, Wire

_OWNERS = {
    Stream.CATEGORIES: "COLLECTION",
    Stream.PRODUCTS: "PRODUCT",
    Stream.CUSTOMERS: "CUSTOMER",
    Stream.ORDERS: "ORDER",
}
_TYPE = "id"


class _Definition(Wire):
    key: str


class _Definitions(Wire):
    metafield_definitions: Nodes[_Definition]


class Keys:
    """Definitions on one store; what is there once is remembered."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._defined: set[Stream] = set()

    async def defined(self, stream: Stream) -> bool:
        """Whether records of a stream can carry our key by now."""
        if stream not in self._defined:
            variables = {"owner": _OWNERS[stream], "namespace": NAMESPACE}
            found = await self._api.ask(DEFINITIONS, _Definitions, variables)
            if any(each.key == KEY for each in found.metafield_definitions.nodes):
                self._defined.add(stream)
        return stream in self._defined

    async def define(self, stream: Stream) -> None:
        """Make the definition where it is missing. Raises `StoreError`."""
        if await self.defined(stream):
            return
        definition = {
            "name": "recent-sync key",
            "description": "Which record of the former store this is.",
            "namespace": NAMESPACE,
            "key": KEY,
            "type": _TYPE,
            "ownerType": _OWNERS[stream],
            "capabilities": {"uniqueValues": {"enabled": True}},
        }
        try:
            await change(self._api, DEFINE, {"definition": definition})
        except RefusedInput as error:
            # Another worker was quicker.
            if "TAKEN" not in error.codes:
                raise
        self._defined.add(stream)


def custom_id(key: str) -> dict[str, Any]:
    """The identifier of the record that carries a key."""
    return {"customId": {"namespace": NAMESPACE, "key": KEY, "value": key}}


def key_metafield(key: str) -> dict[str, str]:
    """The key as a metafield of a new record."""
    return {"namespace": NAMESPACE, "key": KEY, "type": _TYPE, "value": key}


def sku_metafield(sku: str) -> dict[str, str]:
    """The SKU of a product whose variants have their own."""
    return {"namespace": NAMESPACE, "key": SKU, "type": "single_line_text_field", "value": sku}
