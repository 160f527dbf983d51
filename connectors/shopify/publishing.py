"""Sales channels: which of them show products and collections.

Shopify puts what an app makes on no channel at all, so that nobody could buy it. A target therefore
puts it on those that its settings name; where they name none, on the Online Store. Whatever else
the team does with channels stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.errors import Rejected
from connectors.shopify.api import Api, Document, decoder
from connectors.shopify.changing import change
from connectors.shopify.documents_writing import CHANNELS, HIDE, SHOW
from connectors.shopify.parts import number
from connectors.shopify.settings import ShopifySettings
from connectors.shopify.wire import Nodes, Wire, WireCount

_ONLINE_STORE = "online_store"
_NO_CHANNEL = (
    "no_sales_channel",
    "The store has no Online Store and its settings name no channel: new goods will be on none.",
)


class _App(Wire):
    title: str = ""
    handle: str | None = None


class _Catalog(Wire):
    apps: Nodes[_App] | None = None


class _Publication(Wire):
    id: str
    supports_future_publishing: bool = False
    catalog: _Catalog | None = None

    @property
    def apps(self) -> list[_App]:
        return self.catalog.apps.nodes if self.catalog and self.catalog.apps else []

    @property
    def names(self) -> set[str]:
        """What a person may call it: its number, its app's handle, its app's title."""
        named = [number(self.id), *(name for e in self.apps for name in (e.handle, e.title))]
        return {each.casefold() for each in named if each}


class _Publications(Wire):
    publications: Nodes[_Publication]


class _Shown(Wire):
    resource_publications_count: WireCount | None = None


class Channels:
    """The channels of one store that its settings mean; looked up once."""

    def __init__(self, api: Api, settings: ShopifySettings) -> None:
        self._api = api
        self._names = settings.channel_names
        self._found: tuple[list[str], list[str]] | None = None

    async def examine(self) -> tuple[tuple[str, str], ...]:
        """What is worth telling before the first write. Raises `Rejected` for a name that no
        channel of the store has, and `StoreError`.
        """
        ids, unknown = await self._look()
        if unknown:
            raise Rejected(
                f"the store has no sales channel {', '.join(unknown)}", code="store_lacks_channel"
            )
        return () if ids or self._names is not None else (_NO_CHANNEL,)

    async def show(self, resource: str) -> WireCount | None:
        """Put a product or collection on the channels; on how many it is then, None where there is
        nothing to do. Calling again is harmless. Raises `RefusedInput` and `StoreError`.
        """
        return await self._move(SHOW, resource)

    async def hide(self, resource: str) -> WireCount | None:
        """Take it off these channels; as `show`."""
        return await self._move(HIDE, resource)

    async def _move(self, document: Document, resource: str) -> WireCount | None:
        ids, _ = await self._look()
        if not ids:
            return None
        channels = [{"publicationId": each} for each in ids]
        answer = await change(self._api, document, {"id": resource, "channels": channels})
        shown: _Shown | None = decoder(_Shown | None).decode(answer["publishable"])
        return shown.resource_publications_count if shown else None

    async def _look(self) -> tuple[list[str], list[str]]:
        """Ids of the channels, and names that no channel has."""
        if self._found is None:
            if self._names == ():
                self._found = [], []
            else:
                answer = await self._api.ask(CHANNELS, _Publications)
                self._found = _chosen(answer.publications.nodes, self._names)
        return self._found


def _chosen(
    publications: Sequence[_Publication], names: tuple[str, ...] | None
) -> tuple[list[str], list[str]]:
    if names is None:
        return _online_store(publications), []
    ids: dict[str, Any] = {}
    unknown = []
    for name in names:
        found = [each.id for each in publications if name.casefold() in each.names]
        ids |= dict.fromkeys(found)
        if not found:
            unknown.append(name)
    return list(ids), unknown


def _online_store(publications: Sequence[_Publication]) -> list[str]:
    """By its app, else by what the schema says that only online stores can do."""
    named = [e.id for e in publications if any(app.handle == _ONLINE_STORE for app in e.apps)]
    return named or [each.id for each in publications if each.supports_future_publishing]
