"""Metafields and their definitions, and identifiers made of them."""

import hashlib
import json
from typing import Any

from graphql import GraphQLError

from tests.shopify_store import gids
from tests.shopify_store.failures import Refusal
from tests.shopify_store.fields import Doc
from tests.shopify_store.store import Store

OWNERS = {
    "PRODUCT": "Product",
    "PRODUCTVARIANT": "ProductVariant",
    "COLLECTION": "Collection",
    "CUSTOMER": "Customer",
    "ORDER": "Order",
    "SHOP": "Shop",
    "LOCATION": "Location",
}
OWNER_TYPES = {kind: name for name, kind in OWNERS.items()}
# The namespace of an app that names none.
APP_NAMESPACE = "app--1"
NO_DEFINITION = "Metafield definition of type 'id' is required when using custom ids."


def namespace_of(given: str | None) -> str:
    """The namespace in full: `$app` is the app's own."""
    if not given:
        return APP_NAMESPACE
    return given.replace("$app", APP_NAMESPACE, 1).replace(
        f"{APP_NAMESPACE}:", f"{APP_NAMESPACE}--"
    )


def definition(store: Store, owner: str, namespace: str, key: str) -> Doc | None:
    """The definition of a metafield of a kind of record (`Product`)."""
    for each in store.tables["MetafieldDefinition"].values():
        if (each["_owner"], each["namespace"], each["key"]) == (owner, namespace, key):
            return each
    return None


def check_metafields(store: Store, kind: str, owner: str | None, given: list[Doc] | None) -> None:
    """Raise `Refusal` for metafields that a record of a kind may not have.

    That is a value that another record has where the definition wants it unique, a type that is
    not the definition's, and no type or value at all. `owner` is None for a record to be made.
    """
    for each in given or ():
        namespace, key = namespace_of(each.get("namespace")), str(each["key"])
        known = definition(store, kind, namespace, key)
        name = _type_of(store, owner, each, known)
        if not name:
            raise Refusal("Type can't be blank", "metafields", "type", code="BLANK")
        if known is not None and known["_type"] != name:
            wanted = known["_type"]
            words = f"Type '{name}' must be consistent with the definition's type: '{wanted}'."
            raise Refusal(words, "metafields", "type", code="INVALID_TYPE")
        value = str(each["value"])
        if value == "":
            raise Refusal("Value can't be blank.", "metafields", "value", code="BLANK")
        _json(name, value)
        others = store.owners(kind, namespace, key, value) if known and known["_unique"] else ()
        if any(other["id"] != owner for other in others):
            raise Refusal("Value has already been taken.", "metafields", "value", code="TAKEN")


def set_metafield(store: Store, owner: str, given: Doc) -> Doc:
    """Write one metafield of a record, by the record's global id, that was found good."""
    kind = gids.parse(owner)[0]
    namespace, key = namespace_of(given.get("namespace")), str(given["key"])
    known = definition(store, kind, namespace, key)
    name, value = _type_of(store, owner, given, known), str(given["value"])
    doc = store.metafield(owner, namespace, key) or _blank(store, owner, kind, namespace, key)
    doc.update(value=value, type=name, updatedAt=store.clock.stamp(), jsonValue=_json(name, value))
    doc["compareDigest"] = hashlib.sha256(value.encode()).hexdigest()
    doc["definition"] = known
    store.metafields[owner][namespace, key] = doc
    return doc


def _type_of(store: Store, owner: str | None, given: Doc, known: Doc | None) -> str:
    """The type that is given, or the definition's, or the one that the metafield has."""
    name = (namespace_of(given.get("namespace")), str(given["key"]))
    held = store.metafield(owner, *name) if owner else None
    return str(given.get("type") or (known and known["_type"]) or (held and held["type"]) or "")


def replace_metafields(store: Store, owner: str, given: list[Doc] | None, *keep: Doc) -> None:
    """Write a whole list: what it does not name goes, but for `keep`; None leaves all alone."""
    if given is None:
        return
    wanted = {(namespace_of(each.get("namespace")), str(each["key"])) for each in (*given, *keep)}
    for name in [each for each in store.metafields[owner] if each not in wanted]:
        del store.metafields[owner][name]
    for each in given:
        set_metafield(store, owner, each)


def by_custom_id(store: Store, kind: str, custom: Doc) -> Doc | None:
    """The record with this value in a unique metafield of the type `id`.

    Raises `GraphQLError` where there is no such definition.
    """
    namespace, key = namespace_of(custom.get("namespace")), str(custom["key"])
    known = definition(store, kind, namespace, key)
    if known is None or known["_type"] != "id":
        raise GraphQLError(NO_DEFINITION, extensions={"code": "NOT_FOUND"})
    return next(store.owners(kind, namespace, key, str(custom["value"])), None)


def _blank(store: Store, owner: str, kind: str, namespace: str, key: str) -> Doc:
    number, now = store.number(), store.clock.stamp()
    return {
        "__typename": "Metafield",
        "_n": number,
        "_owner": owner,
        "id": gids.gid("Metafield", number),
        "legacyResourceId": str(number),
        "namespace": namespace,
        "key": key,
        "ownerType": OWNER_TYPES[kind],
        "createdAt": now,
    }


def _json(name: str, value: str) -> Any:
    if name in ("json", "boolean", "number_integer") or name.startswith("list."):
        try:
            return json.loads(value)
        except ValueError:
            raise Refusal(
                f"Value is invalid for the type '{name}'.",
                "metafields",
                "value",
                code="INVALID_VALUE",
            ) from None
    return value
