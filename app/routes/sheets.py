"""Lists of orders that are answered as JSON, or as a sheet with a row for each line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse

from app.schemas.paging import Page
from app.sold_sheet import csv_text

AsSheet = Annotated[Literal["json", "csv"], Query(alias="format")]
Since = Annotated[
    str,
    Query(
        min_length=1,
        max_length=40,
        pattern=r"^[^\x00]*$",
        description="`cutover`: the latest one; `launch`, or a moment.",
    ),
]
DESCRIBED: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}}
}
"""The part of a route's description that says so."""


def answered(
    page: Page[Any], form: Literal["json", "csv"], request: Request, first: Mapping[str, str]
) -> Response:
    """A part of a list; of a sheet the header `Link` says where it goes on. `first` are the sheet's
    first columns.
    """
    shown = page.model_dump(mode="json")
    if form == "json":
        return JSONResponse(shown)
    headers = {}
    if page.next is not None:
        url = request.url.include_query_params(cursor=page.next)
        headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
    return Response(csv_text(shown["items"], first), media_type="text/csv", headers=headers)
