"""The platform guide: a page for each connector, written from what the connector says of itself.

`recent-sync guide` writes `docs/platforms/`, and `--check` compares. Nothing here knows a platform.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import entry_points

from msgspec.structs import fields as fields_of

from connectors.base import (
    Bounds,
    Connector,
    Loss,
    Permission,
    ReadCapability,
    Removal,
    Trust,
    WriteCapability,
)
from connectors.forms import Field, fields
from connectors.records import CONTENT_TYPES, Stream
from connectors.registry import GROUP

INDEX = "README.md"
_NOTE = "<!-- Written by `recent-sync guide` from the connectors: change those instead. -->"
_TRUST = {
    Trust.EXACT: "by date of change, which is exact",
    Trust.OVERLAP: "by date of change, with an overlap",
    Trust.SWEEP: "in full every time",
}
_BOUNDS = {
    Bounds.INCLUSIVE: "includes the moment it is given",
    Bounds.EXCLUSIVE: "excludes the moment it is given, so it is given an earlier one",
    Bounds.NONE: "-",
}


def own_connectors() -> list[Connector]:
    """The connectors that come with recent-sync, by name; others are documented elsewhere."""
    entries = entry_points(group=GROUP)
    found = {each.name: each.load() for each in entries if each.value.startswith("connectors.")}
    return [found[name] for name in sorted(found)]


def pages(connectors: Sequence[Connector]) -> dict[str, str]:
    """The texts of the guide by file name: one for each connector, and an index."""
    return {INDEX: index(connectors)} | {f"{each.name}.md": page(each) for each in connectors}


def index(connectors: Sequence[Connector]) -> str:
    """What there is to choose from."""
    rows = [
        (f"[{each.title}]({each.name}.md)", f"`{each.name}`", _some(each.reads), _some(each.writes))
        for each in connectors
    ]
    return _text(
        _NOTE,
        "# Platforms",
        "What each platform lets recent-sync read and write. A platform that is missing is "
        "[a connector to write](../writing-a-connector.md).",
        _table(("platform", "name", "reads", "writes"), rows),
    )


def page(connector: Connector) -> str:
    """All that one connector says."""
    return _text(
        _NOTE,
        f"# {connector.title}",
        f"In stores and on the command line: `{connector.name}`.",
        *_granting(connector),
        *_entering(connector),
        *_reading(connector.reads),
        *_writing(connector.writes),
        *_removing(connector.writes),
        *_redirecting(connector),
        *_limits(connector),
    )


def _granting(connector: Connector) -> Iterator[str]:
    yield "## What to grant"
    yield _table(
        ("permission", "for", "needed"),
        [
            (each.name, each.purpose, _when(each, reads=bool(connector.reads)))
            for each in connector.permissions
        ],
    )
    yield "Step by step:"
    yield "\n".join(f"{number}. {step}" for number, step in enumerate(connector.steps, 1))


def _when(permission: Permission, *, reads: bool) -> str:
    if permission.optional:
        return "where wanted"
    return "to write" if permission.writing and reads else "always"


def _entering(connector: Connector) -> Iterator[str]:
    yield "## What to enter"
    rows = [*_rows(fields(connector.settings)), *_rows(fields(connector.credentials))]
    yield _table(("field", "what it is", "default"), rows)


def _rows(found: Iterable[Field]) -> Iterator[tuple[str, ...]]:
    for each in found:
        kind = " (secret)" if each.secret else ""
        choices = " One of " + ", ".join(f"`{one}`" for one in each.choices) + "."
        default = "must be given" if each.required else _default(each.default)
        yield f"`{each.name}`{kind}", each.help + choices * bool(each.choices), default


def _default(value: object) -> str:
    if value in (None, ""):
        return "-"
    return f"`{value:g}`" if isinstance(value, float) else f"`{str(value).lower()}`"


# --- reading -----------------------------------------------------------------------------------


def _reading(reads: Mapping[Stream, ReadCapability]) -> Iterator[str]:
    yield "## What is read"
    if not reads:
        yield "Nothing: this platform can only be a target."
        return
    columns = ("stream", "how", "begins behind the cursor", "ends behind the store's clock")
    yield _table(
        columns,
        [(str(each), _TRUST[reads[each].trust], *_lags(reads[each])) for each in _ordered(reads)],
    )
    for stream in _ordered(reads):
        yield f"### Reading {stream}"
        yield "\n".join(_habits(reads[stream]))


def _lags(capability: ReadCapability) -> tuple[str, str]:
    if capability.trust is Trust.SWEEP:
        return "-", f"{capability.settle:g} s"
    return f"{capability.overlap:g} s", f"{capability.settle:g} s"


def _habits(capability: ReadCapability) -> Iterator[str]:
    if capability.moves:
        yield f"- Moves the date of change: {', '.join(capability.moves)}."
    blind = "" if capability.trust is Trust.SWEEP else "Blind spot: "
    yield from (f"- {blind}{each}" for each in capability.blind_spots)
    if capability.bounds is not Bounds.NONE:
        yield (
            f"- Dates count in steps of {capability.granularity:g} s. The filter by date "
            f"{_BOUNDS[capability.bounds]}."
        )
    if capability.ties:
        yield f"- {capability.ties}"
    if capability.shallow:
        yield "- Ids and dates can be listed alone: a shallow sweep reads only what differs."
    if capability.horizon:
        risk = f" {capability.horizon_risk}" if capability.horizon_risk else ""
        yield f"- A sweep can leave out closed records by their age.{risk}"


# --- writing -----------------------------------------------------------------------------------


def _writing(writes: Mapping[Stream, WriteCapability]) -> Iterator[str]:
    yield "## What is written"
    if not writes:
        yield "Nothing: this platform can only be a source."
        return
    for stream in _ordered(writes):
        yield f"### Writing {stream}"
        yield "\n".join(_kept(stream, writes[stream]))


def _kept(stream: Stream, capability: WriteCapability) -> Iterator[str]:
    """Exactly, approximately, not at all."""
    lost = {each.field for each in capability.losses}
    reckoned = sorted(capability.derived - lost)
    names = [each.name for each in fields_of(CONTENT_TYPES[stream])]
    exact = [each for each in names if each not in lost and each not in reckoned]
    yield f"- Exactly: {_codes(exact)}."
    if reckoned:
        yield f"- Reckoned or dated by the platform from what it is given: {_codes(reckoned)}."
    yield from _losses("Approximately", [each for each in capability.losses if not each.whole])
    yield from _losses("Not at all", [each for each in capability.losses if each.whole])
    yield (
        "- What people change on the target stays."
        if capability.merges
        else "- A mirror of the source: what people change on the target does not stay."
    )
    yield from (f"- {each}" for each in capability.notes)


def _losses(how: str, losses: Sequence[Loss]) -> Iterator[str]:
    for each in losses:
        kept = " With the add-on: exactly." if each.addon else ""
        yield f"- {how}: `{each.field}`. {each.reason}{kept}"


def _removing(writes: Mapping[Stream, WriteCapability]) -> Iterator[str]:
    if not writes:
        return
    yield "## What can be taken away"
    yield _table(
        ("stream", "archive", "delete"),
        [
            (str(each), *(_way(writes[each], action) for action in ("archive", "delete")))
            for each in _ordered(writes)
        ],
    )
    unkeyed = [
        each for each in _ordered(writes) if writes[each].removals and not writes[each].keyed
    ]
    if unkeyed:
        yield (
            f"Records of {_some(unkeyed)} do not show whose they are: taking one away, nobody can "
            "tell whether it was there before."
        )


def _way(capability: WriteCapability, action: str) -> str:
    found: Removal | None = next(
        (each for each in capability.removals if each.action == action), None
    )
    if found is None:
        return "no, only reported"
    return "yes, and back" if found.undo else "yes"


def _redirecting(connector: Connector) -> Iterator[str]:
    if connector.target is None:
        return
    yield "## Redirects of old paths"
    yield (
        connector.redirects or "None are taken: let the web server redirect, by a file of the map."
    )
    yield "[How the map is made](../urls.md)."


def _limits(connector: Connector) -> Iterator[str]:
    yield "## Limits"
    rows = []
    for stream in Stream:
        reads, writes = connector.reads.get(stream), connector.writes.get(stream)
        if reads or writes:
            rows.append(
                (
                    str(stream),
                    str(reads.page_size) if reads else "-",
                    str(writes.batch) if writes else "-",
                    str(writes.find_batch) if writes else "-",
                    _creates(writes) if writes else "-",
                )
            )
    columns = ("stream", "read at once", "written at once", "looked up at once", "creating")
    yield _table(columns, rows)


def _creates(capability: WriteCapability) -> str:
    if capability.idempotent:
        return "may be repeated: our key is the record's"
    how = "one at a time" if capability.serial_creates else "side by side"
    return f"{how}, looked up first; settles for {capability.write_settle:g} s"


# --- Markdown ----------------------------------------------------------------------------------


def _ordered(streams: Iterable[Stream]) -> list[Stream]:
    there = set(streams)
    return [each for each in Stream if each in there]


def _some(streams: Iterable[Stream]) -> str:
    return ", ".join(_ordered(streams)) or "nothing"


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{each}`" for each in names) or "nothing"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, each))} |" for each in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _text(*blocks: str) -> str:
    return "\n\n".join(blocks) + "\n"
