"""Bulk operations: a query that runs in the background and ends as a file of JSON lines.

An operation gets on whenever somebody looks at it and whenever the app has time. It reads record
by record, so that what changes meanwhile is seen as it is when its turn comes.
"""

import json
from typing import Any

from graphql import OperationType, get_operation_ast, parse

from tests.shopify_store.bulk_query import Lines, Plan, plan
from tests.shopify_store.connections import by_id, page
from tests.shopify_store.documents import run
from tests.shopify_store.failures import Refusal, mutation
from tests.shopify_store.fields import Ask, Doc, resolves
from tests.shopify_store.store import Store

WEEK = 7 * 86_400.0
_OPEN = ("CREATED", "RUNNING", "CANCELING")
_AT_A_LOOK = 500


# --- the API ------------------------------------------------------------------------------------


@mutation("bulkOperationRunQuery", "bulkOperation")
def _run_query(ask: Ask, arguments: Doc) -> Doc:
    text = arguments["query"]
    taken_apart = plan(ask, text)
    going = [each for each in ask.store.all("BulkOperation") if each["status"] in _OPEN]
    if len(going) >= ask.store.config.bulk_at_once:
        words = (
            "A bulk query operation for this app and shop is already in progress: "
            f"{going[0]['id']}."
        )
        code = "OPERATION_IN_PROGRESS" if ask.store.config.bulk_at_once == 1 else "LIMIT_REACHED"
        raise Refusal(words, code=code)
    operation = ask.store.add(
        "BulkOperation",
        status="CREATED",
        type="QUERY",
        query=text,
        errorCode=None,
        completedAt=None,
        _lines=[],
        _roots=None,
        _done=0,
        _plan=taken_apart,
        _scopes=ask.scopes,
        _contract=ask.contract,
        _grouped=bool(arguments.get("groupObjects")),
        _began=ask.store.clock.true_now(),
    )
    return {"bulkOperation": operation}


@mutation("bulkOperationCancel", "bulkOperation")
def _cancel(ask: Ask, arguments: Doc) -> Doc:
    operation = ask.store.get("BulkOperation", arguments["id"])
    if operation is None:
        raise Refusal("Bulk operation does not exist", "id")
    if operation["status"] not in _OPEN:
        status = operation["status"].lower()
        raise Refusal(f"A bulk operation cannot be canceled when it is {status}", "id")
    operation["status"] = "CANCELING"
    return {"bulkOperation": operation}


@resolves("QueryRoot", "bulkOperation")
def _one(ask: Ask, _: Any, arguments: Doc) -> Doc | None:
    return ask.store.get("BulkOperation", arguments["id"])


@resolves("QueryRoot", "currentBulkOperation")
def _current(ask: Ask, _: Any, arguments: Doc) -> Doc | None:
    held = ask.store.all("BulkOperation")
    return held[-1] if held and arguments.get("type", "QUERY") == "QUERY" else None


@resolves("QueryRoot", "bulkOperations")
def _many(ask: Ask, _: Any, arguments: Doc) -> Doc:
    """Newest first, as documented; searched by status alone."""
    held = ask.store.all("BulkOperation")
    for each in held:
        advance(ask.store, each, _AT_A_LOOK)
    text = (arguments.get("query") or "").lower()
    for term in text.split():
        name, _, value = term.partition(":")
        if name == "status":
            held = [each for each in held if each["status"].lower() in value.split(",")]
    return page(ask, held, {**arguments, "reverse": not arguments.get("reverse")}, by_id)


@resolves("BulkOperation", "status")
def _status(ask: Ask, operation: Doc, _: Doc) -> str:
    assert ask.info is not None
    if ask.info.operation.operation is OperationType.QUERY:  # what starts it does not run it
        advance(ask.store, operation, _AT_A_LOOK)
    return str(operation["status"])


@resolves("BulkOperation", "objectCount")
def _objects(_: Ask, operation: Doc, __: Doc) -> str:
    return str(len(operation["_lines"]))


@resolves("BulkOperation", "rootObjectCount")
def _root_objects(_: Ask, operation: Doc, __: Doc) -> str:
    return str(operation["_done"])


@resolves("BulkOperation", "fileSize")
def _size(_: Ask, operation: Doc, __: Doc) -> str | None:
    return str(len(file_of(operation))) if operation["status"] == "COMPLETED" else None


