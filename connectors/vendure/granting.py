"""What an administrator has to be allowed, and how a store's owner makes one."""

from __future__ import annotations

from connectors.base import Permission

PERMISSIONS = (
    Permission("ReadCatalog", "Collections, products, variants, facets, prices and stock."),
    Permission("ReadCustomer", "Customers and their addresses."),
    Permission("ReadOrder", "Orders with payments, refunds and shipments."),
    Permission(
        "ReadSettings", "Countries, for the addresses of customers and orders.", writing=True
    ),
    Permission(
        "CreateCatalog", "Collections, products, variants and facets are made.", writing=True
    ),
    Permission("UpdateCatalog", "They are changed, and stock is set.", writing=True),
    Permission("DeleteCatalog", "Those whose originals are gone are deleted.", writing=True),
    Permission("CreateCustomer", "Customers and addresses are made.", writing=True),
    Permission("UpdateCustomer", "They are changed.", writing=True),
    Permission("DeleteCustomer", "Those whose originals are gone are deleted.", writing=True),
    Permission("RecentSyncImport", "Orders are brought in; the add-on has it.", writing=True),
)

_ADDON = (
    "For a target: install the add-on of this project, addons/vendure, in the store, as its README "
    "says, and let the store make the new columns."
)
_ROLE = (
    "Open Settings, Roles, and create a role with the permissions that are listed here, for the "
    "channel that is the shop."
)
_ADMINISTRATOR = (
    "Open Settings, Administrators, and create an administrator with that role alone; or create "
    "an API key for such an administrator."
)
_AFTERWARDS = (
    "After the launch, delete the administrator and the role, and keep the add-on: without it the "
    "fields go by which imported orders are shown."
)

STEPS = (
    _ADDON,
    _ROLE,
    _ADMINISTRATOR,
    "See that the store's authOptions.tokenMethod includes bearer, or api-key for an API key.",
    "Enter the address of the Admin API, with its path.",
    _AFTERWARDS,
)
