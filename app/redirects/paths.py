"""Paths of pages, as people and programs write them."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

LONGEST = 2000
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_SAFE = "/-._~!$&'()*+,;=:@"


def key(path: str) -> str:
    """What two spellings of one path have in common: decoded, and without a slash behind it."""
    return unquote(path).rstrip("/") or "/"


def encoded(path: str) -> str:
    """A path as a browser sends it, whether it was percent-encoded or not."""
    return quote(unquote(path), safe=_SAFE)


def old_path(text: str) -> str:
    """The path of an address or a path, as a browser sends it, without query and fragment.

    Raises `ValueError` with what is wrong.
    """
    return encoded(_parts(text)[0])


def new_path(text: str) -> str:
    """As `old_path`, with its query. Another host's address is none of the new shop's paths."""
    if not text.strip().startswith("/") or text.strip().startswith("//"):
        raise ValueError("must be a path of the new shop, from its first slash on")
    path, query = _parts(text)
    return f"{encoded(path)}?{quote(unquote(query), safe=_SAFE + '?%')}" if query else encoded(path)


def _parts(text: str) -> tuple[str, str]:
    try:
        parts = urlsplit(text.strip())
    except ValueError:
        raise ValueError("is no address") from None
    path = parts.path or ("/" if parts.netloc else "")
    if len(text) > LONGEST or not path.startswith("/") or path.startswith("//"):
        raise ValueError("is no path from the first slash on")
    if _CONTROLS.search(unquote(path)) or "\ufffd" in unquote(path):
        raise ValueError("holds characters that no path has")
    return path, parts.query
