"""Mutations of single redirects."""

from tests.shopify_store.failures import Refusal, mutation
from tests.shopify_store.fields import Ask, Doc
from tests.shopify_store.store import Store

_LONGEST_PATH = 1024


@mutation("urlRedirectCreate", "urlRedirect")
def _redirect(ask: Ask, arguments: Doc) -> Doc:
    given = arguments["urlRedirect"]
    return {"urlRedirect": keep(ask.store, given.get("path") or "", given.get("target") or "")}


def keep(store: Store, path: str, target: str) -> Doc:
    """A new redirect. Raises `Refusal`."""
    path = redirect_path(path)
    if path == "/" or not target:
        raise Refusal("Path can't be blank", "urlRedirect", "path", code="CREATE_FAILED")
    if len(path) > _LONGEST_PATH:
        words = f"Path is too long (maximum is {_LONGEST_PATH} characters)"
        raise Refusal(words, "urlRedirect", "path", code="CREATE_FAILED")
    if store.named("UrlRedirect", "path", path):
        words = "Path has already been taken"
        raise Refusal(words, "urlRedirect", "path", code="CREATE_FAILED")
    redirect = store.add("UrlRedirect", target=target)
    store.name(redirect, "path", path)
    return redirect


@mutation("urlRedirectUpdate", "urlRedirect")
def _redirect_update(ask: Ask, arguments: Doc) -> Doc:
    redirect = ask.store.get("UrlRedirect", arguments["id"])
    if redirect is None:
        raise Refusal("Redirect does not exist", "id", code="DOES_NOT_EXIST")
    given = arguments["urlRedirect"]
    if given.get("path"):
        ask.store.name(redirect, "path", redirect_path(given["path"]))
    redirect["target"] = given.get("target") or redirect["target"]
    return {"urlRedirect": redirect}


@mutation("urlRedirectDelete", "deletedUrlRedirectId")
def _redirect_delete(ask: Ask, arguments: Doc) -> Doc:
    redirect = ask.store.get("UrlRedirect", arguments["id"])
    if redirect is None:
        raise Refusal("Redirect does not exist", "id", code="DOES_NOT_EXIST")
    ask.store.remove(redirect)
    return {"deletedUrlRedirectId": redirect["id"]}


def redirect_path(text: str) -> str:
    """A path as the store keeps it: with one slash before it and none behind."""
    return "/" + text.strip().strip("/")
