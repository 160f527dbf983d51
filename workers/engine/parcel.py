"""A record on its way to the target."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connectors.base import Match, Operation, WriteCapability
from connectors.records import Content
from workers.engine.diff import Candidate
from workers.engine.merge import Merged
from workers.engine.sides import Known

_BY_KEY = "key"
"""How a record is found that carries our key; every other way finds somebody else's as well."""


@dataclass(slots=True)
class Parcel:
    """A candidate on its way. `content` is what the source wants, whatever a merge made of it.

    `settles` is for how many seconds an earlier request may still run, `pause` how long to wait
    before the target is looked at once more (`looked_twice` then). `merged` is what came of
    looking, `known` the record's conflicts, `shown` what the target holds where nothing is left
    to be written. `agrees`: what was to be put back is as it should be. `sent` holds digests of
    all that may have reached the target unconfirmed. `found`: it was on the target before anything
    of ours was sent; `is_foreign`: and somebody else has put it there.
    """

    candidate: Candidate
    operation: Operation
    content: Content
    matched_by: str | None = None
    look: bool = False
    settles: float = 0.0
    pause: float = 0.0
    looked_twice: bool = False
    attempted: bool = False
    found: bool = False
    is_foreign: bool = False
    known_children: dict[str, str] = field(default_factory=dict)
    known: dict[str, Known] = field(default_factory=dict)
    merged: Merged | None = None
    shown: Content | None = None
    agrees: bool = False
    sent: dict[str, tuple[bytes, ...]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The record's id on the source."""
        return self.candidate.record.id

    @property
    def creates(self) -> bool:
        """Whether the record is to be made, as far as is known."""
        return self.operation.target_id is None

    @property
    def was_applied(self) -> bool:
        """Whether the ledger knew the record on the target from the beginning."""
        return self.candidate.target_id is not None

    @property
    def is_right(self) -> bool:
        """Whether nothing has to be written."""
        return self.agrees or (self.merged is not None and not self.merged.changed)

    def lasting_losses(self, derived: frozenset[str]) -> list[str]:
        """Fields that the target could not keep exactly, and that are not written now: an answer
        need not tell of them. What it reckons itself follows from whatever is written.
        """
        written = frozenset() if self.is_right else self.operation.changed
        return [
            each
            for each in self.candidate.known_losses
            if written is not None
            and each.partition(".")[0] not in written
            and not (written and each in derived)
        ]

    def match(self, match: Match, *, is_whole: bool, is_ours: bool = False) -> None:
        """The record is there: what is left is an update, of everything, because what was sent
        before may have been an older content, or may have been applied in part. Unless it
        `is_whole`, more may still be coming: then it is looked at once more when that is through.
        `is_ours`: it is one that we have brought there for another record, which is gone.
        """
        self.is_foreign = match.by != _BY_KEY and not (
            is_ours or self.attempted or self.candidate.suspect
        )
        if is_whole:
            self.settles = 0.0
        self.look = self.settles > 0
        self.found = match.by != _BY_KEY or not (self.attempted or self.candidate.suspect)
        self.matched_by = self.matched_by or match.by
        self.known_children.update(match.children)
        self.change(target_id=match.target_id, children=self.known_children, changed=None)

    def take(self, merged: Merged) -> None:
        """What merging with the target's record made of it."""
        self.merged = merged
        self.known_children = merged.children
        self.change(
            content=merged.content,
            changed=frozenset(merged.changed),
            children=merged.children,
            variants=merged.variants,
        )

    def change(self, **changes: Any) -> None:
        """Change the operation."""
        values = {name: getattr(self.operation, name) for name in Operation.__struct_fields__}
        self.operation = Operation(**{**values, **changes})


def packed(
    candidate: Candidate, operation: Operation, capability: WriteCapability, *, asks: bool
) -> Parcel:
    """A candidate with its operation, before anything was sent. `asks`: what somebody else made on
    the target is not simply written over, so that a platform which keeps doubles out is no help.
    """
    made = Parcel(
        candidate,
        operation,
        operation.content,
        known_children=dict(operation.children),
        sent=dict(candidate.base.sent),
    )
    if made.creates and not capability.idempotent:
        made.look = candidate.suspect or asks or not capability.refuses_doubles
    if candidate.sent_age is not None and not capability.idempotent:
        made.settles = max(0.0, capability.write_settle - candidate.sent_age)
    return made
