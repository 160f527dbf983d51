"""The two addresses of a customer that bills and goods go to: Vendure has a book of them, without
any name for an address, so that the default ones stand for ours.
"""

from __future__ import annotations

import asyncio
from typing import Any

from msgspec.structs import replace

from connectors.base import Operation, Refused
from connectors.changes import Changed, touches
from connectors.records import Address, Customer
from connectors.vendure.api import Api
from connectors.vendure.bodies import address_body
from connectors.vendure.documents_writing import (
    COUNTRIES,
    CREATE_ADDRESS,
    DELETE_ADDRESS,
    UPDATE_ADDRESS,
)
from connectors.vendure.loading import Loader
from connectors.vendure.mapping_customers import default_billing, default_shipping, shipping_address
from connectors.vendure.parts import address
from connectors.vendure.shop import Shop
from connectors.vendure.wire import Listed, WireAddress, WireCountry, WireCustomer, WireId

_TAKE = 400


class AddressWriter:
    """Writes addresses of customers to one store."""

    def __init__(self, api: Api, loader: Loader) -> None:
        self._api = api
        self._loader = loader
        self._countries: dict[str, str] = {}
        self._asking = asyncio.Lock()

    async def countries(self) -> dict[str, str]:
        """Names of the store's countries by their codes. Raises `StoreError`."""
        async with self._asking:
            if not self._countries:
                options = {"options": {"take": _TAKE}}
                answer = await self._api.ask(COUNTRIES, dict[str, Listed[WireCountry]], options)
                self._countries = {each.code: each.name for each in answer["countries"].items}
            return self._countries

    async def unknown_country(self, operation: Operation, content: Customer) -> Refused | None:
        """The refusal of a customer in a country that the store does not know: it would keep the
        customer and drop the address.
        """
        changed = operation.changed if operation.target_id else None
        known = await self.countries()
        for name in ("billing", "shipping"):
            where = getattr(content, name)
            if where and touches(changed, name) and where.country not in known:
                return Refused(
                    source_id=operation.source_id,
                    code="country_unknown",
                    message=f"the {name} address is in a country that the store does not have; "
                    "add it under Settings, Countries",
                )
        return None

    async def write(self, content: Customer, row: WireCustomer, changed: Changed) -> None:
        """Make the default addresses what they are to be. Raises `StoreError`."""
        if not touches(changed, "billing", "shipping"):
            return
        places = row.addresses or []
        bills, goods = default_billing(places), default_shipping(places)
        shop = await self._loader.shop()
        billing = content.billing if touches(changed, "billing") else address(bills)
        shipping = (
            content.shipping if touches(changed, "shipping") else shipping_address(bills, goods)
        )
        if bills is None and goods is None and _alike(billing, shipping):
            await self._set(row.id, None, billing, shop, billing=True, shipping=True)
        elif bills is not None and bills is goods:
            await self._split(row.id, bills, (billing, shipping), shop)
        else:
            await self._set(row.id, bills, billing, shop, billing=True)
            await self._set(row.id, goods, shipping, shop, shipping=True)

    async def _split(
        self,
        customer: str,
        both: WireAddress,
        wanted: tuple[Address | None, Address | None],
        shop: Shop,
    ) -> None:
        """One address that serves both: it goes on to, or goods get one of their own."""
        billing, shipping = wanted
        await self._set(customer, both, billing, shop, billing=True, shipping=billing is None)
        if not _alike(billing, shipping):
            await self._set(customer, None, shipping, shop, shipping=True)

    async def _set(
        self,
        customer: str,
        there: WireAddress | None,
        wanted: Address | None,
        shop: Shop,
        *,
        billing: bool = False,
        shipping: bool = False,
    ) -> None:
        """Make one address what it is to be: nothing is sent where it is that already."""
        if wanted is None:
            if there is not None:
                await self._api.ask(DELETE_ADDRESS, dict[str, Any], {"id": there.id})
            return
        roles = {"defaultBillingAddress": billing, "defaultShippingAddress": shipping}
        body = address_body(wanted, shop) | {name: True for name, is_so in roles.items() if is_so}
        if there is None:
            given = {"customer": customer, "input": body}
            await self._api.ask(CREATE_ADDRESS, dict[str, WireId], given)
        elif not _same(there, wanted, shop):
            await self._api.ask(
                UPDATE_ADDRESS, dict[str, WireId], {"input": {"id": there.id, **body}}
            )


def _alike(left: Address | None, right: Address | None) -> bool:
    """Whether one address can stand for both; the one for goods has no email then."""
    if left is None or right is None:
        return False
    return replace(left, email="") == right


def _same(there: WireAddress, wanted: Address, shop: Shop) -> bool:
    found = address(there)
    if shop.has("Address", "email"):
        return found == wanted
    return found is not None and address_body(found, shop) == address_body(wanted, shop)
