"""The form of a store: what a person has to enter for a platform, from the connector's models.

`schema` is JSON schema as a program draws a form from it: every property stands for itself,
without references and alternatives, and says its place. Where one of several ways is enough,
`oneOf` says what each of them is called and which fields it needs. `fields` is the same for our own
pages.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from pydantic import BaseModel

Json = dict[str, Any]

ORDER = "x-order"
"""The member of a property that says its place in the form, from 0."""

ADVANCED: Json = {"x-advanced": True}
"""`json_schema_extra` of a field that hardly anybody changes: a form may fold it away."""

MULTILINE: Json = {"x-multiline": True}
"""`json_schema_extra` of a text of several lines."""

VISIBLE: Json = {"x-visible": True}
"""`json_schema_extra` of a credential that may be seen while it is typed in, as a user's name."""

_KINDS = {"string": "text", "integer": "integer", "number": "number", "boolean": "switch"}


class Field(Struct, frozen=True, kw_only=True):
    """One field. `kind` is `text`, `lines`, `integer`, `number`, `switch` or `choice`."""

    name: str
    title: str
    help: str
    kind: str
    required: bool
    secret: bool
    choices: tuple[str, ...] = ()
    default: Any = None
    placeholder: str = ""
    advanced: bool = False


def schema(model: type[BaseModel]) -> Json:
    """A model's JSON schema, flat. A property that may be null may be left out instead."""
    found = model.model_json_schema()
    known = found.pop("$defs", {})
    properties = found.get("properties", {})
    found["properties"] = {
        name: _flat(each, known) | {ORDER: place}
        for place, (name, each) in enumerate(properties.items())
    }
    return found


def fields(model: type[BaseModel]) -> list[Field]:
    """A model's fields in order. Raises `TypeError` for one that no form has a field for."""
    found = schema(model)
    required = found.get("required", ())
    return [
        _field(name, each, required=name in required) for name, each in found["properties"].items()
    ]


def _flat(each: Json, known: Json) -> Json:
    flat = dict(each)
    if reference := flat.pop("$ref", ""):
        flat = _flat(known[reference.rsplit("/", 1)[-1]], known) | flat
    choices = [choice for choice in flat.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        del flat["anyOf"]
        flat = _flat(choices[0], known) | flat
    if flat.get("default", "") is None or flat.get("writeOnly"):
        # What is left out is not there; and no secret has a value that everybody knows.
        flat.pop("default", None)
    return flat


def _field(name: str, each: Json, *, required: bool) -> Field:
    kind = "choice" if "enum" in each else _KINDS.get(each.get("type", ""))
    kind = "lines" if kind == "text" and each.get("x-multiline") else kind
    if kind is None:
        raise TypeError(f"{name}: no form has a field for this type")
    examples = each.get("examples") or [""]
    return Field(
        name=name,
        title=each.get("title", ""),
        help=each.get("description", ""),
        kind=kind,
        required=required,
        secret=bool(each.get("writeOnly")),
        choices=tuple(map(str, each.get("enum", ()))),
        default=each.get("default"),
        placeholder=str(examples[0]),
        advanced=bool(each.get("x-advanced")),
    )
