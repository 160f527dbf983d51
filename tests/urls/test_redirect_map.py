"""The map of old paths to new ones, and what is wrong with it."""

from __future__ import annotations

import pytest

from app.redirects.chart import CmsLink, Entry, Fault, Own, PageLink, chart
from app.redirects.cms import paired
from app.redirects.paths import encoded, key, new_path, old_path
from app.redirects.traffic import TableError, read_own, read_visits
from connectors.cms import CmsKind, CmsPage
from connectors.records import Stream

P, C = Stream.PRODUCTS, Stream.CATEGORIES


def link(old: str, new: str | None, source_id: str = "1", stream: Stream = P) -> PageLink:
    return PageLink(stream, source_id, f"t{source_id}", old, new)


def test_pages_that_moved_are_led_to_where_they_are() -> None:
    found = chart(
        [
            link("/product/mug/", "/products/mug", "1"),
            link("/same/", "/same", "2"),
            link("/product-category/mugs/", "/collections/mugs", "3", C),
        ]
    )
    assert found.entries == [
        Entry("/product-category/mugs/", "/collections/mugs", 0, C, "3"),
        Entry("/product/mug/", "/products/mug", 0, P, "1"),
    ]
    assert (found.same, found.problems) == (1, [])
    assert found.coverage.share is None


def test_the_most_visited_come_first_and_the_share_of_visits_is_told() -> None:
    found = chart(
        [
            link("/a", "/1", "1"),
            link("/b/", "/2", "2"),
            link("/c", None, "3"),
            link("/d/", "/d", "4"),
        ],
        visits={"/b": 70, "/a/": 10, "/c": 12, "/nobody": 3, "/d": 5},
    )
    assert [(each.path, each.visits) for each in found.entries] == [("/b/", 70), ("/a", 10)]
    assert [(each.fault, each.path, each.visits) for each in found.problems] == [
        (Fault.MISSING, "/c", 12),
        (Fault.UNKNOWN, "/nobody", 3),
    ]
    assert found.coverage.share == 0.85


def test_a_path_that_another_record_has_taken_cannot_be_redirected() -> None:
    """A redirect there would hide the other record's page."""
    found = chart([link("/p/mug", "/p/mug-2", "1"), link("/p/cup", "/p/mug", "2")])
    assert [(each.path, each.target) for each in found.entries] == [("/p/cup", "/p/mug")]
    (problem,) = found.problems
    assert (problem.fault, problem.path, problem.source_id) == (Fault.TAKEN, "/p/mug", "1")
    assert "products 2" in problem.detail


def test_chains_are_cut_short() -> None:
    found = chart(
        [link("/product/mug/", "/products/mug", "1")],
        [Own("/mug", "/mug.html"), Own("/mug.html", "/product/mug/")],
    )
    assert {each.path: each.target for each in found.entries} == dict.fromkeys(
        ("/mug", "/mug.html", "/product/mug/"), "/products/mug"
    )
    assert [(each.fault, each.path) for each in found.problems] == [
        (Fault.CHAIN, "/mug"),
        (Fault.CHAIN, "/mug.html"),
    ]


def test_loops_and_what_leads_into_them_are_left_out() -> None:
    found = chart([], [Own("/a", "/b"), Own("/b/", "/a"), Own("/into", "/a"), Own("/ok", "/c")])
    assert [each.path for each in found.entries] == ["/ok"]
    assert [(each.fault, each.path) for each in found.problems] == [
        (Fault.LOOP, "/a"),
        (Fault.LOOP, "/b/"),
        (Fault.LOOP, "/into"),
    ]


def test_doubles_and_redirects_to_themselves_are_told() -> None:
    found = chart(
        [link("/x", "/1", "1"), link("/x/", "/2", "2"), link("/live", "/live", "3")],
        [Own("/a", "/b"), Own("/a/", "/c"), Own("/s", "/s/"), Own("/live", "/z"), Own("/a", "/b")],
    )
    assert {each.path: each.target for each in found.entries} == {"/a": "/b", "/x": "/1"}
    assert [(each.fault, each.path) for each in found.problems] == [
        (Fault.DUPLICATE, "/a/"),
        (Fault.TAKEN, "/live"),
        (Fault.SELF, "/s"),
        (Fault.DUPLICATE, "/x/"),
    ]


def test_what_people_add_goes_before_what_records_say() -> None:
    found = chart([link("/x", "/1")], [Own("/x/", "/2?a=b")])
    assert [(each.path, each.target) for each in found.entries] == [("/x/", "/2?a=b")]
    assert found.problems == []


def test_ten_thousand_paths_take_no_time_and_one_order() -> None:
    links = [link(f"/old/{each}", f"/new/{each}", str(each)) for each in range(10_000)]
    own = [Own(f"/chain/{each}", f"/chain/{each + 1}") for each in range(2_000)]
    found, again = chart(links, own), chart(reversed(links), reversed(own))
    assert found == again
    assert len(found.entries) == 12_000
    assert found.entries[0].target == "/chain/2000"


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("https://shop.example/product/mug/?utm=1#top", "/product/mug/"),
        ("/größe 1", "/gr%C3%B6%C3%9Fe%201"),
        ("/gr%c3%b6%C3%9Fe%201", "/gr%C3%B6%C3%9Fe%201"),
        ("https://shop.example", "/"),
    ],
)
def test_paths_are_read_from_whatever_is_given(given: str, path: str) -> None:
    assert old_path(given) == path
    assert key(given if given.startswith("/") else path) == key(path)


