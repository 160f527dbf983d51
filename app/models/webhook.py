from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, BigInteger, Column, Index, LargeBinary, Text, text
from sqlmodel import Field, SQLModel

from app.models.columns import created, document, moment, now


class WebhookEventType(StrEnum):
    """What an endpoint can be told of."""

    JOB_STARTED = "job.started"
    JOB_ENDED = "job.ended"
    CONFLICT_NEW = "conflict.new"
    VERDICT_CHANGED = "verdict.changed"
    LAG_EXCEEDED = "lag.exceeded"
    LAG_RECOVERED = "lag.recovered"
    WEBHOOK_DISABLED = "webhook.disabled"
    WEBHOOK_TEST = "webhook.test"


class Webhook(SQLModel, table=True):
    """An endpoint that is told of events; of one migration's, where one is named.

    `secrets` is ciphertext of what signs: the newest first, older ones with the moment until
    which they still sign. `lag_seconds` is the age of a cursor that the endpoint is told of.
    `failing_since` is the first failure since the last success.
    """

    __tablename__ = "webhooks"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    url: str
    description: str = ""
    events: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    migration_id: UUID | None = Field(
        default=None, foreign_key="migrations.id", ondelete="CASCADE", index=True
    )
    lag_seconds: int | None = None
    secrets: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    failing_since: datetime | None = Field(default=None, sa_column=moment())
    disabled_at: datetime | None = Field(default=None, sa_column=moment())
    disabled_reason: str | None = None
    created_at: datetime = Field(default_factory=now, sa_column=created())
    updated_at: datetime = Field(default_factory=now, sa_column=created())


class WebhookEvent(SQLModel, table=True):
    """Something that happened, written in the transaction in which it happened.

    `once` names what is told one time only. `data` holds ids, names and counts, no personal data.
    """

    __tablename__ = "webhook_events"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    type: str
    migration_id: UUID | None = Field(
        default=None, foreign_key="migrations.id", ondelete="CASCADE", index=True
    )
    once: str | None = Field(default=None, unique=True)
    data: dict[str, Any] = Field(default_factory=dict, sa_column=document())
    at: datetime = Field(default_factory=now, sa_column=created())


class DeliveryStatus(StrEnum):
    """`held`: its endpoint was disabled; a replay sends it."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    HELD = "held"


class WebhookDelivery(SQLModel, table=True):
    """An event on its way to an endpoint. `attempts` counts those since it was made or replayed.

    A worker holds it while `lease_until` lies ahead; `fence` grows with every holder, and the
    outcome of one that comes too late does not count. `log` keeps the latest attempts: when, the
    answer's status, a code, milliseconds.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__: ClassVar[Any] = (
        Index("webhook_deliveries_event", "event_id", "webhook_id", unique=True),
        Index(
            "webhook_deliveries_due",
            "webhook_id",
            "next_at",
            postgresql_where=text("status = 'pending'"),
        ),
        Index("webhook_deliveries_newest", "webhook_id", "created_at", "id"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    event_id: UUID = Field(foreign_key="webhook_events.id", ondelete="CASCADE")
    webhook_id: UUID = Field(foreign_key="webhooks.id", ondelete="CASCADE")
    status: str = DeliveryStatus.PENDING
    attempts: int = 0
    next_at: datetime = Field(default_factory=now, sa_column=created())
    lease_until: datetime | None = Field(default=None, sa_column=moment())
    fence: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    log: list[dict[str, Any]] = Field(default_factory=list, sa_column=document())
    delivered_at: datetime | None = Field(default=None, sa_column=moment())
    created_at: datetime = Field(default_factory=now, sa_column=created())


class WebhookLag(SQLModel, table=True):
    """That an endpoint has been told of a migration's lag, and not yet of its end."""

    __tablename__ = "webhook_lags"

    webhook_id: UUID = Field(primary_key=True, foreign_key="webhooks.id", ondelete="CASCADE")
    migration_id: UUID = Field(primary_key=True, foreign_key="migrations.id", ondelete="CASCADE")
    since: datetime = Field(default_factory=now, sa_column=created())
