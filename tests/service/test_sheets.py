"""Lists of orders as sheets."""

from __future__ import annotations

import csv
import io
import json

from starlette.requests import Request

from app.routes.sheets import answered
from app.schemas.late_order import LateOrderList
from app.sold_sheet import LATE, columns


def asked(query: str) -> Request:
    path = "/v1/migrations/spring/late-orders"
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode()}
    return Request(scope | {"headers": [], "scheme": "http", "server": ("api", 80)})


def page(following: str | None) -> LateOrderList:
    example = LateOrderList.model_config["json_schema_extra"]["examples"][0]
    return LateOrderList.model_validate(example | {"next": following})


def test_a_sheet_has_a_row_a_line_and_says_where_it_goes_on():
    answer = answered(page("abc=="), "csv", asked("format=csv&limit=1&cursor=old"), LATE)
    assert answer.media_type == "text/csv"
    assert answer.headers["link"] == (
        '</v1/migrations/spring/late-orders?format=csv&limit=1&cursor=abc%3D%3D>; rel="next"'
    )
    head, row = csv.reader(io.StringIO(answer.body.decode()))
    assert tuple(head) == columns(LATE)
    found = dict(zip(head, row, strict=True))
    assert (found["order"], found["old_order"], found["sku"]) == ("90431", "18650", "MUG-1")
    assert "link" not in answered(page(None), "csv", asked("format=csv"), LATE).headers


def test_json_is_the_list_itself():
    answer = answered(page("abc"), "json", asked(""), LATE)
    assert json.loads(answer.body) == page("abc").model_dump(mode="json")
