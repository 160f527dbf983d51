"""Mapping rules as people write them: by stream, in order, each doing one thing to one field.

A rule is refused where it names what is not there, or could never make a valid record; the place
of the error is the rule's: `/products/3/expression`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationInfo,
    field_validator,
    model_validator,
)

from app.mapping import functions
from app.mapping.places import EXTRA, REFERENCES, Place, paths, place
from app.mapping.values import UnfitError, fitting
from connectors.records import CONTENT_TYPES, Stream

MOST_RULES = 200
"""Rules of one stream."""

MOST_VALUES = 1000
"""Old values that one rule names."""

LONGEST_EXPRESSION = 500
OPERATIONS = ("set", "values", "drop", "rename", "to_extra", "expression", "function")
VALUE, PART, ID = "value", "part", "id"
"""Names an expression knows beside the record's fields: what the field holds, the part of a list
that holds it, and the record's id at the source.
"""

_OF_REFERENCES = {"values", "drop"}

Path = Annotated[str, Field(min_length=1, max_length=200)]
Source = Annotated[str, Field(min_length=1, max_length=LONGEST_EXPRESSION)]


def names(stream: Stream) -> frozenset[str]:
    """What expressions over a stream's records can name."""
    return frozenset({*CONTENT_TYPES[stream].__struct_fields__, VALUE, PART, ID})


def _describe(schema: dict[str, Any], model: type[Rule]) -> None:
    """Say in the schema which fields there are, and that a rule does one thing."""
    known = {"enum": list(paths(model.stream))}
    field = {"anyOf": [known, {"pattern": rf"^(.+\.)?{EXTRA}\.."}]}
    for name in ("field", "rename"):
        described = schema["properties"][name]
        schema["properties"][name] = {"type": "string", **field, "title": described["title"]}
    schema["oneOf"] = [{"required": [each]} for each in OPERATIONS]
    # Its note, its condition, its field, what is done, and what with the rest. A reader that looks
    # for a rule with all properties sees at once that there is none.
    schema["maxProperties"] = 5


class Rule(BaseModel):
    """One change to the records of a stream, where `when` holds."""

    stream: ClassVar[Stream]

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=_describe)

    note: str | None = Field(None, max_length=500, description="For people.")
    when: Source | None = Field(None, description="A condition (CEL); without one: always.")
    field: Path | None = Field(None, description="What is changed, such as `variants.sku`.")
    set: JsonValue = Field(None, description="A value for the field.")
    values: dict[str, JsonValue] | None = Field(
        None,
        max_length=MOST_VALUES,
        description="New values by old ones; null leaves the field out.",
    )
    otherwise: JsonValue = Field(None, description="For values that `values` does not name.")
    drop: Literal[True] | None = Field(None, description="Leave the field out.")
    rename: Path | None = Field(None, description="Move the value to this field.")
    to_extra: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Move the value to this key of `extra`, such as `meta.season`.",
    )
    expression: Source | None = Field(None, description="A new value for the field (CEL).")
    function: str | None = Field(
        None, max_length=200, description="The name of an installed function from record to record."
    )

    @property
    def operation(self) -> str:
        """Which one of `OPERATIONS` it is."""
        return next(each for each in OPERATIONS if each in self.model_fields_set)

    @property
    def place(self) -> Place:
        """Where it writes; for a rule that names a field."""
        return place(self.stream, str(self.field))

    @property
    def aim(self) -> Place | None:
        """Where a value is moved to, None where none is."""
        path = f"{EXTRA}.{self.to_extra}" if self.to_extra else self.rename
        return place(self.stream, path) if path else None

    @field_validator("field", "rename")
    @classmethod
    def _is_there(cls, path: str | None) -> str | None:
        if path is not None:
            place(cls.stream, path)
        return path

    @field_validator("rename")
    @classmethod
    def _is_single(cls, path: str | None) -> str | None:
        if path is not None and place(cls.stream, path).in_parts:
            raise ValueError("a value cannot be moved into the parts of a list")
        return path

    @field_validator("to_extra")
    @classmethod
    def _is_key(cls, key: str | None) -> str | None:
        if key is not None:
            place(cls.stream, f"{EXTRA}.{key}")
        return key

    @field_validator("set")
    @classmethod
    def _fits(cls, value: Any, info: ValidationInfo) -> Any:
        if info.data.get("field"):
            _fit(value, place(cls.stream, info.data["field"]))
        return value

    @field_validator("values")
    @classmethod
    def _each_fits(
        cls, values: dict[str, Any] | None, info: ValidationInfo
    ) -> dict[str, Any] | None:
        if values is not None and info.data.get("field"):
            where = place(cls.stream, info.data["field"])
            for value in values.values():
                _fit_one(value, where)
        return values

    @field_validator("otherwise")
    @classmethod
    def _rest_fits(cls, value: Any, info: ValidationInfo) -> Any:
        if info.data.get("field"):
            _fit_one(value, place(cls.stream, info.data["field"]))
        return value

    @field_validator("when", "expression")
    @classmethod
    def _can_be_read(cls, source: str | None, info: ValidationInfo) -> str | None:
        if source is not None:
            # Slow to import, and most migrations have no rules.
            from app.mapping.expressions import compiled  # noqa: PLC0415

            made = compiled(source, names(cls.stream))
            field = info.data.get("field") if info.field_name == "expression" else None
            if made.inexact and field and place(cls.stream, field).is_exact:
                raise ValueError("`double` is not exact: reckon amounts by `plus` and `times`")
        return source

    @field_validator("function")
    @classmethod
    def _is_installed(cls, name: str | None) -> str | None:
        if name is not None and name not in functions.installed():
            raise ValueError("no installed package offers a mapping function of this name")
        return name

    @model_validator(mode="after")
    def _does_one_thing(self) -> Rule:
        given = [each for each in OPERATIONS if each in self.model_fields_set]
        if len(given) != 1 or (given != ["set"] and getattr(self, given[0]) is None):
            raise ValueError(f"a rule does one thing, one of: {', '.join(OPERATIONS)}")
        if (self.field is None) != (self.function is not None):
            raise ValueError("`field` says what is changed; only `function` goes without")
        if "otherwise" in self.model_fields_set and self.values is None:
            raise ValueError("`otherwise` goes with `values`")
        if self.field is not None:
            self._suits(self.place)
        return self

    def _suits(self, where: Place) -> None:
        if self.field in REFERENCES.get(self.stream, ()) and self.operation not in _OF_REFERENCES:
            raise ValueError("it names other records: only `values` (of source ids) and `drop` do")
        if self.drop and not where.optional:
            raise ValueError("records need this field: it cannot be dropped")
        if self.aim is not None and where.in_parts:
            raise ValueError("a value cannot be moved out of the parts of a list")
        if self.aim is not None and self.aim.names == where.names:
            raise ValueError("the value is there already")


