"""What `GET /v1/platforms` says is enough to draw a form, and what the form sends is accepted."""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser
from typing import Any

import jsonschema
import pytest

from app.services.platforms import list_platforms
from connectors import registry

SECRET = "cs_0123456789abcdef"
PLATFORMS = sorted(registry.connectors())


def described(name: str) -> dict[str, Any]:
    [found] = [each for each in list_platforms() if each.name == name]
    return found.model_dump(mode="json")


def draw(schema: dict[str, Any]) -> str:
    """A form, from the schema alone; of several ways the first one."""
    properties = sorted(schema["properties"].items(), key=lambda each: each[1]["x-order"])
    way = schema.get("oneOf", [{}])[0]
    required = {*schema.get("required", []), *way.get("required", [])}
    return "".join(field(name, each, required=name in required) for name, each in properties)


def field(name: str, schema: dict[str, Any], *, required: bool) -> str:
    label = f"<label for={name!r}>{escape(schema['title'])}</label>"
    note = f"<small>{escape(schema['description'])}</small>"
    must = " required" if required else ""
    default = schema.get("default")
    if "enum" in schema:
        options = "".join(
            f"<option value={each!r}{' selected' * (each == default)}>{escape(each)}</option>"
            for each in schema["enum"]
        )
        return f"{label}<select name={name!r}{must}>{options}</select>{note}"
    if schema["type"] == "boolean":
        return f"{label}<input name={name!r} type='checkbox'{' checked' * bool(default)}>{note}"
    kind = {"string": "text", "integer": "number", "number": "number"}[schema["type"]]
    if schema.get("format") == "password":
        kind = "password"
    value = "" if default is None else f" value={escape(str(default))!r}"
    hint = f" placeholder={escape(str(schema.get('examples', [''])[0]))!r}"
    return f"{label}<input name={name!r} type={kind!r}{value}{hint}{must}>{note}"


class Person(HTMLParser):
    """Fills in what has to be, as the placeholder shows it, and leaves the rest as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.labels: list[str] = []
        self.kinds: dict[str, str] = {}
        self.sent: dict[str, Any] = {}
        self._open = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = dict(attrs)
        match tag:
            case "label":
                self.labels.append(given["for"])
            case "select":
                self._open = given["name"]
                self.kinds[self._open] = "select"
            case "option" if "selected" in given:
                self.sent[self._open] = given["value"]
            case "input":
                self._input(given)

    def _input(self, given: dict[str, Any]) -> None:
        name, kind = given["name"], given["type"]
        self.kinds[name] = kind
        if kind == "checkbox":
            self.sent[name] = "checked" in given
            return
        value = given.get("value", "")
        if not value and "required" in given:
            value = SECRET if kind == "password" else given["placeholder"]
        if value:
            self.sent[name] = float(value) if kind == "number" else value


def filled(schema: dict[str, Any]) -> Person:
    person = Person()
    person.feed(draw(schema))
    return person


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_form_is_drawn_filled_in_and_accepted(name: str) -> None:
    platform = described(name)
    settings, credentials = (
        filled(platform[f"{part}_schema"]) for part in ("settings", "credentials")
    )
    access = registry.access(name, settings.sent, credentials.sent)
    for person, model in ((settings, access.settings), (credentials, access.credentials)):
        shown = model.model_dump(by_alias=True)
        assert person.labels == list(person.kinds)
        assert set(person.kinds) == set(shown)


@pytest.mark.parametrize("name", PLATFORMS)
def test_credentials_are_typed_unseen_and_settings_in_plain_sight(name: str) -> None:
    platform = described(name)
    credentials = filled(platform["credentials_schema"])
    assert set(credentials.kinds.values()) <= {"password"}
    assert "value=" not in draw(platform["credentials_schema"])
    assert "password" not in filled(platform["settings_schema"]).kinds.values()


@pytest.mark.parametrize("name", PLATFORMS)
def test_what_hardly_anybody_changes_can_be_folded_away_and_has_a_default(name: str) -> None:
    schema = described(name)["settings_schema"]
    advanced = {name for name, each in schema["properties"].items() if each.get("x-advanced")}
    assert "timeout" in advanced
    assert not advanced & {"url", "host", *schema.get("required", [])}
    assert all("default" in schema["properties"][each] for each in advanced)


@pytest.mark.parametrize(
    ("name", "ways"),
    [
        ("shopify", {"Access token": 1, "Client id and secret": 2}),
        ("vendure", {"API key": 1, "Name and password": 2}),
    ],
)
def test_ways_to_sign_in_are_offered_by_name(name: str, ways: dict[str, int]) -> None:
    found = described(name)["credentials_schema"]["oneOf"]
    assert {each["title"]: len(each["required"]) for each in found} == ways


def test_certificates_have_room_for_their_lines_and_names_may_be_seen() -> None:
    certificate = described("postgres")["settings_schema"]["properties"]["ca_certificate"]
    assert certificate["x-multiline"]
    credentials = described("vendure")["credentials_schema"]["properties"]
    assert [each for each, one in credentials.items() if one.get("x-visible")] == ["username"]


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_form_is_a_valid_schema_without_references(name: str) -> None:
    platform = described(name)
    for part in ("settings_schema", "credentials_schema"):
        jsonschema.Draft202012Validator.check_schema(platform[part])
        assert "$ref" not in str(platform[part])
        assert "anyOf" not in str(platform[part])


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_person_is_told_what_to_grant_and_how(name: str) -> None:
    platform = described(name)
    assert platform["steps"]
    assert all(each["name"] and each["purpose"] for each in platform["permissions"])


def test_what_is_left_behind_and_taken_away_is_told_by_stream() -> None:
    orders = described("woocommerce")["target"]["orders"]
    losses = {each["field"]: each["whole"] for each in orders["losses"]}
    assert losses["discounts"]
    assert not losses["number"]
    assert orders["removals"] == [
        {"action": "archive", "undo": True},
        {"action": "delete", "undo": False},
    ]
    assert "total" in orders["derived"]


async def test_the_api_says_all_of_this(api) -> None:
    """Of platforms that only these tests know."""
    items = (await api.get("/v1/platforms")).json()["items"]
    paper = next(each for each in items if each["name"] == "paper")
    assert filled(paper["settings_schema"]).kinds == {
        "url": "text",
        "mood": "select",
        "pages": "number",
    }
    assert [each["name"] for each in paper["permissions"]] == ["sheets"]
    assert paper["steps"]
