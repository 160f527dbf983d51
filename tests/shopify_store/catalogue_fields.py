"""Fields of products, variants, media and collections."""

from typing import Any

from tests.shopify_store import gids, goods, stock
from tests.shopify_store.connections import page
from tests.shopify_store.fields import Ask, Doc, resolves

_NO_TROUBLE: Doc = {"mediaErrors": [], "mediaWarnings": []}


def _position(doc: Doc) -> int:
    place: int = doc["position"]
    return place


def item_of(ask: Ask, variant: Doc) -> Doc:
    """A variant's inventory item."""
    return ask.store.tables["InventoryItem"][variant["_item"]]


# --- products -----------------------------------------------------------------------------------


@resolves("Product", "variants")
def _variants(ask: Ask, product: Doc, arguments: Doc) -> Doc:
    key = _position if arguments.get("sortKey", "POSITION") == "POSITION" else lambda doc: doc["_n"]
    return page(ask, goods.variants(ask.store, product), arguments, key)


@resolves("Product", "variantsCount")
def _variants_count(_: Ask, product: Doc, __: Doc) -> Doc:
    return {"count": len(product["_variants"]), "precision": "EXACT"}


@resolves("Product", "totalVariants")
def _total_variants(_: Ask, product: Doc, __: Doc) -> int:
    return len(product["_variants"])


@resolves("Product", "hasOnlyDefaultVariant")
def _only_default(ask: Ask, product: Doc, _: Doc) -> bool:
    held = goods.variants(ask.store, product)
    return len(held) == 1 and held[0]["_options"] == [("Title", "Default Title")]


@resolves("Product", "totalInventory")
def _total_inventory(ask: Ask, product: Doc, _: Doc) -> int:
    items = (item_of(ask, each) for each in goods.variants(ask.store, product))
    return sum(stock.available(ask.store, item) for item in items if item["tracked"])


@resolves("Product", "tracksInventory")
def _tracks(ask: Ask, product: Doc, _: Doc) -> bool:
    return any(item_of(ask, each)["tracked"] for each in goods.variants(ask.store, product))


@resolves("Product Collection", "description")
def _description(_: Ask, doc: Doc, __: Doc) -> str:
    """The text without its tags."""
    parts = doc["descriptionHtml"].replace("<", "\0<").split("\0")
    return "".join(part.partition(">")[2] if part.startswith("<") else part for part in parts)


@resolves("Product", "options")
def _options(ask: Ask, product: Doc, arguments: Doc) -> list[Doc]:
    made = [
        {
            "__typename": "ProductOption",
            "id": gids.gid("ProductOption", option["_n"]),
            "name": option["name"],
            "position": place,
            "linkedMetafield": None,
            "values": _used_values(ask, product, option),
        }
        for place, option in enumerate(product["_options"], 1)
    ]
    return made[: arguments.get("first")]


def _used_values(ask: Ask, product: Doc, option: Doc) -> list[str]:
    """`values` are those that variants have, in the option's own order."""
    used = {pair for each in goods.variants(ask.store, product) for pair in each["_options"]}
    return [value for value in option["values"] if (option["name"], value) in used]


@resolves("ProductOption", "optionValues")
def _option_values(_: Ask, option: Doc, __: Doc) -> list[Doc]:
    number = gids.parse(option["id"])[1]
    return [
        {
            "id": gids.gid("ProductOptionValue", number * 1000 + place),
            "name": value,
            "hasVariants": True,
            "linkedMetafieldValue": None,
            "swatch": None,
        }
        for place, value in enumerate(option["values"])
    ]


@resolves("Product", "collections")
def _collections(ask: Ask, product: Doc, arguments: Doc) -> Doc:
    held = [c for c in ask.store.all("Collection") if product["_n"] in c["_products"]]
    return page(ask, held, arguments)


@resolves("Product", "inCollection")
def _in_collection(ask: Ask, product: Doc, arguments: Doc) -> bool:
    collection = ask.store.get("Collection", arguments["id"])
    return collection is not None and product["_n"] in collection["_products"]


@resolves("Product", "onlineStoreUrl")
def _url(_: Ask, doc: Doc, __: Doc) -> str | None:
    return f"https://practice.example/products/{doc['handle']}" if doc["publishedAt"] else None


# --- media --------------------------------------------------------------------------------------


@resolves("Product", "media")
def _media(ask: Ask, product: Doc, arguments: Doc) -> Doc:
    places = {each["_n"]: place for place, each in enumerate(product["_media"])}
    shown = [_shown(ask, each) for each in product["_media"]]
    return page(ask, shown, arguments, lambda doc: places[doc["_n"]])


