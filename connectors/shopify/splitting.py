"""Cutting a list into ranges of ids of about the same size, by counting."""

from __future__ import annotations

from connectors.base import Extent, Json
from connectors.concurrency import together
from connectors.records import Stream
from connectors.shopify.api import Api
from connectors.shopify.documents import KINDS, count, ends
from connectors.shopify.parts import number
from connectors.shopify.searches import search
from connectors.shopify.wire import Nodes, WireCount, WireId

_LOOKS = 24
_NEAR = 0.02
"""How far from its place a cut may be, as a share of the whole."""


async def counted(api: Api, stream: Stream, extent: Extent, upto: int | None = None) -> int | None:
    """How many records there are, up to and with an id; None where the store does not say."""
    ranges = KINDS[stream].counts_ranges
    if upto is not None and not ranges:
        return None
    asked = {"search": search(stream, extent, upto=upto)} if ranges else {}
    found = (await api.ask(count(stream), dict[str, WireCount | None], asked))["count"]
    return found.count if found is not None and found.precision == "EXACT" else None


async def split(api: Api, stream: Stream, extent: Extent, total: int, parts: int) -> list[Json]:
    """Up to `parts` ranges; the last one is open. One empty object where it is not worth it."""
    if parts < 2:  # noqa: PLR2004
        return [{}]
    asked = {"search": search(stream, extent)}
    found = await api.ask(ends(stream), dict[str, Nodes[WireId]], asked)
    if not found["first"].nodes or not found["last"].nodes:
        return [{}]
    low, high = (int(number(found[end].nodes[0].id)) for end in ("first", "last"))
    if KINDS[stream].counts_ranges:
        wanted = [total * index // parts for index in range(1, parts)]
        slack = int(total * _NEAR)
        near = [(max(1, each - slack), each + slack) for each in wanted]
        cuts = await together([_cut(api, stream, extent, (low, high), each) for each in near])
    else:
        cuts = [low + (high - low) * index // parts for index in range(1, parts)]
    bounds = sorted({each for each in cuts if low <= each < high})
    if not bounds:
        return [{}]
    return [
        *(
            {"after": after, "upto": upto}
            for after, upto in zip([0, *bounds], bounds, strict=False)
        ),
        {"after": bounds[-1]},
    ]


async def _cut(
    api: Api, stream: Stream, extent: Extent, ends: tuple[int, int], wanted: tuple[int, int]
) -> int:
    """An id up to which about so many records lie, by halving."""
    least, most = wanted
    low, high = ends
    middle = low
    for _ in range(_LOOKS):
        if low >= high:
            break
        middle = (low + high) // 2
        found = await counted(api, stream, extent, middle)
        if found is None or least <= found <= most:
            break
        low, high = (middle + 1, high) if found < least else (low, middle)
    return middle
