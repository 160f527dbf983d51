"""Who wins where a field changed on both sides: the migration's choices over our defaults. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.models import ConflictPolicy
from connectors.records import Stream

ANY = "*"
"""The name under which a migration rules all fields of a stream that it does not name."""

_PRICES = ("regular_price", "sale_price", "sale_from", "sale_to")
_TEXTS = ("description", "short_description", "images", "image", "slug", "extra")

_EDITED = dict.fromkeys(_PRICES, ConflictPolicy.SOURCE) | dict.fromkeys(
    _TEXTS, ConflictPolicy.TARGET
)
_DEFAULTS: Mapping[Stream, Mapping[str, ConflictPolicy]] = {
    Stream.CATEGORIES: _EDITED,
    Stream.PRODUCTS: _EDITED,
}
_ELSE = dict.fromkeys(_DEFAULTS, ConflictPolicy.MANUAL)


@dataclass(frozen=True, slots=True)
class Policies:
    """`given` are the migration's own, by stream and field."""

    given: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of(self, stream: Stream, name: str) -> ConflictPolicy:
        """The policy of a field; of a variant's field, by the same name."""
        chosen = self.given.get(stream, {})
        found = chosen.get(name) or chosen.get(ANY)
        if found is not None:
            return ConflictPolicy(found)
        return _DEFAULTS.get(stream, {}).get(name, _ELSE.get(stream, ConflictPolicy.SOURCE))

    def source_always_wins(self, stream: Stream) -> bool:
        """Whether nothing of the stream's records is ever kept."""
        chosen = set(self.given.get(stream, {}).values())
        return stream not in _DEFAULTS and chosen <= {ConflictPolicy.SOURCE}


TARGET_STAYS = Policies({stream: {ANY: ConflictPolicy.TARGET} for stream in Stream})
"""Nothing that anybody changed on the target is overwritten, whatever the migration says."""
