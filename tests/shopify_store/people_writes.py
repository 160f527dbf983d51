"""Mutations of customers."""

from tests.shopify_store import custom_data, gids, people
from tests.shopify_store.catalogue_writes import upserted
from tests.shopify_store.failures import Refusal, mutation
from tests.shopify_store.fields import Ask, Doc


@mutation("customerSet", "customer")
def _customer_set(ask: Ask, arguments: Doc) -> Doc:
    given, identifier = dict(arguments["input"]), arguments.get("identifier") or {}
    if given.get("id"):
        words = "The id field is not allowed if identifier is provided."
        raise Refusal(words, "input", "id", code="ID_NOT_ALLOWED")
    customer, keep = upserted(ask, "Customer", identifier, "NOT_FOUND")
    for name in ("email", "phone"):
        value = identifier.get(name)
        if value and (given.get(name) or value).lower() != value.lower():
            words = "The identifier value does not match the value of the corresponding field"
            raise Refusal(words, "identifier", name, code="INPUT_MISMATCH")
        if value:
            given[name] = value
    customer = people.save_customer(ask.store, customer, given)
    for each in keep:
        custom_data.set_metafield(ask.store, customer["id"], each)
    return {"customer": customer}


@mutation("customerCreate", "customer")
def _customer_create(ask: Ask, arguments: Doc) -> Doc:
    return {"customer": people.save_customer(ask.store, None, arguments["input"])}


@mutation("customerUpdate", "customer")
def _customer_update(ask: Ask, arguments: Doc) -> Doc:
    given = dict(arguments["input"])
    customer = _known(ask, given.pop("id", None))
    return {"customer": people.save_customer(ask.store, customer, given)}


@mutation("customerDelete", "deletedCustomerId", "shop")
def _customer_delete(ask: Ask, arguments: Doc) -> Doc:
    """A customer with orders stays."""
    customer = _known(ask, arguments["input"]["id"])
    if any(each["_customer"] == customer["_n"] for each in ask.store.all("Order")):
        raise Refusal("Customer can't be deleted because they have associated orders", "id")
    ask.store.remove(customer)
    return {"deletedCustomerId": customer["id"]}


@mutation("customerAddressCreate", "address")
def _address_create(ask: Ask, arguments: Doc) -> Doc:
    customer = _known(ask, arguments["customerId"])
    made = people.address(ask.store, arguments["address"])
    customer["_addresses"].append(made)
    if arguments.get("setAsDefault") or customer["_default"] is None:
        customer["_default"] = made["_n"]
    ask.store.touch(customer)
    return {"address": made}


@mutation("customerUpdateDefaultAddress", "customer")
def _default_address(ask: Ask, arguments: Doc) -> Doc:
    customer = _known(ask, arguments["customerId"])
    number = gids.number(arguments["addressId"], "MailingAddress")
    if not any(each["_n"] == number for each in customer["_addresses"]):
        raise Refusal("Address does not exist", "addressId")
    customer["_default"] = number
    ask.store.touch(customer)
    return {"customer": customer}


def _known(ask: Ask, identity: str | None) -> Doc:
    customer = ask.store.get("Customer", identity)
    if customer is None:
        raise Refusal("Customer does not exist", "id")
    return customer