@pytest.mark.parametrize(
    "given",
    ["(not set)", "", "mug", "/a%0d%0aSet-Cookie:x", "/%ff", "/" + "a" * 2000],
)
def test_what_is_no_path_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match=r"^(is|must|holds)"):
        old_path(given)
    with pytest.raises(ValueError, match=r"^(is|must|holds)"):
        new_path(given)


def test_a_target_keeps_its_query_and_stays_on_the_shop() -> None:
    assert new_path("/search?q=ü&b=%20") == "/search?q=%C3%BC&b=%20"
    for other in ("https://other.example/a", "//other.example/a"):
        with pytest.raises(ValueError, match="path of the new shop"):
            new_path(other)
    assert encoded("/a?b") == "/a%3Fb"


def test_a_report_of_web_analytics_is_read_as_it_comes() -> None:
    report = (
        "\ufeff# ----------------------------------------\n"
        "# Landing page: 20261101-20261126\n"
        "# ----------------------------------------\n"
        "\n"
        "Country;Landing page;Sessions\n"
        'GB;/product/mug/?ref=mail;"1,204"\n'
        "GB;/product/mug/;6\n"
        "DE;https://shop.example/größe;1.250\n"
        "GB;(not set);99\n"
        "\n"
    )
    found = read_visits(report)
    assert found.visits == {"/product/mug/": 1210, "/gr%C3%B6%C3%9Fe": 1250}
    assert found.passed == 1


def test_redirects_of_ones_own_are_read_from_a_file() -> None:
    text = 'Redirect from,Redirect to\n/about,/pages/about\n"/a, b","/c?d=1"\n'
    assert read_own(text) == [Own("/about", "/pages/about"), Own("/a,%20b", "/c?d=1")]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("/a,1\n/b,2\n", 1),
        ("path,visits\n/a,1\n/b,many\n", 3),
        ("path,visits\n/a,-1\n", 2),
        ("path,visits\n/a,nan\n", 2),
        ("path,visits\n/a\n", 2),
    ],
)
def test_a_file_that_cannot_be_read_says_where(text: str, line: int) -> None:
    with pytest.raises(TableError) as caught:
        read_visits(text)
    assert caught.value.line == line


def test_a_target_on_another_host_is_told_with_its_line() -> None:
    with pytest.raises(TableError, match="Line 2"):
        read_own("from,to\n/a,https://other.example/a\n")


def page(old: str, new: str | None = None, like: str | None = None, title: str = "A") -> CmsLink:
    return CmsLink(CmsKind.PAGE, title, old, new, like)


def test_pages_that_are_no_records_stay_or_wait_for_a_decision() -> None:
    found = chart(
        [],
        [],
        {"/about": 40, "/terms/": 2},
        [page("/terms/", like="/pages/terms", title="Terms"), page("/about/", "/about")],
    )
    assert (found.entries, found.same, found.coverage.share) == ([], 1, 40 / 42)
    (problem,) = found.problems
    assert (problem.fault, problem.path, problem.visits) == (Fault.UNDECIDED, "/terms/", 2)
    assert problem.detail == (
        "The page «Terms» is no record: say what answers in its place."
        " A page of its name is at /pages/terms."
    )


def test_what_people_say_of_a_page_goes_before_what_was_read() -> None:
    found = chart([], [Own("/about", "/story")], {}, [page("/about/"), page("/terms/", "/terms/")])
    assert (found.entries, found.same, found.problems) == ([Entry("/about", "/story")], 1, [])


def test_a_page_that_people_lead_to_itself_stays_where_it_is() -> None:
    """The only way to say so of a new shop whose platform tells of no pages."""
    found = chart([], [Own("/about", "/about"), Own("/x", "/x")], {"/about/": 3}, [page("/about/")])
    assert (found.entries, found.same, found.coverage.share) == ([], 1, 1)
    assert [(each.fault, each.path) for each in found.problems] == [(Fault.SELF, "/x")]


def test_a_page_gives_way_to_a_record_of_its_path() -> None:
    found = chart(
        [link("/mug", "/products/mug", "1"), link("/tin", "/tin", "2"), link("/old", "/cup", "3")],
        [],
        {},
        [page("/mug/"), page("/tin/"), page("/cup/")],
    )
    assert {each.path for each in found.entries} == {"/mug", "/old"}
    (problem,) = found.problems
    assert (problem.fault, problem.path) == (Fault.TAKEN, "/cup/")
    assert "products 3" in problem.detail


def told(path: str, title: str, number: int = 1) -> CmsPage:
    return CmsPage(CmsKind.PAGE, str(number), path, title)


def test_pages_are_paired_by_their_path_and_never_by_their_title() -> None:
    old = [
        told("/about/", "About us"),
        told("/terms/", "Terms"),
        told("/two/", "Twice"),
        told("/ÜBER/", "Über uns\x00"),
        told("/about", "About us again"),
        told("/a%00b/", "No path"),
    ]
    new = [
        told("/about", "Another title"),
        told("/pages/terms", "TERMS"),
        told("/a", "Twice"),
        told("/b", "Twice"),
    ]
    assert paired(old, new) == [
        CmsLink(CmsKind.PAGE, "About us", "/about/", "/about/"),
        CmsLink(CmsKind.PAGE, "Terms", "/terms/", None, "/pages/terms"),
        CmsLink(CmsKind.PAGE, "Twice", "/two/"),
        CmsLink(CmsKind.PAGE, "Über uns", "/%C3%9CBER/"),
    ]
