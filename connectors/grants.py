"""What credentials have to be allowed for some work, told before it begins.

`check` proves that a store lets us in. What a single stream needs besides shows at its first call
that is refused, unless the platform can be asked before.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from msgspec import Struct

from connectors.records import Stream


class Work(Struct, frozen=True, kw_only=True):
    """What is going to be done with a store. A source reads `streams`; a target reads and writes
    them, deletes records of `deletes`, and makes redirects where it says so.
    """

    streams: frozenset[Stream]
    deletes: frozenset[Stream] = frozenset()
    redirects: bool = False


class Lack(Struct, frozen=True, kw_only=True):
    """A permission, in the platform's own word, that the credentials lack. `stream` is whose work
    needs it, None where it is no single one's; `purpose` and `grant` say in a sentence each what
    it is for, and how a person gives it.
    """

    permission: str
    purpose: str
    grant: str
    stream: Stream | None = None


@runtime_checkable
class TellsLacks(Protocol):
    """What a source or a target has besides, where it can be known before what will be refused."""

    async def lacks(self, work: Work) -> tuple[Lack, ...]:
        """What the work needs and the credentials do not allow. Nothing is changed.

        Raises `StoreError`, `SignInAgain` where the store does not let us in at all.
        """
        ...
