"""Products, variants and collections: how they are made and changed.

What is given is `ProductSetInput`, `CollectionInput` or a part of them. Everything that can be
refused is checked before anything is changed.
"""

import itertools
from typing import Any

from tests.shopify_store import custom_data, gids, money, stock
from tests.shopify_store.failures import Refusal
from tests.shopify_store.fields import Doc
from tests.shopify_store.store import Store, slug

MAX_VARIANTS = 2048
_PLAIN = ("title", "descriptionHtml", "vendor", "productType", "status", "templateSuffix")
_DEFAULT = [("Title", "Default Title")]


def save_product(store: Store, product: Doc | None, given: Doc, *keep: Doc) -> Doc:
    """Create a product or write what is named of it; lists are replaced as a whole.

    `keep` are metafields that a list of metafields need not name. Raises `Refusal`.
    """
    _check_product(store, product, given)
    owner = product["id"] if product else None
    custom_data.check_metafields(store, "Product", owner, given.get("metafields"))
    wanted = _wanted_variants(product, given)
    for each in wanted or ():
        check_variant(store, each)
    if product is None:
        product = _new_product(store, given)
    else:
        store.touch(product)
    _write_product(store, product, given)
    if wanted is not None:
        _write_options(store, product, given.get("productOptions"))
        _write_variants(store, product, wanted)
    if given.get("collections") is not None:
        _join(store, product, [gids.number(each, "Collection") for each in given["collections"]])
    custom_data.replace_metafields(store, product["id"], given.get("metafields"), *keep)
    return product


def free_handle(store: Store, kind: str, wish: str) -> str:
    """The handle or, where another record has it, the handle with the next free number."""
    if store.named(kind, "handle", wish) is None:
        return wish
    numbered = (f"{wish}-{number}" for number in itertools.count(1))
    return next(each for each in numbered if store.named(kind, "handle", each) is None)


def remove_product(store: Store, product: Doc) -> None:
    """Delete a product with its variants; order lines stay, without it."""
    for number in product["_variants"]:
        _remove_variant(store, store.tables["ProductVariant"][number])
    for collection in store.tables["Collection"].values():
        collection["_products"].pop(product["_n"], None)
    store.remove(product)


def variants(store: Store, product: Doc) -> list[Doc]:
    """A product's variants in their own order."""
    return [store.tables["ProductVariant"][number] for number in product["_variants"]]


# --- checks -------------------------------------------------------------------------------------


def _check_product(store: Store, product: Doc | None, given: Doc) -> None:
    if (product is None or "title" in given) and not (given.get("title") or "").strip():
        raise Refusal("Title can't be blank", "input", "title", code="INVALID_PRODUCT")
    handle = given.get("handle")
    other = store.named("Product", "handle", handle) if handle else None
    if other is not None and other is not product:
        words = f"Handle '{handle}' already in use. Please provide a new handle."
        raise Refusal(words, "input", "handle", code="HANDLE_NOT_UNIQUE")
    for each in given.get("collections") or ():
        if store.get("Collection", each) is None:
            raise Refusal("Collection not found", "input", "collections", code="NOT_FOUND")


def _wanted_variants(product: Doc | None, given: Doc) -> list[Doc] | None:
    """The variants as they shall be; None leaves them alone."""
    options, wanted = given.get("productOptions"), given.get("variants")
    if wanted is None:
        if options is not None:
            words = "Variants input is required when updating product options"
            raise Refusal(words, "input", "variants", code="VARIANTS_INPUT_MISSING")
        return None if product is not None else [{"optionValues": _option_inputs(_DEFAULT)}]
    if options is None:
        words = "Product options input is required when updating variants"
        raise Refusal(words, "input", "productOptions", code="PRODUCT_OPTIONS_INPUT_MISSING")
    if not wanted:
        words = "A product has at least one variant"
        raise Refusal(words, "input", "variants", code="INVALID_PRODUCT")
    if len(wanted) > MAX_VARIANTS:
        words = f"The number of variants cannot exceed {MAX_VARIANTS}"
        raise Refusal(words, "input", "variants", code="VARIANTS_OVER_LIMIT")
    _check_options(options, wanted)
    return list(wanted)


def _check_options(options: list[Doc], wanted: list[Doc]) -> None:
    known = {
        each["name"]: {value["name"] for value in each.get("values") or ()} for each in options
    }
    if len(known) < len(options):
        words = "Duplicated option name."
        raise Refusal(words, "input", "productOptions", code="DUPLICATED_OPTION_NAME")
    seen: set[tuple[tuple[str, str], ...]] = set()
    for index, variant in enumerate(wanted):
        place = ("input", "variants", str(index))
        chosen = tuple((each["optionName"], each["name"]) for each in variant["optionValues"])
        for name, value in chosen:
            if name not in known:
                raise Refusal("Option does not exist", *place, code="OPTION_DOES_NOT_EXIST")
            if value not in known[name]:
                words = "Option value does not exist"
                raise Refusal(words, *place, code="OPTION_VALUE_DOES_NOT_EXIST")
        if len(chosen) != len(known):
            words = "You need to add option values for every option"
            raise Refusal(words, *place, code="OPTION_VALUES_MISSING")
        if chosen in seen:
            title = " / ".join(value for _, value in chosen)
            words = (
                f"The variant '{title}' already exists. Please change at least one option value."
            )
            raise Refusal(words, *place, code="INVALID_VARIANT")
        seen.add(chosen)


