"""Batch writes: many items in one request, each with its own fate, in an answer that says 200."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from sandbox.listing import MAX_PAGE
from sandbox.wire import Answer, ApiError, Doc, encode


class Writer(Protocol):
    """How one kind of record is written by a batch; every method gives the JSON to answer."""

    async def create(self, payload: Doc, *, checked: bool) -> bytes: ...

    async def update(self, record_id: int, payload: Doc, *, checked: bool) -> bytes: ...

    async def delete(self, record_id: int, *, force: bool) -> bytes: ...


async def run(writer: Writer, payload: Doc) -> Answer:
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
            done[name] = [await _guarded(one, writer, item) for item in parts[name]]
    sections = (encode(name) + b":[" + b",".join(items) + b"]" for name, items in done.items())
    return Answer(200, b"{" + b",".join(sections) + b"}")


One = Callable[[Writer, Any], Awaitable[bytes]]


async def _guarded(one: One, writer: Writer, item: Any) -> bytes:
    try:
        return await one(writer, item)
    except ApiError as error:
        found = item.get("id", 0) if isinstance(item, dict) else item
        return encode({"id": found or 0, "error": error.body()})


async def _create(writer: Writer, item: Any) -> bytes:
    return await writer.create(_object(item), checked=False)


async def _update(writer: Writer, item: Any) -> bytes:
    payload = _object(item)
    return await writer.update(int(payload.get("id") or 0), payload, checked=False)


async def _delete(writer: Writer, item: Any) -> bytes:
    return await writer.delete(int(item), force=True)


def _object(item: Any) -> Doc:
    if not isinstance(item, dict):
        raise ApiError(400, "rest_invalid_param", "Invalid parameter(s).")
    return item
