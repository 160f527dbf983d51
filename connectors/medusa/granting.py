"""What a person grants in Medusa, and how."""

from __future__ import annotations

from connectors.base import Permission

PERMISSIONS = (
    Permission("secret API key", "Reads the Admin API. A key may do all that its maker may do."),
    Permission("secret API key", "Writes over the Admin API.", writing=True),
    Permission(
        "the add-on recent-sync/orders", "Takes orders as they were, in silence.", writing=True
    ),
)

STEPS = (
    "In Medusa's admin open Settings, Secret API Keys, and make a key for recent-sync alone.",
    "Copy it at once: it begins with sk_ and is shown only once.",
    "For a target that takes orders, install the add-on: addons/medusa/README.md says how.",
    "After the launch, revoke the key and delete the add-on.",
)
