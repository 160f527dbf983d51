"""Products, variants, collections, and the data that apps add to them."""

from __future__ import annotations

import pytest

from tests.shopify_store_tests.conftest import DEFAULT_CHOICE, DEFAULT_OPTIONS, gid

pytestmark = pytest.mark.contracts

KINDS = "ProductSetIdentifiers ProductSetInput!"
RESULT = "product{id title handle status tags updatedAt variants(first:9){nodes{id sku price}}}"
CODED = (
    "mutation($identifier:ProductSetIdentifiers,$input:ProductSetInput!)"
    "{productSet(identifier:$identifier,input:$input){product{id} userErrors{code}}}"
)
PICTURES = (
    "query($i:ID!){product(id:$i){media(first:5){nodes"
    "{id alt status ...on MediaImage{image{url altText}}}}}}"
)
METAFIELDS = (
    "query($i:ID!){product(id:$i){updatedAt metafields(first:9){nodes{key value type}} "
    'metafield(namespace:"custom",key:"a"){value}}}'
)
LEFT_BEHIND = (
    "{orders(first:1){nodes{lineItems(first:1){nodes{title sku product{id} variant{id}}}}} "
    "collections(first:1){nodes{productsCount{count}}}}"
)
KEY = {"namespace": "recent_sync", "key": "source"}


def shirt(*sizes, **more):
    options = [{"name": "Size", "values": [{"name": each} for each in sizes]}]
    variants = [
        {"sku": f"S-{each}", "price": "9.5", "optionValues": [{"optionName": "Size", "name": each}]}
        for each in sizes
    ]
    return {"title": "Shirt", "productOptions": options, "variants": variants, **more}


async def put(shop, given, **identifier):
    payload = await shop.write(
        "productSet", KINDS, RESULT, identifier=identifier or None, input=given
    )
    assert payload["userErrors"] == []
    return payload["product"]


async def refusal(shop, given, **identifier):
    payload = (await shop.ask(CODED, identifier=identifier or None, input=given))["productSet"]
    assert payload["product"] is None
    return [each["code"] for each in payload["userErrors"]]


async def define(shop, owner="PRODUCT", kind="id"):
    given = {"name": "Source", "ownerType": owner, "type": kind, **KEY}
    return await shop.write(
        "metafieldDefinitionCreate",
        "MetafieldDefinitionInput!",
        "createdDefinition{id}",
        definition=given,
    )


async def test_a_product_without_variants_gets_one(shop):
    made = await put(shop, {"title": "Mug"})
    assert made["handle"] == "mug"
    assert [each["price"] for each in made["variants"]["nodes"]] == ["0.00"]
    query = (
        "query($i:ID!){product(id:$i){hasOnlyDefaultVariant options{name values} totalInventory}}"
    )
    found = (await shop.ask(query, i=made["id"]))["product"]
    assert found == {
        "hasOnlyDefaultVariant": True,
        "options": [{"name": "Title", "values": ["Default Title"]}],
        "totalInventory": 0,
    }


async def test_lists_are_replaced_and_other_fields_stay(shop):
    made = await put(shop, shirt("S", "M", tags=["new", "New", "a"], descriptionHtml="<p>x</p>"))
    assert made["tags"] == ["a", "new"]
    small = made["variants"]["nodes"][0]["id"]
    shop.wait(5)
    again = await put(shop, {**shirt("S", "L"), "title": "Coat"}, id=made["id"])
    assert (again["id"], again["title"], again["handle"]) == (made["id"], "Coat", "shirt")
    assert again["tags"] == ["a", "new"]
    assert [each["sku"] for each in again["variants"]["nodes"]] == ["S-S", "S-L"]
    assert again["variants"]["nodes"][0]["id"] == small
    assert again["updatedAt"] == "2025-11-25T12:00:05Z"
    assert [
        each["status"] for each in [await put(shop, {"status": "ARCHIVED"}, id=made["id"])]
    ] == ["ARCHIVED"]


