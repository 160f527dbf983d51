"""What the store's history tells of deletions: an event is all that is left of a deleted record.

The history reaches back a year. It is walked by the ids of its events, as lists are by theirs.
"""

from __future__ import annotations

from datetime import datetime

from connectors.errors import SignInAgain
from connectors.records import Stream
from connectors.shopify.api import DENIED, Api
from connectors.shopify.documents import DELETIONS, KINDS
from connectors.shopify.parts import number
from connectors.shopify.searches import stamp
from connectors.shopify.walking import refuse_foreign
from connectors.shopify.wire import Nodes, Wire

_SUBJECTS = {
    Stream.CATEGORIES: "COLLECTION",
    Stream.PRODUCTS: "PRODUCT",
    Stream.CUSTOMERS: "CUSTOMER",
    Stream.ORDERS: "ORDER",
}
"""What the history calls records of a stream. Stock goes with its product."""

_DESTROYED = "destroy"


class _Event(Wire):
    id: str
    action: str
    # A comment has no subject.
    subject_id: str = ""
    subject_type: str = ""


class _Events(Wire):
    # The schema lets the list be null.
    events: Nodes[_Event] | None = None


async def deleted(api: Api, stream: Stream, since: datetime) -> frozenset[str]:
    """Ids of records that were deleted since a moment, as far as the history tells; none where the
    app may not read it. Raises `StoreError`.
    """
    if stream not in _SUBJECTS:
        return frozenset()
    try:
        return await _walked(api, stream, since)
    except SignInAgain as error:
        if error.code != DENIED:
            raise
        return frozenset()


async def _walked(api: Api, stream: Stream, since: datetime) -> frozenset[str]:
    subject = _SUBJECTS[stream]
    found: set[str] = set()
    after, more = 0, True
    while more:
        asked = (
            f"id:>{after} AND action:'{_DESTROYED}' AND subject_type:'{subject}'"
            f" AND created_at:>='{stamp(since)}'"
        )
        page = (await api.ask(DELETIONS, _Events, {"search": asked})).events or Nodes()
        more = page.page_info.has_next_page
        ids = [int(number(each.id)) for each in page.nodes]
        refuse_foreign(ids, after, None, more=more)
        after = ids[-1] if ids else after
        found |= {
            number(each.subject_id)
            for each in page.nodes
            # What somebody may show beside what was asked for is no deletion.
            if (each.action, each.subject_type) == (_DESTROYED, subject)
            and f"/{KINDS[stream].type}/" in each.subject_id
        }
    return frozenset(found)
