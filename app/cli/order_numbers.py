"""`recent-sync order-numbers`: whether order numbers of both stores meet, and what to do."""

from __future__ import annotations

from typing import Any

from app.cli.client import Api, Json
from app.cli.display import AsJson, print_fields, print_json, print_line, print_table
from app.cli.migrations import MigrationOption, path

_COLUMNS = ("store", "last", "next", "step", "numbers an order", "gaps", "counted", "other forms")


def order_numbers(migration: MigrationOption, *, json: AsJson = False) -> None:
    """Show how both stores number orders, where numbers meet, and what keeps them apart."""
    with Api.from_environment() as api:
        found = api.get(f"{path(migration)}/order-numbers")
    if json:
        print_json(found)
        return
    print_table(_COLUMNS, [_counting(side, found[side]) for side in ("source", "target")])
    print_fields(
        {
            "old numbers are kept": "no order to tell by yet"
            if found["kept"] is None
            else found["kept"],
            "orders a day": found["per_day"],
            "expected until launch, at most": found["expected"],
            **_headroom(found["headroom"]),
        }
    )
    if found["collisions"]:
        print_table(
            ("collision", "number", "source", "target"),
            [
                [each["kind"], each["number"], each["source_id"], ", ".join(each["target_ids"])]
                for each in found["collisions"]
            ],
        )
    for each in found["proposals"]:
        print_line(each["says"])
    print_line(found["advice"])


def _counting(side: str, found: Json | None) -> list[Any]:
    if found is None:
        return [side, "no sequence", *[None] * (len(_COLUMNS) - 2)]
    names = ("last", "following", "step", "advance", "gaps", "counted", "strays")
    return [side, *(found[name] for name in names)]


def _headroom(found: Json | None) -> Json:
    if found is None:
        return {}
    return {
        "target's own next number": found["own"],
        "source expected at": found["at_launch"],
        "free between them": found["free"],
        "they meet": found["until"],
    }
