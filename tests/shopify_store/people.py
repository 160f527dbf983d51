"""Customers and their addresses."""

import re

from tests.shopify_store import custom_data, gids
from tests.shopify_store.failures import Refusal
from tests.shopify_store.fields import Doc
from tests.shopify_store.goods import tidy_tags
from tests.shopify_store.store import Store

_EMAIL = re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)+")
_PHONE = re.compile(r"\+?[\d ()./-]{6,20}")
_ADDRESS = (
    "firstName",
    "lastName",
    "company",
    "address1",
    "address2",
    "city",
    "zip",
    "phone",
    "provinceCode",
)
_COUNTRIES = {"GB": "United Kingdom", "US": "United States", "DE": "Germany", "FR": "France"}


def save_customer(store: Store, customer: Doc | None, given: Doc) -> Doc:
    """Create a customer or write what is named; addresses are replaced. Raises `Refusal`."""
    check_customer(store, customer, given)
    email, phone = _identity(given)
    if customer is None:
        customer = _new_customer(store)
    else:
        store.touch(customer)
    for name in ("firstName", "lastName", "note", "taxExempt", "locale", "multipassIdentifier"):
        if name in given:
            customer[name] = given[name]
    if "email" in given:
        store.name(customer, "email", email)
    if "phone" in given:
        store.name(customer, "phone", phone)
    if given.get("tags") is not None:
        customer["tags"] = tidy_tags(given["tags"])
    if given.get("addresses") is not None:
        customer["_addresses"] = [_address(store, customer, each) for each in given["addresses"]]
        customer["_default"] = customer["_addresses"][0]["_n"] if customer["_addresses"] else None
    for each in given.get("metafields") or ():
        custom_data.set_metafield(store, customer["id"], each)
    return customer


def check_customer(store: Store, customer: Doc | None, given: Doc) -> None:
    """Raise `Refusal` for what a customer may not be."""
    email, phone = _identity(given)
    _check_identity(store, customer, email, phone)
    merged = {**(customer or {}), **given}
    if not any(merged.get(name) for name in ("email", "phone", "firstName", "lastName")):
        raise Refusal("A name, phone number, or email address must be present", code="INVALID")
    owner = customer["id"] if customer else None
    custom_data.check_metafields(store, "Customer", owner, given.get("metafields"))


def by_email(store: Store, email: str | None) -> Doc | None:
    """The customer with an email address, whatever its case."""
    return store.named("Customer", "email", email.strip().lower()) if email else None


def address(store: Store, given: Doc) -> Doc:
    """A postal address of an order or a customer."""
    number = store.number()
    code = given.get("countryCode") or given.get("country")
    doc = {name: given.get(name) for name in _ADDRESS}
    province = given.get("provinceCode") or given.get("province")
    return {
        **doc,
        "__typename": "MailingAddress",
        "_n": number,
        "id": gids.gid("MailingAddress", number),
        "provinceCode": province,
        "province": province,
        "countryCodeV2": code,
        "countryCode": code,
        "country": _COUNTRIES.get(str(code), code),
        "name": " ".join(filter(None, (given.get("firstName"), given.get("lastName")))) or None,
    }


def _identity(given: Doc) -> tuple[str | None, str | None]:
    email = (given.get("email") or "").strip().lower() or None
    phone = (given.get("phone") or "").strip() or None
    return email, phone


def _check_identity(
    store: Store, customer: Doc | None, email: str | None, phone: str | None
) -> None:
    if email is not None and not _EMAIL.fullmatch(email):
        raise Refusal("Email is invalid", "input", "email", code="INVALID")
    if store.strict_domains and email is not None and email.endswith(".invalid"):
        words = "Email contains an invalid domain name"
        raise Refusal(words, "input", "email", code="INVALID")
    if phone is not None and not _PHONE.fullmatch(phone):
        raise Refusal("Phone is invalid", "input", "phone", code="INVALID")
    for name, value in (("email", email), ("phone", phone)):
        other = store.named("Customer", name, value) if value else None
        if other is not None and other is not customer:
            words = f"{name.capitalize()} has already been taken"
            raise Refusal(words, "input", name, code="TAKEN")


def _new_customer(store: Store) -> Doc:
    customer = store.add("Customer", firstName=None, lastName=None, email=None, phone=None)
    customer.update(
        note=None,
        tags=[],
        taxExempt=False,
        locale="en",
        state="DISABLED",
        verifiedEmail=True,
        multipassIdentifier=None,
        _addresses=[],
        _default=None,
    )
    return customer


def _address(store: Store, customer: Doc, given: Doc) -> Doc:
    """An address of the list; the same address keeps its id."""
    made = address(store, given)
    for held in customer["_addresses"]:
        if _content(held) == _content(made):
            return held
    return made


def _content(doc: Doc) -> list[object]:
    return [doc[name] for name in (*_ADDRESS, "countryCodeV2")]
