from __future__ import annotations

import pytest

from connectors.robots import Robots

WORDPRESS = """
User-agent: *
Disallow: /wp-admin/
Allow: /wp-admin/admin-ajax.php

Sitemap: https://shop.example/wp-sitemap.xml
"""
SHOPIFY = """
# we use Shopify as our ecommerce platform
User-agent: *
Disallow: /admin
Disallow: /*/collections/*sort_by*
Disallow: /collections/*+*
Disallow: /*?*ls=*&ls=*
Allow: /collections/all+new$

User-agent: AdsBot
User-agent: Nutch
Disallow: /
"""


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/product/mug/", True),
        ("/wp-admin/", False),
        ("/wp-admin/options.php", False),
        ("/wp-admin/admin-ajax.php", True),
    ],
)
def test_the_longest_rule_that_fits_decides(path: str, allowed: bool) -> None:
    assert Robots.parse(WORDPRESS).allows(path) is allowed


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/products/mug", True),
        ("/administer", False),
        ("/collections/mugs", True),
        ("/collections/mugs+cups", False),
        ("/collections/all+new", True),
        ("/collections/all+newer", False),
        ("/de/collections/mugs?sort_by=price", False),
        ("/mugs?a=1&ls=1&ls=2", False),
    ],
)
def test_stars_and_dollars_are_understood(path: str, allowed: bool) -> None:
    assert Robots.parse(SHOPIFY).allows(path) is allowed


def test_a_named_crawler_has_rules_of_its_own() -> None:
    robots = Robots.parse(SHOPIFY)
    assert not robots.allows("/products/mug", "nutch")
    assert not robots.allows("/products/mug", "AdsBot")
    assert robots.allows("/products/mug", "Googlebot")


def test_an_empty_disallow_allows_all_and_a_file_of_nonsense_forbids_nothing() -> None:
    assert Robots.parse("User-agent: *\nDisallow:").allows("/a")
    assert Robots.parse("<html>Not found</html>\nDisallow: /\n").allows("/a")
    assert not Robots.parse("user-agent: *\r\ndisallow: /\r\n").allows("/a")


def test_a_hostile_pattern_takes_no_time() -> None:
    robots = Robots.parse("User-agent: *\nDisallow: /" + "*a" * 30 + "b$")
    assert robots.allows("/" + "a" * 2000)
