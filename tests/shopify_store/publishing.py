"""Sales channels: which products and collections are on which of them, and since when."""

from typing import Any

from tests.shopify_store import gids
from tests.shopify_store.connections import page
from tests.shopify_store.failures import Refusal, mutation
from tests.shopify_store.fields import Ask, Doc, resolves
from tests.shopify_store.store import Store


def publish(store: Store, doc: Doc, publications: list[Doc], at: str | None) -> None:
    """Put a product or a collection on channels, or with no date take it off them."""
    for each in publications:
        if at is None:
            doc["_published"].pop(each["_n"], None)
        else:
            doc["_published"][each["_n"]] = at
    # Of the Online Store alone a product says since when.
    doc["publishedAt"] = doc["_published"].get(store.publication["_n"])


def offer(store: Store, doc: Doc) -> Doc:
    """Put a product or a collection on the Online Store, where a shop that sells has them."""
    publish(store, doc, [store.publication], store.clock.stamp())
    return doc


@resolves("QueryRoot", "publications")
def _publications(ask: Ask, _: Any, arguments: Doc) -> Doc:
    kind = arguments.get("catalogType")
    held = ask.store.all("Publication") if kind in (None, "APP") else []
    return page(ask, held, arguments)


@resolves("Publication", "catalog")
def _catalog(_: Ask, publication: Doc, __: Doc) -> Doc:
    number = publication["_n"]
    return {
        "__typename": "AppCatalog",
        "_n": number,
        "id": gids.gid("AppCatalog", number),
        # As Shopify does, and so no name that a person would know.
        "title": f"Channel Catalog {number}",
        "status": "ACTIVE",
        "_app": {
            "__typename": "App",
            "_n": number,
            "id": gids.gid("App", number),
            "handle": publication["_handle"],
            "title": publication["name"],
        },
    }


@resolves("AppCatalog", "apps")
def _apps(ask: Ask, catalog: Doc, arguments: Doc) -> Doc:
    return page(ask, [catalog["_app"]], arguments)


@resolves("Product Collection", "publishedOnPublication")
def _is_published(_: Ask, doc: Doc, arguments: Doc) -> bool:
    return gids.number(arguments["publicationId"], "Publication") in doc["_published"]


@resolves("Product Collection", "resourcePublicationsCount")
def _count(_: Ask, doc: Doc, __: Doc) -> Doc:
    return {"count": len(doc["_published"]), "precision": "EXACT"}


@mutation("publishablePublish", "publishable", "shop")
def _publish(ask: Ask, arguments: Doc) -> Doc:
    return {"publishable": _moved(ask, arguments, ask.store.clock.stamp())}


@mutation("publishableUnpublish", "publishable", "shop")
def _unpublish(ask: Ask, arguments: Doc) -> Doc:
    return {"publishable": _moved(ask, arguments, None)}


def _moved(ask: Ask, arguments: Doc, at: str | None) -> Doc:
    kind = gids.parse(arguments["id"])[0]
    doc = ask.store.get(kind, arguments["id"])
    if doc is None:
        raise Refusal(f"{kind} does not exist", "id")
    publications = []
    for index, each in enumerate(arguments["input"]):
        publication = ask.store.get("Publication", each.get("publicationId"))
        if publication is None:
            place = ("input", str(index), "publicationId")
            raise Refusal("Publication does not exist or is not publishable", *place)
        publications.append(publication)
    publish(ask.store, doc, publications, at)
    ask.store.touch(doc)
    return doc