def _option_inputs(chosen: list[tuple[str, str]]) -> list[Doc]:
    return [{"optionName": name, "name": value} for name, value in chosen]


# --- products -----------------------------------------------------------------------------------


def _new_product(store: Store, given: Doc) -> Doc:
    product = store.add("Product", handle="", status="ACTIVE", tags=[])
    product.update(
        publishedAt=None,
        _published={},  # since when it is on which publication
        descriptionHtml="",
        vendor=given.get("vendor") or store.config.name,
        productType="",
        templateSuffix=None,
        isGiftCard=bool(given.get("giftCard")),
        category=None,
        seo={"title": None, "description": None},
        _variants=[],
        _options=[],
        _media=[],
    )
    handle = given.get("handle") or free_handle(store, "Product", slug(given["title"]))
    store.name(product, "handle", handle)
    return product


def _write_product(store: Store, product: Doc, given: Doc) -> None:
    for name in _PLAIN:
        if name in given:
            product[name] = given[name] or ("" if name != "templateSuffix" else None)
    if given.get("handle"):
        store.name(product, "handle", given["handle"])
    if given.get("tags") is not None:
        product["tags"] = tidy_tags(given["tags"])
    if given.get("seo") is not None:
        product["seo"] = {**product["seo"], **given["seo"]}
    if given.get("files") is not None:
        product["_media"] = [_media(store, product, each) for each in given["files"]]


def tidy_tags(tags: list[str]) -> list[str]:
    """Tags once each, whatever their case, in the order of the alphabet."""
    kept = {tag.strip().lower(): tag.strip() for tag in reversed(tags) if tag.strip()}
    return sorted(kept.values(), key=str.lower)


def _media(store: Store, product: Doc, given: Doc) -> Doc:
    """A picture; the store keeps its own copy under an address of its own, ready a little later."""
    for held in product["_media"]:
        if held["id"] == given.get("id") or held["_original"] == given.get("originalSource"):
            return {**held, "alt": given.get("alt") or held["alt"]}
    number = store.number()
    source = str(given.get("originalSource") or "")
    name = source.rsplit("/", 1)[-1].split("?", maxsplit=1)[0] or f"{number}.jpg"
    return {
        "__typename": "MediaImage",
        "_n": number,
        "id": gids.gid("MediaImage", number),
        "alt": given.get("alt") or "",
        "mediaContentType": "IMAGE",
        "createdAt": store.clock.stamp(),
        "_original": source,
        "_url": f"https://cdn.shopify.com/s/files/1/0001/files/{name}?v={int(store.clock.now())}",
        "_ready": store.clock.now() + 2,
    }


def _join(store: Store, product: Doc, wanted: list[int]) -> None:
    for number, collection in store.tables["Collection"].items():
        inside = product["_n"] in collection["_products"]
        if number in wanted and not inside:
            collection["_products"][product["_n"]] = None
        elif inside and number not in wanted:
            del collection["_products"][product["_n"]]


# --- variants -----------------------------------------------------------------------------------


def _write_options(store: Store, product: Doc, given: list[Doc] | None) -> None:
    wanted = given or [{"name": "Title", "values": [{"name": "Default Title"}]}]
    held = {each["name"]: each for each in product["_options"]}
    product["_options"] = [
        {
            "_n": held[each["name"]]["_n"] if each["name"] in held else store.number(),
            "name": each["name"],
            "values": [value["name"] for value in each.get("values") or ()],
        }
        for each in sorted(wanted, key=lambda option: option.get("position") or 0)
    ]


def _write_variants(store: Store, product: Doc, wanted: list[Doc]) -> None:
    """Variants are known by their id or their option values; who is not named is deleted."""
    by_options = {tuple(each["_options"]): each for each in variants(store, product)}
    kept: list[int] = []
    for position, given in enumerate(wanted, 1):
        chosen = tuple((each["optionName"], each["name"]) for each in given["optionValues"])
        held = store.get("ProductVariant", given["id"]) if given.get("id") else None
        variant = held or by_options.get(chosen) or _new_variant(store, product, given)
        variant["_options"] = list(chosen)
        write_variant(store, variant, given)
        variant["position"] = position
        kept.append(variant["_n"])
    for number in product["_variants"]:
        if number not in kept:
            _remove_variant(store, store.tables["ProductVariant"][number])
    product["_variants"] = kept


