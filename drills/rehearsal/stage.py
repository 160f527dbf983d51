"""What a rehearsal works with: the running service, both shops, and one migration between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from app.cli.client import Api, Json
from app.cli.demo.course import store_settings
from app.cli.demo.practice import PracticeStore
from app.cli.demo.scene import Scene
from app.cli.jobs import start_job
from app.cli.progress import JobProgress
from app.cli.watch import wait_for

JOB_SECONDS = 900.0
_SETTLE, _OVERLAP = 2.0, 60.0
_LAUNCH_IN = timedelta(hours=6)
_API = "/wp-json/wc/v3"

Undo = Callable[[], None]
"""Takes back what was done to a shop."""


class Desk:
    """A practice shop as its owner reaches it: by its API, and from behind."""

    def __init__(self, store: PracticeStore) -> None:
        self.store = store
        self._client = httpx.Client(
            base_url=store.url + _API,
            auth=(store.keys.consumer_key, store.keys.consumer_secret),
            # As behind a proxy that ends TLS: so that signing in is one header.
            headers={"X-Forwarded-Proto": "https"},
            timeout=30.0,
            trust_env=False,
        )

    def close(self) -> None:
        """Give the connections back; the shop goes on."""
        self._client.close()
        self.store.close()

    def get(self, path: str, **query: Any) -> Any:
        """What the API shows."""
        return self._client.get(path, params=query).raise_for_status().json()

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """What the API answers to a request that changes something."""
        return self._client.request(method, path, json=body).raise_for_status().json()

    def patch(self, kind: str, record: int, path: str, **fields: Any) -> Undo:
        """Change a record without a trace in its dates. `path` is where the API shows it."""
        before = {name: each for name, each in self.get(path).items() if name in fields}
        self.edit(kind, record, **fields)
        return lambda: self.edit(kind, record, **before)

    def edit(self, kind: str, record: int, **fields: Any) -> None:
        """As `patch`, also of what the API does not show."""
        self._edit(op="patch", kind=kind, id=record, fields=fields)

    def load(self, kind: str, document: Mapping[str, Any]) -> tuple[int, Undo]:
        """Put a record there as it is: its id, and how to take it away."""
        record = int(self.store.ask("POST", "/load", {kind: [document]})[kind][0])
        return record, lambda: self._edit(op="hard_delete", kind=kind, id=record)

    def take(self, kind: str, record: int, path: str) -> Undo:
        """Let a record vanish without a trace, and be able to put it back."""
        document = self.get(path)
        self._edit(op="hard_delete", kind=kind, id=record)
        return lambda: self.store.ask("POST", "/load", {kind: [document]})

    def dress(self, member: str, **what: Any) -> Undo:
        """Let plugins do something to the public pages, by their paths."""
        before = self.store.ask("GET", "/storefront")[member]
        self.store.ask("PUT", "/storefront", {member: {**before, **what}})
        return lambda: self.store.ask("PUT", "/storefront", {member: before})

    def _edit(self, **what: Any) -> None:
        self.store.ask("POST", "/edits", {"edits": [what]})


@dataclass(frozen=True)
class Stage:
    """A service with one migration between two practice shops, `source` and `target`."""

    scene: Scene
    source: Desk
    target: Desk
    slug: str

    @property
    def api(self) -> Api:
        """The service."""
        return self.scene.api

    @property
    def path(self) -> str:
        """The migration's address."""
        return f"/migrations/{self.slug}"

    def run(self, body: Json, title: str = "") -> Json:
        """Run a job to its end."""
        self.scene.supervisor.check()
        job = start_job(self.api, {"migration": self.slug, **body})
        progress = JobProgress(title or str(body["kind"]), quiet=not title)
        return wait_for(self.api, job, progress, JOB_SECONDS)

    def links(self, stream: str) -> dict[int, int]:
        """Ids on the target by ids on the source."""
        return {
            int(each["source_id"]): int(each["target_id"])
            for each in self.api.every(f"{self.path}/links", stream=stream, limit=100)
            if each["target_id"] is not None and each["source_id"].isdigit()
        }

    def failing(self, checks: Iterable[str] | None = None) -> set[str]:
        """The launch checks that fail now, in a `verify` of its own."""
        options = {"checks": list(checks)} if checks is not None else {}
        job = self.run({"kind": "verify", **({"options": options} if options else {})})
        found = self.api.get(f"/jobs/{job['id']}/checks")["items"]
        return {each["id"] for each in found if each["state"] in ("failed", "unknown")}


def register(scene: Scene, source: PracticeStore, target: PracticeStore, slug: str) -> Stage:
    """Make two stores and a migration between them known to the service."""
    for store in (source, target):
        body = {
            "name": f"{slug}-{store.name.lower()}",
            "platform": "woocommerce",
            "settings": store_settings(store),
            "credentials": {
                "consumer_key": store.keys.consumer_key,
                "consumer_secret": store.keys.consumer_secret,
            },
        }
        scene.api.post("/stores", body)
    scene.api.post(
        "/migrations",
        {
            "slug": slug,
            "source": f"{slug}-{source.name.lower()}",
            "target": f"{slug}-{target.name.lower()}",
            "policies": {"overlap": _OVERLAP, "settle": _SETTLE},
            "launch_at": (datetime.now(UTC) + _LAUNCH_IN).isoformat(),
        },
    )
    return Stage(scene, Desk(source), Desk(target), slug)
