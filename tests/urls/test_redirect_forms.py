"""The map as files, escaped for whoever reads them.

What nginx and Apache take for a file is told by readers of their quoting here, and by themselves
where they are installed.
"""

from __future__ import annotations

import csv
import io
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from app.redirects.chart import Entry
from app.redirects.forms import FILES, Form, apache, nginx, shopify, table, woocommerce
from app.redirects.paths import encoded

# Old paths and new ones that a careless writer of configurations gets wrong.
HARD = {
    "/product/blue mug/": "/products/blue mug",
    "/product/größe-ü/": "/products/größe",
    "/product/ночь": "/products/ночь",
    '/product/19"-rack': '/products/19"-rack',
    "/product/it's": "/products/it's",
    "/product/$uri": "/products/$uri",
    "/product/$1": "/products/$1-and-$0",
    "/product/a&b": "/products/a&b",
    "/product/back\\slash": "/products/back\\slash",
    "/product/end\\": "/products/end\\",
    "/product/{curly};": "/products/{curly};",
    "/product/(a|b)*.+[c]^": "/products/(a|b)*.+[c]",
    "/product/100%": "/products/100%",
    "/product/${PATH}": "/products/${PATH}",
    "/product/%{REQUEST_URI}": "/products/%{REQUEST_URI}",
    "/product/#1": "/products/no1",
    "/product/what?": "/products/what",
    "/product/~tilde": "/products/~tilde",
    "/product/with, comma": "/products/with, comma",
    "/product/" + "long-" * 60: "/products/long",
    "/default": "/",
}
ENTRIES = [Entry(quote(old), quote(new), 1) for old, new in HARD.items()]
ENTRIES += [Entry("/plain", "/search?q=a&b=%20c", 1)]


def words(line: str) -> list[str]:
    """The words of a line of configuration, by the rules that nginx and Apache share."""
    found = re.findall(r'"((?:[^"\\]|\\.)*)"|([^\s";]+)', line)
    assert re.sub(r'"((?:[^"\\]|\\.)*)"|([^\s";]+)', "", line).strip(" ;\n") == ""
    return [
        re.sub(r'\\([\\"])', r"\1", quoted) if quoted or not bare else bare
        for quoted, bare in found
    ]


def settings_of(lines: Iterator[str]) -> list[list[str]]:
    return [words(line) for line in "".join(lines).splitlines() if not line.startswith("#")]


def test_nginx_reads_every_path_as_it_was_meant() -> None:
    found = dict(settings_of(nginx(ENTRIES)))
    for old, new in HARD.items():
        bare = old.rstrip("/")
        assert found[bare] == found[f"{bare}/"] == quote(new).replace("$", "%24")
    assert found["/plain"] == "/search?q=a&b=%20c"


def test_no_target_holds_what_nginx_would_take_for_a_variable() -> None:
    target = "/products/$new_path?a=$uri"
    ((_, location), _) = settings_of(nginx([Entry("/a", target)]))
    assert "$" not in location


def test_paths_that_differ_in_case_only_do_not_stop_nginx_from_starting() -> None:
    entries = [Entry("/Mug", "/products/mug", 9), Entry("/mug", "/products/other", 1)]
    assert settings_of(nginx(entries)) == [["/Mug", "/products/mug"], ["/Mug/", "/products/mug"]]


def apache_replaces(target: str) -> str:
    """What mod_alias makes of a target in which no part of the old path is named."""
    assert not re.search(r"(?<!\\)(?:\\\\)*\$\d", target)
    return re.sub(r"\\(.)", r"\1", target)


def test_apache_reads_every_path_as_it_was_meant() -> None:
    found = settings_of(apache(ENTRIES))
    for (old, new), (directive, status, pattern, target) in zip(HARD.items(), found, strict=False):
        assert (directive, status) == ("RedirectMatch", "301")
        bare = old.rstrip("/")
        assert re.match(pattern, bare)
        assert re.match(pattern, f"{bare}/")
        assert not re.match(pattern, f"{bare}/more")
        assert not re.match(pattern, f"/x{bare}")
        assert apache_replaces(target) == new
    assert apache_replaces(found[-1][3]) == "/search?q=a&b=%20c"


def test_a_target_that_apache_cannot_lead_to_is_named_and_left_out() -> None:
    lines = "".join(apache([Entry("/a", "/b%3Fc"), Entry("/d", "/e")])).splitlines()
    assert lines[-2] == "# Apache cannot lead /a to /b%3Fc"
    assert words(lines[-1]) == ["RedirectMatch", "301", "^/d/?$", "/e"]


