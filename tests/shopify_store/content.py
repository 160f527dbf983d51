"""Pages, blogs and articles of the online store."""

from tests.shopify_store.fields import Ask, Doc, resolves
from tests.shopify_store.store import Store, slug


def save_page(store: Store, given: Doc) -> Doc:
    """A new page of its `title`; `isPublished` false for one that is hidden."""
    return _save(store, "Page", given)


def save_blog(store: Store, given: Doc) -> Doc:
    """A new blog, which is always visible."""
    doc = _save(store, "Blog", given)
    del doc["isPublished"], doc["publishedAt"]
    return doc


def save_article(store: Store, given: Doc) -> Doc:
    """A new article of the blog with the handle `blog`."""
    blog = store.named("Blog", "handle", given["blog"])
    assert blog is not None
    return _save(store, "Article", given, _blog=blog["_n"])


def _save(store: Store, kind: str, given: Doc, **more: int) -> Doc:
    shown = bool(given.get("isPublished", True))
    stamp = store.clock.stamp() if shown else None
    doc = store.add(
        kind, title=given["title"], isPublished=shown, publishedAt=stamp, body="", **more
    )
    store.name(doc, "handle", given.get("handle") or slug(given["title"]))
    return doc


@resolves("Article", "blog")
def _blog(ask: Ask, article: Doc, _: Doc) -> Doc:
    return ask.store.tables["Blog"][article["_blog"]]
