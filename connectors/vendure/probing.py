"""Does the store do what windows rely on? Two requests whose right answer is known beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from msgspec import Raw

from connectors.base import Finding
from connectors.probing import judged
from connectors.records import Stream
from connectors.vendure.api import Api, decoder
from connectors.vendure.documents import KINDS, marks
from connectors.vendure.parts import place, utc
from connectors.vendure.searches import MOMENT, changed
from connectors.vendure.walking import Question, Walker
from connectors.vendure.wire import WireMark

_NEWEST = 5
_PAGE = 500


async def probe(api: Api, walker: Walker, stream: Stream) -> tuple[Finding, ...]:
    """Look at one stream that is read by date of change. Raises `StoreError`."""
    everything = Question(marks(stream), KINDS[stream].list)
    latest = _decoded((await walker.page(everything, sort={"updatedAt": "DESC"}, take=_NEWEST))[0])
    stamps = [stamp for row in latest if (stamp := utc(row.updated_at))]
    if not stamps:
        return ()
    since = min(stamps)
    rows, total = await walker.page(
        everything, filter=changed(since), sort={"id": "ASC"}, take=_PAGE
    )
    shown = _decoded(rows)
    now = api.http.server_date
    places = {row.id: index for index, row in enumerate(_in_order([*latest, *shown]))}
    ids = [places[row.id] for row in shown]
    return judged(
        {places[row.id] for row in latest},
        ids,
        [stamp for row in shown if (stamp := utc(row.updated_at))],
        whole=set(ids) if total <= _PAGE else None,
        since=since - MOMENT,
        now=now and now + timedelta(seconds=1),
    )


def _decoded(rows: Sequence[Raw]) -> list[WireMark]:
    return [decoder(WireMark).decode(each) for each in rows]


def _in_order(rows: Sequence[WireMark]) -> list[WireMark]:
    """Each record once, by its id: what stands for its place may be a UUID."""
    return [row for _, row in sorted({place(row.id): row for row in rows}.items())]
