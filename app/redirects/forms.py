"""The map as files: for servers, for platforms, for people.

Old paths are told apart as servers do: nginx without regard to case, all of them with or without a
slash at the end. Control characters never come this far (`app.redirects.paths`).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from urllib.parse import unquote

from app.redirects.chart import Entry
from app.redirects.paths import key

Lines = Iterator[str]
_NGINX = """\
# Old paths and new ones. In nginx.conf, within `http`:
#
#     map_hash_max_size 65536;
#     map_hash_bucket_size 1024;
#     map $uri $new_path {
#         include /etc/nginx/redirects.map;
#     }
#
# and within `server`, before all locations:
#
#     if ($new_path) {
#         return 301 $new_path;
#     }
"""
_APACHE = """\
# Old paths and new ones, for a virtual host or an .htaccess file. They need mod_alias.
"""


class Form(StrEnum):
    """What the map can be had as."""

    JSON = "json"
    CSV = "csv"
    NGINX = "nginx"
    APACHE = "apache"
    SHOPIFY = "shopify"
    WOOCOMMERCE = "woocommerce"


def nginx(entries: Iterable[Entry]) -> Lines:
    """Lines of a `map` over `$uri`, which is decoded. It tells no case apart, so that of two paths
    that differ in case only, the first (the most visited) stands.
    """
    yield _NGINX
    seen: set[str] = set()
    for entry in entries:
        bare, target = key(entry.path), _location(entry.target)
        for path in (bare, f"{bare}/"):
            if path.lower() not in seen:
                seen.add(path.lower())
                yield f'"{_quoted(path)}" "{target}";\n'


def apache(entries: Iterable[Entry]) -> Lines:
    """One `RedirectMatch` a path. `Redirect` would take all paths below one with it.

    Targets are decoded: Apache encodes them by itself, and would encode a per cent sign again. So
    it cannot lead to a path that holds a question mark or a hash.
    """
    yield _APACHE
    for entry in entries:
        if re.search("[?#]", unquote(entry.target.partition("?")[0])):
            yield f"# Apache cannot lead {entry.path} to {entry.target}\n"
            continue
        pattern = _quoted(f"^{re.escape(key(entry.path).rstrip('/'))}/?$")
        yield f'RedirectMatch 301 "{pattern}" "{_quoted(_literal(entry.target))}"\n'


def shopify(entries: Iterable[Entry]) -> Lines:
    """What Online Store → Navigation → URL redirects imports."""
    return _csv(["Redirect from", "Redirect to"], ([each.path, each.target] for each in entries))


def woocommerce(entries: Iterable[Entry]) -> Lines:
    """What the plugin Redirection imports; it has four columns that it reads."""
    rows = ([unquote(each.path), each.target, "0", "301"] for each in entries)
    return _csv(["source", "target", "regex", "code"], rows)


def table(entries: Iterable[Entry]) -> Lines:
    """For people and their spreadsheets."""
    rows = (
        [each.path, each.target, str(each.visits), each.stream or "", each.source_id or ""]
        for each in entries
    )
    return _csv(["path", "target", "visits", "stream", "source_id"], rows)


FILES: dict[Form, tuple[str, str, Callable[[Iterable[Entry]], Lines]]] = {
    Form.CSV: ("redirects.csv", "text/csv", table),
    Form.NGINX: ("redirects.map", "text/plain", nginx),
    Form.APACHE: ("redirects.conf", "text/plain", apache),
    Form.SHOPIFY: ("shopify-redirects.csv", "text/csv", shopify),
    Form.WOOCOMMERCE: ("redirection.csv", "text/csv", woocommerce),
}
"""Name, media type and lines of each form that is a file."""


def _csv(head: list[str], rows: Iterable[list[str]]) -> Lines:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in [head], rows:
        for cells in row:
            writer.writerow(cells)
            yield text.getvalue()
            text.seek(0)
            text.truncate()


def _location(target: str) -> str:
    """A target for nginx, to which `$` begins a variable that nothing can take for a letter."""
    return target.replace("$", "%24")


def _literal(target: str) -> str:
    """A target for Apache, to which `$1` is a part of the old path, `${NAME}` a variable of its
    environment, and `&` was all of the old path once.
    """
    path, question, query = target.partition("?")
    return re.sub(r"[\\$&{]", r"\\\g<0>", f"{unquote(path)}{question}{query}")


def _quoted(text: str) -> str:
    """For within double quotes; nginx and Apache both take a backslash before these two away."""
    return text.replace("\\", "\\\\").replace('"', '\\"')
