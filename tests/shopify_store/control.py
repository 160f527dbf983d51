"""The control endpoint: what a test does to the store from outside its API, below `/_control`.

- `GET`: counts of records.
- `POST seed` `{"products": 5, "variants": 2, "collections": 1, "customers": 3, "orders": 4}`:
  makes records out of nothing; answers numbers of their ids by kind.
- `POST load` `{"product": [ProductSetInput], "collection": [CollectionInput],
  "customer": [CustomerSetInput], "order": [OrderCreateOrderInput], "page": [{"title": "About"}],
  "blog": [{"title": "News"}], "article": [{"title": "Hello", "blog": "news"}]}`: makes what is
  given, without mails and without claiming stock, goods on the Online Store; answers numbers of
  their ids by kind. Of pages and articles `isPublished` may be false.
- `POST edits`: one edit (`edits.py`) or a list of them.
- `GET clock`, `POST clock` `{"advance": seconds}`.
- `GET faults`, `PUT faults` `{name: {…} | null}` (`faults.py`).
- `GET effects`: mails, movements of stock and payments so far; `POST effects/reset`.
- `GET requests`: what was asked over the API, oldest first; `POST requests/reset`.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.shopify_store import content, edits, goods, people, publishing, sales, seed
from tests.shopify_store.faults import REQUEST_FAULTS, STATE_FAULTS, Faults
from tests.shopify_store.fields import Doc
from tests.shopify_store.store import Store

_LOADERS: dict[str, Callable[[Store, Doc], Doc]] = {
    "collection": lambda store, given: publishing.offer(
        store, goods.save_collection(store, None, given)
    ),
    "product": lambda store, given: publishing.offer(store, goods.save_product(store, None, given)),
    "customer": lambda store, given: people.save_customer(store, None, given),
    "order": sales.make_order,
    "page": content.save_page,
    "blog": content.save_blog,
    "article": content.save_article,
}


class NoSuchControl(Exception):
    """There is no such control."""


class Control:
    """Acts on a store; everything is JSON."""

    def __init__(self, store: Store, faults: Faults, requests: list[Doc]) -> None:
        self._store = store
        self._faults = faults
        self._requests = requests

    def act(self, method: str, name: str, body: Any) -> Any:
        """Do one act. Raises `NoSuchControl`, and what the act raises."""
        acts: dict[str, Callable[[], Any]] = {
            "GET ": lambda: {kind: len(held) for kind, held in self._store.tables.items()},
            "POST seed": lambda: seed.seed(self._store, body or {}),
            "POST load": lambda: load(self._store, body),
            "POST edits": lambda: self._edit(body if isinstance(body, list) else [body]),
            "GET clock": self._clock,
            "POST clock": lambda: self._advance(float(body["advance"])),
            "GET faults": self._fault_state,
            "PUT faults": lambda: self._switch(body),
            "GET effects": lambda: effects(self._store),
            "POST effects/reset": self._store.effects.clear,
            "GET requests": lambda: self._requests,
            "POST requests/reset": self._requests.clear,
        }
        act = acts.get(f"{method} {name}")
        if act is None:
            raise NoSuchControl(f"{method} {name}")
        return act()

    def _edit(self, wanted: list[Doc]) -> Doc:
        for each in wanted:
            edits.edit(self._store, each)
        return {"done": len(wanted)}

    def _clock(self) -> Doc:
        return {"now": self._store.clock.stamp(), "seconds": self._store.clock.now()}

    def _advance(self, seconds: float) -> Doc:
        self._store.clock.offset += seconds
        return self._clock()

    def _switch(self, wanted: Doc) -> Doc:
        for name, given in wanted.items():
            self._faults.arm(name, given)
        return self._fault_state()

    def _fault_state(self) -> Doc:
        known = {**REQUEST_FAULTS, **STATE_FAULTS}
        return {"armed": self._faults.armed, "struck": self._faults.struck, "known": known}


def load(store: Store, documents: dict[str, list[Doc]]) -> dict[str, list[int]]:
    """Make records as they are given; numbers of their ids by kind."""
    made: dict[str, list[int]] = {}
    for kind, loader in _LOADERS.items():
        for given in documents.get(kind, ()):
            made.setdefault(kind, []).append(loader(store, given)["_n"])
    store.order_times.clear()  # not by the app under test
    return made


def effects(store: Store) -> Doc:
    """What reached the world, counted by kind and listed."""
    counted = Counter(each["kind"] for each in store.effects)
    return {"counts": dict(counted), "entries": store.effects}
