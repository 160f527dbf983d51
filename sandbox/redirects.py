"""Redirects that the add-on keeps: old paths that lead on where the shop has found no page."""

import re
from collections.abc import Callable
from urllib.parse import unquote, unquote_plus, urlsplit

from sandbox.store import Store
from sandbox.wire import Doc, Request, invalid

MOST = 200
"""The most that one request may keep or forget."""

_FACT = "redirects"
_LONGEST = 2000
_PAGE = 1000
_RESERVED = re.compile(r"/(wp-admin|wp-login\.php|wp-json)(/.*)?", re.IGNORECASE | re.DOTALL)
_PATH = re.compile(r"/(?!/)[^\s?#\\\x00-\x1f\x7f]*")
_TARGET = re.compile(
    r"(/(?!/)|https?://[^\s/?#\\@]+(?=[/?#]|$))[^\s\\\x00-\x1f\x7f]*", re.IGNORECASE
)


def lead(store: Store, request: Request) -> str | None:
    """Where the add-on sends a visitor who found nothing, with what was asked for behind the path;
    None where nobody has said.
    """
    path = _decoded(request.path)
    kept = _kept(store).get(path) if store.config.addon else None
    if kept is None or _end(kept["target"], request.host) == path:
        return None
    return _with_query(str(kept["target"]), request.raw_query)


def save(store: Store, request: Request, is_live: Callable[[str], bool]) -> Doc:
    """Keep many: `{redirects: [{state, code}]}`, in their order. What stands there stays."""
    wanted = request.json().get("redirects")
    if not isinstance(wanted, list) or len(wanted) > MOST or not all(map(_is_pair, wanted)):
        raise invalid("redirects")
    held = _Held(_kept(store), request.host)
    said = [_save_one(held, each["path"], each["target"], is_live) for each in wanted]
    store.storage.set_fact(_FACT, held.rows)
    return {"redirects": said}


def index(store: Store, request: Request) -> Doc:
    """One page, by number: `{redirects: [{id, path, target}], more}`."""
    try:
        after = int(request.query.get("after") or 0)
        limit = int(request.query.get("limit") or _PAGE)
    except ValueError:
        raise invalid("after, limit") from None
    if not 0 < limit <= _PAGE:
        raise invalid("limit")
    rows = [each for each in _kept(store).values() if each["id"] > after]
    return {"redirects": rows[:limit], "more": len(rows) > limit}


def remove(store: Store, request: Request) -> Doc:
    """Forget many: `{removed}`, how many were there."""
    paths = request.json().get("paths")
    if not isinstance(paths, list) or len(paths) > MOST:
        raise invalid("paths")
    kept = _kept(store)
    gone = [kept.pop(_key(str(each)), None) for each in paths]
    store.storage.set_fact(_FACT, kept)
    return {"removed": sum(1 for each in gone if each)}


def _kept(store: Store) -> dict[str, Doc]:
    """All, by the key of the path, in the order in which they came."""
    found: dict[str, Doc] = dict(store.storage.fact(_FACT, {}))
    return found


class _Held:
    """What is kept, by the key of the path, and which keys something leads to."""

    def __init__(self, rows: dict[str, Doc], host: str) -> None:
        self.rows = rows
        self.host = host
        self.ends = {_end(each["target"], host) for each in rows.values()}
        self.last = max((each["id"] for each in rows.values()), default=0)

    def add(self, path: str, target: str) -> None:
        """Keep one, under the next number."""
        self.last += 1
        self.rows[_key(path)] = {"id": self.last, "path": path, "target": target}
        self.ends.add(_end(target, self.host))

    def refusal(self, path: str, target: str) -> str:
        """Why what stands there refuses it, empty where nothing does."""
        key, end = _key(path), _end(target, self.host)
        there, following = self.rows.get(key), self.rows.get(end)
        if there is not None and there["target"].rstrip("/") != target.rstrip("/"):
            return "redirect_differs"
        if end == key or (following and _end(following["target"], self.host) == key):
            return "redirect_loop"
        leads_on = following or (there is None and key in self.ends)
        return "redirect_chain" if leads_on else ""


def _save_one(held: _Held, path: str, target: str, is_live: Callable[[str], bool]) -> Doc:
    code = "path_invalid"
    if _is_valid(path, target):
        code = "path_live" if is_live(unquote(path)) else held.refusal(path, target)
    if code:
        return {"state": "refused", "code": code}
    if _key(path) in held.rows:
        return {"state": "kept", "code": ""}
    held.add(path, target)
    return {"state": "made", "code": ""}


def _is_pair(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(value.get(name), str) for name in ("path", "target")
    )


def _is_valid(path: str, target: str) -> bool:
    return (
        max(len(path.encode()), len(target.encode())) <= _LONGEST
        and _PATH.fullmatch(path) is not None
        and _TARGET.fullmatch(target) is not None
        and _RESERVED.fullmatch(unquote(path)) is None
    )


def _key(path: str) -> str:
    return _decoded(unquote(path))


def _decoded(path: str) -> str:
    return path.rstrip("/") or "/"


def _end(target: str, host: str) -> str:
    """The key of the path that a target leads to in this shop; empty where it leads elsewhere."""
    parts = urlsplit(target)
    return _key(parts.path) if parts.netloc.lower() in ("", host.lower()) else ""


def _with_query(target: str, query: str) -> str:
    """What the target says itself stands, the rest of what was asked for goes along."""
    address, fragment, anchor = target.partition("#")
    path, _, own = address.partition("?")
    pairs = [each for each in own.split("&") if each]
    names = {_name(each) for each in pairs}
    pairs += [each for each in query.split("&") if each and _name(each) not in names]
    return path + ("?" + "&".join(pairs) if pairs else "") + fragment + anchor


def _name(pair: str) -> str:
    return unquote_plus(pair.partition("=")[0])
