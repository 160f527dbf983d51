"""Order numbers of both stores, and what would keep them apart."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Self

from pydantic import ConfigDict, Field

from app.planning.order_numbers import Counting, Numbers
from app.schemas.values import Output
from connectors.desk import Numbering


class CollisionKind(StrEnum):
    """`taken`: an order of the target's own has the number of an order of the source. `coming`: it
    has a number that the source gives before launch. `twice`: orders of the target share it.
    """

    TAKEN = "taken"
    COMING = "coming"
    TWICE = "twice"


class ProposalKind(StrEnum):
    """`offset`: the target begins with a higher number. `prefix`: its numbers look different.
    `reserved`: it leaves a range of numbers free.
    """

    OFFSET = "offset"
    PREFIX = "prefix"
    RESERVED = "reserved"


class CountingOut(Output):
    """How a store counts its orders, as its newest ones show."""

    prefix: str
    suffix: str
    first: str = Field(description="The lowest number among the orders that were looked at.")
    last: str = Field(description="The highest one.")
    following: str = Field(description="The earliest number that comes next.")
    step: int = Field(description="The most common distance between neighbours.")
    advance: float = Field(description="Numbers that an order uses up, on average.")
    gaps: int = Field(description="Numbers left out between the first and the last.")
    counted: int = Field(description="Orders that follow the sequence.")
    strays: int = Field(description="Orders whose number has another form.")

    @classmethod
    def of(cls, found: Counting | None) -> Self | None:
        """The same for callers; None where numbers follow no sequence."""
        if found is None:
            return None
        return cls(
            prefix=found.form.prefix,
            suffix=found.form.suffix,
            first=found.form.text(found.first),
            last=found.form.text(found.last),
            following=found.form.text(found.following),
            step=found.step,
            advance=round(found.advance, 3),
            gaps=found.gaps,
            counted=found.counted,
            strays=found.strays,
        )


class CollisionOut(Output):
    """A number that names more than one order, or is going to."""

    kind: CollisionKind
    number: str
    source_id: str | None = Field(description="The order of the source, where there is one.")
    target_ids: list[str]


class HeadroomOut(Output):
    """How far the two sequences are apart."""

    own: int = Field(description="The next number that the target gives by itself.")
    at_launch: int = Field(description="The last number that the source is expected to give.")
    free: int = Field(
        description="Numbers between them. Below zero, the target will give numbers that orders of"
        " the source have."
    )
    until: datetime | None = Field(
        description="When the source arrives at the target's numbers; null where that is not to"
        " come, or has come already."
    )


class ProposalOut(Output):
    """A way to keep numbers apart. `first` is the first number that it makes or keeps free."""

    kind: ProposalKind
    first: str
    says: str


class OrderNumbersOut(Output):
    """What is known of the order numbers of both stores, by their newest orders."""

    source: CountingOut | None = Field(description="Null where numbers follow no sequence.")
    target: CountingOut | None = Field(
        description="Of the target's own orders, where it shows imported ones under their old"
        " numbers; else of all."
    )
    kept: bool | None = Field(
        description="Whether the target shows imported orders under their old numbers; null where"
        " there is none to compare."
    )
    per_day: float | None = Field(description="Orders that the source takes a day, of late.")
    expected: int | None = Field(
        description="Orders until launch, with a margin; null without a launch time."
    )
    looked_at: int = Field(description="Orders of each store that were looked at, at most.")
    collisions: list[CollisionOut]
    headroom: HeadroomOut | None = Field(
        description="Null where numbers are not kept, or nobody knows which number comes next."
    )
    proposals: list[ProposalOut]
    advice: str = Field(description="How the target's next number is set.")

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "source": {
                        "prefix": "",
                        "suffix": "",
                        "first": "17643",
                        "last": "18642",
                        "following": "18643",
                        "step": 1,
                        "advance": 1.0,
                        "gaps": 0,
                        "counted": 1000,
                        "strays": 0,
                    },
                    "target": None,
                    "kept": True,
                    "per_day": 91.3,
                    "expected": 251,
                    "looked_at": 1000,
                    "collisions": [],
                    "headroom": {
                        "own": 18120,
                        "at_launch": 18893,
                        "free": -774,
                        "until": None,
                    },
                    "proposals": [
                        {
                            "kind": "offset",
                            "first": "20000",
                            "says": "Let the target begin at 20000: the source is expected at "
                            "18893 by launch.",
                        }
                    ],
                    "advice": "WooCommerce gives an order the next id of the whole site.",
                }
            ]
        },
    )

    @classmethod
    def of(cls, found: Numbers, numbering: Numbering, looked_at: int) -> Self:
        """A survey for callers."""
        room = found.headroom
        return cls(
            source=CountingOut.of(found.source),
            target=CountingOut.of(found.target),
            kept=found.kept,
            per_day=None if found.per_day is None else round(found.per_day, 2),
            expected=found.expected,
            looked_at=looked_at,
            collisions=[
                CollisionOut(
                    kind=CollisionKind(each.kind),
                    number=each.number,
                    source_id=each.source,
                    target_ids=list(each.targets),
                )
                for each in found.collisions
            ],
            headroom=room
            and HeadroomOut(
                own=room.own, at_launch=room.at_launch, free=room.free, until=room.until
            ),
            proposals=[
                ProposalOut(kind=ProposalKind(each.kind), first=each.first, says=each.says)
                for each in found.proposals
            ],
            advice=numbering.advice,
        )
