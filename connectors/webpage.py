"""What a public page says of itself to search engines. Pure."""

from __future__ import annotations

import re
from urllib.parse import urljoin

from msgspec import Struct

_BLANKS = re.compile(r"\s+")
_NO_INDEX = frozenset({"noindex", "none"})


class Head(Struct, frozen=True):
    """A page's head: texts with single blanks, empty where the page has none. `canonical` is an
    address; `robots` are the words of its robots tags, in small letters.
    """

    title: str = ""
    canonical: str = ""
    description: str = ""
    robots: frozenset[str] = frozenset()


def read_head(body: bytes, url: str) -> Head:
    """The head of an HTML page; what was cut off after it does no harm. `url` is the page's own."""
    # Loading it takes longer than all the rest of a worker's start, and few need it.
    from selectolax.lexbor import LexborHTMLParser  # noqa: PLC0415

    tree = LexborHTMLParser(body)
    title, link = tree.css_first("head title"), tree.css_first('link[rel="canonical"]')
    href = (link.attributes.get("href") or "").strip() if link is not None else ""
    metas: dict[str, list[str]] = {}
    for meta in tree.css("meta[name]"):
        name = (meta.attributes.get("name") or "").strip().lower()
        metas.setdefault(name, []).append(_text(meta.attributes.get("content") or ""))
    robots = [word for name in ("robots", "googlebot") for word in metas.get(name, [])]
    return Head(
        title=_text(title.text()) if title is not None else "",
        canonical=_joined(url, href),
        description=next(iter(metas.get("description", [])), ""),
        robots=robots_words(robots),
    )


def robots_words(values: list[str]) -> frozenset[str]:
    """The words of `X-Robots-Tag` headers or of robots tags, those for one crawler as well."""
    words = [word for value in values for word in re.split(r"[,:]", value.lower())]
    return frozenset(word.strip() for word in words if word.strip())


def keeps_out(words: frozenset[str]) -> bool:
    """Whether these words keep a page out of search results."""
    return bool(words & _NO_INDEX)


def _joined(url: str, href: str) -> str:
    try:
        return urljoin(url, href) if href else ""
    except ValueError:
        return ""


def _text(found: str) -> str:
    return _BLANKS.sub(" ", found).strip()
