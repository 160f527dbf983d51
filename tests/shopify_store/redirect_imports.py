"""Files that are put into the store, and imports of redirects that are made of them.

An import runs in the background, row by row, and overwrites what it finds at a path.
"""

import csv
import io
from email import message_from_bytes
from typing import Any

from graphql import OperationType

from tests.shopify_store.failures import Refusal, mutation
from tests.shopify_store.fields import Ask, Doc, resolves
from tests.shopify_store.redirect_writes import keep, redirect_path
from tests.shopify_store.store import Store

_SHOWN = 3
_POLICY = "practice-policy"


# --- files --------------------------------------------------------------------------------------


@mutation("stagedUploadsCreate", "stagedTargets")
def _stage(ask: Ask, arguments: Doc) -> Doc:
    made = []
    for each in arguments["input"]:
        if each["resource"] != "URL_REDIRECT_IMPORT" or each.get("httpMethod") != "POST":
            raise Refusal("The practice store takes files of redirects by POST alone.", "input")
        file = ask.store.add("StagedFile", _content=None, _name=each["filename"])
        address = f"{ask.base_url}/_uploads/{file['_n']}"
        fields = {"key": f"tmp/{file['_n']}/{each['filename']}", "policy": _POLICY}
        made.append(
            {
                "url": address,
                "resourceUrl": f"{address}/{each['filename']}",
                "parameters": [{"name": name, "value": fields[name]} for name in fields],
            }
        )
    return {"stagedTargets": made}


def put(store: Store, number: str, content_type: str, body: bytes) -> int:
    """Take a form with a file as its last field; the status of the answer."""
    file = store.tables["StagedFile"].get(int(number) if number.isdigit() else 0)
    form = message_from_bytes(b"Content-Type: %b\r\n\r\n%b" % (content_type.encode(), body))
    parts = form.get_payload()
    if file is None or not isinstance(parts, list):
        return 404
    names = [part.get_param("name", header="content-disposition") for part in parts]
    fields = {name: part.get_payload(decode=True) for name, part in zip(names, parts, strict=True)}
    if fields.get("policy") != _POLICY.encode() or names[-1] != "file":
        return 403
    file["_content"] = fields["file"]
    return 201


# --- imports ------------------------------------------------------------------------------------


@mutation("urlRedirectImportCreate", "urlRedirectImport")
def _create(ask: Ask, arguments: Doc) -> Doc:
    number = arguments["url"].removeprefix(f"{ask.base_url}/_uploads/").partition("/")[0]
    file = ask.store.tables["StagedFile"].get(int(number) if number.isdigit() else 0)
    if file is None or file["_content"] is None:
        raise Refusal("File does not exist", "url", code="FILE_DOES_NOT_EXIST")
    head, *rows = csv.reader(io.StringIO(file["_content"].decode()))
    assert head == ["Redirect from", "Redirect to"]
    made = ask.store.add(
        "UrlRedirectImport",
        finished=False,
        finishedAt=None,
        count=None,
        createdCount=None,
        updatedCount=None,
        failedCount=None,
        _rows=rows,
        _began=None,
        _done=0,
        _counts={"createdCount": 0, "updatedCount": 0, "failedCount": 0},
    )
    return {"urlRedirectImport": made}


@mutation("urlRedirectImportSubmit", "job")
def _submit(ask: Ask, arguments: Doc) -> Doc:
    found = ask.store.get("UrlRedirectImport", arguments["id"])
    if found is None:
        raise Refusal("Import not found", "id", code="NOT_FOUND")
    if found["finished"]:
        raise Refusal("The import has already completed", "id", code="ALREADY_IMPORTED")
    if found["_began"] is not None:
        raise Refusal("The import is already in progress", "id", code="IN_PROGRESS")
    found["_began"] = ask.store.clock.true_now()
    return {"job": {"id": f"gid://shopify/Job/{found['_n']}", "done": False}}


@resolves("QueryRoot", "urlRedirectImport")
def _one(ask: Ask, _: Any, arguments: Doc) -> Doc | None:
    found = ask.store.get("UrlRedirectImport", arguments["id"])
    if found is not None:
        advance(ask.store, found)
    return found


@resolves("UrlRedirectImport", "previewRedirects")
def _preview(ask: Ask, found: Doc, _: Doc) -> list[Doc]:
    """The first rows, once the file was looked at: not in the answer that makes the import."""
    assert ask.info is not None
    if ask.info.operation.operation is not OperationType.QUERY:
        return []
    rows = found["_rows"][:_SHOWN]
    if ask.store.import_swaps:
        return [{"path": target, "target": path} for path, target in rows]
    return [{"path": path, "target": target} for path, target in rows]


def advance(store: Store, found: Doc) -> None:
    """Import some more rows, as many as the pace allows by now; None is all at the first look."""
    found["count"] = len(found["_rows"])
    if found["_began"] is None or found["finished"]:
        return
    pace, end = store.config.import_rows_a_second, len(found["_rows"])
    if pace is not None:
        end = min(end, int((store.clock.true_now() - found["_began"]) * pace))
    for path, target in found["_rows"][found["_done"] : end]:
        found["_counts"][_import(store, path, target)] += 1
    found["_done"] = end
    if end == len(found["_rows"]):
        found.update(finished=True, finishedAt=store.clock.stamp(), **found["_counts"])


def _import(store: Store, path: str, target: str) -> str:
    there = store.named("UrlRedirect", "path", redirect_path(path))
    if there is not None:
        there["target"] = target
        return "updatedCount"
    try:
        keep(store, path, target)
    except Refusal:
        return "failedCount"
    return "createdCount"
