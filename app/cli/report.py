"""`recent-sync report JOB`: what a demo found out about the mapping."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.client import Api, Json
from app.cli.display import AsJson, note, print_fields, print_json, print_line, print_table
from app.cli.files import require_writable, write_file
from app.cli.jobs import JobId
from app.cli.jobs import path as job_path


def report(
    job: JobId,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write it as a page to this file.", metavar="FILE")
    ] = None,
    *,
    json: AsJson = False,
) -> None:
    """Show what the mapping made of the sample of a `demo` job."""
    if html is not None:
        require_writable(html)
    with Api.from_environment() as api:
        found = api.get(f"{job_path(job)}/report")
    if html is not None:
        _write(html, found)
        note(f"Wrote {html}.")
    if json:
        print_json(found)
    elif html is None:
        _show(found)


def _write(file: Path, found: Json) -> None:
    from app.schemas.mapping_report import MappingReportOut  # noqa: PLC0415  slow to import
    from app.web.pages import page  # noqa: PLC0415  slow to import

    text = page("mapping_report", report=MappingReportOut.model_validate(found))
    write_file(file, text)


def _show(found: Json) -> None:
    print_fields(
        {
            "migration": found["migration"],
            "stores": f"{found['source']} to {found['target']}",
            "status": found["status"],
            "rules": found["mapping_version"] or "none",
            "dry run": "yes" if found["dry_run"] else "no",
        }
    )
    for stream in found["streams"]:
        _show_stream(stream, "would be " if found["dry_run"] else "")


def _show_stream(stream: Json, verb: str) -> None:
    print_line("")
    print_line(
        f"{stream['stream']}: {stream['chosen']} chosen from {stream['looked_at']}, "
        f"{stream['brought']} with them; "
        + ", ".join(f"{count} {verb}{word}" for word, count in stream["outcomes"].items())
    )
    columns = ("field", "kept", "changed", "dropped", "defaulted", "lossy")
    touched = [
        each
        for each in stream["fields"]
        if any(each[name] for name in ("changed", "dropped", "defaulted", "lossy"))
    ]
    if touched:
        print_table(columns, [[each[name] for name in columns] for each in touched])
    for each in stream["losses"]:
        dry = each["lost"] is None
        if count := each["records"] if dry else each["lost"]:
            words = "may not be kept exactly" if dry else "not kept exactly"
            print_line(f"{words}: {each['field']} ({count}): {each['reason']}")
    unmapped = [each for each in stream["custom_fields"] if each["unmapped"]]
    if unmapped:
        rows = [[each["path"], each["records"], each["unmapped"]] for each in unmapped]
        print_table(("custom field", "records", "unmapped"), rows)
    for each in stream["rules"]:
        print_line(f"rule {each['number']}: {each['records']} records")
    for each in stream["refusals"]:
        print_line(f"refused: {each['source_id']}: {each['message']} [{each['code']}]")