@resolves("BulkOperation", "url")
def _url(ask: Ask, operation: Doc, _: Doc) -> str | None:
    """Where the file is; nowhere if there is nothing in it."""
    whole = operation["status"] == "COMPLETED" and operation["_lines"]
    return _address(ask, operation) if whole else None


@resolves("BulkOperation", "partialDataUrl")
def _partial(ask: Ask, operation: Doc, _: Doc) -> str | None:
    part = operation["status"] in ("FAILED", "CANCELED") and operation["_lines"]
    return _address(ask, operation) if part else None


def _address(ask: Ask, operation: Doc) -> str:
    return f"{ask.base_url}/_files/{operation['_n']}.jsonl?signature=practice"


# --- getting on ---------------------------------------------------------------------------------


def advance(store: Store, operation: Doc, most: int) -> None:
    """Read some more records, as many as the operation's pace allows by now."""
    status = operation["status"]
    if status == "COMPLETED" and store.clock.stamp(-WEEK) > operation["completedAt"]:
        operation.update(status="EXPIRED", _lines=[])
    if status == "CANCELING":
        operation.update(status="CANCELED", completedAt=store.clock.stamp())
    if status not in ("CREATED", "RUNNING"):
        return
    operation["status"] = "RUNNING"
    ask = Ask(store, operation["_contract"], operation["_scopes"], bulk=True)
    if operation["_roots"] is None:
        operation["_roots"] = _roots(ask, operation)
    pace = store.config.bulk_rows_a_second
    allowed = len(operation["_roots"])
    if pace is not None:
        allowed = min(allowed, int((store.clock.true_now() - operation["_began"]) * pace))
    fails = store.bulk_fails_after
    end = min(allowed, operation["_done"] + most)
    if fails is not None:
        end = min(end, fails)
    _read(ask, operation, end)
    if fails is not None and operation["_done"] >= fails:
        operation["errorCode"] = store.bulk_error
        # The last record's children are in the part of the file that was not written any more.
        operation.update(status="FAILED", completedAt=store.clock.stamp())
        operation["_lines"] = operation["_lines"][:-1]
        store.bulk_fails_after = None
    elif operation["errorCode"]:
        operation.update(status="FAILED", completedAt=store.clock.stamp())
    elif operation["_done"] == len(operation["_roots"]):
        operation.update(status="COMPLETED", completedAt=store.clock.stamp())


def file_of(operation: Doc) -> bytes:
    """The file as it is so far."""
    return b"".join(line + b"\n" for line in operation["_lines"])


def going(store: Store) -> list[Doc]:
    """Operations that are not at their end."""
    return [each for each in store.tables["BulkOperation"].values() if each["status"] in _OPEN]


def _roots(ask: Ask, operation: Doc) -> list[str]:
    document = parse(operation["_plan"].roots)
    found = get_operation_ast(document)
    assert found is not None
    result = run(ask, document, found, {})
    if result.errors:
        operation["errorCode"] = _code(result.errors)
        return []
    [connection] = (result.data or {}).values()
    return [each["id"] for each in connection["nodes"]]


def _read(ask: Ask, operation: Doc, end: int) -> None:
    wanted: Plan = operation["_plan"]
    ids = operation["_roots"][operation["_done"] : end]
    if not ids:
        return
    result = run(ask, wanted.each, wanted.operation, {"ids": ids})
    if result.errors:
        operation["errorCode"] = _code(result.errors)
        return
    found = [each for each in (result.data or {})["nodes"] if each is not None]
    whole = Lines(ask.contract.schema, None)
    cut = Lines(ask.contract.schema, ask.store.bulk_truncates_at)
    only = ask.store.bulk_truncates_of
    groups = [
        list((cut if only in (None, each["id"]) else whole).of(wanted, each)) for each in found
    ]
    if not operation["_grouped"]:
        # Only the order of parents is kept: children follow somewhere behind them.
        groups = [
            [group[0] for group in groups],
            [each for group in groups[::-1] for each in group[1:]],
        ]
    operation["_lines"] += [_encoded(line) for group in groups for line in group]
    operation["_done"] = end


def _code(errors: list[Any]) -> str:
    codes = [(each.extensions or {}).get("code") for each in errors]
    return "ACCESS_DENIED" if "ACCESS_DENIED" in codes else "INTERNAL_SERVER_ERROR"


def _encoded(line: Doc) -> bytes:
    return json.dumps(line, separators=(",", ":")).encode()