def _fit(value: Any, where: Place) -> None:
    try:
        fitting(value, where.type)
    except UnfitError as error:
        raise ValueError(str(error)) from None


def _fit_one(value: Any, where: Place) -> None:
    """A new value for an old one; of a list of texts for one of them. Null leaves it out."""
    if value is None:
        if not where.optional and not where.holds_text_list:
            raise ValueError("records need this field: it cannot be left out")
        return
    _fit([value] if where.holds_text_list else value, where)


class CategoryRule(Rule):
    """A change to categories."""

    stream = Stream.CATEGORIES


class ProductRule(Rule):
    """A change to products; `variants.sku` is every variant's."""

    stream = Stream.PRODUCTS


class CustomerRule(Rule):
    """A change to customers."""

    stream = Stream.CUSTOMERS


class OrderRule(Rule):
    """A change to orders; `lines.name` is every line's."""

    stream = Stream.ORDERS


class StockRule(Rule):
    """A change to stock levels."""

    stream = Stream.INVENTORY


EXAMPLE: dict[str, Any] = {
    "products": [
        {"field": "status", "values": {"private": "draft"}},
        {
            "note": "Names came with blanks from the old import.",
            "when": "kind == 'simple'",
            "field": "name",
            "expression": "trim(name)",
        },
    ],
    "customers": [{"field": "extra.meta.season", "drop": True}],
}


class Rules(BaseModel):
    """Mapping rules by stream. They are applied in order; each sees what those before it made."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [EXAMPLE]}
    )

    categories: list[CategoryRule] = Field([], max_length=MOST_RULES)
    products: list[ProductRule] = Field([], max_length=MOST_RULES)
    customers: list[CustomerRule] = Field([], max_length=MOST_RULES)
    orders: list[OrderRule] = Field([], max_length=MOST_RULES)
    inventory: list[StockRule] = Field([], max_length=MOST_RULES)

    def of(self, stream: Stream) -> list[Rule]:
        """A stream's rules, in order."""
        found: Mapping[str, list[Rule]] = dict(self)
        return found[stream]

    def document(self) -> dict[str, Any]:
        """As it was written, without what was left out."""
        return self.model_dump(mode="json", exclude_unset=True)