async def test_handles_are_unique(shop):
    first, second = await put(shop, {"title": "Mug"}), await put(shop, {"title": "Mug"})
    assert (first["handle"], second["handle"]) == ("mug", "mug-1")
    assert await refusal(shop, {"title": "Other", "handle": "mug"}) == ["HANDLE_NOT_UNIQUE"]
    again = await put(shop, {"title": "By handle"}, handle="mug")
    assert again["id"] == first["id"]
    assert (await put(shop, {"title": "New"}, handle="fresh"))["handle"] == "fresh"


async def test_skus_are_not(shop):
    for title in ("A", "B"):
        await put(shop, {**shirt("S"), "title": title})
    assert len(await shop.ids("products", "sku:S-S")) == 2


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, "INVALID_PRODUCT"),
        (
            {"title": "A", "variants": [{"optionValues": DEFAULT_CHOICE}]},
            "PRODUCT_OPTIONS_INPUT_MISSING",
        ),
        ({"title": "A", "productOptions": DEFAULT_OPTIONS}, "VARIANTS_INPUT_MISSING"),
        (
            shirt("S") | {"variants": [{"optionValues": [{"optionName": "Size", "name": "XL"}]}]},
            "OPTION_VALUE_DOES_NOT_EXIST",
        ),
        (shirt("S") | {"variants": [{"optionValues": DEFAULT_CHOICE}]}, "OPTION_DOES_NOT_EXIST"),
        (shirt("S") | {"variants": [{"optionValues": []}]}, "OPTION_VALUES_MISSING"),
        (shirt("S") | {"variants": shirt("S")["variants"] * 2}, "INVALID_VARIANT"),
        ({"title": "A", "collections": [gid("Collection", 1)]}, "NOT_FOUND"),
    ],
)
async def test_what_no_product_may_be(shop, given, code):
    assert await refusal(shop, given) == [code]
    assert not shop.store.tables["Product"]


