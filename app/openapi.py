"""The API's description, OpenAPI 3.1, as the file `openapi.yaml` keeps it.

FastAPI describes what a route says of itself; what all routes have in common is added here:
problems of keys, bodies and servers, headers, and an example for every body.

    python -m app.openapi            write openapi.yaml
    python -m app.openapi --check    say whether it is up to date
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fastapi.routing import APIRoute

from app import errors
from app.errors import Problem
from app.problems import MEDIA_TYPE, document
from app.routes.answers import describe as lines
from app.schemas.problem import ProblemOut
from app.schemas.values import Input, Output

FILE = Path("openapi.yaml")
Json = dict[str, Any]
_METHODS = ("get", "put", "post", "patch", "delete")
_CODE = re.compile(r"^- `(\w+)`:", re.MULTILINE)
_KEY = (errors.Unauthorized, errors.KeyExpired)
_SCOPE = (errors.MissingScope,)
_BODY = (errors.InvalidJson, errors.InvalidEncoding)
_SIZE = (errors.BodyTooLarge,)
_TYPE = (errors.UnsupportedMediaType,)
_CRASH = (errors.InternalError,)
_AWAY = (errors.DatabaseUnavailable,)
_SHARED: tuple[Sequence[type[Problem]], ...] = (
    _KEY,
    _SCOPE,
    _BODY,
    _SIZE,
    _TYPE,
    _CRASH,
    _AWAY,
)
_TEXT = {"type": "string"}
_HEADERS: Json = {
    "Location": {"description": "Where to find what was made.", "schema": _TEXT},
    "Retry-After": {"description": "Seconds until asking again.", "schema": {"type": "integer"}},
    "Idempotency-Replayed": {
        "description": "`true` where this is the answer to an earlier request.",
        "schema": _TEXT,
    },
    "Preference-Applied": {"description": "`wait=N` where it was preferred.", "schema": _TEXT},
    "ETag": {"description": "Changes when something happens to the job.", "schema": _TEXT},
}


_WELL = {"200": "As asked.", "201": "Made.", "202": "Taken on.", "204": "Done."}


def operation_id(route: APIRoute) -> str:
    """`stores_create`, for the programs that are generated from the description."""
    tag = str(route.tags[0]).lower().replace(" ", "_")
    return f"{tag}_{route.name}"


def describe(api: Json) -> Json:
    """Complete FastAPI's description."""
    components = api["components"]
    components["schemas"] = _schemas(components["schemas"])
    components["examples"] = _model_examples(components["schemas"]) | _problem_examples()
    components["responses"] = {str(common[0].status): _response(common) for common in _SHARED}
    for path, item in api["paths"].items():
        for method in _METHODS:
            if method in item:
                _complete(item[method], components, process_only=path == "/healthz")
    return api


def _complete(operation: Json, components: Json, *, process_only: bool) -> None:
    responses = operation["responses"]
    if "HTTPValidationError" in str(responses.get("422", "")):
        del responses["422"]
    for parameter in operation.get("parameters", []):
        parameter["schema"] = _never_null(parameter["schema"])
    _name_headers(operation)
    for content in _contents(operation):
        _add_example(content, components)
    for problems in [] if process_only else _common(operation):
        _add_problems(responses, problems)
    for response in responses.values():
        if content := response.get("content", {}).get(MEDIA_TYPE):
            codes = _CODE.findall(response["description"])
            content["examples"] = {code: _example_of(code) for code in codes}
    operation["responses"] = dict(sorted(responses.items()))


def _common(operation: Json) -> Iterator[Sequence[type[Problem]]]:
    """What any operation of this shape may answer."""
    names = {each["name"] for each in operation.get("parameters", [])}
    if operation.get("security"):
        yield _KEY
        yield _SCOPE
    if "requestBody" in operation:
        yield _BODY
        yield _SIZE
        yield _TYPE
    if "requestBody" in operation or names:
        yield (errors.InvalidRequest,)
    if "Idempotency-Key" in names:
        yield errors.StillInFlight, errors.AnswerLost
        yield (errors.IdempotencyKeyReused,)
    yield _CRASH
    yield _AWAY


def _add_problems(responses: Json, problems: Sequence[type[Problem]]) -> None:
    status = str(problems[0].status)
    known = responses.get(status)
    if known is not None:
        known["description"] += f"\n{lines(list(problems))}"
    elif problems in _SHARED:
        responses[status] = {"$ref": f"#/components/responses/{status}"}
    else:
        responses[status] = _response(problems)


