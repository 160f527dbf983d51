"""Server-sent events, as far as the service uses them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from app.cli.client import Api


def read_events(api: Api, path: str) -> Iterator[dict[str, Any]]:
    """Events as `{"id", "type", "data"}`, until the service ends the stream."""
    with api.stream(path) as lines:
        yield from parse_events(lines)


def parse_events(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Events out of the lines of a stream; comments, which keep it alive, are skipped."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            fields[name] = f"{fields[name]}\n{value}" if name in fields else value
        else:
            if "data" in fields:
                yield {
                    "id": fields.get("id"),
                    "type": fields.get("event", "message"),
                    "data": json.loads(fields["data"]),
                }
            fields = {}