def test_nothing_in_a_line_for_apache_names_a_variable_of_its_own() -> None:
    assert "${" not in "".join(apache([Entry("/a${PATH}", "/b${PATH}")]))


def cells(lines: Iterator[str]) -> list[list[str]]:
    return list(csv.reader(io.StringIO("".join(lines))))


def test_the_forms_of_platforms_have_the_columns_that_they_import() -> None:
    entries = [Entry(encoded('/product/a, "b"/'), "/products/ü"), Entry("/b", "/c?d=1")]
    assert cells(shopify(entries)) == [
        ["Redirect from", "Redirect to"],
        ["/product/a,%20%22b%22/", "/products/ü"],
        ["/b", "/c?d=1"],
    ]
    assert cells(woocommerce(entries)) == [
        ["source", "target", "regex", "code"],
        ['/product/a, "b"/', "/products/ü", "0", "301"],
        ["/b", "/c?d=1", "0", "301"],
    ]
    assert cells(table(entries))[0] == ["path", "target", "visits", "stream", "source_id"]


@pytest.mark.parametrize("form", FILES)
def test_every_form_of_a_map_without_entries_can_be_read(form: Form) -> None:
    _, _, lines = FILES[form]
    assert all(
        line.startswith("#") or "," in line or not line for line in "".join(lines([])).splitlines()
    )


# --- the servers themselves, where they are installed --------------------------------------------


def free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def running(command: list[str], port: int) -> Iterator[str]:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        until = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, process.communicate()[0]
                assert time.monotonic() < until
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=20)


def location(url: str, path: str) -> str:
    """Where a path leads, as a browser would be told: from the first slash on."""
    answer = httpx.get(url + path, trust_env=False)
    assert answer.status_code == 301, path
    return answer.headers["location"].removeprefix(url)


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
def test_nginx_itself_redirects_every_path(tmp_path: Path) -> None:
    port = free_port()
    lines = "".join(nginx(ENTRIES))
    (tmp_path / "redirects.map").write_text(lines, encoding="utf-8")
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {tmp_path}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; client_body_temp_path {tmp_path}; proxy_temp_path {tmp_path};\n"
        f"fastcgi_temp_path {tmp_path}; uwsgi_temp_path {tmp_path}; scgi_temp_path {tmp_path};\n"
        "map_hash_max_size 65536; map_hash_bucket_size 1024; absolute_redirect off;\n"
        f"map $uri $new_path {{ include {tmp_path}/redirects.map; }}\n"
        f"server {{ listen 127.0.0.1:{port}; if ($new_path) {{ return 301 $new_path; }} }} }}\n"
    )
    program = shutil.which("nginx")
    assert program is not None
    command = [program, "-p", str(tmp_path), "-e", "stderr", "-c", str(tmp_path / "nginx.conf")]
    with running(command, port) as url:
        for entry in ENTRIES:
            expected = entry.target.replace("$", "%24")
            assert location(url, entry.path) == expected
            assert location(url, entry.path.rstrip("/") + "/") == expected
        assert httpx.get(f"{url}/product/blue%20mug/more", trust_env=False).status_code == 404


@pytest.mark.skipif(shutil.which("apache2") is None, reason="Apache is not installed")
def test_apache_itself_redirects_every_path(tmp_path: Path) -> None:
    port = free_port()
    program = shutil.which("apache2")
    assert program is not None
    modules = Path(program).parents[1] / "lib/apache2/modules"
    names = ("mpm_event", "authz_core", "alias")
    load = "".join(f"LoadModule {each}_module {modules}/mod_{each}.so\n" for each in names)
    (tmp_path / "httpd.conf").write_text(
        f"{load}ServerRoot {tmp_path}\nListen 127.0.0.1:{port}\nServerName 127.0.0.1\n"
        f"PidFile {tmp_path}/pid\nErrorLog {tmp_path}/errors\nDefaultRuntimeDir {tmp_path}\n"
        f"StartServers 1\nDocumentRoot {tmp_path}\n{''.join(apache(ENTRIES))}",
        encoding="utf-8",
    )
    command = [program, "-DFOREGROUND", "-f", str(tmp_path / "httpd.conf")]
    with running(command, port) as url:
        for entry in ENTRIES:
            found = httpx.URL(location(url, entry.path))
            assert (found.path, found.query) == _parts(entry.target)
        assert httpx.get(f"{url}/product/blue%20mug/more", trust_env=False).status_code == 404


def _parts(target: str) -> tuple[str, bytes]:
    url = httpx.URL(target)
    return url.path, url.query
