"""Which permissions an administrator lacks for some work: those that it has are told by the store.

Vendure guards each field of its API by one or more permissions, of which any one will do. The table
was read off its resolvers (3.7.3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connectors.errors import SignInAgain
from connectors.grants import Lack, Work
from connectors.records import Stream
from connectors.vendure.api import Api, Document
from connectors.vendure.granting import PERMISSIONS
from connectors.vendure.shop import Shops
from connectors.vendure.wire import Wire

ME = Document("query Me { me { channels { code permissions } } }")
ALL_STREAMS = Work(streams=frozenset(Stream))

_READ = ("ReadCatalog", "ReadProduct")
_CREATE = ("CreateCatalog", "CreateProduct")
_UPDATE = ("UpdateCatalog", "UpdateProduct")
_DELETE = ("DeleteCatalog", "DeleteProduct")
_FACETS = ("ReadCatalog", "ReadProduct", "ReadFacet")
_NEW_FACETS = ("CreateCatalog", "CreateFacet")

GUARDS: Mapping[str, tuple[str, ...]] = {
    "addOptionGroupToProduct": _UPDATE,
    "collection": ("ReadCatalog", "ReadCollection"),
    "collections": ("ReadCatalog", "ReadCollection"),
    "countries": ("ReadSettings", "ReadCountry"),
    "createCollection": ("CreateCatalog", "CreateCollection"),
    "createCustomer": ("CreateCustomer",),
    "createCustomerAddress": ("CreateCustomer",),
    "createFacet": _NEW_FACETS,
    "createFacetValue": _NEW_FACETS,
    "createProduct": _CREATE,
    "createProductOption": _CREATE,
    "createProductOptionGroup": _CREATE,
    "createProductVariants": _UPDATE,
    "customer": ("ReadCustomer",),
    "customers": ("ReadCustomer",),
    "deleteCollection": ("DeleteCatalog", "DeleteCollection"),
    "deleteCustomer": ("DeleteCustomer",),
    "deleteCustomerAddress": ("DeleteCustomer",),
    "deleteProduct": _DELETE,
    "deleteProductVariants": _DELETE,
    "facets": _FACETS,
    "facetValues": _FACETS,
    "importOrder": ("RecentSyncImport",),
    "moveCollection": ("UpdateCatalog", "UpdateCollection"),
    "orders": ("ReadOrder",),
    "productVariants": _READ,
    "products": _READ,
    "removeOptionGroupFromProduct": _UPDATE,
    "stockLocations": ("ReadCatalog", "ReadStockLocation"),
    "taxCategories": ("ReadCatalog", "ReadProduct", "ReadSettings", "ReadTaxCategory"),
    "updateCollection": ("UpdateCatalog", "UpdateCollection"),
    "updateCustomer": ("UpdateCustomer",),
    "updateCustomerAddress": ("UpdateCustomer",),
    "updateProduct": _UPDATE,
    "updateProductVariants": _UPDATE,
}
"""By field, the permissions of which any one opens it; the first is the one that we ask for."""

READING: Mapping[Stream, tuple[str, ...]] = {
    Stream.CATEGORIES: ("collections", "taxCategories"),
    Stream.PRODUCTS: ("products", "productVariants", "collections", "facets", "taxCategories"),
    Stream.CUSTOMERS: ("customers", "customer", "taxCategories"),
    Stream.ORDERS: ("orders", "taxCategories"),
    Stream.INVENTORY: ("productVariants", "taxCategories"),
}
"""Fields that are asked for; every store is asked for its tax categories."""

WRITING: Mapping[Stream, tuple[str, ...]] = {
    Stream.CATEGORIES: (
        "collection",
        "createCollection",
        "updateCollection",
        "moveCollection",
        "facets",
        "facetValues",
        "createFacet",
        "createFacetValue",
    ),
    Stream.PRODUCTS: (
        "createProduct",
        "updateProduct",
        "createProductVariants",
        "updateProductVariants",
        "deleteProductVariants",
        "createProductOptionGroup",
        "createProductOption",
        "addOptionGroupToProduct",
        "removeOptionGroupFromProduct",
        "facetValues",
        "createFacet",
        "createFacetValue",
    ),
    Stream.CUSTOMERS: (
        "createCustomer",
        "updateCustomer",
        "createCustomerAddress",
        "updateCustomerAddress",
        "deleteCustomerAddress",
        "countries",
    ),
    Stream.ORDERS: ("importOrder", "countries"),
    Stream.INVENTORY: ("updateProductVariants", "stockLocations"),
}
DELETING: Mapping[Stream, tuple[str, ...]] = {
    Stream.CATEGORIES: ("deleteCollection",),
    Stream.PRODUCTS: ("deleteProduct",),
    Stream.CUSTOMERS: ("deleteCustomer",),
}

_ALL = "SuperAdmin"
_PURPOSES = {each.name: each.purpose for each in PERMISSIONS}
_GRANT = (
    "Tick it in the administrator's role, under Settings, Roles, for the channel that is the shop."
)
_UNTOLD = (
    "permissions_untold",
    "The store does not tell which permissions this key has: what it lacks shows when it is used.",
)


class _Channel(Wire):
    code: str
    permissions: list[str]


class _Me(Wire):
    channels: list[_Channel]


class _Answer(Wire):
    me: _Me | None = None


async def lacks(api: Api, shops: Shops, work: Work, *, writing: bool) -> tuple[Lack, ...]:
    """What the administrator lacks in the store's channel; nothing where the store does not tell.
    `writing`: it is a target. Raises `StoreError`.
    """
    granted = await _granted(api, shops)
    return () if granted is None else lacking(granted, work, writing=writing)


async def findings(api: Api, shops: Shops, *, writing: bool) -> tuple[tuple[str, str], ...]:
    """What a check has to tell of permissions, whichever streams are moved. Raises `StoreError`."""
    granted = await _granted(api, shops)
    if granted is None:
        return (_UNTOLD,)
    lacked = lacking(granted, ALL_STREAMS, writing=writing)
    names = sorted({each.permission for each in lacked})
    told = f"The administrator's role lacks {', '.join(names)}: what needs them is refused."
    return (("permissions_missing", told),) if names else ()


async def _granted(api: Api, shops: Shops) -> frozenset[str] | None:
    """The permissions in the store's channel. An API key is no administrator: of one the store
    does not tell.
    """
    shop = await shops.shop()
    try:
        answer = await api.ask(ME, _Answer)
    except SignInAgain:
        return None
    if answer.me is None:
        return None
    there = [each.permissions for each in answer.me.channels if each.code == shop.channel.code]
    return frozenset(permission for some in there for permission in some)


def lacking(granted: frozenset[str], work: Work, *, writing: bool) -> tuple[Lack, ...]:
    """What is missing of permissions for some work, each once for a stream. Pure."""
    if _ALL in granted:
        return ()
    found = {
        (stream, GUARDS[field][0]): None
        for stream, field in _fields(work, writing=writing)
        if not granted & set(GUARDS[field])
    }
    return tuple(
        Lack(permission=name, stream=stream, purpose=_PURPOSES[name], grant=_GRANT)
        for stream, name in found
    )


def _fields(work: Work, *, writing: bool) -> Iterator[tuple[Stream, str]]:
    for stream in Stream:
        if stream not in work.streams:
            continue
        yield from ((stream, each) for each in READING[stream])
        if writing:
            yield from ((stream, each) for each in WRITING[stream])
        if writing and stream in work.deletes:
            yield from ((stream, each) for each in DELETING.get(stream, ()))
