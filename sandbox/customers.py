"""Customers: users of the shop. Their list knows no dates, and two may share an email."""

import asyncio
import secrets
from typing import Any

from sandbox import effects
from sandbox.schema import invalid, is_email, validate
from sandbox.store import Store, missing
from sandbox.wire import SITE, ApiError, Doc

_ADDRESS = [
    "first_name",
    "last_name",
    "company",
    "address_1",
    "address_2",
    "city",
    "postcode",
    "country",
    "state",
]
ROLES = (
    "all",
    "administrator",
    "editor",
    "author",
    "contributor",
    "subscriber",
    "customer",
    "shop_manager",
)


def address(*, email: bool) -> Doc:
    """An empty postal address in the field order of the API."""
    tail = ["email", "phone"] if email else ["phone"]
    return dict.fromkeys([*_ADDRESS, *tail], "")


def blank() -> Doc:
    """A customer without anything, in the field order of the API."""
    return {
        "id": 0,
        "date_created": None,
        "date_created_gmt": None,
        "date_modified": None,
        "date_modified_gmt": None,
        "email": "",
        "first_name": "",
        "last_name": "",
        "role": "customer",
        "username": "",
        "billing": address(email=True),
        "shipping": address(email=False),
        "is_paying_customer": False,
        "avatar_url": f"{SITE}/avatar/0",
        "meta_data": [],
    }


def found(store: Store) -> None:
    """The administrator every site has; only `role=all` shows it."""
    doc = blank()
    doc.update(
        id=store.new_id("user"), email="admin@example.com", role="administrator", username="admin"
    )
    doc["date_created"], doc["date_created_gmt"] = store.clock.stamps()
    doc["_links"] = store.links(f"customers/{doc['id']}")
    store.save("customer", doc, touch=False, creating=True)


async def create(store: Store, payload: Doc, *, checked: bool = True, pause: float = 0.002) -> int:
    """Make a customer and mail "account created".

    As on the platform, nothing guards the time between the look-up of the email and the insert:
    two requests at once make two customers with one email. Two run side by side, as two PHP
    processes would.
    """
    if payload.get("id"):
        message = "Cannot create existing resource."
        raise ApiError(400, "woocommerce_rest_customer_exists", message)
    if checked:
        if "email" not in payload:
            raise ApiError(
                400,
                "rest_missing_callback_param",
                "Missing parameter(s): email",
                params=["email"],
            )
        validate("customer", payload)
    elif not is_email(payload.get("email")):
        message = "Please provide a valid email address."
        raise ApiError(400, "registration-error-invalid-email", message)
    async with store.two_at_once:
        _check_email(store, payload["email"])
        await asyncio.sleep(pause)
        return insert(store, payload)


def insert(store: Store, payload: Doc) -> int:
    """Make a customer without asking whether the email is in use."""
    doc = blank()
    doc["id"] = store.new_id("user")
    doc["date_created"], doc["date_created_gmt"] = store.clock.stamps()
    _fill(store, doc, payload)
    doc["username"] = payload.get("username") or doc["email"].split("@")[0]
    doc["avatar_url"] = f"{SITE}/avatar/{secrets.token_hex(8)}"
    doc["_links"] = store.links(f"customers/{doc['id']}")
    if _holder(store, doc["email"]):
        store.note("duplicate", what="customer", by="email", record=doc["id"])
    store.save("customer", doc, creating=True)
    effects.mail(store, "customer_new_account", doc["id"])
    return int(doc["id"])


def update(store: Store, customer_id: int, payload: Doc, *, checked: bool = True) -> int:
    """Change a customer; any PUT moves `date_modified`."""
    if checked:
        validate("customer", payload)
    doc = store.read("customer", customer_id)
    if doc is None:
        raise missing("customer", 400)
    if payload.get("email") and payload["email"].lower() != doc["email"].lower():
        if not is_email(payload["email"]):
            raise invalid({"email": "Invalid email address."})
        if _holder(store, payload["email"]):
            raise ApiError(
                400, "woocommerce_rest_customer_invalid_email", "Email address is invalid."
            )
    if payload.get("username") and payload["username"] != doc["username"]:
        message = "Username isn't editable."
        raise ApiError(400, "woocommerce_rest_customer_invalid_argument", message)
    _fill(store, doc, payload)
    store.save("customer", doc)
    return customer_id


def delete(store: Store, customer_id: int, *, force: bool) -> Doc:
    """Remove a customer for good; there is no trash. The orders stay and move their stamps."""
    doc = store.read("customer", customer_id)
    if doc is None:
        raise missing("customer", 400)
    if not force:
        message = "Customers do not support trashing."
        raise ApiError(501, "woocommerce_rest_trash_not_supported", message)
    store.erase("customer", customer_id)
    sql = "SELECT id FROM records WHERE kind = 'order' AND owner = ? AND latest = 1"
    for (order_id,) in store.storage.rows(sql, (customer_id,)):
        effects.touch(store, "order", order_id, customer_id=0)
    return doc


def _fill(store: Store, doc: Doc, payload: Doc) -> None:
    for name in ("email", "first_name", "last_name"):
        if payload.get(name) is not None:
            doc[name] = payload[name]
    for name in ("billing", "shipping"):
        merge_address(doc[name], payload.get(name))
    if "meta_data" in payload:
        # The API takes no meta data of customers that begin with `_`, and does not say so.
        given = [each for each in payload["meta_data"] or [] if not _is_protected(each)]
        doc["meta_data"] = store.meta(given, doc["meta_data"])


def _is_protected(entry: Any) -> bool:
    return isinstance(entry, dict) and str(entry.get("key", "")).startswith("_")


def merge_address(current: Doc, given: Any) -> None:
    """Take over the fields of an address that were sent and that it knows."""
    if isinstance(given, dict):
        current.update(
            {
                name: "" if value is None else str(value)
                for name, value in given.items()
                if name in current
            }
        )


def _check_email(store: Store, email: str) -> None:
    if _holder(store, email):
        message = "An account is already registered with your email address."
        raise ApiError(400, "registration-error-email-exists", message)


def _holder(store: Store, email: str) -> bool:
    sql = "SELECT 1 FROM records WHERE kind = 'customer' AND key = ? AND latest = 1"
    return bool(store.storage.rows(sql, (email.lower(),)))