@resolves("Product", "featuredMedia")
def _featured(ask: Ask, product: Doc, _: Doc) -> Doc | None:
    return _shown(ask, product["_media"][0]) if product["_media"] else None


@resolves("Product", "mediaCount")
def _media_count(_: Ask, product: Doc, __: Doc) -> Doc:
    return {"count": len(product["_media"]), "precision": "EXACT"}


@resolves("ProductVariant", "media")
def _variant_media(ask: Ask, _: Doc, arguments: Doc) -> Doc:
    return page(ask, [], arguments)


def _shown(ask: Ask, media: Doc) -> Doc:
    """A picture as it is now: without an address until it has been worked on."""
    ready = ask.store.clock.now() >= media["_ready"]
    image = {"url": media["_url"], "altText": media["alt"] or None, "width": 800, "height": 800}
    return {
        **media,
        **_NO_TROUBLE,
        "status": "READY" if ready else "PROCESSING",
        "fileStatus": "READY" if ready else "PROCESSING",
        "mimeType": "image/jpeg" if ready else None,
        "image": {**image, "id": gids.gid("ImageSource", media["_n"])} if ready else None,
        "updatedAt": media["createdAt"],
        "preview": {"image": {**image, "id": None} if ready else None, "status": "READY"},
    }


@resolves("Image", "url", "src", "originalSrc", "transformedSrc")
def _image_url(_: Ask, image: Doc, __: Doc) -> str:
    return str(image.get("url") or image["_url"])


# --- variants -----------------------------------------------------------------------------------


@resolves("ProductVariant", "product")
def _product(ask: Ask, variant: Doc, _: Doc) -> Doc:
    return ask.store.tables["Product"][variant["_product"]]


@resolves("ProductVariant", "inventoryItem")
def _item(ask: Ask, variant: Doc, _: Doc) -> Doc:
    return item_of(ask, variant)


@resolves("ProductVariant", "sku")
def _sku(ask: Ask, variant: Doc, _: Doc) -> Any:
    return item_of(ask, variant)["sku"]


@resolves("ProductVariant", "inventoryQuantity", "sellableOnlineQuantity")
def _quantity(ask: Ask, variant: Doc, _: Doc) -> int:
    return stock.available(ask.store, item_of(ask, variant))


@resolves("ProductVariant", "availableForSale")
def _for_sale(ask: Ask, variant: Doc, _: Doc) -> bool:
    item = item_of(ask, variant)
    free = not item["tracked"] or variant["inventoryPolicy"] == "CONTINUE"
    return free or stock.available(ask.store, item) > 0


@resolves("ProductVariant", "selectedOptions")
def _selected(_: Ask, variant: Doc, __: Doc) -> list[Doc]:
    return [{"name": name, "value": value} for name, value in variant["_options"]]


@resolves("ProductVariant", "title")
def _variant_title(_: Ask, variant: Doc, __: Doc) -> str:
    return " / ".join(value for _, value in variant["_options"])


@resolves("ProductVariant", "displayName")
def _display_name(ask: Ask, variant: Doc, arguments: Doc) -> str:
    product = ask.store.tables["Product"][variant["_product"]]
    return f"{product['title']} - {_variant_title(ask, variant, arguments)}"


@resolves("ProductVariant", "image")
def _variant_image(_: Ask, variant: Doc, __: Doc) -> Doc | None:
    return variant["_media"]


# --- collections --------------------------------------------------------------------------------


@resolves("Collection", "products")
def _products(ask: Ask, collection: Doc, arguments: Doc) -> Doc:
    order = {number: place for place, number in enumerate(collection["_products"])}
    held = [ask.store.tables["Product"][n] for n in order if n in ask.store.tables["Product"]]
    if arguments.get("sortKey", "COLLECTION_DEFAULT") in ("COLLECTION_DEFAULT", "MANUAL"):
        return page(ask, held, arguments, lambda doc: order[doc["_n"]])
    return page(ask, held, arguments)


@resolves("Collection", "productsCount")
def _products_count(_: Ask, collection: Doc, __: Doc) -> Doc:
    return {"count": len(collection["_products"]), "precision": "EXACT"}


@resolves("Collection", "hasProduct")
def _has_product(_: Ask, collection: Doc, arguments: Doc) -> bool:
    return gids.number(arguments["id"], "Product") in collection["_products"]


@resolves("Collection", "image")
def _collection_image(_: Ask, collection: Doc, __: Doc) -> Doc | None:
    return collection["_image"]
