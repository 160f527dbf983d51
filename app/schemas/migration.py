from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Struct
from pydantic import AfterValidator, ConfigDict, Field, Strict, WithJsonSchema

from app.models import ConflictPolicy
from app.schemas.paging import Page
from app.schemas.readiness import ReadinessPolicy
from app.schemas.values import Input, Moment, Output, Slug, StoreName
from connectors.base import Action
from connectors.records import Category, Customer, Order, Product, Stream, Variant

_ID = "0d5a6c1e-7e3c-4a55-8d8a-3f4f6d1b9b11"
_STORE = "5b0f6f0e-6a44-4a5e-9d39-8e0d3a5f2a10"


def _each_once(streams: list[Stream]) -> list[Stream]:
    if len(set(streams)) < len(streams):
        raise ValueError("a stream is named twice")
    # The order of the members is the order in which streams are applied.
    return [stream for stream in Stream if stream in streams]


Streams = Annotated[
    list[Stream],
    Field(min_length=1, max_length=len(Stream), json_schema_extra={"uniqueItems": True}),
    AfterValidator(_each_once),
]
Seconds = Annotated[float, Strict(), Field(ge=0, le=86_400)]


class OnMissingReference(StrEnum):
    """What becomes of a record whose customer or product cannot be found."""

    FREE = "free"
    QUARANTINE = "quarantine"


class SweepDepth(StrEnum):
    """`shallow`: ids and timestamps only, contents where they differ."""

    DEEP = "deep"
    SHALLOW = "shallow"


class AuditPolicy(Input):
    """How much the proof of a stream's timestamps may cost."""

    runs: Annotated[int, Strict(), Field(ge=1, le=10_000)] = Field(
        description="Within so many `recent` runs every record is verified (100)."
    )


class HorizonPolicy(Input):
    """What sweeps leave out."""

    days: Annotated[int, Strict(), Field(ge=1, le=36_500)] = Field(
        description="Closed records created longer ago."
    )


def _names(*kinds: type[Struct]) -> list[str]:
    """The names of the kinds' fields, and `*` for all others of the stream."""
    fields = {name for kind in kinds for name in kind.__struct_fields__} - {"id", "variants"}
    return ["*", *sorted(fields)]


def _among(names: list[str]) -> AfterValidator:
    def check(name: str) -> str:
        if name not in names:
            raise ValueError("the stream has no such field")
        return name

    return AfterValidator(check)


def _rules(names: list[str]) -> WithJsonSchema:
    policies = {"type": "string", "enum": [str(each) for each in ConflictPolicy]}
    properties = dict.fromkeys(names, policies)
    return WithJsonSchema(
        {"type": "object", "properties": properties, "additionalProperties": False}
    )


_CATEGORY, _PRODUCT = _names(Category), _names(Product, Variant)
_CUSTOMER, _ORDER = _names(Customer), _names(Order)
CategoryRules = Annotated[
    dict[Annotated[str, _among(_CATEGORY)], ConflictPolicy], _rules(_CATEGORY)
]
ProductRules = Annotated[dict[Annotated[str, _among(_PRODUCT)], ConflictPolicy], _rules(_PRODUCT)]
CustomerRules = Annotated[
    dict[Annotated[str, _among(_CUSTOMER)], ConflictPolicy], _rules(_CUSTOMER)
]
OrderRules = Annotated[dict[Annotated[str, _among(_ORDER)], ConflictPolicy], _rules(_ORDER)]


class ConflictPolicies(Input):
    """Who wins where a field was changed on both sides, by stream and field; `*` is every field
    that is not named. A variant's field goes by its own name. Stock is always the source's.
    """

    categories: CategoryRules | None = None
    products: ProductRules | None = None
    customers: CustomerRules | None = None
    orders: OrderRules | None = None


Share = Annotated[float, Strict(), Field(ge=0, le=1)]
Removable = Literal["categories", "products", "customers", "orders"]


class Deletions(Input):
    """What becomes of records that are gone from the source. Stock goes with its product."""

    brake: Share | None = Field(
        None,
        description="The share of a stream's records above which a run removes none of them;"
        " 0.05 by default. Five records may always go.",
    )
    actions: dict[Removable, Action] | None = Field(
        None, description="By stream; by default products are archived, the others reported."
    )


class Policies(Input):
    """How a migration differs from what the connectors suggest."""

    overlap: Seconds | None = Field(None, description="Seconds a window begins before the cursor.")
    settle: Seconds | None = Field(None, description="Seconds a window ends before the clock.")
    on_missing_reference: OnMissingReference | None = None
    audit: AuditPolicy | None = None
    sweep: dict[Stream, SweepDepth] | None = Field(
        None,
        description="How streams whose timestamps are trusted are swept; by default `deep`, "
        "because a shallow sweep cannot see a change that moved no timestamp.",
    )
    horizon: dict[Stream, HorizonPolicy] | None = Field(
        None,
        description="What sweeps leave out, where the platform can tell; a `full` run reads "
        "everything.",
    )
    conflicts: ConflictPolicies | None = None
    deletions: Deletions | None = None
    readiness: ReadinessPolicy | None = None


class MigrationIn(Input):
    """A move from one store to another."""

    slug: Slug
    source: StoreName = Field(description="Name or id of the store to read.")
    target: StoreName = Field(description="Name or id of the store to write.")
    streams: Streams | None = Field(
        None, description="What is in scope; by default all that both platforms know."
    )
    policies: Policies = Field(default_factory=Policies)
    launch_at: Moment | None = None

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "slug": "spring-launch",
                    "source": "old-shop",
                    "target": "new-shop",
                    "streams": ["categories", "products", "customers", "orders", "inventory"],
                    "launch_at": "2026-11-27T18:00:00Z",
                }
            ]
        },
    )


class MigrationPatch(Input):
    """What to change. Members of `policies` replace those of the same name, null removes one."""

    slug: Slug | None = None
    streams: Streams | None = None
    policies: Policies | None = None
    launch_at: Moment | None = Field(None, description="Null removes it.")

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"launch_at": "2026-11-28T06:00:00Z"}]}
    )


class StoreRef(Output):
    id: UUID
    name: str
    platform: str


class MigrationOut(Output):
    """A source store, a target store, and what is in scope."""

    id: UUID
    slug: str
    source: StoreRef
    target: StoreRef
    streams: list[Stream]
    policies: dict[str, Any]
    launch_at: datetime | None
    version: int = Field(description="Grows with every change.")
    created_at: datetime
    updated_at: datetime

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "id": _ID,
                    "slug": "spring-launch",
                    "source": {"id": _STORE, "name": "old-shop", "platform": "woocommerce"},
                    "target": {
                        "id": "9c1e2f57-3a0b-4d6c-8f6e-2b7a1c9d0e22",
                        "name": "new-shop",
                        "platform": "postgres",
                    },
                    "streams": ["categories", "products", "customers", "orders", "inventory"],
                    "policies": {},
                    "launch_at": "2026-11-27T18:00:00Z",
                    "version": 1,
                    "created_at": "2026-11-20T09:05:00Z",
                    "updated_at": "2026-11-20T09:05:00Z",
                }
            ]
        },
    )


class MigrationPage(Page[MigrationOut]):
    pass