def _response(problems: Sequence[type[Problem]]) -> Json:
    examples = {each.code: _example_of(each.code) for each in problems}
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": lines(list(problems)),
        "content": {MEDIA_TYPE: {"schema": schema, "examples": examples}},
    }


def _schemas(found: Json) -> Json:
    kept = {name: found[name] for name in found if not name.endswith("ValidationError")}
    problem = ProblemOut.model_json_schema(ref_template="#/components/schemas/{model}")
    return dict(sorted((kept | problem.pop("$defs") | {"Problem": problem}).items()))


def _model_examples(schemas: Json) -> Json:
    """The models' own examples, complete: FastAPI leaves out whatever is null."""
    examples: Json = {}
    for model in (*_all(Input), *_all(Output)):
        extra = model.model_config.get("json_schema_extra")
        if model.__name__ in schemas and isinstance(extra, dict) and "examples" in extra:
            (examples[model.__name__],) = ({"value": each} for each in extra["examples"])
            schemas[model.__name__].pop("examples", None)
    for name in [each for each in schemas if each.endswith("Page")]:
        item = schemas[name]["properties"]["items"]["items"]["$ref"].rsplit("/", 1)[1]
        examples[name] = {"value": {"items": [examples[item]["value"]], "next": None}}
    # Subclasses are told in the order in which somebody imported them.
    return dict(sorted(examples.items()))


def _problem_examples() -> Json:
    request_id = "b6f1c0de5a7e4f0c9d1e2a3b4c5d6e7f"
    by_code = {each.code: each for each in _all(Problem)}
    return {code: {"value": document(by_code[code](), request_id)} for code in sorted(by_code)}


def _example_of(name: str) -> Json:
    return {"$ref": f"#/components/examples/{name}"}


def _all(kind: type[Any]) -> Iterator[type[Any]]:
    for each in kind.__subclasses__():
        yield each
        yield from _all(each)


def _never_null(schema: Json) -> Json:
    """A parameter is there or it is not; it cannot be null."""
    choices = schema.get("anyOf", [])
    if {"type": "null"} not in choices:
        return schema
    (choice,) = (each for each in choices if each != {"type": "null"})
    return {name: schema[name] for name in schema if name != "anyOf"} | dict(choice)


def _name_headers(operation: Json) -> None:
    names = {each["name"] for each in operation.get("parameters", [])}
    for status, response in operation["responses"].items():
        wanted = []
        if status in {"201", "202"}:
            wanted += ["Location"] + ["Idempotency-Replayed"] * ("Idempotency-Key" in names)
        if status == "202":
            wanted += ["Retry-After"]
        if status.startswith("2") and "Prefer" in names:
            wanted += ["Preference-Applied"]
        if "If-None-Match" in names and status in {"200", "304"}:
            wanted += ["ETag"]
        if response.get("description") == "Successful Response":
            response["description"] = _WELL[status]
        if wanted:
            response["headers"] = {name: _HEADERS[name] for name in wanted}


def _contents(operation: Json) -> Iterator[Json]:
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    for body in bodies:
        if content := body.get("content", {}).get("application/json"):
            yield content


def _add_example(content: Json, components: Json) -> None:
    schema = content["schema"]
    for choice in schema.get("anyOf", [schema]):
        name = choice.get("$ref", "").rsplit("/", 1)[-1]
        if name in components["examples"]:
            content["examples"] = {"example": _example_of(name)}


def render() -> str:
    """The description as YAML. Needs no servers."""
    # Nobody who serves the API writes YAML, and the application completes its description with
    # this module.
    import yaml  # noqa: PLC0415

    from app.main import create_app  # noqa: PLC0415
    from app.settings import Settings  # noqa: PLC0415

    class Dumper(yaml.CSafeDumper):
        """Writes everything out, and long texts as blocks."""

        def ignore_aliases(self, _: Any) -> bool:
            return True

    def block(dumper: yaml.CSafeDumper, text: str) -> yaml.ScalarNode:
        style = "|" if "\n" in text else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, block)
    described = create_app(Settings()).openapi()
    return yaml.dump(described, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100)


def main(arguments: Sequence[str]) -> int:
    """0 where the file is up to date or was written, 1 where it differs, 2 for wrong use."""
    if list(arguments) not in ([], ["--check"]):
        sys.stderr.write("usage: python -m app.openapi [--check]\n")
        return 2
    text = render()
    if not arguments:
        FILE.write_text(text, encoding="utf-8")
        return 0
    if FILE.exists() and FILE.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write(f"{FILE} differs from the API: run `python -m app.openapi`.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
