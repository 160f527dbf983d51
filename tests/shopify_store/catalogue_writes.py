"""Mutations of products, variants and collections."""

from tests.shopify_store import custom_data, gids, goods
from tests.shopify_store.failures import Refusal, mutation
from tests.shopify_store.fields import Ask, Doc, not_kept
from tests.shopify_store.root_fields import identified
from tests.shopify_store.store import Store


@mutation("productSet", "product", "productSetOperation")
def _product_set(ask: Ask, arguments: Doc) -> Doc:
    if not arguments.get("synchronous", True):
        raise not_kept("an asynchronous productSet")
    given, identifier = dict(arguments["input"]), arguments.get("identifier") or {}
    if given.get("id"):
        words = "The id field is not allowed if identifier is provided."
        raise Refusal(words, "input", "id", code="ID_NOT_ALLOWED")
    product, keep = upserted(ask, "Product", identifier, "PRODUCT_DOES_NOT_EXIST")
    handle = identifier.get("handle")
    if handle and given.get("handle") not in (None, handle) and product is None:
        words = "The identifier value does not match the value of the corresponding field"
        raise Refusal(words, "identifier", "handle", code="INPUT_MISMATCH")
    if handle:
        given.setdefault("handle", handle)
    _check_custom(given, keep)
    product = goods.save_product(ask.store, product, given, *keep)
    for each in keep:
        custom_data.set_metafield(ask.store, product["id"], each)
    return {"product": product, "productSetOperation": None}


def upserted(ask: Ask, kind: str, identifier: Doc, missing: str) -> tuple[Doc | None, list[Doc]]:
    """(the record that an identifier names, the metafields that it stands for).

    Raises `Refusal` with the code `missing` for an id that nothing has.
    """
    if not identifier:
        return None, []
    doc = identified(ask, kind, identifier)
    if doc is None and identifier.get("id"):
        raise Refusal(f"{kind} does not exist", "identifier", "id", code=missing)
    custom = identifier.get("customId")
    return doc, [{**custom, "type": "id"}] if custom else []


def _check_custom(given: Doc, keep: list[Doc]) -> None:
    for custom in keep:
        name = custom_data.namespace_of(custom.get("namespace")), custom["key"]
        for each in given.get("metafields") or ():
            named = custom_data.namespace_of(each.get("namespace")), each["key"]
            if named == name and each["value"] != custom["value"]:
                words = "The identifier value does not match the value of the corresponding field"
                raise Refusal(words, "input", "metafields", code="METAFIELD_MISMATCH")


@mutation("productCreate", "product")
def _product_create(ask: Ask, arguments: Doc) -> Doc:
    given = dict(arguments.get("product") or arguments.get("input") or {})
    given.pop("productOptions", None)
    if given.get("handle"):
        given["handle"] = goods.free_handle(ask.store, "Product", given["handle"])
    return {"product": goods.save_product(ask.store, None, given)}


@mutation("productUpdate", "product")
def _product_update(ask: Ask, arguments: Doc) -> Doc:
    """Lists of metafields are added to here, not replaced."""
    given = dict(arguments.get("product") or arguments.get("input") or {})
    product = _known(ask, "Product", given.pop("id", None), "id")
    more = given.pop("metafields", None) or []
    custom_data.check_metafields(ask.store, "Product", product["id"], more)
    joins, leaves = given.pop("collectionsToJoin", None), given.pop("collectionsToLeave", None)
    goods.save_product(ask.store, product, given)
    for each in more:
        custom_data.set_metafield(ask.store, product["id"], each)
    for identity in joins or ():
        members = _known(ask, "Collection", identity, "collectionsToJoin")["_products"]
        members.setdefault(product["_n"])
    for identity in leaves or ():
        members = _known(ask, "Collection", identity, "collectionsToLeave")["_products"]
        members.pop(product["_n"], None)
    return {"product": product}


