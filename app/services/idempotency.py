"""POST once: the answer to an `Idempotency-Key` is stored in the transaction of what it made.

A crash therefore loses both or neither. Only answers that made something are kept: a refusal
changed nothing, and the same request may fare better later.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, delete, select

from app.errors import AnswerLost, IdempotencyKeyReused, StillInFlight
from app.models import IdempotencyRecord
from app.models.columns import now
from app.resources import Resources
from app.schemas.values import Output
from app.security import VaultError
from app.services.transaction import Work, transaction

KEPT_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer, whether just made or made before."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    replayed: bool = False


Made = tuple[Output, dict[str, str]]
"""What was made, and the headers of the answer."""


@dataclass(frozen=True, slots=True)
class Once:
    """One POST. `key` is None where the caller gave none; `fingerprint` is of what was asked."""

    resources: Resources
    api_key: UUID
    key: str | None
    fingerprint: bytes

    async def run(self, status: int, make: Callable[[Work], Awaitable[Made]]) -> Answer:
        """Make it, unless it was made before.

        Raises `IdempotencyKeyReused`, `StillInFlight` and `AnswerLost`, and whatever `make` raises.
        """
        async with transaction(self.resources) as work:
            if self.key is not None and (earlier := await self._earlier(work, self.key)):
                return earlier
            made, headers = await make(work)
            answer = Answer(status, made.model_dump(mode="json"), headers)
            if self.key is not None:
                work.session.add(self._record(self.key, answer))
        return answer

    async def _earlier(self, work: Work, key: str) -> Answer | None:
        connection = await work.connection()
        # Held to the end of the transaction: whoever does not get it met an unfinished twin.
        ours = await connection.execute(
            text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": self._lock(key)}
        )
        if not ours.scalar_one():
            raise StillInFlight(headers={"Retry-After": "1"})
        await work.session.exec(
            delete(IdempotencyRecord)
            .where(col(IdempotencyRecord.api_key_id) == self.api_key)
            .where(col(IdempotencyRecord.created_at) < now() - KEPT_FOR)
        )
        record = (
            await work.session.exec(
                select(IdempotencyRecord)
                .where(IdempotencyRecord.api_key_id == self.api_key)
                .where(IdempotencyRecord.key == key)
            )
        ).one_or_none()
        return None if record is None else self._replay(record)

    def _replay(self, record: IdempotencyRecord) -> Answer:
        if record.fingerprint != self.fingerprint:
            raise IdempotencyKeyReused
        if record.status is None or record.body is None:
            raise StillInFlight(headers={"Retry-After": "1"})
        try:
            body = self.resources.vault.open(record.body["sealed"].encode())
        except VaultError:
            raise AnswerLost from None
        return Answer(record.status, body, dict(record.headers or {}), replayed=True)

    def _record(self, key: str, answer: Answer) -> IdempotencyRecord:
        # Sealed, because the answer to a new API key holds the key.
        sealed = self.resources.vault.seal(answer.body).decode()
        return IdempotencyRecord(
            api_key_id=self.api_key,
            key=key,
            fingerprint=self.fingerprint,
            status=answer.status,
            body={"sealed": sealed},
            headers=answer.headers,
        )

    def _lock(self, key: str) -> int:
        digest = hashlib.sha256(self.api_key.bytes + key.encode()).digest()
        return int.from_bytes(digest[:8], "big", signed=True)


def fingerprint(method: str, path: str, body: bytes) -> bytes:
    """Equal for two requests that ask the same, however their JSON is spaced or ordered."""
    asked = json.dumps(json.loads(body), sort_keys=True) if body else ""
    return hashlib.sha256(f"{method} {path}\n{asked}".encode()).digest()
