"""The control endpoint: what a test or a demo does to a store from outside the shop's own API."""

import hmac
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfoNotFoundError

from sandbox import edits, founding, seed, storefront
from sandbox.replay import Options, Replay
from sandbox.store import ORIGIN, Store
from sandbox.wire import Answer, ApiError, Doc, Request, decode, json_answer

_Act = Callable[[Request], Awaitable[Doc]]
# The journal's kinds as the summary names them.
_NAMES = {
    "mail": "mails",
    "stock": "stock_movements",
    "gateway_refund": "gateway_refunds",
    "webhook": "webhooks",
    "duplicate": "duplicates",
}


class Control:
    """Answers below `/_control`; with a control token set, only to those who bear it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.replay = Replay(store)
        self._acts: dict[tuple[str, str], _Act] = {
            ("GET", ""): self._state,
            ("GET", "faults"): self._faults,
            ("PUT", "faults"): self._switch_faults,
            ("GET", "records"): self._records,
            ("POST", "records/reset"): self._reset_records,
            ("GET", "clock"): self._clock,
            ("POST", "clock"): self._set_clock,
            ("POST", "seed"): self._seed,
            ("POST", "load"): self._load,
            ("POST", "edits"): self._edits,
            ("POST", "found"): self._found,
            ("GET", "storefront"): self._storefront,
            ("PUT", "storefront"): self._plant,
            ("GET", "replay"): self._replay_state,
            ("POST", "replay"): self._start_replay,
            ("POST", "replay/stop"): self._stop_replay,
            ("POST", "replay/freeze"): self._freeze,
        }

    async def answer(self, request: Request) -> Answer:
        """Do one act; 401 without the token, 404 for an act there is not."""
        token = self._store.config.control_token
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token and not hmac.compare_digest(token.encode(), given.encode()):
            raise ApiError(401, "control_token_required", "The control token is missing or wrong.")
        name = request.path.removeprefix("/_control").strip("/")
        act = self._acts.get((request.method, name))
        if act is None:
            raise ApiError(404, "no_such_control", "There is no such control.")
        ORIGIN.set("control")
        return json_answer(await act(request))

    async def close(self) -> None:
        """Stop the replay."""
        await self.replay.stop()

    async def _state(self, request: Request) -> Doc:
        sql = "SELECT kind, count(*) FROM records WHERE latest = 1 GROUP BY kind"
        return {
            "name": self._store.config.name,
            "records": dict(self._store.storage.rows(sql)),
            "shop": self._store.storage.fact("shop"),
            "faults": self._store.faults.state()["on"],
            "clock": await self._clock(request),
            "replay": self.replay.state(),
        }

    # -- faults and records

    async def _faults(self, _: Request) -> Doc:
        return self._store.faults.state()

    async def _switch_faults(self, request: Request) -> Doc:
        self._store.faults.switch(request.json())
        return self._store.faults.state()

    async def _records(self, request: Request) -> Doc:
        """Counts of side effects by origin, and with `kind` the entries themselves."""
        counts: dict[str, dict[str, int]] = {name: {} for name in _NAMES.values()}
        for kind, origin, count in self._store.storage.journal_counts():
            counts[_NAMES[kind]][origin] = count
        found: Doc = {
            **counts,
            "stock_reasons": self._stock_reasons(),
            "writes": _by_origin(self._store.writes),
            "requests": dict(self._store.requests),
        }
        kind = request.query.get("kind")
        if kind:
            found["entries"] = self._entries(kind, request)
        return found

    def _stock_reasons(self) -> dict[str, dict[str, int]]:
        """Stock movements by origin and reason (order, cancel, refund)."""
        found: dict[str, dict[str, int]] = defaultdict(dict)
        for origin, reason, count in self._store.storage.rows(
            "SELECT origin, json_extract(CAST(detail AS TEXT), '$.reason'), count(*)"
            " FROM journal WHERE kind = 'stock' GROUP BY 1, 2"
        ):
            found[origin][reason] = count
        return dict(found)

    def _entries(self, kind: str, request: Request) -> list[Doc]:
        singular = {plural: name for name, plural in _NAMES.items()}.get(kind, kind)
        origin = request.query.get("origin") or None
        limit = int(request.query.get("limit", "1000"))
        rows = self._store.storage.journal(singular, origin, limit)
        return [{"at": at, "origin": who, **decode(detail)} for at, who, _, detail in rows]

    async def _reset_records(self, _: Request) -> Doc:
        self._store.storage.clear_journal()
        self._store.writes.clear()
        self._store.requests.clear()
        return {"reset": True}

    # -- time

    async def _clock(self, _: Request) -> Doc:
        clock = self._store.clock
        return {
            "gmt": clock.stamps()[1],
            "local": clock.stamps()[0],
            "timezone": clock.zone_name,
            "skew": clock.skew,
            "header_skew": clock.header_skew,
            "frozen": clock.frozen is not None,
        }

    async def _set_clock(self, request: Request) -> Doc:
        """`advance` seconds, `set` to a GMT stamp, `freeze` true or false, `timezone`."""
        payload, clock = request.json(), self._store.clock
        if "freeze" in payload:
            clock.frozen = clock.true_now() - clock.offset if payload["freeze"] else None
        if "set" in payload:
            wanted = datetime.fromisoformat(str(payload["set"])).replace(tzinfo=UTC).timestamp()
            clock.offset += wanted - clock.true_now()
        if "advance" in payload:
            clock.offset += float(payload["advance"])
        if "timezone" in payload:
            try:
                clock.set_zone(str(payload["timezone"]))
            except (ZoneInfoNotFoundError, ValueError):
                raise ApiError(400, "unknown_timezone", "There is no such time zone.") from None
            self._store.storage.set_fact("timezone", clock.zone_name)
        return await self._clock(request)

    # -- data

    async def _seed(self, request: Request) -> Doc:
        """Fill the empty store with the real shop: `as_of`, `scale` (0 to 1), `seed`."""
        if self._store.storage.fact("shop"):
            raise ApiError(409, "already_seeded", "The store holds the shop already.")
        payload = request.json()
        return dict(
            seed.fill(
                self._store,
                as_of=str(payload.get("as_of") or seed.AS_OF),
                scale=float(payload.get("scale", 1.0)),
                seed=int(payload.get("seed", 7)),
            )
        )

    async def _load(self, request: Request) -> Doc:
        return edits.load(self._store, request.json())

    async def _edits(self, request: Request) -> Doc:
        payload = request.json()
        wanted = payload.get("edits", [payload])
        return {"done": [edits.edit(self._store, item) for item in wanted]}

    async def _found(self, request: Request) -> Doc:
        """Begin again with an empty store."""
        await self.replay.stop()
        founding.found_anew(self._store)
        return await self._state(request)

    async def _storefront(self, _: Request) -> Doc:
        return storefront.planted(self._store)

    async def _plant(self, request: Request) -> Doc:
        return storefront.plant(self._store, request.json())

    # -- replay

    async def _replay_state(self, _: Request) -> Doc:
        return self.replay.state()

    async def _start_replay(self, request: Request) -> Doc:
        payload = request.json()
        options = Options(
            seconds=float(payload.get("seconds", 60)),
            scale=float(payload.get("scale", 1.0)),
            seed=int(payload.get("seed", 7)),
            days=int(payload.get("days", 15)),
            true_pace=bool(payload.get("true_pace", False)),
        )
        self.replay.start(options)
        return self.replay.state()

    async def _stop_replay(self, _: Request) -> Doc:
        await self.replay.stop()
        return self.replay.state()

    async def _freeze(self, _: Request) -> Doc:
        """The shop stops selling: orders half written are finished, then nothing more happens."""
        await self.replay.freeze()
        return self.replay.state()


def _by_origin(writes: dict[str, int]) -> dict[str, dict[str, int]]:
    """Counted writes as `{origin: {"order created": 3, …}}`."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for name, count in writes.items():
        origin, _, what = name.partition(" ")
        found[origin][what] = count
    return dict(found)