async def test_a_custom_id_finds_or_makes_a_product(shop):
    custom = {**KEY, "value": "shop:7"}
    answer = await shop.answer(CODED, identifier={"customId": custom}, input={"title": "A"})
    assert answer["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    assert (await define(shop))["userErrors"] == []
    assert (await define(shop))["userErrors"]
    made = await put(shop, {"title": "A"}, customId=custom)
    again = await put(shop, {"title": "B", "metafields": []}, customId=custom)
    assert again["id"] == made["id"]
    query = (
        "query($c:UniqueMetafieldValueInput!){productByIdentifier(identifier:{customId:$c}){title}}"
    )
    assert (await shop.ask(query, c=custom))["productByIdentifier"] == {"title": "B"}
    assert (await shop.ask(query, c={**custom, "value": "x"}))["productByIdentifier"] is None
    taken = {"title": "C", "metafields": [{**custom, "type": "id"}]}
    assert await refusal(shop, taken) == ["DUPLICATED_METAFIELD_VALUE"]
    assert await refusal(shop, {"title": "B"}, id=gid("Product", 1)) == ["PRODUCT_DOES_NOT_EXIST"]


async def test_metafields_are_a_list_like_others_and_move_no_stamp_by_themselves(shop):
    note = {"namespace": "custom", "type": "single_line_text_field", "value": "x"}
    made = await put(
        shop, {"title": "A", "metafields": [{**note, "key": "a"}, {**note, "key": "b"}]}
    )
    shop.wait(5)
    owner = {"ownerId": made["id"], "namespace": "custom", "key": "a", "value": "y"}
    written = await shop.write(
        "metafieldsSet", "[MetafieldsSetInput!]!", "metafields{id}", metafields=[owner]
    )
    assert written["userErrors"] == []
    found = (await shop.ask(METAFIELDS, i=made["id"]))["product"]
    assert found["updatedAt"] == "2025-11-25T12:00:00Z"
    assert found["metafield"] == {"value": "y"}
    await put(shop, {"metafields": [{**note, "key": "b"}]}, id=made["id"])
    found = (await shop.ask(METAFIELDS, i=made["id"]))["product"]
    assert [each["key"] for each in found["metafields"]["nodes"]] == ["b"]


async def test_pictures_get_an_address_of_the_stores_own_and_are_ready_later(shop):
    file = {"originalSource": "https://old.example/mug.jpg", "alt": "A mug"}
    made = await put(shop, {"title": "Mug", "files": [file]})
    [media] = (await shop.ask(PICTURES, i=made["id"]))["product"]["media"]["nodes"]
    assert (media["status"], media["image"]) == ("PROCESSING", None)
    shop.wait(2)
    [media] = (await shop.ask(PICTURES, i=made["id"]))["product"]["media"]["nodes"]
    assert media["image"]["url"].startswith("https://cdn.shopify.com/")
    again = await put(shop, {"files": [file]}, id=made["id"])
    [kept] = (await shop.ask(PICTURES, i=again["id"]))["product"]["media"]["nodes"]
    assert kept == media


async def test_a_deleted_product_leaves_collections_and_order_lines(shop):
    number = await shop.product()
    product = shop.store.get("Product", number)
    [collection] = await shop.load("collection", {"title": "All", "products": [product["id"]]})
    await shop.edit("sell", "product", number)
    gone = await shop.write(
        "productDelete",
        "ProductDeleteInput!",
        "deletedProductId shop{name}",
        input={"id": product["id"]},
    )
    assert gone["deletedProductId"] == product["id"]
    data = await shop.ask(LEFT_BEHIND)
    [line] = data["orders"]["nodes"][0]["lineItems"]["nodes"]
    assert line == {"title": "Mug", "sku": "MUG", "product": None, "variant": None}
    assert data["collections"]["nodes"] == [{"productsCount": {"count": 0}}]
    again = await shop.write(
        "productDelete", "ProductDeleteInput!", "deletedProductId", input={"id": product["id"]}
    )
    assert again["userErrors"]
    assert collection in shop.store.tables["Collection"]


async def test_collections_are_made_changed_and_joined(shop):
    number = await shop.product()
    product = gid("Product", number)
    made = await shop.write(
        "collectionCreate", "CollectionInput!", "collection{id handle}", input={"title": "Mugs"}
    )
    twin = await shop.write(
        "collectionCreate", "CollectionInput!", "collection{handle}", input={"title": "Mugs"}
    )
    assert (made["collection"]["handle"], twin["collection"]["handle"]) == ("mugs", "mugs-1")
    identity = made["collection"]["id"]
    shop.wait(5)
    await shop.write(
        "collectionAddProductsV2", "ID! [ID!]!", "job{done}", id=identity, productIds=[product]
    )
    changed = await shop.write(
        "collectionUpdate",
        "CollectionInput!",
        "collection{title updatedAt products(first:5){nodes{id}}}",
        input={"id": identity, "title": "Cups"},
    )
    assert changed["collection"] == {
        "title": "Cups",
        "updatedAt": "2025-11-25T12:00:05Z",
        "products": {"nodes": [{"id": product}]},
    }
    joined = await shop.ask(
        "query($i:ID!){product(id:$i){collections(first:5){nodes{id}}}}", i=product
    )
    assert joined["product"]["collections"]["nodes"] == [{"id": identity}]
    await put(shop, {"collections": []}, id=product)
    gone = await shop.write(
        "collectionDelete", "CollectionDeleteInput!", "deletedCollectionId", input={"id": identity}
    )
    assert gone["deletedCollectionId"] == identity


async def test_redirects_and_tags(shop):
    given = {"path": "old/mug", "target": "/products/mug"}
    made = await shop.write(
        "urlRedirectCreate", "UrlRedirectInput!", "urlRedirect{path target}", urlRedirect=given
    )
    assert made["urlRedirect"]["path"] == "/old/mug"
    again = await shop.write(
        "urlRedirectCreate", "UrlRedirectInput!", "urlRedirect{path}", urlRedirect=given
    )
    assert "taken" in again["userErrors"][0]["message"]
    product = gid("Product", await shop.product(tags=["a"]))
    tagged = await shop.write(
        "tagsAdd", "ID! [String!]!", "node{...on Product{tags}}", id=product, tags=["b", "A"]
    )
    assert tagged["node"] == {"tags": ["a", "b"]}
