"""`recent-sync redirects …` against a service that answers what the test says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

MAP = "/v1/migrations/spring/redirects"
ENTRY = {
    "path": "/product/blue%20mug/",
    "target": "/products/blue-mug",
    "visits": 12,
    "stream": "products",
    "source_id": "1",
    "pushed": None,
}


def page(*items: Any, cursor: str | None = None) -> tuple[int, Any]:
    return 200, {"items": list(items), "next": cursor}


def looked_up(*cursors: str | None) -> list[tuple[int, Any]]:
    """The first call tells of the pages that are no records."""
    counts = {"records": 200, "pages": 180}
    first = counts | {"cms_pages": 7, "notes": ["The source: it is closed."]}
    later = counts | {"cms_pages": 0, "notes": []}
    told = [first] + [later] * (len(cursors) - 1)
    return [(200, each | {"next": cursor}) for each, cursor in zip(told, cursors, strict=True)]


@pytest.fixture
def known(service: Any) -> Any:
    service.answers |= {
        f"POST {MAP}/refresh": looked_up("next", None),
        f"GET {MAP}": page(ENTRY),
    }
    return service


def test_pages_are_looked_up_to_the_end(known: Any, run: Any) -> None:
    outcome = run("redirects", "refresh", "-m", "spring", "--json")
    assert outcome.code == 0
    assert outcome.document == {
        "records": 400,
        "pages": 360,
        "cms_pages": 7,
        "notes": ["The source: it is closed."],
    }
    assert "The source: it is closed." in outcome.err
    assert [each.body for each in known.asked] == [{}, {"cursor": "next"}]


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("nginx", '"/product/blue mug/" "/products/blue-mug";'),
        ("apache", 'RedirectMatch 301 "^/product/blue\\\\ mug/?$" "/products/blue-mug"'),
        ("shopify", "/product/blue%20mug/,/products/blue-mug"),
        ("woocommerce", "/product/blue mug/,/products/blue-mug,0,301"),
        ("csv", "/product/blue%20mug/,/products/blue-mug,12,products,1"),
    ],
)
def test_the_map_is_written_in_the_form_that_is_asked_for(
    known: Any, run: Any, form: str, line: str
) -> None:
    outcome = run("redirects", "export", "-m", "spring", "--format", form)
    assert outcome.code == 0
    assert line in outcome.out.splitlines()


def test_the_map_is_written_to_a_file(known: Any, run: Any, tmp_path: Path) -> None:
    file = tmp_path / "map.json"
    outcome = run("redirects", "export", "-m", "spring", "--no-refresh", "-o", str(file))
    assert outcome.code == 0
    assert json.loads(file.read_text()) == [ENTRY]
    assert [each.method for each in known.asked] == ["GET"]
    assert run("redirects", "export", "-m", "spring", "-o", str(tmp_path / "a/b")).code == 2
    assert run("redirects", "export", "-m", "spring", "--format", "xml").code == 2


def test_traffic_and_own_redirects_are_read_from_a_file(
    known: Any, run: Any, tmp_path: Path
) -> None:
    known.answers[f"POST {MAP}/traffic"] = 200, {"paths": 3, "passed": 1}
    known.answers[f"POST {MAP}/own"] = 200, {"paths": 2, "passed": 0}
    file = tmp_path / "landing.csv"
    file.write_bytes("\ufeffpath,visits\n/größe,3\n".encode())
    assert "3 paths, passed 1 lines" in run("redirects", "traffic", "-m", "spring", str(file)).out
    assert run("redirects", "own", "-m", "spring", str(file)).code == 0
    assert known.asked[0].body == {"csv": "path,visits\n/größe,3\n"}
    assert run("redirects", "own", "-m", "spring", str(tmp_path / "none")).code == 2
    file.write_bytes(b"path,visits\n/\xff,3\n")
    assert run("redirects", "traffic", "-m", "spring", str(file)).code == 2


ASKED_WHETHER = (200, {"items": [], "left": 2})


def item(path: str, state: str, code: str | None = None) -> dict[str, Any]:
    return {"path": path, "target": "/b", "state": state, "code": code}


def test_redirects_are_pushed_until_none_is_left(known: Any, run: Any) -> None:
    known.answers[f"POST {MAP}/push"] = [
        ASKED_WHETHER,
        (200, {"items": [item("/a", "made")], "left": 1}),
        (200, {"items": [item("/c", "kept")], "left": 0}),
    ]
    outcome = run("redirects", "push", "-m", "spring", "--json")
    assert outcome.code == 0
    assert [each["path"] for each in outcome.document["items"]] == ["/a", "/c"]


def test_a_refused_redirect_is_a_failure_that_is_named(known: Any, run: Any) -> None:
    known.answers[f"POST {MAP}/push"] = [
        ASKED_WHETHER,
        (200, {"items": [item("/a", "made"), item("/c", "refused", "path_live")], "left": 1}),
    ]
    outcome = run("redirects", "push", "-m", "spring", "--again")
    assert outcome.code == 1
    assert "path_live" in outcome.out
    assert len([each for each in known.asked if each.path.endswith("/push")]) == 3


def test_a_target_that_takes_none_says_so_before_anything_is_looked_up(
    known: Any, run: Any
) -> None:
    problem = {"code": "redirects_not_taken", "detail": "Import a file instead."}
    known.answers[f"POST {MAP}/push"] = (409, problem)
    outcome = run("redirects", "push", "-m", "spring")
    assert (outcome.code, "redirects_not_taken" in outcome.err) == (2, True)
    assert [each.body for each in known.asked] == [{"limit": 0}]


def test_a_file_that_cannot_be_written_is_found_before_anything_is_looked_up(
    known: Any, run: Any, tmp_path: Path
) -> None:
    outcome = run("redirects", "export", "-m", "spring", "-o", str(tmp_path / "none" / "map"))
    assert (outcome.code, "cannot be written" in outcome.err) == (2, True)
    assert run("redirects", "export", "-m", "spring", "-o", str(tmp_path)).code == 2
    assert known.asked == []


def test_a_summary_tells_the_share_of_visits(known: Any, run: Any) -> None:
    known.answers[f"GET {MAP}/summary"] = (
        200,
        {
            "redirects": 3120,
            "same": 14,
            "faults": {"missing": 3},
            "pushed": {},
            "visits": 1000,
            "covered": 991,
            "share": 0.991,
            "seen_at": None,
        },
    )
    known.answers[f"GET {MAP}/faults"] = page()
    outcome = run("redirects", "summary", "-m", "spring")
    assert "991 (99.1%)" in outcome.out
    assert "the map has a way for" in outcome.out  # nobody has asked whether a page answers
    assert "missing 3" in outcome.out
    assert run("redirects", "faults", "-m", "spring").code == 0
