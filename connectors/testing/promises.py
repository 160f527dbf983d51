"""Which tests of the suite a connector has to pass: those that its capabilities promise.

A test that does not concern a stream is not left out in silence: it is skipped with a reason, and
pytest's last lines tell all of these reasons (`connectors.testing.plugin`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal

import pytest

from connectors.base import Connector, ReadCapability, WriteCapability
from connectors.records import Stream

NOT_PROMISED = "not promised: "
"""How the reason of every such skip begins."""

Side = Literal["reads", "writes"]
Condition = Callable[[Any], bool]
_FIRST = (
    Stream.ORDERS,
    Stream.PRODUCTS,
    Stream.CUSTOMERS,
    Stream.CATEGORIES,
    Stream.INVENTORY,
)


class Contract:
    """What all parts of the suite have in common. A subclass names the connector under test."""

    connector: ClassVar[Connector]
    side: ClassVar[Side]


def for_streams(
    when: Condition | None = None, otherwise: str = "", *, among: Sequence[Stream] = tuple(Stream)
) -> pytest.MarkDecorator:
    """Run a test with every `stream` of the connector whose capability satisfies `when`.

    `otherwise` says what the connector does not do where it does not.
    """
    return pytest.mark.promise(when=when, otherwise=otherwise, among=tuple(among), one=False)


def for_one_stream() -> pytest.MarkDecorator:
    """Run a test with one `stream`, where it is all the same which."""
    return pytest.mark.promise(when=None, otherwise="", among=_FIRST, one=True)


def cases(
    contract: type[Contract],
    *,
    when: Condition | None,
    otherwise: str,
    among: Sequence[Stream],
    one: bool,
) -> list[Any]:
    """The values of `stream` for one test. Raises `pytest.UsageError` without a connector."""
    connector = getattr(contract, "connector", None)
    if connector is None:
        raise pytest.UsageError(f"{contract.__name__} has to name its `connector`")
    declared: Mapping[Stream, ReadCapability | WriteCapability] = getattr(connector, contract.side)
    if one:
        # Without any stream there is one skip, and not none: it is told.
        among = [each for each in among if each in declared][:1] or among[:1]
    marks = {each: _skip(contract, declared, each, when, otherwise) for each in among}
    return [pytest.param(each, id=str(each), marks=marks[each]) for each in among]


def _skip(
    contract: type[Contract],
    declared: Mapping[Stream, ReadCapability | WriteCapability],
    stream: Stream,
    when: Condition | None,
    otherwise: str,
) -> list[pytest.MarkDecorator]:
    name = contract.connector.name
    if stream not in declared:
        reason = f"{name} {contract.side} no {stream}"
    elif when is not None and not when(declared[stream]):
        reason = f"{name}, {stream}: {otherwise}"
    else:
        return []
    return [pytest.mark.skip(reason=NOT_PROMISED + reason)]
