"""Global ids: `gid://shopify/Product/12`."""

import re

from graphql import GraphQLError

_GID = re.compile(r"gid://shopify/(\w+)/(\d+)(?:\?.*)?")


def gid(kind: str, number: int) -> str:
    """The id of a record."""
    return f"gid://shopify/{kind}/{number}"


def parse(text: str) -> tuple[str, int]:
    """(kind, number) of an id; an error as Shopify words it where it is none."""
    match = _GID.fullmatch(text)
    if match is None:
        raise GraphQLError(f"Invalid global id '{text}'")
    return match[1], int(match[2])


def number(text: str | None, kind: str) -> int:
    """The number of an id of this kind, 0 (which nothing has) of an id of another."""
    if text is None:
        return 0
    found, value = parse(text)
    return value if found == kind else 0
