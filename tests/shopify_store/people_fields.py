"""Fields of customers and of their orders."""

from tests.shopify_store.connections import page
from tests.shopify_store.fields import Ask, Doc, resolves
from tests.shopify_store.money import money, total
from tests.shopify_store.sums import order_total


def _orders(ask: Ask, customer: Doc) -> list[Doc]:
    return [each for each in ask.store.all("Order") if each["_customer"] == customer["_n"]]


@resolves("Customer", "addressesV2")
def _addresses(ask: Ask, customer: Doc, arguments: Doc) -> Doc:
    places = {each["_n"]: place for place, each in enumerate(customer["_addresses"])}
    return page(ask, customer["_addresses"], arguments, lambda doc: places[doc["_n"]])


@resolves("Customer", "addresses")
def _address_list(_: Ask, customer: Doc, arguments: Doc) -> list[Doc]:
    found: list[Doc] = customer["_addresses"]
    return found[: arguments.get("first")]


@resolves("Customer", "defaultAddress")
def _default(_: Ask, customer: Doc, __: Doc) -> Doc | None:
    found = (each for each in customer["_addresses"] if each["_n"] == customer["_default"])
    return next(found, None)


@resolves("Customer", "defaultEmailAddress")
def _email(_: Ask, customer: Doc, __: Doc) -> Doc | None:
    if customer["email"] is None:
        return None
    return {
        "emailAddress": customer["email"],
        "marketingState": "NOT_SUBSCRIBED",
        "marketingOptInLevel": None,
        "marketingUpdatedAt": None,
        "validFormat": True,
    }


@resolves("Customer", "defaultPhoneNumber")
def _phone(_: Ask, customer: Doc, __: Doc) -> Doc | None:
    if customer["phone"] is None:
        return None
    return {"phoneNumber": customer["phone"], "marketingState": "NOT_SUBSCRIBED"}


@resolves("Customer", "displayName")
def _name(_: Ask, customer: Doc, __: Doc) -> str:
    names = " ".join(filter(None, (customer["firstName"], customer["lastName"])))
    return names or customer["email"] or customer["phone"] or ""


@resolves("Customer", "numberOfOrders")
def _count(ask: Ask, customer: Doc, _: Doc) -> str:
    return str(len(_orders(ask, customer)))


@resolves("Customer", "amountSpent")
def _spent(ask: Ask, customer: Doc, _: Doc) -> Doc:
    whole = total(order_total(ask.store, each) for each in _orders(ask, customer))
    return money(whole, ask.store.config.currency)


@resolves("Customer", "orders")
def _customer_orders(ask: Ask, customer: Doc, arguments: Doc) -> Doc:
    return page(ask, _orders(ask, customer), arguments)


@resolves("Customer", "lastOrder")
def _last_order(ask: Ask, customer: Doc, _: Doc) -> Doc | None:
    made = _orders(ask, customer)
    return made[-1] if made else None


@resolves("Customer", "canDelete")
def _can_delete(ask: Ask, customer: Doc, _: Doc) -> bool:
    return not _orders(ask, customer)
