"""Batch writes: many items in one request, each with its own fate, in an answer that says 200."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from sandbox.listing import MAX_PAGE
from sandbox.resources import Resource
from sandbox.wire import Answer, ApiError, Doc, encode

_One = Callable[[Resource, Any], Awaitable[bytes]]


async def run(resource: Resource, payload: Doc) -> Answer:
    """Create, update and delete; more than 100 items together give 413.

    Items are not checked against the schema. One that fails is answered in its place as
    `{"id", "error"}`; the others are done.
    """
    parts: dict[str, list[Any]] = {
        name: list(payload.get(name) or []) for name in ("create", "update", "delete")
    }
    if sum(len(items) for items in parts.values()) > MAX_PAGE:
        raise ApiError(
            413,
            "woocommerce_rest_request_entity_too_large",
            f"Unable to accept more than {MAX_PAGE} items for this request.",
        )
    done: dict[str, list[bytes]] = {}
    for name, one in (("create", _create), ("update", _update), ("delete", _delete)):
        if parts[name]:
            done[name] = [await _guarded(one, resource, item) for item in parts[name]]
    if not done:
        # PHP makes a list of an answer that holds nothing.
        return Answer(200, b"[]")
    sections = (encode(name) + b":[" + b",".join(items) + b"]" for name, items in done.items())
    return Answer(200, b"{" + b",".join(sections) + b"}")


async def _guarded(one: _One, resource: Resource, item: Any) -> bytes:
    # Items are not one transaction: other requests come in between, and what is done stays done.
    await asyncio.sleep(0)
    try:
        return await one(resource, item)
    except ApiError as error:
        found = item.get("id", 0) if isinstance(item, dict) else item
        return encode({"id": found or 0, "error": error.body()})


async def _create(resource: Resource, item: Any) -> bytes:
    return await resource.create(_object(item), checked=False)


async def _update(resource: Resource, item: Any) -> bytes:
    payload = _object(item)
    return resource.update(_number(payload.get("id")), payload, checked=False)


async def _delete(resource: Resource, item: Any) -> bytes:
    return resource.delete(_number(item), force=True)


def _number(value: Any) -> int:
    """An id as PHP reads it: what is no number is 0."""
    return int(value) if isinstance(value, int) or str(value).isdigit() else 0


def _object(item: Any) -> Doc:
    if not isinstance(item, dict):
        raise ApiError(400, "rest_invalid_param", "Invalid parameter(s).")
    return item
