"""The digest decides: a hash of a record's canonical content, per field and whole.

A timestamp only hints that something changed (stores bump it for nothing, and change records
without bumping it); equal digests mean equal content, so nothing is written.
"""

from __future__ import annotations

import hashlib
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from connectors.records import Content, Variant

FIELD_BYTES = 8
_SHORT = 12  # half of a record's fields are empty or one of a few words: these are remembered
_encode = msgspec.msgpack.Encoder(order="deterministic", decimal_format="string").encode


class Digest(NamedTuple):
    """`whole` is 16 bytes; `fields` holds 8 bytes for each field of the content's class, in the
    order of its definition.
    """

    whole: bytes
    fields: bytes


def digest(content: Content) -> Digest:
    """Hash a content. The class's name takes part, so that two streams never agree by chance."""
    kind = type(content)
    fields = field_digests(content)
    whole = hashlib.blake2b(fields, digest_size=16, person=kind.__name__.encode()[:16]).digest()
    return Digest(whole, fields)


def field_digests(value: Content | Variant) -> bytes:
    """The field part of a `Digest` alone; of a variant as well."""
    encoded = map(_encode, _values(type(value))(value))
    return b"".join([_known_hash(each) if len(each) <= _SHORT else _hash(each) for each in encoded])


def value_digest(value: Any) -> bytes:
    """The 8 bytes of one field's value."""
    return _hash(_encode(value))


@cache
def _values(kind: type[Content | Variant]) -> attrgetter[tuple[Any, ...]]:
    return attrgetter(*kind.__struct_fields__)


def _hash(encoded: bytes) -> bytes:
    return hashlib.blake2b(encoded, digest_size=FIELD_BYTES).digest()


_known_hash = lru_cache(maxsize=4096)(_hash)


def changed_fields(content: Content, before: bytes, after: bytes) -> frozenset[str] | None:
    """Names of the fields whose hashes differ; None where `before` has another shape.

    A shape differs when a release of this software added or removed fields: then everything
    has to be taken as changed.
    """
    if len(before) != len(after):
        return None
    names = type(content).__struct_fields__
    return frozenset(
        name
        for index, name in enumerate(names)
        if before[index * FIELD_BYTES : (index + 1) * FIELD_BYTES]
        != after[index * FIELD_BYTES : (index + 1) * FIELD_BYTES]
    )