def _new_variant(store: Store, product: Doc, given: Doc) -> Doc:
    variant = store.add("ProductVariant", _product=product["_n"], _options=[], position=0)
    variant.update(
        price="0.00",
        compareAtPrice=None,
        barcode=None,
        taxable=True,
        taxCode=None,
        inventoryPolicy="DENY",
        _media=None,
    )
    item = stock.new_item(store, given.get("inventoryItem") or {}, sku=None)
    variant["_item"] = item["_n"]
    item["_variant"] = variant["_n"]
    return variant


def write_variant(store: Store, variant: Doc, given: Doc) -> None:
    """Write what is named of a variant. Its SKU is the one of its inventory item."""
    store.touch(variant)
    item = store.tables["InventoryItem"][variant["_item"]]
    for name in ("barcode", "taxable", "taxCode", "inventoryPolicy"):
        if name in given:
            variant[name] = given[name]
    for name in ("price", "compareAtPrice"):
        if name in given:
            variant[name] = None if given[name] is None else money.price(given[name])
    changes = {**(given.get("inventoryItem") or {})}
    if "sku" in given:
        changes["sku"] = given["sku"]
    if changes:
        stock.change_item(item, changes)
        store.touch(item)
    for each in given.get("inventoryQuantities") or ():
        _set_stock(store, item, each)
    if given.get("metafields") is not None:
        custom_data.replace_metafields(store, variant["id"], given["metafields"])


def check_variant(store: Store, given: Doc) -> None:
    """Raise `Refusal` for what a variant may not be."""
    custom_data.check_metafields(store, "ProductVariant", given.get("id"), given.get("metafields"))
    for each in given.get("inventoryQuantities") or ():
        if store.get("Location", each["locationId"]) is None:
            raise Refusal("Location not found", "input", "variants", code="NOT_FOUND")
    if given.get("price") is not None and money.amount(given["price"]) < 0:
        words = "Price must be greater than or equal to 0"
        raise Refusal(words, "input", "variants", "price", code="INVALID_VARIANT")


def _set_stock(store: Store, item: Doc, given: Doc) -> None:
    location = store.get("Location", given["locationId"])
    assert location is not None
    level = stock.level(store, item, location)
    quantity = given.get("quantity", given.get("availableQuantity"))
    stock.move(store, level, quantity - level["_available"], "product")


def _remove_variant(store: Store, variant: Doc) -> None:
    item = store.tables["InventoryItem"][variant["_item"]]
    for level in stock.levels(store, item):
        store.remove(level)
    store.remove(item)
    store.remove(variant)


# --- collections --------------------------------------------------------------------------------


def save_collection(store: Store, collection: Doc | None, given: Doc) -> Doc:
    """Create a collection or write what is named of it. Raises `Refusal`."""
    if (collection is None or "title" in given) and not (given.get("title") or "").strip():
        raise Refusal("Title can't be blank", "title")
    owner = collection["id"] if collection else None
    custom_data.check_metafields(store, "Collection", owner, given.get("metafields"))
    if collection is None:
        collection = store.add("Collection", handle="", templateSuffix=None, sortOrder="MANUAL")
        collection.update(
            descriptionHtml="",
            seo={"title": None, "description": None},
            _image=None,
            ruleSet=None,
            sources=[],
            publishedAt=None,
            _published={},
            _products={},  # in the order of the collection, without values
        )
        wish = given.get("handle") or slug(given["title"])
        store.name(collection, "handle", free_handle(store, "Collection", wish))
    else:
        store.touch(collection)
        _rename(store, collection, given.get("handle"))
    for name in ("title", "descriptionHtml", "sortOrder", "templateSuffix"):
        if given.get(name) is not None:
            collection[name] = given[name]
    if given.get("seo") is not None:
        collection["seo"] = {**collection["seo"], **given["seo"]}
    if "image" in given:
        collection["_image"] = _picture(store, given["image"])
    if given.get("products") is not None:
        numbers = [gids.number(each, "Product") for each in given["products"]]
        collection["_products"] = dict.fromkeys(numbers)
    for each in given.get("metafields") or ():
        custom_data.set_metafield(store, collection["id"], each)
    return collection


def _rename(store: Store, collection: Doc, handle: str | None) -> None:
    if handle and handle != collection["handle"]:
        store.name(collection, "handle", free_handle(store, "Collection", handle))


def _picture(store: Store, given: Any) -> Doc | None:
    if not given or not given.get("src"):
        return None
    name = str(given["src"]).rsplit("/", 1)[-1].split("?")[0]
    return {
        "_url": f"https://cdn.shopify.com/s/files/1/0001/collections/{name}",
        "altText": given.get("altText"),
    }