@mutation("productChangeStatus", "product")
def _status(ask: Ask, arguments: Doc) -> Doc:
    product = _known(ask, "Product", arguments["productId"], "productId")
    return {"product": goods.save_product(ask.store, product, {"status": arguments["status"]})}


@mutation("productDelete", "deletedProductId", "productDeleteOperation", "shop")
def _product_delete(ask: Ask, arguments: Doc) -> Doc:
    product = _known(ask, "Product", arguments["input"]["id"], "id")
    goods.remove_product(ask.store, product)
    return {"deletedProductId": product["id"], "productDeleteOperation": None}


@mutation("productVariantsBulkUpdate", "product", "productVariants")
def _variants_update(ask: Ask, arguments: Doc) -> Doc:
    product = _known(ask, "Product", arguments["productId"], "productId")
    changes = []
    for index, each in enumerate(arguments["variants"]):
        variant = ask.store.get("ProductVariant", each.get("id"))
        if variant is None or variant["_product"] != product["_n"]:
            place = ("variants", str(index), "id")
            words = "Product variant does not exist"
            raise Refusal(words, *place, code="PRODUCT_VARIANT_DOES_NOT_EXIST")
        goods.check_variant(ask.store, each)
        changes.append((variant, each))
    for variant, each in changes:
        goods.write_variant(ask.store, variant, each)
    ask.store.touch(product)
    return {"product": product, "productVariants": [variant for variant, _ in changes]}


@mutation("collectionCreate", "collection")
def _collection_create(ask: Ask, arguments: Doc) -> Doc:
    given = arguments.get("collection") or arguments.get("input") or {}
    _check_members(ask.store, given)
    return {"collection": goods.save_collection(ask.store, None, given)}


@mutation("collectionUpdate", "collection", "job")
def _collection_update(ask: Ask, arguments: Doc) -> Doc:
    given = dict(arguments.get("collection") or arguments.get("input") or {})
    collection = _known(ask, "Collection", given.pop("id", None), "id")
    _check_members(ask.store, given)
    return {"collection": goods.save_collection(ask.store, collection, given), "job": None}


def _check_members(store: Store, given: Doc) -> None:
    if given.get("ruleSet") or given.get("sources") or given.get("sourcesToCreate"):
        raise not_kept("collections with rules")
    for each in given.get("products") or ():
        if store.get("Product", each) is None:
            raise Refusal("Product does not exist", "products")


@mutation("collectionDelete", "deletedCollectionId", "shop")
def _collection_delete(ask: Ask, arguments: Doc) -> Doc:
    collection = _known(ask, "Collection", arguments["input"]["id"], "id")
    ask.store.remove(collection)
    return {"deletedCollectionId": collection["id"]}


@mutation("collectionAddProductsV2", "job")
def _add_products(ask: Ask, arguments: Doc) -> Doc:
    collection = ask.store.get("Collection", arguments["id"])
    if collection is None:
        raise Refusal("Collection does not exist", "id", code="COLLECTION_DOES_NOT_EXIST")
    members = collection["_products"]
    for each in arguments["productIds"]:
        number = gids.number(each, "Product")
        if number in ask.store.tables["Product"]:
            members.setdefault(number)
    return {"job": _done(ask)}


@mutation("collectionRemoveProducts", "job")
def _remove_products(ask: Ask, arguments: Doc) -> Doc:
    collection = _known(ask, "Collection", arguments["id"], "id")
    for each in arguments["productIds"]:
        collection["_products"].pop(gids.number(each, "Product"), None)
    return {"job": _done(ask)}


def _known(ask: Ask, kind: str, identity: str | None, *path: str) -> Doc:
    doc = ask.store.get(kind, identity)
    if doc is None:
        raise Refusal(f"{kind} does not exist", *path)
    return doc


def _done(ask: Ask) -> Doc:
    return {"id": gids.gid("Job", ask.store.number()), "done": True}
