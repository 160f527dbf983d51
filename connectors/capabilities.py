"""What a platform can do with a stream: how it is read, how it is written, and what it loses."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, StrEnum
from typing import Any

from msgspec import Struct


class Trust(StrEnum):
    """How far a stream's timestamp can be believed on a platform."""

    EXACT = "exact"
    OVERLAP = "overlap"
    SWEEP = "sweep"


class Bounds(StrEnum):
    """What the platform's filter does with a record stamped exactly at its bound.

    `none`: there is no filter by date. A connector widens an exclusive bound by itself.
    """

    INCLUSIVE = "inclusive"
    EXCLUSIVE = "exclusive"
    NONE = "none"


class ReadCapability(Struct, frozen=True, kw_only=True):
    """How a stream is read. Seconds throughout.

    `blind_spots` says in words what changes without moving the timestamp, `moves` what moves it;
    `overlap` is how far behind the cursor a window begins, `settle` how far behind the store's
    clock it ends. `ties` says in words how records of one stamp are told apart when a list is
    walked. `shallow`: the platform lists ids and stamps alone (`Source.enumerate`). `horizon`: a
    sweep can leave closed records out by their age (`Sweep.since_created`); `horizon_risk` says
    in words what else is left out then.
    """

    trust: Trust
    overlap: float = 300.0
    settle: float = 10.0
    granularity: float = 1.0
    bounds: Bounds = Bounds.INCLUSIVE
    ties: str = ""
    page_size: int = 100
    blind_spots: tuple[str, ...] = ()
    moves: tuple[str, ...] = ()
    shallow: bool = False
    horizon: bool = False
    horizon_risk: str = ""


class Hint(Enum):
    """What `Loss.shows` answers where it has no value.

    `ANYTHING`: nobody can tell what the target shows. `SAME`: something of the field is lost that
    no comparison looks at, such as the name of an image; all else of it is as it was.
    """

    ANYTHING = "anything"
    SAME = "same"


class Loss(Struct, frozen=True):
    """Something a target cannot keep exactly: which field, and why, in words. `whole`: nothing of
    it is kept, of a product's field neither in its variants. `addon`: it is kept all the same where
    the store has our add-on. A field of variants is called `variants.status`.

    `shows` gives, for a record of the source as it is written, the value that the target shows of
    the field: the record's own where it is not struck by the loss. A field of variants is asked of
    each `Variant`. A difference that it does not foresee is a fault. Without it nobody can tell,
    and any difference in this field is excused, in every record: the widest of all promises.
    `firm`: the record's own value instead is a fault as well, such as the price of a sale that
    is over.
    """

    field: str
    reason: str
    whole: bool = False
    addon: bool = False
    shows: Callable[[Any], Any] | None = None
    firm: bool = False


class Action(StrEnum):
    """What becomes of a record whose original is gone. `report` only tells, on any platform."""

    ARCHIVE = "archive"
    DELETE = "delete"
    REPORT = "report"


class Removal(Struct, frozen=True):
    """A way in which a platform takes a record away, and whether it can bring it back."""

    action: Action
    undo: bool = False


class WriteCapability(Struct, frozen=True, kw_only=True):
    """How a stream is written.

    `idempotent`: the target upserts by our key, so that sending a create twice makes one record
    and neither intents nor look-ups are needed. `batch` and `find_batch`: records in one call.
    `write_settle`: for how many seconds a write whose answer never came may still be running.
    `at_once`: one request makes a whole record, so that whoever finds it on the target knows that
    the request is through. Without it later requests may still be adding to what is found.
    `serial_creates`: creates of this stream go one at a time, because the platform checks
    uniqueness too late. `refuses_doubles`: the platform refuses to create a record whose natural
    key is taken, and the connector finds that record then and says so (`Applied.found`); where the
    source rules in every field, a fresh create needs no look-up.
    `merges`: people edit these records on the target, and `get` reads them back, so that an update
    can leave their edits alone. `derived` are fields that the platform reckons from others, which
    are never an edit by anybody: `total`, or `lines.tax` for a part's field.
    `removals` are the ways in which records can be taken away; `keyed`: a record shows our key on
    the target, so that a removal can tell ours from others.
    """

    idempotent: bool = False
    batch: int = 100
    find_batch: int = 100
    write_settle: float = 20.0
    at_once: bool = False
    serial_creates: bool = False
    refuses_doubles: bool = False
    merges: bool = False
    derived: frozenset[str] = frozenset()
    removals: tuple[Removal, ...] = ()
    keyed: bool = True
    losses: tuple[Loss, ...] = ()
    notes: tuple[str, ...] = ()

    def losses_in(self, *, addon: bool) -> tuple[Loss, ...]:
        """What one store cannot keep: `addon` says whether it has our add-on."""
        return tuple(each for each in self.losses if not (addon and each.addon))

    def removal(self, action: Action) -> Removal | None:
        """How an action is done here, None where it cannot be."""
        return next((each for each in self.removals if each.action is action), None)
